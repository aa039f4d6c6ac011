package ldap

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestActiveDirectory(t *testing.T) {
	p := newPuppet(t, likeAD(nil))
	s := open1(t, p.settings(plainText))
	if _, binds := p.counts(); len(binds) != 1 || binds[0] != "alice@corp.example.com" {
		t.Errorf("signed in as %q", binds)
	}
	all, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range all {
		got[f.Label] = f.Text
	}
	if got["Server"] != "Active Directory (2016 level) on dc1.corp.example.com" || got["Base DN"] != corp || got["Name"] != "Alice Example" ||
		got["Expires"] != "2024-01-17T21:20:00Z" || got["Account"] != "alice@corp.example.com" {
		t.Errorf("%v", got)
	}
	top := conntest.Below(t, s, "")
	if !top["Sales"].Branch || top["alice"].Branch || top["alice"].Kind != kindPerson || !top["System"].Branch {
		t.Errorf("%+v", top)
	}
}

// stalls is a server whose listing of OU=Slow stops in the middle.
func stalls(t *testing.T) *puppet {
	return newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationSearchRequest || !strings.HasPrefix(r.base(), "OU=Slow") {
			return false, false
		}
		r.answer(entry("CN=a,OU=Slow,"+corp, "objectClass", "user"))
		return true, true
	}))
}

func TestCancelInTheMiddle(t *testing.T) {
	s := open1(t, stalls(t).settings(plainText))
	for name, look := range map[string]func(context.Context) error{
		"list": func(ctx context.Context) (last error) {
			for _, err := range s.Children(ctx, "OU=Slow,"+corp) {
				last = err
			}
			return last
		},
		"table": func(ctx context.Context) error {
			_, err := s.Table(ctx, "OU=Slow,"+corp, 10)
			return err
		},
	} {
		for code, end := range map[connectors.Code]func() (context.Context, context.CancelFunc){
			connectors.TimedOut: func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 100*time.Millisecond)
			},
			connectors.Cancelled: func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(100*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			ctx, cancel := end()
			start := time.Now()
			err := look(ctx)
			cancel()
			if connectors.CodeOf(err) != code {
				t.Errorf("%s: %v, want %s", name, err, code)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
			if _, err := s.Check(t.Context()); err != nil {
				t.Errorf("%s: the session is lost: %v", name, err)
			}
		}
	}
}

func TestCloseWhileListing(t *testing.T) {
	s := open1(t, stalls(t).settings(plainText))
	time.AfterFunc(100*time.Millisecond, func() { _ = s.Close() })
	for _, err := range s.Children(t.Context(), "OU=Slow,"+corp) {
		if connectors.CodeOf(err) != connectors.Cancelled {
			t.Errorf("%v", err)
		}
	}
	if _, err := s.Check(t.Context()); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("after Close: %v", err)
	}
}

// A server that has ended a waiting connection is asked again, once.
func TestComesBackAfterAWait(t *testing.T) {
	d := startSlapd(t, option{})
	s := open1(t, d.settings())
	for range 3 {
		for _, k := range s.idle {
			_ = k.wire.tcp.Close()
		}
		if _, err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.idle) != 1 || len(s.lent) != 0 {
		t.Errorf("%d connections wait, %d are lent", len(s.idle), len(s.lent))
	}
}

// Signing in again and again with what was refused would lock the account.
func TestARefusalIsNotRepeated(t *testing.T) {
	var binds atomic.Int64
	p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationBindRequest || binds.Add(1) == 1 {
			return false, false
		}
		r.answer(result(ldap.ApplicationBindResponse, 49, "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data 52e, v3839"))
		return true, true
	}))
	s := open1(t, p.settings(plainText))
	s.idle[0].kill()
	for range 5 {
		if _, err := s.Check(t.Context()); connectors.CodeOf(err) != connectors.AuthFailed {
			t.Errorf("%v", err)
		}
	}
	if n := binds.Load(); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestLimitsOfTheServer(t *testing.T) {
	d := startSlapd(t, option{many: 300, more: `limits dn.exact="` + reader + `" size=150`})
	s := open1(t, d.settings())
	n := 0
	var last error
	for _, err := range s.Children(t.Context(), "ou=Many,"+company) {
		if last = err; err == nil {
			n++
		}
	}
	e := connectors.Classify(last)
	if n == 0 || n > 150 || e == nil || e.Reason != "ldap.limit" || !e.Partial {
		t.Errorf("%d entries, then %+v", n, e)
	}
	rows, err := s.Table(t.Context(), "ou=Many,"+company, 200)
	if err != nil || !rows.Truncated || rows.Note == "" {
		t.Errorf("%+v %v", rows, err)
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("the session is lost: %v", err)
	}
}

