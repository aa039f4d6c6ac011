package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/report"
)

// reportFlags are those that bound a walk.
type reportFlags struct {
	format, out string
	o           report.Options
	below       string
}

func (f *reportFlags) on(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "format", "", "text, json, csv or html; by default what the file's name says, or text")
	c.Flags().StringVarP(&f.out, "out", "o", "", "the file to write: .html, .csv, .json, or text")
	c.Flags().IntVar(&f.o.Depth, "depth", report.DefaultDepth, "how many levels deep")
	c.Flags().IntVar(&f.o.Most, "most", report.DefaultMost, "stop after so many things")
	c.Flags().StringVar(&f.below, "below", "", "only what lies below the node with this ID, as jf ls shows it")
	c.Flags().BoolVar(&f.o.Columns, "columns", false, "the columns of tables and what is in files, too")
	c.Flags().BoolVar(&f.o.Samples, "samples", false, "the first rows of tables, too: the report has data in it then")
	c.Flags().DurationVar(&f.o.Listen, "listen", report.DefaultListen, "how long messages are heard where nothing can be listed")
}

// check settles the format, before anything is looked at.
func (f *reportFlags) check(asJSON bool) error {
	if f.o.Depth < 1 || f.o.Most < 1 {
		return misuse{errors.New("--depth and --most are at least 1")}
	}
	f.o.Below = connectors.NodeID(f.below)
	if f.format == "" {
		switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(f.out)), "."); ext {
		case "json", "csv", "html":
			f.format = ext
		case "htm":
			f.format = "html"
		default:
			f.format = "text"
			if asJSON {
				f.format = "json"
			}
		}
	}
	switch f.format {
	case "text", "json", "csv", "html":
	default:
		return misuse{fmt.Errorf("--format is text, json, csv or html, not %q", f.format)}
	}
	if f.out != "" && f.out != "-" {
		if _, err := os.Stat(f.out); err == nil {
			return misuse{fmt.Errorf("%s is there already; nothing was replaced", f.out)}
		}
	}
	return nil
}

// writable is what can be written in each format.
type writable interface {
	JSON() ([]byte, error)
	CSV() ([]byte, error)
	HTML() []byte
	Text() string
}

func (f *reportFlags) write(a *app, w writable) error {
	var data []byte
	var err error
	switch f.format {
	case "json":
		data, err = w.JSON()
	case "csv":
		data, err = w.CSV()
	case "html":
		data = w.HTML()
	default:
		data = []byte(w.Text())
	}
	if err != nil {
		return err
	}
	return a.deliver(f.out, data, false)
}

func (a *app) report() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{Use: "report NAME", Short: "What the account of a connection can see, and with which rights", Args: cobra.ExactArgs(1),
		Long: `Walks what a connection shows and writes everything that was found, with its rights, and where the walk stopped and why.
It changes nothing and reads no content, unless --samples is given. A branch that may not be listed is a finding and no failure.
A report written as .json can be compared later: see jf compare.

Exit codes: 0 the report was made; 1 the server said no to the whole of it; 2 wrong use; 3 nobody to ask; 130 interrupted.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(a.json); err != nil {
				return err
			}
			r, err := a.take(cmd.Context(), args[0], f.o)
			if err != nil {
				return err
			}
			if err := f.write(a, r); err != nil {
				return err
			}
			if r.Root.State == report.Denied || r.Root.State == report.Failed {
				return exit{exitSaidNo}
			}
			return nil
		}}
	f.on(c)
	return c
}

// take opens a connection and walks it; progress goes to stderr.
func (a *app) take(ctx context.Context, name string, o report.Options) (*report.Report, error) {
	b, c, err := a.named(ctx, name)
	if err != nil {
		return nil, err
	}
	o.About = report.About{Name: c.Name, Type: c.Type, TypeName: c.Type}
	if t, err := b.Type(c.Type); err == nil {
		o.About.TypeName, o.About.Place = t.Name, t.Place(c.Plain)
	}
	s, err := a.session(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	told, done := a.walked(c.Name)
	o.Progress = told
	r, err := report.Take(ctx, s, o)
	done()
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(a.err, "%s: %d found%s\n", connectors.Clean(c.Name, 60), len(r.Nodes), map[bool]string{false: "; not everything was looked at"}[r.Complete])
	return r, nil
}

// progressEvery is how often a line on a terminal changes.
const progressEvery = 100 * time.Millisecond

// walked tells how far a walk is, on one line of a terminal; nowhere else.
func (a *app) walked(name string) (told func(done, open int, at string), end func()) {
	f, ok := a.err.(*os.File)
	if !ok || !isTerminal(f) {
		return nil, func() {}
	}
	var last time.Time
	return func(done, open int, at string) {
			if time.Since(last) < progressEvery {
				return
			}
			last = time.Now()
			_, _ = fmt.Fprintf(a.err, "\r\x1b[K%s: %d found, %d to look into  %s", connectors.Clean(name, 30), done, open, connectors.Clean(at, 30))
		}, func() {
			_, _ = fmt.Fprint(a.err, "\r\x1b[K")
		}
}
