//go:build !linux

package keychain

func available() error { return nil }
