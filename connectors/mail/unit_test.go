package mail

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

func TestTypesAreSound(t *testing.T) {
	for _, typ := range Types() {
		if err := typ.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestNames(t *testing.T) {
	for raw, name := range map[string]string{
		"INBOX": "INBOX", "&AOk-t&AOk-": "été", "R&-D": "R&D", "&ZeVnLIqe-": "日本語", "&2D3eAA-": "😀", "a&": "a&", "&wel": "&wel", "&!-": "&!-", "&AA-": "&AA-", "": "",
		"&AGE-": "a", // not needed, and told by some servers
	} {
		if got := decodeName(raw); got != name {
			t.Errorf("%q: %q, want %q", raw, got, name)
		}
		p, ok := parseID(idOf(raw))
		if raw != "" && (!ok || p.raw != raw) {
			t.Errorf("%q comes back as %q", raw, p.raw)
		}
	}
	for _, name := range []string{"Entwürfe & Briefe", "a\x7fb", "\u202ex", "50% off; now", "%=x", "日本/語"} {
		if got := decodeName(encodeName(name)); got != name {
			t.Errorf("%q: %q", name, got)
		}
		if p, ok := parseID(idOf(encodeName(name))); !ok || p.raw != encodeName(name) || p.uid != 0 {
			t.Errorf("%q: %+v", name, p)
		}
		m := place{encodeName(name), 7, 9}
		if p, ok := parseID(m.id()); !ok || p != m {
			t.Errorf("%s: %+v", m.id(), p)
		}
	}
	if id := (place{"INBOX/50% off", 3, 4}).id(); id != "INBOX/50%25 off;UIDVALIDITY=3/;UID=4" {
		t.Error(id)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"INBOX", "&AOk-", "&", "&-", "%=&AGE-", "a;UIDVALIDITY=1/;UID=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = decodeName(s)
		if p, ok := parseID(connectors.NodeID(s)); ok {
			if again, fine := parseID(p.id()); !fine || again.raw != p.raw || again.uid != p.uid {
				t.Errorf("%q: %+v, then %+v", s, p, again)
			}
		}
	})
}

func parserOf(text string) *parser {
	here, there := net.Pipe()
	go func() {
		_, _ = there.Write([]byte(text))
		_ = there.Close()
	}()
	return &parser{w: newWire(here, 0)}
}

func TestResponses(t *testing.T) {
	r, err := parserOf("* OK [UIDVALIDITY 3] fine\r\n").read(1000)
	if err != nil || r.status != "OK" || r.code != "UIDVALIDITY" || r.args != "3" || r.text != "fine" {
		t.Errorf("%+v %v", r, err)
	}
	r, err = parserOf("* 2 FETCH (UID 5 FLAGS (\\Seen $x) BODY[HEADER.FIELDS (DATE FROM)]<0> {3}\r\na\"b ENVELOPE (NIL \"a\\\"b\" ((NIL NIL \"x\" \"y\"))))\r\n").read(1000)
	name, n, rest := r.kind()
	if err != nil || name != "FETCH" || n != 2 || len(rest) != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	items := rest[0].pairs()
	if items["BODY[HEADER.FIELDS (DATE FROM)]<0>"].text != `a"b` || items["ENVELOPE"].at(1).text != `a"b` || items["ENVELOPE"].at(2).at(0).at(3).text != "y" || len(items["FLAGS"].list) != 2 {
		t.Errorf("%+v", items)
	}
	if m := readMessage(items); m.uid != 5 || m.subject != `a"b` || m.from != "x@y" || !m.seen() {
		t.Errorf("%+v", m)
	}
	r, err = parserOf("+ aGVsbG8=\r\n").read(1000)
	if err != nil || r.tag != "+" || r.text != "aGVsbG8=" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = parserOf("* BAD\r\n").read(1000); err != nil || r.status != "BAD" || r.text != "" {
		t.Errorf("%+v %v", r, err)
	}
}

func FuzzResponses(f *testing.F) {
	for _, s := range []string{"* OK x\r\n", "* LIST () \"/\" {3}\r\nabc\r\n", "* 1 FETCH (BODY[] ~{1}\r\nx)\r\n", "+ x\r\n", "J1 NO [A b] c\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parserOf(s).read(4096)
		if err == nil {
			_, _ = readFolder(r)
			_, _ = readStatus(r)
			_ = readNamespaces(r)
			if _, _, rest := r.kind(); len(rest) > 0 {
				_ = readMessage(rest[0].pairs())
			}
		}
	})
}

