package jwtx

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"jackfield/connectors"
)

// A Spec is a token as a person describes it.
type Spec struct {
	Method       string            // one of Methods
	Secret       connectors.Secret // for HMAC
	SecretBase64 bool              // Secret is base64 or base64url of the bytes
	Key          connectors.Secret // for the others; see ReadKey
	Passphrase   connectors.Secret
	Payload      string // a JSON object
	Headers      string // a JSON object of further header members, or empty
	Fields       Fields // what errors call the form's fields
}

// Sign makes the token. In payload and headers a string that is exactly {now},
// {now+300}, {now-5m}, {now+1h} or {now+7d} becomes that time in Unix seconds,
// and {uuid} a fresh UUID. Nothing is added to the payload, and its members
// keep their order and their digits. expires is the exp claim, zero without
// one. Errors are *connectors.Error that name the field.
func (s Spec) Sign(now time.Time) (token string, expires time.Time, err error) {
	token, expires, err = s.sign(now)
	return token, expires, s.Fields.Rename(err)
}

func (s Spec) sign(now time.Time) (string, time.Time, error) {
	if !known(s.Method) {
		return "", time.Time{}, bad("jwt.method", fieldMethod, s.Method, nil)
	}
	payload, err := readObject(s.Payload, "jwt.payload", fieldPayload, now)
	if err != nil {
		return "", time.Time{}, err
	}
	expires, err := payload.times()
	if err != nil {
		return "", time.Time{}, err
	}
	header, err := s.header(now)
	if err != nil {
		return "", time.Time{}, err
	}
	key, secret, err := s.credential()
	if err != nil {
		return "", time.Time{}, err
	}
	token, err := compact(s.Method, key, secret, header, payload.text)
	return token, expires, err
}

func (s Spec) credential() (crypto.Signer, []byte, error) {
	if HMAC(s.Method) {
		secret, err := s.secret()
		return nil, secret, err
	}
	key, err := ReadKey(s.Key.Reveal(), s.Passphrase)
	if err != nil {
		return nil, nil, err
	}
	return key, nil, fit(s.Method, key)
}

// secret is at least as long as the hash's output (RFC 7518 section 3.2).
func (s Spec) secret() ([]byte, error) {
	if s.Secret.Empty() {
		return nil, bad("jwt.secret_needed", fieldSecret, "", nil)
	}
	raw := []byte(s.Secret.Reveal())
	if s.SecretBase64 {
		var err error
		if raw, err = fromBase64(s.Secret.Reveal()); err != nil {
			return nil, bad("jwt.secret_base64", fieldSecret, "", err)
		}
	}
	if size := hashOf(s.Method).Size(); len(raw) < size {
		return nil, bad("jwt.secret_short", fieldSecret, fmt.Sprintf("It has %d bytes, and %s needs %d.", len(raw), s.Method, size), nil)
	}
	return raw, nil
}

// fromBase64 takes both alphabets, with padding or without, broken into lines or not.
func fromBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/", " ", "", "\t", "", "\r", "", "\n", "").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// header is alg, typ, then the further members in the order in which they were typed.
func (s Spec) header(now time.Time) ([]byte, error) {
	more := &object{}
	if strings.TrimSpace(s.Headers) != "" {
		var err error
		if more, err = readObject(s.Headers, "jwt.headers", fieldHeaders, now); err != nil {
			return nil, err
		}
	}
	alg, typ := quote(s.Method), quote("JWT")
	var rest []member
	for _, m := range more.members {
		switch m.name {
		case "alg":
			if string(m.value) != string(alg) {
				return nil, bad("jwt.headers_alg", fieldHeaders, string(m.value), nil)
			}
		case "typ":
			typ = m.value
		case "b64": // RFC 7797 would change what is signed
			return nil, bad("jwt.headers_b64", fieldHeaders, "", nil)
		default:
			rest = append(rest, m)
		}
	}
	return join(append([]member{{"alg", alg}, {"typ", typ}}, rest...)), nil
}

func quote(s string) json.RawMessage {
	data, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return data
}

func join(members []member) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(m.name))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
