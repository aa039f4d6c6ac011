package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/bodyx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/jwtx"
)

// early is how long before its end a token is made anew.
const early = time.Minute

// selfSigned is a JWT that is sent as the token, made anew before it ends.
type selfSigned struct {
	nothing
	spec jwtx.Spec
	send part
	now  func() time.Time

	mu    sync.Mutex
	token string
	made  time.Time
	until time.Time
}

// jwt is what the answers say of the token.
func (w signIn) jwt(o *opening) jwtx.Spec {
	fields := jwtx.Fields{Secret: w.Secret, Key: w.Key, Passphrase: w.Passphrase, Payload: field1(w.Payload), Headers: field1(w.Header)}
	payload, headers := o.text(w.Payload), o.text(w.Header)
	if fields.Payload == "" {
		payload = body(w.Payload, jsonType, o.vars, nil)
	}
	if fields.Headers == "" {
		headers = body(w.Header, jsonType, o.vars, nil)
	}
	return jwtx.Spec{Method: o.text(w.Method), Secret: o.secret(w.Secret), SecretBase64: o.text(w.Encoded) == "true", Key: o.secret(w.Key), Passphrase: o.secret(w.Passphrase),
		Payload: payload, Headers: headers, Fields: fields}
}

// sent is the header that carries the token, and what stands in front of it.
func (w signIn) sent(o *opening) (name, prefix string) {
	name, prefix = orElse(o.text(w.Name), "Authorization"), w.Prefix
	if name == "Authorization" && prefix == "" {
		prefix = "Bearer "
	}
	return name, prefix
}

func (w signIn) selfSigned(o *opening) (credential, error) {
	name, prefix := w.sent(o)
	c := &selfSigned{now: o.env.Time, send: part{in: o.text(w.In), name: name, prefix: prefix}, spec: w.jwt(o)}
	if _, _, err := c.spec.Sign(o.env.Time()); err != nil {
		return nil, err
	}
	o.facts = c.tell
	return c, nil
}

// field1 is the field of a template that is one placeholder and nothing else.
func field1(template string) string {
	if n := names(template); len(n) == 1 && template == "{"+n[0]+"}" {
		return n[0]
	}
	return ""
}

func (c *selfSigned) sign(_ context.Context, req *http.Request) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.token == "" || now.Add(early).After(c.until) && now.Sub(c.made) > time.Second {
		token, until, err := c.spec.Sign(now)
		if err != nil {
			return "", err
		}
		c.token, c.until, c.made = token, until, now
	}
	p := c.send
	p.secret = connectors.NewSecret(c.token)
	p.put(req)
	return "", nil
}

func (c *selfSigned) tell() []connectors.Fact {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() {
		return nil
	}
	return []connectors.Fact{{Label: "Token until", Text: c.until.UTC().Format("2006-01-02 15:04:05 UTC") + ", made anew by itself"}}
}

// blamed: a token with a time in it is refused when the clocks differ.
func (c *selfSigned) blamed(err error, res *httpx.Response, now time.Time) error {
	return clockBlamed(err, res, now)
}

func clockBlamed(err error, res *httpx.Response, now time.Time) error {
	e := connectors.Classify(err)
	if res == nil || e == nil || e.Code != connectors.AuthFailed && e.Code != connectors.Denied {
		return err
	}
	off, wrong := clockOff(res.Header, now)
	if !wrong {
		return err
	}
	way := "ahead"
	if off < 0 {
		way, off = "behind", -off
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "web.clock", Op: connectors.StageSignIn, Target: res.URL.Host, Said: strconv.Itoa(int(off.Round(time.Minute)/time.Minute)) + " minutes " + way}
}

// signature4 is AWS Signature Version 4, with keys or with a role's.
type signature4 struct {
	nothing
	signer awsx.Signer
	keys   func(context.Context) (awsx.Credentials, error)
	now    func() time.Time
}

func (w signIn) aws(o *opening) (credential, error) {
	base := awsx.Credentials{AccessKey: o.text(w.AccessKey), Secret: o.secret(w.Secret), Token: o.secret(w.Session)}
	if err := base.Check(); err != nil {
		return nil, err
	}
	region := o.text(w.Region)
	out := signature4{signer: awsx.Signer{Region: region, Service: o.text(w.Service)}, now: o.env.Time, keys: func(context.Context) (awsx.Credentials, error) { return base, nil }}
	if arn := o.text(w.Role); arn != "" {
		out.keys = awsx.NewAssumer(o.client, region, base, awsx.Role{ARN: arn, ExternalID: o.text(w.ExternalID), Endpoint: o.text(w.STS)}, o.env.Time).Credentials
		o.facts = func() []connectors.Fact { return []connectors.Fact{{Label: "Role", Text: arn}} }
	}
	return out, nil
}

