package addresses

import (
	"regexp"
	"strings"

	"jackfield/connectors/internal/answers"
)

// sftp understands the addresses of SFTP and SSH: the draft's and WinSCP's, whose
// options follow the user after a semicolon
// (https://datatracker.ietf.org/doc/html/draft-ietf-secsh-scp-sftp-ssh-uri-04,
// https://winscp.net/eng/docs/session_url).
func (r *reader) sftp(a address) (outcome, bool) {
	user, params, _ := strings.Cut(a.user, ";")
	if before, after, ok := strings.Cut(a.password, ";"); ok && sessionOption.MatchString(after) { // user:password;fingerprint=…@host
		a.password, params = before, after
	}
	a.user = user
	path, more, _ := strings.Cut(a.path, ";")
	if more != "" && !strings.Contains(more, "=") { // WinSCP's /;save
		a.path = path
	}
	a.query, a.fragment = "", ""
	git := strings.Contains(a.driver+a.scheme, "git") || strings.HasSuffix(a.path, ".git")
	if out, ok := r.repository(a.host); ok && git {
		return out, true
	}
	files, jump := r.draft("sftp"), r.draft("ssh")
	drafts := []*draft{files, jump}
	for _, d := range drafts {
		bare := a
		if d == jump {
			bare.path = ""
		}
		d.split("host", bare.clean("sftp"))
		d.credentials(a)
		d.sessionOptions(params)
	}
	if a.scheme != "ssh" || strings.Trim(a.path, "/") != "" {
		drafts = drafts[:1]
	}
	return r.made("address", drafts...)
}

var (
	sessionOption = regexp.MustCompile(`^(fingerprint|x-[a-z]+)[=-]`)
	// shortPrint is the fingerprint of the draft, alg-hex with hyphens (MD5).
	sha256Print = regexp.MustCompile(`([A-Za-z0-9+/_-]{43})=?$`)
)

// sessionOptions reads fingerprint=ssh-rsa-2048-… and WinSCP's x-name=value;….
func (d *draft) sessionOptions(params string) {
	o := &options{}
	for piece := range strings.SplitSeq(params, ";") {
		if name, value, ok := strings.Cut(piece, "="); ok {
			o.add(name, decoded(value, false))
		} else if piece != "" {
			o.add(piece, "")
		}
	}
	if print := o.take("fingerprint"); print != "" {
		if m := sha256Print.FindStringSubmatch(print); m != nil && strings.Count(print, "-") < 15 {
			d.set("host_key", "SHA256:"+strings.NewReplacer("-", "+", "_", "/").Replace(m[1]))
		} else {
			d.r.Leave("fingerprint", whyNoPlace)
		}
	}
	if v := o.take("x-publickeyfile"); v != "" {
		d.set("auth", "key")
		d.r.Leave("x-publickeyfile", whyFile)
	}
	d.rest(o)
}

// repository opens the account of a public Git service, which has no files over
// SFTP.
func (r *reader) repository(host string) (outcome, bool) {
	id := map[string]string{"github.com": "github", "gitlab.com": "gitlab"}[strings.ToLower(host)]
	if id == "" {
		return outcome{}, false
	}
	d := r.draft(id)
	d.bare = true
	d.r.Note(noteRepository)
	return r.made("repository", d)
}

// ftp: https://www.rfc-editor.org/rfc/rfc1738#section-3.2, where ;type= may end
// the path and %2F begins at the root.
func (r *reader) ftp(a address) (outcome, bool) {
	d := r.draft("ftp")
	if i := strings.Index(strings.ToLower(a.path), ";type="); i >= 0 {
		a.path = a.path[:i]
	}
	a.query = ""
	clean := a.clean("")
	if a.user == "anonymous" {
		clean = a.scheme + "://anonymous@" + strings.TrimPrefix(clean, a.scheme+"://")
	}
	d.split("host", clean)
	if d.is("auth", "anonymous") {
		a.user, a.password = "", ""
	}
	d.credentials(a)
	return r.made("address", d)
}

