package record

import (
	"net"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// A Form is a reading that is being filled: every answer is a field's of the
// form, right in its format, and visible.
type Form struct {
	T connectors.Type
	R part.Reading
}

// NewForm is an empty reading as t.
func NewForm(t connectors.Type) *Form { return &Form{T: t, R: part.As(t.ID)} }

// Has reports whether the field was answered.
func (f *Form) Has(key string) bool {
	return f.R.Settings.Plain[key] != "" || !f.R.Settings.Secrets[key].Empty()
}

// Answer answers a field, and chooses what makes it visible without hiding what
// was answered before. What it returns is a sentence on why it did not, "" when
// it did. An empty value is no answer.
func (f *Form) Answer(key, value string) string {
	x, ok := f.T.Form.Field(key)
	switch {
	case value == "":
		return ""
	case !ok:
		return "This kind of connection does not ask for it."
	case x.Kind == connectors.Reference:
		return "It names another connection, which is chosen by hand."
	}
	if x.Tidy != nil {
		value = x.Tidy(value)
	} else if !x.Kind.Secret() && x.Kind != connectors.Lines && x.Kind != connectors.JSON {
		value = strings.TrimSpace(value)
	}
	if err := x.Verify(value); err != nil {
		return wrong(x, err)
	}
	if !f.reveal(x, len(f.T.Form.Fields)) {
		return "It has no place beside the other answers."
	}
	if !f.decides(key) {
		f.set(x, value)
		return ""
	}
	before := f.R.Settings.Clone()
	f.set(x, value)
	if !f.allVisible() {
		f.R.Settings = before
		return "It has no place beside the other answers."
	}
	return ""
}

func wrong(x connectors.Field, err error) string {
	if x.Kind.Secret() {
		return "It does not have the form that is expected there."
	}
	return err.Error()
}

func (f *Form) set(x connectors.Field, value string) {
	if x.Kind.Secret() {
		f.R.SetSecret(x.Key, value)
	} else {
		f.R.Set(x.Key, value)
	}
}

// decides reports whether the visibility of other fields depends on the answer.
func (f *Form) decides(key string) bool {
	for _, x := range f.T.Form.Fields {
		if slices.ContainsFunc(x.Show, func(c connectors.Cond) bool { return c.Key == key }) {
			return true
		}
	}
	return false
}

// reveal answers the choices on which the visibility of x depends.
func (f *Form) reveal(x connectors.Field, depth int) bool {
	if depth < 0 {
		return false
	}
	if len(x.Show) == 0 {
		return true
	}
	before := f.R.Settings.Clone()
	for _, c := range x.Show {
		on, ok := f.T.Form.Field(c.Key)
		if !ok || !f.reveal(on, depth-1) || !f.choose(c) {
			f.R.Settings = before
			return false
		}
	}
	return true
}

func (f *Form) choose(c connectors.Cond) bool {
	s := f.R.Settings
	if slices.Contains(c.Is, f.T.Form.Answer(c.Key, s)) {
		return true
	}
	old, answered := s.Plain[c.Key]
	for _, v := range c.Is {
		s.Plain[c.Key] = v
		if f.allVisible() {
			return true
		}
	}
	if delete(s.Plain, c.Key); answered {
		s.Plain[c.Key] = old
	}
	return false
}

func (f *Form) allVisible() bool {
	for k := range f.R.Settings.Plain {
		if !f.T.Form.Visible(k, f.R.Settings) {
			return false
		}
	}
	for k := range f.R.Settings.Secrets {
		if !f.T.Form.Visible(k, f.R.Settings) {
			return false
		}
	}
	return true
}

// Worth reports whether there is an answer to more than a choice.
func (f *Form) Worth() bool {
	for k := range f.R.Settings.Secrets {
		if !f.R.Settings.Secrets[k].Empty() {
			return true
		}
	}
	for k := range f.R.Settings.Plain {
		if x, ok := f.T.Form.Field(k); ok && x.Kind != connectors.Choice && x.Kind != connectors.Toggle && x.Required {
			return true
		}
	}
	return false
}

// special places the values that no one field takes as they are.
func (f *Form) special(r *Record, key, value string) bool {
	switch {
	case key == "host" && f.lacks("host") && !f.lacks("servers"):
		if p := r.values["port"]; p != "" {
			value = net.JoinHostPort(value, p)
		}
		return f.Answer("servers", value) == ""
	case key == "port" && f.Has("servers"):
		return true
	case key == "user" && f.T.ID == "aws_key_pair":
		return true
	case key == "tls":
		f.secure(value)
		return true
	case key == "auth":
		return f.Answer("auth", value) == ""
	case key == "port":
		f.byPort(value)
	case key == "client_secret" && !r.Has("auth_url") && (f.T.ID == "http" || f.T.ID == "oauth"):
		f.Answer("grant", "client_credentials")
	case key == "user" && strings.Contains(value, `\`) && !f.lacks("domain"):
		domain, user, _ := strings.Cut(value, `\`)
		if f.Answer("user", user) != "" {
			return false
		}
		return f.Answer("domain", domain) == ""
	}
	return false
}

func (f *Form) lacks(key string) bool { _, ok := f.T.Form.Field(key); return !ok }

// secure answers how the connection is protected: "on", "off", "start".
func (f *Form) secure(value string) {
	for _, key := range []string{"security", "transport", "tls"} {
		x, ok := f.T.Form.Field(key)
		if !ok || x.Kind != connectors.Choice || f.Has(key) {
			continue
		}
		for _, v := range answersFor[value] {
			if f.Answer(key, v) == "" {
				if value == "off" {
					f.R.Note("The connection is not encrypted, as it was written there.")
				}
				return
			}
		}
	}
}

var answersFor = map[string][]string{
	"on": {"verify", "tcps", "ldaps", "tls", "explicit"}, "off": {"off", "none", "tcp", "optional", "plaintext"},
	"start": {"starttls", "explicit", "tls"}, "implicit": {"implicit", "tls"}, "ws": {"ws"}, "wss": {"wss"},
}

// byPort goes by the ports that tell how a connection is protected (IANA).
func (f *Form) byPort(port string) {
	if f.Has("security") || f.Has("transport") || f.Has("tls") {
		return
	}
	switch f.T.ID + " " + port {
	case "ldap 389", "imap 143":
		f.secure("start")
	case "mqtt 1883", "rabbitmq 5672", "amqp1 5672", "smtp 25", "nats 4222", "clickhouse 9000", "clickhouse 8123":
		f.secure("off")
	case "ftp 990", "smtp 465":
		f.secure("implicit")
	}
}
