package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
)

// A imapLink is one connection.
type imapLink struct {
	*wire
	c       imapConfig
	addr    string
	parser  parser
	number  int
	banner  string
	caps    []string
	mech    string
	secured string
	pre     bool      // the server took us in without a sign-in
	bye     *response // why the server hangs up
}

func newIMAPLink(w *wire, c imapConfig, addr string) *imapLink {
	return &imapLink{wire: w, c: c, addr: addr, parser: parser{w: w}}
}

func (k *imapLink) rested() time.Duration { return time.Since(k.used) }

func (k *imapLink) leave() { k.wire.leave("bye LOGOUT\r\n") }

func (k *imapLink) alive(ctx context.Context) error {
	return k.within(ctx, func() error { return k.run(say("NOOP"), nil) })
}

// A command is sent in pieces: after each but the last the server has to say
// that it goes on (literals, RFC 9051 section 4.3).
type command []string

func say(text string) command { return command{text} }

// with adds an argument, as a quoted string where that can hold it.
func (c command) with(arg string) command {
	out := slices.Clone(c)
	last := len(out) - 1
	if strings.ContainsFunc(arg, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		out[last] += fmt.Sprintf(" {%d}", len(arg))
		return append(out, arg)
	}
	out[last] += ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(arg) + `"`
	return out
}

func (c command) and(text string) command {
	out := slices.Clone(c)
	out[len(out)-1] += text
	return out
}

// An imapRefusal is NO, BAD or BYE.
type imapRefusal struct{ response }

func (e *imapRefusal) Error() string {
	if e.code == "" {
		return e.status + " " + e.text
	}
	return fmt.Sprintf("%s [%s] %s", e.status, e.code, e.text)
}

// send writes a command and returns its tag.
func (k *imapLink) send(c command) (string, error) {
	k.number++
	tag := k.tag()
	for i, piece := range c {
		if i == 0 {
			piece = tag + " " + piece
		}
		if err := k.write(piece + "\r\n"); err != nil {
			return tag, err
		}
		if i == len(c)-1 {
			break
		}
		if _, ended, err := k.until(tag, nil, maxResponse); err != nil || ended {
			return tag, errors.Join(err, k.ifEnded(ended))
		}
	}
	return tag, nil
}

func (k *imapLink) ifEnded(ended bool) error {
	if !ended {
		return nil
	}
	k.kill()
	return errNoProtocol
}

func (k *imapLink) tag() string { return fmt.Sprintf("J%d", k.number) }

// run sends one command and waits for its end; each untagged response goes to
// on. An error of on ends the connection, because the rest is not waited for.
func (k *imapLink) run(c command, on func(response) error) error {
	return k.runUpTo(c, maxResponse, on)
}

func (k *imapLink) runUpTo(c command, max int, on func(response) error) error {
	tag, err := k.send(c)
	if err != nil {
		return err
	}
	_, ended, err := k.until(tag, on, max)
	if err == nil {
		err = k.ifEnded(!ended) // a "+" that nobody waits for
	}
	return err
}

// until reads up to the end of the command with the tag, or up to the server's
// "+", whose text it returns.
func (k *imapLink) until(tag string, on func(response) error, max int) (text string, ended bool, err error) {
	r, err := k.next(max, on)
	switch {
	case err != nil:
		return "", true, err
	case r.tag == "+":
		return strings.TrimSpace(r.text), false, nil
	case r.tag != tag:
		return "", true, k.ifEnded(true)
	case r.status != "OK":
		return "", true, &imapRefusal{r}
	}
	return "", true, nil
}

// next reads up to a response that is not untagged.
func (k *imapLink) next(max int, on func(response) error) (response, error) {
	for {
		r, err := k.parser.read(max)
		if err != nil {
			if k.bye != nil { // the server's own reason for hanging up
				return r, &imapRefusal{*k.bye}
			}
			return r, err
		}
		if r.status == "OK" || r.status == "" {
			k.learn(r)
		}
		if r.tag != "*" {
			return r, nil
		}
		if r.status == "BYE" {
			k.bye = &r
		}
		if on == nil || r.status != "" && r.code == "" {
			continue
		}
		if err := on(r); err != nil {
			k.kill()
			return r, err
		}
	}
}

