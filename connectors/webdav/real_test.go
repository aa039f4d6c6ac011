package webdav

import (
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	account  = "alice"
	password = "practice-only-dav"
	many     = 10_000
)

// seed makes what is served.
func seed(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "jf-dav-*") // open to www-data
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server.Run(t, "chmod", "755", dir)
	for _, d := range []string{"reports", "many", "hostile", "empty", "closed", "Bücher & more"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name, text string) { server.WriteFile(t, dir, name, text, 0o644) }
	file("notes.txt", "hello\nworld\n")
	file("reports/sales.csv", "region,amount\nNorth,12\nSouth,7.5\n")
	file("Bücher & more/100% Öl?.txt", "umlaut")
	file("hostile/\u202egpj.exe", "x")
	file("hostile/<b>&amp;", "x")
	file("hostile/a#b;c+d", "x")
	file("empty.csv", "")
	var numbers strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&numbers, "%09d\n", i)
	}
	file("numbers.txt", numbers.String())
	for i := range many {
		file(fmt.Sprintf("many/file%05d.txt", i), "")
	}
	return dir
}

// apache serves dir by mod_dav with Basic at /dav and Digest at /digest.
func apache(t testing.TB, dir string) (addr string) {
	t.Helper()
	tmp := t.TempDir()
	lock := filepath.Join(tmp, "lock")
	if err := os.Mkdir(lock, 0o755); err != nil {
		t.Fatal(err)
	}
	server.Run(t, "chmod", "777", lock)
	sum := md5.Sum([]byte(account + ":practice realm:" + password))
	digest := server.WriteFile(t, tmp, "digest", fmt.Sprintf("%s:practice realm:%x\n", account, sum), 0o644)
	basic := server.WriteFile(t, tmp, "basic", server.Run(t, "openssl", "passwd", "-apr1", password), 0o644)
	hash, err := os.ReadFile(basic)
	if err != nil {
		t.Fatal(err)
	}
	server.WriteFile(t, tmp, "basic", account+":"+string(hash), 0o644)
	conf := fmt.Sprintf(`DavLockDB %[1]s/lock/db
DavDepthInfinity off
TypesConfig /etc/mime.types
Alias /dav %[2]s
Alias /digest %[2]s
Alias /plain %[2]s
<Directory %[2]s>
Require all granted
</Directory>
<Directory %[2]s/closed>
Require all denied
</Directory>
<Location /dav>
Dav on
AuthType Basic
AuthName "practice realm"
AuthBasicProvider file
AuthUserFile %[3]s
Require valid-user
</Location>
<Location /dav/closed>
Require all denied
</Location>
<Location /digest>
Dav on
AuthType Digest
AuthName "practice realm"
AuthDigestProvider file
AuthUserFile %[4]s
Require valid-user
</Location>
Redirect 301 /moved /dav
Redirect 301 /away http://127.0.0.2:1/dav
Redirect 302 /login /page?from=dav
`, tmp, dir, basic, digest)
	return server.Apache(t, conf, "dav", "dav_fs", "dav_lock", "auth_basic", "auth_digest", "authn_file", "alias", "mime")
}

func answersFor(address string, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"url", address, "user", account, "password", password}, more...)
}

func with(address string, more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return answersFor(address, more...) }
}

func aim(s connectors.Settings, host, port string) connectors.Settings {
	s.Plain["url"] = "http://" + net.JoinHostPort(host, port) + "/"
	return s
}

func openWith(t testing.TB, settings connectors.Settings) (connectors.Session, error) {
	t.Helper()
	return conntest.Try(t, Type(), settings)
}

