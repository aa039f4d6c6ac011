package addresses

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// What the notes say. They are fixed texts: nothing of what was pasted goes
// into one.
const (
	noteInside     = "The password stood in the address."
	noteRepaired   = "The password has a sign in it that means something else in an address, such as @, / or #. Everything up to the last @ was taken as the user and password: check them."
	noteUndecoded  = "There is a percent sign in the password that begins no code. It was kept as it is: check the password."
	noteFirst      = "The address names several servers. Only the first one is used."
	noteChecked    = "The address would accept any certificate. Here the server's certificate is checked: a server with one of its own needs it under CA certificate, or its fingerprint."
	noteAlways     = "The address would fall back to no encryption. Here the connection is encrypted or not made; choose no encryption under Security where the server has none."
	noteWindows    = "The address signs in as whoever has logged in to Windows. Here a user, written DOMAIN\\user, and the password are needed."
	noteEntra      = "The address signs in through Microsoft Entra. Here an access token is needed."
	noteOpen       = "The address asks for no encryption: everything, also the password, can be read on the way."
	noteClassic    = "The address is for MySQL's X protocol. The connection uses the classic protocol, on its own port."
	noteRepository = "This is the address of a repository. The connection opens the account that can read it."
	noteWebhook    = "A webhook's address can only post messages. To see anything, a token is needed."
	noteToken      = "The token stood in the address."
)

// Why something was left.
const (
	whyNoType  = "There is no connection type for it."
	whyNoPlace = "The form has no place for it."
	whyHidden  = "It is not asked for with this way of signing in."
	whyWrong   = "What stood there is nothing that the form takes."
	whyFile    = "It names a file, which was not read. Paste what is in the file into the form."
	whySocket  = "It names a socket on the computer itself. Fill in the server's host."
	whyOther   = "It names settings that are kept on the computer it came from."
	whyMore    = "Only the first server is used."
	whyAuth    = "This way of signing in is not offered here."
)

// A draft is a reading that is being filled in.
type draft struct {
	t    connectors.Type
	r    part.Reading
	bare bool // right also without a single answer
	// title is the connection's name where no answer makes a good one.
	title string
}

// draft begins a reading of the type with that id. Where the type may not be
// proposed its form is empty, and done leaves it out.
func (r *reader) draft(id string) *draft {
	t, _ := connectors.Find(r.types, id)
	return &draft{t: t, r: part.As(id)}
}

func (d *draft) set(key, value string) { d.r.Set(key, value) }

func (d *draft) is(key, value string) bool { return d.t.Form.Answer(key, d.r.Settings) == value }

// password answers a secret that stood in the address.
func (d *draft) secret(key, value string) {
	if value != "" {
		d.r.SetSecret(key, value)
		d.r.Note(noteInside)
	}
}

// split hands text to the field's own Split; false when it does not take it.
func (d *draft) split(key, text string) bool {
	f, ok := d.t.Form.Field(key)
	if !ok || f.Split == nil {
		return false
	}
	got := f.Split(text)
	for k, v := range got {
		if f, _ := d.t.Form.Field(k); f.Kind.Secret() {
			d.secret(k, v)
			continue
		}
		d.set(k, v)
	}
	return got != nil
}

// credentials answers user and password from the address.
func (d *draft) credentials(a address) {
	d.set("user", a.user)
	d.secret("password", a.password)
	d.remarks(a)
}

// remarks notes what had to be repaired.
func (d *draft) remarks(a address) {
	if a.repaired {
		d.r.Note(noteRepaired)
	}
	if a.undecoded {
		d.r.Note(noteUndecoded)
	}
}

// first says that only one of several servers is used.
func (d *draft) first(a address) {
	if a.more > 0 {
		d.r.Note(noteFirst)
		d.r.Leave("Further servers", whyMore)
	}
}

// rest leaves the options that nobody took, by name.
func (d *draft) rest(o *options) {
	for _, p := range o.list {
		if !p.taken {
			d.r.Leave(p.shown(), whyNoPlace)
		}
	}
}

