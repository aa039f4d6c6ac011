package connectors

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"
)

// LoadLanguage reads the words of a language: the failures of words/ID/*.yaml,
// and the texts of types, written in English, of words/ID/texts/*.yaml. What a
// language lacks is told in English.
func LoadLanguage(id string) (*Words, error) {
	own, err := LoadWords(wordFiles, "words/"+id)
	if err != nil {
		return nil, err
	}
	if len(own.entries) == 0 {
		return nil, fmt.Errorf("language %q: there are no words", id)
	}
	for k, v := range English().entries {
		if _, ok := own.entries[k]; !ok {
			own.entries[k] = v
		}
	}
	own.texts, err = loadTexts(wordFiles, "words/"+id+"/texts")
	return own, err
}

func loadTexts(files fs.FS, dir string) (map[string]string, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&out); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// Text is the translation of a fixed text, or the text itself.
func (w *Words) Text(english string) string {
	if t, ok := w.texts[english]; ok {
		return t
	}
	return english
}

// Translated reports whether a text of a type has a translation.
func (w *Words) Translated(english string) bool { _, ok := w.texts[english]; return ok }

// Translate is t with its texts in the language. Names, keys, values and examples
// are what they were: they are typed, stored and compared.
func (w *Words) Translate(t Type) Type {
	if len(w.texts) == 0 {
		return t
	}
	t.Name, t.Summary = w.Text(t.Name), w.Text(t.Summary)
	t.Form.Fields = slices.Clone(t.Form.Fields)
	for i := range t.Form.Fields {
		f := &t.Form.Fields[i]
		f.Label, f.Help, f.Section = w.Text(f.Label), w.Text(f.Help), w.Text(f.Section)
		f.Options = slices.Clone(f.Options)
		for j := range f.Options {
			o := &f.Options[j]
			o.Label, o.Help = w.Text(o.Label), w.Text(o.Help)
		}
	}
	g := &t.Guide
	g.Steps, g.Notes, g.Links = w.all(g.Steps), w.all(g.Notes), slices.Clone(g.Links)
	for i := range g.Links {
		g.Links[i].Text = w.Text(g.Links[i].Text)
	}
	g.Rights, g.Admin, g.Account, g.Network = w.Text(g.Rights), w.Text(g.Admin), w.Text(g.Account), w.Text(g.Network)
	return t
}

func (w *Words) all(texts []string) []string {
	out := slices.Clone(texts)
	for i, s := range out {
		out[i] = w.Text(s)
	}
	return out
}
