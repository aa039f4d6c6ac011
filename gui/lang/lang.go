// Package lang has the window's words: one YAML file a language.
package lang

import (
	"embed"
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var files embed.FS

var english = sync.OnceValues(func() (map[string]string, error) { return Load("en") })

// Load reads one language.
func Load(name string) (map[string]string, error) {
	data, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	if err := yaml.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// N is T for a number of things: with one of them the text of key+".one", if
// there is one, which may leave the number out.
func N(key string, n int, args ...any) string {
	if words, err := english(); err == nil && n == 1 && words[key+".one"] != "" {
		return T(key+".one", args...)
	}
	return T(key, append([]any{n}, args...)...)
}

// T is the text for a key, filled in like fmt.Sprintf. A key without a text is
// shown as it is; a test finds it before a person does.
func T(key string, args ...any) string {
	words, err := english()
	text, ok := words[key]
	if err != nil || !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}
