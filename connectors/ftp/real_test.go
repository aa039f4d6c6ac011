//go:build unix

package ftp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// The account that the tests sign in with; its home is a folder of the test's.
const (
	account  = "jf-test-ftp"
	password = "practice-only-ftp"
	many     = 10_000
)

// place makes the account and its home.
func place(t testing.TB) server.Account {
	t.Helper()
	u := server.NewAccount(t, account, password)
	seed(t, u.Home)
	return u
}

func seed(t testing.TB, home string) {
	t.Helper()
	for _, d := range []string{"", "reports", "hostile", "empty", "many", "closed", "with space", "Bücher", "caf\xe9"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := func(dir, name, text string) { server.WriteFile(t, filepath.Join(home, dir), name, text, 0o644) }
	file("", "notes.txt", "hello\nworld\n")
	server.WriteFile(t, home, "closed.txt", "nobody", 0o600)
	file("reports", "sales.csv", "region,amount\nNorth,12\nSouth,7.5\n")
	file("hostile", "\u202egpj.exe", "x")
	file("hostile", "escape\x1b[31m", "x")
	file("hostile", " two  spaces ", "x")
	file("hostile", "-la", "x")
	file("with space", "a file.txt", "spaced")
	file("Bücher", "Öl.txt", "umlaut")
	file("caf\xe9", "na\xefve.txt", "latin")
	var numbers strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&numbers, "%09d\n", i)
	}
	file("", "numbers.txt", numbers.String())
	for i := range many {
		file("many", fmt.Sprintf("file%05d.txt", i), "")
	}
	for link, to := range map[string]string{"to-folder": "reports", "to-file": "notes.txt", "to-nothing": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	server.Run(t, "mkfifo", filepath.Join(home, "pipe"))
	server.Run(t, "chown", "-R", account, home)
	server.Run(t, "chown", "root", filepath.Join(home, "closed.txt"), filepath.Join(home, "closed"))
	server.Run(t, "chmod", "700", filepath.Join(home, "closed"))
}

// answersFor sign in with the password over explicit TLS; more are further answers.
func answersFor(f *server.FTP, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(f.Port), "user", account, "password", password, "ca", f.CA.PEM}, more...)
}

func with(f *server.FTP, more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return answersFor(f, more...) }
}

func openWith(t testing.TB, settings connectors.Settings) (connectors.Session, error) {
	t.Helper()
	return conntest.Try(t, Type(), settings)
}

