package use

import (
	"net"
	"path"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
)

// plan is a connection while it is written.
type plan struct {
	typ    connectors.Type
	form   connectors.Form
	name   string
	s      connectors.Settings
	o      Options
	format Format

	asked    bool     // whether sign is known
	sign     *sign    // see probe
	used     []string // labels of the secrets that were written out
	left     []string
	warnings []string
	files    []File
	unpacked bool // the client certificate came out of a PFX
	err      error
}

func newPlan(g Given, o Options) *plan {
	return &plan{typ: g.Type, form: g.Type.Form, name: g.Name, s: g.Type.Form.Tidied(g.Settings).Clone(), o: o}
}

// is reports whether the connection is of one of these types.
func (p *plan) is(ids ...string) bool { return slices.Contains(ids, p.typ.ID) }

func only(ids ...string) func(*plan) bool { return func(p *plan) bool { return p.is(ids...) } }

// v is the visible plain answer to key, "" for none.
func (p *plan) v(key string) string {
	f, ok := p.form.Field(key)
	if !ok || f.Kind.Secret() || !p.form.Visible(key, p.s) {
		return ""
	}
	return p.form.Answer(key, p.s)
}

// asks reports whether the form asks for key with these answers.
func (p *plan) asks(key string) bool { return p.form.Visible(key, p.s) }

// has reports whether there is an answer, plain or secret.
func (p *plan) has(key string) bool {
	if f, ok := p.form.Field(key); ok && f.Kind.Secret() {
		return p.form.Visible(key, p.s) && !p.s.Secrets[key].Empty()
	}
	return p.v(key) != ""
}

// wants reports whether a secret goes into the text: it is there, or a mark
// stands for it.
func (p *plan) wants(key string) bool {
	f, ok := p.form.Field(key)
	if !ok || !p.asks(key) {
		return false
	}
	return p.has(key) || p.o.Secrets != Reveal && f.Required
}

// secret is the answer to a secret field, or the mark that stands for it.
func (p *plan) secret(key string) string {
	f, ok := p.form.Field(key)
	if !ok || !p.wants(key) {
		return ""
	}
	switch p.o.Secrets {
	case Placeholder:
		return "<" + strings.ToUpper(key) + ">"
	case Variable:
		return "$" + variable(key)
	}
	if !slices.Contains(p.used, f.Label) {
		p.used = append(p.used, f.Label)
	}
	return p.s.Secrets[key].Reveal()
}

func variable(key string) string { return "JACKFIELD_" + strings.ToUpper(key) }

// any is the answer to key, plain or secret.
func (p *plan) any(key string) string {
	if f, ok := p.form.Field(key); ok && f.Kind.Secret() {
		return p.secret(key)
	}
	return p.v(key)
}

// marked reports whether the answer to key is written as a mark.
func (p *plan) marked(key string) bool {
	f, _ := p.form.Field(key)
	return f.Kind.Secret() && p.o.Secrets != Reveal && p.wants(key)
}

// A quote writes a text in a language; its error says in a few words what the
// language cannot hold, without the text.
type quote func(string) (string, error)

// q is the answer to key in a language. What the language cannot hold ends the
// writing with the field's name.
func (p *plan) q(key string, in quote) string { return p.say(key, p.any(key), in) }

// say is text, which was made of key's answer, in a language.
func (p *plan) say(key, text string, in quote) string {
	out, err := in(text)
	if err != nil {
		p.refuse(key, err.Error())
	}
	return out
}

// made is q for languages that change every text: a mark stays as it is.
func (p *plan) made(key string, in quote) string {
	if p.marked(key) {
		return p.secret(key)
	}
	return p.q(key, in)
}

// refuse ends the writing: the format cannot hold the answer to key.
func (p *plan) refuse(key, why string) {
	if p.err == nil {
		p.err = &connectors.Error{Code: connectors.BadInput, Reason: "use.cannot_hold", Op: connectors.StageForm, Target: p.format.Name, Field: key, Said: why}
	}
}

func (p *plan) leaves(sentence string) {
	if !slices.Contains(p.left, sentence) {
		p.left = append(p.left, sentence)
	}
}

func (p *plan) warns(sentence string) {
	if !slices.Contains(p.warnings, sentence) {
		p.warnings = append(p.warnings, sentence)
	}
}

