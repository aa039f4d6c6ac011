package keys

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"jackfield/connectors"
)

// The further names that Error.Field has when something is written.
const (
	FieldFormat      = "format"
	FieldKey         = "key"
	FieldCertificate = "certificate"
)

// Choose is the index in Wanted that leaves the choice to Write.
const Choose = -1

const (
	maxPassphrase = 1024 // bytes
	maxComment    = 200  // runes
	maxAlias      = 100  // runes
)

// Wanted says what to write. Want makes one that leaves the choices to Write.
type Wanted struct {
	Format Format
	// Passphrase locks the result; empty for not locked. A format that cannot be
	// locked refuses one.
	Passphrase connectors.Secret
	Comment    string // of the key; "" for the one that it has
	Alias      string // of an entry in a key store, and a JWK's kid; "" for the one that it has
	// Key and Certificate are indexes in the items: of the key, and of the
	// certificate that comes first. Choose, and every other negative number, takes
	// the only key, and the certificate that belongs to it.
	Key, Certificate int
}

// Want is the request for a format, with everything else left to Write.
func Want(format Format) Wanted { return Wanted{Format: format, Key: Choose, Certificate: Choose} }

// Written is a key or certificates in a format. With Secret it formats and logs
// as "[secret]" and refuses to marshal.
type Written struct {
	Format Format
	Data   Content
	Name   string   // a file name to suggest: "id_ed25519", "key.pem"
	Secret bool     // it holds a private key, locked or not
	Notes  []string // what was left out or changed, and who may not read it: sentences
}

// Write writes items, as Read and Generate return them, in a format. Of several
// keys one is written; what is left out is told in the Notes. On an error the
// Written is zero; the error is an *connectors.Error whose Field is FieldFormat,
// FieldKey, FieldCertificate or FieldPassphrase, or what the chosen key's Err is.
//
// Locking takes at most about a second and 20 MB.
func Write(items []Item, w Wanted) (Written, error) {
	s, ok := specOf(w.Format)
	if !ok {
		return Written{}, refuse("keys.write_format", FieldFormat, string(w.Format))
	}
	if err := s.lockable(w.Passphrase); err != nil {
		return Written{}, err
	}
	m, err := s.gather(items, w)
	if err != nil {
		return Written{}, err
	}
	if m.key, err = sound(m.key); err != nil {
		return Written{}, err
	}
	data, err := s.encode(m)
	if err != nil {
		return Written{}, err
	}
	return Written{Format: w.Format, Data: data, Name: s.fileName(m), Secret: m.key != nil, Notes: s.notes(m)}, nil
}

// lockable checks the passphrase against what the format can do with it.
func (s spec) lockable(pass connectors.Secret) error {
	switch n := len(pass.Reveal()); {
	case n > 0 && !s.info.Locks:
		return &connectors.Error{Code: connectors.Unsupported, Reason: "keys.write_lock", Field: FieldPassphrase, Said: s.info.Name}
	case n > maxPassphrase:
		return refuse("keys.write_passphrase_long", FieldPassphrase, "")
	}
	return nil
}

func refuse(reason, field, said string) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Field: field, Said: said}
}

// unfit is a key that a format has no place for; said names what has one.
func unfit(said string) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "keys.write_kind", Field: FieldFormat, Said: said}
}

// Content is what is written. It never formats, logs or marshals as what it is,
// because it may hold a private key; it can be given wherever a []byte is asked for.
type Content []byte

func (c Content) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(veil)) }
func (c Content) LogValue() slog.Value         { return slog.StringValue(veil) }
func (c Content) MarshalText() ([]byte, error) { return nil, connectors.ErrSecretMarshal }
func (c Content) MarshalJSON() ([]byte, error) { return nil, connectors.ErrSecretMarshal }

func (w Written) String() string {
	if w.Secret {
		return veil
	}
	return fmt.Sprintf("%s, %d bytes", w.Format, len(w.Data))
}

func (w Written) GoString() string     { return w.String() }
func (w Written) LogValue() slog.Value { return slog.StringValue(w.String()) }

// MarshalJSON is for what is not secret; the data is in base64.
func (w Written) MarshalJSON() ([]byte, error) {
	if w.Secret {
		return nil, connectors.ErrSecretMarshal
	}
	return json.Marshal(struct {
		Format Format   `json:"format"`
		Name   string   `json:"name"`
		Data   []byte   `json:"data"`
		Notes  []string `json:"notes"`
	}{w.Format, w.Name, w.Data, w.Notes})
}
