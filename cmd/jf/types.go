package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
)

func (a *app) types() *cobra.Command {
	return &cobra.Command{Use: "types", Short: "The connection types", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		types, problems := wire.Types()
		for _, p := range problems {
			_, _ = fmt.Fprintln(a.err, "jf:", p)
		}
		if a.json {
			type typeJSON struct {
				ID      string           `json:"id"`
				Name    string           `json:"name"`
				Group   connectors.Group `json:"group"`
				Summary string           `json:"summary"`
			}
			out := []typeJSON{}
			for _, t := range types {
				out = append(out, typeJSON{t.ID, t.Name, t.Group, t.Summary})
			}
			return a.document(out)
		}
		return table(a.out, []string{"TYPE", "GROUP", "NAME", "WHAT"}, func(yield func([]string) bool) {
			for _, g := range connectors.Groups() {
				for _, t := range types {
					if t.Group == g && !yield([]string{t.ID, string(t.Group), t.Name, t.Summary}) {
						return
					}
				}
			}
		})
	}}
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
}

func (a *app) describe() *cobra.Command {
	return &cobra.Command{Use: "describe TYPE", Short: "A type's form, rules and guide", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		types, _ := wire.Types()
		t, ok := connectors.Find(types, args[0])
		if !ok {
			return &connectors.Error{Code: connectors.BadInput, Reason: "link.no_type", Target: args[0]}
		}
		if a.json {
			return a.document(describeJSON(t))
		}
		a.describeWords(t)
		return nil
	}}
}

func describeJSON(t connectors.Type) any {
	fields := []fieldJSON{}
	for _, f := range t.Form.Fields {
		j := fieldJSON{Key: f.Key, Label: f.Label, Help: f.Help, Kind: f.Kind, Required: f.Required, Secret: f.Kind.Secret(),
			Default: f.Default, Options: f.Options, Show: f.Show, Example: f.Example, Section: f.Section, Advanced: f.Advanced}
		if j.Options == nil {
			j.Options = []connectors.Option{}
		}
		if j.Show == nil {
			j.Show = []connectors.Cond{}
		}
		fields = append(fields, j)
	}
	return struct {
		ID     string           `json:"id"`
		Name   string           `json:"name"`
		Fields []fieldJSON      `json:"fields"`
		Guide  connectors.Guide `json:"guide"`
	}{t.ID, t.Name, fields, t.Guide}
}

func (a *app) describeWords(t connectors.Type) {
	_, _ = fmt.Fprintf(a.out, "%s (%s)\n%s\n", t.Name, t.ID, t.Summary)
	for _, f := range t.Form.Fields {
		if f.Section != "" {
			_, _ = fmt.Fprintf(a.out, "\n%s\n", f.Section)
		}
		var notes []string
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Kind.Secret() {
			notes = append(notes, "secret")
		}
		if f.Default != "" {
			notes = append(notes, "default "+f.Default)
		}
		for _, c := range f.Show {
			notes = append(notes, "when "+c.Key+" is "+strings.Join(c.Is, " or "))
		}
		_, _ = fmt.Fprintf(a.out, "  %-22s %s", f.Key, f.Label)
		if len(notes) > 0 {
			_, _ = fmt.Fprintf(a.out, " (%s)", strings.Join(notes, ", "))
		}
		_, _ = fmt.Fprintln(a.out)
		if f.Help != "" {
			_, _ = fmt.Fprintf(a.out, "  %-22s   %s\n", "", f.Help)
		}
		for _, o := range f.Options {
			_, _ = fmt.Fprintf(a.out, "  %-22s   %s = %s\n", "", o.Value, o.Label)
		}
	}
	if len(t.Guide.Steps) > 0 {
		_, _ = fmt.Fprintln(a.out, "\nWhere to find the values")
		for i, s := range t.Guide.Steps {
			_, _ = fmt.Fprintf(a.out, "  %d. %s\n", i+1, s)
		}
	}
	if t.Guide.Rights != "" {
		_, _ = fmt.Fprintf(a.out, "\nRights needed: %s\n", t.Guide.Rights)
	}
	if t.Guide.Admin != "" {
		_, _ = fmt.Fprintf(a.out, "For the administrator: %s\n", t.Guide.Admin)
	}
}
