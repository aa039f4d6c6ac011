package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
)

func (a *app) link() *cobra.Command {
	var paste bool
	c := &cobra.Command{Use: "link NAME", Short: "Open a connection for the first time: sign in and show what it opens", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		w := link.Watcher{Ask: a.asker(paste), Step: a.ladder()}
		begun := time.Now()
		r := b.Link(cmd.Context(), c.ID, w)
		defer r.Close()
		a.remember(cmd.Context(), c, r, time.Since(begun))
		return a.outcome(cmd.Context(), c, r)
	}}
	c.Flags().BoolVar(&paste, "paste", false, "sign in with a browser on another machine: print the link, and ask for the address where it ended")
	return c
}

// outcome writes one result and turns it into an exit code.
func (a *app) outcome(ctx context.Context, c link.Connection, r *link.Result) error {
	if a.json {
		if err := a.document(resultOf(c, r)); err != nil {
			return err
		}
	} else {
		a.resultWords(c, r)
	}
	return verdict(ctx, r)
}

func (a *app) resultWords(c link.Connection, r *link.Result) {
	_, _ = fmt.Fprintf(a.out, "%s: %s\n", connectors.Clean(c.Name, 100), stateWords(r.State))
	for _, f := range r.Facts {
		_, _ = fmt.Fprintf(a.out, "  %s: %s\n", connectors.Clean(f.Label, 60), connectors.Clean(f.Text, 200))
	}
	if r.Problem != nil {
		a.tell(r.Problem)
	}
	if len(r.First) == 0 {
		return
	}
	_, _ = fmt.Fprintln(a.out, "  It opens:")
	for i, n := range r.First {
		if i == 10 {
			_, _ = fmt.Fprintf(a.out, "    … more: jf ls %q\n", c.Name)
			break
		}
		_, _ = fmt.Fprintf(a.out, "    %-10s %s\n", n.Kind, connectors.Clean(n.Name, 100))
	}
}

func stateWords(s link.State) string {
	switch s {
	case link.OK:
		return "linked"
	case link.Partial:
		return "linked, but not everything opens"
	case link.Failed:
		return "failed"
	}
	return string(s)
}

func verdict(ctx context.Context, r *link.Result) error {
	switch {
	case r.State == link.OK || r.State == link.Partial:
		return nil
	case ctx.Err() != nil:
		return exit{exitInterrupted}
	}
	return exit{codeOf(r.Err)}
}

func (a *app) check() *cobra.Command {
	var all bool
	var jobs int
	var timeout time.Duration
	var using string
	c := &cobra.Command{Use: "check NAME... | --all | --using ACCOUNT", Short: "Climb the ladder again and say what works", RunE: func(cmd *cobra.Command, args []string) error {
		if using != "" {
			if all || len(args) > 0 {
				return misuse{fmt.Errorf("--using names the account alone")}
			}
			return a.checkUsing(cmd.Context(), using)
		}
		if all == (len(args) > 0) {
			return misuse{fmt.Errorf("name the connections to check, or say --all")}
		}
		if jobs < 1 || jobs > 64 {
			return misuse{fmt.Errorf("--jobs is a number from 1 to 64")}
		}
		list, err := a.chosen(cmd.Context(), args)
		if err != nil {
			return err
		}
		return a.checkAll(cmd.Context(), list, jobs, timeout, !all)
	}}
	c.Flags().BoolVar(&all, "all", false, "check every connection")
	c.Flags().StringVar(&using, "using", "", "check what signs in with this account, one by one, and stop where it is refused")
	c.Flags().IntVar(&jobs, "jobs", 4, "how many at once")
	c.Flags().DurationVar(&timeout, "timeout", time.Minute, "for each connection")
	return c
}

func (a *app) chosen(ctx context.Context, names []string) ([]link.Connection, error) {
	if len(names) == 0 {
		return a.listed(ctx)
	}
	var out []link.Connection
	for _, name := range names {
		_, c, err := a.named(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// untried is the line of a connection that was not tried: what is known of it.
type untried struct {
	resultJSON
	NotTried *health.Held `json:"not_tried"`
}

// checkAll checks several at once and writes each result as soon as it is
// known. Nobody is asked: a check must be able to run unattended. What was
// refused is not tried again unless the person named it.
func (a *app) checkAll(ctx context.Context, list []link.Connection, jobs int, timeout time.Duration, named bool) error {
	board, err := a.world.Health(a.logger())
	if err != nil {
		return err
	}
	round := health.Round{IDs: []string{}, Asked: named, Jobs: jobs, Timeout: timeout, Practice: true, Unlinked: true}
	for _, c := range list {
		round.IDs = append(round.IDs, c.ID)
	}
	var worst error
	err = board.CheckMany(ctx, round, link.Watcher{}, func(o health.Outcome) {
		if o.Held != nil {
			worst = exit{exitSaidNo}
			a.untried(o)
			return
		}
		if a.json {
			_ = a.line(resultOf(o.Connection, o.Result))
		} else {
			a.resultWords(o.Connection, o.Result)
		}
		if err := verdict(ctx, o.Result); err != nil {
			worst = exit{exitSaidNo}
		}
	})
	if ctx.Err() != nil {
		return exit{exitInterrupted}
	}
	if err != nil {
		a.tell(connectors.Explain(err))
	}
	return worst
}

// untried says what is known of a connection that was not tried, and why not.
func (a *app) untried(o health.Outcome) {
	c := o.Connection
	if a.json {
		line := untried{resultOf(c, &link.Result{State: c.State, Facts: c.Facts, Problem: c.Problem}), o.Held}
		line.OK = false
		_ = a.line(line)
		return
	}
	_, _ = fmt.Fprintf(a.out, "%s: %s\n", connectors.Clean(c.Name, 100), stateWords(c.State))
	_, _ = fmt.Fprintf(a.err, "  %s\n  Put it right, or try it all the same: jf check %q\n", health.Row{Connection: c, Held: o.Held}.HeldText(), connectors.Clean(c.Name, 100))
}
