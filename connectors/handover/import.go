package handover

import (
	"context"
	"maps"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Import makes the chosen items of a plan, under new ids and as prepared
// connections, and returns them in the order in which they were chosen. Nothing
// that exists is changed, and the time it takes grows with what is chosen alone.
// When one cannot be made, the others are removed again; when even that fails,
// the error names what stays.
//
// A program that is killed on the way leaves some of them, each whole and with
// what it refers to; see link.Book.CreateAll. The next plan of the same bundle
// tells them by Planned.Same, and the rest can be chosen then. Nothing is removed
// unasked: by then the person may have used them.
func Import(ctx context.Context, b Book, p Plan, chosen []int) ([]link.Connection, error) {
	if err := p.choice(chosen); err != nil {
		return nil, err
	}
	made, err := b.CreateAll(ctx, p.drafts(chosen))
	if err == nil {
		return made, nil
	}
	if len(made) == 0 {
		return nil, err
	}
	var stay []string
	for _, c := range made {
		stay = append(stay, "“"+c.Name+"”")
	}
	return nil, &connectors.Error{Code: connectors.Storage, Reason: "handover.half", Op: connectors.StageForm, Said: strings.Join(stay, ", "), Err: err}
}

func (p Plan) choice(chosen []int) error {
	if len(chosen) == 0 {
		return fault("handover.nothing", "", "")
	}
	seen := map[int]bool{}
	for _, i := range chosen {
		if i < 0 || i >= len(p.Items) || seen[i] {
			return fault("handover.choice", "", "")
		}
		seen[i] = true
		if item := p.Items[i]; !item.Known {
			return fault("handover.unknown_type", line(item.Type), line(item.Name))
		}
	}
	return nil
}

// drafts are the chosen items. They refer to each other by their new names, and
// to nothing else: a reference that names nothing of the bundle must never find a
// connection of this person by chance.
func (p Plan) drafts(chosen []int) []link.Draft {
	named := map[string]string{}
	for _, i := range chosen {
		named[p.Items[i].ID] = p.Items[i].NewName
	}
	out := make([]link.Draft, 0, len(chosen))
	for _, i := range chosen {
		item := p.Items[i]
		s := connectors.Settings{Plain: map[string]string{}, Secrets: map[string]connectors.Secret{}}
		maps.Copy(s.Plain, item.Plain)
		maps.Copy(s.Secrets, item.Issued)
		maps.Copy(s.Secrets, item.Secrets)
		for k, other := range item.refers {
			if name := named[other]; name != "" {
				s.Plain[k] = name
			}
		}
		out = append(out, link.Draft{Type: item.Type, Name: item.NewName, Description: item.Description, Settings: s, Dates: item.Dates})
	}
	return out
}
