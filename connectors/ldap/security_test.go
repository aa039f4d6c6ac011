package ldap

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/tlsx"
)

func tryFor(t *testing.T, s connectors.Settings, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	got, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
	if err == nil {
		_ = got.Close()
	}
	return err
}

func TestSecurity51_AnExceptionIsOneCertificate(t *testing.T) {
	d, other := startSlapd(t, option{}), server.NewCA(t)
	conn, err := tls.Dial("tcp", "127.0.0.1:"+portOf(d.secure), &tls.Config{InsecureSkipVerify: true}) // only to see the certificate
	if err != nil {
		t.Fatal(err)
	}
	pin := tlsx.Fingerprint(conn.ConnectionState().PeerCertificates[0])
	_ = conn.Close()
	for _, security := range []string{overTLS, startTLS} {
		if err := tryFor(t, d.settings("security", security, "ca", "", "tls_pin", pin), 10*time.Second); err != nil {
			t.Errorf("%s: %v", security, err)
		}
		e := connectors.Classify(tryFor(t, d.settings("security", security, "tls_pin", "SHA256:"+strings.Repeat("A", 43)), 10*time.Second))
		if e == nil || e.Code != connectors.HostChanged || e.Field != "tls_pin" || e.Op != connectors.StageSecure {
			t.Errorf("%s: %+v", security, e)
		}
		// Without an answer for the authority, the system's decide.
		for _, ca := range []string{"", other.PEM} {
			e = connectors.Classify(tryFor(t, d.settings("security", security, "ca", ca), 10*time.Second))
			if e == nil || e.Code != connectors.Untrusted || e.Field != "ca" || e.Op != connectors.StageSecure {
				t.Errorf("%s: %+v", security, e)
			}
		}
	}
}

func TestSecurity55_StartTLSIsRefused(t *testing.T) {
	for _, code := range []int64{1, 2, 8, 52, 53} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			p := newPuppet(t, func(_ *puppet, r request) bool {
				if r.op.Tag == ldap.ApplicationExtendedRequest {
					r.answer(result(ldap.ApplicationExtendedResponse, code, "not here"))
					return true
				}
				r.answer(bound())
				return true
			})
			err := tryFor(t, p.settings(startTLS), 10*time.Second)
			e := connectors.Classify(err)
			if e == nil || e.Code != connectors.Unsupported || e.Reason != "ldap.no_starttls" || e.Op != connectors.StageSecure || e.Field != "security" {
				t.Errorf("%+v", e)
			}
			if bytes.Contains(p.seen(), []byte(canary)) {
				t.Error("the password went out in the clear")
			}
		})
	}
}

