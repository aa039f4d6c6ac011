package mail

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

// What a smtpSession lists: the server itself, its extensions after the sign-in
// is possible, and with STARTTLS those before it.
const (
	idServer = "@server"
	idClear  = "@before"
	idAuth   = "AUTH"
)

type smtpSession struct {
	c     smtpConfig
	door  *door
	links pool[*smtpLink]
	shown *smtpLink // the first connection, for what it was told; only its words are used
}

func startSMTP(ctx context.Context, env *connectors.Env, d *door, c smtpConfig) (connectors.Session, error) {
	s := &smtpSession{c: c, door: d}
	s.links.enter = func(ctx context.Context) (*smtpLink, error) { return s.enter(ctx, env) }
	k, err := s.links.take(ctx)
	if err != nil {
		return nil, err
	}
	s.shown = k
	if c.CheckFrom && c.sender() != "" {
		err = env.Climb(ctx, connectors.StageRights, c.sender(), func(ctx context.Context) (string, error) {
			return c.sender(), d.explain(k.wire, k.within(ctx, func() error { return k.mayFrom(c.sender()) }))
		})
	}
	s.links.give(k)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *smtpSession) enter(ctx context.Context, env *connectors.Env) (*smtpLink, error) {
	w, err := s.door.dial(ctx, env)
	if err != nil {
		return nil, err
	}
	k := &smtpLink{wire: w, c: s.c, addr: s.door.addr}
	if k.secured, err = s.door.enter(ctx, env, w, k); err != nil {
		return nil, err
	}
	return k, nil
}

// sender is the address that mail comes from; "" where none is known.
func (c smtpConfig) sender() string {
	if c.From != "" {
		return c.From
	}
	if a, err := address(c.User); err == nil && strings.Contains(a, "@") {
		return a
	}
	return ""
}

// Check proves that the connection and its sign-in stand.
func (s *smtpSession) Check(ctx context.Context) ([]connectors.Fact, error) {
	k, err := s.links.take(ctx)
	if err != nil {
		return nil, err
	}
	err = k.within(ctx, func() error { return k.want("NOOP") })
	s.links.give(k)
	if err != nil {
		return nil, s.lost(k, err)
	}
	facts := []connectors.Fact{{Label: "Account", Text: s.c.User}}
	if s.c.Auth == authNone {
		facts[0].Text = "nobody (no sign-in)"
	}
	facts = append(facts, connectors.Fact{Label: "Server", Text: connectors.Clean(k.banner, 200)}, connectors.Fact{Label: "Encryption", Text: k.secured})
	if k.mech != "" {
		facts = append(facts, connectors.Fact{Label: "Signed in with", Text: k.mech})
	}
	if size := sizeLimit(k.offers); size != "" {
		facts = append(facts, connectors.Fact{Label: "Largest message", Text: size})
	}
	if from := s.c.sender(); from != "" {
		text := from + " (not asked)"
		if s.c.CheckFrom {
			text = from + " (allowed)"
		}
		facts = append(facts, connectors.Fact{Label: "Sender", Text: text})
	}
	return append(facts, propertyFacts(s.c)...), nil
}

func (s *smtpSession) lost(k *smtpLink, err error) error {
	if s.links.isClosed() {
		return closedError()
	}
	e := *connectors.Classify(s.door.explain(k.wire, err))
	if e.Reason == "connect.closed" {
		e.Code, e.Reason, e.Field = connectors.Unreachable, "mail.lost", ""
	}
	return &e
}

// sizeLimit is RFC 1870's; 0 and nothing mean that none is fixed.
func sizeLimit(x extensions) string {
	params, _ := x.find("SIZE")
	n, err := strconv.ParseUint(params, 10, 63)
	if err != nil || n == 0 {
		return ""
	}
	return humanize.IBytes(n)
}

// Children lists what the server said it can do; it was said when the connection
// was opened, so nothing is asked.
func (s *smtpSession) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		list, err := s.list(parent)
		for _, n := range list {
			if ctx.Err() != nil {
				break
			}
			if !yield(n, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			err = connectors.Classify(context.Cause(ctx))
		}
		if err != nil {
			yield(connectors.Node{}, err)
		}
	}
}

func (s *smtpSession) list(parent connectors.NodeID) ([]connectors.Node, error) {
	k := s.shown
	switch id := string(parent); {
	case id == "":
		out := []connectors.Node{s.serverNode()}
		if k.upgraded {
			out = append(out, connectors.Node{ID: idClear, Name: "Before encryption", Kind: "extensions", Branch: len(k.clear) > 0, Ordered: true})
		}
		return append(out, s.extensionNodes(k.offers, "")...), nil
	case id == idClear:
		return s.extensionNodes(k.clear, idClear+"/"), nil
	case strings.EqualFold(id, idAuth):
		return s.mechanismNodes(k.offers, ""), nil
	case id == idClear+"/"+idAuth:
		return s.mechanismNodes(k.clear, idClear+"/"), nil
	default:
		if s.known(id) {
			return nil, nil
		}
		return nil, &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: connectors.Clean(id, 100)}
	}
}

