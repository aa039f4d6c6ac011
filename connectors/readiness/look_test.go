package readiness_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/link"
	"jackfield/connectors/readiness"
)

func typeOf(tb testing.TB, id string) connectors.Type {
	tb.Helper()
	t, ok := connectors.Find(all.All(), id)
	if !ok {
		tb.Fatalf("no type %s", id)
	}
	return link.Extended(t)
}

// list is a checklist of a connection with these answers.
func list(tb testing.TB, id string, answers ...string) readiness.Checklist {
	tb.Helper()
	t := typeOf(tb, id)
	s := conntest.Settings(t, answers)
	return readiness.Of(t, connection(t, s), s, readiness.Options{Now: time.Now(), SecretsKnown: true})
}

func item(c readiness.Checklist, id string) readiness.Item {
	for _, i := range c.Items {
		if i.ID == id {
			return i
		}
	}
	return readiness.Item{}
}

// made is a key or certificate that the real tools wrote.
func made(tb testing.TB, name string, command ...string) string {
	tb.Helper()
	server.Run(tb, command[0], command[1:]...)
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func TestKeysAndCertificates(t *testing.T) {
	dir := t.TempDir()
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	file := filepath.Join(dir, "key")
	open := made(t, file, keygen, "-q", "-t", "ed25519", "-N", "", "-f", file)
	locked := made(t, file+"2", keygen, "-q", "-t", "ed25519", "-N", "practice-only", "-f", file+"2")
	weak := made(t, file+"3", keygen, "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", file+"3")
	ca, other := server.NewCA(t), server.NewCA(t)
	good, old, strange := ca.Issue(t, server.Cert{Name: "reader", Client: true}), ca.Issue(t, server.Cert{Name: "reader", Client: true, Expired: true}), other.Issue(t, server.Cert{Name: "reader", Client: true})
	ssh := []string{"host", "files.acme.com", "user", "reader", "auth", "key"}
	mqtt := []string{"host", "broker.acme.com", "auth", "certificate"}
	for _, at := range []struct {
		name, id string
		answers  []string
		item     string
		state    readiness.State
		field    string
	}{
		{"readable", "sftp", append(ssh, "key", open), "key.read.key", readiness.Done, "key"},
		{"locked", "sftp", append(ssh, "key", locked), "key.locked.key", readiness.Missing, "passphrase"},
		{"wrong passphrase", "sftp", append(ssh, "key", locked, "passphrase", "practice-wrong"), "key.passphrase.key", readiness.Wrong, "passphrase"},
		{"right passphrase", "sftp", append(ssh, "key", locked, "passphrase", "practice-only"), "key.read.key", readiness.Done, "key"},
		{"weak", "sftp", append(ssh, "key", weak), "key.weak.key", readiness.Warning, "key"},
		{"a pair", "mqtt", append(mqtt, "client_cert", good.Cert, "client_key", good.Key), "pair.client_cert", readiness.Done, "client_cert"},
		{"no pair", "mqtt", append(mqtt, "client_cert", good.Cert, "client_key", strange.Key), "pair.client_cert", readiness.Wrong, "client_key"},
		{"expired", "mqtt", append(mqtt, "client_cert", old.Cert, "client_key", old.Key), "ends.certificate.client_cert", readiness.Wrong, "client_cert"},
	} {
		t.Run(at.name, func(t *testing.T) {
			c := list(t, at.id, at.answers...)
			if got := item(c, at.item); got.State != at.state || got.Field != at.field {
				t.Errorf("%s is %+v in\n%s", at.item, got, c.Text())
			}
		})
	}
	c := list(t, "sftp", append(ssh, "key", locked, "passphrase", "practice-only")...)
	public, err := os.ReadFile(file + "2.pub")
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Fields(string(public)), strings.Fields(item(c, "their.key").Copy)
	if len(got) < 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("the line to install is %q, ssh-keygen's %q", got, want)
	}
	trust := item(list(t, "mqtt", append(mqtt, "client_cert", good.Cert+good.Key, "client_key", good.Key)...), "their.certificate").Copy
	if strings.Contains(trust, "PRIVATE") || !strings.Contains(trust, "BEGIN CERTIFICATE") {
		t.Error("the certificate to trust is not the certificate alone")
	}
}

