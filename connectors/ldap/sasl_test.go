package ldap

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// saying is a bind response with the server's credentials.
func saying(code int64, said string) *ber.Packet {
	op := result(ldap.ApplicationBindResponse, code, "")
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, saslCredentials, said, ""))
	return op
}

// talk runs a mechanism against a server that gives one answer after the other,
// the last of them for ever.
func talk(t *testing.T, m mechanism, answers ...*ber.Packet) (*puppet, error) {
	t.Helper()
	n := 0
	p := newPuppet(t, func(_ *puppet, r request) bool {
		r.answer(answers[min(n, len(answers)-1)])
		n++
		return true
	})
	conn, err := net.Dial("tcp", net.JoinHostPort(p.host, p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	d := &door{c: config{Host: p.host, Auth: byNTLM}}
	return p, d.sasl(ctx, &link{wire: newWire(conn, conn)}, "X", m)
}

// challengeOf is an NTLM challenge (MS-NLMP 2.2.1.2) within SPNEGO.
func challengeOf(t testing.TB, info []byte) (ntlmMessage []byte, spnego string) {
	t.Helper()
	m := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	m = append(m, make([]byte, 8)...)                               // no target name
	m = binary.LittleEndian.AppendUint32(m, 0xa2880205&^0x40000000) // unicode, NTLM, target info, extended session security
	m = append(m, "12345678"...)
	m = append(m, make([]byte, 8)...)
	m = binary.LittleEndian.AppendUint16(m, uint16(len(info)))
	m = binary.LittleEndian.AppendUint16(m, uint16(len(info)))
	m = binary.LittleEndian.AppendUint32(m, 56)
	m = append(append(m, make([]byte, 8)...), info...)
	inner, err := asn1.Marshal(negotiated{State: 1, Mech: oidNTLM, Token: m})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := tagged(asn1.ClassContextSpecific, 1, inner)
	if err != nil {
		t.Fatal(err)
	}
	return m, string(whole)
}

var someInfo = []byte{2, 0, 4, 0, 'J', 0, 'K', 0, 0, 0, 0, 0}

func TestSecurity59_NTLMNeverGoesInTheClear(t *testing.T) {
	w := conntest.NewWorld(t)
	w.Env.Dial = func(context.Context, string, string) (net.Conn, error) {
		t.Error("the network was used")
		return nil, errors.New("no network")
	}
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "user": "alice", "auth": byNTLM, "security": plainText}
	s.Secrets["password"] = connectors.NewSecret(canary)
	_, err := Type().Open(t.Context(), w.Env, s)
	if e := connectors.Classify(err); e == nil || e.Reason != "ldap.ntlm_open" || e.Field != "security" {
		t.Errorf("%+v", e)
	}
}

func TestSecurity59_AHostileAnswerCausesAnErrorAndNothingElse(t *testing.T) {
	_, good := challengeOf(t, someInfo)
	for name, answers := range map[string][]*ber.Packet{
		"accepted at once":      {bound()},
		"no end":                {saying(14, good)},
		"nothing":               {saying(14, "")},
		"another mechanism":     {saying(14, strings.Replace(good, "\x37\x02\x02\x0a", "\x37\x02\x02\x1e", 1))},
		"half a challenge":      {saying(14, good[:len(good)/2])},
		"no SPNEGO":             {saying(14, "NTLMSSP\x00\x02")},
		"a length beyond":       {saying(14, "\xa1\x84\x7f\xff\xff\xff\x30\x00")},
		"a challenge of zeroes": {saying(14, string(bytes.ReplaceAll([]byte(good), someInfo, bytes.Repeat([]byte{0xff}, len(someInfo)))))},
	} {
		p, err := talk(t, &ntlm{name: `JACK\alice`, password: connectors.NewSecret(canary)}, answers...)
		if e := connectors.Classify(err); e == nil || e.Reason != "ldap.sasl" || e.Field != "auth" {
			t.Errorf("%s: %+v", name, e)
		}
		if bytes.Contains(p.seen(), []byte(canary)) {
			t.Errorf("%s: the password went out", name)
		}
	}
	if _, err := talk(t, &ntlm{name: `JACK\alice`, password: connectors.NewSecret(canary)}, saying(14, good), bound()); err != nil {
		t.Error(err)
	}
}

// A Kerberos server that cannot read the ticket must not be believed.
func TestSecurity59_AServerThatProvesNothingIsNotBelieved(t *testing.T) {
	reply, _ := asn1.Marshal(oidKerberos)
	for name, answers := range map[string][]*ber.Packet{
		"accepted at once":           {bound()},
		"accepted after the request": {saying(0, "")},
		"nothing":                    {saying(14, "")},
		"no message":                 {saying(14, "\x60\x02\x06\x00")},
		"a damaged reply":            {saying(14, string(must(tagged(asn1.ClassApplication, 0, append(append(bytes.Clone(reply), tokenReply...), 0x6f, 0x02, 0x30, 0x00)))))},
		"a damaged error":            {saying(14, string(must(tagged(asn1.ClassApplication, 0, append(append(bytes.Clone(reply), tokenError...), 0x7e, 0x00)))))},
	} {
		_, err := talk(t, someKerberos(), answers...)
		if e := connectors.Classify(err); e == nil || e.Reason != "ldap.sasl" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func someKerberos() *kerberos {
	name := types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "alice")
	return &kerberos{
		ticket: messages.Ticket{TktVNO: 5, Realm: "JACK.TEST", SName: types.NewPrincipalName(nametype.KRB_NT_SRV_HST, "ldap/dc1.jack.test"),
			EncPart: types.EncryptedData{EType: etypeID.AES256_CTS_HMAC_SHA1_96, KVNO: 1, Cipher: make([]byte, 64)}},
		key: types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: make([]byte, 32)}, realm: "JACK.TEST", name: name,
		fail: func(code connectors.Code, reason, field, said string) error {
			return &connectors.Error{Code: code, Reason: reason, Field: field, Said: said}
		},
	}
}

// A wrap token may come rotated (RFC 4121 section 4.2.5), and none that was
// changed on the way counts.
func TestWrapTokens(t *testing.T) {
	g := someKerberos()
	whole := must(acceptorWrap(g, []byte{noLayer, 0, 0, 0}))
	for _, by := range []int{0, 4, 12, 16, 1000} {
		token := bytes.Clone(whole)
		body := token[16:]
		n := by % len(body)
		copy(body, append(bytes.Clone(body[len(body)-n:]), body[:len(body)-n]...))
		binary.BigEndian.PutUint16(token[6:], uint16(by))
		if got, err := g.unwrap(token); err != nil || !bytes.Equal(got, []byte{noLayer, 0, 0, 0}) {
			t.Errorf("rotated by %d: %x %v", by, got, err)
		}
	}
	for i := range whole {
		if i >= 4 && i < 8 { // the lengths, which no checksum covers
			continue
		}
		token := bytes.Clone(whole)
		token[i] ^= 1
		if _, err := g.unwrap(token); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
	if _, err := g.choose(must(acceptorWrap(g, []byte{4, 0, 16, 0}))); connectors.Classify(err).Reason != "ldap.need_tls" {
		t.Errorf("%v", err)
	}
}

func TestDocsShaped_ChannelBindingsGoIntoTheProof(t *testing.T) {
	challenge, spnego := challengeOf(t, someInfo)
	sum := bytes.Repeat([]byte{0xab}, 16)
	tied := withBindings(challenge, sum)
	if !bytes.Equal(tied[:40], challenge[:40]) || !bytes.Contains(tied, append([]byte{10, 0, 16, 0}, sum...)) {
		t.Errorf("%x", tied)
	}
	p, err := talk(t, &ntlm{name: `JACK\alice`, password: connectors.NewSecret(canary), bindings: sum}, saying(14, spnego), bound())
	if err != nil || !bytes.Contains(p.seen(), append([]byte{10, 0, 16, 0}, sum...)) {
		t.Errorf("%v", err)
	}
	for _, bad := range [][]byte{nil, challenge[:30], challenge[:50], bytes.Repeat([]byte{0xff}, 60)} {
		if got := withBindings(bad, sum); !bytes.Equal(got, bad) {
			t.Errorf("%x became %x", bad, got)
		}
	}
}

func TestChannelBindings(t *testing.T) {
	pair := server.NewCA(t).Issue(t, server.Cert{}).TLS(t)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	if got := bindings(state); len(got) != 16 || !bytes.Equal(got, bindings(state)) {
		t.Errorf("%x", got)
	}
	if bindings(tls.ConnectionState{}) != nil {
		t.Error("no certificate has bindings")
	}
	leaf.SignatureAlgorithm = x509.PureEd25519
	if bindings(state) != nil {
		t.Error("a signature without a hash has bindings")
	}
}

func FuzzChallenge(f *testing.F) {
	challenge, spnego := challengeOf(f, someInfo)
	f.Add(challenge)
	f.Add([]byte(spnego))
	f.Fuzz(func(t *testing.T, data []byte) {
		withBindings(data, make([]byte, 16))
		m := &ntlm{name: "a", password: connectors.NewSecret(canary), legs: 1}
		if out, err := advance(m, data); err == nil && len(out) == 0 {
			t.Error("neither an answer nor an error")
		}
		g := someKerberos()
		if _, err := advance(g, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := advance(g, data); err == nil {
			t.Error("a proof without the key")
		}
		if _, err := g.unwrap(data); err == nil {
			t.Error("a checksum without the key")
		}
	})
}

// acceptorWrap is what a server sends.
func acceptorWrap(g *kerberos, payload []byte) ([]byte, error) {
	et, err := crypto.GetEtype(g.key.KeyType)
	if err != nil {
		return nil, err
	}
	w := gssapi.WrapToken{Flags: 1, EC: uint16(et.GetHMACBitLength() / 8), Payload: payload}
	if err := w.SetCheckSum(g.key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		return nil, err
	}
	return w.Marshal()
}
