package practice

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Operations (RFC 4511, section 4.2 and on) by their application tag; a
// response mostly is its request's tag plus one.
const (
	opBind     ber.Tag = 0
	opUnbind   ber.Tag = 2
	opSearch   ber.Tag = 3
	opEntry    ber.Tag = 4
	opDone     ber.Tag = 5
	opModify   ber.Tag = 6
	opAdd      ber.Tag = 8
	opDelete   ber.Tag = 10
	opRename   ber.Tag = 12
	opCompare  ber.Tag = 14
	opAbandon  ber.Tag = 16
	opExtended ber.Tag = 23
)

// Result codes (RFC 4511, appendix A).
const (
	ldapSuccess       = 0
	ldapProtocol      = 2
	ldapSizeLimit     = 4
	ldapNoMethod      = 7
	ldapNoControl     = 12
	ldapNoObject      = 32
	ldapBadDN         = 34
	ldapWrongPassword = 49
	ldapDenied        = 50
	ldapUnwilling     = 53
)

const (
	ldapSuffix = "dc=practice,dc=example"
	ldapReader = "cn=reader," + ldapSuffix
	oidWhoAmI  = "1.3.6.1.4.1.4203.1.11.3" // RFC 4532
	oidGoodbye = "1.3.6.1.4.1.1466.20036"  // notice of disconnection, RFC 4511 section 4.4.1
	oidPaging  = "1.2.840.113556.1.4.319"  // RFC 2696
	oidManage  = "2.16.840.1.113730.3.4.2" // ManageDsaIT, RFC 3296: there are no referrals to manage
	oidAllOps  = "1.3.6.1.4.1.4203.1.5.1"  // "+" names all operational attributes, RFC 3673
	maxMessage = 64 << 10                  // of a request; ours are a few hundred bytes
)

// startLDAP serves the company's directory to one account, for reading.
func startLDAP(ctx context.Context, log *slog.Logger) (Connection, func() error, error) {
	d, err := growDirectory(seed())
	if err != nil {
		return Connection{}, nil, fmt.Errorf("ldap: %w", err)
	}
	g, err := listen(ctx, portLDAP)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("ldap: %w", err)
	}
	wait := g.serve(func(v *guest) {
		defer survive(log, "ldap")
		v.patience.Store(int64(signInTime))
		s := &ldapConn{guest: v, in: bufio.NewReader(v), out: bufio.NewWriter(v), dir: d}
		if err := s.serve(); err != nil && !errors.Is(err, io.EOF) {
			log.Debug("practice ldap: connection ended", "remote", v.RemoteAddr().String(), "error", err)
		}
	})
	c := Connection{TypeID: "ldap", Name: "Practice directory (LDAP)", Description: "People, groups and devices of " + company + ", an invented company.",
		Settings: settings(map[string]string{"host": loopback, "security": "none", "port": g.port(), "auth": "simple", "user": ldapReader, "base_dn": ldapSuffix},
			map[string]string{"password": demoPassword})}
	return c, func() error { err := g.Close(); wait(); return err }, nil
}

// An ldapConn answers one client, one request after the other: each takes
// microseconds, so there never is anything to abandon.
type ldapConn struct {
	guest *guest
	in    *bufio.Reader
	out   *bufio.Writer
	dir   *directory
	bound bool
}

// A request is one message, its parts proven to be there.
type request struct {
	id       int64
	op       *ber.Packet
	controls []*ber.Packet
}

var errLDAPMessage = errors.New("this is no LDAP message")

// readFrame reads one BER element of definite length, however the bytes arrive.
func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		return nil, err
	}
	size, length := 2, int(head[1])
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 {
			return nil, errLDAPMessage
		}
		size += n
		if head, err = r.Peek(size); err != nil {
			return nil, err
		}
		length = 0
		for _, b := range head[2:size] {
			length = length<<8 | int(b)
		}
	}
	if head[0] != 0x30 || length < 0 || length > maxMessage {
		return nil, errLDAPMessage
	}
	frame := make([]byte, size+length)
	_, err = io.ReadFull(r, frame)
	return frame, err
}

