package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/handover"
)

type exporting struct {
	out, note                                 string
	recipients                                []string
	all, armor, rotating, withoutKeys, inText bool
	pass                                      secretFlag
}

func (a *app) export() *cobra.Command {
	x := &exporting{pass: secretFlag{name: "passphrase", title: "Passphrase for the bundle"}}
	c := &cobra.Command{Use: "export NAME...", Short: "Seal connections into a file for someone else, or for another computer",
		Long:    "Writes the chosen connections into one sealed file, which jf import, the window and the age tool open. It is sealed with a passphrase (made of words when none is given) or to public keys (--to: age1…, ssh-ed25519 …, ssh-rsa …, or a file of them).\nWhat a server renews by itself, such as the refresh token of a sign-in, stays here unless --rotating is given: two holders of one lock each other out.",
		Args:    cobra.ArbitraryArgs,
		Example: "  jf export \"Partner files\" Orders --out partner.jackfield\n  jf export --all --to mira.pub --out backup.jackfield\n  jf export Orders --text",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !x.all {
				return misuse{errors.New("name connections, or say --all")}
			}
			ids, err := a.idsOf(cmd.Context(), args, x.all)
			if err != nil {
				return err
			}
			if x.inText {
				return a.exportText(cmd.Context(), ids, x.out)
			}
			return a.exportSealed(cmd, x, ids)
		}}
	f := c.Flags()
	f.StringVarP(&x.out, "out", "o", "", "the file to write (- for standard output)")
	f.StringArrayVar(&x.recipients, "to", nil, "a public key that can open it, or a file of them")
	f.BoolVar(&x.all, "all", false, "all connections")
	f.BoolVar(&x.armor, "armor", false, "as text, for mail and chat")
	f.BoolVar(&x.rotating, "rotating", false, "also what a server renews by itself: it then must not be used here any more")
	f.BoolVar(&x.withoutKeys, "no-secrets", false, "without passwords and keys")
	f.BoolVar(&x.inText, "text", false, "not sealed: a plain profile without secrets, for tickets and version control")
	f.StringVar(&x.note, "note", "", "a note for whoever opens it")
	x.pass.add(c, "what opens it")
	return c
}

