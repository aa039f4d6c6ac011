package web

import (
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
)

// draftOf shows the token that a form's answers make, and the header that is
// sent; nil for services whose tokens are not made here.
func (s service) draftOf(form connectors.Form) func(connectors.Settings, time.Time) ([]connectors.Part, error) {
	signs := false
	for _, w := range s.SignIn {
		signs = signs || w.Kind == "jwt"
	}
	if !signs {
		return nil
	}
	return func(a connectors.Settings, now time.Time) ([]connectors.Part, error) {
		a = form.Tidied(a)
		way, ok := s.way(form, a)
		if !ok || way.Kind != "jwt" {
			return nil, nil
		}
		o := s.opening(nil, form, a)
		token, until, err := way.jwt(o).Sign(now)
		if err != nil {
			return nil, err
		}
		seen, err := jwtx.Decode(token)
		if err != nil {
			return nil, err
		}
		out := []connectors.Part{{Title: "Header", Text: seen.Header}, {Title: "Payload", Text: seen.Payload}}
		if !until.IsZero() {
			out = append(out, connectors.Part{Title: "Valid until", Text: until.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + until.Sub(now).Round(time.Second).String() + ")"})
		}
		name, prefix := way.sent(o)
		return append(out, connectors.Part{Title: "Sent as", Text: name + ": " + prefix + veiled(token)}), nil
	}
}

// veiled leaves the signature out: whoever reads along over a shoulder could
// use the whole token.
func veiled(token string) string {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return "…"
	}
	return token[:i+1] + "…"
}
