package rights_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest"
	"jackfield/connectors/readiness/rights"
)

const newPassword = "practice-only-new"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func typeOf(tb testing.TB, id string) connectors.Type {
	tb.Helper()
	t, ok := connectors.Find(all.All(), id)
	if !ok {
		tb.Fatalf("no type %s", id)
	}
	return t
}

// grant is the n-th text, with a password in the place that is left for it.
func grant(tb testing.TB, id string, s connectors.Settings, n int) string {
	tb.Helper()
	list := rights.For(typeOf(tb, id), s)
	if n >= len(list) {
		tb.Fatalf("%s has %d grants", id, len(list))
	}
	return strings.ReplaceAll(list[n].Text, rights.Placeholder, newPassword)
}

// without is text less its n-th line.
func without(text string, n int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Join(slices.Delete(lines, n, n+1), "")
}

// look is everything that a preview shows, or how far it got. What differs from
// one connection to the next is left out.
func look(tb testing.TB, id string, s connectors.Settings) string {
	tb.Helper()
	w := conntest.NewWorld(tb)
	w.Env.Ask = conntest.TrustAll()
	session, err := conntest.TryIn(tb, w, typeOf(tb, id), s)
	if err != nil {
		return "not opened: " + failure(err)
	}
	defer func() { _ = session.Close() }()
	var b strings.Builder
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	facts, err := session.Check(ctx)
	// That other buckets may not be listed is what a small right is for.
	if e := connectors.Classify(err); e != nil && e.Reason != "objectstore.only" {
		fmt.Fprintf(&b, "check: %s\n", failure(err))
	}
	fmt.Fprintf(&b, "told: %s\n", labels(facts))
	walk(ctx, &b, session, "", 0)
	return b.String()
}

func walk(ctx context.Context, b *strings.Builder, session connectors.Session, parent connectors.NodeID, depth int) {
	browser, ok := session.(connectors.Browser)
	if !ok || depth > 3 {
		return
	}
	for n, err := range browser.Children(ctx, parent) {
		if err != nil {
			fmt.Fprintf(b, "%*s%s\n", depth*2, "", failure(err))
			return
		}
		fmt.Fprintf(b, "%*s%s %s %s%s [%s]\n", depth*2, "", n.Kind, n.Name, n.Access, shown(ctx, session, n), labels(n.Facts))
		if n.Branch {
			walk(ctx, b, session, n.ID, depth+1)
		}
	}
}

func labels(facts []connectors.Fact) string {
	var out []string
	for _, f := range facts {
		out = append(out, f.Label)
	}
	return strings.Join(out, ", ")
}

// shown is what of a node can be read.
func shown(ctx context.Context, session connectors.Session, n connectors.Node) string {
	out := ""
	if t, ok := session.(connectors.Tabler); ok && slices.Contains(n.Views, connectors.ViewRows) {
		table, err := t.Table(ctx, n.ID, 10)
		switch {
		case connectors.CodeOf(err) == connectors.Unsupported: // a text has no rows
		case err != nil:
			return " table: " + failure(err)
		default:
			out += fmt.Sprintf(" rows: %d", len(table.Rows))
		}
	}
	if s, ok := session.(connectors.Sampler); ok && slices.Contains(n.Views, connectors.ViewContent) {
		sample, err := s.Sample(ctx, n.ID, 100)
		if err != nil {
			return out + " content: " + failure(err)
		}
		out += fmt.Sprintf(" bytes: %d", len(sample.Data))
	}
	return out
}

func failure(err error) string {
	e := connectors.Classify(err)
	return fmt.Sprintf("%s %s partial %v (%s)", e.Code, e.Reason, e.Partial, e.Said)
}

// wants that the preview with a grant shows each of the words, and no trouble.
func wants(tb testing.TB, got string, words ...string) {
	tb.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			tb.Errorf("%q is not to be seen in\n%s", w, got)
		}
	}
	if strings.Contains(got, "partial ") || strings.Contains(got, "not opened") {
		tb.Errorf("not everything could be read:\n%s", got)
	}
}

// refused wants that a program fails, and says so with a word.
func refused(tb testing.TB, word string, env []string, input, name string, args ...string) {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if !strings.Contains(strings.ToLower(string(out)), strings.ToLower(word)) {
		tb.Errorf("%s %q was not refused with %q: %v\n%s", name, args, word, err, out)
	}
}
