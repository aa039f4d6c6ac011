package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors/handover/use"
)

// processFormat is what an AWS profile's credential_process runs.
const processFormat = "aws-credential-process"

type using struct {
	as, out, profile  string
	hidden, variables bool
	run               bool
}

func (a *app) use() *cobra.Command {
	x := &using{}
	c := &cobra.Command{Use: "use NAME [--as FORMAT] | use NAME --run -- COMMAND...", Short: "Write a connection for other tools, or run one with it",
		Long: "Without --as it lists the formats that fit. --run runs one command, with the connection in the command's environment only.",
		Args: cobra.MinimumNArgs(1), Example: "  jf use Orders --as uri\n  jf use Orders --run -- psql\n  jf use \"Partner files\" --as rclone --out rclone.conf",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := a.given(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			switch {
			case x.run:
				return a.runWith(cmd.Context(), g, args[1:])
			case len(args) > 1:
				return misuse{errors.New("one connection at a time; a command goes after --run --")}
			case x.as == processFormat:
				s, err := use.CredentialProcess(g)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.out, s.Reveal())
				return err
			case x.as == "":
				return a.usable(g)
			}
			return a.useAs(x, g)
		}}
	f := c.Flags()
	f.StringVar(&x.as, "as", "", "the format")
	f.StringVarP(&x.out, "out", "o", "", "the file to write (- for standard output); further files go beside it")
	f.StringVar(&x.profile, "profile", "", "the name of the profile, host or remote in it; without one it is the connection's")
	f.BoolVar(&x.hidden, "no-secrets", false, "with placeholders in place of secrets")
	f.BoolVar(&x.variables, "variables", false, "with environment variables in place of secrets, where the format has them")
	f.BoolVar(&x.run, "run", false, "run the command after --")
	return c
}

// given is a saved connection with all its secrets.
func (a *app) given(ctx context.Context, name string) (use.Given, error) {
	b, c, err := a.named(ctx, name)
	if err != nil {
		return use.Given{}, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return use.Given{}, err
	}
	s, err := b.Whole(ctx, c.ID)
	return use.Given{Type: t, Name: c.Name, Settings: s}, err
}

func (a *app) usable(g use.Given) error {
	list := use.Formats(g)
	if a.json {
		type formatJSON struct {
			ID      string   `json:"id"`
			Name    string   `json:"name"`
			For     string   `json:"for"`
			File    string   `json:"file"`
			Clear   bool     `json:"clear"`
			Missing []string `json:"missing"`
		}
		out := []formatJSON{}
		for _, f := range list {
			out = append(out, formatJSON{f.ID, f.Name, f.For, f.File, f.Clear, append([]string{}, f.Missing...)})
		}
		return a.document(out)
	}
	if len(list) == 0 {
		_, _ = fmt.Fprintln(a.err, "No other tool's format fits this type.")
		return nil
	}
	return table(a.out, []string{"FORMAT", "NAME", "READ BY", "MISSING"}, func(yield func([]string) bool) {
		for _, f := range list {
			if !yield([]string{f.ID, f.Name, f.For, strings.Join(f.Missing, ", ")}) {
				return
			}
		}
	})
}

func (a *app) useAs(x *using, g use.Given) error {
	o := use.Options{Profile: x.profile, Secrets: use.Reveal}
	switch {
	case x.hidden && x.variables:
		return misuse{errors.New("either --no-secrets or --variables")}
	case x.hidden:
		o.Secrets = use.Placeholder
	case x.variables:
		o.Secrets = use.Variable
	}
	if x.out != "" && x.out != "-" {
		if dir, err := filepath.Abs(filepath.Dir(x.out)); err == nil {
			o.Folder = dir
		}
	}
	text, err := use.Write(x.as, g, o)
	if err != nil {
		return err
	}
	if err := a.usedFiles(x.out, text.Files); err != nil {
		return err
	}
	body := strings.TrimRight(text.Body.Reveal(), "\n") + "\n"
	if err := a.deliver(x.out, []byte(body), text.Format.Clear && o.Secrets == use.Reveal); err != nil {
		return err
	}
	for _, w := range text.Warnings {
		_, _ = fmt.Fprintln(a.err, w)
	}
	for _, l := range text.Left {
		_, _ = fmt.Fprintf(a.err, "Left out: %s\n", l)
	}
	return nil
}

// usedFiles writes the key files that a text names beside it.
func (a *app) usedFiles(out string, files []use.File) error {
	if len(files) == 0 {
		return nil
	}
	if out == "" || out == "-" {
		for _, f := range files {
			_, _ = fmt.Fprintf(a.err, "It names the file %s, which is written with --out.\n", f.Name)
		}
		return nil
	}
	dir, err := os.OpenRoot(filepath.Dir(out))
	if err != nil {
		return misuse{err}
	}
	defer func() { _ = dir.Close() }()
	for _, f := range files {
		if err := besideIt(dir, f); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(a.err, "Written: %s\n", filepath.Join(filepath.Dir(out), f.Name))
	}
	return nil
}

func besideIt(dir *os.Root, f use.File) error {
	w, err := dir.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.Mode).Perm())
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s is there already; nothing was replaced", f.Name)
		}
		return misuse{err}
	}
	_, err = w.WriteString(f.Body.Reveal())
	return errors.Join(err, w.Close())
}

// runWith runs a command with the connection's variables. They are in the
// environment of that command alone, and die with it.
func (a *app) runWith(ctx context.Context, g use.Given, command []string) error {
	if len(command) == 0 {
		return misuse{errors.New("the command is missing: jf use NAME --run -- COMMAND")}
	}
	vars, err := use.Env(g)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, a.out, a.err
	cmd.Env = append(os.Environ(), pairs(vars)...)
	err = cmd.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return exit{max(ended.ExitCode(), 1)}
	case err != nil:
		return misuse{err}
	}
	return nil
}

func pairs(vars []use.Var) []string {
	var out []string
	for _, v := range vars {
		out = append(out, v.Name+"="+v.Value.Reveal())
	}
	return out
}
