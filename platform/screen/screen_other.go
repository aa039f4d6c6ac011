//go:build !windows

package screen

import "errors"

// Hide cannot be had here: X11 and Wayland leave it to the compositor, and
// macOS's NSWindow.sharingType is not reached without Objective-C.
func Hide(uintptr, bool) error { return errors.ErrUnsupported }
