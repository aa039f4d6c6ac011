//go:build unix

package smb

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

// Accounts that Debian has for its services; they have these passwords for the
// file server alone.
const (
	reader   = "games"
	password = "practice-only-smb"
	many     = 10_000
)

// place makes what is shared.
func place(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "jf-smb-*") // every folder above it may be entered by the accounts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server.Run(t, "chmod", "755", dir)
	for _, d := range []string{"docs/reports", "docs/many", "docs/hostile", "docs/empty", "docs/closed", "docs/Bücher", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name, text string) { server.WriteFile(t, filepath.Join(dir, "docs"), name, text, 0o644) }
	file("notes.txt", "hello\nworld\n")
	file("reports/sales.csv", "region,amount\nNorth,12\nSouth,7.5\n")
	file("Bücher/Öl.txt", "umlaut")
	file("hostile/\u202egpj.exe", "x")
	file("hostile/🗂 files", "x")
	file(".hidden", "x")
	file("closed.txt", "nobody")
	server.Run(t, "chmod", "600", filepath.Join(dir, "docs/closed.txt"))
	server.Run(t, "chmod", "700", filepath.Join(dir, "docs/closed"))
	var numbers strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&numbers, "%09d\n", i)
	}
	file("numbers.txt", numbers.String())
	for i := range many {
		file(fmt.Sprintf("many/file%05d.txt", i), "")
	}
	server.Run(t, "mkfifo", filepath.Join(dir, "docs/pipe"))
	server.Run(t, "ln", "-s", "/etc/hostname", filepath.Join(dir, "docs/away"))
	return dir
}

func sections(dir string) string {
	return strings.ReplaceAll(`[docs]
path = DIR/docs
comment = Reports and notes
[forbidden]
path = DIR/other
valid users = root
[invisible$]
path = DIR/other
[unlisted]
path = DIR/other
browseable = no
[encrypted]
path = DIR/other
smb encrypt = required
[missing]
path = DIR/nowhere
[open]
path = DIR/other
guest ok = yes
`, "DIR", dir)
}

func start(t testing.TB, dir, global string) *server.SMB {
	t.Helper()
	return server.Smbd(t, server.SMBSpec{Users: map[string]string{reader: password, "news": password, "lp": password, "uucp": password, "irc": password}, Global: global, Sections: sections(dir)})
}

func answersFor(s *server.SMB, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(s.Port), "user", reader, "share", "docs", "password", password}, more...)
}

func with(s *server.SMB, more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return answersFor(s, more...) }
}

func openWith(t testing.TB, settings connectors.Settings) (connectors.Session, error) {
	t.Helper()
	return conntest.Try(t, Type(), settings)
}