func TestAServerThatCannotPage(t *testing.T) {
	p := newPuppet(t, func(_ *puppet, r request) bool {
		switch {
		case r.op.Tag == ldap.ApplicationBindRequest:
			r.answer(bound())
		case r.op.Tag != ldap.ApplicationSearchRequest:
			return false
		case r.base() == "":
			r.answer(entry("", "namingContexts", "o=old"), done())
		case r.op.Children[1].Value == int64(ldap.ScopeSingleLevel):
			if limit, _ := r.op.Children[3].Value.(int64); limit != unpaged {
				t.Errorf("the limit is %d", limit)
			}
			for i := range 300 {
				r.answer(entry(fmt.Sprintf("cn=%d,o=old", i), "objectClass", "person"))
			}
			r.answer(result(ldap.ApplicationSearchResultDone, 4, ""))
		default:
			r.answer(entry(r.base()), done())
		}
		return true
	})
	s := open1(t, p.settings(plainText))
	n := 0
	var last error
	for _, err := range s.Children(t.Context(), "") {
		if last = err; err == nil {
			n++
		}
	}
	if e := connectors.Classify(last); n != 300 || e == nil || !e.Partial {
		t.Errorf("%d entries, then %+v", n, e)
	}
}

// A server that always promises more members must not keep us for ever, and one
// that finds nobody of them does not hide them.
func TestEndlessMembers(t *testing.T) {
	parts := 0
	p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationSearchRequest {
			return false, false
		}
		scope, _ := r.op.Children[1].Value.(int64)
		switch {
		case r.base() != "CN=g,"+corp && scope != ldap.ScopeWholeSubtree, r.base() == "":
			return false, false
		case scope != ldap.ScopeBaseObject:
			r.answer(done())
		case parts < 2:
			parts++
			r.answer(entry(r.base(), "objectClass", "group", fmt.Sprintf("member;range=%d-%d", parts, parts), fmt.Sprintf("CN=m%d,%s", parts, corp)), done())
		default:
			r.answer(entry(r.base(), "objectClass", "group", "member;range=3-4", ""), done())
		}
		return true, true
	}))
	s := open1(t, p.settings(plainText))
	if got := conntest.Below(t, s, "CN=g,"+corp); len(got) != 2 || got["m1"].Access != connectors.AccessListed || got["m2"].Branch {
		t.Errorf("%+v", got)
	}
}

// Some servers name the paging control and then refuse it (RFC 4511 section 4.1.11).
func TestAServerThatRefusesToPage(t *testing.T) {
	p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationSearchRequest || r.op.Children[1].Value != int64(ldap.ScopeSingleLevel) {
			return false, false
		}
		if limit, _ := r.op.Children[3].Value.(int64); limit != unpaged {
			r.answer(result(ldap.ApplicationSearchResultDone, 12, "no paging here"))
			return true, true
		}
		return false, false
	}))
	s := open1(t, p.settings(plainText))
	if got := conntest.Below(t, s, ""); len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// A server that always promises another page must not keep us for ever.
func TestEndlessEmptyPages(t *testing.T) {
	p := newPuppet(t, likeAD(func(_ *puppet, r request) (bool, bool) {
		if r.op.Tag != ldap.ApplicationSearchRequest || !strings.HasPrefix(r.base(), "OU=Endless") {
			return false, false
		}
		m := envelope(r.id, done())
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		page := ldap.NewControlPaging(0)
		page.SetCookie([]byte("more"))
		controls.AppendChild(page.Encode())
		m.AppendChild(controls)
		_, _ = r.conn.Write(m.Bytes())
		return true, true
	}))
	s := open1(t, p.settings(plainText))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, err := range s.Children(ctx, "OU=Endless,"+corp) {
		if connectors.CodeOf(err) != connectors.Refused {
			t.Errorf("%v", err)
		}
	}
}

func TestSeveralNamingContexts(t *testing.T) {
	p := newPuppet(t, func(_ *puppet, r request) bool {
		switch {
		case r.op.Tag == ldap.ApplicationBindRequest:
			r.answer(bound())
		case r.op.Tag != ldap.ApplicationSearchRequest:
			return false
		case r.base() == "":
			r.answer(entry("", "namingContexts", "o=one|o=hidden|o=two"), done())
		case r.base() == "o=hidden":
			r.answer(result(ldap.ApplicationSearchResultDone, 32, ""))
		default:
			r.answer(entry(r.base()), done())
		}
		return true
	})
	s := open1(t, p.settings(plainText))
	if got := conntest.Below(t, s, ""); len(got) != 2 || !got["o=one"].Branch || got["o=two"].Kind != kindDomain {
		t.Errorf("%+v", got)
	}
}

func TestAnonymousMayBeRefused(t *testing.T) {
	d := startSlapd(t, option{more: "\nrequire authc"})
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, d.settings("auth", anonymous))
	conntest.WantError(t, err, connectors.Denied, "ldap.anonymous_denied", "auth")
	tls := startSlapd(t, option{more: "\nsecurity simple_bind=128"})
	_, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, tls.settings("security", plainText))
	if e := connectors.Classify(err); e == nil || e.Reason != "ldap.need_tls" || e.Field != "security" {
		t.Errorf("%+v", e)
	}
	if _, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, tls.settings("security", startTLS)); err != nil {
		t.Error(err)
	}
}

func TestClientCertificate(t *testing.T) {
	d := startSlapd(t, option{})
	issued := d.ca.Issue(t, server.Cert{Client: true, Name: "reader"})
	s := d.settings("client_cert", issued.Cert)
	s.Secrets["client_key"] = connectors.NewSecret(issued.Key)
	if _, err := open1(t, s).Check(t.Context()); err != nil {
		t.Error(err)
	}
}
