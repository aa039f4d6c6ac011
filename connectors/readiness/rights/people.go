package rights

import (
	"strings"
)

// ldap follows slapd.access(5) for OpenLDAP, and
// https://learn.microsoft.com/windows-server/administration/windows-commands/dsacls
// for Active Directory.
func ldap(a answers) []Grant {
	base := a.or("base_dn", "<base DN>")
	user := a.of("user")
	if a.of("auth") == "anonymous" {
		return []Grant{{Title: "Let anybody search (OpenLDAP)", Where: "ldapmodify as the administrator of cn=config; the database's number may be another.", Language: Plain,
			Text: access(base, "anonymous"), Notes: []string{"A way without any sign-in; an account of its own is better."}}}
	}
	who := user
	if d := a.of("domain"); d != "" && !strings.ContainsAny(user, `\@=`) {
		who = d + `\` + user
	}
	if who == "" {
		who = "<account>"
	}
	dn := "<DN of the account>"
	if strings.Contains(user, "=") {
		dn = user
	}
	return []Grant{
		{Title: "Read below the base DN (Active Directory)", Where: "Run as a domain administrator, where accounts may not read everything as they do at first.", Language: Shell,
			Text:  text("dsacls " + windows(base) + " /I:T /G " + windows(who+":GR")),
			Notes: []string{"GR is generic read: list, read properties and permissions. In most domains every account has it already.", readOnly}},
		{Title: "Read below the base DN (OpenLDAP)", Where: "ldapmodify as the administrator of cn=config; the database's number may be another.", Language: Plain,
			Text: access(base, "dn.exact="+filterQuote(dn)), Notes: []string{"The first rule keeps passwords away from the account. Both let the rules that are there go on for everybody else.", readOnly}},
	}
}

// access is a change of olcAccess. slapd keeps the backslashes of a DN as they are
// between quotation marks.
func access(base, who string) string {
	below := "to dn.subtree=" + filterQuote(base)
	return text("dn: olcDatabase={1}mdb,cn=config", "changetype: modify", "add: olcAccess",
		"olcAccess: {0}"+below+" attrs=userPassword by "+who+" auth by * break",
		"olcAccess: {1}"+below+" by "+who+" read by * break")
}

func filterQuote(v string) string { return `"` + strings.ReplaceAll(v, `"`, `\22`) + `"` }

// windows writes one argument for a Windows command line; a quotation mark cannot
// be part of a name there.
func windows(v string) string { return `"` + strings.ReplaceAll(v, `"`, "") + `"` }

// imap names the rights of https://www.rfc-editor.org/rfc/rfc4314#section-2.1
func imap(a answers) []Grant {
	return []Grant{{Title: "Read a mailbox of somebody else's", Where: "Only where the account looks into another one's mailbox: in Cyrus' cyradm, or Dovecot's doveadm acl.", Language: Plain,
		Text:  text("setacl <mailbox> "+shell(a.or("user", "reader"))+" lr", "doveadm acl set -u <owner> "+shell(a.or("folder", "INBOX"))+" "+shell("user="+a.or("user", "reader"))+" lookup read"),
		Notes: []string{"One of the two lines, as the server is. l lists the folder and r reads it; without s nothing is marked as seen. One's own mailbox needs nothing."}}}
}

func smtp(a answers) []Grant {
	if a.of("auth") == "none" {
		return nil
	}
	return []Grant{{Title: "Sign in to the mail server", Language: Plain, Where: "For whoever runs the mail server.",
		Text: text("The account " + a.or("user", "of the form") + " has to be allowed to sign in with SMTP AUTH. No message is sent by the preview.")}}
}

// services are those of the catalogue, and what a type of one's own says.
func services(a answers) []Grant {
	var out []Grant
	if list := a.scopes(); list != "" {
		out = append(out, Grant{Title: "Scopes to allow", Where: "In the application's settings at the service.", Language: Plain, Text: text(strings.Fields(list)...), Notes: some(when(a.guide.Rights != "", a.guide.Rights))})
	} else if a.guide.Rights != "" {
		out = append(out, Grant{Title: "Rights of the account", Where: "At the service.", Language: Plain, Text: text(a.guide.Rights)})
	}
	return out
}

// scopes are those that the form asks for.
func (a answers) scopes() string {
	for _, key := range []string{"scopes", "google_scopes", "permissions", "access"} {
		if v := a.of(key); v != "" && v != "default" {
			return v
		}
	}
	return ""
}
