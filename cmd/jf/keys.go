package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

func (a *app) keysCommand() *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Keys and certificates: what they are, other formats, new ones; needs no network",
		Long: "What a key or certificate is, what pasting broke, other formats, new keys. Nothing here uses the network or the saved connections.\nFILE may be - for standard input. A passphrase is given as @FILE, -, env:NAME, or nothing to be asked."}
	c.AddCommand(a.keysInspect(), a.keysRepair(), a.keysConvert(), a.keysFormats(), a.keysGenerate())
	return c
}

// content reads a file, or standard input for -.
func (a *app) content(name string) ([]byte, error) {
	if name != "-" {
		data, err := readFile(name)
		if err != nil {
			return nil, misuse{err}
		}
		return data, nil
	}
	data, err := io.ReadAll(io.LimitReader(a.in, maxSecret+1))
	if err == nil && len(data) > maxSecret {
		err = fmt.Errorf("standard input is larger than %d bytes; is it the right file?", maxSecret)
	}
	if err != nil {
		return nil, misuse{err}
	}
	return data, nil
}

// secretFlag is a flag whose value says where a secret comes from. Given without
// a value, the person is asked.
type secretFlag struct {
	name, title, from string
}

func (f *secretFlag) add(c *cobra.Command, help string) {
	c.Flags().StringVar(&f.from, f.name, "", help+": @FILE, - (standard input), env:NAME, or ask")
}

func (f *secretFlag) given(c *cobra.Command) bool { return c.Flags().Changed(f.name) }

func (a *app) secretOf(ctx context.Context, c *cobra.Command, f secretFlag) (connectors.Secret, error) {
	if !f.given(c) {
		return connectors.Secret{}, nil
	}
	from := f.from
	if from == "ask" {
		from = ""
	}
	text, err := a.secretFrom(ctx, connectors.Field{Key: f.name, Label: f.title, Kind: connectors.SecretText}, from)
	return connectors.NewSecret(text), err
}

// opened reads a key's content; where it is locked and a person sits here, they
// are asked for the passphrase.
func (a *app) opened(ctx context.Context, c *cobra.Command, data []byte, f secretFlag) ([]keys.Item, []keys.Repair, connectors.Secret, error) {
	pass, err := a.secretOf(ctx, c, f)
	if err != nil {
		return nil, nil, pass, err
	}
	items, repairs, err := keys.Read(data, pass)
	if !f.given(c) && locked(items, err) {
		if _, ok := a.terminal(); ok {
			if pass, err = a.input(ctx, connectors.Prompt{Title: f.title}); err != nil {
				return nil, nil, pass, err
			}
			items, repairs, err = keys.Read(data, pass)
		}
	}
	return items, repairs, pass, err
}

func locked(items []keys.Item, err error) bool {
	errs := []error{err}
	for _, i := range items {
		errs = append(errs, i.Err)
	}
	for _, e := range errs {
		if e != nil && connectors.Classify(e).Reason == "keys.passphrase_needed" {
			return true
		}
	}
	return false
}

// onCommandLine is err without the name of a form's field: here are none.
func onCommandLine(err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	out := *e
	out.Field = ""
	return &out
}

func (a *app) keysInspect() *cobra.Command {
	pass := secretFlag{name: "passphrase", title: "Passphrase of the key"}
	var with []string
	c := &cobra.Command{Use: "inspect FILE", Short: "What it is, what is wrong with it, and where its public half goes", Args: cobra.ExactArgs(1),
		Example: "  jf keys inspect id_rsa.ppk\n  jf keys inspect client.pem --with client.key",
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := a.content(args[0])
			if err != nil {
				return err
			}
			o := keys.Options{Now: time.Now()}
			for _, name := range with {
				other, err := a.content(name)
				if err != nil {
					return err
				}
				o.With = append(o.With, other)
			}
			if args[0] != "-" {
				o.Name = args[0]
			}
			_, _, o.Passphrase, err = a.opened(cmd.Context(), cmd, data, pass)
			var r keys.Report
			if err == nil || o.Passphrase.Empty() {
				r, err = keys.Inspect(data, o)
			}
			if err != nil {
				return onCommandLine(err)
			}
			if a.json {
				return a.document(reportOf(r))
			}
			a.reportWords(r)
			return nil
		}}
	pass.add(c, "what opens a locked key")
	c.Flags().StringArrayVar(&with, "with", nil, "another file that belongs to it: the key of a certificate, the rest of a chain")
	return c
}

func (a *app) keysRepair() *cobra.Command {
	var out string
	c := &cobra.Command{Use: "repair FILE", Short: "Put right what pasting broke, and say what it was", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		data, err := a.content(args[0])
		if err != nil {
			return err
		}
		text, repairs := keys.Repaired(data)
		if _, _, err := keys.Read([]byte(text), connectors.Secret{}); err != nil {
			return onCommandLine(err)
		}
		if err := a.deliver(out, []byte(text), true); err != nil {
			return err
		}
		if len(repairs) == 0 {
			_, _ = fmt.Fprintln(a.err, "Nothing had to be put right.")
		}
		for _, r := range repairs {
			_, _ = fmt.Fprintf(a.err, "Put right: %s\n", r.Text)
		}
		return nil
	}}
	c.Flags().StringVarP(&out, "out", "o", "", "the file to write (- for standard output)")
	return c
}

