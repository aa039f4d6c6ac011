package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// session opens a connection for one look.
func (a *app) session(ctx context.Context, name string) (connectors.Session, error) {
	b, c, err := a.named(ctx, name)
	if err != nil {
		return nil, err
	}
	return b.Open(ctx, c.ID, link.Watcher{Ask: a.asker(false)})
}

func nodeArg(args []string) connectors.NodeID {
	if len(args) > 1 {
		return connectors.NodeID(args[1])
	}
	return ""
}

func cannot(what string) error {
	return &connectors.Error{Code: connectors.Unsupported, Said: what}
}

func (a *app) ls() *cobra.Command {
	var limit, depth int
	var recurse bool
	c := &cobra.Command{Use: "ls NAME [ID]", Short: "List what lies below a node, as it comes in", Args: cobra.RangeArgs(1, 2), RunE: func(cmd *cobra.Command, args []string) error {
		s, err := a.session(cmd.Context(), args[0])
		if err != nil {
			return a.partWay(err)
		}
		defer func() { _ = s.Close() }()
		b, ok := s.(connectors.Browser)
		if !ok {
			return cannot("this connection has nothing to list")
		}
		if !recurse {
			depth = 1
		}
		l := lister{a: a, b: b, left: limit}
		return a.partWay(l.list(cmd.Context(), nodeArg(args), 0, depth))
	}}
	c.Flags().IntVar(&limit, "limit", 0, "stop after so many (0: all)")
	c.Flags().BoolVarP(&recurse, "recurse", "R", false, "list branches below, too")
	c.Flags().IntVar(&depth, "depth", 3, "how deep, with -R")
	return c
}

// partWay tells a failure as the last JSON line of a listing.
func (a *app) partWay(err error) error {
	if err == nil || !a.json {
		return err
	}
	if lineErr := a.line(problemJSON{connectors.Explain(err)}); lineErr != nil {
		return lineErr
	}
	return exit{codeOf(err)}
}

type lister struct {
	a    *app
	b    connectors.Browser
	left int // 0: without limit; -1: spent
}

func (l *lister) list(ctx context.Context, parent connectors.NodeID, level, depth int) error {
	for n, err := range l.b.Children(ctx, parent) {
		if err != nil {
			return err
		}
		if err := l.write(n, level); err != nil {
			return err
		}
		if n.Branch && level+1 < depth {
			// A branch is descended into at once: nothing piles up.
			if err := l.descend(ctx, n, level, depth); err != nil {
				return err
			}
		}
		if l.spent() {
			return nil
		}
	}
	return nil
}

// descend lists a branch; one that may not be read, or is gone by now, is told
// and passed over.
func (l *lister) descend(ctx context.Context, n connectors.Node, level, depth int) error {
	err := l.list(ctx, n.ID, level+1, depth)
	if code := connectors.CodeOf(err); err == nil || ctx.Err() != nil || code != connectors.Denied && code != connectors.NotFound {
		return err
	}
	_, _ = fmt.Fprintf(l.a.err, "%s: %s\n", connectors.Clean(string(n.ID), 200), connectors.Explain(err).Title)
	return nil
}

func (l *lister) spent() bool {
	if l.left <= 0 {
		return l.left < 0
	}
	l.left--
	if l.left == 0 {
		l.left = -1
	}
	return l.left < 0
}

func (l *lister) write(n connectors.Node, level int) error {
	if l.a.json {
		return l.a.line(nodeOf(n, level))
	}
	mark := ""
	if n.Branch {
		mark = "/"
	}
	facts := factLine(n.Facts)
	if n.Access == connectors.AccessDenied {
		facts = strings.TrimSuffix("not readable, "+facts, ", ")
	}
	_, err := fmt.Fprintf(l.a.out, "%s%-9s %-40s  %-40s  %s\n", strings.Repeat("  ", level), n.Kind, connectors.Clean(n.Name, 200)+mark, connectors.Clean(string(n.ID), 300), connectors.Clean(facts, 200))
	return err
}

