package mail

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// Bounds of what a server may say (RFC 5321 section 4.5.3.1 has 512 bytes).
const (
	maxReplyLine  = 4 << 10
	maxReplyLines = 200
	maxInline     = 500 // bytes of an AUTH line; longer first messages follow on their own (RFC 4954 section 4)
)

// A reply is one answer of the server (RFC 5321 section 4.2).
type reply struct {
	code     int
	enhanced string // RFC 3463: "5.7.8", where the server tells it
	lines    []string
}

var enhancedShape = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?: |$)`)

// said is the answer in one line, without the codes repeated on every line.
func (r reply) said() string {
	var text []string
	for _, l := range r.lines {
		text = append(text, strings.TrimSpace(strings.TrimPrefix(l, r.enhanced)))
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", r.code, r.enhanced, strings.Join(text, " ")))
}

// An extension is one line of the answer to EHLO.
type extension struct{ name, params string }

type extensions []extension

func (x extensions) find(name string) (params string, ok bool) {
	for _, e := range x {
		if strings.EqualFold(e.name, name) {
			return e.params, true
		}
	}
	return "", false
}

// mechanisms are the ways to sign in; “AUTH=LOGIN” is how old servers wrote it.
func (x extensions) mechanisms() []string {
	var out []string
	for _, e := range x {
		name, old, _ := strings.Cut(e.name, "=")
		if !strings.EqualFold(name, "AUTH") {
			continue
		}
		for _, m := range strings.Fields(old + " " + e.params) {
			if !has(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// A smtpLink is one connection.
type smtpLink struct {
	*wire
	c        smtpConfig
	addr     string
	banner   string
	name     string     // the server's, from its answer to EHLO
	clear    extensions // before the encryption, where it began in the clear
	offers   extensions
	mech     string
	secured  string
	upgraded bool
}

func (k *smtpLink) rested() time.Duration { return time.Since(k.used) }

func (k *smtpLink) leave() { k.wire.leave("QUIT\r\n") }

// ask sends one command and reads its answer, whatever it is.
func (k *smtpLink) ask(command string) (reply, error) {
	if strings.ContainsAny(command, "\r\n\x00") {
		return reply{}, &connectors.Error{Code: connectors.BadInput, Reason: "mail.line_break", Op: connectors.StageForm}
	}
	if err := k.write(command + "\r\n"); err != nil {
		return reply{}, err
	}
	return k.answer()
}

func (k *smtpLink) answer() (reply, error) {
	var r reply
	for {
		line, err := k.line(maxReplyLine)
		if err != nil {
			return r, err
		}
		code, last, text, ok := splitReply(line)
		if !ok || len(r.lines) > 0 && code != r.code || len(r.lines) == maxReplyLines {
			k.kill()
			return r, errNoProtocol
		}
		if len(r.lines) == 0 {
			r.code = code
			if m := enhancedShape.FindStringSubmatch(text); m != nil {
				r.enhanced = m[1]
			}
		}
		r.lines = append(r.lines, text)
		if !last {
			continue
		}
		if code == 421 { // the server hangs up after it
			k.broken.Store(true)
		}
		return r, nil
	}
}

func splitReply(line string) (code int, last bool, text string, ok bool) {
	if len(line) < 3 {
		return 0, false, "", false
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 200 || code > 599 {
		return 0, false, "", false
	}
	if len(line) == 3 {
		return code, true, "", true
	}
	return code, line[3] == ' ', line[4:], line[3] == ' ' || line[3] == '-'
}

func (k *smtpLink) greet() error {
	r, err := k.answer()
	if err != nil {
		return err
	}
	if r.code != 220 {
		return greetingError(k, r)
	}
	k.banner = strings.Join(r.lines, " ")
	if err := k.hello(); err != nil {
		return err
	}
	if k.c.Security == secStartTLS {
		k.clear = k.offers
	}
	return nil
}

// hello asks for the extensions; a server that knows none is greeted the old way.
func (k *smtpLink) hello() error {
	name := k.c.EHLO
	if name == "" {
		name = local(k.tcp)
	}
	r, err := k.ask("EHLO " + name)
	if err == nil && (r.code == 500 || r.code == 502) {
		r, err = k.ask("HELO " + name)
	}
	if err != nil {
		return err
	}
	if r.code != 250 {
		return helloError(k, r)
	}
	k.name, _, _ = strings.Cut(r.lines[0], " ")
	k.offers = nil
	for _, l := range r.lines[1:] {
		name, params, _ := strings.Cut(strings.TrimSpace(l), " ")
		if name != "" {
			k.offers = append(k.offers, extension{name, strings.TrimSpace(params)})
		}
	}
	return nil
}

func (k *smtpLink) startTLS() error {
	if _, ok := k.offers.find("STARTTLS"); !ok {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "mail.no_starttls", Op: connectors.StageSecure, Target: k.addr, Field: "security"}
	}
	r, err := k.ask("STARTTLS")
	if err != nil {
		return err
	}
	if r.code != 220 {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "mail.no_starttls", Op: connectors.StageSecure, Target: k.addr, Field: "security", Said: r.said()}
	}
	return nil
}

func (k *smtpLink) again() error {
	k.upgraded = true
	return k.hello()
}

func (k *smtpLink) signIn() error {
	offered := k.offers.mechanisms()
	k.mech = choose(k.c.Auth, offered, k.c.Security != secNone)
	if k.mech == "" {
		if _, can := k.offers.find("STARTTLS"); can && len(offered) == 0 && k.c.Security == secNone {
			return &connectors.Error{Code: connectors.Refused, Reason: "mail.need_tls", Op: connectors.StageSignIn, Target: k.addr, Field: "security"}
		}
		return noMechanism(k.c.account, k.addr, offered)
	}
	m, err := newMechanism(k.mech, k.c.account)
	if err != nil {
		return err
	}
	err = authenticate(m, exchange{
		inline: func(name, first string) bool { return len(name)+len(first) < maxInline },
		begin: func(name, first string) (string, bool, error) {
			return k.challenge(strings.TrimSpace("AUTH " + name + " " + first))
		},
		answer: k.challenge,
	})
	var refused *smtpRefusal
	if errors.As(err, &refused) {
		return authError(k, refused.reply, m)
	}
	return err
}

// A smtpRefusal is an answer that ends a sign-in.
type smtpRefusal struct{ reply reply }

func (e *smtpRefusal) Error() string { return e.reply.said() }

func (k *smtpLink) challenge(message string) (string, bool, error) {
	r, err := k.ask(message)
	switch {
	case err != nil:
		return "", false, err
	case r.code == 334:
		return strings.TrimSpace(r.lines[0]), true, nil
	case r.code == 235:
		return "", false, nil
	}
	return "", false, &smtpRefusal{r}
}

// alive asks for nothing; the connection is proved to work, and the sign-in with it.
func (k *smtpLink) alive(ctx context.Context) error {
	return k.within(ctx, func() error { return k.want("NOOP") })
}

// want sends a command that must be answered with a 2.
func (k *smtpLink) want(command string) error {
	r, err := k.ask(command)
	if err == nil && r.code >= 300 {
		err = stepError(k, command, r)
	}
	return err
}

// mayFrom asks whether a sender is allowed, and takes the question back.
func (k *smtpLink) mayFrom(from string) error {
	if err := k.want(k.mailFrom(from)); err != nil {
		return err
	}
	return k.want("RSET")
}

func (k *smtpLink) mailFrom(from string) string {
	out := "MAIL FROM:<" + from + ">"
	if !ascii(from) {
		out += " SMTPUTF8"
	}
	return out
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
