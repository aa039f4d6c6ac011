package sftp

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// BenchmarkList100k lists 100,000 files in one folder, and compares with
// OpenSSH's own sftp on the same server: from connecting to the last name, and
// until the first 100.
func BenchmarkList100k(b *testing.B) {
	const many = 100_000
	s := startSSHD(b)
	dir := filepath.Join(s.home, "many")
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range many {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("file-%06d.csv", i)))
		if err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
	known := server.WriteFile(b, s.dir, "known", s.trusted(b, "ed25519"), 0o600)
	native := func() (first, all time.Duration) {
		cmd := exec.Command(server.Program(b, "sftp", "openssh-client"), "-q", "-b", "-", "-P", strconv.Itoa(s.port), "-i", s.keyFile, "-oUserKnownHostsFile="+known, "-oIdentitiesOnly=yes", account+"@127.0.0.1")
		cmd.Stdin = strings.NewReader("ls -1f " + dir + "\n")
		return lines(b, cmd, many)
	}
	key := read(b, s.keyFile)
	native()
	var ourFirst, ourAll, theirFirst, theirAll time.Duration
	var held uint64
	for b.Loop() {
		f, all := native()
		theirFirst, theirAll = theirFirst+f, theirAll+all
		start := time.Now()
		session, err := openWith(b, s.settings(b, "auth", "key", "key", key), connectors.Asker{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range session.(connectors.Browser).Children(b.Context(), connectors.NodeID(dir)) {
			if err != nil {
				b.Fatal(err)
			}
			switch n++; n {
			case 100:
				ourFirst += time.Since(start)
			case many / 2:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				held = m.HeapInuse
			}
		}
		ourAll += time.Since(start)
		_ = session.Close()
		if n != many {
			b.Fatalf("%d names", n)
		}
	}
	b.ReportMetric(float64(ourAll)/float64(theirAll), "total/sftp")
	b.ReportMetric(float64(ourFirst)/float64(theirFirst), "first100/sftp")
	b.ReportMetric(float64(ourAll.Milliseconds())/float64(b.N), "ms/list")
	b.ReportMetric(float64(held>>20), "MiB-heap")
}

func lines(b *testing.B, cmd *exec.Cmd, least int) (first, all time.Duration) {
	b.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if n++; n == 100 {
			first = time.Since(start)
		}
	}
	if err := cmd.Wait(); err != nil || n < least {
		b.Fatalf("%d lines, %v", n, err)
	}
	return first, time.Since(start)
}
