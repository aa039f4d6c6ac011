package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func (a *app) request() *cobra.Command {
	c := &cobra.Command{Use: "request", Short: "Ask a colleague for what is missing, and open the sealed answer",
		Long: "The one who needs access makes a request: a small file without secrets. The colleague opens it, is asked only for what is missing, and returns an answer that only the requester can open. There is no account and no server.\n\n  you:        jf request new sftp \"Partner files\" --set host=files.example.com --out partner.request\n  colleague:  jf request answer partner.request --out partner.answer\n  you:        jf request open partner.answer"}
	c.AddCommand(a.requestNew(), a.requestShow(), a.requestAnswer(), a.requestOpen(), a.requestList(), a.requestAgain(), a.requestWithdraw())
	return c
}

func (a *app) requestNew() *cobra.Command {
	var set, ask, from []string
	var out, note, who, itemNote string
	c := &cobra.Command{Use: "new TYPE NAME | new --from NAME", Short: "Make a request", RunE: func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if out == "" {
			return misuse{errors.New("say where to write it: --out FILE")}
		}
		items, err := a.askedFor(ctx, args, from, set, ask, itemNote)
		if err != nil {
			return err
		}
		desk, err := a.world.Desk()
		if err != nil {
			return err
		}
		r, err := desk.New(ctx, handover.Request{From: who, Note: note, Items: items})
		if err != nil {
			return err
		}
		return a.requested(r, out)
	}, Args: func(_ *cobra.Command, args []string) error {
		if len(from) > 0 {
			return cobra.NoArgs(nil, args)
		}
		return cobra.ExactArgs(2)(nil, args)
	}}
	f := c.Flags()
	f.StringArrayVar(&set, "set", nil, "key=value for what you know already")
	f.StringArrayVar(&ask, "ask", nil, "a field to ask for; without any, whatever is missing")
	f.StringArrayVar(&from, "from", nil, "a prepared connection of yours to ask the rest of; may be given several times")
	f.StringVarP(&out, "out", "o", "", "the file to write")
	f.StringVar(&note, "note", "", "what you need it for")
	f.StringVar(&who, "name", "", "who asks")
	f.StringVar(&itemNote, "hint", "", "where the colleague finds the answers")
	return c
}

func (a *app) askedFor(ctx context.Context, args, from, set, ask []string, hint string) ([]handover.Asked, error) {
	b, err := a.book()
	if err != nil {
		return nil, err
	}
	var out []handover.Asked
	for _, name := range from {
		c, err := b.ByName(ctx, name)
		if err != nil {
			return nil, err
		}
		t, err := b.Type(c.Type)
		if err != nil {
			return nil, err
		}
		out = append(out, handover.Ask(t, c, hint))
	}
	if len(from) > 0 {
		return out, nil
	}
	t, err := b.Type(args[0])
	if err != nil {
		return nil, err
	}
	s, err := a.answers(ctx, t, set, nil)
	if err != nil {
		return nil, err
	}
	for _, k := range ask {
		if _, ok := t.Form.Field(k); !ok {
			return nil, misuse{fmt.Errorf("%s has no field %q; jf describe %s lists them", t.ID, k, t.ID)}
		}
	}
	return []handover.Asked{{Type: t.ID, Name: args[1], Plain: t.Form.Tidied(s).Plain, Ask: ask, Note: hint}}, nil
}

func (a *app) requested(r handover.Request, out string) error {
	if err := a.deliver(out, r.File(), false); err != nil {
		return err
	}
	if a.json {
		return a.document(requestOf(r))
	}
	_, _ = fmt.Fprintf(a.err, "Send this file; there is no secret in it. Your colleague sees these words, which are good to compare on the telephone:\n  %s\n", r.Words())
	return nil
}

type requestJSON struct {
	ID      string   `json:"id"`
	Created string   `json:"created"`
	From    string   `json:"from"`
	Note    string   `json:"note"`
	Words   string   `json:"words"`
	Names   []string `json:"names"`
}

func requestOf(r handover.Request) requestJSON {
	out := requestJSON{ID: r.ID, Created: stamp(r.Created), From: r.From, Note: r.Note, Words: r.Words(), Names: []string{}}
	for _, i := range r.Items {
		out.Names = append(out.Names, i.Name)
	}
	return out
}

// read opens a request's file.
func (a *app) requestFile(name string) (handover.Request, error) {
	data, err := a.bounded(name, maxFrom)
	if err != nil {
		return handover.Request{}, misuse{err}
	}
	return handover.ReadRequest(data)
}

// requestWords tells a request, and what it asks for.
func (a *app) requestWords(r handover.Request) {
	a.requestHead(r)
	for n, i := range r.Items {
		_, _ = fmt.Fprintln(a.err, itemLine(n, i.Name, i.Type))
		if i.Note != "" {
			_, _ = fmt.Fprintf(a.err, "   %s\n", connectors.Clean(i.Note, 500))
		}
	}
}

