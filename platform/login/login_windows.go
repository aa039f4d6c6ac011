package login

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// run holds what starts when this user signs in
// (https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys).
const run = `Software\Microsoft\Windows\CurrentVersion\Run`

// On reports whether it starts at sign-in.
func (s Start) On() (bool, error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, run, registry.QUERY_VALUE)
	if err != nil {
		return false, fmt.Errorf("start at sign-in: %w", err)
	}
	defer func() { _ = k.Close() }()
	_, _, err = k.GetStringValue(s.Name)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Set makes it start at sign-in, or not any more.
func (s Start) Set(on bool) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, run, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	defer func() { _ = k.Close() }()
	if !on {
		if err := k.DeleteValue(s.Name); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return fmt.Errorf("start at sign-in: %w", err)
		}
		return nil
	}
	if !s.valid() {
		return fmt.Errorf("start at sign-in: %q is no whole path", s.Program)
	}
	return k.SetStringValue(s.Name, windows.ComposeCommandLine(append([]string{s.Program}, s.Args...)))
}
