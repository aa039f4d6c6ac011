package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A Database is a running SQL server that demands nothing of TLS but offers it.
type Database struct {
	Port int
	CA   *CA    // issued the server's certificate, and is trusted for clients'
	Dir  string // holds the sockets

	feed    func(sql string) *exec.Cmd
	process *Process
}

// Addr is where it listens.
func (d *Database) Addr() string { return "127.0.0.1:" + strconv.Itoa(d.Port) }

// SQL runs statements as the administrator.
func (d *Database) SQL(tb testing.TB, statements string) {
	tb.Helper()
	if out, err := d.feed(statements).CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
}

// Log is what the server has printed so far.
func (d *Database) Log() string { return d.process.Output() }

// MariaDB starts a MariaDB server with no database in it, and root at its socket
// alone. options are the daemon's, such as "--require-secure-transport=ON".
func MariaDB(tb testing.TB, options ...string) *Database {
	tb.Helper()
	install := Program(tb, "mariadb-install-db", "mariadb-server")
	daemon := Program(tb, "mariadbd", "mariadb-server")
	client := Program(tb, "mariadb", "mariadb-client")
	d := &Database{Port: FreePort(tb), CA: NewCA(tb), Dir: tb.TempDir()}
	cert, key := d.CA.Issue(tb, Cert{}).Write(tb, d.Dir, "")
	ca := WriteFile(tb, d.Dir, "ca.pem", d.CA.PEM, 0o644)
	data, sock := filepath.Join(d.Dir, "data"), filepath.Join(d.Dir, "s.sock")
	common := []string{"--no-defaults", "--datadir=" + data}
	if os.Getuid() == 0 {
		common = append(common, "--user=root")
	}
	empty := Cached(tb, "mariadb-"+mariaVersion(tb, daemon), func(dir string) {
		Run(tb, install, append(append([]string{"--no-defaults"}, common[2:]...), "--datadir="+filepath.Join(dir, "data"), "--auth-root-authentication-method=normal", "--skip-test-db")...)
	})
	Run(tb, "cp", "-R", filepath.Join(empty, "data"), data)
	args := append(common, "--socket="+sock, "--port="+strconv.Itoa(d.Port), "--bind-address=127.0.0.1", "--pid-file="+filepath.Join(d.Dir, "pid"),
		"--ssl-ca="+ca, "--ssl-cert="+cert, "--ssl-key="+key, "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M")
	d.process = Start(tb, exec.Command(daemon, append(args, options...)...), d.Addr())
	tb.Cleanup(func() { _ = d.process.Cmd.Process.Signal(syscall.SIGTERM) }) // it does not go for an interrupt
	d.feed = func(sql string) *exec.Cmd {
		cmd := exec.Command(client, "--no-defaults", "--socket="+sock, "-uroot")
		cmd.Stdin = strings.NewReader(sql)
		return cmd
	}
	return d
}

// mariaVersion is what an empty data folder belongs to.
func mariaVersion(tb testing.TB, daemon string) string {
	tb.Helper()
	words := strings.Fields(Run(tb, daemon, "--no-defaults", "--version"))
	for i, word := range words {
		if word == "Ver" && i+1 < len(words) {
			return strings.ReplaceAll(words[i+1], "/", "-")
		}
	}
	return "unknown"
}