func (a *app) requestHead(r handover.Request) {
	from := ""
	if r.From != "" {
		from = " from " + connectors.Clean(r.From, 100)
	}
	_, _ = fmt.Fprintf(a.err, "A request%s, made on %s. Its words: %s\n", from, when(r.Created), r.Words())
	if r.Note != "" {
		_, _ = fmt.Fprintf(a.err, "  %s\n", connectors.Clean(r.Note, 500))
	}
}

func (a *app) requestShow() *cobra.Command {
	return &cobra.Command{Use: "show FILE", Short: "What a request asks for", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		b, err := a.book()
		if err != nil {
			return err
		}
		r, err := a.requestFile(args[0])
		if err != nil {
			return err
		}
		a.requestHead(r)
		for n, w := range handover.Check(b.Types(), r) {
			_, _ = fmt.Fprintln(a.out, itemLine(n, w.Name, w.Type))
			if w.Note != "" {
				_, _ = fmt.Fprintf(a.out, "   %s\n", connectors.Clean(w.Note, 500))
			}
			for _, k := range w.Ask {
				f, _ := w.Form.Field(k)
				_, _ = fmt.Fprintf(a.out, "   %s (%s)\n", k, f.Label)
			}
			a.flagWords(w.Flags)
		}
		return nil
	}}
}

type answering struct {
	set, secret, using []string
	out, note          string
	keep, test         bool
}

func (a *app) requestAnswer() *cobra.Command {
	x := &answering{}
	c := &cobra.Command{Use: "answer FILE", Short: "Fill in what a request asks for, and seal the answer to whoever asked", Args: cobra.ExactArgs(1),
		Long: "Asks for what is missing, field by field. Answers can be given as flags too; where a request has several connections, with the number before the key (--set 2.user=acme). Or answer with a connection of your own: --using NAME (--using 2=NAME).",
		RunE: func(cmd *cobra.Command, args []string) error {
			if x.out == "" {
				return misuse{errors.New("say where to write it: --out FILE")}
			}
			if _, err := a.book(); err != nil {
				return err
			}
			r, err := a.requestFile(args[0])
			if err != nil {
				return err
			}
			return a.answer(cmd.Context(), x, r)
		}}
	f := c.Flags()
	f.StringArrayVar(&x.set, "set", nil, "key=value, or N.key=value")
	f.StringArrayVar(&x.secret, "secret", nil, "key=@FILE, key=-, key=env:NAME, or N.key=…")
	f.StringArrayVar(&x.using, "using", nil, "answer with this connection of yours: NAME, or N=NAME")
	f.StringVarP(&x.out, "out", "o", "", "the file to write")
	f.StringVar(&x.note, "note", "", "a note to whoever asked")
	f.BoolVar(&x.test, "test", false, "link each of them before it is sent")
	f.BoolVar(&x.keep, "keep", false, "keep them among your own connections")
	return c
}

// answer makes a connection here of each item, tests it when asked to, seals
// them, and removes them again.
func (a *app) answer(ctx context.Context, x *answering, r handover.Request) (err error) {
	b := a.world.Book
	a.requestWords(r)
	ids, made := map[int]string{}, []string{}
	defer func() {
		if x.keep && err == nil {
			return
		}
		for _, id := range made {
			err = errors.Join(err, b.Forget(context.WithoutCancel(ctx), id))
		}
	}()
	for n, i := range handover.Check(b.Types(), r) {
		if name := ownFor(x.using, n+1, len(r.Items)); name != "" {
			c, err := b.ByName(ctx, name)
			if err != nil {
				return err
			}
			ids[n] = c.ID
			continue
		}
		c, err := a.answerItem(ctx, x, n, i, len(r.Items))
		if err != nil {
			return err
		}
		ids[n] = c.ID
		made = append(made, c.ID)
	}
	if x.test {
		if err := a.tested(ctx, ids); err != nil {
			return err
		}
	}
	answer, notes, err := handover.NewAnswer(ctx, b, r, ids, x.note)
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	if err := handover.SealAnswer(&sealed, r, answer); err != nil {
		return err
	}
	if err := a.deliver(x.out, sealed.Bytes(), true); err != nil {
		return err
	}
	for _, n := range notes {
		_, _ = fmt.Fprintln(a.err, n)
	}
	_, _ = fmt.Fprintln(a.err, "Send it back; only whoever asked can open it.")
	return nil
}

func ownFor(using []string, n, of int) string {
	for _, u := range using {
		if name, ok := strings.CutPrefix(u, fmt.Sprintf("%d=", n)); ok {
			return name
		}
		if of == 1 {
			return u
		}
	}
	return ""
}

