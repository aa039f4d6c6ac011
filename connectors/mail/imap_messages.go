package mail

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

const (
	page       = 200
	maxRows    = 1000
	maxContent = 256 << 10
)

// A message is what a folder's listing tells of one.
type message struct {
	uid      int64
	seq      int64
	flags    []string
	received time.Time
	size     int64
	subject  string
	from, to string
	date     string
}

func (m message) seen() bool { return has(m.flags, `\Seen`) }

// An opened folder.
type opened struct {
	exists, validity int64
}

// examine opens a folder read-only (RFC 9051 section 6.3.3): looking at it then
// cannot change it, whatever is asked.
func (k *imapLink) examine(raw string) (opened, error) {
	var o opened
	err := k.run(say("EXAMINE").with(raw), func(r response) error {
		if name, n, _ := r.kind(); name == "EXISTS" {
			o.exists = n
		}
		if r.code == "UIDVALIDITY" {
			o.validity, _ = strconv.ParseInt(r.args, 10, 64)
		}
		return nil
	})
	return o, folderError(k, decodeName(raw), err)
}

// fetch reads what listings show of the messages with the numbers first to last,
// and returns them newest first.
func (k *imapLink) fetch(first, last int64) ([]message, error) {
	var out []message
	ask := say(fmt.Sprintf("FETCH %d:%d (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", first, last))
	err := k.run(ask, func(r response) error {
		name, seq, rest := r.kind()
		if name != "FETCH" || len(rest) == 0 || seq < first || seq > last || int64(len(out)) > last-first {
			return nil
		}
		if m := readMessage(rest[0].pairs()); m.uid > 0 {
			m.seq = seq
			out = append(out, m)
		}
		return nil
	})
	// Servers tell them in any order.
	newestFirst(out)
	return out, err
}

func readMessage(items map[string]value) message {
	var m message
	m.uid, _ = items["UID"].number()
	m.size, _ = items["RFC822.SIZE"].number()
	for _, f := range items["FLAGS"].list {
		m.flags = append(m.flags, f.text)
	}
	m.received, _ = time.Parse("_2-Jan-2006 15:04:05 -0700", items["INTERNALDATE"].text)
	envelope := items["ENVELOPE"]
	m.date = envelope.at(0).told()
	m.subject = decodeHeader(envelope.at(1).told())
	m.from = people(envelope.at(2))
	m.to = people(envelope.at(5))
	return m
}

// told is a string's text, "" for NIL.
func (v value) told() string {
	if v.isNil && !v.quoted {
		return ""
	}
	return v.text
}

// people writes addresses: ((name route mailbox host) …).
func people(v value) string {
	var out []string
	for i, a := range v.list {
		if i == 10 {
			out = append(out, fmt.Sprintf("and %d more", len(v.list)-i))
			break
		}
		name, box, host := decodeHeader(a.at(0).told()), a.at(2).told(), a.at(3).told()
		switch {
		case host == "": // the marks of a group
			continue
		case name == "":
			out = append(out, box+"@"+host)
		default:
			out = append(out, name+" <"+box+"@"+host+">")
		}
	}
	return capped(strings.Join(out, ", "))
}

// messages tells the messages of a folder, the newest first. Each page takes a
// connection of its own and opens the folder again, so that none is held while
// somebody looks.
func (s *imapSession) messages(ctx context.Context, raw string, tell func(connectors.Node) bool) error {
	p := pager{raw: raw}
	lowest := int64(1<<63 - 1)
	for {
		if err := s.with(ctx, p.turn); err != nil || len(p.list) == 0 {
			return err
		}
		for _, m := range p.list {
			if m.uid >= lowest { // it moved up when others were removed
				continue
			}
			if lowest = m.uid; !tell(m.node(place{raw, p.validity, m.uid})) {
				return nil
			}
		}
		if p.last = p.list[len(p.list)-1].seq - 1; p.last < 1 {
			return nil
		}
	}
}

// A pager reads a folder from its end.
type pager struct {
	raw      string
	last     int64 // the number of the next page's newest message; 0 for the folder's
	validity int64 // of the folder as it was first opened
	begun    bool
	list     []message
}

