package configs

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"jackfield/connectors/intake/internal/configs/fill"
)

// putty reads an export of the registry's sessions
// (https://the.earth.li/~sgtatham/putty/0.83/htmldoc/Chapter4.html#config-file).
func putty(s *source) bool {
	if !strings.Contains(s.text, `SimonTatham\PuTTY\Sessions`) {
		return false
	}
	for _, x := range sections(s.text) {
		_, name, ok := strings.Cut(x.name, `PuTTY\Sessions\`)
		if !ok {
			continue
		}
		if n, err := url.PathUnescape(name); err == nil {
			name = n
		}
		v := map[string]string{}
		for _, kv := range x.keys {
			v[unquoted(kv[0])] = regValue(kv[1])
		}
		if v["HostName"] == "" || v["Protocol"] != "" && v["Protocol"] != "ssh" {
			continue
		}
		drafts := []*fill.Draft{fill.New(s.Types, "sftp"), fill.New(s.Types, "ssh")}
		for _, d := range drafts {
			puttySession(d, v)
		}
		s.add(name, name, drafts...)
	}
	s.what("PuTTY sessions", "session")
	return true
}

func puttySession(d *fill.Draft, v map[string]string) {
	host := v["HostName"]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		d.Set("user", host[:i], "HostName")
		host = host[i+1:]
	}
	d.Set("host", host, "HostName")
	d.Set("port", v["PortNumber"], "PortNumber")
	d.Set("user", v["UserName"], "UserName")
	if v["PublicKeyFile"] != "" {
		d.Choose("auth", "key")
		d.File("PublicKeyFile", v["PublicKeyFile"])
	}
	if m := v["ProxyMethod"]; m != "" && m != "0" {
		d.Leave("ProxyMethod", "Choose the way to the server in the form.")
	}
}

// regValue reads "text" with doubled backslashes, or dword:00000016.
func regValue(v string) string {
	if n, ok := strings.CutPrefix(v, "dword:"); ok {
		x, err := strconv.ParseUint(n, 16, 32)
		if err != nil {
			return ""
		}
		return strconv.FormatUint(x, 10)
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(unquoted(v))
}

// winscp reads the sessions of WinSCP.ini (https://winscp.net/eng/docs/rawsettings).
func winscp(s *source) bool {
	if !strings.Contains(s.text, `[Sessions\`) {
		return false
	}
	for _, x := range sections(s.text) {
		name, ok := strings.CutPrefix(x.name, `Sessions\`)
		if !ok || x.get("HostName") == "" {
			continue
		}
		if n, err := url.PathUnescape(name); err == nil {
			name = n
		}
		s.winscpSession(name, x)
	}
	s.what("a WinSCP.ini", "session")
	return true
}

func (s *source) winscpSession(name string, x section) {
	// 0 and 2: SFTP (1 is SCP), 5: FTP, 6: WebDAV, 7: S3.
	kind := map[string]string{"": "sftp", "0": "sftp", "1": "sftp", "2": "sftp", "5": "ftp", "6": "webdav", "7": "s3"}[x.get("FSProtocol")]
	d := fill.New(s.Types, kind)
	if d == nil {
		s.leave(name, "Its protocol is not among the types here.")
		return
	}
	host, user := x.get("HostName"), percent(x.get("UserName"))
	userKey, passwordKey := "user", "password"
	switch kind {
	case "webdav":
		scheme := "https://"
		if x.get("Ftps") == "0" {
			scheme = "http://"
		}
		d.Set("url", scheme+host, "HostName")
	case "s3":
		userKey, passwordKey = "access_key", "secret_key"
	default:
		d.Set("host", host, "HostName")
		d.Set("port", x.get("PortNumber"), "PortNumber")
	}
	if kind == "ftp" {
		d.Choose("tls", map[string]string{"": "none", "0": "none", "1": "implicit", "2": "explicit", "3": "explicit"}[x.get("Ftps")])
	}
	d.Set(userKey, user, "UserName")
	d.Set("folder", percent(x.get("RemoteDirectory")), "RemoteDirectory")
	if f := x.get("PublicKeyFile"); f != "" {
		d.Choose("auth", "key")
		d.File("PublicKeyFile", percent(f))
	}
	if p := x.get("Password"); p != "" {
		if clear, ok := WinSCPReveal(p, user+host); ok {
			d.Set(passwordKey, clear, "Password")
		} else {
			d.Leave("Password", "It is locked with a master password. Type it into the form.")
		}
	}
	s.add(name, name, d)
}

func percent(v string) string {
	if u, err := url.PathUnescape(v); err == nil {
		return strings.TrimPrefix(u, "\ufeff")
	}
	return v
}

// WinSCPReveal undoes the scrambling of a stored password: every byte is
// inverted and mixed with 0xA3, and user and host stand before it
// (https://winscp.net/eng/docs/security_credentials says that it is no encryption).
func WinSCPReveal(text, owner string) (string, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) < 4 {
		return "", false
	}
	for i := range raw {
		raw[i] = ^(raw[i] ^ 0xA3)
	}
	next := func() int {
		if len(raw) == 0 {
			return -1
		}
		b := raw[0]
		raw = raw[1:]
		return int(b)
	}
	flag := next()
	length := flag
	if flag == 0xFF {
		version := next()
		length = next()
		if version == 2 {
			length = length<<8 | next()
		} else if version != 0 {
			return "", false
		}
	}
	skip := next()
	if skip < 0 || length < 0 || skip+length > len(raw) {
		return "", false
	}
	clear := string(raw[skip : skip+length])
	if flag == 0xFF {
		var mine bool
		if clear, mine = strings.CutPrefix(clear, owner); !mine {
			return "", false
		}
	}
	return clear, utf8.ValidString(clear)
}