func TestApache(t *testing.T) {
	addr := apache(t, seed(t))
	at := func(path string) string { return "http://" + addr + path }
	good := with(at("/dav/"))
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good, Aim: aim,
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: many},
		Hostile: &conntest.Place{Settings: good, Node: "hostile"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with(at("/dav/"), "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "wrong password by Digest", Settings: with(at("/digest/"), "auth", "digest", "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "Digest where Basic is wanted", Settings: with(at("/dav/"), "auth", "digest"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "Basic where Digest is wanted", Settings: with(at("/digest/")), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "a token where Basic is wanted", Settings: with(at("/dav/"), "auth", "bearer", "token", "practice-only-token"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "no sign-in", Settings: with(at("/dav/"), "auth", "none"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "no password", Settings: with(at("/dav/"), "password", ""), Code: connectors.BadInput, Field: "password"},
			{Name: "address missing", Settings: with(at("/dav/nowhere/")), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "url"},
			{Name: "folder missing", Settings: with(at("/dav/"), "folder", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder is a file", Settings: with(at("/dav/"), "folder", "notes.txt"), Code: connectors.BadInput, Stage: connectors.StageRights, Field: "folder"},
			{Name: "forbidden folder", Settings: with(at("/dav/"), "folder", "closed"), Code: connectors.Denied},
			{Name: "no DAV there", Settings: with(at("/plain/")), Code: connectors.Unsupported, Field: "url"},
			{Name: "redirect to another server", Settings: with(at("/away/")), Code: connectors.Refused, Field: "url"},
			{Name: "redirect to a page for signing in", Settings: with(at("/login/")), Code: connectors.Refused, Field: "url"},
			{Name: "address of a page", Settings: with(at("/dav/?dir=x")), Code: connectors.BadInput, Field: "url"},
			{Name: "TLS on the plain port", Settings: with("https://" + addr + "/dav/"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "url"},
			{Name: "unknown name", Settings: with("https://no-such-host.invalid/"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "url"},
		}})
	for name, settings := range map[string]connectors.Settings{
		"basic": answersFor(at("/dav/")), "without the slash": answersFor(at("/dav")), "digest": answersFor(at("/digest/"), "auth", "digest"), "redirect within": answersFor(at("/moved/")),
	} {
		t.Run(name, func(t *testing.T) { looks(t, settings) })
	}
}

func TestRclone(t *testing.T) {
	dir := seed(t)
	ca := server.NewCA(t)
	tmp := t.TempDir()
	cert, key := ca.Issue(t, server.Cert{}).Write(t, tmp, "")
	addr := server.RcloneDAV(t, dir, "--user", account, "--pass", password, "--cert", cert, "--key", key)
	good := with("https://"+addr+"/", "ca", ca.PEM)
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good, Aim: aim,
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: many},
		Hostile: &conntest.Place{Settings: good, Node: "hostile"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with("https://"+addr+"/", "ca", ca.PEM, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown authority", Settings: with("https://" + addr + "/"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "folder missing", Settings: with("https://"+addr+"/", "ca", ca.PEM, "folder", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder is a file", Settings: with("https://"+addr+"/", "ca", ca.PEM, "folder", "notes.txt"), Code: connectors.BadInput, Field: "folder"},
		}})
	looks(t, answersFor("https://"+addr+"/", "ca", ca.PEM))
	t.Run("client certificate and no password", func(t *testing.T) {
		clients := server.WriteFile(t, tmp, "clients.pem", ca.PEM, 0o644)
		addr := server.RcloneDAV(t, dir, "--cert", cert, "--key", key, "--client-ca", clients)
		mine := ca.Issue(t, server.Cert{Name: "practice client", Client: true})
		looks(t, answersFor("https://"+addr+"/", "ca", ca.PEM, "auth", "none", "client_cert", mine.Cert, "client_key", mine.Key))
		_, err := openWith(t, answersFor("https://"+addr+"/", "ca", ca.PEM, "auth", "none"))
		if e := connectors.Classify(err); e == nil || e.Reason != "tls.client_cert" || e.Field != "client_cert" {
			t.Errorf("%+v", e)
		}
	})
}

// looks reads what was seeded.
func looks(t *testing.T, settings connectors.Settings) {
	t.Helper()
	session := conntest.Open(t, Type(), settings)
	if facts, err := session.Check(t.Context()); err != nil || facts[0].Label != "Account" {
		t.Errorf("%v %v", facts, err)
	}
	nodes := conntest.Below(t, session, "")
	if n := nodes["reports"]; !n.Branch || n.Kind != "folder" || n.ID != "reports" {
		t.Errorf("%+v", n)
	}
	if n := nodes["notes.txt"]; n.Branch || !strings.Contains(fmt.Sprint(n.Facts), "12 B") || !strings.Contains(fmt.Sprint(n.Facts), "ETag") {
		t.Errorf("%+v", n)
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), "empty") {
		t.Errorf("an empty folder lists %v %v", n, err)
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), "notes.txt") {
		if connectors.CodeOf(err) != connectors.NotFound {
			t.Errorf("a file lists %v %v", n, err)
		}
	}
	reads(t, session)
}

func reads(t *testing.T, session connectors.Session) {
	t.Helper()
	table, err := session.(connectors.Tabler).Table(t.Context(), "reports/sales.csv", 10)
	if err != nil || len(table.Rows) != 2 || table.Columns[1].Name != "amount" {
		t.Errorf("%+v %v", table, err)
	}
	for name, want := range map[string]string{"notes.txt": "hello", "Bücher & more/100% Öl?.txt": "umlau", "hostile/\u202egpj.exe": "x", "hostile/<b>&amp;": "x", "hostile/a#b;c+d": "x", "empty.csv": ""} {
		sample, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(name), 5)
		if err != nil || string(sample.Data) != want {
			t.Errorf("%s: %q %v", name, sample.Data, err)
		}
	}
	for name, code := range map[string]connectors.Code{"gone.txt": connectors.NotFound, "reports": connectors.Unsupported} {
		if _, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(name), 5); connectors.CodeOf(err) != code || connectors.Explain(err).Hint == "" {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	f, err := storeOf(session).Open(t.Context(), "numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p := make([]byte, 20)
	for _, off := range []int64{999_980, 10, 30, 500_000, 0} {
		n, err := f.ReadAt(t.Context(), p, off)
		if want := fmt.Sprintf("%09d\n%09d\n", off/10, off/10+1); string(p[:n]) != want || err != nil {
			t.Errorf("at %d: %q %v", off, p[:n], err)
		}
	}
	all := make([]byte, 1_000_001)
	if n, err := f.ReadAt(t.Context(), all, 0); n != 1_000_000 || err == nil {
		t.Errorf("%d bytes of the whole, %v", n, err)
	}
}

func storeOf(s connectors.Session) shelf { return shelf{s.(*session)} }
