package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestAnswersOfTheForm(t *testing.T) {
	account, _ := must(nkeys.CreateAccount())(t).Seed()
	user := must(nkeys.CreateUser())(t)
	seed, _ := user.Seed()
	public, _ := user.PublicKey()
	for _, c := range []struct {
		key, in string
		good    bool
		tidied  string
	}{
		{"servers", "nats://u:p@a.example.com:4223/x, b.example.com", true, "a.example.com:4223\nb.example.com:4222"},
		{"servers", "::1", true, "[::1]:4222"}, {"servers", "a:0", false, ""}, {"servers", strings.Repeat("a,", 51), false, ""},
		{"seed", " " + string(seed) + "\n", true, string(seed)}, {"seed", string(account), false, ""}, {"seed", public, false, ""}, {"seed", "practice", false, ""},
		{"subjects", "orders.>, a.*.b", true, "orders.>\na.*.b"}, {"subjects", "a.>.b", false, ""}, {"subjects", "a..b", false, ""}, {"subjects", "a*", false, ""}, {"subjects", "größe.ü", true, ""},
		{"streams", "ORDERS KV_x", true, "ORDERS\nKV_x"}, {"streams", "a.b", false, ""}, {"streams", "a>b", false, ""},
		{"inbox_prefix", "_INBOX_me.x", true, ""}, {"inbox_prefix", "x.*", false, ""}, {"inbox_prefix", "x.", false, ""}, {"domain", "a.b", false, ""},
		{"creds", "-----BEGIN NATS USER JWT-----\npractice\n------END NATS USER JWT------", false, ""},
	} {
		f, _ := Type().Form.Field(c.key)
		text := c.in
		if f.Tidy != nil {
			text = f.Tidy(text)
		}
		if c.tidied != "" && text != c.tidied {
			t.Errorf("%s: %q became %q, want %q", c.key, c.in, text, c.tidied)
		}
		if err := f.Verify(text); (err == nil) != c.good {
			t.Errorf("%s: %q: %v", c.key, c.in, err)
		}
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]string{
		"nats://reader:practice-only@a.example.com:4223": "map[auth:password password:practice-only servers:a.example.com:4223 user:reader]",
		"tls://a.example.com,tls://b.example.com":        "map[servers:a.example.com:4222\nb.example.com:4222 transport:tls]",
		"wss://a.example.com:443/nats":                   "map[path:/nats servers:a.example.com:443 transport:wss]",
		"a.example.com:4222":                             "map[]", "https://a.example.com": "map[]",
	} {
		if got := fmt.Sprint(split(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestWildcards(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		want             bool
	}{{">", "a.b", true}, {"a.>", "a", false}, {"a.>", "a.b.c", true}, {"a.*", "a.b", true}, {"a.*", "a.b.c", false}, {"a.*", "a.>", false}, {"a.*.c", "a.*.c", true}, {"a", "a", true}, {"a.b", "a", false}} {
		if covers(c.pattern, c.subject) != c.want {
			t.Errorf("%s over %s", c.pattern, c.subject)
		}
	}
	p := permission{Allow: []string{"orders.>", "q.* workers"}, Deny: []string{"orders.secret.>"}}
	for subject, want := range map[string]bool{"orders.a": true, "orders.secret.b": false, "q.x": true, "other": false} {
		if p.may(subject) != want {
			t.Errorf("%s: %v", subject, !want)
		}
	}
	if got := fmt.Sprint(distinct([]string{"a.b", "a.>", "c", "c", "a.*"})); got != "[a.> c]" {
		t.Error(got)
	}
}

// SECURITY 64: no length that a server announces is believed.
func TestSecurity64_TheGuard(t *testing.T) {
	for _, c := range []struct {
		in   string
		good bool
	}{
		{"INFO {}\r\nMSG a 1 5\r\nhello\r\nPING\r\nHMSG a 1 r 12 17\r\nNATS/1.0\r\n\r\nhello\r\n+OK\r\n", true},
		{"MSG a 1 5\r\nMSG a\r\n", true},
		{"MSG a 1 2147483647\r\n", false}, {"MSG a 1 r -1\r\n", false}, {"hmsg a 1 12 99999999999999999999\r\n", false}, {strings.Repeat("x", maxLine+1), false},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.in), "in pieces": iotest.OneByteReader(strings.NewReader(c.in)), "in halves": iotest.HalfReader(strings.NewReader(c.in))} {
			got, err := io.ReadAll(&guard{Conn: reading{r}})
			if (err == nil) != c.good || c.good && string(got) != c.in || err != nil && !errors.Is(err, errTooLarge) {
				t.Errorf("%.40q %s: %v", c.in, name, err)
			}
		}
	}
}

type reading struct{ io.Reader }

func (reading) Write(p []byte) (int, error)      { return len(p), nil }
func (reading) Close() error                     { return nil }
func (reading) LocalAddr() net.Addr              { return nil }
func (reading) RemoteAddr() net.Addr             { return nil }
func (reading) SetDeadline(time.Time) error      { return nil }
func (reading) SetReadDeadline(time.Time) error  { return nil }
func (reading) SetWriteDeadline(time.Time) error { return nil }

func FuzzGuard(f *testing.F) {
	f.Add([]byte("MSG a 1 5\r\nhello\r\n"), 3)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		g := &guard{Conn: reading{bytes.NewReader(in)}}
		buf := make([]byte, 1+max(0, n%64))
		for {
			if _, err := g.Read(buf); err != nil {
				break
			}
			if len(g.line) > maxLine+len(buf) || g.skip > maxMessage+2 {
				t.Fatalf("line of %d, %d to skip", len(g.line), g.skip)
			}
		}
	})
}