// known reports whether a node without children is there.
func (s *smtpSession) known(id string) bool {
	if id == idServer {
		return true
	}
	offers := s.shown.offers
	if rest, ok := strings.CutPrefix(id, idClear+"/"); ok {
		id, offers = rest, s.shown.clear
	}
	if m, ok := strings.CutPrefix(id, idAuth+"/"); ok {
		return has(offers.mechanisms(), m)
	}
	_, ok := offers.find(id)
	return ok
}

func (s *smtpSession) serverNode() connectors.Node {
	k := s.shown
	n := connectors.Node{ID: idServer, Name: k.name, Kind: "server", Access: connectors.AccessReadable, Ordered: true,
		Facts: []connectors.Fact{{Label: "Greeting", Text: connectors.Clean(k.banner, 200)}, {Label: "Encryption", Text: k.secured}}}
	if n.Name == "" {
		n.Name = s.door.addr
	}
	if size := sizeLimit(k.offers); size != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Largest message", Text: size})
	}
	return n
}

func (s *smtpSession) extensionNodes(x extensions, prefix string) []connectors.Node {
	var out []connectors.Node
	mechanisms := x.mechanisms()
	seen := map[string]bool{}
	for _, e := range x {
		name, _, _ := strings.Cut(e.name, "=")
		key := strings.ToUpper(name)
		if name == "" || seen[key] {
			continue
		}
		seen[key] = true
		n := connectors.Node{ID: connectors.NodeID(prefix + key), Name: name, Kind: "extension", Ordered: true}
		if key == idAuth {
			n.Branch = len(mechanisms) > 0
		} else if e.params != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Says", Text: connectors.Clean(e.params, 200)})
		}
		if meaning := meanings(key); meaning != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Means", Text: meaning})
		}
		if size := sizeLimit(extensions{e}); key == "SIZE" && size != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Largest message", Text: size})
		}
		out = append(out, n)
	}
	return out
}

// mechanismNodes are the ways to sign in, with whether they are offered on the
// other side of the encryption too.
func (s *smtpSession) mechanismNodes(x extensions, prefix string) []connectors.Node {
	var out []connectors.Node
	before, after := s.shown.clear.mechanisms(), s.shown.offers.mechanisms()
	for _, m := range x.mechanisms() {
		n := connectors.Node{ID: connectors.NodeID(prefix + idAuth + "/" + m), Name: m, Kind: "sign-in", Ordered: true}
		if s.shown.upgraded {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Offered", Text: offeredWhen(has(before, m), has(after, m))})
		}
		if has([]string{"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}, m) {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Sends", Text: "the password or token itself: only encryption protects it"})
		}
		if strings.EqualFold(m, s.shown.mech) {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Used", Text: "yes"})
		}
		out = append(out, n)
	}
	return out
}

func offeredWhen(before, after bool) string {
	switch {
	case before && after:
		return "before and after encryption"
	case before:
		return "before encryption only"
	}
	return "after encryption only"
}

// meanings are the extensions of
// https://www.iana.org/assignments/mail-parameters that tell something about a server.
func meanings(name string) string {
	return map[string]string{
		"8BITMIME": "takes text that is not ASCII (RFC 6152)", "AUTH": "ways to sign in (RFC 4954)", "BINARYMIME": "takes binary content (RFC 3030)",
		"CHUNKING": "takes messages in pieces (RFC 3030)", "DSN": "reports delivery when asked to (RFC 3461)", "ENHANCEDSTATUSCODES": "says in detail why it refuses (RFC 2034)",
		"ETRN": "delivers waiting mail when asked to (RFC 1985)", "LIMITS": "says how much it takes at once (RFC 9422)", "PIPELINING": "takes several commands at once (RFC 2920)",
		"REQUIRETLS": "can promise encryption all the way (RFC 8689)", "SIZE": "the largest message, in bytes (RFC 1870)", "SMTPUTF8": "takes addresses that are not ASCII (RFC 6531)",
		"STARTTLS": "switches to encryption (RFC 3207)", "VRFY": "says whether an address exists (RFC 5321)", "DELIVERBY": "takes a deadline for delivery (RFC 2852)",
		"FUTURERELEASE": "holds mail until a time (RFC 4865)", "MT-PRIORITY": "takes priorities (RFC 6710)",
	}[name]
}

// Close says goodbye and frees everything.
func (s *smtpSession) Close() error {
	s.links.close()
	return nil
}
