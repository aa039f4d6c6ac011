package conntest

import (
	"context"
	"slices"
	"testing"
	"time"

	"jackfield/connectors"
)

// patience is how long one exchange with a test's server may take.
const patience = 60 * time.Second

// Settings are answers in pairs of key and value, and more that go before them. The
// form says which are secret; what it does not ask for is too.
func Settings(t connectors.Type, answers []string, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	for pair := range slices.Chunk(slices.Concat(answers, more), 2) {
		key, value := pair[0], pair[1]
		if f, asked := t.Form.Field(key); asked && !f.Kind.Secret() {
			s.Plain[key] = value
		} else {
			s.Secrets[key] = connectors.NewSecret(value)
		}
	}
	return s
}

// Try opens where nobody is there to ask. What opened is closed with the test.
func Try(tb testing.TB, t connectors.Type, s connectors.Settings) (connectors.Session, error) {
	tb.Helper()
	return TryIn(tb, NewWorld(tb), t, s)
}

// TryIn is Try in a world of one's own.
func TryIn(tb testing.TB, w *World, t connectors.Type, s connectors.Settings) (connectors.Session, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	session, err := t.Open(ctx, w.Env, s)
	if err == nil {
		tb.Cleanup(func() { _ = session.Close() })
	}
	return session, err
}

// Open is Try where it must work.
func Open(tb testing.TB, t connectors.Type, s connectors.Settings) connectors.Session {
	tb.Helper()
	return OpenIn(tb, NewWorld(tb), t, s)
}

// OpenIn is Open in a world of one's own.
func OpenIn(tb testing.TB, w *World, t connectors.Type, s connectors.Settings) connectors.Session {
	tb.Helper()
	session, err := TryIn(tb, w, t, s)
	if err != nil {
		tb.Fatalf("open: %v (%+v)\nlog:\n%s", err, connectors.Explain(err), w.Log())
	}
	return session
}

// Fact is the text of the fact with the label, "" where there is none.
func Fact(facts []connectors.Fact, label string) string {
	for _, f := range facts {
		if f.Label == label {
			return f.Text
		}
	}
	return ""
}

// Facts are what Check tells, by label, and what it could not. The account comes first.
func Facts(tb testing.TB, s connectors.Session) (map[string]string, error) {
	tb.Helper()
	list, err := s.Check(tb.Context())
	out := map[string]string{}
	for i, f := range list {
		if i == 0 && f.Label != "Account" {
			tb.Errorf("the first fact is %s", f.Label)
		}
		out[f.Label] = f.Text
	}
	return out, err
}

// List is what lies below a node, in the server's order.
func List(tb testing.TB, s connectors.Session, parent connectors.NodeID) []connectors.Node {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	var out []connectors.Node
	for n, err := range s.(connectors.Browser).Children(ctx, parent) {
		if err != nil {
			tb.Fatalf("%q: %v", parent, err)
		}
		out = append(out, n)
	}
	return out
}

// Below is List by name.
func Below(tb testing.TB, s connectors.Session, parent connectors.NodeID) map[string]connectors.Node {
	tb.Helper()
	out := map[string]connectors.Node{}
	for _, n := range List(tb, s, parent) {
		out[n.Name] = n
	}
	return out
}

// WantError wants an error with all of these, and words for its reason.
func WantError(tb testing.TB, err error, code connectors.Code, reason, field string) {
	tb.Helper()
	e := connectors.Classify(err)
	if e == nil || e.Code != code || e.Reason != reason || e.Field != field {
		tb.Errorf("%+v (%v), want %s %s at %q", e, err, code, reason, field)
		return
	}
	if reason != "" && !connectors.English().Has(reason) {
		tb.Errorf("%s has no words", reason)
	}
}
