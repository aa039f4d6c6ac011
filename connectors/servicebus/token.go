package servicebus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// sasScheme goes before a token, also in the header Authorization.
const sasScheme = "SharedAccessSignature "

// The lifetime of the tokens that are made here, and how long before its end one
// is made anew.
const (
	lifetime = 20 * time.Minute
	renewal  = 5 * time.Minute
)

// A signer makes tokens for resources, or has one that was made elsewhere.
type signer struct {
	policy string
	key    connectors.Secret
	given  connectors.Secret // a whole token; key and policy are not used then
	ends   time.Time         // of the given one
	now    func() time.Time
}

// token is good for a resource, given as a URI, and all below it
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token):
// sig is the HMAC-SHA256 of the escaped URI, a line end and the time at which it
// ends; the key is used as it is written, not decoded.
func (s signer) token(resource string) (token connectors.Secret, ends time.Time) {
	if !s.given.Empty() {
		return s.given, s.ends
	}
	ends = s.now().Add(lifetime)
	escaped := escape(strings.ToLower(resource))
	until := strconv.FormatInt(ends.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.key.Reveal()))
	_, _ = mac.Write([]byte(escaped + "\n" + until))
	sig := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return connectors.NewSecret(sasScheme + "sr=" + escaped + "&sig=" + escape(sig) + "&se=" + until + "&skn=" + escape(s.policy)), ends
}

// escape writes a space as %20, which every way of decoding understands.
func escape(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }

// newSigner reads the answers about signing in; entity is the one that a token
// is for.
func newSigner(env *connectors.Env, c config) (s signer, entity string, err error) {
	if c.Auth != bySAS {
		return signer{policy: c.KeyName, key: c.AccessKey, now: env.Time}, "", nil
	}
	about, err := readSAS(c.SAS.Reveal())
	if err != nil {
		return signer{}, "", &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "sas", Said: err.Error()}
	}
	if !env.Time().Before(about.ends) {
		return signer{}, "", &connectors.Error{Code: connectors.Expired, Reason: "servicebus.sas_expired", Op: connectors.StageForm, Field: "sas", Said: about.ends.Format(time.RFC3339)}
	}
	return signer{policy: about.policy, given: c.SAS, ends: about.ends, now: env.Time}, about.entity(), nil
}
