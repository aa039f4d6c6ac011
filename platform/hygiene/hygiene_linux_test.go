package hygiene

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestSecurity80_CoreDumpsAreOff(t *testing.T) {
	if err := NoCoreDumps(); err != nil {
		t.Fatal(err)
	}
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l.Max != 0 {
		t.Errorf("%+v %v", l, err)
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || n != 0 {
		t.Errorf("dumpable %d %v", n, err)
	}
}
