package exports

import (
	"encoding/base64"
	"strconv"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

func readXML(in part.Input, address Address) (part.Found, bool) {
	root, err := parseXML(in.Text)
	if err != nil {
		return part.Found{}, false
	}
	l := newList(in, address)
	switch {
	case root.name == "FileZilla3":
		return fileZilla(l, root)
	case root.name == "plist":
		return cyberduck(l, root)
	case len(root.all("data-source")) > 0:
		return dataGrip(l, root)
	case root.name == "data" && len(root.all("value")) > 0:
		return workbench(l, root)
	case root.name == "Connections" && len(root.all("Connection")) > 0:
		return navicat(l, root)
	case root.name == "Connections" && len(root.all("Node")) > 0:
		return mRemote(l, root)
	}
	return part.Found{}, false
}

// fileZilla reads sitemanager.xml, FileZilla.xml and exports. The numbers are
// those of ServerProtocol and LogonType, see
// https://svn.filezilla-project.org/filezilla/FileZilla3/trunk/src/commonui/site_manager.cpp
func fileZilla(l *list, root *node) (part.Found, bool) {
	for _, s := range root.all("Server") {
		r := record.New(s.value("Name"), "")
		if r.Name == "" {
			r.Name = s.value("Host")
		}
		r.Type = "ftp"
		switch s.value("Protocol") {
		case "", "0":
		case "1":
			r.Type = "sftp"
		case "3":
			r.Put("tls", "implicit")
		case "4":
			r.Put("tls", "start")
		case "6":
			r.Put("tls", "off")
		default:
			l.found.Left = append(l.found.Left, part.Left{Name: nameOf(r), Why: "It is a cloud service's sign-in, which FileZilla keeps to itself."})
			continue
		}
		r.Put("host", s.value("Host"))
		r.Put("port", s.value("Port"))
		fileZillaSignIn(r, s)
		r.Put("folder", fileZillaFolder(s.value("RemoteDir")))
		l.add(r)
	}
	return l.done("FileZilla's site list", "site")
}

func fileZillaSignIn(r *record.Record, s *node) {
	if s.value("Logontype") == "0" && r.Type == "ftp" {
		r.Put("auth", "anonymous")
		return
	}
	r.Put("user", s.value("User"))
	pass := s.child("Pass")
	switch pass.attr["encoding"] {
	case "crypt":
		r.Leave("Pass", "A master password protects it in FileZilla. Type it again.")
	case "base64":
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(pass.text)); err == nil {
			r.Put("password", string(raw))
		}
	default:
		r.Put("password", pass.text)
	}
	if key := s.value("Keyfile"); key != "" {
		r.Put("auth", "key")
		r.Leave("Keyfile", aPath)
	}
	if s.value("Logontype") == "3" && r.Type == "sftp" {
		r.Put("auth", "interactive")
	}
}

// fileZillaFolder reads "1 0 4 home 5 alice": the kind of server and a prefix,
// then each part with its length before it.
func fileZillaFolder(text string) string {
	kind, rest, ok := strings.Cut(text, " ")
	if !ok || kind != "1" && kind != "0" {
		return ""
	}
	_, rest, ok = strings.Cut(rest, " ")
	out := ""
	for ok && rest != "" {
		var size string
		size, rest, ok = strings.Cut(rest, " ")
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 || n > len(rest) {
			return ""
		}
		out += "/" + rest[:n]
		rest = strings.TrimPrefix(rest[n:], " ")
	}
	return out
}

// cyberduck reads a .duck bookmark, or a history file.
// https://docs.cyberduck.io/cyberduck/bookmarks/
func cyberduck(l *list, root *node) (part.Found, bool) {
	for _, d := range root.all("dict") {
		m := d.dict()
		get := func(k string) string {
			if n, ok := m[k]; ok && len(n.children) == 0 {
				return strings.TrimSpace(n.text)
			}
			return ""
		}
		if get("Protocol") == "" || get("Hostname") == "" {
			continue
		}
		r := record.New(get("Nickname"), "")
		protocol := strings.ToLower(get("Protocol"))
		r.Type = record.TypeOf(l.in.Types, protocol)
		switch protocol {
		case "ftp":
			r.Put("tls", "off")
		case "ftps":
			r.Put("tls", "start")
		case "dav", "davs":
			r.Put("url", map[string]string{"dav": "http", "davs": "https"}[protocol]+"://"+get("Hostname")+portOf(get("Port"))+get("Path"))
		}
		if r.Type == "s3" {
			r.Put("access_key", get("Username"))
			if h := get("Hostname"); h != "s3.amazonaws.com" {
				r.Type = "s3_compatible"
				r.Put("url", "https://"+h+portOf(get("Port")))
			}
		} else if r.Type != "webdav" {
			r.Put("host", get("Hostname"))
			r.Put("port", get("Port"))
			r.Put("folder", get("Path"))
		}
		if user := get("Username"); user == "anonymous" && r.Type == "ftp" {
			r.Put("auth", "anonymous")
		} else if r.Type != "s3" && r.Type != "s3_compatible" {
			r.Put("user", user)
		}
		if m["Private Key File Dictionary"] != nil || get("Private Key File") != "" {
			r.Put("auth", "key")
			r.Leave("Private Key File", aPath)
		}
		r.Note("Cyberduck keeps the password in this computer's keychain, so it is not in the bookmark.")
		l.add(r)
	}
	if len(l.found.Items)+len(l.found.Left) == 0 {
		return part.Found{}, false
	}
	return l.done("a Cyberduck bookmark file", "connection")
}

