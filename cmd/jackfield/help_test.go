package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/web"
)

// chapters are the guide's files by their names.
func chapters(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(guide(), "*.md")
	if err != nil || len(names) < 15 {
		t.Fatalf("%d chapters, %v", len(names), err)
	}
	out := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(guide(), name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

// fenced are blocks of code.
var fenced = regexp.MustCompile("(?s)```\n(.*?)```\n")

func TestEveryChapterIsWrittenAsTheWindowShowsIt(t *testing.T) {
	titles := map[string]string{}
	for name, text := range chapters(t) {
		title, rest, _ := strings.Cut(text, "\n\n")
		title, ok := strings.CutPrefix(title, "# ")
		if !ok || title == "" || strings.Contains(title, "\n") {
			t.Errorf("%s: its first line is no title", name)
		}
		if other, twice := titles[title]; twice {
			t.Errorf("%s has the title of %s", name, other)
		}
		titles[title] = name
		prose := fenced.ReplaceAllString(rest, "")
		if n := len(strings.Fields(prose)); n < 150 || n > 600 {
			t.Errorf("%s has %d words", name, n)
		}
		for what, shape := range map[string]string{
			"a table": `(?m)^\|`, "a picture": `!\[`, "HTML": `<[a-zA-Z/!]`, "a heading of another level": `(?m)^(#|###+) `,
			"a word that explains nothing": `(?i)\b(invalid|illegal|oops|please|simply|seamless\w*|powerful|revolutionary)\b`,
		} {
			if found := regexp.MustCompile(shape).FindString(prose); found != "" {
				t.Errorf("%s has %s: %q", name, what, found)
			}
		}
	}
}

func TestLinksOfTheGuideLeadSomewhere(t *testing.T) {
	all := chapters(t)
	shape := regexp.MustCompile(`\]\(([^)]*)\)`)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, text := range all {
		for _, m := range shape.FindAllStringSubmatch(text, -1) {
			seen++
			if _, ok := all[m[1]]; !ok && !strings.HasPrefix(m[1], "https://") {
				t.Errorf("%s: nothing is at %q", name, m[1])
			}
		}
	}
	for _, m := range shape.FindAllStringSubmatch(string(readme), -1) {
		seen++
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil && !strings.HasPrefix(m[1], "https://") {
			t.Errorf("README.md: nothing is at %q", m[1])
		}
	}
	if seen < 20 {
		t.Errorf("only %d links were found", seen)
	}
}

// buildJF builds the terminal program.
func buildJF(t *testing.T) string {
	t.Helper()
	jf := filepath.Join(t.TempDir(), "jf")
	if runtime.GOOS == "windows" {
		jf += ".exe"
	}
	server.Run(t, "go", "build", "-buildvcs=false", "-o", jf, "../jf")
	return jf
}

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	listed   = regexp.MustCompile(`(?m)^  ([a-z]+) +\S`)
	flagOf   = regexp.MustCompile(`(?:^|\s)(--?[a-zA-Z][a-z-]*)`)
	quoted   = regexp.MustCompile(`"[^"]*"`)
)

// jfLines are the commands that a text names: in code, and in indented lines.
func jfLines(text string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	for line := range strings.Lines(text) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			out = append(out, strings.TrimSpace(code))
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return !strings.HasPrefix(s, "jf ") })
}

func TestCommandsThatTheGuideNamesExist(t *testing.T) {
	jf := buildJF(t)
	known := map[string]string{}
	help := func(args ...string) string {
		key := strings.Join(args, " ")
		if _, ok := known[key]; !ok {
			out, err := exec.Command(jf, append([]string{"help"}, args...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("jf help %s: %v\n%s", key, err, out)
			}
			known[key] = string(out)
		}
		return known[key]
	}
	below := func(text string) []string {
		_, part, _ := strings.Cut(text, "Available Commands:")
		part, _, _ = strings.Cut(part, "\n\n")
		var out []string
		for _, m := range listed.FindAllStringSubmatch(part, -1) {
			out = append(out, m[1])
		}
		return out
	}
	texts := chapters(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts["README.md"] = string(readme)
	seen := map[string]bool{}
	for name, text := range texts {
		for _, line := range jfLines(text) {
			own, _, _ := strings.Cut(quoted.ReplaceAllString(line, "X"), " -- ") // what is behind it is another program's
			words := strings.Fields(own)[1:]
			if words[0] == "help" {
				words = words[1:]
			}
			if len(words) == 0 {
				continue
			}
			path := words[:1]
			if !slices.Contains(below(help()), words[0]) {
				t.Errorf("%s: %q: there is no such command", name, line)
				continue
			}
			if subs := below(help(words[0])); len(subs) > 0 && len(words) > 1 {
				if path = words[:2]; !slices.Contains(subs, words[1]) {
					t.Errorf("%s: %q: there is no such command", name, line)
					continue
				}
			}
			seen[words[0]] = true
			usage := help(path...)
			for _, f := range flagOf.FindAllStringSubmatch(own, -1) {
				if !regexp.MustCompile(regexp.QuoteMeta(f[1]) + `[ ,]`).MatchString(usage) {
					t.Errorf("%s: %q has no %s", name, line, f[1])
				}
			}
		}
	}
	for _, command := range below(help()) {
		if command != "help" && !seen[command] {
			t.Errorf("the guide never names jf %s", command)
		}
	}
}

// windowKeys are the keys on which a method of the window acts: K, Comma, F5 …
func windowKeys(t *testing.T, file, method string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../../gui", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != method {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				for _, prefix := range []string{"Key", "Shortcut"} {
					if key, ok := strings.CutPrefix(s.Sel.Name, prefix); ok && !strings.HasPrefix(key, "Modifier") && key != "" && key != "Name" && key != "Event" {
						out = append(out, key)
					}
				}
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("%s acts on no key", method)
	}
	return out
}

