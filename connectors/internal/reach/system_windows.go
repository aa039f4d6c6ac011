package reach

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows/registry"
)

// settings is the proxy of the person's Internet Settings.
func settings() (string, error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\Internet Settings`, registry.QUERY_VALUE)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = k.Close() }()
	if on, _, err := k.GetIntegerValue("ProxyEnable"); err != nil || on == 0 {
		return "", nil
	}
	value, _, err := k.GetStringValue("ProxyServer")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return windowsProxy(value), err
}
