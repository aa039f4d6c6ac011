//go:build !linux && !windows && !darwin

package login

import "errors"

// On reports an error: this system has no known place for it.
func (Start) On() (bool, error) { return false, errors.ErrUnsupported }

// Set cannot be had here.
func (Start) Set(bool) error { return errors.ErrUnsupported }
