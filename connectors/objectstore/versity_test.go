package objectstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMain(m *testing.M) { conntest.Main(m, Types()...) }

const people = "name;age\nMira;40\nTom;31\n"

// odd are names that servers on a file system can have too.
func odd() []string {
	return []string{"a b.csv", "a+b.csv", "100%.csv", "100%25.csv", "ünï ☃.csv", "q?x=1&y.csv", "#h.csv", "\u202egpj.exe", "tab\there.txt", "'\"<>.txt", "*~!().txt"}
}

type gateway struct {
	*server.S3
	ca *server.CA
}

// startVersity has a bucket "reports" with files, folders and odd names, one
// "many" with a folder of 2,500, and a user who may read reports alone.
func startVersity(tb testing.TB, ca *server.CA) gateway {
	tb.Helper()
	g := gateway{server.Versity(tb, "eu-west-1", ca, server.S3User{Access: "practice-reader", Secret: "practice-only-reader", Role: "user"}, server.S3User{Access: "practice-nobody", Secret: "practice-only-nobody", Role: "user"}), ca}
	if ca != nil {
		return g
	}
	seed := seederOf(g.S3)
	for _, b := range []string{"/reports", "/many", "/empty"} {
		seed.put(tb, b, "", "")
	}
	seed.put(tb, "/reports/people.csv", "", people)
	seed.put(tb, "/reports/empty.txt", "", "")
	seed.put(tb, "/reports/2026/june/sum.txt", "", "sum of june")
	seed.put(tb, "/reports/big.bin", "", strings.Repeat("0123456789", 30_000))
	for _, name := range odd() {
		seed.put(tb, "/reports/odd/"+name, "", "content of "+name)
	}
	if err := os.MkdirAll(filepath.Join(g.Dir, "many", "all"), 0o755); err != nil {
		tb.Fatal(err)
	}
	for i := range 2500 {
		seedFile(tb, g.Dir, fmt.Sprintf("many/all/file-%05d.txt", i), "x")
	}
	seed.put(tb, "/reports", "policy=", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":["practice-reader"],"Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::reports","arn:aws:s3:::reports/*"]},
		{"Effect":"Deny","Principal":["practice-reader"],"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::reports/2026/*"]}]}`)
	return g
}

func (g gateway) answers(more ...string) []string {
	base := []string{"endpoint", g.URL, "access_key", g.Access, "secret_key", g.Secret, "region", g.Region}
	if g.ca != nil {
		base = append(base, "ca", g.ca.PEM)
	}
	return with(base, more...)
}

func TestVersity(t *testing.T) {
	ty := compatible()
	g := startVersity(t, nil)
	ca := server.NewCA(t)
	secure := startVersity(t, ca)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, g.answers(more...)...) }
	}
	setTLS := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, secure.answers(more...)...) }
	}
	reader := []string{"access_key", "practice-reader", "secret_key", "practice-only-reader"}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set("bucket", "reports"), Aim: aim,
		Hostile: &conntest.Place{Settings: set("bucket", "reports"), Node: "odd/"},
		Big:     &conntest.Big{Settings: set(), Parent: "many/all/", Count: 2500},
		Faults: []conntest.Fault{
			{Name: "unknown access key", Settings: set("access_key", "practice-none"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "wrong secret", Settings: set("secret_key", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "no such bucket", Settings: set("bucket", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "no such folder", Settings: set("bucket", "reports", "folder", "2031"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder without bucket", Settings: set("folder", "2026"), Code: connectors.BadInput, Field: "bucket"},
			{Name: "may not list the bucket", Settings: set(append(reader, "bucket", "many")...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "a session token that is none", Settings: set("session_token", "practice-only-token"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn},
			{Name: "no STS there", Settings: set("auth", "role"), Code: connectors.Unsupported, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "HTTPS to an HTTP port", Settings: set("endpoint", strings.Replace(g.URL, "http:", "https:", 1)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "endpoint"},
			{Name: "HTTP to an HTTPS port", Settings: setTLS("endpoint", strings.Replace(secure.URL, "https:", "http:", 1)), Code: connectors.Refused, Field: "endpoint"},
			{Name: "unknown authority", Settings: setTLS("ca", server.NewCA(t).PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name on the certificate", Settings: setTLS("tls_name", "s3.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "tls_name"},
			{Name: "unknown host", Settings: set("endpoint", "http://no-such-host.invalid:9000"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "endpoint"},
			{Name: "bucket in a host name that is none", Settings: set("endpoint", "http://no-such-host.invalid", "addressing", "virtual", "bucket", "reports"), Code: connectors.Unreachable, Field: "addressing"},
			{Name: "another protocol", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Speaks(tb, "SSH-2.0-OpenSSH_9.2\r\n")
				return aim(set()(tb), host, port)
			}, Code: connectors.Refused},
		}})
	t.Run("what is in a bucket", func(t *testing.T) { whatIsInABucket(t, g) })
	t.Run("a folder is where the tree begins", func(t *testing.T) { aFolderIsWhereTheTreeBegins(t, g) })
	t.Run("an object is read in ranges", func(t *testing.T) { anObjectIsReadInRanges(t, g) })
	t.Run("the region is found out", func(t *testing.T) { theRegionIsFoundOut(t, g) })
	t.Run("a reader sees the named bucket", func(t *testing.T) { aReaderSeesTheNamedBucket(t, g) })
	t.Run("TLS", func(t *testing.T) {
		if _, err := conntest.Open(t, ty, setTLS()(t)).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func whatIsInABucket(t *testing.T, g gateway) {
	ty := compatible()
	s := conntest.Open(t, ty, settings(ty, g.answers()...))
	if got := names(conntest.List(t, s, "")); got != "empty/|many/|reports/" {
		t.Errorf("buckets: %s", got)
	}
	for _, n := range conntest.List(t, s, "") {
		if n.Kind != "bucket" {
			t.Errorf("%+v", n)
		}
	}
	if got := names(conntest.List(t, s, "reports")); got != "2026/|big.bin|empty.txt|odd/|people.csv" {
		t.Errorf("reports: %s", got)
	}
	if got := names(conntest.List(t, s, "reports/2026/")); got != "june/" {
		t.Errorf("2026: %s", got)
	}
	if got := content(t, s, "reports/2026/june/sum.txt"); got != "sum of june" {
		t.Error(got)
	}
	if got := content(t, s, "reports/empty.txt"); got != "" {
		t.Error(got)
	}
	nodes := conntest.List(t, s, "reports/odd/")
	if len(nodes) != len(odd()) {
		t.Errorf("%d odd names: %s", len(nodes), names(nodes))
	}
	for _, n := range nodes {
		if got := content(t, s, n.ID); got != "content of "+n.Name {
			t.Errorf("%q has %q", n.Name, got)
		}
	}
	table, err := s.(connectors.Tabler).Table(t.Context(), "reports/people.csv", 10)
	if err != nil || len(table.Rows) != 2 || table.Columns[0].Name != "name" {
		t.Errorf("%+v %v", table, err)
	}
	if got := conntest.List(t, s, "empty"); len(got) != 0 {
		t.Error(got)
	}
	for _, id := range []connectors.NodeID{"reports/none.txt", "reports/2026/", "nowhere/x"} {
		if _, err := s.(connectors.Sampler).Sample(t.Context(), id, 10); err == nil {
			t.Errorf("%s can be read", id)
		}
	}
}

func aFolderIsWhereTheTreeBegins(t *testing.T, g gateway) {
	ty := compatible()
	s := conntest.Open(t, ty, settings(ty, g.answers("bucket", "reports", "folder", "/2026/")...))
	nodes := conntest.List(t, s, "")
	if len(nodes) != 1 || nodes[0].ID != "2026/june/" || nodes[0].Name != "june" {
		t.Fatalf("%+v", nodes)
	}
	if got := names(conntest.List(t, s, nodes[0].ID)); got != "sum.txt" {
		t.Error(got)
	}
	facts, err := conntest.Facts(t, s)
	if err != nil || facts["Folder"] != "2026" || facts["Bucket"] != "reports" {
		t.Errorf("%v %v", facts, err)
	}
}

// Ranges are asked for as they are needed, and end where the object does.
func anObjectIsReadInRanges(t *testing.T, g gateway) {
	ty := compatible()
	st := conntest.Open(t, ty, settings(ty, g.answers("bucket", "reports")...)).(*session).store
	f, err := st.Open(t.Context(), "big.bin")
	if err != nil {
		t.Fatal(err)
	}
	if f.Size() != 300_000 {
		t.Errorf("size %d", f.Size())
	}
	for _, c := range []struct{ off, n, want int }{{0, 20, 20}, {65_530, 20, 20}, {200_001, 100_000, 99_999}, {299_999, 5, 1}, {300_000, 5, 0}, {400_000, 5, 0}} {
		p := make([]byte, c.n)
		n, err := f.ReadAt(t.Context(), p, int64(c.off))
		if n != c.want || (err == nil) != (n == c.n) {
			t.Errorf("%d from %d: %d, %v", c.n, c.off, n, err)
		}
		for i := range n {
			if p[i] != byte('0'+(c.off+i)%10) {
				t.Fatalf("%d from %d: wrong at %d", c.n, c.off, i)
			}
		}
	}
}

func theRegionIsFoundOut(t *testing.T, g gateway) {
	ty := compatible()
	for _, bucket := range []string{"reports", ""} {
		facts, err := conntest.Facts(t, conntest.Open(t, ty, settings(ty, g.answers("region", "us-east-2", "bucket", bucket)...)))
		if err != nil || facts["Region"] != "eu-west-1 (found out; the form says us-east-2)" {
			t.Errorf("bucket %q: %v %v", bucket, facts, err)
		}
	}
}

func aReaderSeesTheNamedBucket(t *testing.T, g gateway) {
	ty := compatible()
	s := conntest.Open(t, ty, settings(ty, g.answers("access_key", "practice-reader", "secret_key", "practice-only-reader", "bucket", "reports")...))
	facts, err := conntest.Facts(t, s)
	if facts["Rights"] != "list and read" || facts["Account"] != "practice-reader" {
		t.Errorf("%v", facts)
	}
	// This gateway lists to everybody the buckets that are theirs: none here.
	if err != nil {
		t.Error(err)
	}
	if got := names(conntest.List(t, s, "")); !strings.Contains(got, "people.csv") {
		t.Error(got)
	}
	_, err = s.(connectors.Sampler).Sample(t.Context(), "2026/june/sum.txt", 10)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "objectstore.denied.read" || e.Op != connectors.StageData {
		t.Errorf("%+v", e)
	}
}

func TestSecurity69_AWrongClockIsExplained(t *testing.T) {
	ty := compatible()
	g := gateway{server.Versity(t, "eu-west-1", nil), nil}
	for off, said := range map[time.Duration]string{time.Hour: "60 minutes ahead", -20 * time.Minute: "20 minutes behind"} {
		w := conntest.NewWorld(t)
		w.Env.Now = func() time.Time { return time.Now().Add(off) }
		e := fails(t, w, ty, settings(ty, g.answers()...))
		if e.Code != connectors.Refused || e.Reason != "objectstore.s3.clock" || e.Said != said {
			t.Errorf("%v: %+v", off, e)
		}
	}
}
