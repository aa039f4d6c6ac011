//go:build !windows

package folder

import (
	"strings"
	"testing"
)

func TestAWindowsShareIsSentElsewhere(t *testing.T) {
	f, _ := Type().Form.Field("path")
	if err := f.Verify(`\\server\share\folder`); err == nil || !strings.Contains(err.Error(), "SMB") {
		t.Error(err)
	}
}
