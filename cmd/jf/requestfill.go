package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/handover"
)

func itemLine(n int, name, id string) string {
	return fmt.Sprintf("%d. %s (%s)", n+1, connectors.Clean(name, 200), connectors.Clean(id, 60))
}

// lacking says which flags would give what is missing, where nobody can be asked.
func (a *app) lacking(t connectors.Type, s connectors.Settings, n, of int, name string) error {
	missing := t.Form.Missing(s)
	if _, ok := a.terminal(); ok || len(missing) == 0 {
		return nil
	}
	before := ""
	if of > 1 {
		before = fmt.Sprintf("%d.", n)
	}
	var flags []string
	for _, k := range missing {
		if f, _ := t.Form.Field(k); f.Kind.Secret() {
			flags = append(flags, "--secret "+before+k+"=@FILE")
		} else {
			flags = append(flags, "--set "+before+k+"=…")
		}
	}
	_, _ = fmt.Fprintf(a.err, "jf: nobody is there to answer for %q: say %s\n", connectors.Clean(name, 200), strings.Join(flags, " "))
	return exit{exitNobody}
}

// fill asks the person for what is wanted and not given. What becomes visible by
// an answer is asked next.
func (a *app) fill(ctx context.Context, t connectors.Type, i handover.Wanted, s connectors.Settings) error {
	if _, ok := a.terminal(); !ok {
		return nil
	}
	asked := map[string]bool{}
	for range t.Form.Fields {
		wanted := append(slices.Clone(i.Ask), t.Form.Missing(s)...)
		at := slices.IndexFunc(wanted, func(k string) bool {
			return !asked[k] && t.Form.Visible(k, s) && s.Secrets[k].Empty() && (s.Plain[k] == "" || s.Plain[k] != i.Plain[k])
		})
		if at < 0 {
			return nil
		}
		f, _ := t.Form.Field(wanted[at])
		asked[f.Key] = true
		if err := a.fillOne(ctx, f, s); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) fillOne(ctx context.Context, f connectors.Field, s connectors.Settings) error {
	title := f.Label
	for _, o := range f.Options {
		_, _ = fmt.Fprintf(a.err, "  %s: %s\n", o.Value, o.Label)
	}
	if f.Kind == connectors.SecretLines || f.Kind == connectors.Lines || f.Kind == connectors.JSON {
		title += " (the name of its file)"
	}
	for {
		got, err := a.input(ctx, connectors.Prompt{Title: title, Text: f.Help, Echo: !f.Kind.Secret() || f.Kind == connectors.SecretLines})
		if err != nil {
			return err
		}
		text := got.Reveal()
		if title != f.Label && text != "" {
			data, err := readFile(strings.TrimSpace(text))
			if err != nil {
				_, _ = fmt.Fprintf(a.err, "  %v\n", err)
				continue
			}
			text = connectors.FileText(data)
		}
		tidied := f.Tidied(text)
		if err := f.Verify(tidied); err != nil {
			_, _ = fmt.Fprintf(a.err, "  %v\n", err)
			continue
		}
		switch {
		case text == "":
		case f.Kind.Secret():
			s.Secrets[f.Key] = connectors.NewSecret(tidied)
		default:
			s.Plain[f.Key] = tidied
		}
		return nil
	}
}
