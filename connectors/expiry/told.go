package expiry

import (
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// endings are the facts that tell an end, by label.
func endings() map[string]Kind {
	return map[string]Kind{
		"Expires": Account, "Account expires": Account, "Password expires": Password,
		"Sign-in until": AccessToken, "Server certificate expires": ServerCertificate, "Certificate expires": ServerCertificate,
	}
}

// told are the facts of the last good check, unless secrets were replaced since.
func (l *look) told() {
	if l.c.State == link.Prepared || l.c.Checked.IsZero() || l.t.ID == "aws_iot" { // there it is the role's session, which renews itself
		return
	}
	for _, at := range l.c.Set {
		if at.After(l.c.Checked) {
			return
		}
	}
	general, finer := time.Time{}, false
	for _, f := range l.c.Facts {
		kind, known := endings()[f.Label]
		at, ok := moment(f.Text)
		switch {
		case !known || !ok:
		case f.Label == "Expires":
			general = at
		default:
			finer = true
			l.add(Item{Field: l.fieldFor(kind), Kind: kind, When: at, Since: l.c.Checked, Basis: Told})
		}
	}
	if general.IsZero() || finer || l.readAt(general) {
		return
	}
	// The one secret that is asked for is what ends; of several nobody said which.
	field, kind := "", Account
	if one := l.secrets(); len(one) == 1 {
		field, kind = one[0].Key, kindOf(one[0])
	}
	l.add(Item{Field: field, Kind: kind, When: general, Since: l.c.Checked, Basis: Told})
}

// fieldFor is the field that an end belongs to.
func (l *look) fieldFor(k Kind) string {
	if k != Password {
		return ""
	}
	for _, f := range l.secrets() {
		if kindOf(f) == Password {
			return f.Key
		}
	}
	return ""
}

// secrets are the visible secret fields that have an answer and are no passphrase.
func (l *look) secrets() []connectors.Field {
	var out []connectors.Field
	for _, f := range l.t.Form.Fields {
		if Dateable(f) && l.t.Form.Visible(f.Key, l.s) && l.stored(f) {
			out = append(out, f)
		}
	}
	return out
}

// readAt reports whether the same end was read from an answer.
func (l *look) readAt(at time.Time) bool {
	for _, i := range l.best {
		if i.Basis == Read && i.When.Sub(at).Abs() < time.Minute {
			return true
		}
	}
	return false
}

// moment reads a time as facts have it: RFC 3339, or "2026-01-31 10:00:00 UTC",
// perhaps with words after it.
func moment(text string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	for _, layout := range []string{"2006-01-02 15:04:05 UTC", "2006-01-02 15:04 UTC", time.DateOnly} {
		if len(text) >= len(layout) {
			if at, err := time.Parse(layout, text[:len(layout)]); err == nil {
				return at, true
			}
		}
	}
	return time.Time{}, false
}
