// Package lang has the window's words: one folder a language, one YAML file a topic.
package lang

import (
	"embed"
	"fmt"
	"io/fs"
	"sync/atomic"

	"go.yaml.in/yaml/v3"

	"jackfield/connectors"
)

//go:embed */*.yaml
var files embed.FS

// A Language is one that the window speaks, under its own name.
type Language struct{ ID, Name string }

// Languages lists them; the first is the one that words are written in.
func Languages() []Language {
	return []Language{
		{"en", "English"}, {"de", "Deutsch"}, {"fr", "Français"}, {"es", "Español"},
		{"pt", "Português"}, {"ja", "日本語"}, {"zh", "中文"},
	}
}

// A Book has all words of one language.
type Book struct {
	ID       string
	words    map[string]string
	problems *connectors.Words
}

// current is what the window speaks. A process has one language, as the toolkit's
// own texts have: handing it to every label would only say the same thing often.
var current atomic.Pointer[Book]

// Use makes the window speak a language from now on; what is on the screen stays
// as it was drawn.
func Use(id string) error {
	b, err := Open(id)
	if err == nil {
		current.Store(b)
	}
	return err
}

func now() *Book {
	if b := current.Load(); b != nil {
		return b
	}
	b, err := Open("en")
	if err != nil { // a test finds it: the files are a part of the program
		b = &Book{ID: "en", problems: connectors.English()}
	}
	current.CompareAndSwap(nil, b)
	return current.Load()
}

// Open reads a language. What it lacks is told in English.
func Open(id string) (*Book, error) {
	b := &Book{ID: id, problems: connectors.English()}
	var err error
	if b.words, err = Load("en"); err != nil || id == "en" {
		return b, err
	}
	own, err := Load(id)
	if err != nil {
		return nil, err
	}
	for k, v := range own {
		b.words[k] = v
	}
	b.problems, err = connectors.LoadLanguage(id)
	return b, err
}

// Load reads the window's words of one language as they are written.
func Load(id string) (map[string]string, error) {
	names, err := fs.Glob(files, id+"/*.yaml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("language %q: there are no words (%v)", id, err)
	}
	out := map[string]string{}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		part := map[string]string{}
		if err := yaml.Unmarshal(data, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for k, v := range part {
			if _, twice := out[k]; twice {
				return nil, fmt.Errorf("%s: %q stands in two files", name, k)
			}
			out[k] = v
		}
	}
	return out, nil
}

// ID is the language that is spoken now.
func ID() string { return now().ID }

// Explain puts a failure into words; see connectors.Words.Explain.
func Explain(err error) *connectors.Problem { return now().problems.Explain(err) }

// Retell is a failure that was told before, in the language of now.
func Retell(p *connectors.Problem) *connectors.Problem { return now().problems.Retell(p) }

// Type is t with its labels, help and guide in the language.
func Type(t connectors.Type) connectors.Type { return now().problems.Translate(t) }

// Text is the translation of a fixed English text of a connector, such as the
// label of a fact; what is not known stays as it is.
func Text(english string) string { return now().problems.Text(english) }

// N is T for a number of things: with one of them the text of key+".one", if
// there is one, which may leave the number out.
func N(key string, n int, args ...any) string {
	if n == 1 && now().words[key+".one"] != "" {
		return T(key+".one", args...)
	}
	return T(key, append([]any{n}, args...)...)
}

// T is the text for a key, filled in like fmt.Sprintf. A key without a text is
// shown as it is; a test finds it before a person does.
func T(key string, args ...any) string {
	text, ok := now().words[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}
