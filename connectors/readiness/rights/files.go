package rights

import (
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

var (
	plainUser  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]*$`)
	plainPaths = regexp.MustCompile(`^/[^\s"'\\]*$`) // internal-sftp's words are parted at spaces, whatever is around them
)

// PublicLine is what goes into authorized_keys for the private key of an SSH
// form, "" where no key is asked for or it cannot be read.
func PublicLine(t connectors.Type, s connectors.Settings) string {
	a := answers{form: t.Form, s: t.Form.Tidied(s)}
	if t.ID != "sftp" && t.ID != "ssh" {
		return ""
	}
	return a.publicLine()
}

func (a answers) publicLine() string {
	if !a.form.Visible("key", a.s) || a.s.Secrets["key"].Empty() {
		return ""
	}
	items, _, err := keys.Read([]byte(a.s.Secrets["key"].Reveal()), a.s.Secrets["passphrase"])
	if err != nil {
		return ""
	}
	for _, i := range items {
		if i.Public != nil && (i.Kind == keys.PrivateKey || i.Kind == keys.PublicKey) {
			return keys.SSHLine(i.Public, comment(a.or("user", "reader")))
		}
	}
	return ""
}

func comment(user string) string {
	return strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return -1
		}
		return r
	}, user) + "@jackfield"
}

// sftp uses what sshd_config(5), sshd(8) and sftp-server(8) of OpenSSH describe:
// https://man.openbsd.org/sshd_config, https://man.openbsd.org/sftp-server
func sftp(a answers) []Grant {
	command := "internal-sftp -R"
	folder := a.of("folder")
	if strings.HasPrefix(folder, "/") && plainPaths.MatchString(folder) {
		command += " -d " + strings.ReplaceAll(folder, "%", "%%")
	}
	user := a.or("user", "reader")
	var out []Grant
	if a.form.Visible("key", a.s) || a.of("auth") == "agent" {
		line := a.publicLine()
		notes := []string{`Put from="ADDRESS", in front of the line to let the key in from one address only.`, "-R makes everything read-only. It does not keep the user out of other folders; the variant with ChrootDirectory does."}
		if line == "" {
			line = "<public key>"
			notes = append(notes, "The public key's line goes where it says so.")
		}
		out = append(out, Grant{Title: "Let the key in, for reading files only", Where: "Add to ~/.ssh/authorized_keys of the user " + user + ", as one line.", Language: Plain,
			Text: text(`restrict,command="` + command + `" ` + line), Notes: notes})
	}
	where := "Add at the end of /etc/ssh/sshd_config, and reload sshd."
	match := user
	notes := []string{}
	if !plainUser.MatchString(user) {
		match = "<user>"
		notes = append(notes, "Write the user's name in place of <user>.")
	}
	title := "Variant: the same for every way to sign in"
	if len(out) == 0 {
		title = "Reading files only"
	}
	out = append(out, Grant{Title: title, Where: where, Language: Plain,
		Text:  text("Match User "+match, "    ForceCommand "+command, "    DisableForwarding yes", "    PermitTTY no"),
		Notes: append(notes, "A line ChrootDirectory with a folder that belongs to root keeps the user inside it; the folder of the form then counts from there.")})
	return out
}

func jump(a answers) []Grant {
	user := a.or("user", "reader")
	notes := []string{"Write the server and the port that are gone to; repeat permitopen for others."}
	var out []Grant
	if a.form.Visible("key", a.s) || a.of("auth") == "agent" {
		line := a.publicLine()
		if line == "" {
			line = "<public key>"
		}
		out = append(out, Grant{Title: "Let the key in, for going through only", Where: "Add to ~/.ssh/authorized_keys of the user " + user + ", as one line.", Language: Plain,
			Text: text(`restrict,port-forwarding,permitopen="<server>:<port>",command="/bin/false" ` + line), Notes: notes})
	}
	match := user
	if !plainUser.MatchString(user) {
		match = "<user>"
	}
	return append(out, Grant{Title: when(len(out) > 0, "Variant: the same for every way to sign in") + when(len(out) == 0, "Going through only"), Where: "Add at the end of /etc/ssh/sshd_config, and reload sshd.", Language: Plain,
		Text: text("Match User "+match, "    AllowTcpForwarding local", "    PermitOpen <server>:<port>", "    X11Forwarding no", "    AllowAgentForwarding no", "    PermitTTY no", "    ForceCommand /bin/false"), Notes: notes})
}

// smb follows https://learn.microsoft.com/powershell/module/smbshare/grant-smbshareaccess
// and smb.conf(5).
func smb(a answers) []Grant {
	if a.of("auth") != "password" {
		return nil
	}
	user := a.or("user", "reader")
	share := a.or("share", "<share>")
	full := user
	if d := a.of("domain"); d != "" && !strings.ContainsAny(user, `\@`) {
		full = d + `\` + user
	}
	return []Grant{
		{Title: "Read the share (Windows)", Where: "Run in PowerShell as an administrator of the file server.", Language: Shell,
			Text:  text("Grant-SmbShareAccess -Name "+power(share)+" -AccountName "+power(full)+" -AccessRight Read -Force", "icacls (Get-SmbShare -Name "+power(share)+").Path /grant "+power(full+":(OI)(CI)(RX)")),
			Notes: []string{"Both are needed: the share's permission and the folder's.", readOnly}},
		{Title: "Read the share (Samba)", Where: "Put into the share's section of smb.conf; a variant of the above.", Language: Plain,
			Text: text("["+strings.Trim(share, "[]")+"]", "    valid users = "+sambaName(full), "    read list = "+sambaName(full)), Notes: []string{"Keep the names that stand in these lines already."}},
	}
}

// power quotes for PowerShell: https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
func power(v string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(v) + "'"
}

func sambaName(v string) string {
	if strings.ContainsAny(v, " ,") {
		return `"` + strings.ReplaceAll(v, `"`, "") + `"`
	}
	return v
}

// ftp shows what vsftpd.conf(5) calls it; others have the same under other names.
func ftp(a answers) []Grant {
	return []Grant{{Title: "List and download only (vsftpd)", Where: "Put into the file of the user " + a.or("user", "anonymous") + " in user_config_dir.", Language: Plain,
		Text: text("write_enable=NO", "dirlist_enable=YES", "download_enable=YES"), Notes: []string{"On other servers: let the user list and download in the folder, and nothing else."}}}
}

// webdav follows https://httpd.apache.org/docs/2.4/mod/core.html#limitexcept
func webdav(a answers) []Grant {
	return []Grant{{Title: "Read only (Apache)", Where: "Put into the <Location> or <Directory> of the folder.", Language: Plain,
		Text:  text("<LimitExcept GET HEAD OPTIONS PROPFIND>", "    Require all denied", "</LimitExcept>"),
		Notes: []string{"In Nextcloud and ownCloud, share the folder with " + a.or("user", "the account") + " and leave out the rights to edit, create and delete."}}}
}

func file(a answers) []Grant {
	return []Grant{{Title: "Read the file", Where: "Run as the owner of the file.", Language: Shell, Text: text("chmod a+r -- " + shell(a.or("file", "<file>")))}}
}
