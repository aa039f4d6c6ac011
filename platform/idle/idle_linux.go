package idle

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// A source is a desktop's own answer on the session bus.
type source struct {
	name   string
	path   dbus.ObjectPath
	method string
	unit   time.Duration
}

// sources: GNOME's compositor counts milliseconds
// (https://gitlab.gnome.org/GNOME/mutter, data/dbus-interfaces/org.gnome.Mutter.IdleMonitor.xml),
// KDE's screen locker seconds (https://invent.kde.org/plasma/kscreenlocker,
// dbus/org.freedesktop.ScreenSaver.xml).
func sources() []source {
	return []source{
		{"org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor.GetIdletime", time.Millisecond},
		{"org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver.GetSessionIdleTime", time.Second},
	}
}

func idle(ctx context.Context) (time.Duration, error) {
	bus, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return 0, fmt.Errorf("idle time: %w", err)
	}
	defer func() { _ = bus.Close() }()
	for _, s := range sources() {
		call := bus.Object(s.name, s.path).CallWithContext(ctx, s.method, dbus.FlagNoAutoStart)
		if err = call.Err; err != nil || len(call.Body) == 0 {
			continue
		}
		switch n := call.Body[0].(type) {
		case uint64:
			return time.Duration(min(n, 1<<40)) * s.unit, nil
		case uint32:
			return time.Duration(n) * s.unit, nil
		}
	}
	return 0, fmt.Errorf("idle time: no desktop tells it: %w", err)
}
