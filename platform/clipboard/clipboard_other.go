//go:build !linux && !windows

package clipboard

import "errors"

// CopySecret cannot be had here: macOS's concealed type
// (http://nspasteboard.org) needs Objective-C.
func CopySecret(string) error { return errors.ErrUnsupported }
