package web

import (
	"context"
	"net/http"
	"regexp"

	"jackfield/connectors"
)

// retold gives a refusal of the token endpoint the meaning that the service's
// file knows for it, where the usual one would mislead.
func (w oauthWay) retold(err error) error {
	e := connectors.Classify(err)
	if e == nil || e.Op != connectors.StageSignIn || e.Said == "" {
		return err
	}
	for _, r := range w.Refused {
		if len(r.Has) > 0 && r.fits(e.Said, true) {
			out := *e
			out.Code, out.Reason, out.Title, out.Hint, out.Field = r.Code, r.Reason, r.Title, r.Hint, r.Field
			return &out
		}
	}
	return err
}

// retelling is a credential whose refusals have the file's own words.
type retelling struct {
	credential
	retold func(error) error
}

func (c retelling) sign(ctx context.Context, req *http.Request) (string, error) {
	used, err := c.credential.sign(ctx, req)
	if err != nil {
		err = c.retold(err)
	}
	return used, err
}

func (c retelling) stale(ctx context.Context, used string) (bool, error) {
	again, err := c.credential.stale(ctx, used)
	if err != nil {
		err = c.retold(err)
	}
	return again, err
}

// swap replaces what matches a regular expression; To may name groups as $1.
type swap struct {
	Pattern string `yaml:"pattern"`
	To      string `yaml:"to"`
}

// swapped adds f's swaps to what tidies its answer.
func (f field) swapped(out *connectors.Field) error {
	for _, s := range f.Swap {
		shape, err := regexp.Compile(s.Pattern)
		if err != nil {
			return err
		}
		before := out.Tidy
		out.Tidy = func(v string) string {
			if before != nil {
				v = before(v)
			}
			return shape.ReplaceAllString(v, s.To)
		}
	}
	return nil
}
