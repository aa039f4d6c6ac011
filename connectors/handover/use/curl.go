package use

import (
	"strings"
)

// curlFits: protocols that curl speaks, and web services whose sign-in is a
// header, a query or a user and password.
func (p *plan) curlFits() bool {
	switch p.typ.ID {
	case "ftp", "imap", "smtp", "s3", "s3_compatible":
		return p.v("auth") != "role"
	case "sftp":
		return p.v("auth") != "agent" && p.v("auth") != "interactive"
	case "ldap":
		return p.v("auth") == "simple" || p.v("auth") == "anonymous"
	case "webdav":
		return true
	case "http":
		if a := p.v("auth"); a == "digest" || a == "ntlm" || a == "none" || a == "aws" {
			return true
		}
	}
	return p.headerFits()
}

// headerFits reports whether the sign-in is a fixed part of each request, which
// only shows with the secrets.
func (p *plan) headerFits() bool { return p.webSign() != nil }

func (p *plan) webSign() *sign {
	if p.is("ssh", "sftp", "smtp", "imap", "ftp", "ldap", "smb", "s3", "s3_compatible", "gcs", "azure_blob") {
		return nil
	}
	if !p.asked {
		p.sign, p.asked = p.probe(), true
	}
	return p.sign
}

// a config is lines of curl's configuration
// (https://curl.se/docs/manpage.html#-K).
type config struct {
	p     *plan
	lines []string
}

func (c *config) flag(name string) { c.lines = append(c.lines, name) }

// set writes a text that was made of key's answer.
func (c *config) set(name, key, text string) {
	if text != "" {
		c.lines = append(c.lines, name+" = "+c.p.say(key, text, cLike))
	}
}