func (c signature4) sign(ctx context.Context, req *http.Request) (string, error) {
	keys, err := c.keys(ctx)
	if err != nil {
		return "", err
	}
	return "", c.signer.Sign(ctx, req, keys, c.now())
}

func (c signature4) blamed(err error, res *httpx.Response, now time.Time) error {
	if err == nil || res == nil {
		return err
	}
	if e := awsx.Refused(res, now); e != nil {
		return e
	}
	return clockBlamed(err, res, now)
}

// vendor is a token that a request of the vendor's own answers. It is kept in
// memory alone: the answers of the form make a new one at any time.
type vendor struct {
	nothing
	w    signIn
	o    *opening
	send part

	mu    sync.Mutex
	token connectors.Secret
	until time.Time
}

func (w signIn) vendor(ctx context.Context, o *opening) (credential, error) {
	name, prefix := w.sent(o)
	v := &vendor{w: w, o: o, send: part{in: w.In, name: name, prefix: prefix}}
	host := o.base.Host
	err := o.env.Climb(ctx, connectors.StageSignIn, host, func(ctx context.Context) (string, error) {
		_, err := v.fresh(ctx)
		return "", err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *vendor) sign(ctx context.Context, req *http.Request) (string, error) {
	token, err := v.fresh(ctx)
	if err != nil {
		return "", err
	}
	p := v.send
	p.secret = token
	p.put(req)
	return token.Reveal(), nil
}

func (v *vendor) stale(_ context.Context, used string) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.token.Reveal() == used {
		v.token = connectors.Secret{}
	}
	return true, nil
}

func (v *vendor) fresh(ctx context.Context) (connectors.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.token.Empty() && (v.until.IsZero() || v.o.env.Time().Add(early).Before(v.until)) {
		return v.token, nil
	}
	res, answer, err := v.request(ctx)
	if err != nil {
		return connectors.Secret{}, err
	}
	text := jsonx.Text(answer, v.o.text(v.w.Answer))
	if text == "" && v.w.Answer == "" {
		text = strings.TrimSpace(string(res.Body))
	}
	if text == "" || validHeaderValue(text) != nil {
		return connectors.Secret{}, &connectors.Error{Code: connectors.Refused, Reason: "web.no_token", Op: connectors.StageSignIn, Target: res.URL.Host, Field: field1(v.w.Answer), Said: v.o.text(v.w.Answer)}
	}
	v.token, v.until = connectors.NewSecret(text), time.Time{}
	if seconds, err := strconv.ParseFloat(jsonx.Text(answer, v.o.text(v.w.Lives)), 64); err == nil && v.w.Lives != "" && seconds > 0 {
		v.until = v.o.env.Time().Add(time.Duration(min(seconds, 1e9)) * time.Second)
	}
	return v.token, nil
}

// request sends the sign-in. It follows no redirect: its body holds the secret.
func (v *vendor) request(ctx context.Context) (*httpx.Response, jsonx.Value, error) {
	r := v.w.Ask
	all := with(v.o.vars)
	for k, s := range v.o.secrets {
		all[k] = s.Reveal()
	}
	where, err := v.o.base.Parse(joined(v.o.base, fill(r.where(), v.o.vars, nil)))
	if err != nil {
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field1(r.where()), Err: err}
	}
	if where.Scheme != "https" && !local(where.String()) && where.Scheme != v.o.base.Scheme {
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Reason: "oauth.insecure", Op: connectors.StageForm, Field: field1(r.where())}
	}
	content := body(r.Body, orElse(r.Type, jsonType), all, nil)
	if r.Body == "" {
		content = v.o.secret(v.w.Secret).Reveal() // the person typed the whole of it
	}
	req, err := http.NewRequestWithContext(ctx, r.method(), where.String(), strings.NewReader(content))
	if err != nil {
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	req.Header.Set("Content-Type", orElse(v.o.text(r.Type), jsonType))
	req.Header.Set("Accept", jsonType)
	for k, h := range r.Headers {
		if h = text(h, all); validHeaderValue(h) == nil {
			req.Header.Set(k, h)
		}
	}
	res, err := httpx.Do(httpx.WithoutRedirects(v.o.client), req, 1<<20)
	if err != nil {
		return nil, nil, addressed(err, v.o.address)
	}
	answer, _, _ := bodyx.Parse(res.Header.Get("Content-Type"), res.Body)
	e := res.Err(jsonx.Text(answer, messages))
	if e == nil {
		return res, answer, nil
	}
	e.Op = connectors.StageSignIn
	if e.Code == connectors.AuthFailed || e.Code == connectors.Denied || res.Status == http.StatusBadRequest {
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "", v.w.Secret
	}
	return nil, nil, e
}

// joined puts a path below the base's own.
func joined(base *url.URL, where string) string {
	if strings.HasPrefix(where, "/") && !strings.HasPrefix(where, "//") {
		return strings.TrimSuffix(base.Path, "/") + where
	}
	return where
}
