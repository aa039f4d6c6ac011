package idle

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

type desktop struct{}

func (desktop) GetIdletime() (uint64, *dbus.Error)        { return 90_000, nil }
func (desktop) GetSessionIdleTime() (uint32, *dbus.Error) { return 120, nil }

// bus starts a session bus of its own.
func bus(t *testing.T) {
	t.Helper()
	c := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(line))
}

func TestStandInDesktopsTellHowLongNobodyWasThere(t *testing.T) {
	for i, want := range []time.Duration{90 * time.Second, 2 * time.Minute} {
		s := sources()[i]
		t.Run(s.name, func(t *testing.T) {
			bus(t)
			if d, err := For(t.Context()); err == nil {
				t.Fatalf("%v without a desktop", d)
			}
			c, err := dbus.ConnectSessionBus()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if err := c.Export(desktop{}, s.path, s.method[:strings.LastIndexByte(s.method, '.')]); err != nil {
				t.Fatal(err)
			}
			if _, err := c.RequestName(s.name, 0); err != nil {
				t.Fatal(err)
			}
			if d, err := For(t.Context()); err != nil || d != want {
				t.Errorf("%v %v", d, err)
			}
		})
	}
}

func TestWithoutABusItIsNotKnown(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
	if d, err := For(t.Context()); err == nil {
		t.Errorf("%v", d)
	}
}
