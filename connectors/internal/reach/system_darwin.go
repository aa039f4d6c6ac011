package reach

import (
	"context"
	"os/exec"
	"time"
)

// settings is the proxy of the active network service.
func settings() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), perAddress)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/sbin/scutil", "--proxy")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	return macProxy(string(out)), nil
}
