package link

import (
	"context"
	"slices"

	"jackfield/connectors"
)

// Choices are what the server can tell of the answers to field; see
// connectors.Chooser. It opens a session with the answers s, asks it and closes
// it. id is the saved connection that s belongs to, "" for none: its answers
// stand where s has none (an empty answer of s stays empty). Nothing is stored,
// and a password that is refused is not tried again.
//
// The field itself is left empty, and with it the listed fields that follow it,
// such as the folder in another bucket. Where the account may not enter without
// them it is let in with what s says.
func (b *Book) Choices(ctx context.Context, typeID, id string, s connectors.Settings, field string, w Watcher) ([]connectors.Option, error) {
	t, err := b.Type(typeID)
	if err != nil {
		return nil, err
	}
	f, ok := t.Form.Field(field)
	if !ok || !f.Listed {
		return nil, unlisted(field)
	}
	if s, err = b.answered(ctx, t, id, s.Clone()); err != nil {
		return nil, err
	}
	open := without(t.Form, s, f)
	out, err := b.choices(ctx, t, id, open, field, w)
	e := connectors.Classify(err)
	if e == nil || s.Plain[field] == "" || open.Plain[field] != "" || e.Field != field || e.Code != connectors.Denied && e.Code != connectors.NotFound || e.Op == connectors.StageData {
		return out, err
	}
	return b.choices(ctx, t, id, s, field, w)
}

func unlisted(field string) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "choices.none", Op: connectors.StageForm, Field: field}
}

// answered is s with what is saved under id where s says nothing.
func (b *Book) answered(ctx context.Context, t connectors.Type, id string, s connectors.Settings) (connectors.Settings, error) {
	if id == "" {
		return b.resolved(ctx, t, s)
	}
	saved, err := b.Settings(ctx, id)
	if err != nil {
		return s, err
	}
	for k, v := range saved.Plain {
		if _, said := s.Plain[k]; !said {
			s.Plain[k] = v
		}
	}
	for k, v := range saved.Secrets {
		if _, said := s.Secrets[k]; !said {
			s.Secrets[k] = v
		}
	}
	return b.resolved(ctx, t, s)
}

// without is s with neither the field nor the listed ones that follow it. One
// that must be answered keeps its answer.
func without(form connectors.Form, s connectors.Settings, f connectors.Field) connectors.Settings {
	out := s.Clone()
	from := slices.IndexFunc(form.Fields, func(x connectors.Field) bool { return x.Key == f.Key })
	for _, x := range form.Fields[from:] {
		if x.Listed && (!x.Required || x.Default != "") {
			delete(out.Plain, x.Key)
		}
	}
	return out
}

func (b *Book) choices(ctx context.Context, t connectors.Type, id string, s connectors.Settings, field string, w Watcher) ([]connectors.Option, error) {
	p, ctx := newPatience(ctx, b.patience())
	defer p.stop()
	env := b.env(w, p, newMemory(s), nil)
	session, err := b.enter(ctx, env, t, s, w, p, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }()
	chooser, ok := session.(connectors.Chooser)
	if !ok {
		return nil, unlisted(field)
	}
	var out []connectors.Option
	err = env.Climb(ctx, connectors.StageData, "", func(ctx context.Context) (string, error) {
		if out, err = chooser.Choices(ctx, field); err == nil && out == nil {
			err = unlisted(field)
		}
		return "", err
	})
	return out, err
}
