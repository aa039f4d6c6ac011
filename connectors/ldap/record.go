package ldap

import (
	"bytes"
	"iter"
)

// The BER identifiers that entries are made of (RFC 4511 section 4.5.2).
const (
	tagOctets   = 0x04
	tagSequence = 0x30
	tagEntry    = 0x64
)

// measure reads tag and length at the front of b (X.690 section 8.1): how many
// bytes they take, 0 when not all are there yet, and the length of the content.
func measure(b []byte) (head, length int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[1] < 0x80 {
		return 2, int(b[1]), nil
	}
	// 0x80 is the indefinite form, which LDAP forbids; lengths of more than four
	// octets are beyond any bound.
	n := int(b[1] & 0x7f)
	if n < 1 || n > 4 {
		return 0, 0, errNotLDAP
	}
	if len(b) < 2+n {
		return 0, 0, nil
	}
	var wide int64
	for _, c := range b[2 : 2+n] {
		wide = wide<<8 | int64(c)
	}
	return 2 + n, int(min(wide, 1<<31-1)), nil
}

// split takes the first element off b.
func split(b []byte) (tag byte, content, rest []byte, ok bool) {
	head, length, err := measure(b)
	if err != nil || head == 0 || length > len(b)-head {
		return 0, nil, nil, false
	}
	return b[0], b[head : head+length], b[head+length:], true
}

// sound reports whether b is nothing but whole elements, down to the leaves.
// No identifier in LDAP takes more than one octet.
func sound(b []byte, depth int) bool {
	for len(b) > 0 {
		tag, content, rest, ok := split(b)
		if !ok || tag&0x1f == 0x1f {
			return false
		}
		if tag&0x20 != 0 && (depth == maxDepth || !sound(content, depth+1)) {
			return false
		}
		b = rest
	}
	return true
}

// entries are the packets of a search's entries, one behind the other.
type entries []byte

// all tells them one by one; the records stand as long as the packets do.
func (e entries) all() iter.Seq[record] {
	return func(yield func(record) bool) {
		for rest := e; len(rest) > 0; {
			_, content, after, ok := split(rest)
			r, also := read(content)
			if !ok || !also || !yield(r) {
				return
			}
			rest = after
		}
	}
}

// first is the first entry, if there is one.
func (e entries) first() (record, bool) {
	for r := range e.all() {
		return r, true
	}
	return record{}, false
}

// A record is one entry, as it came.
type record struct {
	dn         []byte
	attributes []byte
}

// read finds name and attributes in the content of a message.
func read(message []byte) (record, bool) {
	_, _, op, _ := split(message) // past the message's number
	tag, content, _, _ := split(op)
	nameTag, dn, rest, ok := split(content)
	listTag, list, _, also := split(rest)
	return record{dn: dn, attributes: list}, ok && also && tag == tagEntry && nameTag == tagOctets && listTag == tagSequence
}

// copied is r on memory of its own.
func (r record) copied() record {
	return record{dn: bytes.Clone(r.dn), attributes: bytes.Clone(r.attributes)}
}

// each tells the attributes' names, and their values for octetsOf.
func (r record) each() iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for rest := r.attributes; len(rest) > 0; {
			var a []byte
			var ok bool
			if _, a, rest, ok = split(rest); !ok {
				return
			}
			_, name, set, ok := split(a)
			_, values, _, also := split(set)
			if ok && also && !yield(name, values) {
				return
			}
		}
	}
}

// octetsOf tells the values of one attribute.
func octetsOf(values []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(values) > 0 {
			_, v, rest, ok := split(values)
			if !ok || !yield(v) {
				return
			}
			values = rest
		}
	}
}

// values are those of the attribute with the name, whatever its case.
func (r record) values(name string) [][]byte {
	var out [][]byte
	for n, values := range r.each() {
		if bytes.EqualFold(n, []byte(name)) {
			for v := range octetsOf(values) {
				out = append(out, v)
			}
			return out
		}
	}
	return nil
}

// texts are values as text.
func (r record) texts(name string) []string {
	var out []string
	for _, v := range r.values(name) {
		out = append(out, string(v))
	}
	return out
}

// text is the first value, "" when there is none.
func (r record) text(name string) string {
	for _, v := range r.values(name) {
		return string(v)
	}
	return ""
}
