package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// A session is an open web service: a base address, a credential, and what may
// be looked at below.
type session struct {
	client  *http.Client
	plain   *http.Client // presents nothing: for what is fetched from elsewhere
	base    *url.URL
	hosts   []string // further hosts that the service's file names: "content.example.com", "*.example.com"
	cred    credential
	headers map[string]string
	query   url.Values        // added to every request
	vars    map[string]string // plain answers, for {placeholders}
	spec    *spec
	gate    *gate
	now     func() time.Time
	proxy   string // the form's; "" is the environment's
	free    bool   // any path below the base may be looked at
	facts   func() []connectors.Fact
	partial func() error
	shut    func()
	rebase  func() (*url.URL, error) // the base address once more, with what was resolved
}

func (s *session) Close() error {
	s.client.CloseIdleConnections()
	s.plain.CloseIdleConnections()
	if s.shut != nil {
		s.shut()
	}
	return nil
}

// target resolves where below the base address. Another origin is refused
// unless the service's own file names its host: the credential is for these.
func (s *session) target(where string) (*url.URL, error) {
	if strings.HasPrefix(where, "/") && !strings.HasPrefix(where, "//") {
		where = strings.TrimSuffix(s.base.Path, "/") + where
	}
	u, err := s.base.Parse(where)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: s.spec.Address, Target: connectors.Clean(where, 80), Said: "this cannot be part of an address"}
	}
	if httpx.Origin(u) != httpx.Origin(s.base) && !s.known(u) {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "http.redirect", Op: connectors.StageData, Target: s.base.Host, Said: u.Scheme + "://" + u.Host}
	}
	if len(s.query) > 0 {
		q := u.Query()
		for k, v := range s.query {
			if !q.Has(k) {
				q[k] = v
			}
		}
		u.RawQuery = q.Encode()
	}
	return u, nil
}

func (s *session) known(u *url.URL) bool {
	return u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && slices.ContainsFunc(s.hosts, func(h string) bool { return hostFits(h, u.Hostname()) })
}

// hostFits compares a host with a name or with "*.suffix".
func hostFits(pattern, host string) bool {
	host = strings.ToLower(host)
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return strings.HasSuffix(host, suffix) && len(host) > len(suffix)
	}
	return host == pattern
}

// send asks, and once more where a 401 could be cured by a new token.
func (s *session) send(ctx context.Context, u *url.URL, r request, content string, limit int) (*httpx.Response, error) {
	for try := 0; ; try++ {
		req, err := s.make(ctx, u, r, content)
		if err != nil {
			return nil, err
		}
		used, err := s.cred.sign(ctx, req)
		if err != nil {
			return nil, err
		}
		res, err := s.gate.do(ctx, s.spec.Limits, func() (*httpx.Response, error) {
			again := req.Clone(ctx)
			if req.GetBody != nil {
				again.Body, _ = req.GetBody()
			}
			return httpx.Do(s.client, again, limit)
		})
		err = addressed(err, s.spec.Address)
		if err != nil || res.Status != http.StatusUnauthorized || try > 0 {
			return res, err
		}
		again, err := s.cred.stale(ctx, used)
		if err != nil {
			return nil, err
		}
		if !again {
			return res, nil
		}
	}
}

func (s *session) make(ctx context.Context, u *url.URL, r request, content string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method(), u.String(), strings.NewReader(content))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	if content == "" {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0
	} else {
		req.Header.Set("Content-Type", orElse(r.Type, jsonType))
	}
	req.Header.Set("Accept", jsonType)
	req.Header.Set("User-Agent", "Jackfield")
	for _, headers := range []map[string]string{s.filled(s.headers, nil), r.Headers} {
		for k, v := range headers {
			if v != "" && validHeaderValue(v) == nil {
				req.Header.Set(k, v)
			}
		}
	}
	return req, nil
}

// addressed points at the form's one address where an error names host or port,
// which web forms do not ask for apart.
func addressed(err error, field string) error {
	e := connectors.Classify(err)
	if e == nil || e.Field != "host" && e.Field != "port" {
		return err
	}
	out := *e
	out.Field = field
	return &out
}

// ask sends r and judges the answer by the service's own rules. It reports the
// parsed body, nil when that is no data and need not be.
func (s *session) ask(ctx context.Context, r request, more map[string]string, limit int) (*httpx.Response, jsonx.Value, error) {
	return s.askAt(ctx, fill(r.where(), s.vars, more), r, more, limit)
}

func (s *session) askAt(ctx context.Context, where string, r request, more map[string]string, limit int) (*httpx.Response, jsonx.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, connectors.Classify(context.Cause(ctx))
	}
	u, err := s.target(where)
	if err != nil {
		return nil, nil, err
	}
	r.Headers = s.filled(r.Headers, more)
	res, err := s.send(ctx, u, r, body(r.Body, orElse(r.Type, jsonType), s.vars, more), limit)
	if err != nil {
		return nil, nil, s.cred.blamed(err, nil, s.now())
	}
	v, err := s.spec.judge(res)
	return res, v, s.cred.blamed(err, res, s.now())
}

