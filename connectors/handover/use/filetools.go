package use

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net"
	"strings"
)

func fileTools() []writer {
	return []writer{
		{Format: Format{ID: "rclone", Name: "rclone remote", For: "rclone", File: "~/.config/rclone/rclone.conf", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			fits: rcloneFits, write: (*plan).rclone},
		{Format: Format{ID: "ssh-config", Name: "SSH host entry", For: "ssh, sftp, scp, rsync, git", File: "~/.ssh/config", Mode: 0o600, Syntax: "ssh", Group: GroupFiles},
			public: true, fits: only("ssh", "sftp"), write: (*plan).sshConfig},
		{Format: Format{ID: "known-hosts", Name: "Known host lines", For: "ssh, sftp, scp", File: "~/.ssh/known_hosts", Mode: 0o600, Syntax: "text", Group: GroupFiles},
			public: true, fits: func(p *plan) bool { return p.is("ssh", "sftp") && p.knownHosts() != "" }, write: (*plan).knownHosts},
		{Format: Format{ID: "ssh-key", Name: "Private key file", For: "ssh, sftp and programs that take a key", File: "~/.ssh/id_jackfield", Mode: 0o600, Syntax: "pem", Clear: true, Group: GroupFiles},
			fits: func(p *plan) bool { return p.is("ssh", "sftp") && p.asks("key") }, write: func(p *plan) string { p.openSSH(); return p.secret("key") }},
		{Format: Format{ID: "netrc", Name: ".netrc entry", For: "curl, wget, git, ftp", File: "~/.netrc", Mode: 0o600, Syntax: "text", Clear: true, Group: GroupFiles},
			fits: (*plan).netrcFits, write: (*plan).netrc},
		{Format: Format{ID: "filezilla", Name: "FileZilla site", For: "FileZilla, by File, Import", File: "FileZilla.xml", Mode: 0o600, Syntax: "xml", Clear: true, Group: GroupFiles},
			fits: func(p *plan) bool { return p.is("ftp") || p.is("sftp") && p.v("auth") != "agent" }, write: (*plan).fileZilla},
	}
}

// identity is the key's file; a certificate lies beside it, where ssh looks.
func (p *plan) identity() string {
	p.openSSH()
	name := p.file("key", "key")
	if name == "" {
		return ""
	}
	if p.has("certificate") {
		p.file("certificate", "key-cert.pub")
	}
	if p.has("passphrase") {
		p.leaves("The passphrase of the key is not in it: the tool asks for it, or takes it from ssh-agent.")
	}
	return name
}

// sshConfig: man ssh_config.
func (p *plan) sshConfig() string {
	lines := []string{"Host " + p.profile(), "  HostName " + p.q("host", sshWord(true)), "  Port " + p.v("port"), "  User " + p.q("user", without("%"))}
	if strings.ContainsAny(p.v("user"), " \"'\\#") {
		lines[3] = "  User " + p.q("user", oneLine(sshUser))
	}
	if id := p.identity(); id != "" {
		file, _ := sshWord(true)(id)
		lines = append(lines, "  IdentityFile "+file, "  IdentitiesOnly yes")
	}
	switch p.v("auth") {
	case "password":
		lines = append(lines, "  PreferredAuthentications password,keyboard-interactive")
		p.leaves("The password is not in it: OpenSSH asks for it.")
	case "interactive":
		lines = append(lines, "  PreferredAuthentications keyboard-interactive")
	case "both":
		p.leaves("The password is not in it: OpenSSH asks for it.")
	}
	if p.v("legacy") == "true" {
		lines = append(lines, "  HostKeyAlgorithms +ssh-rsa,ssh-dss", "  PubkeyAcceptedAlgorithms +ssh-rsa,ssh-dss", "  KexAlgorithms +diffie-hellman-group14-sha1,diffie-hellman-group1-sha1")
	}
	if text := p.knownHosts(); text != "" {
		name, _ := sshWord(true)(p.addFile(p.profile()+"-known_hosts", text))
		lines = append(lines, "  UserKnownHostsFile "+name, "  StrictHostKeyChecking yes")
	}
	if p.v("folder") != "" {
		p.leaves("The folder is not in it. Give it to the tool.")
	}
	if p.v("via") == "ssh" {
		p.leaves("Write the jump host's own entry too, and add ProxyJump with its name here.")
	}
	return strings.Join(lines, "\n") + "\n"
}

// sshUser refuses %, which newer versions of OpenSSH expand there and older do not.
func sshUser(v string) (string, error) {
	if _, err := without("%")(v); err != nil {
		return v, err
	}
	return sshWord(false)(v)
}

// knownHosts are the lines that were given and those that the person trusted.
func (p *plan) knownHosts() string {
	var out []string
	for _, text := range []string{p.v("known_hosts_file"), p.s.Secrets["known_hosts"].Reveal()} {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, "\n") + "\n"
}

func (p *plan) netrcFits() bool {
	return p.is("ftp", "sftp", "webdav", "imap", "smtp", "http", "elasticsearch", "clickhouse") && p.asks("user") && p.asks("password")
}

// netrc: https://everything.curl.dev/usingcurl/netrc.html. Quotes are curl's; a
// name that needs none is written without.
func (p *plan) netrc() string {
	host := p.v("host")
	for _, key := range []string{"url", "base_url"} {
		if p.has(key) {
			host = hostOf(p.v(key))
		}
	}
	return "machine " + host + " login " + p.q("user", netrcWord) + " password " + p.q("password", netrcWord) + "\n"
}

// netrcWord: in curl's own words an empty one, blanks and # need quotes.
func netrcWord(v string) (string, error) {
	if v != "" && !strings.ContainsAny(v, " \t\r\n\"\\#") {
		return v, holds(v)
	}
	return cLike(v)
}

// rclone's remotes: https://rclone.org/docs/#configuration-file
func rcloneFits(p *plan) bool {
	return p.is("sftp", "ftp", "smb", "s3", "s3_compatible", "gcs", "azure_blob", "folder") ||
		p.is("webdav") && p.v("auth") != "digest"
}

type remote struct {
	p     *plan
	pairs pairs
}

func (r *remote) put(name, key string) {
	if r.p.any(key) != "" {
		r.pairs.add(name, r.p.q(key, rcloneValue))
	}
}

// hide puts a password as rclone wants it: obscured, which hides it from a glance
// and from nobody else (https://rclone.org/commands/rclone_obscure/).
func (r *remote) hide(name, key string) {
	if r.p.any(key) == "" {
		return
	}
	if r.p.marked(key) {
		r.p.leaves("A password stands obscured in this file. Put it in with: rclone config password " + r.p.profile() + " " + name + ".")
		return
	}
	r.pairs.add(name, r.p.q(key, obscured))
}

// obscureKey is public: fs/config/obscure in rclone's source.
const obscureKey = "\x9c\x93\x5b\x48\x73\x0a\x55\x4d\x6b\xfd\x7c\x63\xc8\x86\xa9\x2b\xd3\x90\x19\x8e\xb8\x12\x8a\xfb\xf4\xde\x16\x2b\x8b\x95\xf6\x38"

func obscured(v string) (string, error) {
	block, err := aes.NewCipher([]byte(obscureKey))
	if err != nil {
		return "", err
	}
	out := make([]byte, aes.BlockSize+len(v))
	if _, err := rand.Read(out[:aes.BlockSize]); err != nil {
		return "", err
	}
	cipher.NewCTR(block, out[:aes.BlockSize]).XORKeyStream(out[aes.BlockSize:], []byte(v))
	return base64.RawURLEncoding.EncodeToString(out), holds(v)
}

func (p *plan) rclone() string {
	r := &remote{p: p, pairs: pairs{sep: "\n", end: "\n"}}
	map[string]func(*remote){"sftp": (*remote).sftp, "ftp": (*remote).ftp, "smb": (*remote).smb, "s3": (*remote).s3, "s3_compatible": (*remote).s3,
		"gcs": (*remote).gcs, "azure_blob": (*remote).azure, "folder": (*remote).folder, "webdav": (*remote).webdav}[p.typ.ID](r)
	for _, key := range []string{"bucket", "container", "share"} {
		if p.has(key) {
			p.leaves("The path is no part of a remote: write " + p.profile() + ":" + p.v(key) + ".")
		}
	}
	return "[" + p.profile() + "]\n" + r.pairs.String()
}

func (r *remote) sftp() {
	r.pairs.add("type", "sftp")
	r.put("host", "host")
	r.put("port", "port")
	r.put("user", "user")
	r.hide("pass", "password")
	r.p.openSSH()
	if name := r.p.file("key", "key"); name != "" {
		r.pairs.add("key_file", name)
		r.hide("key_file_pass", "passphrase")
	}
	if text := r.p.knownHosts(); text != "" {
		r.pairs.add("known_hosts_file", r.p.addFile(r.p.profile()+"-known_hosts", text))
	}
	if r.p.v("auth") == "agent" {
		r.pairs.add("key_use_agent", "true")
	}
	r.noteFolder()
}

func (r *remote) noteFolder() {
	if f := r.p.v("folder"); f != "" {
		r.p.leaves("The folder is no part of a remote: write " + r.p.profile() + ":" + f + ".")
	}
}

func (r *remote) ftp() {
	r.pairs.add("type", "ftp")
	r.put("host", "host")
	r.pairs.add("port", r.p.port())
	r.put("user", "user")
	r.hide("pass", "password")
	switch r.p.v("tls") {
	case "explicit":
		r.pairs.add("explicit_tls", "true")
	case "implicit":
		r.pairs.add("tls", "true")
	}
	if r.p.v("auth") == "anonymous" {
		r.pairs.add("user", "anonymous")
	}
	r.noteFolder()
}

func (r *remote) smb() {
	r.pairs.add("type", "smb")
	r.put("host", "host")
	r.put("port", "port")
	r.put("user", "user")
	r.hide("pass", "password")
	r.put("domain", "domain")
	r.noteFolder()
}

func (r *remote) webdav() {
	r.pairs.add("type", "webdav")
	r.put("url", "url")
	vendor := "other"
	if r.p.v("auth") == "ntlm" {
		vendor = "sharepoint-ntlm"
	}
	r.pairs.add("vendor", vendor)
	user := "user"
	if r.p.has("domain") {
		r.pairs.add("user", r.p.say("user", r.p.v("domain")+`\`+r.p.v("user"), rcloneValue))
	} else {
		r.put(user, "user")
	}
	r.hide("pass", "password")
	r.put("bearer_token", "token")
	r.noteFolder()
}

func (r *remote) s3() {
	r.pairs.add("type", "s3")
	r.pairs.add("provider", map[bool]string{true: "AWS", false: "Other"}[r.p.is("s3")])
	r.put("access_key_id", "access_key")
	r.put("secret_access_key", "secret_key")
	r.put("session_token", "session_token")
	r.put("region", "region")
	r.put("endpoint", "endpoint")
	if r.p.is("s3_compatible") {
		r.pairs.add("force_path_style", map[bool]string{true: "false", false: "true"}[r.p.v("addressing") == "virtual"])
	}
	if r.p.has("role_arn") {
		r.p.leaves("The role is not in it. Make an AWS profile with it, and set env_auth and profile here.")
	}
}

func (r *remote) gcs() {
	if r.p.v("auth") == "hmac" {
		r.pairs.add("type", "s3")
		r.pairs.add("provider", "GCS")
		r.put("access_key_id", "access_key")
		r.put("secret_access_key", "secret_key")
		r.pairs.add("endpoint", orElse(r.p.v("endpoint"), "https://storage.googleapis.com"))
		return
	}
	r.pairs.add("type", "google cloud storage")
	r.put("project_number", "project")
	if name := r.p.file("key_file", "key.json"); name != "" {
		r.pairs.add("service_account_file", name)
	}
	r.put("endpoint", "endpoint")
}

func (r *remote) azure() {
	r.pairs.add("type", "azureblob")
	parts := r.p.azureParts()
	for _, x := range [][3]string{{"account", "account", ""}, {"key", "account_key", "AccountKey"}, {"sas_url", "sas", ""}} {
		if r.p.has(x[1]) || r.p.marked(x[1]) {
			if x[1] == "sas" {
				r.pairs.add(x[0], r.p.say("sas", r.p.azureURL()+"?"+strings.TrimPrefix(r.p.secret("sas"), "?"), rcloneValue))
				continue
			}
			r.put(x[0], x[1])
		}
	}
	if r.p.v("auth") == "connection" {
		_ = r.p.secret("connection_string")
		for _, x := range [][2]string{{"account", "AccountName"}, {"key", "AccountKey"}, {"endpoint", "BlobEndpoint"}} {
			if v := parts[x[1]]; v != "" {
				r.pairs.add(x[0], r.p.say("connection_string", v, rcloneValue))
			}
		}
		return
	}
	if r.p.has("endpoint") {
		r.put("endpoint", "endpoint")
	}
}

// azureParts are the parts of a connection string; only the account's name and
// place where the secret is not to be shown.
func (p *plan) azureParts() map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(p.s.Secrets["connection_string"].Reveal(), ";") {
		name, value, ok := strings.Cut(part, "=")
		if ok && (p.o.Secrets == Reveal || name != "AccountKey" && name != "SharedAccessSignature") {
			out[name] = value
		}
	}
	return out
}

func (p *plan) azureURL() string {
	if p.has("endpoint") {
		return strings.TrimSuffix(p.v("endpoint"), "/")
	}
	return "https://" + p.v("account") + ".blob." + orElse(p.v("endpoint_suffix"), "core.windows.net")
}

func (r *remote) folder() {
	r.pairs.add("type", "alias")
	r.put("remote", "path")
}

// fileZilla: https://github.com/filezilla-project's interface/sitemanager; the
// password is base64, which is no protection.
func (p *plan) fileZilla() string {
	protocol := "1"
	if p.is("ftp") {
		protocol = map[string]string{"explicit": "4", "implicit": "3", "none": "6"}[p.v("tls")]
	}
	logon, secret := "1", ""
	switch {
	case p.v("auth") == "anonymous":
		logon = "0"
	case p.v("auth") == "key":
		logon, secret = "5", "<Keyfile>"+p.say("key", p.file("key", "key"), xmlText)+"</Keyfile>"
	case p.o.Secrets == Placeholder, p.v("auth") == "interactive":
		logon = "2"
	case p.marked("password"):
		secret = "<Pass>" + p.secret("password") + "</Pass>"
	default:
		secret = `<Pass encoding="base64">` + p.q("password", base64Text) + "</Pass>"
	}
	if p.v("auth") == "both" {
		p.leaves("FileZilla signs in with a key or a password, not both: the key is left out.")
	}
	name, err := xmlText(p.name)
	if err != nil {
		p.refuse("", err.Error())
	}
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<FileZilla3>\n <Servers>\n  <Server>\n   <Host>" + p.q("host", xmlText) + "</Host>\n   <Port>" + p.port0() +
		"</Port>\n   <Protocol>" + protocol + "</Protocol>\n   <Type>0</Type>\n   <User>" + p.q("user", xmlText) + "</User>\n   " + secret +
		"\n   <Logontype>" + logon + "</Logontype>\n   <Name>" + name + "</Name>\n  </Server>\n </Servers>\n</FileZilla3>\n"
}

// hostOf is the host of an address, without its port.
func hostOf(where string) string {
	_, rest, _ := strings.Cut(where, "://")
	rest, _, _ = strings.Cut(rest, "/")
	if host, _, err := net.SplitHostPort(rest); err == nil {
		return host
	}
	return strings.Trim(rest, "[]")
}
