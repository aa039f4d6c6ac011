package commands

import (
	"encoding/json"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// web makes connections of requests: of a service's own type first.
func web(requests func(call) []request) reader {
	return func(in part.Input, c call, address fill.Address) []part.Item {
		var out []part.Item
		for _, r := range requests(c) {
			if it, ok := r.item(in, address); ok && len(out) < maxCalls {
				out = append(out, it)
			}
		}
		return out
	}
}

func (r request) item(in part.Input, address fill.Address) (part.Item, bool) {
	kind, _, _ := strings.Cut(r.url, "://")
	if k := strings.ToLower(kind); k != "http" && k != "https" {
		return r.elsewhere(in, address)
	}
	special := r.asService(in)
	general := r
	return fill.Item("", "", special, general.filled(in))
}

// elsewhere is for ftp://, sftp://, ldap://, smb:// and imap:// addresses.
func (r request) elsewhere(in part.Input, address fill.Address) (part.Item, bool) {
	it, ok := address(in.Types, r.url)
	if !ok {
		return it, false
	}
	var drafts []*fill.Draft
	for _, reading := range it.Readings {
		d := fill.From(in.Types, reading)
		if r.signs {
			d.Choose("auth", map[string]string{"ftp": "password", "sftp": "password", "ldap": "simple", "smb": "password"}[reading.Type])
			d.Set("user", r.user, "the user")
			d.Set("password", r.password, "the password")
		}
		r.proxy = ""
		r.rest(d)
		drafts = append(drafts, d)
	}
	return fill.Item(it.Name, it.Where, drafts...)
}

func wget(c call) []request {
	g := grammar{values: "-O -o -a -e -P -U -t -T -w -Q -A -R -D -I -X -l -B -i --output-document --user --password --http-user --http-password --ftp-user --ftp-password --header --user-agent --post-data " +
		"--post-file --method --body-data --body-file --certificate --private-key --ca-certificate --ca-directory --proxy-user --proxy-password --referer --load-cookies --save-cookies --tries --timeout --directory-prefix --output-file"}
	r := request{method: "GET"}
	var urls []string
	for _, o := range g.options(c.args) {
		switch o.name {
		case "":
			urls = append(urls, o.value)
		case "--user", "--http-user", "--ftp-user":
			r.user, r.signs = o.value, true
		case "--password", "--http-password", "--ftp-password":
			r.password, r.signs = o.value, true
			r.notes = append(r.notes, fill.History)
		case "--header":
			name, value, _ := strings.Cut(o.value, ":")
			r.headers = append(r.headers, [2]string{name, strings.TrimSpace(value)})
		case "--post-data", "--body-data":
			r.body, r.sends = o.value, true
			if r.method == "GET" {
				r.method = "POST"
			}
		case "--method":
			r.method = strings.ToUpper(o.value)
		case "--certificate", "--private-key", "--ca-certificate", "--post-file", "--body-file", "--load-cookies":
			r.files = append(r.files, [2]string{"the file", o.value})
			r.cert = r.cert || o.name == "--certificate"
		case "--no-check-certificate":
			r.open = true
		}
	}
	return r.each(urls)
}

func (r request) each(urls []string) []request {
	var out []request
	for _, u := range urls {
		one := r
		one.headers = append([][2]string(nil), r.headers...)
		one.url = scheme(u)
		out = append(out, one)
	}
	return out
}

// httpie reads http and https: METHOD URL item… (https://httpie.io/docs/cli/request-items).
func httpie(c call) []request {
	g := grammar{values: "-a -A -o -p -s --auth --auth-type --session --session-read-only --proxy --cert --cert-key --verify --timeout --output --print --style --raw --ssl --ciphers --max-redirects --boundary"}
	x := &pie{request: request{}, json: map[string]any{}}
	for _, o := range g.options(c.args) {
		x.take(o)
	}
	if x.url == "" {
		return nil
	}
	x.settle(c.program)
	return []request{x.request}
}

type pie struct {
	request
	form, query []string
	json        map[string]any
	asForm      bool
}

func (x *pie) take(o opt) {
	switch o.name {
	case "-a", "--auth":
		x.user, x.password, _ = strings.Cut(o.value, ":")
		x.signs = true
		x.notes = append(x.notes, fill.History)
	case "-A", "--auth-type":
		if o.value == "bearer" {
			x.bearer, x.signs, x.user, x.password = strings.TrimSuffix(x.user+":"+x.password, ":"), false, "", ""
			return
		}
		x.scheme = map[string]string{"digest": "digest", "ntlm": "ntlm", "negotiate": "kerberos"}[o.value]
	case "-f", "--form":
		x.asForm = true
	case "--raw":
		x.body, x.sends = o.value, true
	case "--verify":
		if o.value == "no" || o.value == "false" {
			x.open = true
		} else if o.value != "yes" && o.value != "true" {
			x.files = append(x.files, [2]string{"the file", o.value})
		}
	case "--cert", "--cert-key":
		x.cert = true
		x.files = append(x.files, [2]string{"the file", o.value})
	case "--session", "--session-read-only":
		x.left = append(x.left, part.Left{Name: o.name, Why: fill.WhyValue})
	case "":
		x.item(o.value)
	}
}

// item is the method, the address or one part of the request.
func (x *pie) item(v string) {
	if x.url == "" {
		if x.method == "" && v != "" && strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			x.method = v
			return
		}
		x.url = v
		return
	}
	at := strings.IndexAny(v, ":=@")
	if at <= 0 {
		x.left = append(x.left, part.Left{Name: "an argument"})
		return
	}
	name, rest := v[:at], v[at:]
	switch {
	case strings.HasPrefix(rest, "=="):
		x.query = append(x.query, escaped(name)+"="+escaped(rest[2:]))
	case strings.HasPrefix(rest, ":="):
		var raw any
		if json.Unmarshal([]byte(rest[2:]), &raw) == nil {
			x.json[name] = raw
		}
	case rest[0] == ':':
		x.headers = append(x.headers, [2]string{name, strings.TrimSpace(rest[1:])})
	case rest[0] == '=':
		x.json[name] = rest[1:]
		x.form = append(x.form, escaped(name)+"="+escaped(rest[1:]))
	default:
		x.files = append(x.files, [2]string{"the file", rest[1:]})
	}
}