// SECURITY 64: a server that is none, or a hostile one.
func TestSecurity64_HostileServers(t *testing.T) {
	for said, code := range map[string]connectors.Code{
		"INFO {\"max_payload\": 1, ": connectors.TimedOut, "INFO []\r\n": connectors.Refused, "INFO " + strings.Repeat("x", maxGreeting): connectors.Refused, "\x15\x03\x03\x00\x02\x02\x46": connectors.Refused,
		"INFO {}\r\nMSG a 1 999999999999\r\n": connectors.Refused, "INFO {}\r\n-ERR 'Attempted To Connect To Route Port'\r\n": connectors.Refused, "+OK\r\n": connectors.Refused,
	} {
		host, port := conntest.Speaks(t, said)
		s := connectors.NewSettings()
		s.Plain["servers"], s.Plain["transport"], s.Plain["auth"] = net.JoinHostPort(host, port), overTCP, byNothing
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
		cancel()
		if connectors.CodeOf(err) != code {
			t.Errorf("%.30q: %v", said, err)
		}
	}
}

// SECURITY 60: settings are a struct's, never an address that is parsed again.
func TestSecurity60_PasswordsOfAnyKind(t *testing.T) {
	for _, pass := range []string{`practice'@/#?%:`, "practice only=;{}", "practice-ünïcode"} {
		s := run(t, fmt.Sprintf("authorization { user: reader, password: %q }\n", pass))
		if _, err := conntest.Open(t, Type(), answered(s, "password", pass)).Check(t.Context()); err != nil {
			t.Errorf("%s: %v", pass, err)
		}
	}
}

// SECURITY 52: a certificate, and a password, goes to those servers alone that
// proved who they are.
func TestSecurity52_AStrangerGetsNothing(t *testing.T) {
	ca, other := server.NewCA(t), server.NewCA(t)
	own := ca.Issue(t, server.Cert{Client: true})
	s := run(t, "tls {\n"+tlsConf(t, other, "verify: true")+"}\n")
	w := conntest.NewWorld(t)
	_, err := Type().Open(t.Context(), w.Env, answered(s, "transport", overTLS, "ca", ca.PEM, "auth", byCertificate, "client_cert", own.Cert, "client_key", own.Key))
	if connectors.CodeOf(err) != connectors.Untrusted {
		t.Error(err)
	}
	for _, step := range w.Steps() {
		if step.Stage == connectors.StageSignIn {
			t.Error("the sign-in began")
		}
	}
}

func TestSecurity71_WhatIsShownIsBounded(t *testing.T) {
	if got := bodyText([]byte(strings.Repeat("[", 100000))); len(got) > maxCell+4 {
		t.Errorf("%d bytes", len(got))
	}
	if got := bodyText(bytes.Repeat([]byte{0xff}, 1<<20)); len(got) > 2*maxHex+10 {
		t.Errorf("%d bytes", len(got))
	}
	h := client.Header{}
	for i := range 5000 {
		h[fmt.Sprintf("k%d", i)] = []string{strings.Repeat("v", 100)}
	}
	if e := event("x", &client.Msg{Subject: "x", Header: h, Data: make([]byte, 1<<20)}, time.Now()); len(e.Facts) > maxHeaders+3 || len(e.Body) > maxBody || e.Size != 1<<20 || len(headerText(h)) > maxCell+4 {
		t.Errorf("%d facts, %d bytes", len(e.Facts), len(e.Body))
	}
	for in, want := range map[string]string{"{\"a\":1}": "application/json", "hello ä": "text/plain; charset=utf-8", "cut \xc3": "text/plain; charset=utf-8", "a\x00b": "application/octet-stream", "\xff\xfe\xfd\xfc\xfb": "application/octet-stream", "": "text/plain; charset=utf-8"} {
		if got := mediaType([]byte(in)); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

func TestEveryReasonHasWordsAndAField(t *testing.T) {
	for _, auth := range []string{byPassword, byToken, byNKey, byCreds, byCertificate, byNothing} {
		for _, m := range meanings(config{Auth: auth}) {
			if !connectors.English().Has(m.reason) {
				t.Errorf("no words for %s", m.reason)
			}
			if _, ok := Type().Form.Field(m.field); m.field != "" && !ok {
				t.Errorf("%s: no field %s", m.reason, m.field)
			}
		}
	}
}
