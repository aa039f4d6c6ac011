package main

import (
	"context"
	"fmt"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// whole are the answers of a saved connection with marks for its secrets and
// for what it takes from another account.
func (a *app) whole(ctx context.Context, c link.Connection, t connectors.Type) connectors.Settings {
	s := connectors.Settings{Plain: c.Plain, Secrets: stored(c)}
	for _, f := range t.Form.Fields {
		if f.Kind != connectors.Reference || f.Lends != connectors.LendsSignIn || c.Plain[f.Key] == "" {
			continue
		}
		if from, err := a.world.Book.Get(ctx, c.Plain[f.Key]); err == nil {
			s = link.Lend(t, s, from)
		}
	}
	return s
}

// used tells which connections need the ones that are about to go.
func (a *app) used(ctx context.Context, ids []string) {
	all, _ := a.world.Book.List(ctx) // what cannot be read is told where it is listed
	for _, id := range ids {
		signIn, through := link.UsedBy(all, id)
		for _, c := range append(signIn, through...) {
			if !contains(ids, c.ID) {
				_, _ = fmt.Fprintf(a.err, "jf: %q uses it, and will not work without it\n", c.Name)
			}
		}
	}
}

// lends tells how to check what signs in with an account that has changed.
func (a *app) lends(ctx context.Context, c link.Connection) {
	all, _ := a.world.Book.List(ctx) // what cannot be read is told where it is listed
	if signIn, _ := link.UsedBy(all, c.ID); len(signIn) > 0 {
		_, _ = fmt.Fprintf(a.err, "jf: %d of your connections sign in with it; check them one by one: jf check --using %q\n", len(signIn), c.Name)
	}
}

// checkUsing checks what signs in with an account, one after the other, and
// stops at the first refusal, so that nothing locks the account.
func (a *app) checkUsing(ctx context.Context, account string) error {
	b, c, err := a.named(ctx, account)
	if err != nil {
		return err
	}
	var worst error
	left, err := b.CheckDependents(ctx, c.ID, link.Watcher{}, func(c link.Connection, r *link.Result) bool {
		if a.json {
			_ = a.line(resultOf(c, r))
		} else {
			a.resultWords(c, r)
		}
		if verdict(ctx, r) != nil {
			worst = exit{exitSaidNo}
		}
		return true
	})
	if len(left) > 0 {
		var names []string
		for _, c := range left {
			names = append(names, c.Name)
		}
		_, _ = fmt.Fprintf(a.err, "jf: not tried, so that nothing locks the account: %s\n", strings.Join(names, ", "))
	}
	if err != nil {
		return err
	}
	return worst
}
