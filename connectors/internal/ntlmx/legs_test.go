package ntlmx_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/ntlmx"
)

// wants is conntest.WantError, and keeps the password out of the error.
func wants(t *testing.T, err error, code connectors.Code, reason, field string) {
	t.Helper()
	conntest.WantError(t, err, code, reason, field)
	if strings.Contains(fmt.Sprintf("%v %#v", err, connectors.Classify(err)), password) {
		t.Error("the password is in the error")
	}
}

// A leg is a request as the server saw it.
type leg struct{ auth, body, from, proto string }

// A desk is a server that speaks the three legs without knowing anybody.
type desk struct {
	URL     string
	offers  []string
	answers func(scheme string) string // what stands after the scheme in the second 401
	then    http.Handler

	mu   sync.Mutex
	legs []leg
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	auth := r.Header.Get("Authorization")
	d.mu.Lock()
	d.legs = append(d.legs, leg{auth, string(body), r.RemoteAddr, r.Proto})
	d.mu.Unlock()
	scheme, token, _ := strings.Cut(auth, " ")
	message, _ := base64.StdEncoding.DecodeString(token)
	switch {
	case len(message) > 12 && message[8] == 3:
		if d.then != nil {
			d.then.ServeHTTP(w, r)
		}
		return
	case len(message) > 12 && message[8] == 1:
		w.Header().Set("WWW-Authenticate", strings.TrimSpace(scheme+" "+d.answers(scheme)))
	default:
		for _, offer := range d.offers {
			w.Header().Add("WWW-Authenticate", offer)
		}
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, strings.Repeat("sign in ", 2000))
}

func (d *desk) seen() []leg {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]leg(nil), d.legs...)
}

func newDesk(t *testing.T, offers ...string) *desk {
	t.Helper()
	d := &desk{offers: offers, answers: func(string) string { return base64.StdEncoding.EncodeToString(challenged(0x00a08201, nil)) }}
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	d.URL = srv.URL
	return d
}

// challenged is a CHALLENGE_MESSAGE (MS-NLMP section 2.2.1.2).
func challenged(flags uint32, info []byte) []byte {
	out := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	out = append(out, 0, 0, 0, 0, 48, 0, 0, 0) // no target name
	out = binary.LittleEndian.AppendUint32(out, flags)
	out = append(out, "8 bytes."...)
	out = append(out, make([]byte, 8)...)
	if info == nil {
		info = []byte{2, 0, 2, 0, 'D', 0, 0, 0, 0, 0}
	}
	out = binary.LittleEndian.AppendUint16(out, uint16(len(info)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(info)))
	out = binary.LittleEndian.AppendUint32(out, 48)
	return append(out, info...)
}

func TestTheThreeLegsShareAConnectionAndOnlyTheLastHasTheBody(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"readable again": func() io.Reader { return strings.NewReader("the order") },
		"once":           func() io.Reader { return io.MultiReader(strings.NewReader("the order")) },
	} {
		for _, scheme := range []string{"NTLM", "Negotiate"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				verifyNoLeak(t)
				d := newDesk(t, "Basic realm=\"x\"", scheme)
				res, err := fetch(t, over(t, "PRACTICE", "alice", password, d.URL), http.MethodPost, d.URL, body())
				if err != nil || res.Status != http.StatusOK {
					t.Fatalf("%+v, %v", res, err)
				}
				legs := d.seen()
				if len(legs) != 3 || legs[0].auth != "" || legs[0].body != "the order" || legs[1].body != "" || legs[2].body != "the order" {
					t.Fatalf("%+v", legs)
				}
				for _, l := range legs {
					if l.from != legs[0].from || l.proto != "HTTP/1.1" {
						t.Errorf("%s over %s", l.proto, l.from)
					}
				}
				isV2(t, legs[2].auth, scheme)
			})
		}
	}
}

