package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func (a *app) new() *cobra.Command {
	var set, secret []string
	var description string
	u := &understanding{pass: secretFlag{name: "passphrase", title: "Passphrase of the file"}}
	c := &cobra.Command{Use: "new TYPE NAME | new --from FILE [NAME]", Short: "Save a prepared connection; needs no network",
		Long: "Saves a prepared connection, from answers or from something that says where it leads: an address, a connection string, a command, a key, a token, the file of another program (--from FILE, or - for standard input). With --from nothing is looked up and nothing is run.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(u.from) > 0 {
				return cobra.MaximumNArgs(1)(nil, args)
			}
			return cobra.ExactArgs(2)(nil, args)
		},
		Example: "  jf new sftp \"Partner files\" --set host=files.example.com --set user=acme --secret password=env:PW\n  jf new --from rclone.conf --dry-run\n  wl-paste | jf new --from - \"Orders\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(u.from) > 0 {
				u.name, u.set, u.secret, u.description = strings.Join(args, ""), set, secret, description
				return a.understand(cmd.Context(), cmd, u)
			}
			b, err := a.book()
			if err != nil {
				return err
			}
			t, err := b.Type(args[0])
			if err != nil {
				return err
			}
			given, err := a.answers(cmd.Context(), t, set, secret)
			if err != nil {
				return err
			}
			s := t.Form.Defaults()
			merge(&s, given)
			saved, err := b.Create(cmd.Context(), link.Draft{Type: t.ID, Name: args[1], Description: description, Settings: s})
			if err != nil {
				return err
			}
			return a.saved(cmd.Context(), "Saved", saved, t)
		}}
	answerFlags(c, &set, &secret)
	c.Flags().StringVar(&description, "description", "", "a note to recognize it by")
	c.Flags().StringArrayVar(&u.from, "from", nil, "what to understand: a file, a folder, or - (standard input)")
	c.Flags().StringVar(&u.as, "as", "", "with --from: the type, where several fit")
	c.Flags().BoolVar(&u.all, "all", false, "with --from: save all that was found")
	c.Flags().IntSliceVar(&u.pick, "pick", nil, "with --from: the numbers of what to save")
	c.Flags().BoolVar(&u.dry, "dry-run", false, "with --from: show what was understood, save nothing")
	u.pass.add(c, "with --from: what opens a locked file")
	return c
}

func (a *app) edit() *cobra.Command {
	var set, secret []string
	var description, name string
	c := &cobra.Command{Use: "edit NAME", Short: "Change answers of a connection", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		t, err := b.Type(c.Type)
		if err != nil {
			return err
		}
		given, err := a.answers(cmd.Context(), t, set, secret)
		if err != nil {
			return err
		}
		s := connectors.Settings{Plain: c.Plain, Secrets: map[string]connectors.Secret{}}.Clone()
		merge(&s, given)
		d := link.Draft{Type: c.Type, Name: c.Name, Description: c.Description, Practice: c.Practice, Settings: s}
		if cmd.Flags().Changed("description") {
			d.Description = description
		}
		if cmd.Flags().Changed("name") {
			d.Name = name
		}
		saved, err := b.Save(cmd.Context(), c.ID, d)
		if err != nil {
			return err
		}
		if len(given.Secrets) > 0 {
			a.lends(cmd.Context(), saved)
		}
		return a.saved(cmd.Context(), "Saved", saved, t)
	}}
	answerFlags(c, &set, &secret)
	c.Flags().StringVar(&description, "description", "", "a note to recognize it by")
	c.Flags().StringVar(&name, "name", "", "a new name")
	return c
}

func answerFlags(c *cobra.Command, set, secret *[]string) {
	c.Flags().StringArrayVar(set, "set", nil, "key=value for a plain field (key=@FILE for certificates)")
	c.Flags().StringArrayVar(secret, "secret", nil, "key=@FILE, key=- (standard input), key=env:NAME, or key= to be asked")
}

func merge(s *connectors.Settings, given connectors.Settings) {
	for k, v := range given.Plain {
		s.Plain[k] = v
	}
	for k, v := range given.Secrets {
		s.Secrets[k] = v
	}
}

