// Package rights writes down the least that an account needs for the preview of
// one connection: a policy, grants, an access list, a line to install. All of it
// is made from the answers of the form alone, without a network, and for an
// administrator of the other side to run. No secret is ever part of it: where a
// password has to stand, there is Placeholder.
package rights

import (
	"slices"
	"strings"
	"unicode"

	"jackfield/connectors"
)

// Placeholder stands where whoever runs a Grant writes a new password.
const Placeholder = "<password>"

// The languages of a Grant's text.
const (
	JSON  = "json"
	SQL   = "sql"
	Plain = "text"
	Shell = "shell"
)

// A Grant is one thing for the other side to do.
type Grant struct {
	Title    string   `json:"title"`
	Where    string   `json:"where,omitempty"` // who runs it, and where: "Run as the database's owner."
	Language string   `json:"language"`
	Text     string   `json:"text"` // to copy as it is; lines end with "\n"
	Notes    []string `json:"notes,omitempty"`
}

// For is what the preview of a connection of type t with the answers s needs.
// The first Grant, and those after it that do not say that they are a variant,
// are enough. Of the secrets only the public half of a private key is looked at.
// Types that open nothing of anybody else's have none.
func For(t connectors.Type, s connectors.Settings) []Grant {
	if t.Offline {
		return nil
	}
	a := answers{form: t.Form, s: t.Form.Tidied(s), guide: t.Guide}
	if write, ok := writers()[t.ID]; ok {
		return write(a)
	}
	return services(a)
}

func writers() map[string]func(answers) []Grant {
	return map[string]func(answers) []Grant{
		"postgres": postgres, "mysql": mysql, "sqlserver": sqlserver, "oracle": oracle, "clickhouse": clickhouse,
		"mongodb": mongodb, "redis": redis, "elasticsearch": elastic,
		"s3": amazon, "s3_compatible": compatible, "aws_iot": awsIoT,
		"gcs": googleStorage, "azure_blob": azureBlob, "azure_service_bus": serviceBus,
		"sftp": sftp, "ssh": jump, "smb": smb, "ftp": ftp, "webdav": webdav, "sqlite": file,
		"ldap": ldap, "rabbitmq": rabbitmq, "mqtt": mqtt, "kafka": kafka, "nats": nats, "amqp1": amqp1,
		"imap": imap, "smtp": smtp,
	}
}

// answers are a form's, tidied.
type answers struct {
	form  connectors.Form
	s     connectors.Settings
	guide connectors.Guide
}

// of is the plain answer to a question that is asked, or its default, on one
// line: whoever filled in the form may not add lines to what others run.
func (a answers) of(key string) string {
	if !a.form.Visible(key, a.s) {
		return ""
	}
	return oneLine(a.form.Answer(key, a.s))
}

// or is of with something to stand there while nothing is answered.
func (a answers) or(key, other string) string {
	if v := a.of(key); v != "" {
		return v
	}
	return other
}

// lines are the answer's lines without blank ones.
func (a answers) lines(key string) []string {
	if !a.form.Visible(key, a.s) {
		return nil
	}
	var out []string
	for l := range strings.Lines(a.form.Answer(key, a.s)) {
		if l = oneLine(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// oneLine takes out what ends a line, and what turns or hides text.
func oneLine(v string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, v))
}

// text joins lines and ends the last one.
func text(lines ...string) string {
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	return strings.Join(lines, "\n") + "\n"
}

// when is v if it is to be, else nothing.
func when(is bool, v string) string {
	if is {
		return v
	}
	return ""
}
