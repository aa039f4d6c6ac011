package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
)

func (a *app) practice() *cobra.Command {
	var save, tour bool
	c := &cobra.Command{Use: "practice", Short: "Start practice services and print how to connect to them", Args: cobra.NoArgs,
		Long: "Starts real protocol servers on this computer with made-up data: files, a directory, a broker, a database, web services. They stop with the program.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := practice.Start(cmd.Context(), practice.Options{Log: a.logger()})
			if err != nil {
				return &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
			}
			defer func() { _ = services.Close() }()
			if tour {
				return a.tour(cmd.Context(), services.Connections())
			}
			if save {
				if err := a.savePractice(cmd.Context(), services.Connections()); err != nil {
					return err
				}
			}
			a.printPractice(services.Connections())
			_, _ = fmt.Fprintln(a.err, "\nThe practice services run until you press Ctrl+C.")
			<-cmd.Context().Done()
			return nil
		}}
	c.Flags().BoolVar(&save, "save", false, "add them to your connections, ready to link")
	c.Flags().BoolVar(&tour, "tour", false, "link each one and show what it opens, then stop")
	return c
}

func (a *app) printPractice(list []practice.Connection) {
	for _, p := range list {
		_, _ = fmt.Fprintf(a.out, "%s (%s)\n  %s\n", p.Name, p.TypeID, p.Description)
		t, _ := connectors.Find(all.All(), p.TypeID)
		for _, f := range t.Form.Fields {
			if v := p.Settings.Plain[f.Key]; v != "" && f.Kind != connectors.Lines {
				_, _ = fmt.Fprintf(a.out, "  %s=%s\n", f.Key, v)
			}
			// A practice secret is public on purpose: it opens made-up data only.
			if s := p.Settings.Secrets[f.Key]; !s.Empty() {
				_, _ = fmt.Fprintf(a.out, "  %s=%s\n", f.Key, s.Reveal())
			}
		}
	}
}

// savePractice creates the practice connections, or points those that exist to
// where the services run now.
func (a *app) savePractice(ctx context.Context, list []practice.Connection) error {
	b, err := a.book()
	if err != nil {
		return err
	}
	_, err = b.Practice(ctx, wire.Drafts(list), true)
	return err
}

// tour links each practice connection without saving anything, and shows the
// ladder and the first things that it opens.
func (a *app) tour(ctx context.Context, list []practice.Connection) error {
	book := link.NewBook(link.List(all.All()), nil, link.Outside{Log: a.logger(), Callback: tourCallback})
	failed := 0
	for _, p := range list {
		t, err := book.Type(p.TypeID)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(a.out, "\n%s · %s\n%s\n", p.Name, t.Name, p.Description)
		ask := connectors.Asker{OpenURL: practice.SignIn}
		r := book.Try(ctx, p.TypeID, p.Settings, link.Watcher{Ask: ask})
		a.tourSteps(r)
		a.resultWords(link.Connection{Name: p.Name}, r)
		if r.State == link.OK {
			a.tourLook(ctx, r)
		} else {
			failed++
		}
		r.Close()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	_, _ = fmt.Fprintf(a.out, "\n%d practice connections linked, %d failed. Start with one of your own: jf types\n", len(list)-failed, failed)
	if failed > 0 {
		return exit{exitSaidNo}
	}
	return nil
}

func (a *app) tourSteps(r *link.Result) {
	for _, s := range r.Steps {
		mark := "✓"
		if s.Err != nil {
			mark = "✗"
		}
		_, _ = fmt.Fprintf(a.out, "  %s %-10s %7s  %s\n", mark, rung(s.Stage), millis(s.Elapsed), connectors.Clean(s.Text, 90))
	}
}

// tourLook shows a sample of the first thing that has rows.
func (a *app) tourLook(ctx context.Context, r *link.Result) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tabler, ok := r.Session.(connectors.Tabler)
	if !ok {
		return
	}
	for _, n := range r.First {
		if len(n.Views) == 0 || n.Views[0] != connectors.ViewRows {
			continue
		}
		t, err := tabler.Table(ctx, n.ID, 5)
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(a.out, "  The first rows of %s:\n", connectors.Clean(n.Name, 60))
		_ = a.writeTable(t, false)
		return
	}
}
