//go:build !linux && !darwin && !windows

package hygiene

func noCoreDumps() error { return nil }
