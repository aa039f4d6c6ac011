package files

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"jackfield/connectors"
)

// memory is a store of files by path, and with ranges of one kind.
type memory struct {
	files  map[string]string
	ranges string   // "" for all, "none", "sequence"
	opened []string // in order
	log    *int     // bytes read
}

func (m *memory) List(_ context.Context, dir string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		seen := map[string]bool{}
		for path, text := range m.files {
			rest, ok := strings.CutPrefix(path, dir)
			if dir != "" {
				rest, ok = strings.CutPrefix(path, dir+"/")
			}
			if !ok {
				continue
			}
			name, _, folder := strings.Cut(rest, "/")
			full := strings.TrimSuffix(path, rest) + name
			if seen[full] {
				continue
			}
			seen[full] = true
			if !yield(Entry{Path: full, Name: name, Folder: folder, Size: int64(len(text))}, nil) {
				return
			}
		}
		if len(seen) == 0 && dir != "" {
			yield(Entry{}, &connectors.Error{Code: connectors.NotFound, Target: dir})
		}
	}
}

func (m *memory) Open(_ context.Context, name string) (File, error) {
	m.opened = append(m.opened, name)
	text, ok := m.files[name]
	if !ok {
		return nil, &connectors.Error{Code: connectors.NotFound, Target: name}
	}
	return &memoryFile{text: text, m: m}, nil
}

type memoryFile struct {
	text string
	m    *memory
	at   int64
}

func (f *memoryFile) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off > 0 && (f.m.ranges == "none" || f.m.ranges == "sequence" && off != f.at) {
		return 0, ErrNoRanges
	}
	if off >= int64(len(f.text)) {
		return 0, io.EOF
	}
	n := copy(p, f.text[off:])
	f.at = off + int64(n)
	if f.m.log != nil {
		*f.m.log += n
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) Size() int64 {
	if f.m.ranges == "none" {
		return -1
	}
	return int64(len(f.text))
}
func (f *memoryFile) Close() error { return nil }

const small = "id,name\n1,Ann\n2,Bo\n"

