package practice

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// tri is the outcome of a filter: an attribute that an entry does not have is
// neither equal nor unequal (RFC 4511, section 4.5.1.7).
type tri int8

const (
	no tri = iota
	unknown
	yes
)

// A filter judges one entry.
type filter func(*entry) tri

// maxDepth is how deep filters may nest.
const maxDepth = 40

var errFilter = errors.New("this is no search filter")

// search answers one request: every entry, then how it went.
func (s *ldapConn) search(q request) error {
	fail := func(code int, matched, said string) error {
		return s.send(q.id, outcome(opDone, code, matched, said))
	}
	c := q.op.Children
	if len(c) < 8 {
		return fail(ldapProtocol, "", "incomplete search request")
	}
	base, err := parseDN(text(c[0]))
	if err != nil {
		return fail(ldapBadDN, "", err.Error())
	}
	keep, err := parseFilter(c[6], 0)
	if err != nil {
		return fail(ldapProtocol, "", err.Error())
	}
	page, code := paging(q.controls)
	if code != ldapSuccess {
		return fail(code, "", "unknown or broken critical control")
	}
	scope := number(c[1])
	if !s.bound && (len(base) > 0 || scope != 0) {
		return fail(ldapDenied, "", "sign in first")
	}
	list, matched, ok := s.dir.within(base, scope)
	if !ok {
		return fail(ldapNoObject, matched, "")
	}
	list = slices.DeleteFunc(list, func(e *entry) bool { return keep(e) != yes })
	limit := int(max(number(c[3]), 0))
	return s.deliver(q.id, list, choose(c[7], number(c[5]) > 0), page, limit)
}

func (s *ldapConn) deliver(id int64, list []*entry, show func(*entry) *ber.Packet, page *pages, limit int) error {
	rest := 0
	total := len(list)
	if page != nil {
		list = list[min(page.from, total):]
		if page.size < len(list) {
			rest = len(list) - page.size
			list = list[:page.size]
		}
	}
	code := ldapSuccess
	if limit > 0 && len(list) > limit {
		list, code = list[:limit], ldapSizeLimit
	}
	for _, e := range list {
		if err := s.send(id, show(e)); err != nil {
			return err
		}
	}
	done := outcome(opDone, code, "", "")
	if page == nil {
		return s.send(id, done)
	}
	cookie := ""
	if rest > 0 && page.size > 0 && code == ldapSuccess {
		cookie = strconv.Itoa(total - rest)
	}
	return s.send(id, done, page.control(total, cookie))
}

// pages is the paging control (RFC 2696). The directory never changes, so the
// cookie can simply be where to go on.
type pages struct{ size, from int }

func (*pages) control(total int, cookie string) *ber.Packet {
	v := ber.NewSequence("")
	v.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(total), ""))
	v.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, cookie))
	c := ber.NewSequence("")
	c.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, oidPaging))
	c.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, string(v.Bytes())))
	return c
}

// paging reads the controls: nil without the paging control.
func paging(controls []*ber.Packet) (*pages, int) {
	var out *pages
	for _, c := range controls {
		if len(c.Children) == 0 {
			return nil, ldapProtocol
		}
		critical, value := false, ""
		for _, part := range c.Children[1:] {
			if is(part, ber.ClassUniversal, ber.TagBoolean) {
				critical = number(part) != 0
			} else {
				value = text(part)
			}
		}
		switch oid := text(c.Children[0]); {
		case oid == oidPaging:
			v, err := ber.DecodePacketErr([]byte(value))
			if err != nil || len(v.Children) != 2 || number(v.Children[0]) < 0 {
				return nil, ldapProtocol
			}
			out = &pages{size: int(min(number(v.Children[0]), 1000))}
			if cookie := text(v.Children[1]); cookie != "" {
				if out.from, err = strconv.Atoi(cookie); err != nil || out.from < 0 {
					return nil, ldapProtocol
				}
			}
		case critical && oid != oidManage:
			return nil, ldapNoControl
		}
	}
	return out, ldapSuccess
}

// choose returns what writes an entry with the attributes that were asked for
// (RFC 4511, section 4.5.1.8).
func choose(wanted *ber.Packet, typesOnly bool) func(*entry) *ber.Packet {
	named := map[string]bool{}
	for _, a := range wanted.Children {
		named[bare(text(a))] = true
	}
	user := len(named) == 0 || named["*"]
	return func(e *entry) *ber.Packet {
		p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opEntry, nil, "")
		p.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, e.dn))
		list := ber.NewSequence("")
		for _, a := range e.attrs {
			byKind := (user && !a.hidden) || (named["+"] && (a.hidden || e.root))
			if !byKind && !named[strings.ToLower(a.name)] {
				continue
			}
			set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
			for _, v := range a.values {
				if !typesOnly {
					set.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, v))
				}
			}
			one := ber.NewSequence("")
			one.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, a.name))
			one.AppendChild(set)
			list.AppendChild(one)
		}
		p.AppendChild(list)
		return p
	}
}

