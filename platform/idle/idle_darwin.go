package idle

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// idle asks the registry of the input system, which counts nanoseconds
// (ioreg(8)).
func idle(ctx context.Context) (time.Duration, error) {
	out, err := exec.CommandContext(ctx, "/usr/sbin/ioreg", "-c", "IOHIDSystem", "-d", "4", "-r").Output()
	if err != nil {
		return 0, fmt.Errorf("idle time: %w", err)
	}
	found := regexp.MustCompile(`"HIDIdleTime" = (\d+)`).FindSubmatch(out)
	if found == nil {
		return 0, errors.New("idle time: ioreg does not tell it")
	}
	n, err := strconv.ParseInt(string(found[1]), 10, 64)
	return time.Duration(n), err
}