// saved tells what was saved, what is still missing and what cannot be right.
func (a *app) saved(ctx context.Context, verb string, c link.Connection, t connectors.Type) error {
	s := a.whole(ctx, c, t)
	missing := t.Form.Missing(s)
	var wrong []connectors.FieldError
	for _, e := range t.Form.Validate(s) {
		if !contains(missing, e.Key) && !isSecret(t, e.Key) {
			wrong = append(wrong, e)
		}
	}
	if a.json {
		return a.document(struct {
			Name    string            `json:"name"`
			Type    string            `json:"type"`
			State   link.State        `json:"state"`
			Missing []string          `json:"missing"`
			Wrong   map[string]string `json:"wrong"`
		}{c.Name, c.Type, c.State, append([]string{}, missing...), byKey(wrong)})
	}
	_, _ = fmt.Fprintf(a.out, "%s %q (%s).\n", verb, c.Name, t.Name)
	for _, k := range missing {
		f, _ := t.Form.Field(k)
		_, _ = fmt.Fprintf(a.out, "  still missing: %s (%s)\n", k, f.Label)
	}
	for _, e := range wrong {
		_, _ = fmt.Fprintf(a.out, "  %s: %s\n", e.Key, e.Text)
	}
	if len(missing)+len(wrong) == 0 && c.State == link.Prepared {
		_, _ = fmt.Fprintf(a.out, "  Complete. Next: jf link %q\n", c.Name)
	}
	return nil
}

func stored(c link.Connection) map[string]connectors.Secret {
	out := map[string]connectors.Secret{}
	for _, k := range c.SecretKeys {
		out[k] = connectors.NewSecret("stored")
	}
	return out
}

func isSecret(t connectors.Type, key string) bool {
	f, _ := t.Form.Field(key)
	return f.Kind.Secret()
}

func contains(keys []string, key string) bool {
	for _, k := range keys {
		if k == key {
			return true
		}
	}
	return false
}

func byKey(errs []connectors.FieldError) map[string]string {
	out := map[string]string{}
	for _, e := range errs {
		out[e.Key] = e.Text
	}
	return out
}

func (a *app) copy() *cobra.Command {
	return &cobra.Command{Use: "copy NAME NEW", Short: "Copy a connection with its secrets", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		made, err := b.Copy(cmd.Context(), c.ID, args[1])
		if err != nil {
			return err
		}
		t, err := b.Type(made.Type)
		if err != nil {
			return err
		}
		return a.saved(cmd.Context(), "Copied to", made, t)
	}}
}

func (a *app) rename() *cobra.Command {
	return &cobra.Command{Use: "rename NAME NEW", Short: "Give a connection another name", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		b, c, err := a.named(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		_, err = b.Rename(cmd.Context(), c.ID, args[1])
		return err
	}}
}

func (a *app) remove() *cobra.Command {
	return &cobra.Command{Use: "rm NAME...", Short: "Delete connections and their secrets", Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		// Names are looked up first, so that a typing error deletes nothing.
		var ids []string
		for _, name := range args {
			_, c, err := a.named(cmd.Context(), name)
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		a.used(cmd.Context(), ids)
		for i, id := range ids {
			err := a.world.Book.Delete(cmd.Context(), id)
			var e *connectors.Error
			if err != nil && (!errors.As(err, &e) || !e.Partial) {
				return err
			}
			a.forget(cmd.Context(), id)
			_, _ = fmt.Fprintf(a.err, "Deleted %q.\n", args[i])
			if e != nil {
				p := connectors.Explain(err)
				_, _ = fmt.Fprintf(a.err, "  %s\n  %s\n", p.Title, p.Hint)
			}
		}
		return nil
	}}
}

func (a *app) list() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "The connections", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		all, err := a.listed(cmd.Context())
		if err != nil {
			return err
		}
		if a.json {
			type rowJSON struct {
				Name    string     `json:"name"`
				Type    string     `json:"type"`
				State   link.State `json:"state"`
				Account string     `json:"account"`
				Checked string     `json:"checked"`
				Expires string     `json:"expires"`
			}
			out := []rowJSON{}
			for _, c := range all {
				out = append(out, rowJSON{c.Name, c.Type, c.State, c.Account, stamp(c.Checked), stamp(c.Expires)})
			}
			return a.document(out)
		}
		if len(all) == 0 {
			_, _ = fmt.Fprintln(a.err, "No connections yet. Start with: jf types, then jf new TYPE NAME. Or try: jf practice --tour")
			return nil
		}
		return table(a.out, []string{"NAME", "TYPE", "STATE", "ACCOUNT", "LAST GOOD CHECK", "EXPIRES"}, func(yield func([]string) bool) {
			for _, c := range all {
				if !yield([]string{c.Name, c.Type, string(c.State), c.Account, when(c.Checked), when(c.Expires)}) {
					return
				}
			}
		})
	}}
}

// listed reads all connections; unreadable ones are told and left out.
func (a *app) listed(ctx context.Context) ([]link.Connection, error) {
	b, err := a.book()
	if err != nil {
		return nil, err
	}
	all, err := b.List(ctx)
	if err != nil && len(all) > 0 {
		a.tell(connectors.Explain(err))
		err = nil
	}
	return all, err
}
