package sftp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// another is a server that is not OpenSSH's, with the same account.
type another struct {
	home string
	port int
	key  string // the account's private key
}

func (a another) settings(more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings {
		return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(a.port), "user", account, "auth", "password", "password", password}, more...)
	}
}

func (a another) run(t *testing.T, faults ...conntest.Fault) {
	t.Helper()
	many := filepath.Join(a.home, "many")
	if err := os.Mkdir(many, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		server.WriteFile(t, many, fmt.Sprintf("file%05d.txt", i), "", 0o644)
	}
	trusted := func(f conntest.Fault) conntest.Fault { f.Ask = conntest.TrustAll(); return f }
	all := []conntest.Fault{
		trusted(conntest.Fault{Name: "wrong password", Settings: a.settings("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"}),
		trusted(conntest.Fault{Name: "folder missing", Settings: a.settings("folder", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"}),
		trusted(conntest.Fault{Name: "folder is a file", Settings: a.settings("folder", "notes.txt"), Code: connectors.BadInput, Field: "folder"}),
		{Name: "unknown host, nobody to ask", Settings: a.settings(), Code: connectors.Untrusted, Stage: connectors.StageSecure},
	}
	for _, f := range faults {
		all = append(all, trusted(f))
	}
	conntest.Run(t, conntest.Suite{Type: Type(), Good: a.settings(), Ask: conntest.TrustAll(), Faults: all,
		Big:     &conntest.Big{Settings: a.settings(), Parent: connectors.NodeID(many), Count: 3000},
		Hostile: &conntest.Place{Settings: a.settings(), Node: connectors.NodeID(filepath.Join(a.home, "hostile"))}})
	session, err := openWith(t, a.settings("auth", "key", "key", a.key)(t), conntest.TrustAll())
	if err != nil {
		t.Fatalf("by key: %v", err)
	}
	sample, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(filepath.Join(a.home, "notes.txt")), 5)
	if err != nil || string(sample.Data) != "hello" || !sample.Truncated {
		t.Errorf("%+v %v", sample, err)
	}
}

// place makes the account, and a key of its beside its home.
func place(t *testing.T) (made server.Account, dir, key, public string) {
	t.Helper()
	made = makeAccount(t)
	dir = filepath.Dir(made.Home)
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "key"))
	return made, dir, read(t, filepath.Join(dir, "key")), read(t, filepath.Join(dir, "key.pub"))
}

func TestDropbear(t *testing.T) {
	daemon := server.Program(t, "dropbear", "dropbear-bin")
	dropbearkey := server.Program(t, "dropbearkey", "dropbear-bin")
	made, dir, key, public := place(t)
	home := made.Home
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	server.WriteFile(t, filepath.Join(home, ".ssh"), "authorized_keys", public, 0o600)
	server.Run(t, "chown", "-R", account, home)
	server.Run(t, dropbearkey, "-t", "ed25519", "-f", filepath.Join(dir, "host"))
	start := func(more ...string) another {
		port := server.FreePort(t)
		addr := "127.0.0.1:" + strconv.Itoa(port)
		args := append([]string{"-F", "-E", "-p", addr, "-r", filepath.Join(dir, "host"), "-P", filepath.Join(dir, strconv.Itoa(port))}, more...)
		server.Start(t, exec.Command(daemon, args...), addr)
		return another{home: home, port: port, key: key}
	}
	a := start()
	a.run(t)
	t.Run("jump host", func(t *testing.T) {
		forwards(t, a.settings()(t), nil)
		forwards(t, start("-j").settings()(t), &connectors.Error{Code: connectors.Denied, Reason: "ssh.tunnel_forbidden"})
	})
	t.Run("keys alone", func(t *testing.T) {
		_, err := openWith(t, start("-s").settings()(t), conntest.TrustAll())
		if e := connectors.Classify(err); e == nil || e.Reason != "ssh.method" || e.Field != "auth" {
			t.Errorf("%+v", e)
		}
	})
}

func TestProFTPD(t *testing.T) {
	daemon := server.Program(t, "proftpd", "proftpd-core proftpd-mod-crypto")
	made, dir, key, _ := place(t)
	home := made.Home
	server.Run(t, "chown", "-R", account, home)
	port := server.FreePort(t)
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	server.Run(t, keygen, "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", filepath.Join(dir, "host"))
	keys := server.WriteFile(t, dir, "keys", server.Run(t, keygen, "-e", "-f", filepath.Join(dir, "key.pub")), 0o644)
	users := server.WriteFile(t, dir, "users", made.Line(t), 0o600)
	conf := server.WriteFile(t, dir, "proftpd.conf", fmt.Sprintf(`ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
ServerName practice
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port %d
UseIPv6 off
PidFile %[2]s/pid
ScoreboardFile %[2]s/scoreboard
SystemLog %[2]s/log
WtmpLog off
TransferLog none
UseReverseDNS off
RequireValidShell off
AuthOrder mod_auth_file.c
AuthUserFile %[3]s
SFTPEngine on
SFTPHostKey %[2]s/host
SFTPAuthorizedUserKeys file:%[4]s
SFTPAuthMethods publickey password
SFTPLog %[2]s/sftp.log
DelayEngine off
`, port, dir, users, keys), 0o644)
	server.Start(t, exec.Command(daemon, "-n", "-q", "-c", conf), "127.0.0.1:"+strconv.Itoa(port))
	another{home: home, port: port, key: key}.run(t)
	t.Run("jump host", func(t *testing.T) {
		s := another{port: port}.settings()(t)
		forwards(t, s, &connectors.Error{Code: connectors.Denied, Reason: "ssh.tunnel_forbidden"})
	})
}
