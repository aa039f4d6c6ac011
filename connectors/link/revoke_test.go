package link_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func TestSecurity18_TheLocalDeletionAlwaysProceeds(t *testing.T) {
	for name, c := range map[string]struct {
		revoke func(context.Context) error
		gone   bool // at the provider as well
	}{
		"revoked":     {func(context.Context) error { return nil }, true},
		"unavailable": {func(context.Context) error { return &connectors.Error{Code: connectors.Throttled, Said: "503"} }, false},
		"hanging":     {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, false},
		"deaf":        {func(context.Context) error { select {} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var called atomic.Bool
			f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
				return env.Keep(ctx, "token", connectors.NewSecret("issued"))
			}, revoke: func(ctx context.Context) error {
				called.Store(true)
				return c.revoke(ctx)
			}}
			b := link.NewBook(link.List{f.typ()}, newStore(), link.Outside{Patience: 200 * time.Millisecond})
			made, err := b.Create(t.Context(), draft("x", "h", "p"))
			if err != nil {
				t.Fatal(err)
			}
			b.Link(t.Context(), made.ID, link.Watcher{}).Close()
			err = b.Delete(t.Context(), made.ID)
			if !called.Load() {
				t.Error("nobody told the provider")
			}
			var e *connectors.Error
			if c.gone != (err == nil) || err != nil && (!errors.As(err, &e) || !e.Partial || connectors.Explain(err).Hint == "") {
				t.Errorf("it says %v", err)
			}
			if _, err := b.Get(t.Context(), made.ID); err == nil {
				t.Error("it is still here")
			}
		})
	}
}

func TestSecurity18_WhatWasNeverLinkedIsJustDeleted(t *testing.T) {
	f := &fake{revoke: func(context.Context) error { t.Error("the provider was asked"); return nil }}
	b := open(f, newStore())
	made, err := b.Create(t.Context(), draft("x", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
}