// done keeps the answers that the form takes and leaves the others by the name
// of their field; false when nothing stays.
func (d *draft) done() bool {
	if d.t.ID == "" {
		return false
	}
	form := d.t.Form
	d.r.Settings.Plain = form.Tidied(d.r.Settings).Plain
	for d.drop(form) {
	}
	d.veil()
	return d.bare || len(d.r.Settings.Plain)+len(d.r.Settings.Secrets) > 0
}

// drop takes off answers that cannot be; true when it took one, because others
// may depend on it.
func (d *draft) drop(form connectors.Form) bool {
	s, dropped := d.r.Settings, false
	for _, f := range form.Fields { // in their order, so that the same input leaves the same
		v, plain := s.Plain[f.Key]
		_, secret := s.Secrets[f.Key]
		if !plain && !secret {
			continue
		}
		why := ""
		switch {
		case !form.Visible(f.Key, s):
			why = whyHidden
		case plain && (v == "" || f.Kind.Secret()):
			why = whyWrong
		case plain && f.Verify(v) != nil:
			why = whyWrong
		default:
			continue
		}
		delete(s.Plain, f.Key)
		delete(s.Secrets, f.Key)
		d.r.Leave(f.Label, why)
		dropped = true
	}
	for key := range s.Plain {
		if _, ok := form.Field(key); !ok {
			delete(s.Plain, key)
		}
	}
	return dropped
}

// veil renames what is left under a name that has one of the secrets in it: an
// unquoted password can fall apart into what looks like options.
func (d *draft) veil() {
	for i, l := range d.r.Left {
		if d.tells(l.Name) {
			d.r.Left[i].Name = "An option"
		}
	}
	d.r.Left = slices.Compact(d.r.Left)
}

// tells reports whether text has a secret in it. Secrets of one or two letters
// are in everything.
func (d *draft) tells(text string) bool {
	for _, s := range d.r.Settings.Secrets {
		if v := s.Reveal(); len(v) > 2 && (strings.Contains(text, v) || len(text) > 3 && strings.Contains(v, text)) {
			return true
		}
	}
	return false
}

// name is what the connection may be called: the place it leads to.
func (d *draft) name() string {
	if d.title != "" && !d.tells(d.title) {
		return d.title
	}
	for _, key := range d.t.Where {
		v, _, _ := strings.Cut(d.r.Settings.Plain[key], "\n")
		if f, _ := d.t.Form.Field(key); v == "" || f.Kind == connectors.Choice {
			continue
		}
		if u, err := url.Parse(v); err == nil && u.Host != "" {
			v = u.Hostname()
		}
		if f, _ := d.t.Form.Field(key); f.Kind == connectors.File {
			v = path.Base(strings.ReplaceAll(v, `\`, "/"))
		}
		if !d.tells(v) {
			return connectors.Clean(v, 80)
		}
	}
	return d.t.Name
}

// made is the outcome of drafts, likeliest first. Without one that can be used,
// what was recognized is said.
func (r *reader) made(kind string, drafts ...*draft) (outcome, bool) {
	out := outcome{}
	for _, d := range drafts {
		if !d.done() {
			continue
		}
		if out.name == "" {
			out.name = d.name()
			out.what = article(d.t.Name) + " " + kind
		}
		out.readings = append(out.readings, d.r)
	}
	if len(out.readings) > 0 {
		return out, true
	}
	d := drafts[0]
	if d.t.ID == "" {
		return unknown(d.r.Type, kind)
	}
	return outcome{what: article(d.t.Name) + " " + kind, left: d.r.Left}, len(d.r.Left) > 0
}

// unknown is something that was recognized and cannot be opened.
func unknown(name, kind string) (outcome, bool) {
	return outcome{what: article(name) + " " + kind, left: []part.Left{{Name: name, Why: whyNoType}}}, true
}

// letters are the names that are spoken letter by letter and begin with the
// sound of a vowel: an SFTP server, an LDAP directory.
var letters = regexp.MustCompile(`^[AEFHILMNORSX][A-Z0-9]`)

func article(name string) string {
	first := unicode.ToLower([]rune(name + " ")[0])
	if name != "NATS" && (strings.ContainsRune("aeio", first) || letters.MatchString(name)) {
		return "an " + name
	}
	return "a " + name
}

func left(name, why string) []part.Left { return []part.Left{{Name: name, Why: why}} }