// only are the flags of item n, without its number.
func only(pairs []string, n, of int) []string {
	var out []string
	for _, p := range pairs {
		if rest, ok := strings.CutPrefix(p, fmt.Sprintf("%d.", n)); ok {
			out = append(out, rest)
		} else if of == 1 {
			out = append(out, p)
		}
	}
	return out
}

func (a *app) answerItem(ctx context.Context, x *answering, n int, i handover.Wanted, of int) (link.Connection, error) {
	b := a.world.Book
	t, err := b.Type(i.Type)
	if err != nil {
		return link.Connection{}, err
	}
	given, err := a.answers(ctx, t, only(x.set, n+1, of), only(x.secret, n+1, of))
	if err != nil {
		return link.Connection{}, err
	}
	s := i.Settings.Clone()
	merge(&s, given)
	a.flagWords(i.Flags)
	if err := a.fill(ctx, t, i, s); err != nil {
		return link.Connection{}, err
	}
	if err := a.lacking(t, s, n+1, of, i.Name); err != nil {
		return link.Connection{}, err
	}
	if errs := t.Form.Validate(t.Form.Tidied(s)); len(errs) > 0 {
		return link.Connection{}, errs[0].Refusal()
	}
	return b.Create(ctx, link.Draft{Type: t.ID, Name: b.FreeName(ctx, i.Name), Description: i.Description, Settings: s})
}

// tested links what an answer is made of.
func (a *app) tested(ctx context.Context, ids map[int]string) error {
	for _, n := range slices.Sorted(maps.Keys(ids)) {
		c, err := a.world.Book.Get(ctx, ids[n])
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(a.err, "%s:\n", connectors.Clean(c.Name, 200))
		r := a.world.Book.Link(ctx, c.ID, link.Watcher{Ask: a.asker(false), Step: a.ladder()})
		r.Close()
		if r.Problem != nil {
			a.tell(r.Problem)
		}
		if err := verdict(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) requestOpen() *cobra.Command {
	x := &importing{}
	c := &cobra.Command{Use: "open FILE", Short: "Open the answer to a request of yours, and save it when agreed", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		b, err := a.book()
		if err != nil {
			return err
		}
		desk, err := a.world.Desk()
		if err != nil {
			return err
		}
		data, err := a.bounded(args[0], maxFrom)
		if err != nil {
			return misuse{err}
		}
		r, bundle, err := desk.Open(cmd.Context(), data)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(a.err, "The answer to your request of %s.\n", when(r.Created))
		if bundle.Note != "" {
			_, _ = fmt.Fprintf(a.err, "  %s\n", connectors.Clean(bundle.Note, 500))
		}
		plan, err := handover.Propose(cmd.Context(), b, bundle)
		if err != nil {
			return err
		}
		return a.agree(cmd.Context(), x, plan)
	}}
	c.Flags().BoolVarP(&x.yes, "yes", "y", false, "save without asking")
	c.Flags().BoolVar(&x.dry, "dry-run", false, "show what is in it, save nothing")
	c.Flags().IntSliceVar(&x.pick, "pick", nil, "the numbers of what to save")
	return c
}

func (a *app) desk() (*handover.Desk, error) {
	if _, err := a.book(); err != nil {
		return nil, err
	}
	return a.world.Desk()
}

func (a *app) requestList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "Your requests", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		desk, err := a.desk()
		if err != nil {
			return err
		}
		all, err := desk.List(cmd.Context())
		if err != nil {
			return err
		}
		if a.json {
			out := []requestJSON{}
			for _, r := range all {
				out = append(out, requestOf(r.Request))
			}
			return a.document(out)
		}
		return table(a.out, []string{"ID", "MADE", "FOR", "STATE", "WORDS"}, func(yield func([]string) bool) {
			for _, r := range all {
				q := requestOf(r.Request)
				if !yield([]string{r.ID, when(r.Created), strings.Join(q.Names, ", "), keptState(r), q.Words}) {
					return
				}
			}
		})
	}}
}

func keptState(k handover.Kept) string {
	switch {
	case !k.Withdrawn.IsZero():
		return "withdrawn"
	case !k.Answered.IsZero():
		return "answered"
	}
	return "open"
}

func (a *app) requestAgain() *cobra.Command {
	var out string
	c := &cobra.Command{Use: "again ID", Short: "Ask again with a new key; answers to the old request can no longer be opened", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		if out == "" {
			return misuse{errors.New("say where to write it: --out FILE")}
		}
		desk, err := a.desk()
		if err != nil {
			return err
		}
		r, err := desk.Again(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return a.requested(r, out)
	}}
	c.Flags().StringVarP(&out, "out", "o", "", "the file to write")
	return c
}

func (a *app) requestWithdraw() *cobra.Command {
	return &cobra.Command{Use: "withdraw ID", Short: "Forget a request: no answer to it can be opened any more", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		desk, err := a.desk()
		if err != nil {
			return err
		}
		return desk.Withdraw(cmd.Context(), args[0])
	}}
}
