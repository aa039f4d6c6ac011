package oauthx

import (
	"maps"
	"strings"

	"jackfield/connectors"
)

// Facts tell what was granted, and until when.
func (s *Source) Facts() []connectors.Fact {
	t := s.current()
	lasts := t.Refresh != "" || s.c.silent()
	var out []connectors.Fact
	if granted := s.granted(t); granted != "" {
		out = append(out, connectors.Fact{Label: "Scopes granted", Text: connectors.Clean(granted, 500)})
	}
	if missing := s.Missing(); len(missing) > 0 {
		out = append(out, connectors.Fact{Label: "Scopes asked for but not granted", Text: strings.Join(missing, " ")})
	}
	if !t.Expiry.IsZero() {
		label := "Access token until"
		if !lasts {
			label = "Sign-in until"
		}
		out = append(out, connectors.Fact{Label: label, Text: t.Expiry.UTC().Format("2006-01-02 15:04:05 UTC")})
	}
	switch {
	case s.c.silent():
		out = append(out, connectors.Fact{Label: "Renewal", Text: "by itself"})
	case !lasts:
		out = append(out, connectors.Fact{Label: "Renewal", Text: "not granted: a person must sign in again"})
	}
	return out
}

// Captured are the values that Config.Capture and CaptureCallback name. They are
// the provider's: an address among them is to be judged before it is used.
func (s *Source) Captured() map[string]string { return maps.Clone(s.current().Captured) }

// Captured are the same values of a kept token.
func Captured(kept connectors.Secret) map[string]string { return readToken(kept).Captured }

func (s *Source) granted(t Token) string {
	if t.Scope == "" {
		return strings.Join(s.c.Scopes, " ") // RFC 6749 section 5.1: unsaid means as asked
	}
	return t.Scope
}

// Missing are the scopes asked for that were not granted. offline_access is a
// request for a refresh token, which tells of itself, and ".default" stands for
// others.
func (s *Source) Missing() []string {
	t := s.current()
	if t.Scope == "" {
		return nil
	}
	have := map[string]bool{}
	for _, g := range split(t.Scope) {
		have[g] = true
	}
	var out []string
	for _, want := range s.c.Scopes {
		if !have[want] && want != "offline_access" && !strings.HasSuffix(want, "/.default") {
			out = append(out, want)
		}
	}
	return out
}

func split(scopes string) []string {
	return strings.FieldsFunc(scopes, func(r rune) bool { return r == ' ' || r == ',' })
}
