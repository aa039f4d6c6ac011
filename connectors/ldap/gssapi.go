package ldap

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
)

// The tokens of RFC 4121 section 4.1, in front of their messages.
var (
	tokenRequest = []byte{1, 0}
	tokenReply   = []byte{2, 0}
	tokenError   = []byte{3, 0}
	oidKerberos  = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
)

// noLayer is the security layer "none" of RFC 4752 section 3.1: TLS protects
// what follows the sign-in.
const noLayer = 1

// kerberos is the SASL mechanism GSSAPI (RFC 4752) with Kerberos (RFC 4121).
// Each side proves itself to the other.
type kerberos struct {
	ticket   messages.Ticket
	key      types.EncryptionKey // of the ticket; after the server's proof that of the context
	realm    string
	name     types.PrincipalName
	bindings []byte
	fail     func(code connectors.Code, reason, field, said string) error

	auth   types.Authenticator
	subkey bool // key is the server's own
	proven bool
	chosen bool
}

func (g *kerberos) done() bool { return g.chosen }

func (g *kerberos) next(said []byte) ([]byte, error) {
	switch {
	case g.auth.AVNO == 0:
		return g.request()
	case !g.proven:
		if err := g.verify(said); err != nil {
			return nil, err
		}
		g.proven = true
		return []byte{}, nil
	case !g.chosen:
		g.chosen = true
		return g.choose(said)
	}
	return nil, errSASL
}

// request is the ticket and who presents it, tied to the TLS connection.
func (g *kerberos) request() ([]byte, error) {
	auth, err := types.NewAuthenticator(g.realm, g.name)
	if err != nil {
		return nil, err
	}
	sum := binary.LittleEndian.AppendUint32(nil, 16)
	if len(g.bindings) == 16 {
		sum = append(sum, g.bindings...)
	} else {
		sum = append(sum, make([]byte, 16)...)
	}
	sum = binary.LittleEndian.AppendUint32(sum, uint32(gssapi.ContextFlagMutual|gssapi.ContextFlagSequence|gssapi.ContextFlagInteg))
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
	g.auth = auth
	request, err := messages.NewAPReq(g.ticket, g.key, auth)
	if err != nil {
		return nil, err
	}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	data, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(oidKerberos)
	if err != nil {
		return nil, err
	}
	return tagged(asn1.ClassApplication, 0, append(append(oid, tokenRequest...), data...))
}

// verify checks that the server could read the request (RFC 4120 section 3.2.5).
func (g *kerberos) verify(said []byte) error {
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(said, &outer); err != nil || len(rest) > 0 || outer.Class != asn1.ClassApplication || outer.Tag != 0 {
		return errSASL
	}
	var oid asn1.ObjectIdentifier
	token, err := asn1.Unmarshal(outer.Bytes, &oid)
	if err != nil || !oid.Equal(oidKerberos) || len(token) < 2 {
		return errSASL
	}
	if bytes.Equal(token[:2], tokenError) {
		return g.refused(token[2:])
	}
	var reply messages.APRep
	if !bytes.Equal(token[:2], tokenReply) || reply.Unmarshal(token[2:]) != nil {
		return errSASL
	}
	plain, err := crypto.DecryptEncPart(reply.EncPart, g.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return errSASL
	}
	var part messages.EncAPRepPart
	if part.Unmarshal(plain) != nil || !part.CTime.Equal(g.auth.CTime.Truncate(time.Second)) || part.Cusec != g.auth.Cusec {
		return errSASL
	}
	if len(part.Subkey.KeyValue) > 0 {
		g.key, g.subkey = part.Subkey, true
	}
	return nil
}

// refused is a service's own Kerberos error.
func (g *kerberos) refused(message []byte) error {
	var e messages.KRBError
	if e.Unmarshal(message) != nil {
		return errSASL
	}
	said := "error " + errorcode.Lookup(e.ErrorCode)
	if e.ErrorCode == errorcode.KRB_AP_ERR_SKEW {
		return g.fail(connectors.Refused, "kerberos.clock", "", said)
	}
	return g.fail(connectors.AuthFailed, "ldap.ticket", "spn", said)
}

// choose answers the server's list of security layers with "none".
func (g *kerberos) choose(said []byte) ([]byte, error) {
	offered, err := g.unwrap(said)
	if err != nil {
		return nil, err
	}
	if len(offered) != 4 || offered[0]&noLayer == 0 {
		return nil, g.fail(connectors.Refused, "ldap.need_tls", "security", "the server wants a security layer of its own")
	}
	return g.wrap([]byte{noLayer, 0, 0, 0})
}

// The flags of a wrap token (RFC 4121 section 4.2.2).
const (
	sealed = 2
	subkey = 4
)

// unwrap reads a signed, unsealed token (RFC 4121 section 4.2.6.2). Servers may
// rotate what follows the header (section 4.2.5).
func (g *kerberos) unwrap(token []byte) ([]byte, error) {
	if len(token) < gssapi.HdrLen {
		return nil, errSASL
	}
	token = bytes.Clone(token)
	body := token[gssapi.HdrLen:]
	if n := int(binary.BigEndian.Uint16(token[6:8])); n > 0 && len(body) > 0 {
		n %= len(body)
		copy(body, append(bytes.Clone(body[n:]), body[:n]...))
	}
	var w gssapi.WrapToken
	if err := w.Unmarshal(token, true); err != nil || w.Flags&sealed != 0 || (w.Flags&subkey != 0) != g.subkey {
		return nil, errSASL
	}
	if ok, err := w.Verify(g.key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil || !ok {
		return nil, errSASL
	}
	return w.Payload, nil
}

func (g *kerberos) wrap(payload []byte) ([]byte, error) {
	et, err := crypto.GetEtype(g.key.KeyType)
	if err != nil {
		return nil, err
	}
	w := gssapi.WrapToken{EC: uint16(et.GetHMACBitLength() / 8), SndSeqNum: uint64(g.auth.SeqNumber), Payload: payload}
	if g.subkey {
		w.Flags = subkey
	}
	if err := w.SetCheckSum(g.key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, err
	}
	return w.Marshal()
}
