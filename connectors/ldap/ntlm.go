package ldap

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"

	"github.com/Azure/go-ntlmssp"

	"jackfield/connectors"
)

// ntlm is NTLMv2 within SPNEGO (RFC 4178), the SASL mechanism GSS-SPNEGO of
// MS-ADTS 5.1.1.1.2. Microsoft's older way of its own, which the library has, is
// known to domain controllers of Windows alone. Nothing is signed or sealed after
// the sign-in: that is TLS's part.
type ntlm struct {
	name     string // DOMAIN\user or user@domain
	password connectors.Secret
	bindings []byte
	legs     int
}

var (
	oidSPNEGO = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidNTLM   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
)

type negotiation struct {
	Mechs []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	Token []byte                  `asn1:"explicit,optional,tag:2"`
}

type negotiated struct {
	State asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
	Mech  asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	Token []byte                `asn1:"explicit,optional,tag:2"`
	MIC   []byte                `asn1:"explicit,optional,tag:3"`
}

type response struct {
	Token []byte `asn1:"explicit,tag:2"`
}

func (n *ntlm) done() bool { return n.legs >= 2 }

func (n *ntlm) next(said []byte) ([]byte, error) {
	n.legs++
	switch n.legs {
	case 1:
		first, err := ntlmssp.NewNegotiateMessage("", "")
		if err != nil {
			return nil, err
		}
		return offer(first)
	case 2:
		challenge, err := challengeIn(said)
		if err != nil {
			return nil, err
		}
		proof, err := ntlmssp.NewAuthenticateMessage(withBindings(challenge, n.bindings), n.name, n.password.Reveal(), nil)
		if err != nil {
			return nil, errSASL // the parser's error quotes the message
		}
		inner, err := asn1.Marshal(response{Token: proof})
		if err != nil {
			return nil, err
		}
		return tagged(asn1.ClassContextSpecific, 1, inner)
	}
	return nil, errSASL
}

// offer is the first token: NTLM and nothing else.
func offer(token []byte) ([]byte, error) {
	inner, err := asn1.Marshal(negotiation{Mechs: []asn1.ObjectIdentifier{oidNTLM}, Token: token})
	if err != nil {
		return nil, err
	}
	if inner, err = tagged(asn1.ClassContextSpecific, 0, inner); err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(oidSPNEGO)
	if err != nil {
		return nil, err
	}
	return tagged(asn1.ClassApplication, 0, append(oid, inner...))
}

func tagged(class, tag int, content []byte) ([]byte, error) {
	return asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
}

// challengeIn takes NTLM's challenge out of the server's answer.
func challengeIn(said []byte) ([]byte, error) {
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(said, &outer); err != nil || len(rest) > 0 || outer.Class != asn1.ClassContextSpecific || outer.Tag != 1 {
		return nil, errSASL
	}
	var inner negotiated
	if rest, err := asn1.Unmarshal(outer.Bytes, &inner); err != nil || len(rest) > 0 {
		return nil, errSASL
	}
	const refused = 2
	if inner.State == refused || len(inner.Mech) > 0 && !inner.Mech.Equal(oidNTLM) || !bytes.HasPrefix(inner.Token, []byte("NTLMSSP\x00\x02")) {
		return nil, errSASL
	}
	return inner.Token, nil
}

// withBindings writes the channel bindings among what the challenge says of the server
// (MS-NLMP 2.2.1.2 and 2.2.2.1), because what stands there goes into the proof. A
// challenge that has no such place, or a damaged one, stays as it is.
func withBindings(challenge, sum []byte) []byte {
	const place, idEnd, idBindings = 40, 0, 10
	if len(sum) == 0 || len(challenge) < place+8 {
		return challenge
	}
	length := int(binary.LittleEndian.Uint16(challenge[place:]))
	start := int(binary.LittleEndian.Uint32(challenge[place+4:]))
	if length < 4 || start < place+8 || start > len(challenge) || length > len(challenge)-start {
		return challenge
	}
	info := challenge[start : start+length]
	var out []byte
	for len(info) >= 4 && binary.LittleEndian.Uint16(info) != idEnd {
		size := 4 + int(binary.LittleEndian.Uint16(info[2:]))
		if size > len(info) {
			return challenge
		}
		if binary.LittleEndian.Uint16(info) != idBindings {
			out = append(out, info[:size]...)
		}
		info = info[size:]
	}
	out = binary.LittleEndian.AppendUint16(out, idBindings)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(sum)))
	out = append(append(out, sum...), 0, 0, 0, 0)
	if len(out) > 1<<16-1 {
		return challenge
	}
	whole := append(bytes.Clone(challenge), out...)
	binary.LittleEndian.PutUint16(whole[place:], uint16(len(out)))
	binary.LittleEndian.PutUint16(whole[place+2:], uint16(len(out)))
	binary.LittleEndian.PutUint32(whole[place+4:], uint32(len(challenge)))
	return whole
}