func parseRequest(frame []byte) (request, error) {
	p, err := ber.DecodePacketErr(frame)
	if err != nil {
		return request{}, errLDAPMessage
	}
	if len(p.Children) < 2 || len(p.Children) > 3 || !is(p.Children[0], ber.ClassUniversal, ber.TagInteger) || p.Children[1].ClassType != ber.ClassApplication {
		return request{}, errLDAPMessage
	}
	q := request{id: number(p.Children[0]), op: p.Children[1]}
	if q.id < 1 || q.id > 1<<31-1 {
		return request{}, errLDAPMessage
	}
	if len(p.Children) == 3 {
		if !is(p.Children[2], ber.ClassContext, 0) {
			return request{}, errLDAPMessage
		}
		q.controls = p.Children[2].Children
	}
	return q, nil
}

func is(p *ber.Packet, class ber.Class, tag ber.Tag) bool {
	return p.ClassType == class && p.Tag == tag
}

// text is a primitive's content; a constructed one has none.
func text(p *ber.Packet) string {
	if p.Data == nil || p.TagType != ber.TypePrimitive {
		return ""
	}
	return p.Data.String()
}

// number is a primitive's content as an integer, -1 when it is none.
func number(p *ber.Packet) int64 {
	if p.TagType != ber.TypePrimitive || p.Data == nil || p.Data.Len() == 0 {
		return -1
	}
	n, err := ber.ParseInt64(p.Data.Bytes())
	if err != nil {
		return -1
	}
	return n
}

func (s *ldapConn) serve() error {
	for {
		frame, err := readFrame(s.in)
		var q request
		if err == nil {
			q, err = parseRequest(frame)
		}
		if errors.Is(err, errLDAPMessage) {
			bye := outcome(opExtended+1, ldapProtocol, "", err.Error())
			bye.AppendChild(octets(ber.ClassContext, 10, oidGoodbye))
			return errors.Join(err, s.send(0, bye), s.out.Flush())
		}
		if err != nil {
			return err
		}
		if q.op.Tag == opUnbind {
			return nil
		}
		if err := s.answer(q); err != nil {
			return err
		}
		if err := s.out.Flush(); err != nil {
			return err
		}
	}
}

func (s *ldapConn) answer(q request) error {
	switch q.op.Tag {
	case opAbandon:
		return nil
	case opBind:
		code, said := s.bind(q.op)
		return s.send(q.id, outcome(opBind+1, code, "", said))
	case opSearch:
		return s.search(q)
	case opExtended:
		return s.send(q.id, s.extended(q.op))
	case opModify, opAdd, opDelete, opRename, opCompare:
		return s.send(q.id, outcome(q.op.Tag+1, ldapUnwilling, "", "the practice directory is for reading"))
	}
	return s.send(q.id, outcome(opExtended+1, ldapProtocol, "", "unknown operation"))
}

// bind lets in the reader, or nobody in particular. A name without a password
// proves nothing and is refused (RFC 4513, section 5.1.2).
func (s *ldapConn) bind(op *ber.Packet) (code int, said string) {
	s.bound = false
	if len(op.Children) < 3 || number(op.Children[0]) != 3 {
		return ldapProtocol, "version 3 is spoken here"
	}
	name, how := text(op.Children[1]), op.Children[2]
	if !is(how, ber.ClassContext, 0) {
		return ldapNoMethod, "only simple binds are answered here"
	}
	password := text(how)
	if password == "" {
		if name == "" {
			return ldapSuccess, ""
		}
		return ldapUnwilling, "a password is needed with a name"
	}
	dn, err := parseDN(name)
	known := err == nil && match(dn.String(), ldapReader)
	if !match(password, demoPassword) || !known {
		return ldapWrongPassword, ""
	}
	s.bound = true
	s.guest.patience.Store(int64(idleTime))
	return ldapSuccess, ""
}

func (s *ldapConn) extended(op *ber.Packet) *ber.Packet {
	if len(op.Children) == 0 || text(op.Children[0]) != oidWhoAmI {
		return outcome(opExtended+1, ldapProtocol, "", "unknown extended operation")
	}
	who := ""
	if s.bound {
		who = "dn:" + ldapReader
	}
	p := outcome(opExtended+1, ldapSuccess, "", "")
	p.AppendChild(octets(ber.ClassContext, 11, who))
	return p
}

// outcome is an LDAPResult under the tag of a response.
func outcome(tag ber.Tag, code int, matched, said string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	p.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, matched))
	p.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, said))
	return p
}

func octets(class ber.Class, tag ber.Tag, s string) *ber.Packet {
	return ber.NewString(class, ber.TypePrimitive, tag, s, "")
}

func (s *ldapConn) send(id int64, op *ber.Packet, controls ...*ber.Packet) error {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c)
		}
		m.AppendChild(list)
	}
	_, err := s.out.Write(m.Bytes())
	return err
}
