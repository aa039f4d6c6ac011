package handover

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Import makes the chosen items of a plan, under new ids and as prepared
// connections, in the order in which they were chosen. Nothing that exists is
// changed. When one cannot be made, those before it are removed again; when even
// that fails, the error names what stays.
func Import(ctx context.Context, b Book, p Plan, chosen []int) ([]link.Connection, error) {
	if err := p.choice(chosen); err != nil {
		return nil, err
	}
	im := &importer{b: b, ids: map[string]string{}}
	err := im.all(ctx, p, chosen)
	if err == nil {
		return im.made, nil
	}
	return nil, im.undo(ctx, err)
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

type importer struct {
	b    Book
	made []link.Connection
	ids  map[string]string // ID in the bundle → id in the book
}

func (im *importer) all(ctx context.Context, p Plan, chosen []int) error {
	for _, i := range chosen {
		if err := im.create(ctx, p.Items[i]); err != nil {
			return err
		}
	}
	for n, i := range chosen {
		if err := im.connect(ctx, n, p.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// create makes a connection without what it refers to: a reference that names
// nothing of the bundle must never find a connection of this person by chance.
func (im *importer) create(ctx context.Context, item Planned) error {
	c, err := im.b.Create(ctx, item.draft(maps.Clone(item.Plain), item.Secrets))
	if c.ID != "" {
		im.made = append(im.made, c) // also when it was written half
		im.ids[item.ID] = c.ID
	}
	return err
}

func (p Planned) draft(plain map[string]string, secrets map[string]connectors.Secret) link.Draft {
	return link.Draft{Type: p.Type, Name: p.NewName, Description: p.Description, Settings: connectors.Settings{Plain: plain, Secrets: secrets}}
}

// connect adds the references among the chosen, and what was issued.
func (im *importer) connect(ctx context.Context, n int, item Planned) error {
	plain := maps.Clone(item.Plain)
	if plain == nil {
		plain = map[string]string{}
	}
	refers := false
	for k, other := range item.refers {
		if id := im.ids[other]; id != "" {
			plain[k], refers = id, true
		}
	}
	if !refers && len(item.Issued) == 0 {
		return nil
	}
	c, err := im.b.Save(ctx, im.made[n].ID, item.draft(plain, item.Issued))
	if err == nil {
		im.made[n] = c
	}
	return err
}

// undo removes what was made, the last first, also after a cancellation.
func (im *importer) undo(ctx context.Context, why error) error {
	free := context.WithoutCancel(ctx)
	var stay []string
	errs := []error{why}
	for _, c := range slices.Backward(im.made) {
		// Nothing is told to a provider: what was issued is still another person's.
		if err := im.b.Forget(free, c.ID); err != nil {
			stay = append(stay, "“"+c.Name+"”")
			errs = append(errs, err)
		}
	}
	if len(stay) == 0 {
		return why
	}
	slices.Reverse(stay)
	return &connectors.Error{Code: connectors.Storage, Reason: "handover.half", Op: connectors.StageForm, Said: strings.Join(stay, ", "), Err: errors.Join(errs...)}
}