func TestReplies(t *testing.T) {
	for line, want := range map[string]string{"250 ok": "250 true ok true", "250-more": "250 false more true", "250": "250 true  true", "25": "0 false  false", "abc x": "0 false  false", "199 x": "0 false  false", "250x": "250 false  false"} {
		code, last, text, ok := splitReply(line)
		if !ok {
			text = ""
			if line != "250x" {
				code = 0
			}
		}
		if got := fmt.Sprint(code, last, " ", text, " ", ok); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	r := reply{535, "5.7.8", []string{"5.7.8 Not accepted. Go to", "5.7.8 https://x"}}
	if got := r.said(); got != "535 5.7.8 Not accepted. Go to https://x" {
		t.Error(got)
	}
	x := extensions{{"AUTH=LOGIN", "PLAIN"}, {"auth", "plain XOAUTH2"}, {"size", "10"}}
	if got := x.mechanisms(); !slices.Equal(got, []string{"LOGIN", "PLAIN", "XOAUTH2"}) || sizeLimit(x) != "10 B" {
		t.Errorf("%v", got)
	}
}

func TestTheChoiceOfAMechanism(t *testing.T) {
	all := []string{"plain", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "GSSAPI"}
	for _, c := range []struct {
		auth    string
		offered []string
		secure  bool
		want    string
	}{
		{authAuto, all, true, "SCRAM-SHA-256"}, {authAuto, all[:4], true, "SCRAM-SHA-1"}, {authAuto, all[:3], true, "PLAIN"}, {authAuto, all[1:3], true, "LOGIN"},
		{authAuto, all[2:3], true, "CRAM-MD5"}, {authAuto, all[:3], false, "CRAM-MD5"}, {authAuto, all[:2], false, ""}, {authAuto, []string{"GSSAPI"}, true, ""},
		{authPlain, all, false, "PLAIN"}, {authCRAM, all[:2], true, ""}, {authBearer, all, true, ""}, {authX, all, true, "XOAUTH2"},
	} {
		if got := choose(c.auth, c.offered, c.secure); got != c.want {
			t.Errorf("%s of %v: %s, want %s", c.auth, c.offered, got, c.want)
		}
	}
}

// The example of RFC 2195 section 2.
func TestCramMD5FollowsItsRFC(t *testing.T) {
	m := cram(account{User: "tim", Password: connectors.NewSecret("tanstaaftanstaaf")})
	got, err := m.next([]byte("<1896.697170952@postoffice.reston.mci.net>"))
	if err != nil || string(got) != "tim b913a602c7eda7a495b4e6e7334d3890" {
		t.Errorf("%s %v", got, err)
	}
	if _, err := m.next([]byte("again")); err == nil {
		t.Error("a second challenge was answered")
	}
}

// The forms in RFC 7628 section 4.1 and on Google's page.
func TestTokensAreWrittenAsDocumented(t *testing.T) {
	a := account{User: "us=er,x", Token: connectors.NewSecret("tok")}
	for name, want := range map[string]string{"OAUTHBEARER": "n,a=us=3Der=2Cx,\x01auth=Bearer tok\x01\x01", "XOAUTH2": "user=us=er,x\x01auth=Bearer tok\x01\x01"} {
		if m, err := newMechanism(name, a); err != nil || string(m.first) != want {
			t.Errorf("%q %v", m.first, err)
		}
	}
}

func TestProperties(t *testing.T) {
	for text, good := range map[string]bool{
		"mail.smtp.host=x\n\n# c\n! c\na: b": true, "": true, "novalue": false, "=x": false, "mail.smtp.timeout=soon": false, "mail.smtp.timeout=-1": false,
		"mail.smtp.password=x": false, "oauth.ClientSecret=x": false, "mail.smtp.sasl.xoauth2.token=x": false, strings.Repeat("a=b\n", 300): true,
		"a=" + strings.Repeat("x", 3000): false,
	} {
		if err := validProperties(text); (err == nil) != good {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	got := splitProperties("mail.smtp.host = smtp.example.com\nmail.smtp.port=465\nmail.smtp.ssl.enable=true\nmail.smtp.user=u\nmail.smtp.from=a@example.com\nmail.smtp.localhost=pc.example.com\nmail.smtp.auth.mechanisms=LOGIN\nx=y\nmail.smtp.auth=true")
	want := map[string]string{"host": "smtp.example.com", "port": "465", "security": secTLS, "user": "u", "from": "a@example.com", "ehlo": "pc.example.com", "auth": authLogin}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
	if got := splitProperties("mail.smtp.auth=false\nmail.smtp.starttls.required=true\nmail.smtp.port=99999"); fmt.Sprint(got) != fmt.Sprint(map[string]string{"auth": authNone, "security": secStartTLS}) {
		t.Errorf("%v", got)
	}
	if splitProperties("x=y") != nil {
		t.Error("nothing known answers something")
	}
}

func TestTheTestMailSaysWhatItIs(t *testing.T) {
	m := testMail("a@example.test", "b@example.test", "mail.example.test:587", time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))
	if !strings.HasPrefix(m, "Date: Mon, 02 Mar 2026 10:00:00 +0000\n") || !strings.Contains(m, "\n\nThis is a test mail.") || !strings.Contains(m, "@example.test>\nAuto-Submitted") {
		t.Error(m)
	}
	if got := stuffed(".a\n..b\nc\n"); got != "..a\r\n...b\r\nc\r\n" {
		t.Errorf("%q", got)
	}
	for v, want := range map[string]bool{"a@example.test": true, "A <a@example.test>": false, "a@b, c@d": false, "a": false, "\"a b\"@example.test": false, "jürgen@example.test": true, "a@b\r\nc": false} {
		if _, err := address(v); (err == nil) != want {
			t.Errorf("%q: %v", v, err)
		}
	}
}

func TestQuotaIsToldInBytes(t *testing.T) {
	for _, c := range []struct{ resource, label, text string }{
		{"STORAGE", "Storage", "3.0 KiB of 10 KiB"}, {"MESSAGE", "Messages in all", "3 of 10"}, {"MAILBOX", "Quota mailbox", "3 of 10"},
	} {
		if f := quotaFact(c.resource, 3, 10); f.Label != c.label || f.Text != c.text {
			t.Errorf("%+v", f)
		}
	}
}

func TestAnAddressIsTakenOutOfWhatMailProgramsPutAroundIt(t *testing.T) {
	for v, want := range map[string]string{" a@example.test ": "a@example.test", "Bob <b@example.test>": "b@example.test", "<c@example.test>": "c@example.test", "x": "x", "a@b, <c@d>": "a@b, <c@d>"} {
		if got := tidyAddress(v); got != want {
			t.Errorf("%q: %q", v, got)
		}
	}
}