func TestDatesOfTokens(t *testing.T) {
	jwt := func(exp time.Time) string {
		part := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
		return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, exp.Unix())) + ".practice"
	}
	sas := func(exp time.Time) string {
		return fmt.Sprintf("SharedAccessSignature sr=sb%%3a%%2f%%2facme&sig=practice&se=%d&skn=reader", exp.Unix())
	}
	day := 24 * time.Hour
	for _, at := range []struct {
		in    time.Duration
		state readiness.State
	}{{-day, readiness.Wrong}, {10 * day, readiness.Warning}, {100 * day, readiness.Done}} {
		exp := time.Now().Add(at.in)
		c := list(t, "http", "base_url", "https://api.acme.com", "auth", "bearer", "token", jwt(exp))
		if got := item(c, "ends.token.token"); got.State != at.state || !strings.Contains(got.Title, exp.UTC().Format("2 January 2006")) {
			t.Errorf("a token for %v: %+v", at.in, got)
		}
		c = list(t, "azure_service_bus", "namespace", "acme", "auth", "sas", "sas", sas(exp))
		if got := item(c, "ends.sas.sas"); got.State != at.state {
			t.Errorf("a SAS for %v: %+v in\n%s", at.in, got, c.Text())
		}
	}
	c := list(t, "s3", "access_key", "ASIAIOSFODNN7EXAMPLE", "secret_key", "practice-only")
	if got := item(c, "form.missing.session_token"); got.State != readiness.Missing || c.State != readiness.IsIncomplete {
		t.Errorf("a temporary key alone: %s\n%s", c.State, c.Text())
	}
}

func TestPlaces(t *testing.T) {
	for _, at := range []struct {
		answers []string
		id      string
	}{
		{[]string{"ldap", "host", "dc1.acme.com", "port", "389", "security", "ldaps"}, "place.port"},
		{[]string{"mqtt", "host", "b.acme.com", "port", "8883", "transport", "tcp"}, "place.port"},
		{[]string{"mqtt", "host", "b.acme.com", "port", "8883", "transport", "tcp"}, "place.plain"},
		{[]string{"sftp", "host", "b.acme.com", "port", "21"}, "place.port"},
		{[]string{"sftp", "host", "10.1.2.3"}, "place.internal.host"},
		{[]string{"sftp", "host", "nas.local"}, "place.internal.host"},
		{[]string{"sftp", "host", "nas"}, "place.short.host"},
		{[]string{"sftp", "host", "127.0.0.1"}, "place.loopback.host"},
		{[]string{"webdav", "url", "http://cloud.acme.com/dav", "auth", "basic"}, "place.plain"},
		{[]string{"sftp", "host", "b.acme.com", "auth", "password", "agent_key", "practice"}, "form.unused"},
	} {
		c := list(t, at.answers[0], at.answers[1:]...)
		if got := item(c, at.id); got.State != readiness.Warning {
			t.Errorf("%q: no %s in\n%s", at.answers, at.id, c.Text())
		}
	}
	if c := list(t, "ldap", "host", "dc1.acme.com", "port", "636", "security", "ldaps"); item(c, "place.port").ID != "" {
		t.Errorf("a usual port is warned of:\n%s", c.Text())
	}
}

func TestLinkedAndChanged(t *testing.T) {
	ty := typeOf(t, "sftp")
	s := conntest.Settings(ty, []string{"host", "files.acme.com", "user", "reader", "password", "practice-only"})
	c := connection(ty, s)
	c.State, c.Account, c.Checked = link.OK, "reader", now.Add(-time.Hour)
	is := func(what string, s connectors.Settings, o readiness.Options, c link.Connection, want readiness.Overall) readiness.Checklist {
		t.Helper()
		got := readiness.Of(ty, c, s, o)
		if got.State != want {
			t.Errorf("%s: %s\n%s", what, got.State, got.Text())
		}
		return got
	}
	l := is("linked", s, options(), c, readiness.IsLinked)
	if i := item(l, "test.link"); !strings.Contains(i.Title, "21 November 2026, 11:00 UTC as reader") || item(l, "test.signin").ID != "" {
		t.Errorf("%+v", i)
	}
	changed := s.Clone()
	changed.Plain["host"] = "files2.acme.com"
	is("other answers", changed, options(), c, readiness.IsUntested)
	prepared := c
	prepared.State = link.Prepared
	is("saved with other answers", s, options(), prepared, readiness.IsUntested)
	partial := c
	partial.State = link.Partial
	is("partial", s, options(), partial, readiness.IsPartial)
	marks := s.Clone()
	marks.Plain["auth"], marks.Secrets["key"] = "key", connectors.NewSecret("stored")
	prepared.Plain = marks.Plain
	is("marks are not looked into", marks, readiness.Options{Now: now}, prepared, readiness.IsUntested)
	bare := conntest.Settings(ty, []string{"host", "files.acme.com", "identity", "2"})
	lender := link.Connection{ID: "2", Plain: map[string]string{"user": "reader"}, SecretKeys: []string{"password"}}
	is("without the lender", bare, options(), connection(ty, bare), readiness.IsIncomplete)
	is("with the lender", bare, readiness.Options{Now: now, SecretsKnown: true, Lender: &lender}, connection(ty, bare), readiness.IsUntested)
}

