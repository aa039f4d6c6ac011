package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Kind says how a field is asked for and stored.
type Kind string

// The kinds. SecretText and SecretLines are kept only under the keychain's key.
const (
	Text        Kind = "text"
	Lines       Kind = "lines"
	SecretText  Kind = "secret"
	SecretLines Kind = "secret-lines" // a key or certificate: typed, pasted, dropped or read from a file
	Integer     Kind = "integer"
	Toggle      Kind = "toggle" // "true" or "false"
	Choice      Kind = "choice"
	File        Kind = "file"
	URL         Kind = "url"
	JSON        Kind = "json"
	Reference   Kind = "reference" // the id of another saved connection; see Field.Lends
)

// Secret reports whether answers of this kind are secrets.
func (k Kind) Secret() bool { return k == SecretText || k == SecretLines }

// An Option is one answer of a Choice.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Help  string `json:"help,omitempty"`
}

// A Cond holds when the answer to the field Key is one of Is.
type Cond struct {
	Key string   `json:"key"`
	Is  []string `json:"is"`
}

// When makes a condition: When("auth", "password", "both").
func When(key string, is ...string) []Cond { return []Cond{{Key: key, Is: is}} }

// A Field is one question. All of it is data except Valid and Tidy, so a form can be
// rendered, translated, documented and tested without opening anything.
type Field struct {
	Key, Label, Help, Example string
	Section                   string // heading; a field without one stands under its predecessor's
	Kind                      Kind
	Options                   []Option
	Default                   string
	Required                  bool
	Advanced                  bool
	Short                     bool                           // may share a row with the field before it: host | port
	Show                      []Cond                         // all must hold
	Tidy                      func(string) string            // repairs a paste; nil trims spaces (never for secrets)
	Valid                     func(string) error             // the offline format rule; its error is a sentence for the user
	Lends                     string                         // what a Reference's connection has to offer: LendsTunnel or LendsSignIn
	Split                     func(string) map[string]string // a paste that answers several fields: a URL into host; nil result means it does not
	Listed                    bool                           // the server can list what may be answered here; see Chooser
}

// What another connection can lend.
const (
	LendsTunnel = "tunnel"  // a way through it
	LendsSignIn = "sign-in" // its user, password, keys
)

// A Form is the questions of a type, in the order in which they are asked.
type Form struct{ Fields []Field }

// A FieldError is one answer that cannot be right, in words for the user.
type FieldError struct {
	Key, Text string
	Missing   bool // there is no answer
}

func (e FieldError) Error() string { return e.Key + ": " + e.Text }

// Refusal is e as the end of the first rung.
func (e FieldError) Refusal() *Error {
	out := &Error{Code: BadInput, Op: StageForm, Field: e.Key, Said: e.Text, Err: e}
	if e.Missing {
		out.Reason = "form.missing"
	}
	return out
}

// Field returns the field with the key.
func (f Form) Field(key string) (Field, bool) {
	i := slices.IndexFunc(f.Fields, func(x Field) bool { return x.Key == key })
	if i < 0 {
		return Field{}, false
	}
	return f.Fields[i], true
}

// Answer is the plain answer to key, or the field's default when there is none.
func (f Form) Answer(key string, s Settings) string {
	if v, ok := s.Plain[key]; ok && v != "" {
		return v
	}
	x, _ := f.Field(key)
	return x.Default
}

// Visible reports whether key is asked for, given the other answers. A field
// whose condition names a hidden field is hidden too.
func (f Form) Visible(key string, s Settings) bool { return f.visible(key, s, len(f.Fields)) }

func (f Form) visible(key string, s Settings, depth int) bool {
	x, ok := f.Field(key)
	if !ok || depth < 0 {
		return false
	}
	for _, c := range x.Show {
		if !f.visible(c.Key, s, depth-1) || !slices.Contains(c.Is, f.Answer(c.Key, s)) {
			return false
		}
	}
	return true
}

// Defaults are the answers of an untouched form.
func (f Form) Defaults() Settings {
	s := NewSettings()
	for _, x := range f.Fields {
		if x.Default != "" && !x.Kind.Secret() {
			s.Plain[x.Key] = x.Default
		}
	}
	return s
}

// Tidied returns s with every answer repaired: spaces around a host removed, a
// key's literal \n turned into line ends. Passwords stay as typed.
func (f Form) Tidied(s Settings) Settings {
	s = s.Clone()
	for _, x := range f.Fields {
		if x.Kind.Secret() {
			if v, ok := s.Secrets[x.Key]; ok {
				s.Secrets[x.Key] = NewSecret(x.Tidied(v.Reveal()))
			}
		} else if v, ok := s.Plain[x.Key]; ok {
			s.Plain[x.Key] = x.Tidied(v)
		}
	}
	return s
}

// Tidied is one answer repaired.
func (x Field) Tidied(v string) string {
	switch {
	case x.Tidy != nil:
		return x.Tidy(v)
	case x.Kind.Secret() || x.Kind == Lines || x.Kind == JSON:
		return v
	}
	return strings.TrimSpace(v)
}

// Missing lists the keys of visible required fields without an answer, in order.
func (f Form) Missing(s Settings) []string {
	var keys []string
	for _, x := range f.Fields {
		if x.Required && f.Visible(x.Key, s) && f.empty(x, s) {
			keys = append(keys, x.Key)
		}
	}
	return keys
}

