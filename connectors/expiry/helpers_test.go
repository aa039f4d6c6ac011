package expiry_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/expiry"
	"jackfield/connectors/link"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "practice-only-canary"

// secretly are answers: those of secret fields go among the secrets.
func secretly(t testing.TB, typ connectors.Type, answers ...string) connectors.Settings {
	t.Helper()
	s := connectors.NewSettings()
	for i := 0; i < len(answers); i += 2 {
		f, ok := typ.Form.Field(answers[i])
		if !ok {
			t.Fatalf("%s has no field %s", typ.ID, answers[i])
		}
		if f.Kind.Secret() {
			s.Secrets[f.Key] = connectors.NewSecret(answers[i+1])
		} else {
			s.Plain[f.Key] = answers[i+1]
		}
	}
	return s
}

func typeOf(t testing.TB, id string) connectors.Type {
	t.Helper()
	typ, ok := connectors.Find(all.All(), id)
	if !ok {
		t.Fatalf("no type %s", id)
	}
	return typ
}

// of looks at answers that were saved on created.
func of(t testing.TB, now, created time.Time, id string, answers ...string) []expiry.Item {
	t.Helper()
	typ := typeOf(t, id)
	s := secretly(t, typ, answers...)
	c := link.Connection{ID: "c1", Type: id, Name: "One", Plain: s.Plain, Created: created}
	return expiry.Of(typ, c, s, now)
}

func byField(items []expiry.Item) map[string]expiry.Item {
	out := map[string]expiry.Item{}
	for _, i := range items {
		out[i.Field] = i
	}
	return out
}

func newBook(t testing.TB, now func() time.Time) *link.Book {
	t.Helper()
	v, err := vault.Open(vault.Options{Dir: t.TempDir(), Keys: &keychain.Memory{}})
	if err != nil {
		t.Fatal(err)
	}
	return link.NewBook(link.List(all.All()), v, link.Outside{Now: now})
}

func save(t testing.TB, b *link.Book, typ, name string, answers ...string) link.Connection {
	t.Helper()
	found, err := b.Type(typ)
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Create(t.Context(), link.Draft{Type: typ, Name: name, Settings: secretly(t, found, answers...)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func resave(t testing.TB, b *link.Book, c link.Connection, answers ...string) link.Connection {
	t.Helper()
	found, err := b.Type(c.Type)
	if err != nil {
		t.Fatal(err)
	}
	s := secretly(t, found, answers...)
	for k, v := range c.Plain {
		if _, given := s.Plain[k]; !given {
			s.Plain[k] = v
		}
	}
	out, err := b.Save(t.Context(), c.ID, link.Draft{Type: c.Type, Name: c.Name, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run runs a program of the system in dir.
func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func file(t testing.TB, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// authority is one of openssl's, in dir.
type authority struct {
	t   testing.TB
	dir string
}

const caConf = `[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
`

func newAuthority(t testing.TB) authority {
	t.Helper()
	a := authority{t, t.TempDir()}
	for name, text := range map[string]string{"ca.conf": caConf, "index.txt": "", "serial": "01\n"} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, a.dir, "openssl", "req", "-x509", "-config", "ca.conf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Practice CA", "-days", "3650")
	return a
}

// issue makes a certificate and its key that end then, which openssl writes as
// UTCTime before 2050 and as GeneralizedTime from then on.
func (a authority) issue(name string, end time.Time) (cert, key string) {
	a.t.Helper()
	run(a.t, a.dir, "openssl", "req", "-new", "-config", "ca.conf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name+".key", "-out", name+".csr", "-subj", "/CN="+name)
	run(a.t, a.dir, "openssl", "ca", "-batch", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", name+".csr", "-out", name+".pem", "-notext",
		"-startdate", "20200101000000Z", "-enddate", end.UTC().Format("20060102150405Z"))
	return file(a.t, a.dir, name+".pem"), file(a.t, a.dir, name+".key")
}

// counting counts how often secrets are read.
type counting struct {
	*link.Book
	reads int
	fail  map[string]error
}

func (c *counting) Settings(ctx context.Context, id string) (connectors.Settings, error) {
	c.reads++
	if err := c.fail[id]; err != nil {
		return connectors.Settings{}, err
	}
	return c.Book.Settings(ctx, id)
}
