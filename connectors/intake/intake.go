// Package intake understands what people paste, drop or are sent: addresses,
// commands, configuration files, exports of other programs, keys and tokens,
// tables. It fills the forms of the connection types with it. It works offline:
// nothing here opens a connection, looks up a name, or reads a file.
package intake

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/addresses"
	"jackfield/connectors/intake/internal/commands"
	"jackfield/connectors/intake/internal/configs"
	"jackfield/connectors/intake/internal/exports"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/intake/internal/tokens"
	"jackfield/connectors/internal/rows"
	"jackfield/connectors/keys"
)

// What was understood.
type (
	Found   = part.Found
	Item    = part.Item
	Reading = part.Reading
	Left    = part.Left
)

// A File is a file, or pasted text, whose Name is "" then.
type File struct {
	Name string // without its folder, or with the folders that tell files apart
	Data []byte
}

// MaxSize is how large one file may be, in bytes.
const MaxSize = 4 << 20

// FieldPassphrase is what Error.Field says where the passphrase is to be put right.
const FieldPassphrase = "passphrase"

// A reader reads one family of things; false for everything else.
type reader struct {
	name string
	read func(in part.Input) (part.Found, bool)
}

// readers are in the order in which they are asked: what tells by marks of its
// own comes first, what goes by resemblance last.
func readers() []reader {
	return []reader{
		{"exports", func(in part.Input) (part.Found, bool) { return exports.Read(in, addresses.Parse) }},
		{"tokens", tokens.Read},
		{"table", func(in part.Input) (part.Found, bool) { return exports.Table(in, addresses.Parse) }},
		{"labels", func(in part.Input) (part.Found, bool) { return exports.Labels(in, addresses.Parse) }},
		{"commands", func(in part.Input) (part.Found, bool) { return commands.Read(in, addresses.Parse) }},
		{"addresses", addresses.Read},
		{"configs", func(in part.Input) (part.Found, bool) { return configs.Read(in, addresses.Parse) }},
		{"json", func(in part.Input) (part.Found, bool) { return exports.Plain(in, addresses.Parse) }},
		{"dbeaver", exports.DBeaverSecrets},
		{"prose", func(in part.Input) (part.Found, bool) { return exports.Prose(in, addresses.Parse) }},
		{"guess", tokens.Guess},
	}
}

// Read understands one file or pasted text, with types as what may be proposed.
// Every answer in what it returns is of a field that the form shows, and has the
// right format. Found.Locked without items asks for a passphrase. An error is an
// *connectors.Error (BadInput) that says what it is instead.
func Read(types []connectors.Type, f File, passphrase connectors.Secret) (Found, error) {
	if len(f.Data) > MaxSize {
		return Found{}, refusal("intake.large", f.Name, "")
	}
	if len(bytes.TrimSpace(f.Data)) == 0 {
		return Found{}, refusal("intake.empty", f.Name, "")
	}
	if isZip(f.Data) {
		return readZip(types, f, passphrase)
	}
	return readOne(types, f, passphrase)
}

func readOne(types []connectors.Type, f File, passphrase connectors.Secret) (Found, error) {
	in := part.Input{Name: base(f.Name), Data: f.Data, Text: text(f.Data), Types: types, Passphrase: passphrase}
	if strings.TrimSpace(in.Text) == "" && utf8.Valid(f.Data) && !bytes.ContainsRune(f.Data, 0) {
		return Found{}, refusal("intake.empty", f.Name, "")
	}
	if found, _, ok := ask(in); ok {
		return settled(in, found)
	}
	return Found{}, refusal("intake.unknown", f.Name, keys.Identify(f.Data).Name())
}

// ask asks one reader after the other, and says which one knew.
func ask(in part.Input) (Found, string, bool) {
	for _, r := range readers() {
		if found, ok := r.read(in); ok {
			return found, r.name, true
		}
	}
	return Found{}, "", false
}

// settled checks what a reader found.
func settled(in part.Input, found Found) (Found, error) {
	if found.Locked && !in.Passphrase.Empty() {
		return Found{}, &connectors.Error{Code: connectors.AuthFailed, Reason: "intake.passphrase_wrong", Op: connectors.StageForm, Target: connectors.Clean(in.Name, 120), Field: FieldPassphrase}
	}
	out := record.Settle(in.Types, found)
	if len(out.Items) == 0 && !out.Locked && (len(found.Items) > 0 || len(found.Left) == 0) {
		return Found{}, refusal("intake.nothing_offered", in.Name, out.What)
	}
	return out, nil
}

func refusal(reason, name, said string) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Target: connectors.Clean(name, 120), Said: connectors.Clean(said, 200)}
}

// base is a name without its folders, in either system's spelling.
func base(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// text decodes what is text: UTF-8, UTF-16 with its mark, or Windows-1252.
func text(data []byte) string {
	if !utf8.Valid(data) {
		switch keys.Identify(data) {
		case keys.PFX, keys.JavaStore, keys.Keytab, keys.Archive, keys.PKCS7:
			return ""
		}
	}
	set, ok := rows.Detect(data, false)
	if !ok {
		return ""
	}
	out, err := set.Decode(data)
	if err != nil {
		return ""
	}
	out = strings.TrimPrefix(out, "\ufeff")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(out)
}

// A Choice is a reading as its form would be opened with it.
type Choice struct {
	Reading  Reading
	Type     connectors.Type
	Settings connectors.Settings     // with the form's defaults
	Missing  []string                // keys of what has to be answered still
	Wrong    []connectors.FieldError // what is wrong beside that
}

// Judge is an item's readings as their forms would be opened, likeliest first.
// Those of types that are not offered are left out.
func Judge(types []connectors.Type, i Item) []Choice {
	var out []Choice
	for _, r := range i.Readings {
		t, ok := connectors.Find(types, r.Type)
		if !ok {
			continue
		}
		c := Choice{Reading: r, Type: t, Settings: Finish(t, r)}
		c.Missing = t.Form.Missing(c.Settings)
		for _, e := range t.Form.Validate(c.Settings) {
			if !e.Missing {
				c.Wrong = append(c.Wrong, e)
			}
		}
		out = append(out, c)
	}
	return out
}

// Finish is a form's defaults with a reading's answers over them, tidied.
func Finish(t connectors.Type, r Reading) connectors.Settings {
	out := t.Form.Defaults()
	for k, v := range r.Settings.Plain {
		out.Plain[k] = v
	}
	for k, v := range r.Settings.Secrets {
		out.Secrets[k] = v
	}
	return t.Form.Tidied(out)
}
