package addresses

import (
	"net/url"
	"regexp"
	"strings"

	"jackfield/connectors"
)

// anyWeb understands http and https: object stores, services that are known by
// their host, then databases over HTTP, folders, and last any web service.
func (r *reader) anyWeb(a address) (outcome, bool) {
	if a.host == "" {
		return outcome{}, false
	}
	if out, ok := r.store(a); ok {
		return out, true
	}
	if out, ok := r.service(a); ok {
		return out, true
	}
	if out, ok := r.unoffered(a); ok {
		return out, true
	}
	generic := r.draft("http")
	generic.generic(a)
	if d := r.overHTTP(a); d != nil {
		return r.made("web address", d, generic)
	}
	drafts := []*draft{generic}
	if a.query == "" && a.fragment == "" {
		dav := r.draft("webdav")
		dav.webdav(a, a.scheme)
		drafts = append(drafts, dav)
		if davShape.MatchString(a.host + a.path) {
			drafts = []*draft{dav, generic}
		}
	}
	if a.port == "9000" { // MinIO's own
		d := r.draft("s3_compatible")
		d.set("endpoint", a.scheme+"://"+a.hosts)
		place, folder, _ := strings.Cut(strings.Trim(a.name(), "/"), "/")
		d.set("bucket", place)
		d.set("folder", folder)
		d.set("access_key", a.user)
		d.secret("secret_key", a.password)
		drafts = append([]*draft{d}, drafts...)
	}
	out, ok := r.made("address", drafts...)
	if len(out.readings) > 1 {
		out.what = "a web address"
	}
	return out, ok
}

// davShape: Nextcloud and ownCloud (remote.php), Box, pCloud, SharePoint, Apache.
var davShape = regexp.MustCompile(`(?i)(^|[./])(web)?dav([./]|$)|remote\.php|/public\.php/|\.sharepoint\.com`)

// overHTTP is a database whose port or host tells it.
func (r *reader) overHTTP(a address) *draft {
	host := strings.ToLower(a.host)
	switch {
	case a.port == "8123" || strings.HasSuffix(host, ".clickhouse.cloud") || a.port == "8443" && strings.Contains(host, "clickhouse"):
		d := r.draft("clickhouse")
		d.clickhouse(a, queryOptions(a.query, false), a.scheme)
		return d
	case a.port == "9200", a.port == "9243", strings.HasSuffix(host, ".elastic-cloud.com"), strings.HasSuffix(host, ".cloud.es.io"), strings.HasSuffix(host, ".elastic.cloud"),
		strings.HasSuffix(host, ".es.amazonaws.com"), strings.HasSuffix(host, ".bonsaisearch.net"):
		d := r.draft("elasticsearch")
		d.split("host", a.clean(""))
		d.credentials(a)
		d.rest(queryOptions(a.query, false))
		return d
	}
	return nil
}

// unoffered are services that an address opens and no connection type does.
func (r *reader) unoffered(a address) (outcome, bool) {
	host := strings.ToLower(a.host)
	if webhook.MatchString(host + a.path) { // its path is the secret
		return outcome{what: "a webhook's address", left: left("Webhook", noteWebhook)}, true
	}
	for suffix, name := range map[string]string{".snowflakecomputing.com": "Snowflake", ".documents.azure.com": "Azure Cosmos DB", ".vault.azure.net": "Azure Key Vault", ".queue.core.windows.net": "Azure Queue Storage", ".table.core.windows.net": "Azure Table Storage",
		".file.core.windows.net": "Azure Files", ".cloud.databricks.com": "Databricks", ".azuredatabricks.net": "Databricks", ".azconfig.io": "Azure App Configuration"} {
		if strings.HasSuffix(host, suffix) {
			return unknown(name, "address")
		}
	}
	return outcome{}, false
}

var webhook = regexp.MustCompile(`(?i)^hooks\.|\.webhook\.|/webhooks?/`)

var secretName = regexp.MustCompile(`(?i)(key|token|secret|passw|pwd|sig|signature|auth|code|credential|session|jwt)`)

