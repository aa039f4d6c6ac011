package ldap

import (
	"bytes"
	"os/exec"
	"runtime"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMain(m *testing.M) { conntest.Main(m, Type()) }

// BenchmarkChildren100k lists 100,000 entries and compares with ldapsearch for the
// same search on the same server. Both connect and sign in first, unencrypted,
// so that neither's TLS library counts.
func BenchmarkChildren100k(b *testing.B) {
	const many = 100_000
	d := startSlapd(b, option{many: many})
	program := server.Program(b, "ldapsearch", "ldap-utils")
	parent := connectors.NodeID("ou=Many," + company)
	args := append([]string{"-LLL", "-x", "-H", "ldap://127.0.0.1:" + portOf(d.plain), "-D", admin, "-w", adminPassword, "-b", string(parent),
		"-s", "one", "-E", "pr=1000/noprompt", "(objectClass=*)"}, listed()...)
	native := func() *exec.Cmd { return exec.Command(program, args...) }
	entries := func(line []byte) bool { return bytes.HasPrefix(line, []byte("dn:")) }
	conntest.Race(b, "ldapsearch", native, entries, conntest.NewJob(Type(), d.settings("security", plainText, "user", admin, "password", adminPassword), parent, many))
	b.ReportMetric(float64(held(b, d, parent))/1024, "KiB-held")
}

// held is how much more memory is in use, after collecting, at the worst of ten
// points of a listing than before it.
func held(b *testing.B, d *directory, parent connectors.NodeID) uint64 {
	s := open1(b, d.settings("security", plainText, "user", admin, "password", adminPassword))
	var m runtime.MemStats
	inUse := func() uint64 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, worst, n := inUse(), uint64(0), 0
	for _, err := range s.Children(b.Context(), parent) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n%9500 == 0 {
			worst = max(worst, inUse())
		}
	}
	return max(worst, before) - before
}