// isV2 reads an AUTHENTICATE_MESSAGE (MS-NLMP section 2.2.1.3): NTLMv1's
// responses are 24 bytes each; NTLMv2's NT response begins its blob with 1, 1.
func isV2(t *testing.T, auth, scheme string) {
	t.Helper()
	m, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(auth, scheme+" "))
	if err != nil || len(m) < 64 {
		t.Fatalf("%q: %v", auth, err)
	}
	lm, nt := binary.LittleEndian.Uint16(m[12:]), binary.LittleEndian.Uint16(m[20:])
	at := binary.LittleEndian.Uint32(m[24:])
	if lm != 0 || nt <= 24 || m[at+16] != 1 || m[at+17] != 1 {
		t.Errorf("the responses have %d and %d bytes", lm, nt)
	}
}

// gss-ntlmssp finds nobody by user@domain, so that this form is read off the wire:
// the whole name and no domain.
func TestANameGoesOutAsItWasWritten(t *testing.T) {
	for _, c := range []struct{ domain, user, wantDomain, wantUser string }{
		{"", "alice", "", "alice"},
		{" PRACTICE ", " alice ", "PRACTICE", "alice"},
		{"", `PRACTICE\alice`, "PRACTICE", "alice"},
		{"OTHER", `PRACTICE\alice`, "PRACTICE", "alice"},
		{"", "alice@practice.example.test", "", "alice@practice.example.test"},
		{"PRACTICE", "alice@practice.example.test", "", "alice@practice.example.test"},
		{"", `.\zoë`, ".", "zoë"},
	} {
		d := newDesk(t, "NTLM")
		if _, err := fetch(t, over(t, c.domain, c.user, password, d.URL), http.MethodGet, d.URL, nil); err != nil {
			t.Fatal(err)
		}
		m, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(d.seen()[2].auth, "NTLM "))
		if err != nil {
			t.Fatal(err)
		}
		if domain, user := text(m, 28), text(m, 36); domain != c.wantDomain || user != c.wantUser {
			t.Errorf("%q and %q went out as %q and %q", c.domain, c.user, domain, user)
		}
	}
}

// text is the string that a field of a message points to.
func text(m []byte, field int) string {
	n, at := int(binary.LittleEndian.Uint16(m[field:])), int(binary.LittleEndian.Uint32(m[field+4:]))
	var units []uint16
	for i := at; i < at+n; i += 2 {
		units = append(units, binary.LittleEndian.Uint16(m[i:]))
	}
	return string(utf16.Decode(units))
}

func TestWithoutHTTP1TheSameServerSpeaksHTTP2(t *testing.T) {
	d := newDesk(t, "NTLM")
	srv := httptest.NewUnstartedServer(d)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	for proto, http1 := range map[string]bool{"HTTP/1.1": true, "HTTP/2.0": false} {
		client, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{TLS: connectors.TLS{CA: ca}, HTTP1: http1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.CloseIdleConnections)
		if _, err := fetch(t, client, http.MethodGet, srv.URL, nil); err != nil {
			t.Fatal(err)
		}
		if legs := d.seen(); legs[len(legs)-1].proto != proto {
			t.Errorf("HTTP1 %v spoke %s", http1, legs[len(legs)-1].proto)
		}
	}
}

