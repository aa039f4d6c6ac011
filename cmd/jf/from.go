package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/intake"
	"jackfield/connectors/link"
)

// maxFrom bounds what is read to be understood, in bytes and files.
const (
	maxFrom  = 16 << 20
	maxFiles = 1000
)

// understanding is `jf new --from`.
type understanding struct {
	from        []string
	as, name    string
	all, dry    bool
	pick        []int
	pass        secretFlag
	set, secret []string
	description string
	found       intake.Found
	interactive bool
	types       []connectors.Type
}

type (
	leftJSON struct {
		Name string `json:"name"`
		Why  string `json:"why,omitempty"`
	}
	readingJSON struct {
		Type    string            `json:"type"`
		Plain   map[string]string `json:"plain"`
		Secrets []string          `json:"secrets"`
		Missing []string          `json:"missing"`
		Left    []leftJSON        `json:"left"`
		Notes   []string          `json:"notes"`
	}
	foundItemJSON struct {
		Name     string        `json:"name"`
		Where    string        `json:"where,omitempty"`
		Readings []readingJSON `json:"readings"`
	}
	foundJSON struct {
		What  string          `json:"what"`
		Items []foundItemJSON `json:"items"`
		Left  []leftJSON      `json:"left"`
		// Locked says that more can be read with a passphrase.
		Locked bool `json:"locked"`
	}
)

// understand reads what was given and saves what it is as connections.
func (a *app) understand(ctx context.Context, cmd *cobra.Command, u *understanding) error {
	b, err := a.book()
	if err != nil {
		return err
	}
	u.types = b.Types()
	_, u.interactive = a.terminal()
	u.interactive = u.interactive && !contains(u.from, "-")
	files, err := a.gathered(u.from)
	if err != nil {
		return err
	}
	if err := a.recognize(ctx, cmd, u, files); err != nil {
		return err
	}
	if u.dry && a.json {
		return a.document(foundOf(u))
	}
	_, _ = fmt.Fprintf(a.err, "This is %s.\n", connectors.Clean(u.found.What, 300))
	a.leftWords("", u.found.Left)
	if u.found.Locked {
		_, _ = fmt.Fprintln(a.err, "It is locked with a passphrase. Give it with --passphrase (@FILE, - or env:NAME) to have everything read.")
	}
	if u.dry || len(u.found.Items) != 1 {
		a.foundWords(u)
	}
	if u.dry {
		return nil
	}
	picked, err := a.picked(ctx, u)
	if err != nil {
		return err
	}
	for _, i := range picked {
		if err := a.keep(ctx, b, u, u.found.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) recognize(ctx context.Context, cmd *cobra.Command, u *understanding, files []intake.File) error {
	pass, err := a.secretOf(ctx, cmd, u.pass)
	if err != nil {
		return err
	}
	u.found, err = a.readAll(u.types, files, pass)
	if err == nil && u.found.Locked && !u.pass.given(cmd) && u.interactive {
		if pass, err = a.input(ctx, connectors.Prompt{Title: u.pass.title}); err != nil {
			return err
		}
		u.found, err = a.readAll(u.types, files, pass)
	}
	return onCommandLine(err)
}

func (a *app) readAll(types []connectors.Type, files []intake.File, pass connectors.Secret) (intake.Found, error) {
	if len(files) == 1 {
		return intake.Read(types, files[0], pass)
	}
	return intake.ReadAll(types, files, pass)
}

// gathered reads files, the files of folders, and standard input.
func (a *app) gathered(names []string) ([]intake.File, error) {
	var out []intake.File
	total := 0
	for _, name := range names {
		paths := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() && name != "-" {
			paths = filesIn(name)
		}
		for _, p := range paths {
			f := intake.File{Name: filepath.Base(p)}
			if p == "-" {
				f.Name = ""
			}
			data, err := a.bounded(p, maxFrom-total)
			if err != nil {
				return nil, misuse{err}
			}
			f.Data = data
			total += len(data)
			out = append(out, f)
			if len(out) > maxFiles {
				return nil, misuse{fmt.Errorf("%s has more than %d files", name, maxFiles)}
			}
		}
	}
	return out, nil
}

func filesIn(dir string) []string {
	entries, _ := os.ReadDir(dir) // what cannot be listed has no files, and is then not understood
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

// frugal is the memory, in bytes, from which on the program rather spends time
// than takes more: what strangers send is not to slow down the whole computer.
const frugal = 48 << 20

func (a *app) bounded(name string, room int) ([]byte, error) {
	debug.SetMemoryLimit(frugal)
	in := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(room)+1))
	if err == nil && len(data) > room {
		err = fmt.Errorf("%s: together it is more than %d MB; is it the right file?", name, maxFrom>>20)
	}
	return data, err
}

// picked are the items to save: the only one, those named, or those agreed to.
func (a *app) picked(ctx context.Context, u *understanding) ([]int, error) {
	n := len(u.found.Items)
	var out []int
	for i := range n {
		out = append(out, i)
	}
	switch {
	case n == 0:
		return nil, misuse{errors.New("there is no connection in it")}
	case len(u.pick) > 0:
		out = nil
		for _, p := range u.pick {
			if p < 1 || p > n {
				return nil, misuse{fmt.Errorf("--pick %d: there are %d", p, n)}
			}
			out = append(out, p-1)
		}
		return out, nil
	case n == 1 || u.all:
		return out, nil
	case !u.interactive:
		return nil, misuse{fmt.Errorf("it has %d connections: say --all, or --pick with their numbers", n)}
	}
	answer, err := a.input(ctx, connectors.Prompt{Title: fmt.Sprintf("Save all %d? (yes, or their numbers with commas)", n), Echo: true})
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(answer.Reveal())
	if strings.EqualFold(text, "yes") {
		return out, nil
	}
	u.pick = nil
	for part := range strings.SplitSeq(text, ",") {
		p, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, exit{exitFine}
		}
		u.pick = append(u.pick, p)
	}
	return a.picked(ctx, u)
}