func TestPagesAreSafeAndWhole(t *testing.T) {
	ty := typeOf(t, "sftp")
	s := conntest.Settings(ty, []string{"host", "files.acme.com", "user", `"><script>alert(1)</script>`, "password", "practice-only"})
	conn := connection(ty, s)
	conn.Name = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
	c := readiness.Of(ty, conn, s, options())
	for _, page := range []string{string(c.HTML()), string(readiness.All([]readiness.Checklist{c, c}).HTML())} {
		for _, bad := range []string{"<script", "<img", " href=", "@import", "url(", "\u202e", "\x1b"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page has %q", bad)
			}
		}
		if !strings.HasSuffix(strings.TrimSpace(page), "</html>") || !strings.Contains(page, "&lt;img") {
			t.Errorf("the page is not whole:\n%s", page)
		}
	}
	for _, text := range []string{c.Text(), readiness.All([]readiness.Checklist{c}).Text()} {
		if strings.ContainsAny(text, "\u202e\x1b") {
			t.Errorf("the text has signs that a terminal obeys: %q", text)
		}
	}
	data, err := json.Marshal(readiness.All([]readiness.Checklist{c}))
	if err != nil || !strings.Contains(string(data), `"state":"untested"`) || !strings.Contains(string(data), `"type_name":"SFTP server"`) {
		t.Errorf("JSON: %v %s", err, data)
	}
}

var element = regexp.MustCompile(`<[^<>]*>`)

// Everything that comes from elsewhere is text on the page, wherever it stands.
func TestEveryTextOfAPageIsEscaped(t *testing.T) {
	const evil = `</pre></style><script>alert("1")</script>'&amp;"><a href='//x'>`
	c := readiness.Checklist{Name: evil, Type: evil, TypeName: evil, Place: evil, State: readiness.Overall(evil), Made: now}
	for _, s := range []readiness.State{readiness.Done, readiness.Missing, readiness.Wrong, readiness.Warning, readiness.Untested, readiness.Theirs} {
		for _, who := range []string{readiness.You, readiness.Them, evil} {
			c.Items = append(c.Items, readiness.Item{ID: evil, State: s, Field: evil, Title: evil, Text: evil, Copy: evil + "\n" + evil, Who: who})
		}
	}
	plain := readiness.Checklist{Made: now, State: readiness.IsUntested}
	for range c.Items {
		i := readiness.Item{Title: "x", Text: "x", Copy: "x"}
		i.State, i.Who = c.Items[len(plain.Items)].State, c.Items[len(plain.Items)].Who
		plain.Items = append(plain.Items, i)
	}
	plain.Name, plain.TypeName, plain.Place, plain.State = "x", "x", "x", "x"
	for _, at := range [][2]string{{string(c.HTML()), string(plain.HTML())}, {string(readiness.All([]readiness.Checklist{c}).HTML()), string(readiness.All([]readiness.Checklist{plain}).HTML())}} {
		if got, want := element.FindAllString(at[0], -1), element.FindAllString(at[1], -1); !slices.Equal(got, want) {
			t.Errorf("the page has the elements\n%q\nwant\n%q", got, want)
		}
		if n, want := strings.Count(at[0], "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39;&amp;amp;"), 4*len(c.Items)+4; n < want {
			t.Errorf("the text is there %d times, want %d", n, want)
		}
		for _, must := range []string{"default-src 'none'", "@media print", "prefers-color-scheme:dark", "break-inside:avoid", "white-space:pre-wrap", "21 November 2026"} {
			if !strings.Contains(at[0], must) {
				t.Errorf("the page is without %s", must)
			}
		}
		for _, bad := range []string{"src=", "://", "@import", "url(", "onerror"} {
			if strings.Contains(at[1], bad) {
				t.Errorf("the page has %q", bad)
			}
		}
	}
}

func TestNotesAndAnswersAreEscaped(t *testing.T) {
	ty := typeOf(t, "postgres")
	ty.Guide.Notes, ty.Guide.Network = []string{`<script>"note"</script>.`}, `<script>'net'</script>.`
	s := conntest.Settings(ty, []string{"host", "db.acme.com", "user", `<script>"me"</script>`, "database", "a<b>&c"})
	page := string(readiness.Of(ty, connection(ty, s), s, options()).HTML())
	for _, want := range []string{"&lt;script&gt;&#34;note&#34;&lt;/script&gt;.", "&lt;script&gt;&#39;net&#39;&lt;/script&gt;.", "me", "a&lt;b&gt;&amp;c"} {
		if !strings.Contains(page, want) || strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
			t.Errorf("%s is not escaped:\n%s", want, page)
		}
	}
}
