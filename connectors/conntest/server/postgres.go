package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// PostgresPassword is the user postgres's, on the servers that Postgres starts.
const PostgresPassword = "practice-only-admin"

// Postgres starts a PostgreSQL server. hba are lines of pg_hba.conf that stand
// before the last one, which lets everybody in with a password.
func Postgres(tb testing.TB, hba ...string) *Database {
	tb.Helper()
	initdb := Program(tb, "initdb", "postgresql")
	if real, err := filepath.EvalSymlinks(initdb); err == nil {
		initdb = real
	}
	client := Program(tb, "psql", "postgresql-client")
	dir, err := os.MkdirTemp("/tmp", "jf-pg-*") // a folder that the user postgres may enter, with a path short enough for a socket
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &Database{Port: FreePort(tb), CA: NewCA(tb), Dir: dir}
	d.CA.Issue(tb, Cert{}).Write(tb, dir, "")
	WriteFile(tb, dir, "ca.pem", d.CA.PEM, 0o644)
	WriteFile(tb, dir, "pw", PostgresPassword, 0o644)
	data := filepath.Join(dir, "data")
	setup := []string{initdb, "-D", data, "-A", "scram-sha-256", "--pwfile=" + dir + "/pw", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C"}
	if os.Getuid() == 0 {
		Run(tb, "chown", "-R", "postgres", dir)
		setup = append([]string{"runuser", "-u", "postgres", "--"}, setup...)
	}
	Run(tb, setup[0], setup[1:]...)
	conf := fmt.Sprintf("listen_addresses='127.0.0.1'\nport=%d\nunix_socket_directories='%[2]s'\nssl=on\nssl_cert_file='%[2]s/cert.pem'\nssl_key_file='%[2]s/key.pem'\nssl_ca_file='%[2]s/ca.pem'\nfsync=off\nmax_locks_per_transaction=1024\n", d.Port, dir)
	WriteFile(tb, data, "postgresql.conf", conf, 0o644)
	rules := append([]string{"local all all scram-sha-256"}, append(hba, "host all all 127.0.0.1/32 scram-sha-256")...)
	WriteFile(tb, data, "pg_hba.conf", strings.Join(rules, "\n")+"\n", 0o644)
	daemon := []string{filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data}
	if os.Getuid() == 0 { // which PostgreSQL refuses to run as
		daemon = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"}, daemon...)
	}
	cmd := exec.Command(daemon[0], daemon[1:]...)
	cmd.Dir = dir
	d.process = Start(tb, cmd, d.Addr())
	d.feed = func(sql string) *exec.Cmd {
		cmd := exec.Command(client, "-q", "-v", "ON_ERROR_STOP=1", "-h", dir, "-p", strconv.Itoa(d.Port), "-U", "postgres")
		cmd.Env = append(os.Environ(), "PGPASSWORD="+PostgresPassword)
		cmd.Stdin = strings.NewReader(sql)
		return cmd
	}
	return d
}
