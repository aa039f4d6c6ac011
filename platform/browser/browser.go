// Package browser opens a page in the system's browser.
//
// It starts the opener itself instead of calling pkg/browser, whose
// OpenURL writes the child's output to this program's standard output (which
// belongs to jf's data), waits for it without end, and takes any text as a URL.
package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long the opener may take: it only hands the link over.
const patience = 5 * time.Second

// maxOutput is how much of an opener's chatter is kept for the error.
const maxOutput = 500

// ErrURL means that a link is not one that may be opened.
var ErrURL = errors.New("only web pages are opened")

// Check wants https, or http for this machine, and nothing that a shell, a
// terminal or a program's option parser could take for something else.
func Check(link string) error {
	for _, r := range link {
		if r <= 0x20 || r == 0x7f || r == '"' || r == '\\' || r == '`' || r > 0x7e {
			return fmt.Errorf("%w: it has a character that no link has", ErrURL)
		}
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.User != nil {
		return ErrURL
	}
	if u.Scheme == "https" || (u.Scheme == "http" && loopback(u.Hostname())) {
		return nil
	}
	return fmt.Errorf("%w: its scheme is %q", ErrURL, u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Open shows link. It returns once the opener has taken the link, or failed, or
// has not ended after five seconds (which counts as fine: some openers are the
// browser itself). The caller shows the link to copy in any case.
func Open(ctx context.Context, link string) error {
	if err := Check(link); err != nil {
		return err
	}
	var errs []error
	for _, argv := range openers(os.Getenv("BROWSER")) {
		if ctx.Err() != nil {
			return context.Cause(ctx) // who stopped wants no other browser either
		}
		err := start(ctx, withLink(argv, link), link)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("no browser could be opened: %w", errors.Join(errs...))
}

// own is the user's $BROWSER: a list of programs, as xdg-open reads it, with
// arguments but without a shell. %s stands for the link.
func own(list string) [][]string {
	var out [][]string
	for one := range strings.SplitSeq(list, string(os.PathListSeparator)) {
		argv := strings.Fields(one)
		if len(argv) > 0 {
			out = append(out, argv)
		}
	}
	return out
}

// withLink puts the link where %s stands, else last.
func withLink(argv []string, link string) []string {
	out := make([]string, 0, len(argv)+1)
	put := false
	for _, a := range argv {
		if strings.Contains(a, "%s") {
			a, put = strings.ReplaceAll(a, "%s", link), true
		}
		out = append(out, a)
	}
	if !put {
		out = append(out, link)
	}
	return out
}

func start(ctx context.Context, argv []string, link string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	// Not CommandContext: the browser must outlive the dialog that opened it.
	cmd := exec.Command(path, argv[1:]...)
	var out capped
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			return fmt.Errorf("%s: %w: %s", argv[0], err, strings.ReplaceAll(out.String(), link, "the link"))
		}
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type capped struct{ buf bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := maxOutput - c.buf.Len(); room > 0 {
		c.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (c *capped) String() string { return strings.TrimSpace(c.buf.String()) }