func (a *app) show() *cobra.Command {
	var rows int
	var asCSV, content bool
	c := &cobra.Command{Use: "show NAME ID", Short: "A sample: rows, a file's beginning, an entry's attributes", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		s, err := a.session(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }()
		return a.sample(cmd.Context(), s, nodeArg(args), rows, asCSV, content)
	}}
	c.Flags().IntVar(&rows, "rows", 20, "how many rows at the most")
	c.Flags().BoolVar(&asCSV, "csv", false, "as CSV")
	c.Flags().BoolVar(&content, "content", false, "the content itself, where there are rows as well")
	return c
}

// sampleBytes is how much of a file or message is read for a look.
const sampleBytes = 64 << 10

func (a *app) sample(ctx context.Context, s connectors.Session, id connectors.NodeID, rows int, asCSV, content bool) error {
	tabler, hasRows := s.(connectors.Tabler)
	sampler, hasContent := s.(connectors.Sampler)
	if hasRows && !content {
		t, err := tabler.Table(ctx, id, rows)
		if err == nil {
			return a.writeTable(t, asCSV)
		}
		if !hasContent || connectors.CodeOf(err) != connectors.Unsupported {
			return err
		}
		a.locked(err)
	}
	if !hasContent {
		return cannot("this node has no content to show")
	}
	got, err := sampler.Sample(ctx, id, sampleBytes)
	if err != nil {
		return err
	}
	return a.writeSample(got)
}

// locked tells of a data file that has rows which nobody sees, such as a
// workbook with a password; its content alone would look like a broken file.
func (a *app) locked(err error) {
	if e := connectors.Classify(err); strings.HasPrefix(e.Reason, "files.") && strings.HasSuffix(e.Reason, "_encrypted") {
		p := connectors.Explain(err)
		_, _ = fmt.Fprintf(a.err, "%s\n  %s\n", p.Title, p.Hint)
	}
}

func (a *app) writeTable(t *connectors.Table, asCSV bool) error {
	names := []string{}
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	if a.json {
		rows := t.Rows
		if rows == nil {
			rows = [][]any{}
		}
		return a.document(struct {
			Columns   []string `json:"columns"`
			Rows      [][]any  `json:"rows"`
			Truncated bool     `json:"truncated"`
			Note      string   `json:"note,omitempty"`
		}{names, rows, t.Truncated, t.Note})
	}
	if asCSV {
		return a.writeCSV(names, t)
	}
	err := table(a.out, cleaned(names), func(yield func([]string) bool) {
		for _, r := range t.Rows {
			if !yield(cells(r)) {
				return
			}
		}
	})
	if t.Truncated {
		_, _ = fmt.Fprintf(a.err, "The first %d rows; there are more.\n", len(t.Rows))
	}
	if t.Note != "" {
		_, _ = fmt.Fprintln(a.err, t.Note)
	}
	return err
}

