package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/readiness"
	"jackfield/connectors/readiness/rights"
)

func (a *app) ready() *cobra.Command {
	var all bool
	var out string
	c := &cobra.Command{Use: "ready NAME... | --all", Short: "What is complete, what is missing, and what the other side has to do; needs no network",
		Long: "A checklist of each prepared connection: what is complete, missing or wrong in form, what only a test can tell, and what the other side must do. --out writes it as a page (.html) or text to print or send. There is no secret in it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !all {
				return misuse{errors.New("name connections, or say --all")}
			}
			ids, err := a.idsOf(cmd.Context(), args, all)
			if err != nil {
				return err
			}
			var lists []readiness.Checklist
			for _, id := range ids {
				l, err := a.checklist(cmd.Context(), id)
				if err != nil {
					return err
				}
				lists = append(lists, l)
			}
			return a.readyOut(lists, out)
		}}
	c.Flags().BoolVar(&all, "all", false, "all connections")
	c.Flags().StringVarP(&out, "out", "o", "", "the file to write: .html, or text")
	return c
}

func (a *app) checklist(ctx context.Context, id string) (readiness.Checklist, error) {
	b := a.world.Book
	c, err := b.Get(ctx, id)
	if err != nil {
		return readiness.Checklist{}, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return readiness.Checklist{}, err
	}
	s, err := b.Whole(ctx, id)
	if err != nil {
		return readiness.Checklist{}, err
	}
	o := readiness.Options{Now: time.Now(), SecretsKnown: true}
	for _, f := range t.Form.Fields {
		if f.Kind == connectors.Reference && f.Lends == connectors.LendsSignIn && c.Plain[f.Key] != "" {
			if from, err := b.Get(ctx, c.Plain[f.Key]); err == nil {
				o.Lender = &from
			}
		}
	}
	return readiness.Of(t, c, s, o), nil
}

func (a *app) readyOut(lists []readiness.Checklist, out string) error {
	switch {
	case out != "" && isPage(out):
		if len(lists) == 1 {
			return a.deliver(out, lists[0].HTML(), false)
		}
		return a.deliver(out, readiness.All(lists).HTML(), false)
	case a.json:
		return a.document(lists)
	}
	text := ""
	if len(lists) > 1 {
		text = readiness.All(lists).Text() + "\n"
	}
	for n, l := range lists {
		if n > 0 {
			text += "\n"
		}
		text += l.Text()
	}
	return a.deliver(out, []byte(text), false)
}

func (a *app) rights() *cobra.Command {
	return &cobra.Command{Use: "rights NAME", Short: "The least rights that the preview of a connection needs, to send to an administrator", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		t, err := b.Type(c.Type)
		if err != nil {
			return err
		}
		grants := rights.For(t, connectors.Settings{Plain: c.Plain})
		if a.json {
			return a.document(append([]rights.Grant{}, grants...))
		}
		if len(grants) == 0 {
			_, _ = fmt.Fprintln(a.err, "For this type the vendor's console gives the rights: see jf describe "+t.ID)
		}
		for n, g := range grants {
			if n > 0 {
				_, _ = fmt.Fprintln(a.out)
			}
			_, _ = fmt.Fprintf(a.out, "# %s\n# %s\n%s\n", g.Title, g.Where, g.Text)
			for _, note := range g.Notes {
				_, _ = fmt.Fprintf(a.out, "# %s\n", note)
			}
		}
		return nil
	}}
}

func isPage(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".html" || ext == ".htm"
}