func TestSecurity55_StartTLSStalls(t *testing.T) {
	for name, handle := range map[string]func(*puppet, request) bool{
		"before the answer": func(*puppet, request) bool { return true },
		"before the handshake": func(p *puppet, r request) bool {
			r.answer(result(ldap.ApplicationExtendedResponse, 0, ""))
			for {
				if _, err := (tee{r.conn, p}).Read(make([]byte, 4096)); err != nil {
					return false
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPuppet(t, handle)
			start := time.Now()
			err := tryFor(t, p.settings(startTLS), 500*time.Millisecond)
			if e := connectors.Classify(err); e == nil || e.Code != connectors.TimedOut || e.Op != connectors.StageSecure {
				t.Errorf("%+v", e)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			if bytes.Contains(p.seen(), []byte(canary)) {
				t.Error("the password went out in the clear")
			}
		})
	}
}

// What stands behind the answer in the clear must not count as the server's.
func TestSecurity55_NothingIsSmuggledBehindTheAnswer(t *testing.T) {
	p := newPuppet(t, func(_ *puppet, r request) bool {
		both := append(envelope(1, result(ldap.ApplicationExtendedResponse, 0, "")).Bytes(), envelope(1, bound()).Bytes()...)
		_, _ = r.conn.Write(both)
		return true
	})
	err := tryFor(t, p.settings(startTLS), 5*time.Second)
	if e := connectors.Classify(err); e == nil || e.Op != connectors.StageSecure {
		t.Errorf("%+v", e)
	}
	if bytes.Contains(p.seen(), []byte(canary)) {
		t.Error("the password went out in the clear")
	}
}

func TestSecurity56_FiltersAreEscaped(t *testing.T) {
	for _, name := range []string{"*)(uid=*))(|(uid=", "a\x00b", `CORP\*`, "(", `\`, "*", "cn=*)(objectClass=*", "\xff"} {
		f, err := ldap.CompileFilter(ownFilter(name, "corp.example.com"))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		want := name
		if _, short, ok := strings.Cut(name, `\`); ok {
			want = short
		}
		if strings.Contains(name, "=") {
			if f.Tag != ldap.FilterEqualityMatch || text(f.Children[1]) != name {
				t.Errorf("%q became another filter", name)
			}
			continue
		}
		if f.Tag != ldap.FilterAnd || len(f.Children) != 2 || len(f.Children[1].Children) != 2 {
			t.Fatalf("%q became another filter", name)
		}
		for i, value := range []string{want, name} {
			if part := f.Children[1].Children[i]; part.Tag != ldap.FilterEqualityMatch || text(part.Children[1]) != value {
				t.Errorf("%q is looked for as %q", name, text(part.Children[1]))
			}
		}
	}
}

func TestSecurity56_HostileNamesStayNames(t *testing.T) {
	d := startSlapd(t, option{})
	for _, user := range []string{"*)(uid=*))(|(uid=", "cn=*," + company, "cn=reader\x00," + company, "*"} {
		err := tryFor(t, d.settings("user", user), 10*time.Second)
		if code := connectors.CodeOf(err); code != connectors.AuthFailed && code != connectors.BadInput {
			t.Errorf("%q: %v", user, err)
		}
	}
	s := open1(t, d.settings())
	for _, id := range []connectors.NodeID{"*)(uid=*))(|(uid=", "ou=*," + company, connectors.NodeID("ou=People\x00," + company)} {
		for n, err := range s.Children(t.Context(), id) {
			if connectors.CodeOf(err) != connectors.NotFound {
				t.Errorf("%q lists %q, %v", id, n.Name, err)
			}
		}
	}
}

func TestSecurity57_AnEmptyPasswordNeverLeaves(t *testing.T) {
	w := conntest.NewWorld(t)
	w.Env.Dial = func(context.Context, string, string) (net.Conn, error) {
		t.Error("the network was used")
		return nil, errors.New("no network")
	}
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "user": reader}
	_, err := Type().Open(t.Context(), w.Env, s)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != "password" {
		t.Errorf("%+v", e)
	}
	// The same without the form in between.
	_, err = open(t.Context(), w.Env, config{Host: "127.0.0.1", Auth: simple, Security: plainText, User: reader})
	if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != "password" {
		t.Errorf("%+v", e)
	}
	_, err = open(t.Context(), w.Env, config{Host: "127.0.0.1", Auth: simple, Security: plainText, Password: connectors.NewSecret(canary)})
	if connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("%v", err)
	}
}

func TestSecurity57_AnonymousIsAChoice(t *testing.T) {
	p := newPuppet(t, likeAD(nil))
	s := p.settings(plainText)
	s.Plain["auth"] = anonymous // user and password are still in the form, hidden
	if err := tryFor(t, s, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, binds := p.counts(); len(binds) != 1 || binds[0] != "" || bytes.Contains(p.seen(), []byte(canary)) {
		t.Errorf("%q", binds)
	}
}

func TestSecurity58_ReferralsAreNotFollowed(t *testing.T) {
	other := newPuppet(t, likeAD(nil))
	to := "ldap://" + net.JoinHostPort(other.host, other.port) + "/OU=Elsewhere," + corp
	p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationSearchRequest || r.base() == "" {
			return false, false
		}
		switch scope, _ := r.op.Children[1].Value.(int64); {
		case strings.HasPrefix(r.base(), "OU=Elsewhere"):
			r.answer(result(ldap.ApplicationSearchResultDone, 10, "0000202B: RefErr: DSID-03100838", to))
		case scope == ldap.ScopeSingleLevel:
			r.answer(entry("OU=Sales,"+corp, "objectClass", "organizationalUnit"), continuation(to), done())
		default:
			return false, false
		}
		return true, true
	}))
	s := open1(t, p.settings(plainText))
	all := conntest.Below(t, s, "")
	if n := all["Elsewhere"]; n.Kind != kindReferral || n.Branch || len(n.Views) != 0 || !strings.Contains(n.Facts[0].Text, other.port) {
		t.Errorf("%+v", n)
	}
	for _, id := range []connectors.NodeID{all["Elsewhere"].ID, connectors.NodeID("OU=Elsewhere," + corp)} {
		for _, err := range s.Children(t.Context(), id) {
			if e := connectors.Classify(err); e == nil || e.Reason != "ldap.referral" || !strings.Contains(e.Said, other.port) {
				t.Errorf("%s: %+v", id, e)
			}
		}
		if _, err := s.Table(t.Context(), id, 10); connectors.Classify(err).Reason != "ldap.referral" {
			t.Errorf("%s: %v", id, err)
		}
	}
	refused := newPuppet(t, func(_ *puppet, r request) bool {
		r.answer(result(ldap.ApplicationBindResponse, 10, "", to))
		return true
	})
	if e := connectors.Classify(tryFor(t, refused.settings(plainText), 10*time.Second)); e == nil || e.Reason != "ldap.referral" {
		t.Errorf("%+v", e)
	}
	if conns, _ := other.counts(); conns != 0 {
		t.Error("the referral was followed")
	}
}

func TestSecurity58_AnswersAreBounded(t *testing.T) {
	// long is an element of any length, with definite length octets.
	long := func(tag byte, content []byte) []byte {
		n := len(content)
		return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, content...)
	}
	number := []byte{2, 1, 3}
	deep := []byte{}
	for range 2000 {
		deep = long(0x30, deep)
	}
	reference := envelope(3, continuation("ldap://elsewhere.invalid/"+corp)).Bytes()
	one := envelope(3, entry("CN=a,"+corp, "description", strings.Repeat("x", 60_000))).Bytes()
	for name, hostile := range map[string][]byte{
		"2 GiB promised":           append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 4, 0x84, 0x7f, 0xff, 0xff, 0xf0}, make([]byte, 1<<20)...),
		"a child over its parent":  long(0x30, append(bytes.Clone(number), 0x64, 0x84, 0x7f, 0, 0, 0, 4, 0x84, 0x7e, 0, 0, 0)),
		"a result over its packet": long(0x30, append(bytes.Clone(number), 0x65, 0x84, 0x7f, 0, 0, 0, 10, 1, 0, 4, 0, 4, 0)),
		"a result of many parts":   long(0x30, append(bytes.Clone(number), long(0x65, bytes.Repeat([]byte{4, 0}, 200<<10))...)),
		"no definite length":       append([]byte{0x30, 0x80, 0x24, 0x80}, bytes.Repeat([]byte{4, 2, 0, 0}, 1<<18)...),
		"depth":                    long(0x30, append(bytes.Clone(number), deep...)),
		"many small parts":         long(0x30, append(bytes.Clone(number), long(0x65, bytes.Repeat([]byte{4, 0}, 4<<20))...)),
		"many small entry parts":   bytes.Repeat(long(0x30, append(bytes.Clone(number), long(0x64, append(octets(corp).Bytes(), long(0x30, bytes.Repeat([]byte{4, 0}, 4<<20))...))...)), 5),
		"endless entries":          bytes.Repeat(one, maxPage/len(one)+2),
		"endless references":       bytes.Repeat(reference, maxMore/len(reference)+2),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
				if r.op.Tag != ldap.ApplicationSearchRequest || !strings.HasPrefix(r.base(), "OU=Hostile") {
					return false, false
				}
				_, _ = r.conn.Write(hostile)
				return true, true // and the connection stays open, as if more would come
			}))
			s := open1(t, p.settings(plainText))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for _, err := range s.Children(ctx, "OU=Hostile,"+corp) {
				e := connectors.Classify(err)
				if e == nil || e.Code != connectors.Refused || (e.Reason != "ldap.too_big" && e.Reason != "ldap.not_ldap") {
					t.Errorf("%+v", e)
				}
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
				t.Errorf("%d MiB were needed", used>>20)
			}
			if _, err := s.Check(t.Context()); err != nil {
				t.Errorf("the session is lost: %v", err)
			}
		})
	}
}

// Decoders that panic must not take the program along.
func TestSecurity58_MalformedAnswers(t *testing.T) {
	short := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	empty := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultDone, nil, "")
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	control := ber.NewSequence("")
	control.AppendChild(octets(ldap.ControlTypeServerSideSortingResult))
	controls.AppendChild(control)
	for name, answer := range map[string]func(r request){
		"an entry without a name": func(r request) { r.answer(short) },
		"a result without a code": func(r request) { r.answer(empty) },
		"a control without a value": func(r request) {
			m := envelope(r.id, done())
			m.AppendChild(controls)
			_, _ = r.conn.Write(m.Bytes())
		},
		"an empty message": func(r request) { _, _ = r.conn.Write([]byte{0x30, 0}); _ = r.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
				if r.op.Tag != ldap.ApplicationSearchRequest || !strings.HasPrefix(r.base(), "OU=Hostile") {
					return false, false
				}
				answer(r)
				return true, true
			}))
			s := open1(t, p.settings(plainText))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for _, err := range s.Children(ctx, "OU=Hostile,"+corp) {
				if connectors.CodeOf(err) != connectors.Refused {
					t.Errorf("%v", err)
				}
			}
			if _, err := s.Check(t.Context()); err != nil {
				t.Errorf("the session is lost: %v", err)
			}
		})
	}
}

func TestSecurity80_ThePasswordIsNowhere(t *testing.T) {
	for _, said := range []string{"you said " + canary, ""} {
		p := newPuppet(t, func(_ *puppet, r request) bool {
			r.answer(result(ldap.ApplicationBindResponse, 49, said))
			return true
		})
		w := conntest.NewWorld(t)
		_, err := Type().Open(t.Context(), w.Env, p.settings(plainText))
		if err == nil {
			t.Fatal("it worked")
		}
		seen := fmt.Sprintf("%v %+v %#v %+v %s %+v", err, err, err, connectors.Explain(err), w.Log(), w.Steps())
		if strings.Contains(seen, canary) {
			t.Errorf("the password is in %s", seen)
		}
	}
}
