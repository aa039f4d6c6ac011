package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
)

func (a *app) draft() *cobra.Command {
	return &cobra.Command{Use: "draft NAME", Short: "Show what a connection's answers make before anything is sent, such as a signed token; needs no network", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		t, err := b.Type(c.Type)
		if err != nil {
			return err
		}
		parts := []connectors.Part{}
		if t.Draft != nil {
			s, err := b.Settings(cmd.Context(), c.ID)
			if err != nil {
				return err
			}
			made, err := t.Draft(s, time.Now())
			if err != nil {
				return err
			}
			parts = append(parts, made...)
		}
		if a.json {
			return a.document(parts)
		}
		if len(parts) == 0 {
			_, _ = fmt.Fprintf(a.err, "Nothing is made of the answers of %q before they are sent.\n", connectors.Clean(c.Name, 100))
			return nil
		}
		a.parts(parts)
		return nil
	}}
}

// parts prints pieces of text under their titles.
func (a *app) parts(list []connectors.Part) {
	for i, p := range list {
		if i > 0 {
			_, _ = fmt.Fprintln(a.out)
		}
		_, _ = fmt.Fprintln(a.out, connectors.Clean(p.Title, 100))
		for line := range strings.Lines(p.Text) {
			_, _ = fmt.Fprintf(a.out, "  %s\n", connectors.Clean(strings.TrimRight(line, "\r\n"), 0))
		}
	}
}
