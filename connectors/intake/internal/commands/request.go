package commands

import (
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// A request is what curl, wget, httpie or PowerShell would have sent.
type request struct {
	method, url    string
	headers        [][2]string
	body           string
	sends          bool // a body, which may be empty
	user, password string
	signs          bool   // user is an answer, also an empty one
	scheme         string // "", "basic", "digest", "ntlm", "kerberos", "aws"
	aws            string // curl's provider1:provider2:region:service
	bearer         string
	proxy          string
	cert           bool // a client certificate
	passphrase     string
	open           bool // neither certificate nor host name is checked
	files          [][2]string
	left           []part.Left
	notes          []string
}

// header is the value of a header; the last one counts.
func (r *request) header(name string) string {
	for i := len(r.headers) - 1; i >= 0; i-- {
		if strings.EqualFold(r.headers[i][0], name) {
			return r.headers[i][1]
		}
	}
	return ""
}

// without takes a header out and returns its value.
func (r *request) without(name string) string {
	v := r.header(name)
	r.headers = slices.DeleteFunc(slices.Clone(r.headers), func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	return v
}

// settled moves what headers and address say about the sign-in to its place.
func (r *request) settled() *url.URL {
	if !strings.Contains(r.url, "://") {
		r.url = "http://" + r.url
	}
	u, err := url.Parse(r.url)
	if err != nil || u.Host == "" {
		return nil
	}
	if u.User != nil {
		if !r.signs {
			r.user = u.User.Username()
			r.password, _ = u.User.Password()
			r.signs = true
		}
		u.User = nil
		r.notes = append(r.notes, "The password stood in the address.")
	}
	r.authorization()
	return u
}

func (r *request) authorization() {
	value := r.header("Authorization")
	kind, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(kind) {
	case "bearer":
		if r.bearer == "" {
			r.bearer = rest
		}
		r.without("Authorization")
	case "basic":
		if user, password, ok := basic(rest); ok && !r.signs {
			r.user, r.password, r.signs = user, password, true
			r.without("Authorization")
		}
	}
}

// filled is the request as the type http.
func (r *request) filled(in part.Input) *fill.Draft {
	d := fill.New(in.Types, "http")
	u := r.settled()
	if d == nil || u == nil {
		return nil
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	d.Set("base_url", u.Scheme+"://"+u.Host, "the address")
	r.signIn(d, u)
	r.plainHeaders(d)
	r.test(d, u)
	r.rest(d)
	return d
}

// rest is what the command said besides the request.
func (r *request) rest(d *fill.Draft) {
	for _, f := range r.files {
		d.File(f[0], f[1])
	}
	if r.cert {
		d.Choose("certificate", "pem")
		d.Set("client_key_passphrase", r.passphrase, "the key's password")
	}
	for _, l := range r.left {
		d.Leave(l.Name, l.Why)
	}
	for _, n := range r.notes {
		d.Note(n)
	}
	if r.open {
		d.Note("The command does not check the server's certificate. This program always does; a private authority's certificate has a field.")
	}
	if r.proxy != "" {
		r.viaProxy(d)
	}
}

func (r *request) viaProxy(d *fill.Draft) {
	p := r.proxy
	if !strings.Contains(p, "://") {
		p = "http://" + p
	}
	u, err := url.Parse(p)
	if err != nil || u.Host == "" {
		d.Leave("the proxy", fill.WhyWrong)
		return
	}
	user := u.User
	u.User = nil
	d.Choose("reach", "proxy")
	d.Set("proxy", u.Scheme+"://"+u.Host, "the proxy")
	if user != nil {
		password, _ := user.Password()
		d.Set("proxy_user", user.Username(), "the proxy's user")
		d.Set("proxy_password", password, "the proxy's password")
	}
}

// signIn chooses the one way of signing in that the request shows.
func (r *request) signIn(d *fill.Draft, u *url.URL) {
	switch {
	case r.scheme == "aws":
		r.signAWS(d)
	case r.bearer != "":
		d.Choose("auth", "bearer")
		d.Set("token", r.bearer, "the token")
	case r.signs:
		r.signUser(d)
	case r.grant(d, u), r.login(d, u):
	default:
		r.signKey(d, u)
	}
}

func (r *request) signAWS(d *fill.Draft) {
	d.Choose("auth", "aws")
	d.Set("access_key", r.user, "the access key")
	d.Set("secret_key", r.password, "the secret key")
	d.Set("session_token", r.without("X-Amz-Security-Token"), "X-Amz-Security-Token")
	if p := strings.Split(r.aws, ":"); len(p) == 4 {
		d.Set("region", p[2], "--aws-sigv4")
		d.Set("aws_service", p[3], "--aws-sigv4")
	}
}

func (r *request) signUser(d *fill.Draft) {
	kind := r.scheme
	if kind == "" {
		kind = "basic"
	}
	d.Choose("auth", kind)
	user := r.user
	if domain, name, ok := strings.Cut(user, `\`); ok && kind == "ntlm" {
		d.Set("domain", domain, "the domain")
		user = name
	}
	d.Set("user", user, "the user")
	if kind == "kerberos" {
		d.Set("kerberos_password", r.password, "the password")
		return
	}
	d.Set("password", r.password, "the password")
}

// signKey finds a key among the headers, cookies and parameters.
func (r *request) signKey(d *fill.Draft, u *url.URL) {
	names := r.secretHeaders()
	query, rest := secretQuery(u)
	switch {
	case len(names) == 1 && !strings.EqualFold(names[0], "Cookie"):
		name := names[0]
		d.Choose("auth", "key")
		d.Choose("key_in", "header")
		d.Set("key_name", name, "the header")
		value := r.without(name)
		if word, key, ok := strings.Cut(value, " "); ok && len(word) < 12 && !strings.ContainsAny(word, "=:") {
			d.Set("key_prefix", word, "the word before the key")
			value = key
		}
		d.Set("key", value, name)
	case len(names) > 0:
		d.Choose("auth", "headers")
		for _, n := range names {
			d.Add("secret_headers", n+": "+r.without(n), n)
		}
	case len(query) == 1:
		d.Choose("auth", "key")
		d.Choose("key_in", "query")
		d.Set("key_name", query[0][0], "the parameter")
		d.Set("key", query[0][1], query[0][0])
		query, u.RawQuery = nil, rest
	default:
		d.Choose("auth", "none")
	}
	r.leaveQuery(d, query)
}

func (r *request) leaveQuery(d *fill.Draft, query [][2]string) {
	for _, q := range query {
		d.Leave("the parameter "+q[0], "It looks like a secret, and there is a field for one alone.")
	}
}

func (r *request) secretHeaders() []string {
	var out []string
	for _, h := range r.headers {
		if fill.SecretName(h[0]) && h[1] != "" && !slices.ContainsFunc(out, func(n string) bool { return strings.EqualFold(n, h[0]) }) {
			out = append(out, h[0])
		}
	}
	return out
}

// secretQuery parts an address's parameters, in their order.
func secretQuery(u *url.URL) (secret [][2]string, rest string) {
	var keep []string
	for _, pair := range strings.Split(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 == nil && err2 == nil && v != "" && fill.SecretName(n) {
			secret = append(secret, [2]string{n, v})
			continue
		}
		if pair != "" {
			keep = append(keep, pair)
		}
	}
	return secret, strings.Join(keep, "&")
}

// plainHeaders keeps what the service may want; a browser's own are its own.
func (r *request) plainHeaders(d *fill.Draft) {
	for _, h := range r.headers {
		switch {
		case h[1] == "" || browsers(h[0]):
		case fill.SecretName(h[0]):
			if !d.Has("secret_headers") || !strings.Contains(d.Secret("secret_headers"), h[0]+":") {
				d.Leave("the header "+h[0], "It looks like a secret, and the sign-in is another one.")
			}
		default:
			d.Add("headers", h[0]+": "+h[1], "the header "+h[0])
		}
	}
}

func browsers(name string) bool {
	n := strings.ToLower(name)
	return strings.HasPrefix(n, "sec-") || strings.HasPrefix(n, ":") || slices.Contains([]string{"user-agent", "accept-encoding", "connection", "host",
		"content-length", "origin", "referer", "cache-control", "pragma", "dnt", "priority", "upgrade-insecure-requests", "te", "content-type", "expect"}, n)
}

// test is the request itself, to be sent when the connection is tested.
func (r *request) test(d *fill.Draft, u *url.URL) {
	secret, rest := secretQuery(u)
	r.leaveQuery(d, secret)
	path := u.EscapedPath()
	if rest != "" {
		path += "?" + rest
	}
	if d.Get("auth") == "oauth" || d.Get("auth") == "token" {
		return // the request is the sign-in
	}
	if path != "" && path != "/" {
		d.Set("test_path", path, "the path")
	}
	switch r.method {
	case "GET", "HEAD", "OPTIONS":
		d.Set("test_method", r.method, "the method "+r.method)
	case "POST":
		r.post(d, path)
	default:
		d.Leave("the method "+r.method, whyChanges)
		r.leaveBody(d)
	}
}

// whyChanges is why a request is not made the test: it would be sent each time.
const whyChanges = "It may change something, so testing the connection does not repeat it."

// post keeps a POST only where it plainly asks and changes nothing.
func (r *request) post(d *fill.Draft, path string) {
	switch {
	case !asks(path, r.body):
		d.Leave("the method POST", whyChanges)
		r.leaveBody(d)
	case bodyHides(r.body, r.header("Content-Type")):
		d.Choose("test_method", "POST")
		d.Leave("the body of the request", "It has something secret. Write it into the form.")
	default:
		d.Set("test_method", "POST", "the method POST")
		d.Set("test_body", r.body, "the body of the request")
		d.Note("The command asks with POST and changes nothing: the test sends it each time.")
	}
}

func (r *request) leaveBody(d *fill.Draft) {
	if r.body != "" {
		d.Leave("the body of the request", whyChanges)
	}
}
