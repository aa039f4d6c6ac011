package digestx

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/icholy/digest"

	"jackfield/connectors"
)

// What a server may say in its challenges; a longer one is not read.
const (
	maxChallenge  = 8 << 10
	maxChallenges = 16
)

// An offer is a challenge that can be answered. Its nonce count goes up with
// every answer, and its cnonce stays: the session variants are made with the
// first (RFC 7616 section 3.4.2).
type offer struct {
	digest.Challenge
	base   string // the algorithm without "-sess"
	cnonce string
	count  atomic.Int32
}

// strength orders the algorithms; 0 is for those that are not known.
func strength(base string) int {
	switch base {
	case "MD5":
		return 1
	case "SHA-512": // of no standard
		return 2
	case "SHA-256":
		return 3
	case "SHA-512-256":
		return 4
	}
	return 0
}

// best is the strongest challenge that can be answered, the server's first among
// equals, and nil when there is none.
func best(h http.Header, cnonce func() string) *offer {
	var found *offer
	for _, text := range challenges(h) {
		o := read(text)
		if o != nil && (found == nil || strength(o.base) > strength(found.base)) {
			found = o
		}
	}
	if found != nil {
		found.cnonce = cnonce()
	}
	return found
}

// read is nil for what is no Digest challenge or cannot be answered.
func read(text string) (out *offer) {
	// The parser is not ours, and what it reads is the server's.
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	c, err := digest.ParseChallenge(text)
	if err != nil || c.Nonce == "" {
		return nil
	}
	base := strings.ToUpper(c.Algorithm)
	if base == "" {
		base = "MD5"
	}
	o := &offer{Challenge: *c, base: strings.TrimSuffix(base, "-SESS")}
	o.QOP = qop(c.QOP)
	// The parser takes a realm in Latin-1 for broken UTF-8, and its bytes count.
	o.Realm = value(text, "realm")
	if strength(o.base) == 0 || c.QOP != nil && o.QOP == nil {
		return nil
	}
	return o
}

// qop is the one to use: auth before auth-int, none where none was named.
func qop(offered []string) []string {
	var out []string
	for _, q := range offered {
		switch strings.ToLower(strings.TrimSpace(q)) {
		case "auth":
			return []string{"auth"}
		case "auth-int":
			out = []string{"auth-int"}
		}
	}
	return out
}

// repeats reports whether o says no more than that the answer to used was wrong.
func (o *offer) repeats(used *offer) bool {
	return used != nil && o.Nonce == used.Nonce && !o.Stale
}

// answer is the Authorization header for req, "" when it cannot be computed.
func (o *offer) answer(req *http.Request, user string, password connectors.Secret) string {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	body := req.Body != nil && req.Body != http.NoBody
	if o.SupportsQOP("auth-int") && body && req.GetBody == nil {
		return ""
	}
	plain := o.Challenge
	plain.Algorithm = o.base
	options := digest.Options{
		Method: method, URI: req.URL.RequestURI(), Count: int(o.count.Add(1)), Cnonce: o.cnonce,
		Username: user, Password: password.Reveal(),
	}
	if body {
		options.GetBody = req.GetBody
	}
	if o.session() {
		options.A1 = o.hash(strings.Join([]string{o.hash(user + ":" + o.Realm + ":" + options.Password), o.Nonce, o.cnonce}, ":"))
	}
	c, err := digest.Digest(&plain, options)
	if err != nil {
		return ""
	}
	return o.format(c, user)
}

func (o *offer) session() bool { return strings.HasSuffix(strings.ToUpper(o.Algorithm), "-SESS") }

// format writes the header as RFC 7616 section 3.4 wants it: what is quoted and
// what is not, and what was not in the challenge left out.
func (o *offer) format(c *digest.Credentials, user string) string {
	name := `username=` + quoted(c.Username)
	if !o.Userhash && !ascii(user) && strings.EqualFold(o.Charset, "UTF-8") {
		name = "username*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(user), "+", "%20")
	}
	parts := []string{name, "realm=" + quoted(o.Realm), "nonce=" + quoted(o.Nonce), "uri=" + quoted(c.URI)}
	if o.Algorithm != "" {
		parts = append(parts, "algorithm="+o.Algorithm)
	}
	if c.QOP != "" {
		parts = append(parts, "qop="+c.QOP, fmt.Sprintf("nc=%08x", c.Nc))
	}
	if c.QOP != "" || o.session() {
		parts = append(parts, "cnonce="+quoted(o.cnonce))
	}
	parts = append(parts, "response="+quoted(c.Response))
	if o.Opaque != "" {
		parts = append(parts, "opaque="+quoted(o.Opaque))
	}
	if o.Userhash {
		parts = append(parts, "userhash=true")
	}
	return digest.Prefix + strings.Join(parts, ", ")
}

// quoted writes a quoted-string (RFC 9110 section 5.6.4).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
