package jwtx

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"jackfield/connectors/keys"
)

// How long an assertion lives.
const (
	maxAssertion  = 5 * time.Minute
	longAssertion = time.Hour
)

// An Assertion is what RFC 7523 puts in place of a client's secret (section 2.2)
// or of a grant (section 2.1).
type Assertion struct {
	Method   string        // "" is the usual one of the key's kind: RS256, ES256, ES384, ES512 or EdDSA
	Key      crypto.Signer // see ReadKey
	KeyID    string        // the kid header, left out when empty
	Issuer   string
	Subject  string // empty is the Issuer, as for clients (section 3)
	Audience string // the issuer or the token URL, as the provider documents
	Scope    string // left out when empty
	Lifetime time.Duration
	Long     bool // Lifetime may be up to an hour, where a provider documents that, instead of 5 minutes
	NBF      bool // the nbf claim is wanted
	// Extra are further claims. They may not replace the ones above.
	Extra map[string]any
	// X5T adds the thumbprint of Certificate: as x5t#S256 for the PS methods,
	// else as x5t, which is how Microsoft Entra ID documents the two.
	// https://learn.microsoft.com/entra/identity-platform/certificate-credentials
	X5T         bool
	Certificate *x509.Certificate
}

// Format keeps the key out of logs.
func (a Assertion) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("assertion of " + a.Issuer)) }

// LogValue keeps the key out of logs.
func (a Assertion) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// Sign makes the assertion, which lives from now for Lifetime (zero is 5
// minutes) and has its own jti. A key that does not fit is a *connectors.Error
// on "jwt_key"; other errors are mistakes of the caller.
func (a Assertion) Sign(now time.Time) (string, error) {
	if a.Key == nil {
		return "", bad("jwt.key_needed", fieldKey, "", nil)
	}
	if a.Method == "" {
		kind, methods := describe(a.Key.Public())
		if methods == "" {
			return "", bad("jwt.key_kind", fieldKey, kind, nil)
		}
		a.Method, _, _ = strings.Cut(methods, ",")
	}
	if !known(a.Method) || HMAC(a.Method) {
		return "", bad("jwt.method", fieldMethod, a.Method, nil)
	}
	if err := fit(a.Method, a.Key); err != nil {
		return "", err
	}
	header, err := a.header()
	if err != nil {
		return "", err
	}
	claims, err := a.claims(now)
	if err != nil {
		return "", err
	}
	return compact(a.Method, a.Key, nil, join(header), join(claims))
}

func (a Assertion) header() ([]member, error) {
	out := []member{{"alg", quote(a.Method)}, {"typ", quote("JWT")}}
	if a.KeyID != "" {
		out = append(out, member{"kid", quote(a.KeyID)})
	}
	if !a.X5T {
		return out, nil
	}
	if a.Certificate == nil {
		return nil, errors.New("an assertion with x5t needs a certificate")
	}
	if !keys.Same(a.Certificate.PublicKey, a.Key.Public()) {
		return nil, bad("jwt.key_mismatch", fieldKey, "", nil)
	}
	if strings.HasPrefix(a.Method, "PS") {
		sum := sha256.Sum256(a.Certificate.Raw)
		return append(out, member{"x5t#S256", quote(base64.RawURLEncoding.EncodeToString(sum[:]))}), nil
	}
	sum := sha1.Sum(a.Certificate.Raw)
	return append(out, member{"x5t", quote(base64.RawURLEncoding.EncodeToString(sum[:]))}), nil
}

func (a Assertion) lifetime() (time.Duration, error) {
	limit := maxAssertion
	if a.Long {
		limit = longAssertion
	}
	switch {
	case a.Lifetime == 0:
		return maxAssertion, nil
	case a.Lifetime < time.Second || a.Lifetime > limit:
		return 0, fmt.Errorf("an assertion's lifetime is %v, and at most %v is allowed", a.Lifetime, limit)
	}
	return a.Lifetime, nil
}

func (a Assertion) claims(now time.Time) ([]member, error) {
	if a.Issuer == "" || a.Audience == "" {
		return nil, errors.New("an assertion needs an issuer and an audience")
	}
	life, err := a.lifetime()
	if err != nil {
		return nil, err
	}
	if a.Subject == "" {
		a.Subject = a.Issuer
	}
	out := []member{{"iss", quote(a.Issuer)}, {"sub", quote(a.Subject)}, {"aud", quote(a.Audience)}, {"iat", seconds(now)}}
	if a.NBF {
		out = append(out, member{"nbf", seconds(now)})
	}
	out = append(out, member{"exp", seconds(now.Add(life))}, member{"jti", quote(uuid.NewString())})
	if a.Scope != "" {
		out = append(out, member{"scope", quote(a.Scope)})
	}
	return a.extra(out)
}

func (a Assertion) extra(out []member) ([]member, error) {
	for _, name := range slices.Sorted(maps.Keys(a.Extra)) {
		if name == "nbf" || slices.ContainsFunc(out, func(m member) bool { return m.name == name }) {
			return nil, fmt.Errorf("the claim %q of an assertion cannot be replaced", name)
		}
		value, err := json.Marshal(a.Extra[name])
		if err != nil {
			return nil, fmt.Errorf("the claim %q of an assertion: %w", name, err)
		}
		out = append(out, member{name, value})
	}
	return out, nil
}

func seconds(t time.Time) json.RawMessage {
	return json.RawMessage(strconv.FormatInt(t.Unix(), 10))
}
