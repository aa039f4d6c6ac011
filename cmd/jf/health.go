package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
)

func (a *app) health() *cobra.Command {
	var format, out string
	var history bool
	formats := []string{"text", "json", "csv", "html"}
	c := &cobra.Command{Use: "health [NAME]", Short: "How the connections fare, from what is known; touches no server",
		Long: "The board of all connections: state, account, last good check, next expiry, and how the last 30 days went. It reads what the checks left behind and touches no server. With a NAME, --history lists the checks of one connection.",
		Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				format = "json"
			}
			if !slices.Contains(formats, format) {
				return misuse{fmt.Errorf("--format is one of %s", strings.Join(formats, ", "))}
			}
			if history {
				if len(args) == 0 || format == "csv" || format == "html" {
					return misuse{errors.New("--history needs the NAME of a connection, and is text or json")}
				}
				return a.history(cmd.Context(), args[0], format, out)
			}
			return a.healthBoard(cmd.Context(), args, format, out)
		}}
	c.Flags().StringVar(&format, "format", "text", strings.Join(formats, ", "))
	c.Flags().StringVarP(&out, "out", "o", "", "the file to write")
	c.Flags().BoolVar(&history, "history", false, "every remembered check of the connection")
	return c
}

func (a *app) healthBoard(ctx context.Context, names []string, format, out string) error {
	list, err := a.listed(ctx)
	if err != nil {
		return err
	}
	board, err := a.world.Health(a.logger())
	if err != nil {
		return err
	}
	rows, err := board.Rows(ctx, list)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		_, c, err := a.named(ctx, names[0])
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r health.Row) bool { return r.Connection.ID != c.ID })
	}
	var data []byte
	switch format {
	case "csv":
		data = health.CSV(rows)
	case "html":
		data, err = health.HTML(rows, time.Now())
	case "json":
		data, err = health.JSON(rows)
	default:
		data, err = boardText(rows)
	}
	if err != nil {
		return err
	}
	return a.deliver(out, data, false)
}

func indented(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(b.String()), err
}

func boardText(rows []health.Row) ([]byte, error) {
	var b strings.Builder
	if len(rows) == 0 {
		return []byte("No connections.\n"), nil
	}
	err := table(&b, []string{"NAME", "TYPE", "STATE", "ACCOUNT", "LAST GOOD CHECK", "TOOK", "EXPIRES", "30 DAYS"}, func(yield func([]string) bool) {
		for _, r := range rows {
			c, took := r.Connection, ""
			if r.Took() > 0 {
				took = millis(r.Took())
			}
			if !yield([]string{c.Name, c.Type, boardState(c.State), c.Account, when(c.Checked), took, when(r.Expires), days(r)}) {
				return
			}
		}
	})
	for _, r := range rows {
		if r.Connection.Problem == nil && (r.Held == nil || r.Held.Why != health.WhyShared) {
			continue
		}
		_, _ = fmt.Fprintf(&b, "\n%s\n", connectors.Clean(r.Connection.Name, 100))
		if p := r.Connection.Problem; p != nil {
			_, _ = fmt.Fprintf(&b, "  %s %s\n", p.Title, p.Hint)
		}
		if text := r.HeldText(); text != "" {
			_, _ = fmt.Fprintf(&b, "  %s\n", text)
		}
	}
	return []byte(b.String()), err
}

func boardState(s link.State) string {
	switch s {
	case link.OK:
		return "linked"
	case link.Partial:
		return "partly readable"
	case link.Failed:
		return "needs attention"
	}
	return string(s)
}

// days draws the last 30 days, today at the end.
func days(r health.Row) string {
	marks := map[health.Day]string{health.DayNone: ".", health.DayOK: "+", health.DayPartial: "~", health.DayFailed: "!"}
	var b strings.Builder
	for _, d := range r.Days {
		b.WriteString(marks[d])
	}
	return b.String()
}

func (a *app) history(ctx context.Context, name, format, out string) error {
	_, c, err := a.named(ctx, name)
	if err != nil {
		return err
	}
	board, err := a.world.Health(a.logger())
	if err != nil {
		return err
	}
	list, err := board.History(ctx, c.ID)
	if err != nil {
		return err
	}
	if format == "json" {
		data, err := indented(append([]health.Entry{}, list...))
		if err != nil {
			return err
		}
		return a.deliver(out, data, false)
	}
	if len(list) == 0 {
		return a.deliver(out, []byte("No check of it is remembered.\n"), false)
	}
	var b strings.Builder
	err = table(&b, []string{"WHEN", "STATE", "TOOK", "WHY"}, func(yield func([]string) bool) {
		for _, e := range slices.Backward(list) {
			why := e.Account
			if p := connectors.Explain(e.Err()); p != nil {
				why = p.Title
			}
			if !yield([]string{e.At.Local().Format("2006-01-02 15:04:05"), boardState(e.State), millis(e.Took()), why}) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return a.deliver(out, []byte(b.String()), false)
}

// remember keeps how a link ended in the connection's history, and forget drops
// that. What the history cannot hold is no reason for either to fail.
func (a *app) remember(ctx context.Context, c link.Connection, r *link.Result, took time.Duration) {
	a.keepHistory(func(b *health.Board) error { return b.Record(ctx, c, r, took) })
}

func (a *app) forget(ctx context.Context, id string) {
	a.keepHistory(func(b *health.Board) error { return b.Forget(ctx, id) })
}

func (a *app) keepHistory(do func(*health.Board) error) {
	board, err := a.world.Health(a.logger())
	if err == nil {
		err = do(board)
	}
	if err != nil {
		a.logger().Warn("history", "error", err)
	}
}