func TestSamba(t *testing.T) {
	dir := place(t)
	s := start(t, dir, "")
	s.Tool(t, "pdbedit", "-c", "[D]", "-u", "news")
	s.Tool(t, "net", "sam", "set", "pwdmustchangenow", "lp", "yes")
	s.Tool(t, "pdbedit", "-u", "uucp", "--kickoff-time=1000")
	s.Tool(t, "pdbedit", "-P", "bad lockout attempt", "-C", "2")
	for range 3 {
		if _, err := openWith(t, answersFor(s, "user", "irc", "password", "wrong-practice")); err == nil {
			t.Fatal("a wrong password works")
		}
	}
	good := with(s)
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good,
		Big:     &conntest.Big{Settings: good, Parent: "docs/many", Count: many},
		Hostile: &conntest.Place{Settings: good, Node: "docs/hostile"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with(s, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: with(s, "user", "nobody-here"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn},
			{Name: "disabled", Settings: with(s, "user", "news"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "password must change", Settings: with(s, "user", "lp"), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "account expired", Settings: with(s, "user", "uucp"), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "locked", Settings: with(s, "user", "irc"), Code: connectors.Throttled, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "guests are not let in", Settings: with(s, "auth", "guest"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "no password", Settings: with(s, "password", ""), Code: connectors.BadInput, Field: "password"},
			{Name: "no such share", Settings: with(s, "share", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "share"},
			{Name: "forbidden share", Settings: with(s, "share", "forbidden"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "share"},
			{Name: "share without its folder", Settings: with(s, "share", "missing"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "share"},
			{Name: "folder missing", Settings: with(s, "folder", "nowhere/else"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder is a file", Settings: with(s, "folder", "notes.txt"), Code: connectors.BadInput, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder above", Settings: with(s, "folder", "../x"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "folder"},
			{Name: "folder may not be listed", Settings: with(s, "folder", "closed"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "folder"},
			{Name: "web server", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Speaks(tb, "HTTP/1.1 400 Bad Request\r\n\r\n")
				return answersFor(s, "host", host, "port", port)
			}, Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "unknown name", Settings: with(s, "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		}})
	t.Run("looking", func(t *testing.T) { looks(t, s) })
	t.Run("reading", func(t *testing.T) { reads(t, s) })
	t.Run("shares", func(t *testing.T) { shares(t, s) })
	t.Run("encrypted", func(t *testing.T) {
		session := conntest.Open(t, Type(), answersFor(s, "share", "encrypted"))
		facts, err := session.Check(t.Context())
		if err != nil || !strings.Contains(fmt.Sprint(facts), "yes, for this share") {
			t.Errorf("%v %v", facts, err)
		}
	})
}

func looks(t *testing.T, s *server.SMB) {
	session := conntest.Open(t, Type(), answersFor(s))
	facts, err := session.Check(t.Context())
	text := fmt.Sprint(facts)
	if err != nil || !strings.HasPrefix(text, "[{Account games}") || !strings.Contains(text, "SMB 3.1.1") || !strings.Contains(text, "Free space") {
		t.Errorf("%s %v", text, err)
	}
	nodes := conntest.Below(t, session, "")
	for name, want := range map[string]connectors.Access{"notes.txt": connectors.AccessReadable, "reports": connectors.AccessReadable, "closed": connectors.AccessDenied, "closed.txt": connectors.AccessDenied, "Bücher": connectors.AccessReadable} {
		if n, ok := nodes[name]; !ok || n.Access != want {
			t.Errorf("%s: %+v", name, n)
		}
	}
	if n := nodes["reports"]; !n.Branch || n.Kind != "folder" || n.ID != "docs/reports" {
		t.Errorf("%+v", n)
	}
	if n := nodes[".hidden"]; !strings.Contains(fmt.Sprint(n.Facts), "hidden") {
		t.Errorf("%+v", n)
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), "docs/empty") {
		t.Errorf("an empty folder lists %v %v", n, err)
	}
}

func reads(t *testing.T, s *server.SMB) {
	session := conntest.Open(t, Type(), answersFor(s))
	table, err := session.(connectors.Tabler).Table(t.Context(), "docs/reports/sales.csv", 10)
	if err != nil || len(table.Rows) != 2 || table.Columns[1].Name != "amount" {
		t.Errorf("%+v %v", table, err)
	}
	sample := func(name string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		got, err := session.(connectors.Sampler).Sample(ctx, connectors.NodeID(name), 5)
		return string(got.Data), err
	}
	for name, want := range map[string]string{"docs/notes.txt": "hello", "docs/Bücher/Öl.txt": "umlau", "docs/hostile/\u202egpj.exe": "x", "docs/hostile/🗂 files": "x"} {
		if got, err := sample(name); got != want || err != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for name, code := range map[string]connectors.Code{"docs/closed.txt": connectors.Denied, "docs/gone.txt": connectors.NotFound, "docs/reports": connectors.Unsupported, "docs": connectors.Unsupported, "nowhere/x": connectors.NotFound} {
		if _, err := sample(name); connectors.CodeOf(err) != code || connectors.Explain(err).Hint == "" {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	for _, name := range []string{"docs/pipe", "docs/away"} { // no answer is as good as another, but soon
		if got, err := sample(name); err == nil && got != "" || connectors.CodeOf(err) == connectors.TimedOut {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	f, err := storeOf(session).Open(t.Context(), "docs/numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p := make([]byte, 20)
	for _, off := range []int64{2_999_980, 10, 1_500_000, 0} {
		n, err := f.ReadAt(t.Context(), p, off)
		if want := fmt.Sprintf("%09d\n%09d\n", off/10, off/10+1); string(p[:n]) != want || err != nil {
			t.Errorf("at %d: %q %v", off, p[:n], err)
		}
	}
	all := make([]byte, 3_000_001)
	if n, err := f.ReadAt(t.Context(), all, 0); n != 3_000_000 || err == nil {
		t.Errorf("%d bytes of the whole, %v", n, err)
	}
}

func storeOf(s connectors.Session) shelf { return shelf{s.(*session)} }

// shares lists what a server shares.
func shares(t *testing.T, s *server.SMB) {
	session := conntest.Open(t, Type(), answersFor(s, "share", ""))
	if facts, err := session.Check(t.Context()); err != nil || len(facts) < 4 {
		t.Errorf("%v %v", facts, err)
	}
	nodes := conntest.Below(t, session, "")
	for name, want := range map[string]connectors.Access{"docs": connectors.AccessReadable, "forbidden": connectors.AccessDenied, "IPC$": connectors.AccessListed, "encrypted": connectors.AccessReadable, "invisible$": connectors.AccessReadable} {
		if n, ok := nodes[name]; !ok || n.Access != want || n.Branch != (name != "IPC$") {
			t.Errorf("%s: %+v", name, n)
		}
	}
	if _, listed := nodes["unlisted"]; listed {
		t.Error("a share that is not to be listed is")
	}
	if !strings.Contains(fmt.Sprint(nodes["docs"].Facts), "Reports and notes") || nodes["IPC$"].Kind != "pipes" {
		t.Errorf("%+v %+v", nodes["docs"], nodes["IPC$"])
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), "docs/reports") {
		if err != nil || n.ID != "docs/reports/sales.csv" {
			t.Errorf("%+v %v", n, err)
		}
	}
	for _, name := range []connectors.NodeID{"forbidden", "nowhere"} {
		for n, err := range session.(connectors.Browser).Children(t.Context(), name) {
			if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied && e.Code != connectors.NotFound || e.Field != "" {
				t.Errorf("%+v %+v", n, e)
			}
		}
	}
}

func TestOddSambas(t *testing.T) {
	dir := place(t)
	check := func(t *testing.T, settings connectors.Settings, want string) {
		t.Helper()
		session := conntest.Open(t, Type(), settings)
		facts, err := session.Check(t.Context())
		if err != nil || !strings.Contains(fmt.Sprint(facts), want) {
			t.Errorf("%v %v, want %s", facts, err, want)
		}
	}
	refused := func(t *testing.T, settings connectors.Settings, code connectors.Code, reason string) {
		t.Helper()
		_, err := openWith(t, settings)
		if e := connectors.Classify(err); e == nil || e.Code != code || e.Reason != reason || connectors.Explain(e).Hint == "" {
			t.Errorf("%+v", e)
		}
	}
	t.Run("guests", func(t *testing.T) {
		s := start(t, dir, "map to guest = bad user\nguest account = nobody")
		check(t, answersFor(s, "auth", "guest", "share", "open"), "Guest yes")
		check(t, answersFor(s, "auth", "anonymous", "share", ""), "anonymous")
		refused(t, answersFor(s, "user", "nobody-here", "share", "open"), connectors.AuthFailed, "smb.guest")
	})
	t.Run("signing and encryption", func(t *testing.T) {
		s := start(t, dir, "server signing = mandatory\nserver smb encrypt = required")
		check(t, answersFor(s), "the server requires it")
		check(t, answersFor(s), "yes, for everything")
	})
	for dialect, name := range map[string]string{"SMB2_02": "SMB 2.0.2", "SMB2_10": "SMB 2.1", "SMB3_00": "SMB 3.0", "SMB3_02": "SMB 3.0.2"} {
		t.Run(dialect, func(t *testing.T) {
			s := start(t, dir, "server max protocol = "+dialect)
			check(t, answersFor(s), name)
			if dialect == "SMB2_10" {
				refused(t, answersFor(s, "share", "encrypted"), connectors.Denied, "smb.needs_encryption")
			}
		})
	}
	t.Run("SMB 1 alone", func(t *testing.T) {
		s := start(t, dir, "server min protocol = NT1\nserver max protocol = NT1")
		refused(t, answersFor(s), connectors.Refused, "smb.not_smb")
	})
	t.Run("shares are not told", func(t *testing.T) {
		s := start(t, dir, "restrict anonymous = 2\nmap to guest = bad user")
		session := conntest.Open(t, Type(), answersFor(s, "auth", "anonymous", "share", ""))
		facts, err := session.Check(t.Context())
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || !e.Partial || e.Field != "share" || len(facts) == 0 {
			t.Errorf("%v %+v", facts, e)
		}
	})
}
