package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/expiry"
	"jackfield/connectors/link"
)

// expiryJSON is the shape of jf expiry --format json: add, never rename.
type expiryJSON struct {
	Items   []expiry.Item `json:"items"`
	Watched int           `json:"watched"`
	Unread  []unreadJSON  `json:"unread"`
}

type unreadJSON struct {
	Name    string              `json:"name"`
	Problem *connectors.Problem `json:"problem"`
}

// expiryWish is what the command line asks for.
type expiryWish struct {
	within, format, out string
	remind              int
	set                 []string
}

func (a *app) expiry() *cobra.Command {
	var w expiryWish
	c := &cobra.Command{Use: "expiry [NAME...]", Short: "When certificates, tokens, signatures and passwords end; needs no network",
		Long: `What the connections sign in with, and when it ends: of all of them, or of those named.
Dates are read from certificates, tokens and signatures, or are what the server said at the last good check,
or what a person noted with --set. The rest is a reminder, a year after a secret was stored.

Exit codes: 0 nothing ends within the time; 1 something has ended or ends within it (30 days, unless --within says
otherwise), or a connection could not be looked into; 2 wrong use. Reminders never count.

The calendar file (--format ics) can be imported again and again: what moved moves.`,
		Example: "  jf expiry --within 14d\n  jf expiry --format ics --out ends.ics\n  jf expiry \"Partner API\" --set client_secret=2027-01-31\n  jf expiry \"Partner API\" --set client_secret=",
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				w.format = "json"
			}
			return a.expiryRun(cmd.Context(), args, w, cmd.Flags().Changed("within"))
		}}
	c.Flags().StringVar(&w.within, "within", "30d", "list what ends within that time: 30d, 2w, 12h; 0 for what has ended")
	c.Flags().StringVar(&w.format, "format", "text", "text, json, csv or ics")
	c.Flags().StringVarP(&w.out, "out", "o", "", "the file to write")
	c.Flags().IntVar(&w.remind, "remind", 365, "days after which to be reminded of a secret of which no end is known; 0 for never")
	c.Flags().StringArrayVar(&w.set, "set", nil, "note the day on which the answer to a field ends: field=2027-01-31; field= forgets it")
	return c
}

func (a *app) expiryRun(ctx context.Context, names []string, w expiryWish, chosen bool) error {
	within, err := timeSpan(w.within)
	if err != nil {
		return misuse{err}
	}
	switch w.format {
	case "text", "json", "csv", "ics":
	default:
		return misuse{fmt.Errorf("--format %s: choose text, json, csv or ics", w.format)}
	}
	if len(w.set) > 0 {
		if len(names) != 1 {
			return misuse{errors.New("--set needs the name of one connection")}
		}
		return a.setDates(ctx, names[0], w.set)
	}
	sweep, err := a.sweep(ctx, names, w.remind)
	if err != nil {
		return err
	}
	now := time.Now()
	near := expiry.Within(sweep.Items, within, now)
	shown := near
	if !chosen && w.format != "text" { // a calendar is for what is far away
		shown = sweep.Items
	}
	if err := a.expiryOut(shown, sweep, w, now); err != nil {
		return err
	}
	for _, u := range sweep.Unread {
		_, _ = fmt.Fprintf(a.err, "%s: %s\n", orDash(u.Connection), connectors.Explain(u.Err).Title)
	}
	for _, i := range near {
		if i.Kind != expiry.KeyAge {
			return exit{exitSaidNo}
		}
	}
	if len(sweep.Unread) > 0 {
		return exit{exitSaidNo}
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (a *app) sweep(ctx context.Context, names []string, remind int) (expiry.Sweep, error) {
	b, err := a.book()
	if err != nil {
		return expiry.Sweep{}, err
	}
	r := &expiry.Radar{Remind: time.Duration(remind) * 24 * time.Hour}
	if remind <= 0 {
		r.Remind = -1
	}
	if len(names) == 0 {
		return r.All(ctx, b, time.Now())
	}
	var list []link.Connection
	for _, n := range names {
		c, err := b.ByName(ctx, n)
		if err != nil {
			return expiry.Sweep{}, err
		}
		list = append(list, c)
	}
	return r.Some(ctx, b, list, time.Now()), ctx.Err()
}

func (a *app) setDates(ctx context.Context, name string, sets []string) error {
	b, c, err := a.named(ctx, name)
	if err != nil {
		return err
	}
	days := make(map[string]time.Time, len(sets))
	for _, s := range sets {
		field, text, ok := strings.Cut(s, "=")
		if !ok {
			return misuse{fmt.Errorf("--set %s: it has to look like field=2027-01-31", connectors.Clean(s, 60))}
		}
		if text == "" {
			days[field] = time.Time{}
			continue
		}
		if days[field], err = expiry.ParseDay(text); err != nil {
			return err
		}
	}
	for field, day := range days {
		if _, err := b.SetDate(ctx, c.ID, field, day); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(a.err, "Saved: %s\n", connectors.Clean(c.Name, 80))
	return nil
}

func (a *app) expiryOut(items []expiry.Item, sweep expiry.Sweep, w expiryWish, now time.Time) error {
	switch w.format {
	case "ics":
		return a.deliver(w.out, expiry.Calendar(items, expiry.English(), time.Local, now), false)
	case "csv":
		return a.deliver(w.out, expiry.CSV(items), false)
	case "json":
		doc := expiryJSON{Items: items, Watched: sweep.Watched, Unread: []unreadJSON{}}
		for _, u := range sweep.Unread {
			doc.Unread = append(doc.Unread, unreadJSON{u.Connection, connectors.Explain(u.Err)})
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(doc); err != nil {
			return err
		}
		return a.deliver(w.out, text.Bytes(), false)
	}
	if len(items) == 0 {
		_, _ = fmt.Fprintf(a.err, "Nothing ends within %s. Connections looked into: %d.\n", w.within, sweep.Watched)
		if w.out == "" {
			return nil
		}
	}
	var text bytes.Buffer
	err := table(&text, []string{"ENDS", "IN", "CONNECTION", "WHAT", "KNOWN"}, func(yield func([]string) bool) {
		for _, i := range items {
			if !yield([]string{expiry.DayOf(i, time.Local).Format(time.DateOnly), left(i, now), i.Connection, i.What, known(i)}) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return a.deliver(w.out, text.Bytes(), false)
}

func known(i expiry.Item) string {
	if i.Kind == expiry.KeyAge {
		return "reminder"
	}
	return string(i.Basis)
}

// left is how far an end is.
func left(i expiry.Item, now time.Time) string {
	d := i.When.Sub(now)
	switch {
	case i.Level == expiry.Expired:
		return "ended"
	case i.AllDay && d <= 0:
		return "today"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

// timeSpan reads 30d, 2w, and what Go calls a duration.
func timeSpan(text string) (time.Duration, error) {
	for end, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(text, end); ok {
			if v, err := strconv.Atoi(n); err == nil && v >= 0 && v <= 36500 {
				return time.Duration(v) * unit, nil
			}
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("--within %s: write it like 30d, 2w or 12h", connectors.Clean(text, 30))
}
