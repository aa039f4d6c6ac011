package commands

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// https://man.openbsd.org/ssh, sftp and scp: -p and -P differ.
var sshGrammar = grammar{values: "-B -b -c -D -E -e -F -I -i -J -L -l -m -M_ -O -o -p -P -Q -R -S -W -w -s_ -X_"}

// ssh reads ssh, autossh, mosh, sftp and scp.
func ssh(in part.Input, c call, address fill.Address) []part.Item {
	g := sshGrammar
	if c.program == "scp" || c.program == "sftp" {
		g.values = "-B -b -c -D -F -i -J -l -o -P -R -S -s -X"
	}
	if c.program == "autossh" {
		g.values += " -M"
	}
	opts := g.options(c.args)
	kinds := []string{"sftp", "ssh"}
	if c.program == "scp" || c.program == "sftp" {
		kinds = kinds[:1]
	} else if forwards(opts) {
		kinds = []string{"ssh", "sftp"}
	}
	var drafts []*fill.Draft
	for _, k := range kinds {
		d := tool{}.addressed(in, k, opts, address)
		sshOptions(d, opts, c.program)
		if d.Has("host") {
			drafts = append(drafts, d)
		}
	}
	if it, ok := fill.Item("", "", drafts...); ok {
		return []part.Item{it}
	}
	return nil
}

func forwards(opts []opt) bool {
	for _, o := range opts {
		if o.name == "-L" || o.name == "-D" || o.name == "-W" || o.name == "-N" {
			return true
		}
	}
	return false
}

func sshOptions(d *fill.Draft, opts []opt, program string) {
	for i, o := range opts {
		switch o.name {
		case "":
			if !d.Has("host") && !strings.Contains(o.value, "://") {
				target(d, o.value, program)
			}
			if d.Has("host") && program != "scp" && program != "sftp" && i+1 < len(opts) && opts[i+1].name == "" {
				return // what follows runs on the other side
			}
		case "-p", "-P":
			if o.value != "" {
				d.Set("port", o.value, o.name)
			}
		case "-l":
			if program != "scp" && program != "sftp" {
				d.Set("user", o.value, o.name)
			}
		case "-i":
			fill.SSH(d, "IdentityFile", o.value)
		case "-J":
			fill.SSH(d, "ProxyJump", o.value)
		case "-F":
			d.Leave("-F", "Paste the text of this configuration file.")
		case "-o":
			name, value, ok := strings.Cut(o.value, "=")
			if !ok {
				name, value, _ = strings.Cut(o.value, " ")
			}
			fill.SSH(d, strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

// target reads [user@]host, with a path after a colon for scp and sftp.
func target(d *fill.Draft, v, program string) {
	folder, copies := "", program == "scp" || program == "sftp"
	if copies {
		end := strings.LastIndexByte(v, ']') + 1
		i := strings.IndexByte(v[end:], ':')
		if program == "scp" && i < 0 {
			return // a file on this computer
		}
		if i >= 0 {
			v, folder = v[:end+i], v[end+i+1:]
		}
		if program == "scp" && (strings.HasPrefix(v, ".") || strings.ContainsAny(v, "/\\") || len(v) == 1) {
			return
		}
	}
	if i := strings.LastIndexByte(v, '@'); i >= 0 {
		if !d.Has("user") {
			d.Set("user", v[:i], "the user")
		}
		v = v[i+1:]
	}
	d.Set("host", strings.Trim(v, "[]"), "the host")
	if program == "sftp" {
		d.Set("folder", folder, "the folder")
	} else if folder != "" {
		i := strings.LastIndexByte(folder, '/')
		d.Set("folder", folder[:max(i, 0)], "the folder")
	}
}

// sshpass starts another program with a password.
func sshpass(in part.Input, c call, address fill.Address) []part.Item {
	password := c.env["SSHPASS"]
	args := c.args
	history := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "-p" && len(args) > 1:
			password, args, history = args[1], args[1:], true
		case strings.HasPrefix(args[0], "-p"):
			password, history = args[0][2:], true
		case (args[0] == "-f" || args[0] == "-P") && len(args) > 1:
			args = args[1:]
		}
		args = args[1:]
	}
	inner, ok := newCall(args, map[string]string{})
	if !ok {
		return nil
	}
	switch inner.program {
	case "ssh", "scp", "sftp", "autossh":
	default:
		return nil
	}
	items := ssh(in, inner, address)
	for i, it := range items {
		var drafts []*fill.Draft
		for _, r := range it.Readings {
			d := fill.From(in.Types, r)
			if r.Settings.Plain["auth"] == "" {
				d.Choose("auth", "password")
				d.Set("password", password, "the password")
			}
			if history {
				d.Note(fill.History)
			}
			drafts = append(drafts, d)
		}
		items[i], _ = fill.Item(it.Name, "", drafts...)
	}
	return items
}

// openssl reads s_client -connect host:port to a mail server.
func openssl(in part.Input, c call, _ fill.Address) []part.Item {
	g := grammar{single: true, values: "-connect -starttls -servername -CAfile -cert -key -CApath -proxy -port -host"}
	if len(c.args) == 0 || c.args[0] != "s_client" {
		return nil
	}
	at := map[string]string{}
	for _, o := range g.options(c.args[1:]) {
		at[o.name] = o.value
	}
	_, port := fill.SplitPort(at["-connect"])
	kind := map[string]string{"25": "smtp", "465": "smtp", "587": "smtp", "2525": "smtp", "143": "imap", "993": "imap", "636": "ldap", "389": "ldap", "21": "ftp", "990": "ftp", "8883": "mqtt", "5432": "postgres"}[port]
	if s := map[string]string{"smtp": "smtp", "imap": "imap", "ldap": "ldap", "ftp": "ftp", "postgres": "postgres", "mysql": "mysql"}[at["-starttls"]]; s != "" {
		kind = s
	}
	d := fill.New(in.Types, kind)
	d.HostPort(at["-connect"], "-connect")
	if kind == "smtp" || kind == "imap" {
		d.Choose("security", "tls")
	}
	if at["-starttls"] != "" {
		d.Choose("security", "starttls")
	} else if kind == "ftp" {
		d.Choose("tls", "implicit")
	}
	if sni := at["-servername"]; sni != "" && !strings.HasPrefix(at["-connect"], sni+":") {
		d.Set("tls_name", sni, "-servername")
	}
	for _, f := range []string{"-CAfile", "-cert", "-key"} {
		d.File(f, at[f])
	}
	if it, ok := fill.Item("", "", d); ok && d.Has("host") {
		return []part.Item{it}
	}
	return nil
}

// rclone reads the remote written into the command, :sftp,host=h,user=u:path
// (https://rclone.org/docs/#connection-strings).
func rclone(in part.Input, c call, _ fill.Address) []part.Item {
	var out []part.Item
	for _, a := range c.args {
		if !strings.HasPrefix(a, ":") || len(out) >= maxCalls {
			continue
		}
		kind, values, path := fill.RcloneString(a)
		if it, ok := fill.Item("", "", fill.Rclone(in.Types, kind, values, path)); ok {
			out = append(out, it)
		}
	}
	return out
}