// reading chooses among several: by --as, or by the person.
func (a *app) reading(ctx context.Context, u *understanding, i intake.Item) (intake.Reading, error) {
	var names []string
	for _, r := range i.Readings {
		if r.Type == u.as || u.as == "" && len(i.Readings) == 1 {
			return r, nil
		}
		names = append(names, r.Type)
	}
	switch {
	case u.as != "":
		return intake.Reading{}, misuse{fmt.Errorf("%q can be %s, and not %s", i.Name, strings.Join(names, ", "), u.as)}
	case len(u.found.Items) > 1:
		return i.Readings[0], nil
	case !u.interactive:
		return intake.Reading{}, misuse{fmt.Errorf("it can be %s: say which with --as TYPE", strings.Join(names, ", "))}
	}
	_, _ = fmt.Fprintln(a.err, "It can be:")
	for n, r := range i.Readings {
		_, _ = fmt.Fprintf(a.err, "  %d. %s\n", n+1, u.typeName(r.Type))
	}
	answer, err := a.input(ctx, connectors.Prompt{Title: "Which one? (its number)", Echo: true})
	if err != nil {
		return intake.Reading{}, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(answer.Reveal()))
	if err != nil || n < 1 || n > len(i.Readings) {
		return intake.Reading{}, misuse{fmt.Errorf("there is no number %q; nothing was saved", connectors.Clean(answer.Reveal(), 20))}
	}
	return i.Readings[n-1], nil
}

func (u *understanding) typeName(id string) string {
	t, _ := connectors.Find(u.types, id)
	return t.Name
}

// keep saves one item.
func (a *app) keep(ctx context.Context, b *link.Book, u *understanding, i intake.Item) error {
	r, err := a.reading(ctx, u, i)
	if err != nil {
		return err
	}
	t, err := b.Type(r.Type)
	if err != nil {
		return err
	}
	given, err := a.answers(ctx, t, u.set, u.secret)
	if err != nil {
		return err
	}
	s := intake.Finish(t, r)
	merge(&s, given)
	name := i.Name
	if u.name != "" && len(u.found.Items) == 1 {
		name = u.name
	} else {
		name = b.FreeName(ctx, name)
	}
	c, err := b.Create(ctx, link.Draft{Type: t.ID, Name: name, Description: u.description, Settings: s})
	if err != nil {
		return err
	}
	for _, n := range r.Notes {
		_, _ = fmt.Fprintf(a.err, "  %s\n", connectors.Clean(n, 500))
	}
	a.leftWords("  ", r.Left)
	return a.saved(ctx, "Saved", c, t)
}

func (a *app) leftWords(indent string, left []intake.Left) {
	for _, l := range left {
		why := l.Why
		if why == "" {
			why = "This is not known here."
		}
		_, _ = fmt.Fprintf(a.err, "%sLeft out: %s. %s\n", indent, connectors.Clean(l.Name, 200), connectors.Clean(why, 300))
	}
}

func (a *app) foundWords(u *understanding) {
	_ = table(a.out, []string{"", "NAME", "TYPE", "PLACE", "MISSING", "WHERE"}, func(yield func([]string) bool) {
		for n, i := range u.found.Items {
			var types []string
			for _, r := range i.Readings {
				types = append(types, r.Type)
			}
			place, missing := "", ""
			if len(i.Readings) > 0 {
				t, _ := connectors.Find(u.types, i.Readings[0].Type)
				s := intake.Finish(t, i.Readings[0])
				place, missing = t.Place(s.Plain), strings.Join(t.Form.Missing(s), ", ")
			}
			if !yield([]string{strconv.Itoa(n + 1), i.Name, strings.Join(types, " or "), place, missing, i.Where}) {
				return
			}
		}
	})
}

func foundOf(u *understanding) foundJSON {
	out := foundJSON{What: u.found.What, Items: []foundItemJSON{}, Left: leftOf(u.found.Left), Locked: u.found.Locked}
	for _, i := range u.found.Items {
		item := foundItemJSON{Name: i.Name, Where: i.Where, Readings: []readingJSON{}}
		for _, r := range i.Readings {
			t, _ := connectors.Find(u.types, r.Type)
			s := intake.Finish(t, r)
			item.Readings = append(item.Readings, readingJSON{Type: r.Type, Plain: r.Settings.Plain, Secrets: secretKeys(r.Settings), Missing: append([]string{}, t.Form.Missing(s)...), Left: leftOf(r.Left), Notes: append([]string{}, r.Notes...)})
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func leftOf(left []intake.Left) []leftJSON {
	out := []leftJSON{}
	for _, l := range left {
		out = append(out, leftJSON{l.Name, l.Why})
	}
	return out
}

func secretKeys(s connectors.Settings) []string {
	return append([]string{}, slices.Sorted(maps.Keys(s.Secrets))...)
}
