//go:build !windows && !darwin

package browser

import (
	"os/exec"
	"syscall"
)

func openers(browser string) [][]string {
	return append(own(browser), []string{"xdg-open"}, []string{"x-www-browser"}, []string{"www-browser"})
}

func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
