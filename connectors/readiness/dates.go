package readiness

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"strings"
	"time"

	"jackfield/connectors"
)

// most bounds what is looked through for dates.
const most = 1 << 20

var (
	jwtShape = regexp.MustCompile(`eyJ[A-Za-z0-9_-]*\.(eyJ[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*`) // RFC 7519 section 3
	sasShape = regexp.MustCompile(`(?:^|[?&; ])se=([^&; ]+)`)                               // a SAS of Service Bus, or of storage
)

// dates tells when tokens end, and what else is temporary.
func (l *look) dates() {
	for _, f := range l.t.Form.Fields {
		if !f.Kind.Secret() || !l.readable(f) || !l.t.Form.Visible(f.Key, l.s) {
			continue
		}
		text := l.s.Secrets[f.Key].Reveal()
		if len(text) > most {
			continue
		}
		if from, to, ok := tokenDates(text); ok {
			l.ends("token."+f.Key, f, f.Label, from, to)
		}
		if to, ok := sasEnd(text); ok {
			l.ends("sas."+f.Key, f, f.Label, time.Time{}, to)
		}
	}
	l.temporary()
	if !l.c.Expires.IsZero() && l.linked() {
		l.ends("account", connectors.Field{}, "The sign-in", time.Time{}, l.c.Expires)
	}
}

// tokenDates reads nbf and exp of a JSON Web Token (RFC 7519 section 4.1).
func tokenDates(text string) (from, to time.Time, ok bool) {
	m := jwtShape.FindStringSubmatch(text)
	if m == nil {
		return from, to, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(m[1])
	if err != nil {
		return from, to, false
	}
	var claims struct {
		Begin float64 `json:"nbf"`
		End   float64 `json:"exp"`
	}
	if json.Unmarshal(raw, &claims) != nil || !date(claims.End) {
		return from, to, false
	}
	if date(claims.Begin) {
		from = time.Unix(int64(claims.Begin), 0)
	}
	return from, time.Unix(int64(claims.End), 0), true
}

// date reports whether a number of seconds is a day before the year 10000.
func date(seconds float64) bool {
	return !math.IsNaN(seconds) && seconds > 0 && seconds < 253402300800
}

// sasEnd reads se, which Service Bus writes as seconds and storage as a time:
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas
func sasEnd(text string) (time.Time, bool) {
	if !strings.Contains(text, "sig=") {
		return time.Time{}, false
	}
	m := sasShape.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, false
	}
	v, err := url.QueryUnescape(m[1])
	if err != nil {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
		if at, err := time.Parse(layout, v); err == nil {
			return at, true
		}
	}
	var seconds float64
	if json.Unmarshal([]byte(v), &seconds) == nil && date(seconds) {
		return time.Unix(int64(seconds), 0), true
	}
	return time.Time{}, false
}

// temporary is about AWS keys that are good for hours: their ID begins with ASIA
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids).
func (l *look) temporary() {
	f, ok := l.t.Form.Field("session_token")
	if !ok || !l.t.Form.Visible(f.Key, l.s) {
		return
	}
	asia, token := strings.HasPrefix(l.answer("access_key"), "ASIA"), !l.s.Secrets[f.Key].Empty()
	switch {
	case asia && !token:
		l.add(Item{ID: "form.missing.session_token", State: Missing, Field: f.Key, Title: f.Label + " is missing", Text: "The access key ID begins with ASIA: such a key is temporary and has a session token."})
	case token:
		l.add(Item{ID: "ends.session_token", State: Warning, Field: f.Key, Title: "The access key is temporary", Text: "It ends after minutes to hours. When, only a test can tell. For a lasting connection use the key of a user (AKIA) or a role."})
	}
}
