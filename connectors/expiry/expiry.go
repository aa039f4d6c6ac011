// Package expiry tells when the things that a connection signs in with end:
// certificates, tokens, signatures, passwords. It needs no network. What is read
// is never passed on: an Item has names and dates.
package expiry

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Kind says what ends.
type Kind string

// The kinds. They stand in JSON and never change; words/en/expiry.yaml says of each
// what it is and what to do.
const (
	Certificate       Kind = "certificate"
	Authority         Kind = "authority" // a certificate by which the server is recognized
	SSHCertificate    Kind = "ssh_certificate"
	ServerCertificate Kind = "server_certificate"
	JWT               Kind = "jwt"
	SAS               Kind = "sas"
	PresignedURL      Kind = "presigned_url"
	AWSSession        Kind = "aws_session"
	AccessToken       Kind = "access_token"
	RefreshToken      Kind = "refresh_token"
	ClientSecret      Kind = "client_secret"
	Password          Kind = "password"
	APIKey            Kind = "api_key"
	PrivateKey        Kind = "private_key"
	Account           Kind = "account"
	KeyAge            Kind = "key_age" // nothing ends: a reminder
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Certificate, Authority, SSHCertificate, ServerCertificate, JWT, SAS, PresignedURL, AWSSession, AccessToken, RefreshToken, ClientSecret, Password, APIKey, PrivateKey, Account, KeyAge}
}

// A Basis says how a date is known.
type Basis string

// The bases, the best first.
const (
	Read      Basis = "read"      // it stands in the thing itself
	Told      Basis = "told"      // the server said it at the last good check
	Typed     Basis = "typed"     // a person noted it
	Estimated Basis = "estimated" // reckoned from when the thing was stored
)

// A Level says how near an end is.
type Level string

// The levels: each takes in those before it no more.
const (
	Expired Level = "expired"
	Day     Level = "day"   // within 24 hours
	Week    Level = "week"  // within 7 days
	Month   Level = "month" // within 30 days
	Later   Level = "later"
)

// rank orders levels by urgency; 0 is the most urgent one.
func (l Level) rank() int { return slices.Index([]Level{Expired, Day, Week, Month, Later}, l) }

// An Item is one thing that ends. Its texts are neutralized and hold no secret.
type Item struct {
	ConnectionID string    `json:"connection_id"`
	Connection   string    `json:"connection"`
	Type         string    `json:"type"`
	Field        string    `json:"field"` // of the form; "" for the account or a sign-in
	Kind         Kind      `json:"kind"`
	Label        string    `json:"label"`             // the field's, "" without one
	Subject      string    `json:"subject,omitempty"` // the name in a certificate
	What         string    `json:"what"`              // both of them, in English
	When         time.Time `json:"when"`
	AllDay       bool      `json:"all_day"` // a day is known and no hour: When is its midnight UTC
	Sure         bool      `json:"sure"`
	Basis        Basis     `json:"basis"`
	Since        time.Time `json:"since,omitzero"` // what an estimate counts from, and when the server told
	Level        Level     `json:"level"`
	Next         string    `json:"next"` // what to do, in English
	UID          string    `json:"uid"`  // stable for a field of a connection, also when the date changes
}

// Reminder is how long after a key or password was stored one is reminded of it.
const Reminder = 365 * 24 * time.Hour

// Of lists what ends of a connection, the first end first. s are its own answers
// with their secrets; without secrets only facts and typed dates are known.
func Of(t connectors.Type, c link.Connection, s connectors.Settings, now time.Time) []Item {
	return (&Radar{}).Of(t, c, s, now)
}

// look is one connection being looked through.
type look struct {
	t      connectors.Type
	c      link.Connection
	s      connectors.Settings
	remind time.Duration
	best   map[string]Item // one for each field; without a field, one for each kind
}

