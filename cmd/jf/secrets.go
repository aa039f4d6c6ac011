package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"jackfield/connectors"
)

// maxSecret bounds what is read as one secret: a key file is a few kB.
const maxSecret = 1 << 20

// answers turns --set and --secret flags into settings. A secret's value is
// never on the command line: it is @FILE, - (standard input), env:NAME, or
// nothing after the key, which asks.
func (a *app) answers(ctx context.Context, t connectors.Type, set, secret []string) (connectors.Settings, error) {
	s := connectors.NewSettings()
	for _, pair := range set {
		key, value, ok := strings.Cut(pair, "=")
		f, known := t.Form.Field(key)
		switch {
		case !ok:
			return s, misuse{fmt.Errorf("--set wants key=value, and %q has no =", key)}
		case !known:
			return s, misuse{fmt.Errorf("%s has no field %q; jf describe %s lists them", t.ID, key, t.ID)}
		case f.Kind.Secret():
			return s, misuse{fmt.Errorf("%s is a secret and would be seen on the command line: use --secret %s=@FILE, %s=- or %s=env:NAME", key, key, key, key)}
		}
		text, err := plainValue(f, value)
		if err != nil {
			return s, misuse{err}
		}
		s.Plain[key] = text
	}
	for _, pair := range secret {
		key, from, _ := strings.Cut(pair, "=")
		f, known := t.Form.Field(key)
		if !known || !f.Kind.Secret() {
			return s, misuse{fmt.Errorf("%s has no secret %q; jf describe %s lists them", t.ID, key, t.ID)}
		}
		text, err := a.secretFrom(ctx, f, from)
		if err != nil {
			return s, err
		}
		s.Secrets[key] = connectors.NewSecret(text)
	}
	split(t, s)
	return s, nil
}

// split lets a pasted address answer several questions, as it does in the form:
// sftp://mira@files.example.com/reports as the host. What was answered in so
// many words stays.
func split(t connectors.Type, s connectors.Settings) {
	given := s.Clone()
	for _, f := range t.Form.Fields {
		text, ok := given.Plain[f.Key]
		if !ok || f.Split == nil {
			continue
		}
		for key, part := range f.Split(text) {
			other, known := t.Form.Field(key)
			_, answered := given.Plain[key]
			switch {
			case !known || answered && key != f.Key:
			case !other.Kind.Secret():
				s.Plain[key] = part
			case given.Secrets[key].Empty():
				s.Secrets[key] = connectors.NewSecret(part)
			}
		}
	}
}

// plainValue reads @FILE for answers of several lines, such as certificates.
func plainValue(f connectors.Field, value string) (string, error) {
	name, isFile := strings.CutPrefix(value, "@")
	if !isFile || (f.Kind != connectors.Lines && f.Kind != connectors.JSON) {
		return value, nil
	}
	data, err := readFile(name)
	return string(data), err
}

func (a *app) secretFrom(ctx context.Context, f connectors.Field, from string) (string, error) {
	switch {
	case strings.HasPrefix(from, "@"):
		data, err := readFile(from[1:])
		if err != nil {
			return "", misuse{err}
		}
		return oneLine(f, connectors.FileText(data)), nil
	case from == "-":
		data, err := io.ReadAll(io.LimitReader(a.in, maxSecret))
		if err != nil {
			return "", misuse{fmt.Errorf("standard input: %w", err)}
		}
		return oneLine(f, connectors.FileText(data)), nil
	case strings.HasPrefix(from, "env:"):
		v, ok := os.LookupEnv(from[4:])
		if !ok {
			return "", misuse{fmt.Errorf("the environment variable %s is not set", from[4:])}
		}
		return v, nil
	case from == "":
		s, err := a.input(ctx, connectors.Prompt{Title: f.Label})
		return s.Reveal(), err
	}
	return "", misuse{fmt.Errorf("--secret %s: the value itself may not stand on the command line; use @FILE, -, env:NAME, or %s= to be asked", f.Key, f.Key)}
}

// oneLine drops the line end that editors and echo put after a password.
func oneLine(f connectors.Field, v string) string {
	if f.Kind == connectors.SecretText {
		return strings.TrimRight(v, "\r\n")
	}
	return v
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(data) > maxSecret {
		err = fmt.Errorf("%s is larger than %d bytes; is it the right file?", name, maxSecret)
	}
	return data, err
}

