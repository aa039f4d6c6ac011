//go:build !unix

package sqldb

import (
	"os/exec"
	"testing"
)

func runAs(t testing.TB, _ *exec.Cmd, _ string) {
	t.Fatal("the database servers are started on Linux only")
}
