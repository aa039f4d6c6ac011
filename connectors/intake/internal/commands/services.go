package commands

import (
	"net/url"
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// A service is a known type behind an HTTP host.
type service struct {
	host   string // or, with a dot before it, any name that ends so
	path   string // how the path begins
	kind   string
	token  string            // the key that takes a bearer token, or the user of a token alone
	header map[string]string // header → key
	answer map[string]string // plain answers
	more   func(d *fill.Draft, r *request, u *url.URL)
}

func services() []service {
	return []service{
		{host: "api.twilio.com", kind: "twilio", more: twilio},
		{host: "api.github.com", kind: "github", token: "token"},
		{host: "gitlab.com", path: "/api/", kind: "gitlab", token: "token", header: map[string]string{"PRIVATE-TOKEN": "token"}},
		{host: "api.stripe.com", kind: "stripe", token: "api_key"},
		{host: "slack.com", path: "/api/", kind: "slack", token: "token"},
		{host: "api.notion.com", kind: "notion", token: "token"},
		{host: "api.airtable.com", kind: "airtable", token: "token"},
		{host: "api.sendgrid.com", kind: "sendgrid", token: "api_key"},
		{host: "api.eu.sendgrid.com", kind: "sendgrid", token: "api_key", answer: map[string]string{"region": "api.eu"}},
		{host: "api.hubapi.com", kind: "hubspot", token: "token"},
		{host: "app.asana.com", kind: "asana", token: "token"},
		{host: "api.pagerduty.com", kind: "pagerduty", more: pagerduty},
		{host: "api.eu.pagerduty.com", kind: "pagerduty", answer: map[string]string{"region": "api.eu.pagerduty.com"}, more: pagerduty},
		{host: "api.dropboxapi.com", kind: "dropbox", token: "access_token", answer: map[string]string{"auth": "token"}},
		{host: "api.box.com", kind: "box", token: "developer_token", answer: map[string]string{"auth": "token"}},
		{host: ".atlassian.net", kind: "jira", more: jira},
		{host: ".zendesk.com", kind: "zendesk", more: zendesk},
		{host: ".api.mailchimp.com", kind: "mailchimp", token: "api_key", more: mailchimp},
		{host: ".myshopify.com", kind: "shopify", header: map[string]string{"X-Shopify-Access-Token": "token"}, more: subdomain("shop")},
		{host: ".service-now.com", kind: "servicenow", more: servicenow},
		{host: ".okta.com", kind: "okta", more: okta},
		{host: ".auth0.com", path: "/api/", kind: "auth0", token: "token", answer: map[string]string{"auth": "token"}, more: origin("domain")},
		{host: ".blob.core.windows.net", kind: "azure_blob", more: blob},
		{host: ".datadoghq.com", kind: "datadog", header: map[string]string{"DD-API-KEY": "api_key", "DD-APPLICATION-KEY": "app_key"}, more: datadog},
		{host: ".datadoghq.eu", kind: "datadog", header: map[string]string{"DD-API-KEY": "api_key", "DD-APPLICATION-KEY": "app_key"}, more: datadog},
		{host: ".es.io", kind: "elasticsearch", more: elastic},
		{host: ".found.io", kind: "elasticsearch", more: elastic},
	}
}

func (s service) matches(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if s.host[0] == '.' {
		return len(host) > len(s.host) && strings.HasSuffix(host, s.host)
	}
	return host == s.host && strings.HasPrefix(u.Path, s.path)
}

// asService is the request as the type of its service, nil where there is none.
func (r request) asService(in part.Input) *fill.Draft {
	u := r.settled()
	if u == nil {
		return nil
	}
	for _, s := range services() {
		if !s.matches(u) {
			continue
		}
		d := fill.New(in.Types, s.kind)
		for k, v := range s.answer {
			d.Set(k, v, k)
		}
		for h, key := range s.header {
			d.Set(key, r.header(h), h)
		}
		if s.token != "" && !d.Has(s.token) {
			d.Set(s.token, r.loneToken(), "the token")
		}
		if s.more != nil {
			s.more(d, &r, u)
		}
		for _, n := range r.notes {
			d.Note(n)
		}
		return d
	}
	return r.other(in, u)
}

// other are the kinds that have no host of their own.
func (r request) other(in part.Input, u *url.URL) *fill.Draft {
	switch {
	case r.method == "PROPFIND" || r.method == "MKCOL" || strings.Contains(u.Path, "/remote.php/"):
		return r.webdav(in, u)
	case u.Port() == "9200" || strings.HasSuffix(u.Path, "/_search") || strings.HasPrefix(u.Path, "/_cat/") || strings.HasPrefix(u.Path, "/_cluster/"):
		d := fill.New(in.Types, "elasticsearch")
		elastic(d, &r, u)
		return d
	case strings.HasPrefix(u.Path, "/api/v4/") && r.header("PRIVATE-TOKEN") != "":
		d := fill.New(in.Types, "gitlab")
		origin("base_url")(d, &r, u)
		d.Set("token", r.header("PRIVATE-TOKEN"), "PRIVATE-TOKEN")
		return d
	case r.scheme == "aws" && strings.HasSuffix(r.aws, ":s3"):
		return r.s3(in, u)
	}
	return nil
}

// loneToken is a bearer token, or the one half of a user and password that is
// given where a service takes a token instead.
func (r *request) loneToken() string {
	switch {
	case r.bearer != "":
		return r.bearer
	case r.signs && r.password == "":
		return r.user
	case r.signs:
		return r.password
	}
	if kind, value, ok := strings.Cut(r.header("Authorization"), " "); ok && strings.EqualFold(kind, "token") {
		return strings.TrimSpace(value)
	}
	return ""
}

var accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)