// smb: https://datatracker.ietf.org/doc/html/draft-crhertel-smb-url-12
func (r *reader) smb(a address) (outcome, bool) {
	d := r.draft("smb")
	a.query = ""
	d.split("host", a.clean(""))
	if domain, user, ok := strings.Cut(a.user, ";"); ok {
		d.set("domain", domain)
		a.user = user
	} else if domain, user, ok := strings.Cut(a.user, `\`); ok {
		d.set("domain", domain)
		a.user = user
	}
	d.credentials(a)
	return r.made("address", d)
}

var uncShape = regexp.MustCompile(`^(\\\\|//)([^\\/@\s]+)(@SSL|@SSL@\d+|@\d+)?[\\/]+([^\\/]+.*)$`)

// unc understands \\server\share\folder, with either slash. A name with @SSL is
// Windows' way to write a WebDAV address
// (https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/62e862f4-2a51-452e-8eeb-dc4ff5ee33cc).
func (r *reader) unc(text string) (outcome, bool) {
	m := uncShape.FindStringSubmatch(text)
	if m == nil || strings.HasPrefix(m[2], "?") || strings.HasPrefix(m[2], ".") || sidShape.MatchString(text) || easyTarget.MatchString(text) {
		return outcome{}, false
	}
	if m[3] != "" {
		scheme, port := "http", strings.TrimPrefix(m[3], "@")
		if strings.HasPrefix(m[3], "@SSL") {
			scheme, port = "https", strings.TrimPrefix(strings.TrimPrefix(m[3], "@SSL"), "@")
		}
		host := m[2]
		if port != "" {
			host += ":" + port
		}
		return r.url(map[string]string{"http": "dav", "https": "davs"}[scheme] + "://" + host + "/" + strings.ReplaceAll(m[4], `\`, "/"))
	}
	d := r.draft("smb")
	d.split("host", text)
	return r.made("address", d)
}

var easyTarget = regexp.MustCompile(`^//[A-Za-z0-9._-]+:\d+/`)

// sqliteURL understands SQLAlchemy's sqlite:///relative and sqlite:////absolute,
// and SQLite's own file: URIs
// (https://docs.sqlalchemy.org/en/20/core/engines.html#sqlite, https://www.sqlite.org/uri.html).
func (r *reader) sqliteURL(a address) (outcome, bool) {
	path := a.hosts + a.path
	if a.scheme == "file" {
		if a.hosts != "" && a.hosts != "localhost" {
			return r.smb(a)
		}
		path = decoded(a.path, false)
		if !fileShape.MatchString(path) {
			d := r.draft("folder")
			d.set("path", drive(path))
			return r.made("address", d)
		}
		return r.sqliteFile(drive(path), queryOptions(a.query, false), "address")
	}
	if a.hosts == "" {
		path = strings.TrimPrefix(path, "/")
	}
	return r.sqliteFile(drive(path), queryOptions(a.query, false), "address")
}

// drive takes the slash off /C:/folder.
func drive(path string) string {
	if len(path) > 2 && path[0] == '/' && path[2] == ':' {
		return path[1:]
	}
	return path
}

func (r *reader) sqliteFile(file string, o *options, kind string) (outcome, bool) {
	if inner, ok := strings.CutPrefix(file, "file:"); ok {
		file = inner
	}
	if file == "" || strings.Contains(file, ":memory:") || o.take("mode") == "memory" {
		return outcome{what: "an SQLite address", left: left("Database", "It is a database in the memory of a program, which nobody else can open.")}, true
	}
	o.take("uri", "cache")
	return r.sqliteString(file, o, kind)
}

// dav understands the schemes of file managers, which are http and https.
func (r *reader) dav(a address) (outcome, bool) {
	scheme := "http"
	if a.scheme == "davs" || a.scheme == "webdavs" || a.driver == "https" {
		scheme = "https"
	}
	d := r.draft("webdav")
	d.webdav(a, scheme)
	return r.made("address", d)
}

func (d *draft) webdav(a address, scheme string) {
	a.query, a.fragment = "", ""
	d.set("url", a.clean(scheme))
	d.credentials(a)
}

// ldap understands RFC 4516: host, base DN, attributes, scope, filter and
// extensions, of which bindname is the user.
func (r *reader) ldap(a address) (outcome, bool) {
	d := r.draft("ldap")
	if a.scheme == "ldapi" {
		d.r.Leave("Host", whySocket)
		return r.made("address", d)
	}
	parts := strings.SplitN(a.query, "?", 4)
	a.query = ""
	d.split("host", a.clean(""))
	if answers.ValidHost(a.host) != nil {
		d.set("base_dn", a.name())
	}
	for len(parts) < 4 {
		parts = append(parts, "")
	}
	filter := decoded(parts[2], false)
	if filter != "" && folded(filter) != "(objectclass=*)" {
		d.set("show", "filter")
		d.set("filter", filter)
	}
	if parts[0] != "" && parts[0] != "*" {
		d.r.Leave("attributes", whyNoPlace)
	}
	if parts[1] != "" && parts[1] != "sub" {
		d.r.Leave("scope", whyNoPlace)
	}
	d.ldapExtensions(parts[3], &a)
	d.credentials(a)
	return r.made("address", d)
}

func (d *draft) ldapExtensions(text string, a *address) {
	for ext := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(ext, "=")
		critical := strings.HasPrefix(name, "!")
		switch name = strings.TrimPrefix(name, "!"); {
		case strings.EqualFold(name, "bindname"):
			a.user = decoded(value, false)
		case strings.EqualFold(name, "x-bindpw"):
			a.password = decoded(value, false)
		case strings.EqualFold(name, "1.3.6.1.4.1.1466.20037"), strings.EqualFold(name, "StartTLS"):
			d.set("security", "starttls")
		case name != "" && (critical || shownShape.MatchString(name)):
			d.r.Leave(option{name: name}.shown(), whyNoPlace)
		}
	}
}
