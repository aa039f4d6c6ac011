package connectors

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"unicode/utf8"
)

// FileText is a file's content as an answer: text as it is, without a byte order
// mark, and anything else (a PFX, a keytab) as base64.
func FileText(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 {
		return string(data)
	}
	return base64.StdEncoding.EncodeToString(data)
}

// Settings are a form's answers: only Secrets go under the keychain's key, only
// Plain into the profile.
type Settings struct {
	Plain   map[string]string
	Secrets map[string]Secret
}

// NewSettings returns empty answers whose maps may be written to.
func NewSettings() Settings {
	return Settings{Plain: map[string]string{}, Secrets: map[string]Secret{}}
}

// Clone returns a copy that shares no map with s.
func (s Settings) Clone() Settings {
	out := NewSettings()
	maps.Copy(out.Plain, s.Plain)
	maps.Copy(out.Secrets, s.Secrets)
	return out
}

// A Secret is text that must not be shown. It formats and logs as "[secret]" and refuses to
// marshal. It holds a pointer because fmt prints unexported fields held by value.
// The zero Secret is empty.
type Secret struct{ p *string }

const veil = "[secret]"

// ErrSecretMarshal is what encoders get when they meet a Secret.
var ErrSecretMarshal = errors.New("a secret is never marshalled")

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{p: &text}
}

// Reveal returns the text. Call it only where the text goes onto the wire.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.p == nil || *s.p == "" }

func (s Secret) String() string                 { return veil }
func (s Secret) GoString() string               { return veil }
func (s Secret) Format(f fmt.State, _ rune)     { _, _ = f.Write([]byte(veil)) }
func (s Secret) LogValue() slog.Value           { return slog.StringValue(veil) }
func (s Secret) MarshalText() ([]byte, error)   { return nil, ErrSecretMarshal }
func (s Secret) MarshalJSON() ([]byte, error)   { return nil, ErrSecretMarshal }
func (s Secret) MarshalYAML() (any, error)      { return nil, ErrSecretMarshal }
func (s Secret) GobEncode() ([]byte, error)     { return nil, ErrSecretMarshal }
func (s Secret) MarshalBinary() ([]byte, error) { return nil, ErrSecretMarshal }
