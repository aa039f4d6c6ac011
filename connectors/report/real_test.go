package report_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/practice"
	"jackfield/connectors/report"
)

// opened is an open session of a type; it is closed when the test ends.
func opened(t *testing.T, id string, s connectors.Settings) connectors.Session {
	t.Helper()
	ty, ok := connectors.Find(all.All(), id)
	if !ok {
		t.Fatalf("no type %s", id)
	}
	got, err := ty.Open(t.Context(), conntest.NewWorld(t).Env, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func taken(t *testing.T, s connectors.Session, name, id string, o report.Options) *report.Report {
	t.Helper()
	o.About = report.About{Name: name, Type: id, TypeName: id}
	r, err := report.Take(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func compared(t *testing.T, a, b *report.Report) *report.Difference {
	t.Helper()
	d, err := report.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// node finds one by its path.
func node(t *testing.T, r *report.Report, path ...string) report.Node {
	t.Helper()
	for _, n := range r.Nodes {
		if report.Place(n.Path) == strings.Join(path, " / ") {
			return n
		}
	}
	t.Fatalf("no %q in\n%s", path, r.Text())
	return report.Node{}
}

func item(t *testing.T, d *report.Difference, path ...string) report.Item {
	t.Helper()
	for _, i := range d.Items {
		if report.Place(i.Path) == strings.Join(path, " / ") {
			return i
		}
	}
	t.Fatalf("no %q in\n%s", path, d.Text())
	return report.Item{}
}

const postgresRoles = `CREATE DATABASE shop;
\c shop
CREATE SCHEMA hr; CREATE SCHEMA sales;
CREATE TABLE sales.orders (id int PRIMARY KEY, customer text, amount numeric); INSERT INTO sales.orders VALUES (1,'Ann',2.5),(2,'=cmd()',3);
CREATE TABLE sales.invoices (id int); CREATE TABLE hr.people (id int, name text, pay int); CREATE VIEW sales.big AS SELECT 1 AS one;
CREATE ROLE analyst LOGIN PASSWORD 'practice-only-analyst'; CREATE ROLE service LOGIN PASSWORD 'practice-only-service';
GRANT USAGE ON SCHEMA sales, hr TO analyst; GRANT SELECT ON ALL TABLES IN SCHEMA sales, hr TO analyst;
GRANT USAGE ON SCHEMA sales TO service; GRANT SELECT ON sales.orders, sales.big TO service;
GRANT SELECT ON hr.people TO service;
`

func postgres(t *testing.T) (open func(user string) connectors.Session) {
	d := server.Postgres(t)
	d.SQL(t, postgresRoles)
	return func(user string) connectors.Session {
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(d.Port), "user": user, "database": "shop", "tls": "verify", "ca": d.CA.PEM}
		s.Secrets["password"] = connectors.NewSecret("practice-only-" + user)
		return opened(t, "postgres", s)
	}
}

// The question of an analyst: why can the service account not see a table that I
// can see?
func TestWhyAServiceAccountCannotReadATable(t *testing.T) {
	open := postgres(t)
	a, b := taken(t, open("analyst"), "Analyst", "postgres", report.Options{}), taken(t, open("service"), "Service", "postgres", report.Options{})
	d := compared(t, a, b)
	for _, want := range []string{"Service may not read 2 tables that Analyst can", "hr / people", "sales / invoices"} {
		if !strings.Contains(d.Line, want) {
			t.Errorf("%q is not in the answer:\n%s", want, d.Line)
		}
	}
	if d.Verdict != report.Differ {
		t.Errorf("the verdict is %s", d.Verdict)
	}
	// The right on the table is there; it is the schema that is closed.
	if why := item(t, d, "hr", "people").B.Why; why == nil || why.Reason != report.Above || why.Name != "hr" || why.Kind != "schema" {
		t.Errorf("hr.people: %+v", why)
	}
	if why := item(t, d, "sales", "invoices").B.Why; why == nil || why.Reason != report.Itself {
		t.Errorf("sales.invoices: %+v", why)
	}
	if got := item(t, d, "sales", "orders"); got.What != report.Same {
		t.Errorf("sales.orders: %+v", got)
	}
	if n := node(t, a, "sales", "orders"); n.Below.State != report.Inside || n.Columns != nil || n.Sample != nil {
		t.Errorf("without being asked: %+v", n)
	}
	back := compared(t, b, a)
	if !strings.Contains(back.Line, "Service may not read 2 tables that Analyst can") {
		t.Errorf("the other way round: %s", back.Line)
	}
	if d := compared(t, a, a); d.Verdict != report.Alike || d.Counts[report.Same] != len(a.Nodes) {
		t.Errorf("with itself: %s\n%s", d.Verdict, d.Text())
	}
}

func TestColumnsAndRowsOnlyWhenAsked(t *testing.T) {
	s := postgres(t)("service")
	plain := taken(t, s, "Service", "postgres", report.Options{})
	if all := plain.Text() + string(plain.HTML()); strings.Contains(all, "Ann") || strings.Contains(all, "customer") {
		t.Error("content or columns without being asked")
	}
	with := taken(t, s, "Service", "postgres", report.Options{Columns: true, Samples: true, Rows: 1})
	n := node(t, with, "sales", "orders")
	if len(n.Columns) != 3 || n.Sample == nil || len(n.Sample.Rows) != 1 || n.Sample.Rows[0][1] != "Ann" || !n.Sample.Truncated {
		t.Errorf("%+v %+v", n.Columns, n.Sample)
	}
	if c := node(t, with, "sales", "orders", "customer"); c.Kind != "column" || c.Access != connectors.AccessReadable {
		t.Errorf("%+v", c)
	}
	if n := node(t, with, "hr", "people"); n.Sample != nil {
		t.Errorf("a denied table was read: %+v", n)
	}
	d := compared(t, with, plain)
	if i := item(t, d, "sales", "orders", "customer"); i.What != report.UnknownB || i.Unlooked != report.Inside {
		t.Errorf("a column that was not asked for: %+v", i)
	}
}

// An sshd with the accounts one and two.
type sshd struct {
	port     int
	known    string
	one, two server.Account
	shared   string
}

func startSSHD(t *testing.T) *sshd {
	t.Helper()
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	s := &sshd{port: server.FreePort(t), one: server.NewAccount(t, "jf-report-one", "practice-only-one"), two: server.NewAccount(t, "jf-report-two", "practice-only-two")}
	dir := filepath.Dir(s.one.Home)
	s.shared = filepath.Join(dir, "shared")
	key := filepath.Join(dir, "host")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", key)
	pub, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	parsed, _, _, _, err := ssh.ParseAuthorizedKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	s.known = knownhosts.Line([]string{knownhosts.Normalize(s.addr())}, parsed) + "\n"
	conf := server.WriteFile(t, dir, "sshd.conf", fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nPidFile none\nHostKey %s\nStrictModes no\nUseDNS no\nUsePAM yes\nPasswordAuthentication yes\nSubsystem sftp internal-sftp\nLogLevel ERROR\n", s.port, key), 0o644)
	for _, d := range []string{"open", "closed", "hostile"} {
		if err := os.MkdirAll(filepath.Join(s.shared, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server.WriteFile(t, filepath.Join(s.shared, "open"), "sales.csv", "region,amount\nNorth,12\n", 0o644)
	server.WriteFile(t, filepath.Join(s.shared, "closed"), "salaries.csv", "name,pay\nAnn,1\n", 0o644)
	server.WriteFile(t, s.shared, "mine.txt", "x", 0o600)
	for _, name := range hostile() {
		server.WriteFile(t, filepath.Join(s.shared, "hostile"), name, "x", 0o644)
	}
	server.Run(t, "chown", "-R", s.one.Name, s.shared)
	server.Run(t, "chmod", "700", filepath.Join(s.shared, "closed"))
	server.Start(t, exec.Command(server.Program(t, "sshd", "openssh-server"), "-D", "-e", "-f", conf), s.addr())
	return s
}

func hostile() []string {
	return []string{"\u202egpj.exe", "<script>alert(1)<|script>", "=HYPERLINK(\"http:||evil.example\")", "+1+1", "@SUM(1)", "\"quoted\",comma", "bad\xff\xfeutf8", "line\nbreak", "-2+3", " =1+1", "＝1"}
}

func (s *sshd) addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

func (s *sshd) open(t *testing.T, who server.Account, port int, root string) connectors.Session {
	t.Helper()
	known := strings.ReplaceAll(s.known, strconv.Itoa(s.port), strconv.Itoa(port))
	ty, _ := connectors.Find(all.All(), "sftp")
	return opened(t, "sftp", conntest.Settings(ty, []string{"host", "127.0.0.1", "port", strconv.Itoa(port), "user", who.Name, "auth", "password", "password", who.Password, "known_hosts", known, "folder", root}))
}

func TestTwoAccountsOfAnSSHServer(t *testing.T) {
	s := startSSHD(t)
	a := taken(t, s.open(t, s.one, s.port, s.shared), "One", "sftp", report.Options{})
	b := taken(t, s.open(t, s.two, s.port, s.shared), "Two", "sftp", report.Options{})
	if n := node(t, b, "closed"); n.Access != connectors.AccessDenied || n.Below.State != report.Denied || n.Why == nil {
		t.Errorf("a folder that may not be listed: %+v %+v", n, n.Below)
	}
	d := compared(t, a, b)
	if i := item(t, d, "closed"); i.What != report.RightsDiffer {
		t.Errorf("%+v", i)
	}
	// What lies in a folder that two may not list is not missing: nobody knows.
	if i := item(t, d, "closed", "salaries.csv"); i.What != report.UnknownB || i.Unlooked != report.Denied {
		t.Errorf("%+v", i)
	}
	for _, want := range []string{"Two may not read 1 file that One can: mine.txt"} {
		if !strings.Contains(d.Line, want) {
			t.Errorf("%q is not in %s", want, d.Line)
		}
	}
	if strings.Contains(d.Line, "does not see") {
		t.Errorf("silence is taken for absence: %s", d.Line)
	}
	t.Run("hostile names", func(t *testing.T) { harmless(t, a, d) })
	t.Run("an older report", func(t *testing.T) { older(t, s, a) })
}

func harmless(t *testing.T, r *report.Report, d *report.Difference) {
	for _, page := range []string{string(r.HTML()), string(d.HTML()), r.Text(), d.Text()} {
		if strings.ContainsAny(page, "\u202e\x00\x1b") || strings.Contains(page, "\xff") {
			t.Error("a sign that acts is in a page")
		}
	}
	for _, page := range []string{string(r.HTML()), string(d.HTML())} {
		if strings.Contains(page, "<script") || strings.Contains(page, "url(") || strings.Contains(page, "<link") || strings.Contains(page, "src=") || strings.Contains(page, "href=") {
			t.Error("a page has a script or something from elsewhere")
		}
		if !strings.Contains(page, "default-src 'none'") {
			t.Error("no policy")
		}
	}
	if !strings.Contains(string(r.HTML()), "&lt;script&gt;alert(1)") {
		t.Error("the name is not shown")
	}
	for _, f := range []func() ([]byte, error){r.CSV, d.CSV} {
		data, err := f()
		if err != nil {
			t.Fatal(err)
		}
		cellsAreText(t, data)
	}
}

func older(t *testing.T, s *sshd, first *report.Report) {
	data, err := first.JSON()
	if err != nil {
		t.Fatal(err)
	}
	before, err := report.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := compared(t, before, first); d.Verdict != report.Alike {
		t.Errorf("a report is not what it was before it was written:\n%s", d.Text())
	}
	server.Run(t, "chmod", "000", filepath.Join(s.shared, "open"))
	server.WriteFile(t, s.shared, "new.txt", "x", 0o644)
	now := taken(t, s.open(t, s.one, s.port, s.shared), "One", "sftp", report.Options{})
	d := compared(t, before, now)
	if item(t, d, "open").What != report.RightsDiffer || item(t, d, "new.txt").What != report.OnlyB || item(t, d, "open", "sales.csv").What != report.UnknownB {
		t.Errorf("%s", d.Text())
	}
	if !strings.Contains(d.Line, "does not see 1 file that") || !strings.Contains(d.Line, "new.txt") {
		t.Errorf("%s", d.Line)
	}
}

func TestTenThousandFilesAndWhereItStops(t *testing.T) {
	s := startSSHD(t)
	big := filepath.Join(s.shared, "big")
	if err := os.MkdirAll(filepath.Join(big, "deep", "deeper"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		if err := os.WriteFile(filepath.Join(big, fmt.Sprintf("f%05d.txt", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	session := s.open(t, s.one, s.port, s.shared)
	told := 0
	r := taken(t, session, "One", "sftp", report.Options{Most: 20_000, Progress: func(int, int, string) { told++ }})
	if n := node(t, r, "big"); n.Below.Count != 10_001 || n.Below.State != report.Listed {
		t.Errorf("%+v", n.Below)
	}
	if told < 100 {
		t.Errorf("told %d times how far it is", told)
	}
	if len(r.HTML()) == 0 || len(r.Text()) == 0 {
		t.Error("nothing is written")
	}
	few := taken(t, session, "One", "sftp", report.Options{Most: 500})
	if few.Complete || len(few.Nodes) != 500 || !strings.Contains(few.Text(), "Not everything was looked at") {
		t.Errorf("%d nodes, complete %v", len(few.Nodes), few.Complete)
	}
	d := compared(t, r, few)
	if d.Counts[report.OnlyA] != 0 || d.Verdict != report.Unsure {
		t.Errorf("what was not looked at is taken for missing: %v %s", d.Counts, d.Verdict)
	}
	flat := taken(t, session, "One", "sftp", report.Options{Depth: 1})
	if n := node(t, flat, "big"); n.Below.State != report.TooDeep || flat.Complete {
		t.Errorf("%+v", n.Below)
	}
}

func TestAListingThatHangsAndACancel(t *testing.T) {
	s := startSSHD(t)
	before := goleak.IgnoreCurrent()
	relay := startRelay(t, s.addr())
	session := s.open(t, s.one, relay.l.Addr().(*net.TCPAddr).Port, s.shared)
	calls := 0
	r := taken(t, session, "One", "sftp", report.Options{Patience: time.Second, Progress: func(int, int, string) {
		if calls++; calls == 2 { // the top is listed
			relay.freeze(true)
		}
	}})
	if len(r.Nodes) == 0 || r.Complete {
		t.Fatalf("%s", r.Text())
	}
	if n := node(t, r, "open"); n.Below.State != report.Failed || n.Below.Problem == nil || n.Below.Problem.Code != connectors.TimedOut || n.Access == connectors.AccessDenied {
		t.Errorf("%+v %+v", n, n.Below)
	}
	relay.freeze(false)

	again := s.open(t, s.one, relay.l.Addr().(*net.TCPAddr).Port, s.shared)
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	got, err := report.Take(ctx, again, report.Options{Progress: func(int, int, string) {
		if calls++; calls == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || got == nil || len(got.Nodes) == 0 || got.Complete {
		t.Fatalf("%v %+v", err, got)
	}
	if n := node(t, got, "open"); n.Below.State != report.Cancelled {
		t.Errorf("%+v", n.Below)
	}
	_, _ = session.Close(), again.Close()
	_ = relay.l.Close()
	relay.mu.Lock()
	for _, c := range relay.conns {
		_ = c.Close()
	}
	relay.mu.Unlock()
	relay.done.Wait()
	goleak.VerifyNone(t, before)
}

func TestThePracticeServices(t *testing.T) {
	s, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	seen := map[string]*report.Report{}
	for _, c := range s.Connections() {
		ty, _ := connectors.Find(all.All(), c.TypeID)
		if missing := ty.Form.Validate(c.Settings); len(missing) > 0 {
			continue
		}
		world := conntest.NewWorld(t)
		world.Env.Ask.OpenURL = practice.SignIn
		session, err := ty.Open(t.Context(), world.Env, c.Settings)
		if err != nil {
			continue // what needs a person is not here
		}
		t.Cleanup(func() { _ = session.Close() })
		r := taken(t, session, c.Name, c.TypeID, report.Options{Listen: 2 * time.Second})
		if len(r.Nodes) == 0 || len(r.Account) == 0 {
			t.Errorf("%s: %s", c.Name, r.Text())
		}
		seen[c.TypeID] = r
	}
	live := seen["mqtt"]
	if live == nil || seen["ldap"] == nil || seen["sftp"] == nil || seen["sqlite"] == nil {
		t.Fatalf("only %d were looked at", len(seen))
	}
	if live.Heard == nil || live.Heard.Messages == 0 || live.Complete || !strings.Contains(live.Text(), "What was heard in") {
		t.Errorf("%+v\n%s", live.Heard, live.Text())
	}
	if strings.Contains(live.Text(), "Last value") {
		t.Error("values of topics are in the report")
	}
	if _, err := report.Compare(seen["ldap"], seen["sqlite"]); connectors.CodeOf(err) != connectors.BadInput || !strings.Contains(connectors.Explain(err).Title, "cannot be compared") {
		t.Errorf("two types without anything in common: %v", err)
	}
	if f := seen["folder"]; f != nil {
		if d := compared(t, seen["sftp"], f); len(d.Notes) == 0 {
			t.Error("two types, and no word of it")
		}
	}
}
