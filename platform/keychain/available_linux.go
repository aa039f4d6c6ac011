package keychain

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// available looks for a session bus where the library's D-Bus package does:
// without one that would start dbus-launch and leave it behind.
func available() error {
	return busAt(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), filepath.Join("/run/user", strconv.Itoa(os.Getuid())))
}

func busAt(address, runtimeDir string) error {
	if address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(runtimeDir, name)); err == nil {
			return nil
		}
	}
	return errors.New("there is no session bus (DBUS_SESSION_BUS_ADDRESS is not set)")
}
