package expiry

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
)

// most is how much of an answer is looked through, in bytes.
const most = 1 << 20

// tokens is how many tokens of one answer are looked at.
const tokens = 20

// last is the last second that a date may have: that of the year 9999.
const last = 253402300799

var (
	jwtShape = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`) // RFC 7519 section 3
	sasShape = regexp.MustCompile(`(?:^|[?&;=\s])se=([^&;\s]+)`)                          // a SAS of Service Bus, or of storage
	awsShape = regexp.MustCompile(`[?&](X-Amz-Date|X-Amz-Expires)=([0-9TZ]+)`)
)

// read looks into every visible answer.
func (l *look) read() {
	for _, f := range l.t.Form.Fields {
		text := l.content(f)
		if text == "" {
			continue
		}
		for _, m := range jwtShape.FindAllString(text, tokens) {
			if d, err := jwtx.Decode(m); err == nil {
				l.add(Item{Field: f.Key, Kind: JWT, When: d.Expires, Basis: Read})
			}
		}
		if at, ok := sasEnd(text); ok {
			l.add(Item{Field: f.Key, Kind: SAS, When: at, Basis: Read})
		}
		if at, ok := presignedEnd(text); ok {
			l.add(Item{Field: f.Key, Kind: PresignedURL, When: at, Basis: Read})
		}
		l.material(f, text)
	}
}

// content is a visible answer that may hold something that ends.
func (l *look) content(f connectors.Field) string {
	switch f.Kind {
	case connectors.Toggle, connectors.Integer, connectors.Choice, connectors.Reference, connectors.File:
		return ""
	}
	if !l.t.Form.Visible(f.Key, l.s) {
		return ""
	}
	text := l.s.Plain[f.Key]
	if f.Kind.Secret() {
		text = l.s.Secrets[f.Key].Reveal()
	}
	if len(text) > most {
		return ""
	}
	return text
}

// sasEnd reads se, which Service Bus writes as seconds and storage as a time:
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas
func sasEnd(text string) (time.Time, bool) {
	m := sasShape.FindStringSubmatch(text)
	if m == nil || !strings.Contains(text, "sig=") {
		return time.Time{}, false
	}
	v, err := url.QueryUnescape(m[1])
	if err != nil {
		return time.Time{}, false
	}
	// ISO 8601 as the page lists it: a date, with minutes, with seconds, with parts
	// of seconds.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, v); err == nil {
			return at, true
		}
	}
	seconds, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > last {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// presignedEnd is X-Amz-Date plus X-Amz-Expires seconds:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func presignedEnd(text string) (time.Time, bool) {
	var from time.Time
	var life int
	for _, m := range awsShape.FindAllStringSubmatch(text, 4) {
		var err error
		if m[1] == "X-Amz-Date" {
			from, err = time.Parse("20060102T150405Z", m[2])
		} else {
			life, err = strconv.Atoi(m[2])
		}
		if err != nil {
			return time.Time{}, false
		}
	}
	if from.IsZero() || life <= 0 || life > 7*24*3600 {
		return time.Time{}, false
	}
	return from.Add(time.Duration(life) * time.Second), true
}

// longestSession is how long a session of AWS lasts at most:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const longestSession = 36 * time.Hour

// temporary is about session tokens of AWS, which do not say when they end.
func (l *look) temporary() {
	f, ok := l.t.Form.Field("session_token")
	if ok && l.content(f) != "" {
		since := l.since(f.Key)
		l.add(Item{Field: f.Key, Kind: AWSSession, When: since.Add(longestSession), Since: since, Basis: Estimated})
	}
}

// typed are the dates that a person noted.
func (l *look) typed() {
	for key, day := range l.c.Dates {
		f, ok := l.t.Form.Field(key)
		if !ok || !l.t.Form.Visible(key, l.s) || !l.stored(f) {
			continue
		}
		l.add(Item{Field: key, Kind: kindOf(f), When: day, AllDay: true, Basis: Typed})
	}
}

// stored reports whether the field has an answer, also where secrets are not read.
func (l *look) stored(f connectors.Field) bool {
	if !f.Kind.Secret() {
		return l.s.Plain[f.Key] != ""
	}
	return !l.s.Secrets[f.Key].Empty() || slices.Contains(l.c.SecretKeys, f.Key)
}

// since is when a secret was stored at the earliest.
func (l *look) since(key string) time.Time {
	if at, ok := l.c.Set[key]; ok {
		return at
	}
	return l.c.Created
}

// ages reminds of secrets of which no end is known.
func (l *look) ages() {
	if l.remind <= 0 || l.c.Practice {
		return
	}
	certified := false
	for _, i := range l.best {
		certified = certified || i.Kind == Certificate || i.Kind == SSHCertificate
	}
	for _, f := range l.t.Form.Fields {
		if !Dateable(f) || !l.t.Form.Visible(f.Key, l.s) || !l.stored(f) || f.Key == "session_token" {
			continue
		}
		since := l.since(f.Key)
		if since.IsZero() || certified && kindOf(f) == PrivateKey { // the certificate's end is the key's
			continue
		}
		l.add(Item{Field: f.Key, Kind: KeyAge, When: since.Add(l.remind), Since: since, Basis: Estimated})
	}
}

// Dateable reports whether a person may know when the answer to f ends. What only
// opens another answer has no end of its own.
func Dateable(f connectors.Field) bool {
	for _, end := range []string{"passphrase", "keystore_password", "truststore_password"} {
		if strings.HasSuffix(f.Key, end) {
			return false
		}
	}
	return f.Kind.Secret()
}

// kindOf is what a secret field asks for, by its key.
func kindOf(f connectors.Field) Kind {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(f.Key, p) })
	}
	switch {
	case has("client_secret", "app_secret"):
		return ClientSecret
	case has("cert", "pfx", "keystore"):
		return Certificate
	case has("refresh"):
		return RefreshToken
	case has("sas"):
		return SAS
	case f.Key == "key" || has("private", "jwt_key", "client_key", "assertion_key", "keytab"):
		return PrivateKey
	case has("key", "token"):
		return APIKey
	case has("secret"):
		return ClientSecret
	}
	return Password
}
