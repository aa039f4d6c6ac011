package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/link"
)

// The exit codes of the contract.
const (
	exitFine        = 0
	exitSaidNo      = 1 // the system at the other end or the check said no
	exitWrongUse    = 2
	exitNobody      = 3
	exitInterrupted = 130
)

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the commands share. The book is opened on first use, so that
// types, describe and help work without any data folder.
type app struct {
	streams
	json    bool
	verbose bool
	open    func() (*wire.World, error)
	world   *wire.World
}

// exit carries an exit code through cobra; its error was already told.
type exit struct{ code int }

func (e exit) Error() string { return fmt.Sprintf("exit %d", e.code) }

// misuse is wrong use of a command line.
type misuse struct{ error }

func run(ctx context.Context, s streams, args []string) int {
	a := &app{streams: s}
	a.open = func() (*wire.World, error) { return wire.Open(wire.Options{Log: a.logger(), Passphrase: a.passphrase}) }
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if a.world != nil {
		a.world.Close()
	}
	return a.code(ctx, err)
}

func (a *app) code(ctx context.Context, err error) int {
	var stop exit
	var wrong misuse
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &stop):
		return stop.code
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintln(a.err, "jf:", wrong.error)
		return exitWrongUse
	}
	var known *connectors.Error
	if !errors.As(err, &known) {
		_, _ = fmt.Fprintln(a.err, "jf:", err)
		if errors.Is(err, connectors.ErrNobody) {
			return exitNobody
		}
		return exitWrongUse
	}
	a.tell(connectors.Explain(err))
	return codeOf(err)
}

func codeOf(err error) int {
	if errors.Is(err, connectors.ErrNobody) {
		return exitNobody
	}
	switch connectors.CodeOf(err) {
	case connectors.BadInput, connectors.Storage:
		return exitWrongUse
	case connectors.Cancelled:
		return exitInterrupted
	}
	return exitSaidNo
}

// tell writes a problem in words to stderr.
func (a *app) tell(p *connectors.Problem) {
	_, _ = fmt.Fprintf(a.err, "%s\n  %s\n", p.Title, p.Hint)
	if p.Field != "" {
		_, _ = fmt.Fprintf(a.err, "  field: %s\n", p.Field)
	}
	if p.Said != "" && !strings.Contains(p.Title+p.Hint, p.Said) {
		_, _ = fmt.Fprintf(a.err, "  said: %s\n", p.Said)
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "jf", Short: "Link accounts and see what they open", Version: version,
		Long:          "jf links accounts and shows what their credentials open: folders, tables, people, topics.\nIt shares its connections with the Jackfield window.",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "one JSON document, or one object a line for listings")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log to stderr what happens")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	root.AddCommand(a.types(), a.describe(), a.new(), a.edit(), a.copy(), a.rename(), a.remove(), a.list(),
		a.link(), a.check(), a.ls(), a.show(), a.watch(), a.do(), a.draft(), a.catalog(), a.keysCommand(), a.export(), a.imports(), a.request(), a.use(), a.ready(), a.rights(), a.health(), a.report(), a.compare(), a.expiry(), a.choices(), a.practice(), a.doctor())
	countArgs(root)
	return root
}

// countArgs makes a wrong number of arguments wrong use, at any depth.
func countArgs(parent *cobra.Command) {
	for _, c := range parent.Commands() {
		countArgs(c)
		if args := c.Args; args != nil {
			c.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return misuse{fmt.Errorf("%w\nUsage: %s", err, cmd.UseLine())}
				}
				return nil
			}
		}
	}
}

func (a *app) logger() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (a *app) book() (*link.Book, error) {
	if a.world == nil {
		w, err := a.open()
		if err != nil {
			return nil, err
		}
		a.world = w
		a.unusable(w.Unusable)
	}
	return a.world.Book, nil
}

// named finds the connection that a person named.
func (a *app) named(ctx context.Context, name string) (*link.Book, link.Connection, error) {
	b, err := a.book()
	if err != nil {
		return nil, link.Connection{}, err
	}
	c, err := b.ByName(ctx, name)
	return b, c, err
}

// terminal reports whether a person sits at stdin and stderr.
func (a *app) terminal() (*os.File, bool) {
	in, ok := a.in.(*os.File)
	if !ok {
		return nil, false
	}
	return in, isTerminal(in)
}
