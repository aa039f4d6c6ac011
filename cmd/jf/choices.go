package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func (a *app) choices() *cobra.Command {
	var set, secret []string
	c := &cobra.Command{Use: "choices TYPE|NAME FIELD", Short: "What the server has to answer a field with: its databases, buckets, base DNs …",
		Long: "Signs in with what is given, lists what the field may be answered with, and signs out. The field itself may be empty. A NAME's saved answers are used where none are given; nothing is stored. jf describe TYPE --json says which fields are listed.",
		Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
			list, err := a.choicesOf(cmd.Context(), args[0], args[1], set, secret)
			if err != nil {
				return err
			}
			if a.json {
				return a.document(list)
			}
			for _, o := range list {
				if o.Label == o.Value {
					_, _ = fmt.Fprintln(a.out, o.Label)
				} else {
					_, _ = fmt.Fprintf(a.out, "%s\t%s\n", connectors.Clean(o.Value, 0), o.Label)
				}
			}
			return nil
		}}
	c.Flags().StringArrayVar(&set, "set", nil, "key=value")
	c.Flags().StringArrayVar(&secret, "secret", nil, "key=@FILE, key=- or key=env:NAME")
	return c
}

func (a *app) choicesOf(ctx context.Context, of, field string, set, secret []string) ([]connectors.Option, error) {
	b, err := a.book()
	if err != nil {
		return nil, err
	}
	id := ""
	t, err := b.Type(of)
	if err != nil {
		c, err := b.ByName(ctx, of)
		if err != nil {
			return nil, err
		}
		if t, err = b.Type(c.Type); err != nil {
			return nil, err
		}
		id = c.ID
	}
	if _, ok := t.Form.Field(field); !ok {
		return nil, misuse{fmt.Errorf("%s has no field %q; jf describe %s lists them", t.ID, field, t.ID)}
	}
	s, err := a.answers(ctx, t, set, secret)
	if err != nil {
		return nil, err
	}
	return b.Choices(ctx, t.ID, id, s, field, link.Watcher{Ask: a.asker(false)})
}
