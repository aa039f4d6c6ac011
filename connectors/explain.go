package connectors

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Problem is a failure in people's words. No field but Field, Said and Stage is ever empty.
type Problem struct {
	Code  Code   `json:"code"`
	Title string `json:"title"` // what happened, one sentence
	Hint  string `json:"hint"`  // what to do next
	Field string `json:"field"` // the form field to put right
	Said  string `json:"said"`  // the server's own words, cleaned and capped
	Stage Stage  `json:"stage"`

	// Reason and Target let the same failure be told again in another language; see
	// Words.Retell. Reason is empty where the words are a service's own.
	Reason string `json:"reason,omitempty"`
	Target string `json:"target,omitempty"`
}

//go:embed words
var wordFiles embed.FS

// Words are the texts of one language: see words/en/*.yaml.
type Words struct {
	entries map[string]words
	texts   map[string]string // of types, by their English text
}

type words struct {
	Title string `yaml:"title"`
	Hint  string `yaml:"hint"`
}

// English is read once; a broken file is a failing test, and until then its
// entries are merely missing (Explain falls back to the code's own name).
var English = sync.OnceValue(func() *Words {
	w, err := LoadWords(wordFiles, "words/en")
	if err != nil && w == nil {
		w = &Words{}
	}
	return w
})

// LoadWords reads every YAML file of a folder: keys are codes and reasons,
// values have a title and a hint. {target}, {said} and {host} are filled in.
func LoadWords(files fs.FS, dir string) (*Words, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return nil, err
	}
	w := &Words{entries: map[string]words{}}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return w, err
		}
		part := map[string]words{}
		d := yaml.NewDecoder(bytes.NewReader(data))
		d.KnownFields(true)
		if err := d.Decode(&part); err != nil {
			return w, fmt.Errorf("%s: %w", name, err)
		}
		for k, v := range part {
			if _, twice := w.entries[k]; twice {
				return w, fmt.Errorf("%s: %q stands in two files", name, k)
			}
			w.entries[k] = v
		}
	}
	return w, nil
}

// Has reports whether a code or reason has words of its own.
func (w *Words) Has(key string) bool { _, ok := w.entries[key]; return ok }

// Explain puts err into English words; see Words.Explain.
func Explain(err error) *Problem { return English().Explain(err) }

// Explain puts err into words: the reason's where there are any, else its
// code's. It returns nil for nil, and never an empty title or hint otherwise.
func (w *Words) Explain(err error) *Problem {
	e := Classify(err)
	if e == nil {
		return nil
	}
	text, ok := w.lookUp(e.Reason)
	if !ok {
		text, ok = w.entries[string(e.Code)]
	}
	if !ok {
		text = words{Title: strings.ReplaceAll(string(e.Code), "_", " "), Hint: "Look at the details."}
	}
	reason := orThe(e.Reason, string(e.Code))
	if e.Title != "" {
		text.Title, reason = e.Title, ""
	}
	if e.Hint != "" {
		text.Hint, reason = e.Hint, ""
	}
	said := e.Said
	if said == "" && e.Err != nil && e.Reason == "" {
		said = e.Err.Error()
	}
	said = Clean(said, 300)
	if said == "" {
		text.Hint = withoutSaid(text.Hint)
	}
	server := w.Text("the server")
	fill := strings.NewReplacer("{target}", orThe(e.Target, server), "{said}", said)
	return &Problem{
		Code: e.Code, Title: tidySentence(fill.Replace(text.Title), server), Hint: tidySentence(fill.Replace(text.Hint), server),
		Field: e.Field, Said: said, Stage: e.Op, Reason: reason, Target: Clean(e.Target, 120),
	}
}

// Retell is p in this language; as it was told where its words are a service's
// own, or it was stored before it could be told again.
func (w *Words) Retell(p *Problem) *Problem {
	if p == nil || p.Reason == "" {
		return p
	}
	e := &Error{Code: p.Code, Op: p.Stage, Target: p.Target, Field: p.Field, Said: p.Said}
	if p.Reason != string(p.Code) {
		e.Reason = p.Reason
	}
	return w.Explain(e)
}

// lookUp finds "ldap.data.775", then "ldap.data", then "ldap".
func (w *Words) lookUp(reason string) (words, bool) {
	for reason != "" {
		if text, ok := w.entries[reason]; ok {
			return text, true
		}
		i := strings.LastIndexByte(reason, '.')
		if i < 0 {
			break
		}
		reason = reason[:i]
	}
	return words{}, false
}

func orThe(s, other string) string {
	if s == "" {
		return other
	}
	return Clean(s, 120)
}

func tidySentence(s, server string) string {
	s = strings.TrimSpace(strings.NewReplacer(" ()", "", "“”", "", "  ", " ").Replace(s))
	if strings.HasPrefix(s, server) {
		first, n := utf8.DecodeRuneInString(s)
		return string(unicode.ToUpper(first)) + s[n:]
	}
	return s
}

// withoutSaid drops a last sentence that only leads up to the server's words,
// where it had none.
func withoutSaid(hint string) string {
	lead, ends := strings.CutSuffix(hint, ": {said}")
	if !ends {
		return hint
	}
	if i := strings.LastIndex(lead, ". "); i >= 0 {
		return lead[:i+1]
	}
	return lead + "."
}
