package commands

import (
	"net/url"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// https://curl.se/docs/manpage.html (8.x)
var curlGrammar = grammar{values: "-A -b -c -C -d -D -e -E -F -h -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z " +
	"--abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath --cert --cert-type --ciphers --config --connect-timeout --connect-to --continue-at --cookie --cookie-jar " +
	"--create-file-mode --crlfile --curves --data --data-ascii --data-binary --data-raw --data-urlencode --delegation --dns-servers --doh-url --dump-header --engine --etag-compare --etag-save " +
	"--expect100-timeout --form --form-string --ftp-account --ftp-method --ftp-port --happy-eyeballs-timeout-ms --haproxy-clientip --header --hostpubmd5 --hostpubsha256 --hsts --interface --ipfs-gateway --json " +
	"--keepalive-time --key --key-type --krb --libcurl --limit-rate --local-port --login-options --mail-auth --mail-from --mail-rcpt --max-filesize --max-redirs --max-time --netrc-file --noproxy " +
	"--oauth2-bearer --output --output-dir --parallel-max --pass --pinnedpubkey --preproxy --proto --proto-default --proto-redir --proxy --proxy-cacert --proxy-cert --proxy-header --proxy-key " +
	"--proxy-pass --proxy-user --proxy1.0 --pubkey --quote --random-file --range --rate --referer --request --request-target --resolve --retry --retry-delay --retry-max-time --sasl-authzid " +
	"--service-name --socks4 --socks4a --socks5 --socks5-hostname --speed-limit --speed-time --stderr --telnet-option --tftp-blksize --time-cond --tls-max --tls13-ciphers --tlsauthtype --tlspassword --tlsuser " +
	"--trace --trace-ascii --unix-socket --upload-file --url --url-query --user --user-agent --variable --write-out"}

var curlLong = map[string]string{"-A": "--user-agent", "-b": "--cookie", "-d": "--data", "-e": "--referer", "-E": "--cert", "-F": "--form", "-G": "--get", "-H": "--header", "-I": "--head",
	"-k": "--insecure", "-K": "--config", "-n": "--netrc", "-T": "--upload-file", "-u": "--user", "-U": "--proxy-user", "-x": "--proxy", "-X": "--request", "-:": "--next",
	"--data-ascii": "--data", "--form-string": "--form", "--ssl": "--ssl-reqd"}

// A curler gathers one curl command up to --next.
type curler struct {
	request
	explicit, query   string
	get, head, upload bool
	json, typed       bool
	urls              []string
	proxyUser         string
	all               []request
}

func curl(c call) []request {
	x := &curler{}
	for _, o := range curlGrammar.options(c.args) {
		if long, ok := curlLong[o.name]; ok {
			o.name = long
		}
		if o.name == "" || o.name == "--url" {
			x.urls = append(x.urls, o.value)
			continue
		}
		if !x.sign(o) && !x.data(o) {
			x.other(o)
		}
	}
	x.finish()
	return x.all
}

func (x *curler) finish() {
	for _, u := range x.urls {
		r := x.request
		r.headers = append([][2]string(nil), x.headers...)
		r.left = append([]part.Left(nil), x.left...)
		r.url = scheme(u)
		x.settle(&r)
		x.all = append(x.all, r)
	}
	*x = curler{all: x.all}
}

// scheme is curl's guess for an address that has none.
func scheme(u string) string {
	if strings.Contains(u, "://") {
		return u
	}
	for _, s := range []string{"ftp", "ldap", "imap", "smtp", "pop3", "dict"} {
		if strings.HasPrefix(strings.ToLower(u), s+".") {
			return s + "://" + u
		}
	}
	return "http://" + u
}

func (x *curler) settle(r *request) {
	query := x.query
	if x.get && x.sends {
		query = join(query, x.body)
		r.body, r.sends = "", false
	}
	if query != "" {
		at := "?"
		if strings.Contains(r.url, "?") {
			at = "&"
		}
		base, fragment, _ := strings.Cut(r.url, "#")
		if r.url = base + at + query; fragment != "" {
			r.url += "#" + fragment
		}
	}
	switch {
	case x.explicit != "":
		r.method = x.explicit
	case x.head:
		r.method = "HEAD"
	case x.upload:
		r.method = "PUT"
	case r.sends:
		r.method = "POST"
	default:
		r.method = "GET"
	}
	if r.sends && !x.typed {
		media := "application/x-www-form-urlencoded"
		if x.json {
			media = "application/json"
		}
		r.headers = append(r.headers, [2]string{"Content-Type", media})
	}
	if x.json && r.header("Accept") == "" {
		r.headers = append(r.headers, [2]string{"Accept", "application/json"})
	}
	if x.proxyUser != "" && r.proxy != "" && !strings.Contains(r.proxy, "@") {
		user, password, _ := strings.Cut(x.proxyUser, ":")
		kind, host, ok := strings.Cut(r.proxy, "://")
		if !ok {
			kind, host = "http", r.proxy
		}
		r.proxy = kind + "://" + url.UserPassword(user, password).String() + "@" + host
	}
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

func (x *curler) sign(o opt) bool {
	switch o.name {
	case "--user":
		x.user, x.password, _ = strings.Cut(o.value, ":")
		x.signs = true
		if x.password != "" {
			x.notes = append(x.notes, fill.History)
		}
	case "--oauth2-bearer":
		x.bearer = o.value
	case "--basic", "--digest", "--ntlm":
		x.scheme = o.name[2:]
	case "--negotiate":
		x.scheme = "kerberos"
	case "--anyauth":
		x.left = append(x.left, part.Left{Name: o.name, Why: "Choose in the form how the server is signed in to."})
	case "--aws-sigv4":
		x.scheme, x.aws = "aws", o.value
	case "--cert", "--key", "--cacert", "--netrc-file", "--config":
		x.file(o)
	case "--pass":
		x.passphrase = o.value
	case "--netrc":
		x.left = append(x.left, part.Left{Name: o.name, Why: "User and password stand in the file .netrc. Paste its text."})
	default:
		return false
	}
	return true
}

// file names a file; curl's --cert may have its password after a colon.
func (x *curler) file(o opt) {
	path := o.value
	if i := strings.LastIndexByte(path, ':'); o.name == "--cert" && i > 1 {
		path, x.passphrase = path[:i], path[i+1:]
	}
	x.cert = x.cert || o.name == "--cert"
	x.files = append(x.files, [2]string{"the file", path})
}

func (x *curler) data(o opt) bool {
	v := o.value
	switch o.name {
	case "--data", "--data-binary", "--json":
		if strings.HasPrefix(v, "@") {
			x.files = append(x.files, [2]string{"the body in the file", v[1:]})
			v = ""
		}
		x.json = x.json || o.name == "--json"
	case "--data-raw":
	case "--data-urlencode":
		v = encoded(v)
	case "--url-query":
		if strings.HasPrefix(v, "+") {
			v = v[1:]
		} else {
			v = encoded(v)
		}
		x.query = join(x.query, v)
		return true
	case "--form":
		name, _, _ := strings.Cut(v, "=")
		if fill.SecretName(name) || name == v {
			name = ""
		}
		x.left = append(x.left, part.Left{Name: strings.TrimSpace("the form part " + name), Why: "A test sends no files."})
		x.sends, x.typed = true, true
		return true
	default:
		return false
	}
	switch {
	case x.sends && o.name != "--json":
		x.body += "&" + v
	default:
		x.body += v
	}
	x.sends = true
	return true
}

// encoded is curl's name=content with the content percent-encoded.
func encoded(v string) string {
	name, content, ok := strings.Cut(v, "=")
	if !ok {
		return escaped(name)
	}
	if name != "" {
		name += "="
	}
	return name + escaped(content)
}

// escaped is as curl does it: a space is +.
func escaped(v string) string { return url.QueryEscape(v) }

func (x *curler) other(o opt) {
	switch o.name {
	case "--header", "--user-agent", "--referer", "--cookie":
		x.headerLine(o)
	case "--request":
		x.explicit = strings.TrimSpace(o.value)
	case "--get":
		x.get = true
	case "--head":
		x.head = true
	case "--upload-file":
		x.upload = true
		x.files = append(x.files, [2]string{"the file to send", o.value})
	case "--insecure":
		x.open = true
	case "--proxy", "--socks5", "--socks5-hostname":
		x.proxy = o.value
		if strings.HasPrefix(o.name, "--socks5") && !strings.Contains(o.value, "://") {
			x.proxy = "socks5://" + o.value
		}
	case "--proxy-user":
		x.proxyUser = o.value
	case "--next":
		x.finish()
	case "--resolve", "--connect-to", "--unix-socket", "--interface", "--preproxy", "--proxy-header", "--pinnedpubkey", "--variable", "--expand-url", "--expand-data", "--expand-header":
		x.left = append(x.left, part.Left{Name: o.name, Why: fill.WhyNoField})
	}
}

func (x *curler) headerLine(o opt) {
	name := map[string]string{"--user-agent": "User-Agent", "--referer": "Referer", "--cookie": "Cookie"}[o.name]
	value := o.value
	switch {
	case o.name == "--cookie" && !strings.Contains(value, "="):
		x.files = append(x.files, [2]string{"the cookies in the file", value})
		return
	case o.name == "--header" && strings.HasPrefix(value, "@"):
		x.files = append(x.files, [2]string{"the headers in the file", value[1:]})
		return
	case o.name == "--header":
		var ok bool
		if name, value, ok = strings.Cut(value, ":"); !ok {
			name = strings.TrimSuffix(name, ";") // "Name;" is a header without a value
		}
		value = strings.TrimSpace(value)
	}
	if strings.EqualFold(name, "Content-Type") {
		x.typed = true
	}
	x.headers = append(x.headers, [2]string{strings.TrimSpace(name), value})
}