// curl is a command whose configuration goes in by its standard input, so that
// no secret is among its arguments.
func (p *plan) curl() string {
	c := &config{p: p}
	switch p.typ.ID {
	case "ftp", "sftp", "imap", "smtp", "ldap":
		c.protocol()
	case "s3", "s3_compatible":
		c.s3()
	default:
		c.web()
	}
	c.tls()
	c.proxy()
	end := "'END'"
	text := strings.Join(c.lines, "\n")
	if p.o.Secrets == Variable {
		end = "END"
		text = strings.NewReplacer(`\`, `\\`, "`", "\\`", "$JACKFIELD_", "$JACKFIELD_", "$", `\$`).Replace(text)
		p.warns("A value with a double quote or a backslash in it has to be put in by hand: curl would read it in another way.")
	}
	return "curl --config - <<" + end + "\n" + text + "\nEND\n"
}

// login is user:password; curl ends the user at the first colon.
func (c *config) login() {
	p := c.p
	if !p.asks("user") || p.v("user") == "" {
		return
	}
	user := p.v("user")
	if d := p.v("domain"); d != "" && p.v("auth") == "ntlm" {
		user = d + `\` + user
	}
	if strings.Contains(user, ":") {
		p.refuse("user", "a colon")
	}
	if p.asks("password") {
		user += ":" + p.secret("password")
	}
	c.set("user", "password", user)
}

func (c *config) web() {
	p := c.p
	s := p.webSign()
	if s != nil {
		c.signed(s)
		return
	}
	c.set("url", "base_url", orElse(p.v("url"), p.v("base_url")+p.v("test_path")))
	switch auth := p.v("auth"); auth {
	case "digest", "ntlm":
		c.flag(auth)
		c.login()
	case "basic":
		c.login()
	case "bearer":
		c.set("header", "token", "Authorization: Bearer "+p.secret("token"))
	case "aws":
		c.set("aws-sigv4", "aws_service", "aws:amz:"+p.v("region")+":"+p.v("aws_service"))
		c.keys()
	}
}

func (c *config) keys() {
	p := c.p
	c.set("user", "secret_key", p.v("access_key")+":"+p.secret("secret_key"))
	if p.wants("session_token") {
		c.set("header", "session_token", "x-amz-security-token: "+p.secret("session_token"))
	}
	if p.has("role_arn") {
		p.leaves("The role is not in it: curl signs with the keys alone.")
	}
}

func (c *config) signed(s *sign) {
	c.set("url", "base_url", c.p.addressOf(s))
	if s.method != "GET" {
		c.set("request", "base_url", s.method)
	}
	if s.user != nil {
		c.set("user", s.user.key, s.user.text(c.p))
	}
	for _, h := range s.headers {
		c.set("header", h.key, h.name+": "+h.text(c.p))
	}
	c.set("data-binary", "base_url", s.body)
}

// s3 signs as curl does since version 7.75 (https://curl.se/docs/manpage.html#--aws-sigv4).
func (c *config) s3() {
	p := c.p
	at := p.s3Place()
	path := "/"
	if p.has("bucket") {
		path += p.q("bucket", percent)
	}
	c.set("url", "bucket", at.Scheme+"://"+at.Host+path)
	// The hash of no body; curl signs it, and adds it by itself in later versions only.
	c.set("header", "region", "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	c.set("aws-sigv4", "region", "aws:amz:"+orElse(p.v("region"), "us-east-1")+":s3")
	c.keys()
}

func (c *config) protocol() {
	p := c.p
	a := address{scheme: p.typ.ID, at: p.at()}
	switch p.typ.ID {
	case "ftp":
		a.path = "/" + p.say("folder", p.folder(), percentPath)
		if p.folder() != "" {
			a.path += "/"
		}
		if p.v("tls") == "implicit" {
			a.scheme = "ftps"
		}
	case "sftp":
		a.path = c.sftpPath()
	case "ldap":
		a.path = p.uriPath("base_dn")
	}
	if p.v("security") == "tls" || p.v("security") == "ldaps" {
		a.scheme += "s"
	}
	c.set("url", "host", a.String())
	if p.v("tls") == "explicit" || p.v("security") == "starttls" {
		c.flag("ssl-reqd")
	}
	if p.is("sftp") {
		c.sftpKey()
	}
	if p.wants("token") {
		c.set("user", "user", p.v("user")+":")
		c.set("oauth2-bearer", "token", p.secret("token"))
		return
	}
	if p.is("ldap") {
		if name := p.ldapName(); name != "" && p.asks("password") {
			c.set("user", "password", name+":"+p.secret("password"))
		}
		return
	}
	c.login()
}

// sftpPath: curl reads a path from the root; /~/ is the home folder.
func (c *config) sftpPath() string {
	f := c.p.v("folder")
	if f == "" {
		return "/~/"
	}
	out := c.p.say("folder", strings.TrimSuffix(f, "/")+"/", percentPath)
	if strings.HasPrefix(f, "/") {
		return out
	}
	return "/~/" + out
}

func (c *config) sftpKey() {
	p := c.p
	if name := p.identity(); name != "" {
		c.set("key", "key", name)
		c.set("pass", "passphrase", p.secret("passphrase"))
		if p.v("auth") == "key" {
			c.set("user", "user", p.v("user")+":")
		}
	}
	p.leaves("curl trusts the host keys in ~/.ssh/known_hosts.")
}

func (c *config) tls() {
	p := c.p
	c.set("cacert", "ca", p.ca())
	if cert := p.cert(); cert != "" {
		c.set("cert", "client_cert", cert)
		c.set("key", "client_key", p.key())
		c.set("pass", "client_key_passphrase", p.secret("client_key_passphrase"))
	}
}

func (c *config) proxy() {
	p := c.p
	kind := p.v("via")
	if kind != "http" && kind != "socks5" {
		return
	}
	if kind == "socks5" {
		kind = "socks5h"
	}
	c.set("proxy", "via_proxy", kind+"://"+p.v("via_proxy"))
	if p.has("via_user") {
		c.set("proxy-user", "via_password", p.v("via_user")+":"+p.secret("via_password"))
	}
}

// httpHeader are the header lines that sign in.
func (p *plan) httpHeader() string {
	s := p.webSign()
	if s == nil {
		return ""
	}
	out := ""
	line := func(key, text string) { out += p.say(key, text, oneLine(verbatim)) + "\n" }
	if s.user != nil {
		value := "<USER:PASSWORD as base64>"
		if !p.marked(s.user.key) {
			value, _ = base64Text(s.user.text(p))
		}
		line(s.user.key, "Authorization: Basic "+value)
	}
	for _, h := range s.headers {
		if h.key != "" {
			line(h.key, h.name+": "+h.text(p))
		}
	}
	return out
}