// learn keeps the capabilities wherever they are told.
func (k *imapLink) learn(r response) {
	if r.code == "CAPABILITY" {
		k.caps = strings.Fields(r.args)
		return
	}
	if name, _, rest := r.kind(); name == "CAPABILITY" && r.status == "" {
		k.caps = nil
		for _, v := range rest {
			k.caps = append(k.caps, v.text)
		}
	}
}

func (k *imapLink) can(name string) bool { return has(k.caps, name) }

func (k *imapLink) greet() error {
	r, err := k.parser.read(maxStatusLine)
	if err != nil {
		return err
	}
	if r.tag != "*" || r.status == "" {
		return errNoProtocol
	}
	if r.status != "OK" && r.status != "PREAUTH" {
		k.kill()
		return imapSignInError(k, &imapRefusal{r}, mechanism{})
	}
	k.banner, k.pre = r.text, r.status == "PREAUTH"
	k.learn(r)
	if k.pre && k.c.Security == secStartTLS {
		// STARTTLS is not possible any more (RFC 9051 section 11.1), and going on
		// would be in the clear.
		return &connectors.Error{Code: connectors.Refused, Reason: "mail.preauth", Op: connectors.StageSecure, Target: k.addr, Field: "security"}
	}
	if k.caps == nil {
		return k.run(say("CAPABILITY"), nil)
	}
	return nil
}

func (k *imapLink) startTLS() error {
	out := &connectors.Error{Code: connectors.Unsupported, Reason: "mail.no_starttls", Op: connectors.StageSecure, Target: k.addr, Field: "security"}
	if !k.can("STARTTLS") {
		return out
	}
	err := k.run(say("STARTTLS"), nil)
	var refused *imapRefusal
	if errors.As(err, &refused) {
		out.Said = refused.Error()
		return out
	}
	return err
}

// again forgets what was said in the clear (RFC 9051 section 6.2.1).
func (k *imapLink) again() error {
	k.caps = nil
	return k.run(say("CAPABILITY"), nil)
}

// offered are the ways to sign in.
func (k *imapLink) offered() []string {
	var out []string
	for _, c := range k.caps {
		if len(c) > 5 && strings.EqualFold(c[:5], "AUTH=") {
			out = append(out, strings.ToUpper(c[5:]))
		}
	}
	return out
}

func (k *imapLink) signIn() error {
	if k.pre {
		return nil
	}
	offered := k.offered()
	plainly := !k.can("LOGINDISABLED")
	k.mech = choose(k.c.Auth, offered, k.c.Security != secNone)
	var err error
	var m mechanism
	switch {
	case k.mech != "":
		if m, err = newMechanism(k.mech, k.c.account); err == nil {
			err = authenticate(m, exchange{
				inline: func(string, string) bool { return false },
				begin:  func(name, _ string) (string, bool, error) { return k.begin(name) },
				answer: k.challenge,
			})
		}
	case plainly && (k.c.Auth == authLogin || k.c.Auth == authAuto && k.c.Security != secNone):
		k.mech = "LOGIN command"
		err = k.run(say("LOGIN").with(k.c.User).with(k.c.Password.Reveal()), nil)
	default:
		return k.noWay(offered, plainly)
	}
	if err != nil {
		return imapSignInError(k, err, m)
	}
	// What can be done may differ after the sign-in.
	return k.run(say("CAPABILITY"), nil)
}

// noWay says why there is no way to sign in.
func (k *imapLink) noWay(offered []string, plainly bool) error {
	if !plainly && k.c.Security == secNone && !k.c.tokens() {
		return &connectors.Error{Code: connectors.Refused, Reason: "mail.need_tls", Op: connectors.StageSignIn, Target: k.addr, Field: "security", Said: "LOGINDISABLED"}
	}
	if plainly {
		offered = append(offered, "LOGIN")
	}
	return noMechanism(k.c.account, k.addr, offered)
}

func (k *imapLink) begin(name string) (string, bool, error) {
	tag, err := k.send(say("AUTHENTICATE " + name))
	if err != nil {
		return "", false, err
	}
	text, ended, err := k.until(tag, nil, maxStatusLine)
	return text, !ended, err
}

func (k *imapLink) challenge(message string) (string, bool, error) {
	if err := k.write(message + "\r\n"); err != nil {
		return "", false, err
	}
	text, ended, err := k.until(k.tag(), nil, maxStatusLine)
	return text, !ended, err
}