func (a *app) writeCSV(names []string, t *connectors.Table) error {
	w := csv.NewWriter(a.out)
	if err := w.Write(guarded(names)); err != nil {
		return err
	}
	for _, r := range t.Rows {
		if err := w.Write(guarded(cells(r))); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// guarded keeps a spreadsheet from running a cell as a formula (SECURITY 72,
// https://owasp.org/www-community/attacks/CSV_Injection).
func guarded(row []string) []string {
	out := make([]string, len(row))
	for i, v := range row {
		if v != "" && strings.ContainsRune("=+-@\t\r\x00", rune(v[0])) && !number(v) {
			v = "'" + v
		}
		out[i] = v
	}
	return out
}

func number(v string) bool {
	digits := strings.TrimLeft(v, "+-")
	return len(v)-len(digits) <= 1 && digits != "" && strings.Trim(digits, "0123456789.,") == ""
}

func cells(row []any) []string {
	out := make([]string, len(row))
	for i, v := range row {
		if v != nil {
			out[i] = fmt.Sprint(v)
		}
	}
	return out
}

func cleaned(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = connectors.Clean(n, 80)
	}
	return out
}

func (a *app) writeSample(s connectors.Sample) error {
	text := utf8.Valid(s.Data) && !strings.Contains(string(s.Data), "\x00")
	if a.json {
		out := struct {
			MediaType string  `json:"media_type"`
			Text      *string `json:"text,omitempty"`
			Base64    string  `json:"base64,omitempty"`
			Truncated bool    `json:"truncated"`
		}{MediaType: s.MediaType, Truncated: s.Truncated}
		if text {
			t := string(s.Data)
			out.Text = &t
		} else {
			out.Base64 = base64.StdEncoding.EncodeToString(s.Data)
		}
		return a.document(out)
	}
	if !text {
		_, err := fmt.Fprintf(a.out, "%d bytes of %s; use --json to get them\n", len(s.Data), s.MediaType)
		return err
	}
	for line := range strings.Lines(string(s.Data)) {
		if _, err := fmt.Fprintln(a.out, connectors.Clean(strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    "), 0)); err != nil {
			return err
		}
	}
	if s.Truncated {
		_, _ = fmt.Fprintf(a.err, "The first %d bytes; there is more.\n", len(s.Data))
	}
	return nil
}

func (a *app) watch() *cobra.Command {
	var span time.Duration
	var count int
	c := &cobra.Command{Use: "watch NAME [ID]", Short: "Live messages, as they arrive", Args: cobra.RangeArgs(1, 2), RunE: func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		s, err := a.session(ctx, args[0])
		if err != nil {
			return a.partWay(err)
		}
		defer func() { _ = s.Close() }()
		live, ok := s.(connectors.Streamer)
		if !ok {
			return cannot("this connection has no live messages")
		}
		if span > 0 {
			limited, cancel := context.WithTimeout(ctx, span)
			defer cancel()
			ctx = limited
		}
		return a.partWay(a.follow(cmd.Context(), live.Watch(ctx, nodeArg(args)), count))
	}}
	c.Flags().DurationVar(&span, "for", 0, "stop after this long")
	c.Flags().IntVar(&count, "count", 0, "stop after so many messages")
	return c
}

// follow writes events until there are enough; that --for has run out is a
// fine end, an interrupt is not.
func (a *app) follow(whole context.Context, events func(func(connectors.Event, error) bool), count int) error {
	seen := 0
	for e, err := range events {
		if err != nil {
			code := connectors.CodeOf(err)
			if whole.Err() == nil && (code == connectors.TimedOut || code == connectors.Cancelled) {
				return nil
			}
			return err
		}
		if err := a.event(e); err != nil {
			return err
		}
		if seen++; seen == count {
			return nil
		}
	}
	return nil
}

// bodyWords is a message on one line: as text, or its first bytes as numbers.
func bodyWords(body []byte) string {
	if utf8.Valid(body) && !bytes.ContainsRune(body, 0) {
		return connectors.Clean(string(body), 300)
	}
	return fmt.Sprintf("% x", body[:min(len(body), 64)])
}

func (a *app) event(e connectors.Event) error {
	if !a.json {
		_, err := fmt.Fprintf(a.out, "%s  %s  %s\n", e.Time.Local().Format("15:04:05.000"), connectors.Clean(strings.Join(e.Path, "/"), 200), bodyWords(e.Body))
		return err
	}
	out := struct {
		Time     string            `json:"time"`
		Path     []string          `json:"path"`
		Body     *string           `json:"body,omitempty"`
		Base64   string            `json:"base64,omitempty"`
		Dropped  uint64            `json:"dropped"`
		Retained bool              `json:"retained,omitempty"`
		Facts    []connectors.Fact `json:"facts,omitempty"`
	}{Time: e.Time.UTC().Format(time.RFC3339Nano), Path: e.Path, Dropped: e.Dropped, Retained: e.Retained, Facts: e.Facts}
	if utf8.Valid(e.Body) {
		b := string(e.Body)
		out.Body = &b
	} else {
		out.Base64 = base64.StdEncoding.EncodeToString(e.Body)
	}
	return a.line(out)
}
