package ldap

import (
	"bufio"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// BenchmarkChildren50k lists 50,000 entries and compares the time with
// ldapsearch's for the same search on the same server: of the whole, and until
// the first 100 are there. Both connect and sign in first, unencrypted, so that
// neither's TLS library counts.
func BenchmarkChildren50k(b *testing.B) {
	const many = 50_000
	d := startSlapd(b, option{many: many})
	program := server.Program(b, "ldapsearch", "ldap-utils")
	parent := connectors.NodeID("ou=Many," + company)
	theirs(b, program, d, many) // what slapd reads once is in memory after this
	var ourFirst, ourTotal, theirFirst, theirTotal time.Duration
	for b.Loop() {
		f, all := theirs(b, program, d, many)
		theirFirst, theirTotal = theirFirst+f, theirTotal+all
		f, all = ours(b, d, parent, many)
		ourFirst, ourTotal = ourFirst+f, ourTotal+all
	}
	b.ReportMetric(float64(ourTotal)/float64(theirTotal), "total/ldapsearch")
	b.ReportMetric(float64(ourFirst)/float64(theirFirst), "first100/ldapsearch")
	b.ReportMetric(float64(ourTotal.Milliseconds())/float64(b.N), "ms/list")
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
		if n++; n%4500 == 0 {
			worst = max(worst, inUse())
		}
	}
	return max(worst, before) - before
}

func ours(b *testing.B, d *directory, parent connectors.NodeID, many int) (first, all time.Duration) {
	start := time.Now()
	s := open1(b, d.settings("security", plainText, "user", admin, "password", adminPassword))
	n := 0
	for _, err := range s.Children(b.Context(), parent) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n == 100 {
			first = time.Since(start)
		}
	}
	all = time.Since(start)
	if n != many {
		b.Fatalf("%d entries", n)
	}
	_ = s.Close()
	return first, all
}

func theirs(b *testing.B, program string, d *directory, many int) (first, all time.Duration) {
	args := append([]string{"-LLL", "-x", "-H", "ldap://127.0.0.1:" + portOf(d.plain), "-D", admin, "-w", adminPassword, "-b", "ou=Many," + company,
		"-s", "one", "-E", "pr=1000/noprompt", "(objectClass=*)"}, listed()...)
	cmd := exec.Command(program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "dn:") {
			if n++; n == 100 {
				first = time.Since(start)
			}
		}
	}
	all = time.Since(start)
	if err := cmd.Wait(); err != nil || n != many {
		b.Fatalf("%d entries, %v", n, err)
	}
	return first, all
}
