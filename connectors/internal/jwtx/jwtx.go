// Package jwtx signs and reads JSON Web Tokens (RFC 7519) with keys in whatever
// form people have them. It never verifies: what it reads is only shown.
package jwtx

import (
	"errors"
	"slices"
	"strings"

	"jackfield/connectors"
)

// Methods lists the signing methods: RFC 7518 section 3.1 without "none", and
// EdDSA (RFC 8037 section 3.1) with Ed25519.
func Methods() []string {
	return []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// HMAC reports whether the method takes a shared secret instead of a private key.
func HMAC(method string) bool { return known(method) && strings.HasPrefix(method, "HS") }

func known(method string) bool { return slices.Contains(Methods(), method) }

// Fields are the names that a form has for its questions. What is empty has the
// name that this package uses itself: "jwt_" and the member's name in lower case.
type Fields struct{ Method, Secret, Key, Passphrase, Payload, Headers string }

// The names that errors have until Fields.Rename changes them.
const (
	fieldMethod     = "jwt_method"
	fieldSecret     = "jwt_secret"
	fieldKey        = "jwt_key"
	fieldPassphrase = "jwt_passphrase"
	fieldPayload    = "jwt_payload"
	fieldHeaders    = "jwt_headers"
)

// Rename returns err with this package's field name replaced by the form's.
// Other errors come back as they are.
func (f Fields) Rename(err error) error {
	var known *connectors.Error
	if !errors.As(err, &known) {
		return err
	}
	name := map[string]string{
		fieldMethod: f.Method, fieldSecret: f.Secret, fieldKey: f.Key,
		fieldPassphrase: f.Passphrase, fieldPayload: f.Payload, fieldHeaders: f.Headers,
	}[known.Field]
	if name == "" {
		return err
	}
	out := *known
	out.Field = name
	return &out
}

// bad is a fault of one answer. said and cause must not hold a secret.
func bad(reason, field, said string, cause error) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field, Said: said, Err: cause}
}