func (a *app) keysConvert() *cobra.Command {
	old := secretFlag{name: "passphrase", title: "Passphrase of the key"}
	fresh := secretFlag{name: "new-passphrase", title: "New passphrase"}
	var to, out, comment, alias string
	var with []string
	c := &cobra.Command{Use: "convert FILE --to FORMAT", Short: "Write a key or certificate in another format, or with another passphrase", Args: cobra.ExactArgs(1),
		Example: "  jf keys convert partner.ppk --to openssh --out id_partner\n  jf keys convert client.pfx --to pem_chain --out chain.pem --passphrase ask\n  jf keys convert key.pem --with chain.pem --to pfx --new-passphrase env:PW --out client.pfx",
		RunE: func(cmd *cobra.Command, args []string) error {
			var items []keys.Item
			for i, name := range append([]string{args[0]}, with...) {
				data, err := a.content(name)
				if err != nil {
					return err
				}
				more, _, _, err := a.opened(cmd.Context(), cmd, data, old)
				if err != nil {
					return onCommandLine(err)
				}
				if i == 0 && len(more) > 0 && more[0].Err != nil {
					return onCommandLine(more[0].Err)
				}
				items = append(items, more...)
			}
			if to == "" {
				return misuse{fmt.Errorf("--to is needed: %s", strings.Join(formatIDs(keys.FormatsFor(items)), ", "))}
			}
			pass, err := a.freshSecret(cmd, fresh)
			if err != nil {
				return err
			}
			w, err := keys.Write(items, keys.Wanted{Format: keys.Format(to), Passphrase: pass, Comment: comment, Alias: alias, Key: -1, Certificate: -1})
			if err != nil {
				return onCommandLine(err)
			}
			return a.wrote(out, w)
		}}
	old.add(c, "what opens a locked key")
	fresh.add(c, "what locks the new one; without it the new one is not locked")
	c.Flags().StringVar(&to, "to", "", "the format; jf keys formats lists them")
	c.Flags().StringVarP(&out, "out", "o", "", "the file to write (- for standard output)")
	c.Flags().StringVar(&comment, "comment", "", "the comment of an SSH key")
	c.Flags().StringVar(&alias, "alias", "", "the name of the entry in a PFX or Java key store")
	c.Flags().StringArrayVar(&with, "with", nil, "another file that belongs to it: the certificate of a key, the rest of a chain")
	return c
}

// freshSecret is a new passphrase: asked for, it is typed twice.
func (a *app) freshSecret(cmd *cobra.Command, f secretFlag) (connectors.Secret, error) {
	s, err := a.secretOf(cmd.Context(), cmd, f)
	if err != nil || f.from != "ask" {
		return s, err
	}
	again, err := a.input(cmd.Context(), connectors.Prompt{Title: "The same once more"})
	if err == nil && again.Reveal() != s.Reveal() {
		return s, misuse{errors.New("the two passphrases differ; nothing was written")}
	}
	return s, err
}

func (a *app) wrote(out string, w keys.Written) error {
	if err := a.deliver(out, w.Data, w.Secret); err != nil {
		return err
	}
	for _, n := range w.Notes {
		_, _ = fmt.Fprintln(a.err, n)
	}
	return nil
}

func (a *app) keysFormats() *cobra.Command {
	return &cobra.Command{Use: "formats", Short: "The formats that convert and generate write", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		if a.json {
			type formatJSON struct {
				ID    keys.Format `json:"id"`
				Name  string      `json:"name"`
				File  string      `json:"file"`
				Locks bool        `json:"locks"`
				For   string      `json:"for"`
			}
			out := []formatJSON{}
			for _, f := range keys.Formats() {
				out = append(out, formatJSON{f.ID, f.Name, f.File, f.Locks, f.For})
			}
			return a.document(out)
		}
		return table(a.out, []string{"FORMAT", "NAME", "READ BY"}, func(yield func([]string) bool) {
			for _, f := range keys.Formats() {
				if !yield([]string{string(f.ID), f.Name, f.For}) {
					return
				}
			}
		})
	}}
}

func formatIDs(list []keys.FormatInfo) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f.ID))
	}
	return out
}

// deliver writes data to a file that only this user can read, or to standard
// output. A secret is not shown on a terminal unless asked for with -. A file
// that exists is not replaced.
func (a *app) deliver(out string, data []byte, secret bool) error {
	if out == "" || out == "-" {
		if f, ok := a.out.(*os.File); out == "" && secret && ok && isTerminal(f) {
			return misuse{errors.New("it is a secret: say where to write it with --out FILE, or --out - to see it here")}
		}
		_, err := a.out.Write(data)
		return err
	}
	mode := os.FileMode(0o644)
	if secret {
		mode = 0o600
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s is there already; nothing was replaced", out)
		}
		return misuse{err}
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(out)
		return err
	}
	_, _ = fmt.Fprintf(a.err, "Written: %s\n", out)
	return nil
}
