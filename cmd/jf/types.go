package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/link"
)

func (a *app) types() *cobra.Command {
	return &cobra.Command{Use: "types", Short: "The connection types", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		types, unusable := wire.Types()
		a.unusable(unusable)
		if a.json {
			type typeJSON struct {
				ID      string           `json:"id"`
				Name    string           `json:"name"`
				Group   connectors.Group `json:"group"`
				Summary string           `json:"summary"`
				Origin  string           `json:"origin"` // the user's file that it comes from; "" when it is built in
			}
			out := []typeJSON{}
			for _, t := range types.All() {
				out = append(out, typeJSON{t.ID, t.Name, t.Group, t.Summary, t.Origin})
			}
			return a.document(out)
		}
		return table(a.out, []string{"TYPE", "GROUP", "NAME", "WHAT"}, func(yield func([]string) bool) {
			for _, g := range connectors.Groups() {
				for _, t := range types.All() {
					name := t.Name
					if t.Origin != "" {
						name += " (yours)"
					}
					if t.Group == g && !yield([]string{t.ID, string(t.Group), name, t.Summary}) {
						return
					}
				}
			}
		})
	}}
}

// unusable names the user's catalogue files that cannot be used.
func (a *app) unusable(list []wire.Unusable) {
	for _, u := range list {
		_, _ = fmt.Fprintln(a.err, "jf: not used:", u)
	}
}

type fieldJSON struct {
	Key      string              `json:"key"`
	Label    string              `json:"label"`
	Help     string              `json:"help"`
	Kind     connectors.Kind     `json:"kind"`
	Required bool                `json:"required"`
	Secret   bool                `json:"secret"`
	Default  string              `json:"default"`
	Options  []connectors.Option `json:"options"`
	Show     []connectors.Cond   `json:"show"`
	Example  string              `json:"example,omitempty"`
	Section  string              `json:"section,omitempty"`
	Advanced bool                `json:"advanced,omitempty"`
	Listed   bool                `json:"listed,omitempty"` // see jf choices
	Lends    string              `json:"lends,omitempty"`
}

func (a *app) describe() *cobra.Command {
	return &cobra.Command{Use: "describe TYPE", Short: "A type's form, rules and guide", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		types, _ := wire.Types()
		t, ok := types.Find(args[0])
		if !ok {
			return &connectors.Error{Code: connectors.BadInput, Reason: "link.no_type", Target: args[0]}
		}
		t = link.Extended(t)
		if a.json {
			return a.document(describeJSON(t))
		}
		a.describeWords(t)
		return nil
	}}
}

func fieldsJSON(form connectors.Form) []fieldJSON {
	fields := []fieldJSON{}
	for _, f := range form.Fields {
		j := fieldJSON{Key: f.Key, Label: f.Label, Help: f.Help, Kind: f.Kind, Required: f.Required, Secret: f.Kind.Secret(),
			Default: f.Default, Options: f.Options, Show: f.Show, Example: f.Example, Section: f.Section, Advanced: f.Advanced, Listed: f.Listed, Lends: f.Lends}
		if j.Options == nil {
			j.Options = []connectors.Option{}
		}
		if j.Show == nil {
			j.Show = []connectors.Cond{}
		}
		fields = append(fields, j)
	}
	return fields
}

func describeJSON(t connectors.Type) any {
	return struct {
		ID     string           `json:"id"`
		Name   string           `json:"name"`
		Fields []fieldJSON      `json:"fields"`
		Guide  connectors.Guide `json:"guide"`
	}{t.ID, t.Name, fieldsJSON(t.Form), t.Guide}
}

// notes is what is to know of a field beside its label.
func notes(f connectors.Field) []string {
	var out []string
	if f.Required {
		out = append(out, "required")
	}
	if f.Kind.Secret() {
		out = append(out, "secret")
	}
	if f.Default != "" {
		out = append(out, "default "+f.Default)
	}
	for _, c := range f.Show {
		out = append(out, "when "+c.Key+" is "+strings.Join(c.Is, " or "))
	}
	return out
}

func (a *app) describeWords(t connectors.Type) {
	_, _ = fmt.Fprintf(a.out, "%s (%s)\n%s\n", t.Name, t.ID, t.Summary)
	section := ""
	for _, f := range t.Form.Fields {
		if f.Section != "" && f.Section != section {
			section = f.Section
			_, _ = fmt.Fprintf(a.out, "\n%s\n", f.Section)
		}
		_, _ = fmt.Fprintf(a.out, "  %-22s %s", f.Key, f.Label)
		if more := notes(f); len(more) > 0 {
			_, _ = fmt.Fprintf(a.out, " (%s)", strings.Join(more, ", "))
		}
		_, _ = fmt.Fprintln(a.out)
		if f.Help != "" {
			_, _ = fmt.Fprintf(a.out, "  %-22s   %s\n", "", f.Help)
		}
		for _, o := range f.Options {
			_, _ = fmt.Fprintf(a.out, "  %-22s   %s = %s\n", "", o.Value, o.Label)
		}
	}
	a.guideWords(t.Guide)
}

func (a *app) guideWords(g connectors.Guide) {
	if len(g.Steps) > 0 {
		_, _ = fmt.Fprintln(a.out, "\nWhere to find the values")
		for i, s := range g.Steps {
			_, _ = fmt.Fprintf(a.out, "  %d. %s\n", i+1, s)
		}
	}
	for _, part := range []struct{ head, text string }{
		{"Redirect address to register, exactly like this", g.RedirectURI}, {"Rights needed", g.Rights}, {"For the administrator", g.Admin},
		{"Which account to use", g.Account}, {"Allow lists", g.Network},
	} {
		if part.text != "" {
			_, _ = fmt.Fprintf(a.out, "\n%s\n  %s\n", part.head, part.text)
		}
	}
	if len(g.Notes) > 0 {
		_, _ = fmt.Fprintln(a.out, "\nGood to know")
		for _, n := range g.Notes {
			_, _ = fmt.Fprintf(a.out, "  - %s\n", n)
		}
	}
	if len(g.Links) > 0 {
		_, _ = fmt.Fprintln(a.out, "\nPages")
		for _, l := range g.Links {
			_, _ = fmt.Fprintf(a.out, "  %s: %s\n", connectors.Clean(l.Text, 100), connectors.Clean(l.URL, 300))
		}
	}
}
