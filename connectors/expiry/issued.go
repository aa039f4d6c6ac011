package expiry

import (
	"encoding/json"
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

const day = 24 * time.Hour

// unused is how long a vendor keeps a sign-in that nobody renews, as the guide of
// the type says; 0 where it does not. Each renewal begins the time anew, so a
// sign-in that ends with a fixed day is not here (ServiceNow, DocuSign).
func unused(typeID string) time.Duration {
	switch typeID {
	case "box", "xero":
		return 60 * day
	case "jira", "zoom", "microsoft_graph", "dynamics365":
		return 90 * day
	case "quickbooks":
		return 100 * day
	}
	return 0
}

// issued is about what a sign-in in the browser gave.
func (l *look) issued() {
	kept, ok := object[oauthx.Token](l.s.Secrets[oauthx.Key].Reveal())
	if !ok {
		return
	}
	life := unused(l.t.ID)
	switch {
	case kept.Refresh != "" && life > 0 && !kept.Issued.IsZero():
		l.add(Item{Kind: RefreshToken, When: kept.Issued.Add(life), Since: kept.Issued, Basis: Estimated})
	case kept.Refresh == "" && !kept.Expiry.IsZero() && l.attended():
		l.add(Item{Kind: AccessToken, When: kept.Expiry, Basis: Read})
	}
}

// attended reports whether the last check said that a person has to sign in again:
// an access token that is made anew by itself is nobody's concern.
func (l *look) attended() bool {
	return slices.ContainsFunc(l.c.Facts, func(f connectors.Fact) bool { return f.Label == "Sign-in until" })
}

// object reads JSON.
func object[T any](text string) (T, bool) {
	var v T
	err := json.Unmarshal([]byte(text), &v)
	return v, err == nil
}
