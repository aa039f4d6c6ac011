package gui

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"jackfield/connectors/conntest/server"
	"jackfield/connectors/link"
)

// slapd is a directory with one tree, and its port.
func slapd(tb testing.TB) string {
	tb.Helper()
	daemon, add := server.Program(tb, "slapd", "slapd"), server.Program(tb, "slapadd", "slapd")
	dir, port := tb.TempDir(), strconv.Itoa(server.FreePort(tb))
	conf := server.WriteFile(tb, dir, "slapd.conf", fmt.Sprintf("include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile %[1]s/pid\ndatabase mdb\nsuffix \"dc=example,dc=test\"\nrootdn \"cn=admin,dc=example,dc=test\"\nrootpw practice-only-admin\ndirectory %[1]s\n", dir), 0o600)
	seed := server.WriteFile(tb, dir, "seed.ldif", "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\ndn: ou=People,dc=example,dc=test\nobjectClass: organizationalUnit\nou: People\n", 0o600)
	server.Run(tb, add, "-q", "-f", conf, "-l", seed)
	server.Start(tb, exec.Command(daemon, "-d", "0", "-f", conf, "-h", "ldap://127.0.0.1:"+port), "127.0.0.1:"+port)
	return port
}

// Nobody types the name of a database, bucket or base DN: a form is filled in
// with where the server is and who signs in, the rest is chosen, and linked.
func TestADatabaseABucketAndABaseAreChosenAndLinked(t *testing.T) {
	pg := server.Postgres(t)
	pg.SQL(t, "CREATE DATABASE shop; CREATE DATABASE \"Old shop\"; CREATE ROLE reader LOGIN PASSWORD 'practice-only-reader';")
	s3 := server.Versity(t, "us-east-1", nil)
	for _, b := range []string{"archive", "reports"} {
		server.Run(t, "mkdir", filepath.Join(s3.Dir, b))
	}
	for _, c := range []struct {
		typ, field, find, want string
		answers                map[string]string
	}{
		{"postgres", "database", "sh", "shop", map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(pg.Port), "user": "reader", "password": "practice-only-reader", "tls": "off"}},
		{"s3_compatible", "bucket", "rep", "reports", map[string]string{"endpoint": s3.URL, "access_key": s3.Access, "secret_key": s3.Secret}},
		{"ldap", "base_dn", "exam", "dc=example,dc=test", map[string]string{"host": "127.0.0.1", "port": slapd(t), "user": "cn=admin,dc=example,dc=test", "password": "practice-only-admin", "security": "none"}},
	} {
		t.Run(c.typ, func(t *testing.T) {
			r := newRoom(t, roomOptions{size: fyne.NewSize(1280, 860)})
			r.fill(c.typ, c.answers)
			p := r.a.form
			v := p.field(c.field)
			r.a.win.Canvas().Focus(v.entry)
			p.reveal(v)
			altDown(v)
			r.until("the list, or why there is none: "+said(v), func() bool { return v.chooser.drop != nil || v.bad })
			if v.bad {
				t.Fatal(said(v))
			}
			d := v.chooser.drop
			test.Type(d.entry, c.find)
			r.shot("journey-" + c.typ + "-list")
			d.entry.OnSubmitted("")
			if v.value() != c.want {
				t.Fatalf("taken: %q, want %q", v.value(), c.want)
			}
			p.link()
			r.until("the link", r.linked)
			if p.c.State != link.OK {
				t.Errorf("%s: %+v", p.c.State, p.c.Problem)
			}
			r.until("the list again", func() bool { return v.chooser.loaded })
			r.shot("journey-" + c.typ + "-linked")
		})
	}
}