func twilio(d *fill.Draft, r *request, u *url.URL) {
	for _, p := range strings.Split(u.Path, "/") {
		if p = strings.TrimSuffix(p, ".json"); accountSID.MatchString(p) {
			d.Set("account_sid", p, "the account in the address")
		}
	}
	if strings.HasPrefix(r.user, "SK") {
		d.Set("auth", "key", "the user")
		d.Set("key_sid", r.user, "the user")
		d.Set("key_secret", r.password, "the password")
		return
	}
	d.Set("account_sid", r.user, "the user")
	d.Set("auth_token", r.password, "the password")
}

func pagerduty(d *fill.Draft, r *request, _ *url.URL) {
	_, key, _ := strings.Cut(r.header("Authorization"), "token=")
	d.Set("api_key", key, "Authorization")
}

func jira(d *fill.Draft, r *request, u *url.URL) {
	subdomain("site")(d, r, u)
	d.Set("email", r.user, "the user")
	d.Set("api_token", r.password, "the password")
}

func zendesk(d *fill.Draft, r *request, u *url.URL) {
	subdomain("subdomain")(d, r, u)
	d.Set("email", strings.TrimSuffix(r.user, "/token"), "the user")
	d.Set("api_token", r.password, "the password")
}

func mailchimp(d *fill.Draft, r *request, u *url.URL) { subdomain("server")(d, r, u) }

func servicenow(d *fill.Draft, r *request, u *url.URL) {
	origin("base_url")(d, r, u)
	d.Set("user", r.user, "the user")
	d.Set("password", r.password, "the password")
}

func okta(d *fill.Draft, r *request, u *url.URL) {
	origin("domain")(d, r, u)
	if kind, token, _ := strings.Cut(r.header("Authorization"), " "); strings.EqualFold(kind, "SSWS") {
		d.Set("api_token", token, "Authorization")
	}
}

func datadog(d *fill.Draft, _ *request, u *url.URL) {
	d.Set("site", strings.TrimPrefix(u.Hostname(), "api."), "the host")
}

func blob(d *fill.Draft, _ *request, u *url.URL) {
	subdomain("account")(d, nil, u)
	container, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	d.Set("container", container, "the path")
	if u.Query().Has("sig") {
		d.Choose("auth", "sas")
		d.Set("sas", u.RawQuery, "the address")
	}
}

func elastic(d *fill.Draft, r *request, u *url.URL) {
	d.HostPort(u.Host, "the address")
	if u.Scheme == "http" {
		d.Choose("security", "none")
	}
	kind, key, _ := strings.Cut(r.header("Authorization"), " ")
	switch {
	case r.bearer != "":
		d.Choose("auth", "token")
		d.Set("token", r.bearer, "the token")
	case strings.EqualFold(kind, "ApiKey"):
		d.Choose("auth", "api_key")
		d.Set("api_key", key, "Authorization")
	case r.signs:
		d.Set("user", r.user, "the user")
		d.Set("password", r.password, "the password")
	default:
		d.Choose("auth", "none")
	}
	index, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if index != "" && index[0] != '_' {
		d.Set("index", index, "the path")
	}
	r.rest(d)
}

func (r request) webdav(in part.Input, u *url.URL) *fill.Draft {
	d := fill.New(in.Types, "webdav")
	d.Set("url", u.Scheme+"://"+u.Host+u.EscapedPath(), "the address")
	switch {
	case r.bearer != "":
		d.Choose("auth", "bearer")
		d.Set("token", r.bearer, "the token")
	case r.signs:
		if r.scheme == "digest" || r.scheme == "ntlm" {
			d.Choose("auth", r.scheme)
		}
		user := r.user
		if domain, name, ok := strings.Cut(user, `\`); ok && r.scheme == "ntlm" {
			d.Set("domain", domain, "the domain")
			user = name
		}
		d.Set("user", user, "the user")
		d.Set("password", r.password, "the password")
	default:
		d.Choose("auth", "none")
	}
	r.rest(d)
	return d
}

func (r request) s3(in part.Input, u *url.URL) *fill.Draft {
	kind := "s3_compatible"
	if strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
		kind = "s3"
	}
	d := fill.New(in.Types, kind)
	if kind == "s3_compatible" {
		origin("endpoint")(d, nil, u)
	}
	d.Set("access_key", r.user, "the access key")
	d.Set("secret_key", r.password, "the secret key")
	d.Set("session_token", r.header("X-Amz-Security-Token"), "X-Amz-Security-Token")
	if p := strings.Split(r.aws, ":"); len(p) == 4 {
		d.Set("region", p[2], "--aws-sigv4")
	}
	r.rest(d)
	return d
}

// subdomain answers key with the first label of the host.
func subdomain(key string) func(*fill.Draft, *request, *url.URL) {
	return func(d *fill.Draft, _ *request, u *url.URL) {
		first, _, _ := strings.Cut(u.Hostname(), ".")
		d.Set(key, first, "the host")
	}
}

// origin answers key with scheme and host.
func origin(key string) func(*fill.Draft, *request, *url.URL) {
	return func(d *fill.Draft, _ *request, u *url.URL) { d.Set(key, u.Scheme+"://"+u.Host, "the host") }
}
