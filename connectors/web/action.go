package web

import (
	"context"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/jwtx"
)

// action is something that is done on request only, such as creating a user.
type action struct {
	When    map[string][]string `yaml:"when"` // offered only with these answers in the form
	ID      string              `yaml:"id"`
	Label   string              `yaml:"label"`
	Ask     string              `yaml:"ask"` // what has to be typed; it is {input}
	Warning string              `yaml:"warning"`
	Request request             `yaml:",inline"`
	Show    []shown             `yaml:"show"`
}

// shown is a part of an action's answer. A token is shown decoded, without its
// signature, and is not kept.
type shown struct {
	Title string `yaml:"title"`
	Path  string `yaml:"path"`
	JWT   bool   `yaml:"jwt"`
}

// Actions are what the service's file offers at a node.
func (s *session) Actions(id connectors.NodeID) []connectors.Action {
	at, ok := s.find(id)
	if !ok {
		return nil
	}
	var out []connectors.Action
	for _, a := range at.actions {
		if !answered(a.When, s.vars) {
			continue
		}
		out = append(out, connectors.Action{ID: a.ID, Label: a.Label, Ask: a.Ask, Warning: a.Warning})
	}
	return out
}

// Act sends one action's request, once.
func (s *session) Act(ctx context.Context, id connectors.NodeID, name, input string) ([]connectors.Part, error) {
	at, ok := s.find(id)
	i := slices.IndexFunc(at.actions, func(a action) bool { return a.ID == name && answered(a.When, s.vars) })
	if !ok || i < 0 {
		return nil, notFound(id)
	}
	a := at.actions[i]
	input = strings.TrimSpace(input)
	if a.Ask != "" && input == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "web.no_input", Op: connectors.StageForm, Said: a.Ask}
	}
	_, v, err := s.ask(ctx, a.Request, with(at.vars, "input", input), 0)
	if err != nil {
		return nil, err
	}
	var out []connectors.Part
	for _, w := range a.Show {
		text := jsonx.Text(v, w.Path)
		if text == "" {
			continue
		}
		if !w.JWT {
			out = append(out, connectors.Part{Title: w.Title, Text: connectors.Clean(text, 2000)})
			continue
		}
		if d, err := jwtx.Decode(text); err == nil {
			out = append(out, connectors.Part{Title: w.Title, Text: d.Payload})
		}
	}
	if len(out) == 0 {
		out = []connectors.Part{{Title: a.Label, Text: "Done."}}
	}
	return out, nil
}
