package readiness_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/link"
	"jackfield/connectors/readiness"
	"jackfield/connectors/readiness/rights"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func options() readiness.Options { return readiness.Options{Now: now, SecretsKnown: true} }

// pemKey is a new private key; the fixtures have none.
func pemKey(tb testing.TB, key any) string {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func edKey(tb testing.TB) string {
	tb.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return pemKey(tb, k)
}

// fillIn answers every visible question, or every second one, by its example.
func fillIn(tb testing.TB, t connectors.Type, every int, canary string) connectors.Settings {
	tb.Helper()
	s := t.Form.Defaults()
	n := 0
	for _, f := range t.Form.Fields {
		if !f.Required || !t.Form.Visible(f.Key, s) {
			continue
		}
		if n++; n%every != 0 {
			continue
		}
		switch {
		case f.Kind.Secret():
			s.Secrets[f.Key] = connectors.NewSecret(secretFor(tb, f, canary))
		case f.Default != "":
		case f.Example != "":
			s.Plain[f.Key] = f.Example
		default:
			s.Plain[f.Key] = "practice"
		}
	}
	return s
}

// secretFor is something of the right form.
func secretFor(tb testing.TB, f connectors.Field, canary string) string {
	tb.Helper()
	google, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "practice", "private_key_id": "1", "private_key": pemKey(tb, rsaKey()), "client_email": "reader@practice.iam.gserviceaccount.com", "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token"})
	if err != nil {
		tb.Fatal(err)
	}
	for _, v := range []string{canary, canary + canary, "xoxb-" + canary, "sk_test_" + canary, strings.ReplaceAll(canary, "-", "") + "0000=", pemKey(tb, rsaKey()), edKey(tb), string(google)} {
		if f.Verify(v) == nil && (f.Kind == connectors.SecretText || v != canary || !strings.Contains(f.Key, "key")) {
			if strings.Contains(f.Key, "key") && f.Kind == connectors.SecretLines && !strings.HasPrefix(v, "-----") && !strings.HasPrefix(v, "{") {
				continue
			}
			return v
		}
	}
	return canary
}

func connection(t connectors.Type, s connectors.Settings) link.Connection {
	return link.Connection{ID: "1", Type: t.ID, Name: "My " + t.Name, Plain: s.Plain, State: link.Prepared}
}

