package lang_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

// verbs are what is filled in: a translation has the same ones, and may change
// their order only where they are numbered.
var (
	verbs = regexp.MustCompile(`%(\[\d+\])?[.\d]*[a-zA-Z%]`)
	holes = regexp.MustCompile(`\{[a-z_]+\}`)
)

func others(t *testing.T, each func(t *testing.T, id string)) {
	t.Helper()
	for _, l := range lang.Languages() {
		if l.ID != "en" {
			t.Run(l.ID, func(t *testing.T) { each(t, l.ID) })
		}
	}
}

func TestEveryLanguageHasAllOfTheWindowsWords(t *testing.T) {
	english, err := lang.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	others(t, func(t *testing.T, id string) {
		own, err := lang.Load(id)
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range english {
			got, ok := own[key]
			if !ok || got == "" && text != "" {
				t.Errorf("%s is missing: %s", key, text)
				continue
			}
			want, have := verbs.FindAllString(text, -1), verbs.FindAllString(got, -1)
			if !slices.Equal(want, have) && !slices.Equal(numbered(want), numbered(have)) {
				t.Errorf("%s fills in %q, not %q: %s", key, have, want, got)
			}
		}
		for key := range own {
			if _, ok := english[key]; !ok {
				t.Errorf("%s is in no other language", key)
			}
		}
	})
}

// numbered gives every verb its number, sorted.
func numbered(list []string) []string {
	var out []string
	for i, v := range list {
		if !strings.Contains(v, "[") {
			v = "%[" + string(rune('1'+i)) + "]" + v[1:]
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

func TestEveryLanguageHasAllFailures(t *testing.T) {
	english := failures(t, "en")
	others(t, func(t *testing.T, id string) {
		own := failures(t, id)
		for key, text := range english {
			for part, words := range text {
				got := own[key][part]
				want, have := holes.FindAllString(words, -1), holes.FindAllString(got, -1)
				slices.Sort(want)
				slices.Sort(have)
				if got == "" || !slices.Equal(want, have) {
					t.Errorf("%s, %s: %q for %q", key, part, got, words)
				}
			}
		}
	})
}

func failures(t *testing.T, id string) map[string]map[string]string {
	t.Helper()
	names, err := filepath.Glob("../../connectors/words/" + id + "/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	out := map[string]map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err == nil {
			err = yaml.Unmarshal(data, &out)
		}
		if err != nil {
			t.Fatal(name, err)
		}
	}
	return out
}

func TestEveryLanguageHasAllFormsAndGuides(t *testing.T) {
	others(t, func(t *testing.T, id string) {
		words, err := connectors.LoadLanguage(id)
		if err != nil {
			t.Fatal(err)
		}
		missing := map[string]bool{}
		for _, x := range all.All() {
			for _, text := range textsOf(link.Extended(x)) {
				if text != "" && !words.Translated(text) {
					missing[text] = true
				}
			}
		}
		for text := range missing {
			t.Errorf("missing: %q", text)
		}
	})
}

// textsOf are all texts of a type that a person reads.
func textsOf(t connectors.Type) []string {
	out := []string{t.Name, t.Summary, t.Guide.Rights, t.Guide.Admin, t.Guide.Account, t.Guide.Network}
	out = append(append(out, t.Guide.Steps...), t.Guide.Notes...)
	for _, l := range t.Guide.Links {
		out = append(out, l.Text)
	}
	for _, f := range t.Form.Fields {
		out = append(out, f.Section, f.Label, f.Help)
		for _, o := range f.Options {
			out = append(out, o.Label, o.Help)
		}
	}
	return out
}

// A sentence that is put together from pieces cannot be translated: only whole
// ones are joined, by signs that every language has.
func TestNoSentenceIsPutTogether(t *testing.T) {
	names, err := filepath.Glob("../*.go")
	if err != nil || len(names) < 30 {
		t.Fatal(len(names), err)
	}
	joined := regexp.MustCompile(`lang\.[TN]\((?:[^()]|\([^()]*\))*\) ?\+ ?("[^"]*"|\w+)|("[^"]*"|\w+) ?\+ ?lang\.[TN]\(`)
	signs := []string{`" · "`, `": "`, `"\n"`, `" "`, `": " `}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range joined.FindAllStringSubmatch(string(data), -1) {
			if !slices.Contains(signs, m[1]) && !slices.Contains(signs, m[2]) {
				t.Errorf("%s: %s", name, m[0])
			}
		}
	}
}