func zipped(tb testing.TB, members ...string) string {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func store(tb testing.TB) *memory {
	inner := zipped(tb, "in.csv", small, "sub/x.csv", small)
	return &memory{files: map[string]string{
		"a.csv":               small,
		"b.zip":               zipped(tb, "inner.zip", inner, "odd!/name.csv", small, "d/e.csv", small),
		"folder.zip/real.csv": small,
		"x!/y.csv":            small,
		"x!!/z.csv":           small,
		"end!":                zipped(tb, "m.csv", small),
		"note.txt":            "a letter\n\nno table\n",
		"deep/er/file":        small,
	}}
}

// walk lists everything, and returns the ids of what has rows.
func walk(t *testing.T, tree *Tree, parent connectors.NodeID, rows map[connectors.NodeID]bool) {
	t.Helper()
	for n, err := range tree.Children(t.Context(), parent) {
		if err != nil {
			t.Fatalf("%s: %v", parent, err)
		}
		if len(n.Views) > 0 && n.Views[0] == connectors.ViewRows && !n.Branch {
			rows[n.ID] = true
		}
		if n.Branch {
			walk(t, tree, n.ID, rows)
		}
	}
}

func TestEverythingThatIsListedOpens(t *testing.T) {
	for _, ranges := range []string{"", "sequence", "none"} {
		s := store(t)
		s.ranges = ranges
		tree := New(s, Answers{})
		found := map[connectors.NodeID]bool{}
		walk(t, tree, "", found)
		for _, want := range []connectors.NodeID{"a.csv", "b.zip!/inner.zip!/in.csv", "b.zip!/inner.zip!/sub/x.csv", "b.zip!/d/e.csv", "folder.zip/real.csv", "x!!/y.csv", "x!!!!/z.csv"} {
			if !found[want] {
				t.Errorf("%s is missing in %v", want, found)
			}
		}
		for id := range found {
			table, err := tree.Table(t.Context(), id, 10)
			if err != nil || len(table.Rows) != 2 {
				t.Errorf("%q %s: %+v %v", ranges, id, table, err)
			}
			s, err := tree.Sample(t.Context(), id, 100)
			if err != nil || string(s.Data) != small {
				t.Errorf("%q %s: %q %v", ranges, id, s.Data, err)
			}
		}
	}
}

func TestListingOpensNothing(t *testing.T) {
	s := store(t)
	for _, err := range New(s, Answers{}).Children(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(s.opened) > 0 {
		t.Errorf("opened %v", s.opened)
	}
}

func TestIDs(t *testing.T) {
	paths := []string{"a", "a/b", "a!", "!", "a!/b", "a!!/b", "!/", "a!/", "a!!!", "x/!/y", "!!/!", ""}
	seen := map[string]string{}
	for _, p := range paths {
		for _, m := range append(paths, "none") {
			id := escape(p)
			want := []string{p}
			if m != "none" {
				id = inner(id, m)
				want = append(want, m)
			}
			path, inside := split(id)
			if got := append([]string{path}, inside...); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Errorf("%q: %q, want %q", id, got, want)
			}
			if was, twice := seen[id]; twice {
				t.Errorf("%q stands for %s and %q", id, was, want)
			}
			seen[id] = fmt.Sprintf("%q", want)
		}
	}
	if escape("plain/path") != "plain/path" || inner("a.zip", "b/c.csv") != "a.zip!/b/c.csv" {
		t.Error("an ordinary id is not what one types")
	}
}

func FuzzIDs(f *testing.F) {
	f.Add("a!/b", "c!")
	f.Fuzz(func(t *testing.T, path, member string) {
		p, inside := split(inner(escape(path), member))
		if p != path || len(inside) != 1 || inside[0] != member {
			t.Errorf("%q %q", p, inside)
		}
		_, _ = split(path)
	})
}

func TestATypedPathWithTheMarkIsFound(t *testing.T) {
	table, err := New(store(t), Answers{}).Table(t.Context(), "x!/y.csv", 10)
	if err != nil || len(table.Rows) != 2 {
		t.Errorf("%+v %v", table, err)
	}
}

func TestTreeFaults(t *testing.T) {
	s := store(t)
	s.files["locked.pgp"] = "-----BEGIN PGP MESSAGE-----\n\nhF4DAAAAAAAAAAESAQdAAAAA\n-----END PGP MESSAGE-----\n"
	tree := New(s, Answers{})
	for _, c := range []struct {
		id   connectors.NodeID
		code connectors.Code
	}{
		{"nothing.csv", connectors.NotFound}, {"nothing.zip!/a.csv", connectors.NotFound}, {"b.zip!/nothing.csv", connectors.NotFound},
		{"note.txt", connectors.Unsupported}, {"a.csv!/x", connectors.NotFound}, {"b.zip!/inner.zip!/a!/b!/c", connectors.Unsupported},
	} {
		if _, err := tree.Table(t.Context(), c.id, 10); connectors.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.id, err, c.code)
		}
	}
	for _, err := range tree.Children(t.Context(), "nothing.zip") {
		if connectors.CodeOf(err) != connectors.NotFound {
			t.Error(err)
		}
	}
	for _, f := range Fields() {
		if _, ok := map[string]bool{"pgp_key": true, "pgp_passphrase": true}[f.Key]; !ok || !f.Kind.Secret() || !f.Advanced {
			t.Errorf("%+v", f)
		}
	}
}

// TestNoRangesAreBounded: what would need a large file from its end is refused,
// and its beginning is read all the same.
func TestNoRangesAreBounded(t *testing.T) {
	large := small + strings.Repeat("3,Cy\n", 10<<20)
	for _, ranges := range []string{"none", "sequence"} {
		read := 0
		s := &memory{files: map[string]string{"a.csv": large, "b.parquet": "PAR1" + large}, ranges: ranges, log: &read}
		tree := New(s, Answers{})
		if table, err := tree.Table(t.Context(), "a.csv", 10); err != nil || len(table.Rows) != 10 || read > 1<<20 {
			t.Errorf("%v, %d bytes", err, read)
		}
		_, err := tree.Table(t.Context(), "b.parquet", 10)
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Unsupported || read > 150<<20 {
			t.Errorf("%v, %d bytes", err, read)
		}
	}
}
