package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"golang.org/x/term"

	"jackfield/connectors"
)

// maxAddress bounds a pasted address.
const maxAddress = 16 << 10

// pasting is a sign-in whose browser is on another machine.
type pasting struct {
	a     *app
	ends  string // how the address begins at which it ends
	asked int
}

// tell prints the link. No browser is opened here.
func (p *pasting) tell(_ context.Context, page string) error {
	p.asked, p.ends = 0, ""
	if u, err := url.Parse(page); err == nil {
		p.ends = connectors.Clean(u.Query().Get("redirect_uri"), 200)
	}
	_, err := fmt.Fprintf(p.a.err, "\nOpen this link in a browser on any machine, and sign in there:\n  %s\n\nAt its end the browser says that it cannot reach a page. That is fine: copy the address of that page.\n", connectors.Clean(page, 0))
	return err
}

// ask waits for the address. Asked again, it says that the last was wrong.
func (p *pasting) ask(ctx context.Context) (string, error) {
	in, ok := p.a.terminal()
	if !ok {
		return "", connectors.ErrNobody
	}
	p.asked++
	if p.asked > 1 {
		_, _ = fmt.Fprintf(p.a.err, "That was not where this sign-in ends. Copy the whole address; it begins with %s\n", p.ends)
	}
	_, _ = fmt.Fprint(p.a.err, "The address where the browser ended: ")
	return p.a.longLine(ctx, in)
}

// longLine reads one line of any length. A terminal's own lines end at 4095
// characters, on macOS at 1024 (MAX_CANON), and a sign-in's address may be
// longer; so that here every key is read by itself.
func (a *app) longLine(ctx context.Context, in *os.File) (string, error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return "", connectors.ErrNobody
	}
	defer func() {
		_ = term.Restore(int(in.Fd()), before)
		_, _ = fmt.Fprintln(a.err)
	}()
	s, err := untilDone(ctx, func() (connectors.Secret, error) {
		line, err := rawLine(in, a.err)
		return connectors.NewSecret(line), err
	})
	return s.Reveal(), err
}

// rawLine reads keys until Enter and echoes what is kept.
func rawLine(in interface{ Read([]byte) (int, error) }, echo interface{ Write([]byte) (int, error) }) (string, error) {
	var line []byte
	buffer := make([]byte, 4096)
	for {
		n, err := in.Read(buffer)
		if err != nil {
			return "", err
		}
		for _, c := range buffer[:n] {
			switch {
			case c == '\r' || c == '\n':
				return string(line), nil
			case c == 3 || c == 4 && len(line) == 0: // Ctrl+C, Ctrl+D
				return "", &connectors.Error{Code: connectors.Cancelled}
			case (c == 8 || c == 0x7f) && len(line) > 0: // Backspace
				line = line[:len(line)-1]
				_, _ = echo.Write([]byte("\b \b"))
			case c > ' ' && c < 0x7f && len(line) < maxAddress: // what addresses are made of
				line = append(line, c)
				_, _ = echo.Write([]byte{c})
			}
		}
	}
}
