//go:build !windows

package atomicfile

import "os"

func replace(from, to string) error { return os.Rename(from, to) }

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