func (a *app) idsOf(ctx context.Context, names []string, all bool) ([]string, error) {
	b, err := a.book()
	if err != nil {
		return nil, err
	}
	var ids []string
	if all {
		list, err := a.listed(ctx)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return ids, err
	}
	for _, n := range names {
		c, err := b.ByName(ctx, n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}

func (a *app) exportText(ctx context.Context, ids []string, out string) error {
	var text strings.Builder
	for n, id := range ids {
		c, err := a.world.Book.Get(ctx, id)
		if err != nil {
			return err
		}
		t, err := a.world.Book.Type(c.Type)
		if err != nil {
			return err
		}
		if n > 0 {
			text.WriteString("---\n")
		}
		text.WriteString(handover.Profile(t, c))
	}
	return a.deliver(out, []byte(text.String()), false)
}

func (a *app) exportSealed(cmd *cobra.Command, x *exporting, ids []string) error {
	ctx := cmd.Context()
	if x.out == "" {
		return misuse{errors.New("say where to write it: --out FILE.jackfield")}
	}
	to, made, err := a.recipients(cmd, x)
	if err != nil {
		return err
	}
	bundle, notes, err := handover.Pack(ctx, a.world.Book, ids, handover.PackOptions{Secrets: !x.withoutKeys, Rotating: x.rotating, Note: x.note})
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	if err := handover.Seal(&sealed, bundle, to, x.armor); err != nil {
		return err
	}
	if err := a.deliver(x.out, sealed.Bytes(), true); err != nil {
		return err
	}
	for _, n := range notes {
		_, _ = fmt.Fprintln(a.err, n)
	}
	if n := len(bundle.Connections); n == 1 {
		_, _ = fmt.Fprintln(a.err, "One connection is in it.")
	} else {
		_, _ = fmt.Fprintf(a.err, "%d connections are in it.\n", n)
	}
	if made {
		_, _ = fmt.Fprintf(a.err, "Its passphrase, which is nowhere else; tell it by another way than the file:\n  %s\n", to.Passphrase.Reveal())
	}
	return nil
}

// recipients are who can open a bundle. made: a passphrase was made up.
func (a *app) recipients(cmd *cobra.Command, x *exporting) (to handover.Recipients, made bool, err error) {
	for _, r := range x.recipients {
		if strings.HasPrefix(r, "age1") || strings.Contains(r, " ") {
			to.Keys = append(to.Keys, r)
			continue
		}
		data, err := readFile(r)
		if err != nil {
			return to, false, misuse{fmt.Errorf("--to wants a public key or a file of them: %w", err)}
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				to.Keys = append(to.Keys, line)
			}
		}
	}
	if len(to.Keys) > 0 {
		if x.pass.given(cmd) {
			return to, false, misuse{errors.New("a bundle has either a passphrase or public keys")}
		}
		return to, false, nil
	}
	if x.pass.given(cmd) {
		to.Passphrase, err = a.freshSecret(cmd, x.pass)
		return to, false, err
	}
	to.Passphrase, err = handover.NewPassphrase()
	return to, true, err
}

type importing struct {
	identities []string
	yes, dry   bool
	pick       []int
	pass, lock secretFlag
}

func (a *app) imports() *cobra.Command {
	x := &importing{pass: secretFlag{name: "passphrase", title: "Passphrase of the bundle"}, lock: secretFlag{name: "identity-passphrase", title: "Passphrase of the key"}}
	c := &cobra.Command{Use: "import FILE", Short: "Open a sealed file, show what is in it, and save it when agreed", Args: cobra.ExactArgs(1),
		Long: "Opens a file of jf export, shows every connection in it with what to look at (files, proxies, pinned keys, inner addresses), and saves them under new ids when you agree. Nothing is overwritten, and nothing is linked or tried.",
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := a.book()
			if err != nil {
				return err
			}
			data, err := a.bounded(args[0], maxFrom)
			if err != nil {
				return misuse{err}
			}
			bundle, err := a.unsealed(cmd, x, data)
			if err != nil {
				return err
			}
			plan, err := handover.Propose(cmd.Context(), b, bundle)
			if err != nil {
				return err
			}
			return a.agree(cmd.Context(), x, plan)
		}}
	f := c.Flags()
	f.StringArrayVarP(&x.identities, "identity", "i", nil, "a file with the private key that opens it (age or SSH)")
	f.BoolVarP(&x.yes, "yes", "y", false, "save without asking")
	f.BoolVar(&x.dry, "dry-run", false, "show what is in it, save nothing")
	f.IntSliceVar(&x.pick, "pick", nil, "the numbers of what to save")
	x.pass.add(c, "what opens it")
	x.lock.add(c, "what opens the locked SSH key of --identity")
	return c
}

func (a *app) unsealed(cmd *cobra.Command, x *importing, data []byte) (handover.Bundle, error) {
	ctx := cmd.Context()
	var with handover.Opener
	var err error
	for _, name := range x.identities {
		text, err := readFile(name)
		if err != nil {
			return handover.Bundle{}, misuse{err}
		}
		with.Identities = append(with.Identities, connectors.NewSecret(string(text)))
	}
	if with.Locked, err = a.secretOf(ctx, cmd, x.lock); err != nil {
		return handover.Bundle{}, err
	}
	sort := handover.Sealed(data)
	switch {
	case x.pass.given(cmd):
		with.Passphrase, err = a.secretOf(ctx, cmd, x.pass)
	case sort == handover.SortPassphrase:
		with.Passphrase, err = a.input(ctx, connectors.Prompt{Title: x.pass.title})
	case sort == handover.SortKeys && len(with.Identities) == 0:
		return handover.Bundle{}, misuse{errors.New("it is sealed to a public key: name the file of the private one with --identity FILE (an answer to a request is opened by jf request open)")}
	}
	if err != nil {
		return handover.Bundle{}, err
	}
	return handover.Unseal(bytes.NewReader(data), with)
}

type (
	flagJSON struct {
		Field string `json:"field"`
		Kind  string `json:"kind"`
		Value string `json:"value"`
		Text  string `json:"text"`
	}
	plannedJSON struct {
		Name    string     `json:"name"`
		As      string     `json:"as"`
		Type    string     `json:"type"`
		Known   bool       `json:"known"`
		Place   string     `json:"place"`
		Missing []string   `json:"missing"`
		Flags   []flagJSON `json:"flags"`
		Like    string     `json:"like,omitempty"`
	}
)

func plannedOf(p handover.Planned, place string) plannedJSON {
	out := plannedJSON{Name: p.Name, As: p.NewName, Type: p.Type, Known: p.Known, Place: place, Missing: append([]string{}, p.Missing...), Flags: []flagJSON{}}
	for _, f := range p.Flags {
		out.Flags = append(out.Flags, flagJSON{f.Field, f.Kind, f.Value, f.Text})
	}
	if p.Same != nil {
		out.Like = p.Same.Name
	}
	return out
}