// generic answers the form for any web service. A key among the options is a
// secret; a piece of the path that looks like one stays, because without it the
// address is another.
func (d *draft) generic(a address) {
	query := a.query
	a.query, a.fragment = "", ""
	d.set("base_url", strings.TrimSuffix(a.clean(""), "/"))
	switch {
	case a.user != "" || a.password != "":
		d.set("auth", "basic")
		d.credentials(a)
	default:
		d.keyInQuery(query)
	}
	var lines []string
	for _, p := range queryOptions(query, true).list {
		switch {
		case secretName.MatchString(p.name):
			if p.name != d.r.Settings.Plain["key_name"] {
				d.r.Leave(p.shown(), whyNoPlace)
			}
		case !d.tells(p.value) && !strings.ContainsAny(p.name+p.value, "\r\n"):
			lines = append(lines, p.name+"="+p.value)
		}
	}
	d.set("query", strings.Join(lines, "\n"))
}

func (d *draft) keyInQuery(query string) {
	for _, p := range queryOptions(query, true).list {
		if secretName.MatchString(p.name) && p.value != "" {
			d.set("auth", "key")
			d.set("key_in", "query")
			d.set("key_name", p.name)
			d.secret("key", p.value)
			return
		}
	}
}

// An anchor ties a type to hosts by a field whose rule takes these hosts alone.
type anchor struct {
	t     connectors.Type
	field connectors.Field
	// option is the value of a Choice whose options are hosts; otherwise the field
	// takes the address itself.
	option string
}

// anchors derives from the forms which types belong to which hosts.
func anchors(types []connectors.Type) []anchor {
	var out []anchor
	for _, t := range types {
		if t.ID == "http" || t.ID == "oauth" {
			continue
		}
		for _, f := range t.Form.Fields {
			out = append(out, anchored(t, f)...)
		}
	}
	return out
}

// foreignHost is a host that belongs to no service: a field that takes it is not
// tied to any.
const foreignHost = "https://acme.example.org"

func anchored(t connectors.Type, f connectors.Field) []anchor {
	var out []anchor
	switch {
	case f.Kind == connectors.Choice:
		for _, o := range f.Options {
			if hostOption.MatchString(o.Value) {
				out = append(out, anchor{t, f, o.Value})
			}
		}
	case !f.Required && f.Default == "" || f.Valid == nil || f.Kind != connectors.URL && f.Kind != connectors.Text:
	case strings.HasPrefix(f.Key, "via_"), f.Kind == connectors.URL && f.Default != "" && f.Example == "" && f.Key != "base_url":
	case takes(f, foreignHost) || takes(f, "https://files.acme.example.org/folder"):
	default:
		out = append(out, anchor{t: t, field: f})
	}
	return out
}

var hostOption = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$`)

func tidied(f connectors.Field, v string) string {
	if f.Tidy != nil {
		return f.Tidy(v)
	}
	return strings.TrimSpace(v)
}

func takes(f connectors.Field, v string) bool {
	v = tidied(f, v)
	return v != "" && f.Verify(v) == nil
}

// takesAddress reports whether the anchor's field belongs to the address.
func (n anchor) takesAddress(a address, host string) bool {
	if n.option != "" {
		return host == n.option || strings.HasSuffix(host, "."+n.option)
	}
	v := n.field.Default
	if v != "" && n.field.Kind == connectors.URL {
		if u, err := url.Parse(v); err == nil && strings.EqualFold(u.Hostname(), host) {
			return true
		}
	}
	return takes(n.field, "https://"+a.hosts+a.path)
}

// service opens the type of a service that is known by its host.
func (r *reader) service(a address) (outcome, bool) {
	host := strings.ToLower(a.host)
	if !hostOption.MatchString(host) { // an address of a network, or of this computer
		return outcome{}, false
	}
	if out, ok := r.listed(a, host); ok {
		return out, ok
	}
	if r.web == nil {
		r.web = anchors(r.types)
	}
	best := anchor{}
	for _, n := range r.web {
		if n.takesAddress(a, host) && len(n.option) >= len(best.option) && best.field.Kind != connectors.URL {
			best = n
		}
	}
	if best.t.ID == "" {
		return outcome{}, false
	}
	d := r.draft(best.t.ID)
	switch {
	case best.option != "":
		d.set(best.field.Key, best.option)
	case takes(best.field, "https://"+a.hosts+a.path):
		d.set(best.field.Key, tidied(best.field, "https://"+a.hosts+a.path))
		d.title = host
	}
	d.bare = true
	d.account(a)
	return r.made("address", d)
}

// account answers a sign-in that stood in a service's address.
func (d *draft) account(a address) {
	if !a.signed {
		return
	}
	form := d.t.Form
	_, user := form.Field("user")
	_, password := form.Field("password")
	if user && password {
		d.credentials(a)
		return
	}
	d.r.Leave("User and password in the address", whyNoPlace)
}