// TestShortcutsOfTheGuideAreThoseOfTheWindow compares both ways.
func TestShortcutsOfTheGuideAreThoseOfTheWindow(t *testing.T) {
	named := map[string]string{"Return": "Ctrl+Enter", "Comma": "Ctrl+,", "Paste": "Ctrl+V", "Undo": "Ctrl+Z", "Escape": "Esc"}
	have := map[string]bool{"Ctrl+Enter": false}
	for _, k := range windowKeys(t, "app.go", "shortcuts") {
		if word, ok := named[k]; ok {
			have[word] = true
		} else if len(k) == 1 {
			have["Ctrl+"+k] = true
		}
	}
	for _, k := range windowKeys(t, "keys.go", "windowKey") {
		if word, ok := named[k]; ok {
			k = word
		}
		have[k] = true
	}
	all := chapters(t)
	shape := regexp.MustCompile("`(Ctrl\\+[^`]+|F[0-9]+|⌘[^`]+)`")
	for name, text := range all {
		for _, m := range shape.FindAllStringSubmatch(text, -1) {
			key := strings.Replace(m[1], "⌘", "Ctrl+", 1)
			if key != "Ctrl" && !have[key] {
				t.Errorf("%s: the window does nothing on %s", name, m[1])
			}
		}
	}
	for key := range have {
		if !strings.Contains(all["15-finding-your-way.md"], "- `"+key+"`") {
			t.Errorf("the list of shortcuts lacks %s", key)
		}
	}
}

// TestTheCatalogueExampleLinks loads the example as it stands, and links it.
func TestTheCatalogueExampleLinks(t *testing.T) {
	m := fenced.FindStringSubmatch(chapters(t)["85-writing-a-catalogue-file.md"])
	if m == nil {
		t.Fatal("there is no example")
	}
	home := t.TempDir()
	file := filepath.Join(home, "catalogue", "parcels.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(m[1])
	typ, err := web.FromFile(file)
	if err != nil || typ.ID != "acme_parcels" {
		t.Fatal(typ.ID, err)
	}
	types, faults := all.NewShelf(filepath.Dir(file))
	if _, ok := types.Find(typ.ID); !ok || len(faults) > 0 {
		t.Fatal(faults)
	}

	// The service of the example answers on this computer, without TLS.
	write(strings.Replace(m[1], "secure: true", "secure: false", 1))
	const key = "ap_practiceonly1"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, status := parcels(r), http.StatusOK
		if r.Header.Get("X-Api-Key") != key {
			answer, status = map[string]any{"error": map[string]any{"message": "no such key"}}, http.StatusUnauthorized
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	pass := filepath.Join(home, "passphrase")
	if err := os.WriteFile(pass, []byte("practice-only-passphrase"), 0o600); err != nil {
		t.Fatal(err)
	}
	jf := buildJF(t)
	run := func(in string, args ...string) string {
		cmd := exec.Command(jf, args...)
		cmd.Stdin = strings.NewReader(in)
		cmd.Env = append(os.Environ(), "JACKFIELD_HOME="+home, "JACKFIELD_KEYCHAIN=passphrase", "JACKFIELD_PASSPHRASE_FILE="+pass)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("jf %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run(key, "new", "acme_parcels", "Parcels", "--set", "base_url="+s.URL, "--secret", "api_key=-")
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"link", "Parcels"}, []string{"mira@example.com", "reader"}},
		{[]string{"ls", "Parcels", "depots"}, []string{"North", "Kiel"}},
		{[]string{"show", "Parcels", "shipments"}, []string{"first page", "second page"}},
		{[]string{"show", "Parcels", "depots/d1"}, []string{"from the north"}},
	} {
		out := run("", c.args...)
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("jf %v says nothing of %q:\n%s", c.args, want, out)
			}
		}
	}
}

// parcels is what the service of the example answers.
func parcels(r *http.Request) any {
	switch r.URL.Path {
	case "/v1/me":
		return map[string]any{"email": "mira@example.com", "role": "reader"}
	case "/v1/depots":
		return map[string]any{"data": []any{map[string]any{"id": "d1", "name": "North", "town": "Kiel"}}}
	case "/v1/depots/d1/shipments":
		return map[string]any{"data": []any{map[string]any{"id": 3, "note": "from the north"}}}
	case "/v1/shipments":
		if r.URL.Query().Get("after") == "m2" {
			return map[string]any{"data": []any{map[string]any{"id": 2, "note": "second page"}}}
		}
		return map[string]any{"data": []any{map[string]any{"id": 1, "note": "first page"}}, "next": "m2"}
	}
	return map[string]any{}
}
