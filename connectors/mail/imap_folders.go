package mail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"jackfield/connectors"
)

const (
	// batch is how many folders of a level are read before the first is told: so
	// many need the connection no longer, and looking into one of them while the
	// others are listed takes no second one. A larger level is told as it comes.
	batch = 1000
	// counted is how many folders of a level are asked for their counts and rights.
	counted = 200
	// pipeline is how many questions are on their way at once.
	pipeline = 50
)

// A folder is a mailbox as the server lists it.
type folder struct {
	raw, delim string
	attrs      []string
	counts     *counts
	denied     bool    // its counts may not be seen
	rights     *string // RFC 4314; nil where the server was not asked
}

type counts struct {
	messages, unseen int64
	valid            bool
}

func (c counts) words() string {
	return fmt.Sprintf("%d messages, %d unread", c.messages, c.unseen)
}

func (f *folder) selectable() bool {
	return !has(f.attrs, `\Noselect`) && !has(f.attrs, `\NonExistent`)
}

// readFolder reads * LIST (\HasChildren) "/" "INBOX".
func readFolder(r response) (*folder, bool) {
	name, _, rest := r.kind()
	if r.status != "" || name != "LIST" || len(rest) < 3 || rest[2].isList {
		return nil, false
	}
	f := &folder{raw: mailboxName(rest[2])}
	if !rest[1].isNil {
		f.delim = rest[1].text
	}
	for _, a := range rest[0].list {
		f.attrs = append(f.attrs, a.text)
	}
	if f.delim != "" {
		f.raw = strings.TrimSuffix(f.raw, f.delim)
	}
	return f, f.raw != ""
}

// look finds one folder; nil where there is none of that name.
func (k *imapLink) look(raw string) (*folder, error) {
	var found *folder
	err := k.run(k.list(raw), func(r response) error {
		if f, ok := readFolder(r); ok && f.raw == raw {
			found = f
		}
		return nil
	})
	return found, err
}

// list asks for what matches, with what the server can tell along (RFC 5258, RFC 6154).
func (k *imapLink) list(pattern string) command {
	c := say(`LIST ""`).with(pattern)
	var more []string
	if k.can("LIST-EXTENDED") {
		more = append(more, "CHILDREN")
		if k.can("SPECIAL-USE") {
			more = append(more, "SPECIAL-USE")
		}
	}
	if len(more) > 0 {
		c = c.and(" RETURN (" + strings.Join(more, " ") + ")")
	}
	return c
}

func (k *imapLink) status(raw string) (counts, error) {
	var n counts
	err := k.run(statusOf(raw), func(r response) error {
		if name, c := readStatus(r); c.valid && name == raw {
			n = c
		}
		return nil
	})
	return n, err
}

func statusOf(raw string) command { return say("STATUS").with(raw).and(" (MESSAGES UNSEEN)") }

func readStatus(r response) (raw string, n counts) {
	name, _, rest := r.kind()
	if r.status != "" || name != "STATUS" || len(rest) < 2 {
		return "", n
	}
	items := rest[1].pairs()
	n.messages, n.valid = items["MESSAGES"].number()
	n.unseen, _ = items["UNSEEN"].number()
	return mailboxName(rest[0]), n
}

// mailboxName reads a name; INBOX is the same in any case (RFC 9051 section 5.1).
func mailboxName(v value) string {
	if strings.EqualFold(v.text, "INBOX") {
		return "INBOX"
	}
	return v.text
}

// Children lists folders, and below a folder its messages too, the newest first.
func (s *imapSession) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if parent == "" && s.c.Folder != "" {
			parent = idOf(encodeName(s.c.Folder))
		}
		at := place{}
		if parent != "" {
			p, ok := parseID(parent)
			if !ok {
				yield(connectors.Node{}, noNode(parent))
				return
			}
			if at = p; at.uid != 0 {
				return // a message has nothing below it
			}
		}
		going := true
		tell := func(n connectors.Node) bool {
			going = going && yield(n, nil)
			return going
		}
		err := s.folders(ctx, at.raw, tell)
		if err == nil && going && ctx.Err() == nil && at.raw != "" {
			err = s.messages(ctx, at.raw, tell)
		}
		if ctx.Err() != nil {
			err = connectors.Classify(context.Cause(ctx))
		}
		if err != nil && going {
			yield(connectors.Node{}, err)
		}
	}
}

// folders tells the level below a folder, or the topmost.
func (s *imapSession) folders(ctx context.Context, parent string, tell func(connectors.Node) bool) error {
	k, err := s.links.take(ctx)
	if err != nil {
		return err
	}
	l := &level{s: s, parent: parent, tell: tell}
	err = k.within(ctx, func() error { return l.read(k) })
	s.links.give(k)
	if l.stopped {
		return nil
	}
	if err != nil {
		return s.explain(k, err)
	}
	if parent == "" {
		l.addNamespaces()
	}
	l.flush()
	return nil
}

