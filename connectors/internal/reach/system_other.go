//go:build !windows && !darwin

package reach

// settings is the proxy that the desktop is set to; here the environment is
// where programs look for it.
func settings() (string, error) { return "", nil }