// bare is an attribute's name without its options.
func bare(name string) string {
	name, _, _ = strings.Cut(name, ";")
	return strings.ToLower(name)
}

// parseFilter reads the filter by the tags of RFC 4511, section 4.5.1.
func parseFilter(p *ber.Packet, depth int) (filter, error) {
	if p.ClassType != ber.ClassContext || depth > maxDepth {
		return nil, errFilter
	}
	switch p.Tag {
	case 0, 1:
		return parseSet(p, depth)
	case 2:
		if len(p.Children) != 1 {
			return nil, errFilter
		}
		f, err := parseFilter(p.Children[0], depth+1)
		return func(e *entry) tri { return yes - f(e) }, err
	case 4:
		return parseSubstrings(p)
	case 7:
		name := bare(text(p))
		return func(e *entry) tri {
			if len(e.get(name)) > 0 {
				return yes
			}
			return no
		}, nil
	case 9: // matching rules by OID: known to nobody here
		return func(*entry) tri { return unknown }, nil
	}
	if p.Tag > 9 || len(p.Children) != 2 {
		return nil, errFilter
	}
	name, value := bare(text(p.Children[0])), text(p.Children[1])
	holds := map[ber.Tag]func(int) bool{
		3: func(n int) bool { return n == 0 }, 8: func(n int) bool { return n == 0 },
		5: func(n int) bool { return n >= 0 }, 6: func(n int) bool { return n <= 0 },
	}[p.Tag]
	return values(name, func(v string) bool { return holds(compare(name, v, value)) }), nil
}

// values is yes when one of the attribute's values holds.
func values(name string, holds func(string) bool) filter {
	return func(e *entry) tri {
		list := e.get(name)
		if len(list) == 0 {
			return unknown
		}
		if slices.ContainsFunc(list, holds) {
			return yes
		}
		return no
	}
}

// parseSet is an and (the least of its parts) or an or (the greatest); an empty
// one is true or false (RFC 4526).
func parseSet(p *ber.Packet, depth int) (filter, error) {
	var parts []filter
	for _, c := range p.Children {
		f, err := parseFilter(c, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	and := p.Tag == 0
	return func(e *entry) tri {
		out := no
		if and {
			out = yes
		}
		for _, f := range parts {
			if and {
				out = min(out, f(e))
			} else {
				out = max(out, f(e))
			}
		}
		return out
	}, nil
}

func parseSubstrings(p *ber.Packet) (filter, error) {
	if len(p.Children) != 2 || len(p.Children[1].Children) == 0 {
		return nil, errFilter
	}
	name := bare(text(p.Children[0]))
	type piece struct {
		tag  ber.Tag
		text string
	}
	var pieces []piece
	for i, c := range p.Children[1].Children {
		last := i == len(p.Children[1].Children)-1
		if c.ClassType != ber.ClassContext || c.Tag > 2 || (c.Tag == 0 && i > 0) || (c.Tag == 2 && !last) {
			return nil, errFilter
		}
		pieces = append(pieces, piece{c.Tag, strings.ToLower(text(c))})
	}
	return values(name, func(v string) bool {
		v = strings.ToLower(v)
		for _, x := range pieces {
			ok := false
			switch x.tag {
			case 0:
				v, ok = strings.CutPrefix(v, x.text)
			case 1:
				_, v, ok = strings.Cut(v, x.text)
			default:
				ok = strings.HasSuffix(v, x.text)
			}
			if !ok {
				return false
			}
		}
		return true
	}), nil
}

// compare orders two values: as names where the attribute holds names, as
// numbers where both are, else without regard to case and doubled spaces.
func compare(name, a, b string) int {
	if holdsDN(name) {
		x, errX := parseDN(a)
		y, errY := parseDN(b)
		if errX == nil && errY == nil {
			return cmp.Compare(x.String(), y.String())
		}
	}
	if x, err := strconv.ParseInt(a, 10, 64); err == nil {
		if y, err := strconv.ParseInt(b, 10, 64); err == nil {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(fold(a), fold(b))
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func holdsDN(name string) bool {
	return slices.Contains([]string{"member", "memberof", "manager", "owner", "entrydn"}, name)
}