// A level is one listing under way.
type level struct {
	s       *imapSession
	parent  string
	prefix  string // with the delimiter
	held    []*folder
	flowing bool // there are too many to hold
	stopped bool // nobody listens any more
	tell    func(connectors.Node) bool
}

func (l *level) read(k *imapLink) error {
	pattern := "%"
	if l.parent != "" {
		f, err := k.look(l.parent)
		if err != nil {
			return folderError(k, decodeName(l.parent), err)
		}
		delim, known := l.s.namespaceDelim(l.parent)
		if f != nil {
			delim = f.delim
		}
		if f == nil && !known {
			return noNode(idOf(l.parent))
		}
		if l.prefix = l.parent + delim; delim == "" || f != nil && has(f.attrs, `\Noinferiors`) {
			return nil // this server has no levels, or none here
		}
		pattern = l.prefix + "%"
	}
	err := k.run(k.list(pattern), func(r response) error { return l.take(r) })
	if err != nil {
		return folderError(k, decodeName(l.parent), err)
	}
	if l.flowing {
		return nil
	}
	return l.ask(k)
}

// namespaceDelim finds the delimiter of a namespace by its root, which need not be a
// folder itself.
func (s *imapSession) namespaceDelim(raw string) (string, bool) {
	for _, n := range s.spaces {
		if n.delim != "" && strings.TrimSuffix(n.prefix, n.delim) == raw {
			return n.delim, true
		}
	}
	return "", false
}

var errStopped = errors.New("the listing is not wanted any more")

// take holds or tells one folder. A % in the parent's own name matches more than
// what was meant, so every name is looked at.
func (l *level) take(r response) error {
	f, ok := readFolder(r)
	if !ok || f.raw == l.parent || !strings.HasPrefix(f.raw, l.prefix) || f.delim != "" && strings.Contains(f.raw[len(l.prefix):], f.delim) {
		return nil
	}
	if !l.flowing && len(l.held) < batch {
		l.held = append(l.held, f)
		return nil
	}
	l.flowing = true
	if l.flush(); !l.stopped {
		l.stopped = !l.tell(l.s.node(f))
	}
	if l.stopped {
		return errStopped
	}
	return nil
}

func (l *level) flush() {
	for _, f := range l.held {
		if l.stopped {
			break
		}
		l.stopped = !l.tell(l.s.node(f))
	}
	l.held = nil
}

// ask learns the counts and rights of a level that is not too large. What the
// server refuses to tell of one folder is left out.
func (l *level) ask(k *imapLink) error {
	if len(l.held) > counted {
		return nil
	}
	byName := map[string]*folder{}
	var questions []question
	for _, f := range l.held {
		if !f.selectable() {
			continue
		}
		byName[f.raw] = f
		questions = append(questions, question{f, statusOf(f.raw)})
		if k.can("ACL") {
			questions = append(questions, question{f, say("MYRIGHTS").with(f.raw)})
		}
	}
	return k.ask(questions, func(r response) error {
		name, _, rest := r.kind()
		if raw, n := readStatus(r); n.valid && byName[raw] != nil {
			byName[raw].counts = &n
		}
		if name == "MYRIGHTS" && len(rest) > 1 && byName[mailboxName(rest[0])] != nil {
			byName[mailboxName(rest[0])].rights = &rest[1].text
		}
		return nil
	})
}

// A question is about one folder, and may be refused.
type question struct {
	about *folder
	command
}

// ask sends commands in groups, without waiting for each one's answer; servers
// may answer such questions in any order (RFC 9051 section 5.5).
func (k *imapLink) ask(questions []question, on func(response) error) error {
	for group := range slices.Chunk(questions, pipeline) {
		open := map[string]*folder{}
		for _, q := range group {
			if len(q.command) > 1 {
				continue // it would have to wait for the server's "+"
			}
			tag, err := k.send(q.command)
			if err != nil {
				return err
			}
			open[tag] = q.about
		}
		for len(open) > 0 {
			r, err := k.next(maxResponse, on)
			if err != nil {
				return err
			}
			f, mine := open[r.tag]
			if !mine {
				return k.ifEnded(true)
			}
			delete(open, r.tag)
			f.denied = f.denied || r.status == "NO" && r.code == "NOPERM"
		}
	}
	return nil
}

// addNamespaces adds the places that the server does not list by themselves.
func (l *level) addNamespaces() {
	for _, n := range l.s.spaces {
		root := n.prefix
		if n.delim != "" {
			root, _, _ = strings.Cut(n.prefix, n.delim)
		}
		listed := root == "" || n.kind == "" || slices.ContainsFunc(l.held, func(f *folder) bool { return f.raw == root })
		if !listed {
			l.held = append(l.held, &folder{raw: root, delim: n.delim, attrs: []string{`\Noselect`, `\HasChildren`}})
		}
	}
}
