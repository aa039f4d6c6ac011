package jwtx

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"jackfield/connectors/internal/jsonx"
)

// maxToken bounds what is taken apart, in bytes.
const maxToken = 64 << 10

// Decoded is what a token says. Nothing about it has been verified.
type Decoded struct {
	Header, Payload            string    // indented JSON
	Issued, NotBefore, Expires time.Time // zero when absent or no time
	Alg                        string
}

// Decode takes a signed token apart without verifying it. White space, quotes
// and "Bearer " around it are taken off. Errors are *connectors.Error without a
// field.
func Decode(token string) (Decoded, error) {
	if len(token) > maxToken {
		return Decoded{}, bad("jwt.token", "", "", nil)
	}
	token = strings.Trim(strings.TrimSpace(token), `"'`)
	if len(token) > 7 && strings.EqualFold(token[:7], "bearer ") {
		token = strings.TrimSpace(token[7:])
	}
	parts := strings.Split(token, ".")
	if len(parts) == 5 { // RFC 7516 section 9
		return Decoded{}, bad("jwt.token_encrypted", "", "", nil)
	}
	if len(parts) != 3 {
		return Decoded{}, bad("jwt.token", "", "", nil)
	}
	header, headerText, err := part(parts[0])
	if err != nil {
		return Decoded{}, err
	}
	payload, payloadText, err := part(parts[1])
	if err != nil {
		return Decoded{}, err
	}
	out := Decoded{Header: headerText, Payload: payloadText}
	out.Alg, _ = jsonx.At(header, "alg").(string)
	out.Issued, out.NotBefore, out.Expires = instant(payload, "iat"), instant(payload, "nbf"), instant(payload, "exp")
	return out, nil
}

func part(text string) (*jsonx.Object, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, "", bad("jwt.token", "", "", nil)
	}
	v, err := jsonx.Parse(raw)
	if err != nil {
		return nil, "", bad("jwt.token", "", "", nil)
	}
	o, ok := v.(*jsonx.Object)
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil || !ok {
		return nil, "", bad("jwt.token", "", "", nil)
	}
	return o, strings.ToValidUTF8(b.String(), "\ufffd"), nil
}

func instant(o *jsonx.Object, name string) time.Time {
	n, ok := o.Members[name].(json.Number)
	if !ok {
		return time.Time{}
	}
	at, _ := numericDate(json.RawMessage(n))
	return at
}