func (f Form) empty(x Field, s Settings) bool {
	if x.Kind.Secret() {
		return s.Secrets[x.Key].Empty()
	}
	return f.Answer(x.Key, s) == ""
}

// Validate returns what is wrong with the visible answers, in field order.
// It needs no network. An empty result means the form can be used.
func (f Form) Validate(s Settings) []FieldError {
	var out []FieldError
	for _, x := range f.Fields {
		if !f.Visible(x.Key, s) {
			continue
		}
		if f.empty(x, s) {
			if x.Required {
				out = append(out, FieldError{Key: x.Key, Text: x.Label + " is needed.", Missing: true})
			}
			continue
		}
		if err := x.Verify(f.value(x, s)); err != nil {
			out = append(out, FieldError{Key: x.Key, Text: err.Error()})
		}
	}
	return out
}

func (f Form) value(x Field, s Settings) string {
	if x.Kind.Secret() {
		return s.Secrets[x.Key].Reveal()
	}
	return f.Answer(x.Key, s)
}

// Verify checks one answer's format offline. An empty answer is fine here:
// whether it is needed is Missing's business.
func (x Field) Verify(v string) error {
	if v == "" {
		return nil
	}
	if strings.ContainsRune(v, 0) {
		return errors.New("This contains a character that no service accepts (NUL). Type it again.")
	}
	switch x.Kind {
	case Integer:
		if _, err := strconv.Atoi(v); err != nil {
			return fmt.Errorf("A whole number is expected here%s.", like(x.Example))
		}
	case Toggle:
		if v != "true" && v != "false" {
			return errors.New("This is either true or false.")
		}
	case Choice:
		if !slices.ContainsFunc(x.Options, func(o Option) bool { return o.Value == v }) {
			var names []string
			for _, o := range x.Options {
				names = append(names, o.Value)
			}
			return fmt.Errorf("Choose one of: %s.", strings.Join(names, ", "))
		}
	case URL:
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return fmt.Errorf("A web address is expected here%s.", like(x.Example))
		}
	case JSON:
		if err := validJSON(v); err != nil {
			return err
		}
	}
	if x.Valid != nil {
		return x.Valid(v)
	}
	return nil
}

// validJSON says on which line text stops being JSON (RFC 8259).
func validJSON(text string) error {
	var raw json.RawMessage
	err := json.Unmarshal([]byte(text), &raw)
	if err == nil {
		return nil
	}
	var wrong *json.SyntaxError
	if !errors.As(err, &wrong) || strings.TrimSpace(text) == "" {
		return errors.New("This is no JSON: there is nothing in it.")
	}
	at := int(min(max(wrong.Offset-1, 0), int64(len(text)))) // Offset counts the wrong byte as read
	whole := strings.TrimRight(text, " \t\r\n")
	if strings.HasPrefix(wrong.Error(), "unexpected end") {
		return fmt.Errorf("This is no JSON: line %d ends where more has to follow.", lineOf(whole, len(whole)))
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	if r == '\n' || r == '\r' {
		return fmt.Errorf("This is no JSON: line %d goes wrong at its end.", lineOf(text, at))
	}
	return fmt.Errorf("This is no JSON: line %d goes wrong at “%s”.", lineOf(text, at), Clean(string(r), 1))
}

func lineOf(text string, at int) int { return strings.Count(text[:at], "\n") + 1 }

func like(example string) string {
	if example == "" {
		return ""
	}
	return ", for example " + example
}

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Check proves that the form is sound: unique keys, labels, options where a
// choice is asked, conditions that name earlier fields and possible answers,
// examples and defaults that pass their own rule.
func (f Form) Check() error {
	seen := map[string]Field{}
	for _, x := range f.Fields {
		if err := x.check(seen); err != nil {
			return fmt.Errorf("field %s: %w", x.Key, err)
		}
		seen[x.Key] = x
	}
	return nil
}

func (x Field) check(before map[string]Field) error {
	if !keyShape.MatchString(x.Key) {
		return errors.New("the key must be lower case letters, digits and _")
	}
	if _, twice := before[x.Key]; twice {
		return errors.New("the key is used twice")
	}
	if x.Label == "" || x.Kind == "" {
		return errors.New("a label and a kind are required")
	}
	if (x.Kind == Choice) != (len(x.Options) > 0) {
		return errors.New("a choice has options, and nothing else has")
	}
	if x.Kind == Choice && x.Default == "" {
		return errors.New("a choice needs a default")
	}
	if x.Required && x.Advanced && x.Default == "" && len(x.Show) == 0 { // with a condition, what it depends on was chosen
		return errors.New("a required field without a default may not be folded away")
	}
	for _, v := range []string{x.Default, x.Example} {
		if x.Kind.Secret() {
			break
		}
		if err := x.Verify(v); err != nil {
			return fmt.Errorf("its own default or example %q fails: %w", v, err)
		}
	}
	for _, c := range x.Show {
		on, ok := before[c.Key]
		if !ok {
			return fmt.Errorf("its condition names %q, which is not asked before it", c.Key)
		}
		for _, v := range c.Is {
			if err := on.Verify(v); err != nil {
				return fmt.Errorf("its condition wants %s=%q, which cannot be: %w", c.Key, v, err)
			}
		}
	}
	return nil
}
