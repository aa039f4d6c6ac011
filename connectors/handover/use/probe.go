package use

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
)

// A sign is how a web service is asked: with what, and where the secrets are in it.
type sign struct {
	method, address string
	headers         []signed
	user            *signed // of Basic: user:password
	body            string
}

// signed is a named text with the secret key in it, at most one.
type signed struct {
	name, before, key, after string
}

var errCaught = errors.New("caught before it was sent")

// catcher keeps the request that carries a secret, and sends none.
type catcher struct {
	secrets map[string]string
	found   *sign
}

func (c *catcher) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(r.Body, 64<<10))
		_ = r.Body.Close()
	}
	if c.found == nil && !bytes.Contains(body, []byte("grant_type")) {
		c.found = c.signOf(r, string(body))
	}
	return nil, errCaught
}

// probe lets the type itself make its first request, and catches it before it
// goes anywhere: so its own rules say where a key or token belongs. It is nil for
// ways to sign in that are no fixed header (OAuth, signatures, challenges).
func (p *plan) probe() *sign {
	if p.typ.Open == nil || p.typ.Offline || p.asks("kdc") || len(p.form.Validate(p.s)) > 0 {
		return nil
	}
	switch p.v("auth") {
	case "oauth", "jwt", "aws", "google", "digest", "ntlm", "kerberos":
		return nil
	}
	c := &catcher{secrets: map[string]string{}}
	for _, f := range p.form.Fields {
		if f.Kind.Secret() && p.has(f.Key) && !strings.HasPrefix(f.Key, "via_") {
			c.secrets[f.Key] = p.s.Secrets[f.Key].Reveal()
		}
	}
	if len(c.secrets) == 0 {
		return nil
	}
	closed := func(context.Context, string, string) (net.Conn, error) { return nil, errCaught }
	env := &connectors.Env{Dial: closed, HTTP: func(connectors.HTTP) (*http.Client, error) { return &http.Client{Transport: c}, nil }}
	session, err := p.typ.Open(context.Background(), env, p.s)
	if err == nil {
		_, _ = session.Check(context.Background())
		_ = session.Close()
	}
	return c.found
}

// own are headers that the tool sets itself.
var own = []string{"User-Agent", "Accept-Encoding", "Content-Length", "Connection"}

func (c *catcher) signOf(r *http.Request, body string) *sign {
	out := &sign{method: r.Method, body: body}
	carries := false
	for name, values := range r.Header {
		for _, v := range values {
			if slices.Contains(own, name) {
				continue
			}
			if user := c.basic(name, v); user != nil {
				out.user, carries = user, true
				continue
			}
			h := c.split(name, v)
			carries = carries || h.key != ""
			out.headers = append(out.headers, h)
		}
	}
	slices.SortFunc(out.headers, func(a, b signed) int { return strings.Compare(a.name, b.name) })
	u := *r.URL
	if len(u.Query()) > 0 {
		for _, s := range c.secrets {
			if strings.Contains(u.RawQuery, url.QueryEscape(s)) {
				carries = true
			}
		}
	}
	if out.address = u.String(); !carries {
		return nil
	}
	return out
}

// basic takes RFC 7617 apart.
func (c *catcher) basic(name, value string) *signed {
	word, rest, ok := strings.Cut(value, " ")
	if !ok || name != "Authorization" || !strings.EqualFold(word, "Basic") {
		return nil
	}
	plain, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return nil
	}
	if out := c.split("user", string(plain)); out.key != "" {
		return &out
	}
	return nil
}

// split finds the secrets in a text, the longest first.
func (c *catcher) split(name, v string) signed {
	best := ""
	for key, s := range c.secrets {
		if strings.Contains(v, s) && (best == "" || len(s) > len(c.secrets[best]) || len(s) == len(c.secrets[best]) && key < best) {
			best = key
		}
	}
	if best == "" {
		return signed{name: name, before: v}
	}
	at := strings.LastIndex(v, c.secrets[best])
	return signed{name: name, before: v[:at], key: best, after: v[at+len(c.secrets[best]):]}
}

// text is the piece with the secret, or what stands for it.
func (s signed) text(p *plan) string {
	if s.key == "" {
		return s.before
	}
	return s.before + p.secret(s.key) + s.after
}

// addressOf is the address with what stands for a secret in its query.
func (p *plan) addressOf(s *sign) string {
	out := s.address
	for _, f := range p.form.Fields {
		if !f.Kind.Secret() || !p.has(f.Key) {
			continue
		}
		real := url.QueryEscape(p.s.Secrets[f.Key].Reveal())
		if at := strings.LastIndexByte(out, '?'); at >= 0 && strings.Contains(out[at:], "="+real) {
			shown := p.secret(f.Key)
			if !p.marked(f.Key) {
				shown = real
			}
			out = out[:at] + strings.ReplaceAll(out[at:], "="+real, "="+shown)
		}
	}
	return out
}
