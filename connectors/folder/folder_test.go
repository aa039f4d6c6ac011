package folder

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const small = "id,name\n1,Ann\n2,Bo\n"

// seed makes a folder beside another one that is none of its business.
func seed(tb testing.TB) string {
	tb.Helper()
	top := tb.TempDir()
	dir := filepath.Join(top, "data")
	for _, d := range []string{dir, filepath.Join(dir, "sub"), filepath.Join(top, "outside")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	server.WriteFile(tb, dir, "a.csv", small, 0o644)
	server.WriteFile(tb, filepath.Join(dir, "sub"), "b.csv", small, 0o644)
	server.WriteFile(tb, dir, "odd \u202egpj.exe\n", "x", 0o644)
	server.WriteFile(tb, filepath.Join(top, "outside"), "private.csv", small, 0o644)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(small))
	_ = z.Close()
	server.WriteFile(tb, dir, "c.csv.gz", b.String(), 0o644)
	for name, target := range map[string]string{"inner": "sub", "good.csv": "a.csv", "out": "../outside", "absolute": filepath.Join(top, "outside"), "passwd.csv": "../outside/private.csv", "broken": "nowhere", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func at(path string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings {
		s := Type().Form.Defaults()
		s.Plain["path"] = path
		return s
	}
}

func TestFolder(t *testing.T) {
	dir := seed(t)
	many := t.TempDir()
	for i := range 10_000 {
		server.WriteFile(t, many, fmt.Sprintf("f%05d.txt", i), "", 0o644)
	}
	loop := filepath.Join(dir, "loop")
	conntest.Run(t, conntest.Suite{Type: Type(), Good: at(dir),
		Big:     &conntest.Big{Settings: at(many), Parent: "", Count: 10_000},
		Hostile: &conntest.Place{Settings: at(dir), Node: ""},
		Faults: []conntest.Fault{
			{Name: "missing", Settings: at(filepath.Join(dir, "nothing")), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "path"},
			{Name: "below a file", Settings: at(filepath.Join(dir, "a.csv", "x")), Code: connectors.NotFound, Field: "path"},
			{Name: "a file", Settings: at(filepath.Join(dir, "a.csv")), Code: connectors.BadInput, Stage: connectors.StageRights, Field: "path"},
			{Name: "a link to itself", Settings: at(loop), Code: connectors.NotFound, Field: "path"},
			{Name: "a broken link", Settings: at(filepath.Join(dir, "broken")), Code: connectors.NotFound, Field: "path"},
			{Name: "not a whole path", Settings: at("data"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "path"},
			{Name: "a key that is none", Settings: func(tb testing.TB) connectors.Settings {
				s := at(dir)(tb)
				s.Secrets["pgp_key"] = connectors.NewSecret("practice-only")
				return s
			}, Code: connectors.BadInput, Stage: connectors.StageForm, Field: "pgp_key"},
		},
	})
}

// start opens the folder as a program does.
func start(t *testing.T, dir string) *session {
	t.Helper()
	return conntest.Open(t, Type(), at(dir)(t)).(*session)
}

func TestRowsAndContent(t *testing.T) {
	s := start(t, seed(t))
	for _, id := range []connectors.NodeID{"a.csv", "good.csv", "c.csv.gz", "sub/b.csv", "inner/b.csv"} {
		table, err := s.Table(t.Context(), id, 10)
		if err != nil || len(table.Rows) != 2 {
			t.Errorf("%s: %+v %v", id, table, err)
		}
	}
	nodes := map[string]connectors.Node{}
	for n, err := range s.Children(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		nodes[n.Name] = n
	}
	for name, want := range map[string]string{"sub": "folder true ", "inner": "link true ", "out": "link false denied", "absolute": "link false denied", "broken": "link false listed", "a.csv": "file false ", "good.csv": "link false "} {
		if n := nodes[name]; fmt.Sprint(n.Kind, " ", n.Branch, " ", n.Access) != want {
			t.Errorf("%s: %s %v %s, want %s", name, n.Kind, n.Branch, n.Access, want)
		}
	}
	if n := nodes["a.csv"]; len(n.Views) != 2 || n.Views[0] != connectors.ViewRows || n.Facts[0].Text != "19 B" {
		t.Errorf("%+v", n)
	}
}

func TestSecurity49_NothingLeadsOutOfTheFolder(t *testing.T) {
	dir := seed(t)
	s := start(t, dir)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	for _, id := range []connectors.NodeID{
		"../outside/private.csv", "sub/../../outside/private.csv", "out/private.csv", "absolute/private.csv", "passwd.csv",
		connectors.NodeID(outside + "/private.csv"), "/etc/passwd", "inner/../../outside/private.csv", `..\outside\private.csv`, "..", "a.csv/../../outside/private.csv", "\x00", "loop",
	} {
		if table, err := s.Table(t.Context(), id, 10); err == nil {
			t.Errorf("%q gave %v", id, table.Rows)
		} else if p := connectors.Explain(err); p.Title == "" || p.Hint == "" {
			t.Errorf("%q: no words for %v", id, err)
		}
		if sample, err := s.Sample(t.Context(), id, 10); err == nil {
			t.Errorf("%q gave %q", id, sample.Data)
		}
	}
	for _, id := range []connectors.NodeID{"..", "out", "absolute", connectors.NodeID(outside), "/", "../outside"} {
		for n, err := range s.Children(t.Context(), id) {
			if err == nil {
				t.Errorf("%q lists %q", id, n.Name)
			}
		}
	}
	if e := connectors.Classify(errOf(s.Table(t.Context(), "passwd.csv", 10))); e.Reason != "folder.outside" || e.Code != connectors.Denied {
		t.Errorf("%+v", e)
	}
	// A folder that becomes a link after it was listed.
	if err := os.RemoveAll(filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Table(t.Context(), "sub/private.csv", 10); connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("%v", err)
	}
}

func errOf(_ *connectors.Table, err error) error { return err }

func TestTidy(t *testing.T) {
	for in, want := range map[string]string{` "/data/x" `: "/data/x", "file:///data/my%20x": "/data/my x", "/data": "/data", "~": "~", "'/a'": "/a"} {
		if got := tidy(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for v, ok := range map[string]bool{"/a": true, "~/x": true, "~": true, "a/b": false, "..": false, "~bo": false, "https://x/y": false} {
		if err := valid(v); (err == nil) != ok {
			t.Errorf("%q: %v", v, err)
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := absolute("~/x"); err != nil || got != filepath.Join(home, "x") {
		t.Errorf("%s %v", got, err)
	}
	if f, _ := Type().Form.Field("path"); strings.Contains(f.Help, "..") {
		t.Error("the help is no sentence")
	}
}