// asker reaches the person at the terminal; without one nobody is there. With
// paste no browser is opened here: the person opens the link elsewhere and
// pastes the address where it ended.
func (a *app) asker(paste bool) connectors.Asker {
	ask := connectors.Asker{OpenURL: a.openURL, ShowCode: a.showCode}
	_, ok := a.terminal()
	if ok {
		ask.Input, ask.Trust = a.input, a.trust
	}
	switch {
	case paste && ok:
		p := &pasting{a: a}
		ask.OpenURL, ask.Pasted = p.tell, p.ask
	case paste:
		ask.OpenURL = nil
	}
	return ask
}

func (a *app) openURL(ctx context.Context, url string) error {
	_, _ = fmt.Fprintf(a.err, "\nSign in with the browser. If it does not open, copy this link:\n  %s\n\n", url)
	if err := a.world.OpenURL(ctx, url); err != nil {
		a.logger().Warn("no browser", "error", err)
		_, _ = fmt.Fprintln(a.err, "  No browser could be opened here: copy the link into one on this computer. For a browser on another one, stop and add --paste.")
	}
	return nil
}

func (a *app) showCode(_ context.Context, c connectors.DeviceCode) error {
	until := ""
	if !c.Expires.IsZero() {
		until = "\n  The code is good until " + c.Expires.Local().Format("15:04") + "."
	}
	_, err := fmt.Fprintf(a.err, "\nOpen this page on any device and type the code:\n  %s\n  %s%s\n\n", connectors.Clean(c.URL, 2048), connectors.Clean(c.Code, 64), until)
	return err
}

func (a *app) input(ctx context.Context, p connectors.Prompt) (connectors.Secret, error) {
	in, ok := a.terminal()
	if !ok {
		return connectors.Secret{}, connectors.ErrNobody
	}
	if p.Text != "" {
		_, _ = fmt.Fprintln(a.err, connectors.Clean(p.Text, 500))
	}
	_, _ = fmt.Fprintf(a.err, "%s: ", connectors.Clean(p.Title, 200))
	return untilDone(ctx, func() (connectors.Secret, error) {
		if p.Echo {
			line, err := bufio.NewReader(in).ReadString('\n')
			return connectors.NewSecret(strings.TrimRight(line, "\r\n")), err
		}
		text, err := term.ReadPassword(int(in.Fd()))
		_, _ = fmt.Fprintln(a.err)
		return connectors.NewSecret(string(text)), err
	})
}

func (a *app) trust(ctx context.Context, r connectors.TrustRequest) (bool, error) {
	_, _ = fmt.Fprintf(a.err, "\nNothing vouches yet for the %s of %s.\n  %s %s\n", r.Kind, connectors.Clean(r.Host, 200), connectors.Clean(r.Algorithm, 40), r.Fingerprint)
	for _, f := range r.Facts {
		_, _ = fmt.Fprintf(a.err, "  %s: %s\n", f.Label, connectors.Clean(f.Text, 200))
	}
	answer, err := a.input(ctx, connectors.Prompt{Title: "Compare the fingerprint with the administrator. Trust it? (yes/no)", Echo: true})
	return strings.EqualFold(strings.TrimSpace(answer.Reveal()), "yes"), err
}

// passphrase asks for what opens a store that has no keychain.
func (a *app) passphrase(ctx context.Context, fresh bool) ([]byte, error) {
	title := "Passphrase of the Jackfield store"
	if fresh {
		title = "Choose a passphrase for the Jackfield store: it protects the saved secrets in place of a keychain, and nobody can recover it"
	}
	s, err := a.input(ctx, connectors.Prompt{Title: title})
	if errors.Is(err, connectors.ErrNobody) {
		return nil, &connectors.Error{Code: connectors.Storage, Reason: "keychain.no_passphrase", Err: err}
	}
	if err != nil || !fresh || s.Empty() {
		return []byte(s.Reveal()), err
	}
	again, err := a.input(ctx, connectors.Prompt{Title: "The same once more"})
	if err == nil && again.Reveal() != s.Reveal() {
		return nil, misuse{errors.New("the two passphrases differ; nothing was saved")}
	}
	return []byte(s.Reveal()), err
}

// untilDone returns when ctx ends although a terminal read cannot be cancelled;
// the program ends soon after.
func untilDone(ctx context.Context, read func() (connectors.Secret, error)) (connectors.Secret, error) {
	type answer struct {
		s   connectors.Secret
		err error
	}
	got := make(chan answer, 1)
	go func() {
		s, err := read()
		got <- answer{s, err}
	}()
	select {
	case <-ctx.Done():
		return connectors.Secret{}, context.Cause(ctx)
	case g := <-got:
		return g.s, g.err
	}
}
