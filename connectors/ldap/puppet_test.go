package ldap

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A puppet is a server that says what real ones cannot be made to say.
type puppet struct {
	host, port string

	mu       sync.Mutex
	received bytes.Buffer
	binds    []string // the names
	bases    []string // of searches
	conns    int
}

// A request is what came in; answer writes raw bytes.
type request struct {
	id     int64
	op     *ber.Packet
	conn   net.Conn
	answer func(packets ...*ber.Packet)
}

func (r request) base() string { return text(r.op.Children[0]) }

func text(p *ber.Packet) string { return p.Data.String() }

// newPuppet serves requests with handle, one connection at a time each; a
// handler that returns false ends the connection.
func newPuppet(tb testing.TB, handle func(p *puppet, r request) bool) *puppet {
	tb.Helper()
	p := &puppet{}
	p.host, p.port = conntest.Serve(tb, func(c net.Conn) { p.serve(c, handle) })
	return p
}

type tee struct {
	net.Conn
	p *puppet
}

func (t tee) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.p.mu.Lock()
	t.p.received.Write(b[:n])
	t.p.mu.Unlock()
	return n, err
}

func (p *puppet) serve(c net.Conn, handle func(*puppet, request) bool) {
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	for {
		m, err := ber.ReadPacket(tee{c, p})
		if err != nil || len(m.Children) < 2 {
			return
		}
		id, _ := m.Children[0].Value.(int64)
		r := request{id: id, op: m.Children[1], conn: c}
		r.answer = func(packets ...*ber.Packet) {
			for _, op := range packets {
				_, _ = c.Write(envelope(id, op).Bytes())
			}
		}
		p.mu.Lock()
		switch r.op.Tag {
		case ldap.ApplicationBindRequest:
			p.binds = append(p.binds, text(r.op.Children[1]))
		case ldap.ApplicationSearchRequest:
			p.bases = append(p.bases, r.base())
		}
		p.mu.Unlock()
		if !handle(p, r) {
			return
		}
	}
}

func (p *puppet) seen() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.received.Bytes())
}

func (p *puppet) counts() (conns int, binds []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns, append([]string(nil), p.binds...)
}

func (p *puppet) settings(security string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": p.host, "port": p.port, "security": security, "user": "alice", "domain": "corp.example.com"}
	s.Secrets["password"] = connectors.NewSecret(canary)
	return s
}

const canary = "canary-practice-4711"

func envelope(id int64, op *ber.Packet) *ber.Packet {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	return m
}

func octets(v string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, v, "")
}

// result is an LDAPResult under the given operation's tag.
func result(tag ber.Tag, code int64, said string, referrals ...string) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(octets(""))
	op.AppendChild(octets(said))
	if len(referrals) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		for _, r := range referrals {
			list.AppendChild(octets(r))
		}
		op.AppendChild(list)
	}
	return op
}

func bound() *ber.Packet { return result(ldap.ApplicationBindResponse, 0, "") }
func done() *ber.Packet  { return result(ldap.ApplicationSearchResultDone, 0, "") }

// entry is a search result; attributes are pairs of name and
// values, these with | between them.
func entry(dn string, attributes ...string) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(octets(dn))
	list := ber.NewSequence("")
	for i := 0; i+1 < len(attributes); i += 2 {
		a := ber.NewSequence("")
		a.AppendChild(octets(attributes[i]))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for value := range strings.SplitSeq(attributes[i+1], "|") {
			set.AppendChild(octets(value))
		}
		a.AppendChild(set)
		list.AppendChild(a)
	}
	op.AppendChild(list)
	return op
}

func continuation(url string) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
	op.AppendChild(octets(url))
	return op
}

const corp = "DC=corp,DC=example,DC=com"

// likeAD answers as a domain controller does; what more handles first wins.
func likeAD(more func(p *puppet, r request) (handled, goOn bool)) func(*puppet, request) bool {
	return func(p *puppet, r request) bool {
		if more != nil {
			if handled, goOn := more(p, r); handled {
				return goOn
			}
		}
		switch r.op.Tag {
		case ldap.ApplicationBindRequest:
			r.answer(bound())
		case ldap.ApplicationExtendedRequest:
			r.answer(result(ldap.ApplicationExtendedResponse, 2, "0000203D: LdapErr: DSID-0C091295, comment: Unknown extended request OID, data 0, v4563"))
		case ldap.ApplicationSearchRequest:
			scope, _ := r.op.Children[1].Value.(int64)
			switch {
			case r.base() == "":
				r.answer(entry("", "defaultNamingContext", corp, "dnsHostName", "dc1.corp.example.com", "supportedCapabilities", activeDirectory,
					"supportedControl", ldap.ControlTypePaging, "domainFunctionality", "7", "supportedExtension", whoAmI), done())
			case scope == ldap.ScopeWholeSubtree:
				r.answer(entry("CN=alice,"+corp, "displayName", "Alice Example", "accountExpires", "9223372036854775807", "msDS-UserPasswordExpiryTimeComputed", "133500000000000000"), done())
			case scope == ldap.ScopeSingleLevel:
				r.answer(entry("OU=Sales,"+corp, "objectClass", "organizationalUnit"), entry("CN=alice,"+corp, "objectClass", "user"),
					entry("CN=System,"+corp, "objectClass", "container"), done())
			default:
				r.answer(entry(r.base(), "objectClass", "domainDNS"), done())
			}
		case ldap.ApplicationUnbindRequest:
			return false
		}
		return true
	}
}