func TestEveryTypeGivesASensibleChecklist(t *testing.T) {
	var b strings.Builder
	for _, ty := range all.All() {
		ty = link.Extended(ty)
		for _, how := range []struct {
			name     string
			settings connectors.Settings
		}{{"empty", connectors.NewSettings()}, {"half", fillIn(t, ty, 2, "practice-only-canary")}, {"complete", fillIn(t, ty, 1, "practice-only-canary")}} {
			c := readiness.Of(ty, connection(ty, how.settings), how.settings, options())
			_, _ = fmt.Fprintf(&b, "%s, %s: %s\n", ty.ID, how.name, c.State)
			for _, i := range c.Items {
				if how.name != "complete" && i.State != readiness.Missing && i.State != readiness.Wrong {
					continue // the rest is the same as in the complete one
				}
				_, _ = fmt.Fprintf(&b, "  %-8s %s: %s\n", i.State, i.ID, i.Title)
			}
			sound(t, ty, c)
			if empty := how.name == "empty"; empty && c.State != readiness.IsIncomplete {
				t.Errorf("%s is %s without answers", ty.ID, c.State)
			}
			if how.name == "complete" && len(ty.Form.Missing(how.settings)) == 0 && c.State == readiness.IsIncomplete {
				t.Errorf("%s lacks something with every answer:\n%s", ty.ID, c.Text())
			}
		}
	}
	const golden = "testdata/types.golden"
	if *update {
		server.WriteFile(t, "testdata", "types.golden", b.String(), 0o644)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("the checklists differ from %s; look at them, then run with -update:\n%s", golden, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// sound holds for every checklist.
func sound(t *testing.T, ty connectors.Type, c readiness.Checklist) {
	t.Helper()
	ids := map[string]int{}
	untested, theirs := false, false
	for _, i := range c.Items {
		ids[i.ID]++
		untested = untested || i.State == readiness.Untested
		theirs = theirs || i.State == readiness.Theirs
		if i.Title == "" || i.Text != "" && !strings.ContainsAny(i.Text[len(i.Text)-1:], ".)”;") {
			t.Errorf("%s %s: %q %q is no sentence", ty.ID, i.ID, i.Title, i.Text)
		}
		if i.Field != "" {
			if _, ok := ty.Form.Field(i.Field); !ok {
				t.Errorf("%s %s names the field %q", ty.ID, i.ID, i.Field)
			}
		}
		if strings.HasPrefix(i.ID, "test.") && i.State == readiness.Done {
			t.Errorf("%s: %s is done, and nobody tested", ty.ID, i.ID)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: %s is there %d times", ty.ID, id, n)
		}
	}
	if !untested || !theirs && !ty.Offline {
		t.Errorf("%s: untested %v, theirs %v", ty.ID, untested, theirs)
	}
}

func TestSecurity80_NoSecretIsInAChecklistOrAGrant(t *testing.T) {
	const canary = "Kanarienvogel-4711-practice-only"
	for _, ty := range all.All() {
		ty = link.Extended(ty)
		seen := 0
		for _, way := range ways(ty) {
			s := fillIn(t, ty, 1, canary)
			for k, v := range way {
				s.Plain[k] = v
			}
			for _, f := range ty.Form.Fields {
				if !f.Kind.Secret() && f.Example != "" && s.Plain[f.Key] == "" {
					s.Plain[f.Key] = f.Example
				}
			}
			for _, right := range []bool{false, true} {
				private := []string{canary}
				for _, f := range ty.Form.Fields {
					if !f.Kind.Secret() {
						continue
					}
					v := canary
					if right {
						v = secretFor(t, f, canary)
					}
					s.Secrets[f.Key] = connectors.NewSecret(v)
					seen++
					private = append(private, inner(v)...)
				}
				inspect(t, ty, s, private)
			}
		}
		if slices.ContainsFunc(ty.Form.Fields, func(f connectors.Field) bool { return f.Kind.Secret() }) && seen == 0 {
			t.Errorf("%s: no secret was looked for", ty.ID)
		}
	}
}

// ways are the answers of the first choice of a form, one at a time.
func ways(ty connectors.Type) []map[string]string {
	out := []map[string]string{{}}
	if f, ok := ty.Form.Field("auth"); ok {
		for _, o := range f.Options {
			out = append(out, map[string]string{"auth": o.Value})
		}
	}
	return out
}

// inner are parts of a private key's text that its public half does not have.
func inner(v string) []string {
	if !strings.Contains(v, "PRIVATE KEY") {
		return nil
	}
	lines := strings.Split(strings.ReplaceAll(v, `\n`, "\n"), "\n")
	var out []string
	if len(lines) > 12 {
		lines = lines[8:] // an RSA key begins with its public half (RFC 8017 appendix A.1.2)
	}
	for _, l := range lines[1:] {
		if len(l) >= 40 && !strings.HasPrefix(l, "-") && !strings.HasPrefix(l, "{") {
			out = append(out, l[20:])
		}
	}
	return out
}

func inspect(t *testing.T, ty connectors.Type, s connectors.Settings, private []string) {
	t.Helper()
	c := readiness.Of(ty, connection(ty, s), s, options())
	data, err := json.Marshal([]any{c, rights.For(ty, s)})
	if err != nil {
		t.Fatal(err)
	}
	out := string(data) + c.Text() + string(c.HTML())
	for _, p := range private {
		if strings.Contains(out, p) {
			t.Fatalf("%s: a secret is to be seen (its value has %d characters)", ty.ID, len(p))
		}
	}
}