// Of is the package's Of with the radar's reminder.
func (r *Radar) Of(t connectors.Type, c link.Connection, s connectors.Settings, now time.Time) []Item {
	l := &look{t: t, c: c, s: t.Form.Tidied(s), remind: r.reminder(), best: map[string]Item{}}
	l.read()
	l.issued()
	l.told()
	l.typed()
	l.temporary()
	l.ages()
	out := make([]Item, 0, len(l.best))
	for _, i := range l.best {
		out = append(out, i)
	}
	judge(out, now)
	return out
}

// judge gives items their level as of now and puts them in order.
func judge(items []Item, now time.Time) {
	for n := range items {
		items[n].Level = LevelOf(items[n], now)
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(a.When.Compare(b.When), cmp.Compare(strings.ToLower(a.Connection), strings.ToLower(b.Connection)), cmp.Compare(a.UID, b.UID))
	})
}

// LevelOf is how near i's end is. A day without an hour ends when it is over.
func LevelOf(i Item, now time.Time) Level {
	end := i.When
	if i.AllDay {
		end = end.AddDate(0, 0, 1)
	}
	switch left := i.When.Sub(now); {
	case !now.Before(end):
		return Expired
	case left <= 24*time.Hour:
		return Day
	case left <= 7*24*time.Hour:
		return Week
	case left <= 30*24*time.Hour:
		return Month
	}
	return Later
}

// Within are the items that ended or end within that time, in their order.
// Reminders are among them.
func Within(items []Item, d time.Duration, now time.Time) []Item {
	out := make([]Item, 0, len(items))
	for _, i := range items {
		if i.Level == Expired || i.When.Sub(now) <= d {
			out = append(out, i)
		}
	}
	return out
}

// never is from when on an end means that there is none: certificates without one
// say 99991231235959Z (RFC 5280 section 4.1.2.5).
const never = 9999

// add keeps i where nothing better is known of its field: the better basis, and
// of the same basis the earlier end.
func (l *look) add(i Item) {
	if i.When.IsZero() || i.When.UTC().Year() >= never || i.When.Year() < 1970 {
		return
	}
	slot := i.Field
	if slot == "" {
		slot = "/" + string(i.Kind)
	}
	i.Sure = i.Basis != Estimated
	i.When = i.When.UTC()
	if old, there := l.best[slot]; there && !better(i, old) {
		return
	}
	i.ConnectionID, i.Type = l.c.ID, l.c.Type
	i.Connection, i.Subject = connectors.Clean(l.c.Name, 120), connectors.Clean(i.Subject, 120)
	if f, ok := l.t.Form.Field(i.Field); ok {
		i.Label = connectors.Clean(f.Label, 80)
	}
	words := Words(i.Kind)
	i.What, i.Next = i.Label, words.Hint
	if i.What == "" {
		i.What = words.Title
	}
	if i.Subject != "" {
		i.What += " (" + i.Subject + ")"
	}
	sum := sha256.Sum256([]byte(l.c.ID + "\x00" + slot))
	i.UID = hex.EncodeToString(sum[:16])
	l.best[slot] = i
}

func better(a, b Item) bool {
	bases := []Basis{Read, Told, Typed, Estimated}
	x, y := slices.Index(bases, a.Basis), slices.Index(bases, b.Basis)
	if x != y {
		return x < y
	}
	return a.When.Before(b.When)
}

// Words are a kind's name and what to do before it ends, in English.
func Words(k Kind) *connectors.Problem { return connectors.Explain(Reason(k)) }

// Reason is what a kind's words stand under, for another language.
func Reason(k Kind) error {
	return &connectors.Error{Code: connectors.Expired, Reason: "expiry." + string(k)}
}

// ParseDay reads a day as a person types it: 2027-01-31, with other signs between
// the parts also where the order is sure. The error is an *connectors.Error.
func ParseDay(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "2 January 2006", "2 Jan 2006", "January 2, 2006", "Jan 2, 2006", "2.1.2006"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 2000 && at.Year() < never {
			return at, nil
		}
	}
	return time.Time{}, &connectors.Error{Code: connectors.BadInput, Reason: "expiry.date", Op: connectors.StageForm, Field: "date"}
}
