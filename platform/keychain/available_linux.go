package keychain

import (
	"errors"
	"os"
	"path/filepath"
)

// available looks for a session bus before the library does: without one its
// D-Bus package would start dbus-launch and leave it behind.
func available() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		if info, err := os.Stat(filepath.Join(dir, "bus")); err == nil && info.Mode()&os.ModeSocket != 0 {
			return nil
		}
	}
	return errors.New("there is no session bus (DBUS_SESSION_BUS_ADDRESS is not set)")
}