func TestSecurity59_OnlyTheOriginThatAsksForNTLMGetsAnything(t *testing.T) {
	other, basic, both, home := newDesk(t, "NTLM"), newDesk(t, `Basic realm="a, NTLM, b"`), newDesk(t, `Basic realm="x", NTLM`), newDesk(t, "NTLM")
	home.then = http.RedirectHandler(other.URL, http.StatusTemporaryRedirect)
	withUser := func(url string) string { return strings.Replace(url, "://", "://alice:"+password+"@", 1) }
	for name, c := range map[string]struct{ origin, url string }{
		"redirected":     {home.URL, home.URL},
		"other origin":   {"http://elsewhere.example.test", other.URL},
		"no origin":      {"", other.URL},
		"Basic alone":    {basic.URL, withUser(basic.URL)},
		"Basic and NTLM": {both.URL, withUser(both.URL)},
	} {
		client := &http.Client{Transport: ntlmx.New(&http.Transport{}, "", "alice", secret(password), c.origin)}
		if _, err := fetch(t, client, http.MethodGet, c.url, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		client.CloseIdleConnections()
	}
	for d, want := range map[*desk]string{other: "[  ]", basic: "[]", both: "[ NTLM NTLM]", home: "[ NTLM NTLM]"} {
		var got []string
		for _, l := range d.seen() {
			scheme, _, _ := strings.Cut(l.auth, " ")
			got = append(got, scheme)
		}
		if len(got) == 0 || fmt.Sprint(got) != want {
			t.Errorf("%v was sent %q, want %s", d.offers, got, want)
		}
	}
}

func TestSecurity59_AHostileChallengeCausesAnErrorAndNothingElse(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString
	good := challenged(0x00a08201, nil)
	for _, c := range []struct {
		name, challenge string
		code            connectors.Code
		reason          string
	}{
		{"none", "", connectors.Unsupported, "ntlm.not_spoken"},
		{"no base64", "***", connectors.Unsupported, "ntlm.not_spoken"},
		{"one byte", "AA==", connectors.Refused, "ntlm.challenge"},
		{"cut off", encoded(good[:40]), connectors.Refused, "ntlm.challenge"},
		{"another message", encoded(append([]byte("NTLMSSP\x00\x01"), good[9:]...)), connectors.Refused, "ntlm.challenge"},
		{"LM's keys", encoded(challenged(0x00a08281, nil)), connectors.Refused, "ntlm.challenge"},
		{"no Unicode", encoded(challenged(0x00a08200, nil)), connectors.Refused, "ntlm.challenge"},
		{"information without end", encoded(challenged(0x00a08201, []byte{2, 0, 255, 255, 'D'})), connectors.Refused, "ntlm.challenge"},
		{"information elsewhere", encoded(append(append(append([]byte{}, good[:44]...), 0xff, 0xff, 0xff, 0x7f), good[48:]...)), connectors.Refused, "ntlm.challenge"},
		{"Kerberos's", encoded([]byte("\xa1\x14\x30\x12\xa0\x03\x0a\x01\x01")), connectors.Refused, "ntlm.challenge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			verifyNoLeak(t)
			d := newDesk(t, "NTLM")
			d.answers = func(string) string { return c.challenge }
			_, err := fetch(t, over(t, "", "alice", password, d.URL), http.MethodGet, d.URL, nil)
			wants(t, err, c.code, c.reason, "")
			if n := len(d.seen()); n != 2 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestSecurity57_AnEmptyPasswordOrAWrongNameIsNotSent(t *testing.T) {
	d := newDesk(t, "NTLM")
	for _, c := range []struct{ domain, user, pass, reason, field string }{
		{"", "alice", "", "ntlm.password_missing", "password"},
		{"PRACTICE", "", password, "ntlm.user", "user"},
		{"", `PRACTICE\`, password, "ntlm.user", "user"},
		{"", `A\B\alice`, password, "ntlm.user", "user"},
		{"", "alice\n", password, "", ""},
		{"", "al\nice", password, "ntlm.user", "user"},
		{"", strings.Repeat("a", 70000), password, "ntlm.user", "user"},
	} {
		before := len(d.seen())
		_, err := fetch(t, over(t, c.domain, c.user, c.pass, d.URL), http.MethodGet, d.URL, nil)
		if c.reason == "" {
			if err != nil {
				t.Errorf("%q: %v", c.user, err)
			}
			continue
		}
		wants(t, err, connectors.BadInput, c.reason, c.field)
		if len(d.seen()) != before {
			t.Errorf("%q: something was sent", c.user)
		}
	}
}

func TestTheNextRequestWaitsForTheBodyAndForNoLongerThanItsContext(t *testing.T) {
	verifyNoLeak(t)
	d := newDesk(t, "NTLM")
	d.then = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	client := over(t, "", "alice", password, d.URL)
	do := func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		return client.Do(req)
	}
	first, err := do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if res, err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", res, err)
	}
	_ = first.Body.Close()
	_ = first.Body.Close()
	second, err := do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Body.Close()
}