// leave says what hardly any target can express, unless it is among can.
func (p *plan) leave(can string) {
	words := strings.Fields(can)
	able := func(what string) bool { return slices.Contains(words, what) }
	switch p.v("via") {
	case "ssh":
		p.leaves("The way through the SSH jump host is not in it. Open a tunnel first, or set it in the tool itself.")
	case "http", "socks5":
		if !able("proxy") {
			p.leaves("The proxy " + p.v("via_proxy") + " is not in it. Set it in the tool itself.")
		}
	case "system":
		if !able("proxy") {
			p.leaves("This computer's proxy is not in it. The tool may know how to use it by itself.")
		}
	}
	for _, x := range []struct{ key, what, said string }{
		{"tls_pin", "pin", "The fingerprint of the server's certificate is not in it. The tool trusts by its own rules."},
		{"tls_name", "name", "The other name that the server's certificate has is not in it."},
		{"client_cert", "client", "The client certificate and its key are not in it."},
		{"ca", "ca", "The CA certificate is not in it."},
		{"pgp_key", "pgp", "The OpenPGP key for encrypted files is not in it."},
		{"host_key", "hostkey", "The fingerprint of the host key is not in it. Compare it when the tool asks."},
	} {
		if p.has(x.key) && !able(x.what) {
			p.leaves(x.said)
		}
	}
}

// warn says what has to be known about the secrets.
func (p *plan) warn() {
	if len(p.used) > 0 && p.format.Clear {
		what := "text"
		if p.format.File != "" {
			what = "file"
		}
		p.warns("This " + what + " holds in the clear: " + strings.Join(p.used, ", ") + ". Keep it where nobody else can read it, and delete it when it is not needed any more.")
	}
	if p.o.Secrets == Variable && p.format.Syntax != "shell" {
		p.warns("The $JACKFIELD variables have to be filled in before use, for example with envsubst. This format does not read them itself.")
	}
	for _, f := range p.files {
		if p.o.Folder == "" {
			p.warns("The text names " + f.Name + ". Save it beside, and start the tool in that folder or write the whole path.")
		}
	}
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// profile is the name under which the target will know the connection.
func (p *plan) profile() string {
	name := p.o.Profile
	if name == "" {
		name = p.name
	}
	if name = strings.Trim(unfit.ReplaceAllString(name, "-"), "-"); name == "" {
		return "jackfield"
	}
	return name
}

// file notes a file that the text names and returns its path; "" without an answer.
func (p *plan) file(key, end string) string {
	if !p.has(key) {
		return ""
	}
	f, _ := p.form.Field(key)
	text := p.v(key)
	if f.Kind.Secret() {
		text = p.s.Secrets[key].Reveal()
		if p.o.Secrets != Reveal {
			text = p.secret(key) + "\n"
		} else {
			p.warns("The file " + p.profile() + "-" + end + " is a secret. Keep it where nobody else can read it.")
		}
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return p.addFile(p.profile()+"-"+end, text)
}

// addFile notes a file that the text names and returns its path.
func (p *plan) addFile(name, text string) string {
	if !slices.ContainsFunc(p.files, func(f File) bool { return f.Name == name }) {
		p.files = append(p.files, File{Name: name, Mode: 0o600, Body: connectors.NewSecret(text)})
	}
	if p.o.Folder == "" {
		return name
	}
	return strings.TrimSuffix(p.o.Folder, "/") + "/" + name
}

func (p *plan) ca() string   { return p.file("ca", "ca.pem") }
func (p *plan) cert() string { return p.file("client_cert", "cert.pem") }
func (p *plan) key() string {
	if p.has("client_cert") {
		return p.file("client_key", "key.pem")
	}
	return ""
}

// secure reports whether the answers want TLS from the first byte or later.
func (p *plan) secure() bool {
	for _, key := range []string{"tls", "security", "transport"} {
		switch p.v(key) {
		case "off", "none", "tcp", "ws", "emulator", "plaintext", "sasl_plaintext":
			return false
		}
	}
	return true
}

// port is the answer, or what the connector takes where there is none.
func (p *plan) port() string {
	if v := p.v("port"); v != "" {
		return v
	}
	pick := func(secure, plain string) string {
		if p.secure() {
			return secure
		}
		return plain
	}
	switch p.typ.ID {
	case "ldap":
		if p.v("security") == "ldaps" {
			return "636"
		}
		return "389"
	case "mqtt":
		return map[string]string{"tls": "8883", "tcp": "1883", "wss": "443", "ws": "80"}[p.v("transport")]
	case "rabbitmq", "amqp1":
		return pick("5671", "5672")
	case "clickhouse":
		return pick("8443", "8123")
	case "sqlserver":
		if p.v("instance") != "" {
			return ""
		}
		return "1433"
	case "ftp":
		if p.v("tls") == "implicit" {
			return "990"
		}
		return "21"
	case "imap":
		if p.v("security") == "tls" {
			return "993"
		}
		return "143"
	case "smtp":
		return map[string]string{"tls": "465", "starttls": "587", "none": "25"}[p.v("security")]
	}
	return ""
}

// at is host:port, with the brackets that an IPv6 address needs.
func (p *plan) at() string {
	host := p.v("host")
	if port := p.port(); port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// list are the answers to a field of lines.
func (p *plan) list(key string) []string {
	var out []string
	for line := range strings.Lines(p.v(key)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// folder is the folder as a path below the root.
func (p *plan) folder() string { return path.Clean("/" + p.v("folder"))[1:] }