// agree shows a plan, asks, and saves.
func (a *app) agree(ctx context.Context, x *importing, plan handover.Plan) error {
	if x.dry && a.json {
		out := []plannedJSON{}
		for _, p := range plan.Items {
			out = append(out, plannedOf(p, a.placeOf(p)))
		}
		return a.document(out)
	}
	for n, p := range plan.Items {
		a.plannedWords(n+1, p)
	}
	if x.dry || len(plan.Items) == 0 {
		return nil
	}
	chosen, err := a.agreed(ctx, x, plan)
	if err != nil || len(chosen) == 0 {
		return err
	}
	for _, l := range plan.Left(chosen) {
		_, _ = fmt.Fprintln(a.err, l)
	}
	made, err := handover.Import(ctx, a.world.Book, plan, chosen)
	if err != nil {
		return err
	}
	for _, c := range made {
		t, err := a.world.Book.Type(c.Type)
		if err != nil {
			return err
		}
		if err := a.saved(ctx, "Saved", c, t); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) placeOf(p handover.Planned) string {
	t, err := a.world.Book.Type(p.Type)
	if err != nil {
		return ""
	}
	return t.Place(p.Plain)
}

func (a *app) plannedWords(n int, p handover.Planned) {
	name := connectors.Clean(p.Name, 200)
	if p.NewName != p.Name {
		name += "  (saved as “" + connectors.Clean(p.NewName, 200) + "”: the name is taken)"
	}
	_, _ = fmt.Fprintf(a.err, "%d. %s\n   %s  %s\n", n, name, connectors.Clean(p.Type, 60), connectors.Clean(a.placeOf(p), 200))
	if !p.Known {
		_, _ = fmt.Fprintln(a.err, "   This type is not known here; it is left out.")
	}
	if p.Same != nil {
		_, _ = fmt.Fprintf(a.err, "   It looks like “%s”, which is here already.\n", connectors.Clean(p.Same.Name, 200))
	}
	if len(p.Missing) > 0 {
		_, _ = fmt.Fprintf(a.err, "   still missing: %s\n", strings.Join(p.Missing, ", "))
	}
	for _, n := range p.Notes {
		_, _ = fmt.Fprintf(a.err, "   %s\n", connectors.Clean(n, 300))
	}
	a.flagWords(p.Flags)
}

// flagWords tells what to look at before agreeing.
func (a *app) flagWords(flags []handover.Flag) {
	for _, f := range flags {
		_, _ = fmt.Fprintf(a.err, "   ! %s\n", connectors.Clean(f.Text, 300))
		if f.Value != "" {
			_, _ = fmt.Fprintf(a.err, "     %s: %s\n", connectors.Clean(f.Label, 80), connectors.Clean(f.Value, 200))
		}
	}
}

// agreed asks which ones; without a person --yes or --pick says it.
func (a *app) agreed(ctx context.Context, x *importing, plan handover.Plan) ([]int, error) {
	var known []int
	for i, p := range plan.Items {
		if p.Known {
			known = append(known, i)
		}
	}
	if len(x.pick) == 0 && !x.yes {
		answer, err := a.input(ctx, connectors.Prompt{Title: fmt.Sprintf("Save %d? (yes, or their numbers with commas)", len(known)), Echo: true})
		if errors.Is(err, connectors.ErrNobody) {
			err = fmt.Errorf("%w: look at it, then say --yes, or --pick with the numbers", err)
		}
		if err != nil {
			return nil, err
		}
		text := strings.TrimSpace(answer.Reveal())
		if !strings.EqualFold(text, "yes") {
			for part := range strings.SplitSeq(text, ",") {
				n, err := strconv.Atoi(strings.TrimSpace(part))
				if err != nil {
					_, _ = fmt.Fprintln(a.err, "Nothing was saved.")
					return nil, nil
				}
				x.pick = append(x.pick, n)
			}
		}
	}
	if len(x.pick) == 0 {
		return known, nil
	}
	var out []int
	for _, n := range x.pick {
		if n < 1 || n > len(plan.Items) || !plan.Items[n-1].Known {
			return nil, misuse{fmt.Errorf("there is no number %d to save", n)}
		}
		out = append(out, n-1)
	}
	return out, nil
}