func portOf(p string) string {
	if p == "" || p == "443" {
		return ""
	}
	return ":" + p
}

// dataGrip reads dataSources.xml and dataSources.local.xml.
func dataGrip(l *list, root *node) (part.Found, bool) {
	for _, s := range root.all("data-source") {
		r := record.New(s.attr["name"], "")
		r.Type = record.TypeOf(l.in.Types, s.value("driver-ref"))
		r.Put("url", s.value("jdbc-url"))
		r.Put("user", s.value("user-name"))
		r.Leave("password", elsewhere)
		l.add(r)
	}
	return l.done("DataGrip's data sources", "connection")
}

// workbench reads MySQL Workbench's connections.xml.
func workbench(l *list, root *node) (part.Found, bool) {
	known := false
	for _, c := range root.all("value") {
		if c.attr["struct-name"] != "db.mgmt.Connection" {
			continue
		}
		known = true
		r := record.New("", "")
		r.Type = "mysql"
		for _, v := range c.all("value") {
			text := strings.TrimSpace(v.text)
			switch v.attr["key"] {
			case "name":
				r.Name = text
			case "hostName":
				r.Put("host", text)
			case "port":
				r.Put("port", text)
			case "userName":
				r.Put("user", text)
			case "schema":
				r.Put("database", text)
			case "sshHost":
				if text != "" {
					r.Leave("sshHost", "Make a connection of the type SSH jump host, and choose it under the way to the server.")
				}
			}
		}
		r.Leave("password", elsewhere)
		l.add(r)
	}
	if !known {
		return part.Found{}, false
	}
	return l.done("MySQL Workbench's connection list", "connection")
}

// navicat reads an .ncx export.
func navicat(l *list, root *node) (part.Found, bool) {
	for _, c := range root.all("Connection") {
		a := c.attr
		r := record.New(a["ConnectionName"], "")
		r.Type = record.TypeOf(l.in.Types, a["ConnType"])
		r.Put("host", a["Host"])
		r.Put("port", a["Port"])
		r.Put("user", a["UserName"])
		r.Put("database", a["Database"])
		if r.Type == "oracle" {
			r.Put("service", a["ServiceName"])
		}
		if a["Password"] != "" {
			r.Leave("Password", encrypted)
		}
		if a["SSH"] == "true" {
			r.Leave("SSH", "Make a connection of the type SSH jump host, and choose it under the way to the server.")
		}
		l.add(r)
	}
	return l.done("a Navicat export", "connection")
}

// mRemote reads mRemoteNG's confCons.xml: what can be linked of it.
func mRemote(l *list, root *node) (part.Found, bool) {
	other := 0
	for _, n := range root.all("Node") {
		a := n.attr
		if a["Type"] != "Connection" {
			continue
		}
		r := record.New(a["Name"], "")
		switch a["Protocol"] {
		case "SSH1", "SSH2":
			r.Type = "ssh"
		case "HTTP", "HTTPS":
			r.Type = "http"
			r.Put("url", strings.ToLower(a["Protocol"])+"://"+a["Hostname"])
		default:
			other++
			continue
		}
		if r.Type == "ssh" {
			r.Put("host", a["Hostname"])
			r.Put("port", a["Port"])
		}
		r.Put("user", a["Username"])
		if a["Password"] != "" {
			r.Leave("Password", encrypted)
		}
		l.add(r)
	}
	if other > 0 {
		l.found.Left = append(l.found.Left, part.Left{Name: "connections of other kinds", Why: "Remote desktops and consoles (" + strconv.Itoa(other) + ") have no connection type here."})
	}
	return l.done("an mRemoteNG list", "connection")
}