// turn reads the next page; none of a folder that cannot hold messages.
func (p *pager) turn(k *imapLink) error {
	p.list = nil
	if !p.begun {
		if f, err := k.look(p.raw); err != nil || f == nil || !f.selectable() {
			return err
		}
	}
	now, err := k.examine(p.raw)
	if err != nil {
		return err
	}
	if p.begun && now.validity != p.validity {
		return noNode(idOf(p.raw)) // another folder of that name
	}
	if p.validity = now.validity; !p.begun || p.last > now.exists {
		p.last = now.exists
	}
	if p.begun = true; p.last > 0 {
		p.list, err = k.fetch(max(1, p.last-page+1), p.last)
	}
	return err
}

func (m message) node(at place) connectors.Node {
	n := connectors.Node{ID: at.id(), Name: m.subject, Kind: "message", Views: []connectors.View{connectors.ViewContent}, Access: connectors.AccessReadable, Ordered: true,
		Facts: []connectors.Fact{{Label: "From", Text: connectors.Clean(m.from, 300)}, {Label: "To", Text: connectors.Clean(m.to, 300)}, {Label: "Received", Text: connectors.Clean(m.when(), 60)}, {Label: "Size", Text: humanize.IBytes(uint64(m.size))}}}
	n.Facts = slices.DeleteFunc(n.Facts, func(f connectors.Fact) bool { return f.Text == "" })
	if n.Name == "" {
		n.Name = "(no subject)"
	}
	if !m.seen() {
		n.Facts = append(n.Facts, connectors.Fact{Label: "State", Text: "unread"})
	}
	return n
}

func (m message) when() string {
	if m.received.IsZero() {
		return m.date
	}
	return m.received.Format("2006-01-02 15:04:05 -07:00")
}

// Table reads the newest messages of a folder.
func (s *imapSession) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	at, ok := parseID(id)
	if !ok || at.uid != 0 {
		return nil, noNode(id)
	}
	limit = min(max(limit, 1), maxRows)
	var o opened
	var list []message
	err := s.with(ctx, func(k *imapLink) (err error) {
		if o, err = k.examine(at.raw); err != nil || o.exists == 0 {
			return err
		}
		list, err = k.fetch(max(1, o.exists-int64(limit)+1), o.exists)
		return err
	})
	if err != nil {
		return nil, err
	}
	t := &connectors.Table{Truncated: o.exists > int64(limit), Note: "Newest first. Nothing is marked as read.", Columns: []connectors.Column{
		{Name: "Received"}, {Name: "From"}, {Name: "To"}, {Name: "Subject"}, {Name: "Size", Type: "bytes", Numeric: true}, {Name: "Read"}, {Name: "Flags"},
	}}
	for _, m := range list {
		t.Rows = append(t.Rows, []any{m.when(), m.from, m.to, m.subject, m.size, m.seen(), capped(strings.Join(m.flags, " "))})
	}
	return t, nil
}

// Sample reads the beginning of a message and shows its text.
func (s *imapSession) Sample(ctx context.Context, id connectors.NodeID, most int) (connectors.Sample, error) {
	at, ok := parseID(id)
	if !ok || at.uid == 0 {
		return connectors.Sample{}, noNode(id)
	}
	most = min(max(most, 1), maxContent)
	// Headers can be long, and text is longer on the wire than on the screen.
	wire := min(2*most+16<<10, maxContent)
	var raw string
	size := int64(-1)
	err := s.with(ctx, func(k *imapLink) error {
		o, err := k.examine(at.raw)
		if err != nil {
			return err
		}
		if o.validity != at.validity {
			return noNode(id)
		}
		ask := say(fmt.Sprintf("UID FETCH %d (UID RFC822.SIZE BODY.PEEK[]<0.%d>)", at.uid, wire))
		return k.runUpTo(ask, maxResponse+maxContent, func(r response) error {
			name, _, rest := r.kind()
			if name != "FETCH" || len(rest) == 0 {
				return nil
			}
			items := rest[0].pairs()
			if uid, _ := items["UID"].number(); uid != at.uid {
				return nil
			}
			if n, ok := items["RFC822.SIZE"].number(); ok {
				size = n
			}
			for key, v := range items {
				if strings.HasPrefix(key, "BODY[]") {
					raw = v.told()
				}
			}
			return nil
		})
	})
	if err != nil {
		return connectors.Sample{}, err
	}
	if raw == "" && size < 0 {
		return connectors.Sample{}, noNode(id)
	}
	text := showMessage(raw)
	out := connectors.Sample{MediaType: "text/plain; charset=utf-8", Data: []byte(text), Size: size, Truncated: int64(len(raw)) < size}
	if len(out.Data) > most {
		out.Data, out.Truncated = out.Data[:most], true
	}
	return out, nil
}