// filled are a request's headers with their placeholders, filled once: what is
// put in may look like a placeholder itself. In a header that holds JSON, such
// as Dropbox-API-Arg, values are escaped for it.
func (s *session) filled(headers, more map[string]string) map[string]string {
	out := make(map[string]string, len(headers))
	for k, template := range headers {
		json := strings.HasPrefix(template, `{"`)
		out[k] = headerSafe(expand(template, s.vars, more, func(_, v string) string {
			if json {
				return quoted(v)
			}
			return v
		}))
	}
	return out
}

// headerSafe writes what is no ASCII as JSON does, for values such as
// Dropbox-API-Arg that hold JSON in a header.
func headerSafe(v string) string {
	var b strings.Builder
	for _, r := range v {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16Of(r) {
			b.WriteString(`\u` + hex4(u))
		}
	}
	return b.String()
}

// Check asks for the account and tells what is known.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	facts, err := s.check(ctx)
	if err != nil {
		return nil, err
	}
	if s.partial != nil {
		err = s.partial()
	}
	return facts, err
}

func (s *session) check(ctx context.Context) ([]connectors.Fact, error) {
	var out []connectors.Fact
	c := s.spec.Check
	if c.Request.where() != "" {
		res, v, err := s.asked(ctx, c)
		if err != nil {
			return nil, s.elsewhere(err)
		}
		out = s.factsOf(c.Facts, res, v)
	}
	for _, x := range c.Also {
		if !answered(x.When, s.vars) {
			continue
		}
		res, v, err := s.ask(ctx, x.Request, nil, 0)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			continue
		}
		for _, f := range s.factsOf(x.Facts, res, v) {
			out = told(out, f)
		}
	}
	out = append(out, connectors.Fact{Label: "Server", Text: s.base.Host})
	if s.base.Scheme == "http" {
		out = append(out, connectors.Fact{Label: "Encryption", Text: "none"})
	}
	if p := s.through(); p != "" {
		out = append(out, connectors.Fact{Label: "Proxy", Text: p})
	}
	if s.facts != nil {
		out = append(out, s.facts()...)
	}
	return out, nil
}

// asked is the answer to the first of a check's requests that is not denied, or
// why the first was.
func (s *session) asked(ctx context.Context, c check) (*httpx.Response, jsonx.Value, error) {
	for _, r := range c.First {
		if res, v, err := s.ask(ctx, r, nil, 0); err != nil {
			return res, v, err
		}
	}
	var first error
	for i, r := range append([]request{c.Request}, c.Or...) {
		res, v, err := s.ask(ctx, r, nil, 0)
		if err == nil {
			err = c.verdict(s.spec, res, v)
		}
		if i == 0 {
			first = err
		}
		if err == nil || connectors.CodeOf(err) != connectors.Denied {
			return res, v, err
		}
	}
	return nil, nil, first
}

// through is the proxy in use, without its password; "" for none.
func (s *session) through() string {
	switch s.proxy {
	case "":
		return httpx.Proxy(s.base.String())
	case "direct":
		return ""
	}
	return s.proxy
}

// elsewhere: when even the check's own request is not found, the address leads
// to another site or has a path too many.
func (s *session) elsewhere(err error) error {
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.NotFound || e.Field != "" || s.spec.Address == "" || s.free {
		return err
	}
	out := *e
	out.Reason, out.Field = "web.not_there", s.spec.Address
	return &out
}

// told adds f, in the place of what said less under the same label.
func told(facts []connectors.Fact, f connectors.Fact) []connectors.Fact {
	if i := slices.IndexFunc(facts, func(old connectors.Fact) bool { return old.Label == f.Label }); i >= 0 {
		facts[i] = f
		return facts
	}
	return append(facts, f)
}

func (s *session) factsOf(facts []fact, res *httpx.Response, v jsonx.Value) []connectors.Fact {
	var out []connectors.Fact
	for _, f := range facts {
		value := text(f.Text, s.vars)
		if value == "" {
			value = f.read(v)
		}
		if value == "" && f.Header != "" {
			value = f.shown(res.Header.Get(f.Header))
		}
		if value != "" {
			out = append(out, connectors.Fact{Label: f.Label, Text: connectors.Clean(value, 300)})
		}
	}
	return out
}

// ready opens a session: it proves the credentials with one request.
func ready(ctx context.Context, env *connectors.Env, s *session) (connectors.Session, error) {
	var facts []connectors.Fact
	err := s.resolve(ctx)
	if err == nil {
		facts, err = s.check(ctx)
	}
	if e := connectors.Classify(err); e != nil && e.Op != "" && e.Op != connectors.StageSignIn {
		_ = s.Close()
		return nil, e
	}
	err = env.Climb(ctx, connectors.StageSignIn, s.base.Host, func(context.Context) (string, error) {
		switch {
		case err != nil:
			return "", err
		case len(facts) > 0 && facts[0].Label == "Account":
			return facts[0].Text, nil
		}
		return http.StatusText(http.StatusOK), nil
	})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