func (x *pie) settle(program string) {
	if strings.HasPrefix(x.url, ":") {
		x.url = "localhost" + x.url
	}
	if !strings.Contains(x.url, "://") {
		kind := "http"
		if program == "https" {
			kind = "https"
		}
		x.url = kind + "://" + x.url
	}
	if len(x.query) > 0 {
		at := "?"
		if strings.Contains(x.url, "?") {
			at = "&"
		}
		x.url += at + strings.Join(x.query, "&")
	}
	if len(x.json) > 0 && !x.sends {
		x.sends = true
		if data, err := json.Marshal(x.json); err == nil {
			x.body = string(data)
		}
		if x.asForm {
			x.body = strings.Join(x.form, "&")
		}
	}
	if x.method == "" {
		x.method = "GET"
		if x.sends {
			x.method = "POST"
		}
	}
}

// invoke reads Invoke-WebRequest and Invoke-RestMethod
// (https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/invoke-restmethod).
func invoke(c call) []request {
	r := request{method: "GET"}
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		if a == "" || a[0] != '-' {
			if r.url == "" {
				r.url = a
			}
			continue
		}
		name, value, at := strings.ToLower(a[1:]), "", i
		switch name {
		case "usebasicparsing", "skipcertificatecheck", "passthru", "disablekeepalive", "usedefaultcredentials", "allowunencryptedauthentication":
		default:
			if i+1 < len(c.args) {
				i++
				value, at = c.args[i], i
			}
		}
		r.parameter(name, value, c.hashes[at])
	}
	if r.url == "" {
		return nil
	}
	return []request{r}
}

func (r *request) parameter(name, value string, hash [][2]string) {
	switch name {
	case "uri":
		r.url = value
	case "method", "custommethod":
		r.method = strings.ToUpper(value)
	case "headers":
		r.headers = append(r.headers, hash...)
		if hash == nil && value != "" {
			r.left = append(r.left, part.Left{Name: "-Headers", Why: fill.WhyValue})
		}
	case "contenttype":
		r.headers = append(r.headers, [2]string{"Content-Type", value})
	case "useragent":
		r.headers = append(r.headers, [2]string{"User-Agent", value})
	case "body":
		r.sends = true
		r.body = value
		var pairs []string
		for _, p := range hash {
			pairs = append(pairs, escaped(p[0])+"="+escaped(p[1]))
		}
		if len(pairs) > 0 {
			r.body = strings.Join(pairs, "&")
		}
	case "token":
		r.bearer = value
	case "skipcertificatecheck":
		r.open = true
	case "proxy":
		r.proxy = value
	case "usedefaultcredentials":
		r.scheme, r.signs = "ntlm", true
	case "infile", "certificate", "certificatethumbprint", "credential", "websession", "proxycredential":
		r.left = append(r.left, part.Left{Name: "-" + name, Why: fill.WhyValue})
	}
}
