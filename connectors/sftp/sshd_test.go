package sftp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// The account that the tests sign in with; its home is a folder of the test's.
const (
	account  = "jf-test-sftp"
	password = "sftp-practice"
)

// sshd is a real OpenSSH server.
type sshd struct {
	port    int
	home    string // of the account
	dir     string
	process *server.Process
	keyFile string // the account's own key, without a passphrase
}

// startSSHD runs sshd with more lines of configuration.
func startSSHD(t testing.TB, more ...string) *sshd {
	t.Helper()
	daemon := server.Program(t, "sshd", "openssh-server")
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	home := makeAccount(t).Home
	dir := filepath.Dir(home)
	s := &sshd{port: server.FreePort(t), home: home, dir: dir}
	for _, kind := range []string{"ed25519", "ecdsa"} {
		server.Run(t, keygen, "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, "host_"+kind))
	}
	for _, kind := range []string{"rsa", "dsa"} { // slow to make: the same for every server
		cached := server.Cached(t, "sftp-host-"+kind, func(dir string) {
			server.Run(t, keygen, "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, "key"))
		})
		for _, end := range []string{"", ".pub"} {
			server.WriteFile(t, dir, "host_"+kind+end, read(t, filepath.Join(cached, "key"+end)), 0o600)
		}
	}
	s.keyFile = filepath.Join(dir, "user_key")
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", s.keyFile)
	public, err := os.ReadFile(s.keyFile + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	keys := server.WriteFile(t, dir, "authorized_keys", string(public), 0o644)
	conf := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nPidFile none\nHostKey %s/host_ed25519\nHostKey %s/host_ecdsa\nHostKey %s/host_rsa\nStrictModes no\nAuthorizedKeysFile %s\nUseDNS no\nMaxStartups 100\nLogLevel ERROR\n", s.port, dir, dir, dir, keys)
	text := strings.ReplaceAll(strings.Join(more, "\n")+"\n", "DIR", dir)
	if strings.Contains(text, "AuthorizedKeysFile") { // the first one counts
		conf = strings.Replace(conf, "AuthorizedKeysFile "+keys+"\n", "", 1)
	}
	if strings.Contains(text, "LogLevel") {
		conf = strings.Replace(conf, "LogLevel ERROR\n", "", 1)
	}
	if strings.Contains(text, "MaxStartups") {
		conf = strings.Replace(conf, "MaxStartups 100\n", "", 1)
	}
	for _, line := range []string{"UsePAM yes", "KbdInteractiveAuthentication yes", "PasswordAuthentication yes", "Subsystem sftp internal-sftp"} {
		if !strings.Contains(text, strings.Fields(line)[0]) {
			conf += line + "\n"
		}
	}
	file := server.WriteFile(t, dir, "sshd.conf", conf+text, 0o644)
	s.process = server.Start(t, exec.Command(daemon, "-D", "-e", "-f", file), "127.0.0.1:"+strconv.Itoa(s.port))
	return s
}

func makeAccount(t testing.TB) server.Account {
	t.Helper()
	made := server.NewAccount(t, account, password)
	home := made.Home
	for _, d := range []string{"", "reports", "hostile", "empty"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server.WriteFile(t, home, "notes.txt", "hello\nworld\n", 0o644)
	server.WriteFile(t, home, "closed.txt", "secret", 0o600)
	server.WriteFile(t, filepath.Join(home, "reports"), "sales.csv", "region,amount\nNorth,12\nSouth,7.5\n", 0o644)
	server.WriteFile(t, filepath.Join(home, "hostile"), "\u202egpj.exe", "x", 0o644)
	server.WriteFile(t, filepath.Join(home, "hostile"), "line\nbreak", "x", 0o644)
	server.WriteFile(t, filepath.Join(home, "hostile"), "bad\xff\xfeutf8", "x", 0o644)
	server.Run(t, "chown", "-R", account, filepath.Join(home, "reports"))
	return made
}

func (s *sshd) addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// trusted is the known_hosts line of one of the server's keys.
func (s *sshd) trusted(t testing.TB, kind string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "host_"+kind+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return knownhosts.Line([]string{knownhosts.Normalize(s.addr())}, key) + "\n"
}

// settings sign in with the password and know the host; more are plain answers.
func (s *sshd) settings(t testing.TB, more ...string) connectors.Settings {
	t.Helper()
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(s.port), "user", account, "auth", "password", "password", password, "known_hosts", s.trusted(t, "ed25519")}, more...)
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
