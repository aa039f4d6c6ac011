package sftp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMain(m *testing.M) { conntest.Main(m, Type()) }

// BenchmarkList100k lists 100,000 files in one folder, and compares with
// OpenSSH's own sftp on the same server: from connecting to the last name.
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
	program := server.Program(b, "sftp", "openssh-client")
	native := func() *exec.Cmd {
		cmd := exec.Command(program, "-q", "-b", "-", "-P", strconv.Itoa(s.port), "-i", s.keyFile, "-oUserKnownHostsFile="+known, "-oIdentitiesOnly=yes", account+"@127.0.0.1")
		cmd.Stdin = strings.NewReader("ls -1f " + dir + "\n")
		return cmd
	}
	settings := s.settings(b, "auth", "key", "key", read(b, s.keyFile))
	conntest.Race(b, "sftp", native, nil, conntest.NewJob(Type(), settings, connectors.NodeID(dir), many))
}