// faults are what every server is asked to refuse.
func faults(f *server.FTP) []conntest.Fault {
	set := func(extra ...string) func(testing.TB) connectors.Settings { return with(f, extra...) }
	return []conntest.Fault{
		{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "unknown user", Settings: set("user", "nobody-here"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "no anonymous", Settings: set("auth", "anonymous"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
		{Name: "no password", Settings: set("password", ""), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "password"},
		{Name: "folder missing", Settings: set("folder", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
		{Name: "folder is a file", Settings: set("folder", "notes.txt"), Code: connectors.BadInput, Stage: connectors.StageRights, Field: "folder"},
		{Name: "port 22", Settings: set("port", "22"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "port"},
		{Name: "port 0", Settings: set("port", "0"), Code: connectors.BadInput, Field: "port"},
		{Name: "two lines as user", Settings: set("user", "a\r\nDELE notes.txt"), Code: connectors.BadInput, Field: "user"},
		{Name: "unknown name", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
	}
}

func suite(t *testing.T, u server.Account, f *server.FTP, more []string, extra ...conntest.Fault) {
	t.Helper()
	good := with(f, more...)
	if more == nil { // a wrong password takes a while; once is enough
		extra = append(extra, faults(f)...)
	}
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good,
		Big:     &conntest.Big{Settings: good, Parent: connectors.NodeID(u.Home + "/many"), Count: many},
		Hostile: &conntest.Place{Settings: good, Node: connectors.NodeID(u.Home + "/hostile")},
		Faults:  extra})
}

func TestProFTPD(t *testing.T) {
	u := place(t)
	required := server.ProFTPD(t, u, "TLSEngine on\nTLSRequired on\nTLSProtocol TLSv1.2 TLSv1.3")
	t.Run("explicit", func(t *testing.T) {
		suite(t, u, required, nil,
			conntest.Fault{Name: "TLS required", Settings: with(required, "tls", "none"), Code: connectors.Denied, Field: "tls"},
			conntest.Fault{Name: "unknown authority", Settings: with(required, "ca", ""), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			conntest.Fault{Name: "other name", Settings: with(required, "tls_name", "other.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			conntest.Fault{Name: "TLS from the start at the usual port", Settings: with(required, "tls", "implicit"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
		)
		looks(t, u, answersFor(required), true)
	})
	t.Run("TLS 1.2", func(t *testing.T) {
		old := server.ProFTPD(t, u, "TLSEngine on\nTLSRequired on\nTLSProtocol TLSv1.2\nTLSSessionTickets on")
		looks(t, u, answersFor(old), true)
		// crypto/tls resumes by ticket alone.
		byID := server.ProFTPD(t, u, "TLSEngine on\nTLSRequired on\nTLSProtocol TLSv1.2\nTLSSessionTickets off")
		session := conntest.Open(t, Type(), answersFor(byID))
		_, err := session.Check(t.Context())
		if e := connectors.Classify(err); e == nil || e.Reason != "ftp.tls_reuse" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("implicit", func(t *testing.T) {
		implicit := server.ProFTPD(t, u, "TLSEngine on\nTLSRequired on\nTLSOptions UseImplicitSSL")
		looks(t, u, answersFor(implicit, "tls", "implicit"), true)
	})
	t.Run("plain", func(t *testing.T) {
		plain := server.ProFTPD(t, u, "")
		suite(t, u, plain, []string{"tls", "none"}, conntest.Fault{Name: "no TLS there", Settings: with(plain), Code: connectors.Unsupported, Stage: connectors.StageSecure, Field: "tls"})
		looks(t, u, answersFor(plain, "tls", "none"), true)
	})
}

func TestVsftpd(t *testing.T) {
	u := place(t)
	tls := "ssl_enable=YES\nforce_local_data_ssl=YES\nforce_local_logins_ssl=YES\nrequire_ssl_reuse=YES\n"
	required := server.Vsftpd(t, tls)
	t.Run("explicit", func(t *testing.T) {
		suite(t, u, required, nil,
			conntest.Fault{Name: "TLS required", Settings: with(required, "tls", "none"), Code: connectors.Denied, Field: "tls"},
			conntest.Fault{Name: "unknown authority", Settings: with(required, "ca", ""), Code: connectors.Untrusted, Stage: connectors.StageSecure},
		)
		looks(t, u, answersFor(required), false)
	})
	t.Run("implicit", func(t *testing.T) {
		implicit := server.Vsftpd(t, tls+"implicit_ssl=YES\n")
		looks(t, u, answersFor(implicit, "tls", "implicit"), false)
	})
	t.Run("plain", func(t *testing.T) {
		plain := server.Vsftpd(t, "")
		suite(t, u, plain, []string{"tls", "none"}, conntest.Fault{Name: "no TLS there", Settings: with(plain), Code: connectors.Unsupported, Stage: connectors.StageSecure, Field: "tls"})
		looks(t, u, answersFor(plain, "tls", "none"), false)
	})
}

// looks reads what was seeded. machine: the server lists with MLSD.
func looks(t *testing.T, u server.Account, settings connectors.Settings, machine bool) {
	t.Helper()
	session := conntest.Open(t, Type(), settings)
	nodes := conntest.Below(t, session, "")
	for name, branch := range map[string]bool{"reports": true, "notes.txt": false, "with space": true, "Bücher": true, "café": true, "to-folder": true, "to-file": false} {
		if n, ok := nodes[name]; !ok || n.Branch != branch {
			t.Errorf("%s: %+v", name, n)
		}
	}
	closed := connectors.Access("")
	if machine {
		closed = connectors.AccessDenied
		if nodes["notes.txt"].Access != connectors.AccessReadable || nodes["reports"].Access != connectors.AccessReadable {
			t.Errorf("%+v %+v", nodes["notes.txt"], nodes["reports"])
		}
	}
	if nodes["closed.txt"].Access != "" || nodes["closed"].Access != closed {
		t.Errorf("%+v %+v", nodes["closed.txt"], nodes["closed"])
	}
	reads(t, u, session)
	t.Run("what is refused", func(t *testing.T) { refuses(t, u, session) })
}

func reads(t *testing.T, u server.Account, session connectors.Session) {
	t.Helper()
	at := func(name string) connectors.NodeID { return connectors.NodeID(u.Home + "/" + name) }
	table, err := session.(connectors.Tabler).Table(t.Context(), at("reports/sales.csv"), 10)
	if err != nil || len(table.Rows) != 2 || table.Columns[1].Name != "amount" {
		t.Errorf("%+v %v", table, err)
	}
	for name, want := range map[string]string{"notes.txt": "hello", "with space/a file.txt": "space", "Bücher/Öl.txt": "umlau", "café/naïve.txt": "latin", "hostile/ two  spaces ": "x", "hostile/-la": "x", "to-file": "hello"} {
		sample, err := session.(connectors.Sampler).Sample(t.Context(), at(name), 5)
		if err != nil || string(sample.Data) != want {
			t.Errorf("%s: %q %v", name, sample.Data, err)
		}
	}
	f, err := storeOf(session).Open(t.Context(), u.Home+"/numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if f.Size() != 1_000_000 {
		t.Errorf("size %d", f.Size())
	}
	p := make([]byte, 20)
	for _, off := range []int64{999_980, 10, 30, 500_000, 0} {
		n, err := f.ReadAt(t.Context(), p, off)
		if want := fmt.Sprintf("%09d\n%09d\n", off/10, off/10+1); string(p[:n]) != want || err != nil {
			t.Errorf("at %d: %q %v", off, p[:n], err)
		}
	}
}

func storeOf(s connectors.Session) shelf { return shelf{s.(*session)} }

func refuses(t *testing.T, u server.Account, session connectors.Session) {
	for name, code := range map[string]connectors.Code{"closed.txt": connectors.Denied, "gone.txt": connectors.NotFound, "reports": connectors.Unsupported, "line\nbreak": connectors.Unsupported} {
		_, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(u.Home+"/"+name), 5)
		if connectors.CodeOf(err) != code || connectors.Explain(err).Hint == "" {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if sample, err := session.(connectors.Sampler).Sample(ctx, connectors.NodeID(u.Home+"/pipe"), 5); len(sample.Data) > 0 || ctx.Err() != nil {
		t.Errorf("a pipe: %+v %v", sample, err)
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), connectors.NodeID(u.Home+"/closed")) {
		if code := connectors.CodeOf(err); code != connectors.Denied && code != connectors.NotFound {
			t.Errorf("a closed folder: %+v %v", n, err)
		}
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), connectors.NodeID(u.Home+"/empty")) {
		t.Errorf("an empty folder lists %v %v", n, err)
	}
}
