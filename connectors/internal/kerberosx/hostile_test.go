package kerberosx_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/kerberosx"
)

// scripted listens as a KDC does; reply makes the bytes after a request, with
// the length before them, or none to stay silent.
func scripted(t *testing.T, reply func(request []byte) []byte) string {
	t.Helper()
	return net.JoinHostPort(conntest.Serve(t, func(conn net.Conn) { serve(conn, reply) }))
}

func serve(conn net.Conn, reply func([]byte) []byte) {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	request := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(conn, request); err != nil {
		return
	}
	answer := reply(request)
	_, _ = conn.Write(answer)
	if answer == nil {
		_, _ = conn.Read(head[:]) // until the client goes
	}
}

// verifyNoLeak looks after everything that the test still registers is cleaned up.
func verifyNoLeak(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func framed(data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
}

func refusal(code int32, data []byte) []byte {
	e := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/EXAMPLE.TEST"), "EXAMPLE.TEST", code, "in its own words")
	e.EData = data
	out, err := e.Marshal()
	if err != nil {
		panic(err)
	}
	return framed(out)
}

var alice = kerberosx.Config{User: "alice", Realm: "EXAMPLE.TEST", Password: secret(password)}

// What MIT's server does not say in the other tests, as RFC 4120 section 7.5.9
// numbers it.
func TestTheOtherErrorNumbersNameTheFieldToPutRight(t *testing.T) {
	for _, c := range []struct {
		number        int32
		code          connectors.Code
		reason, field string
	}{
		{errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, connectors.BadInput, "kerberos.realm", "realm"},
		{errorcode.KDC_ERR_WRONG_REALM, connectors.BadInput, "kerberos.realm", "realm"},
		{errorcode.KDC_ERR_POLICY, connectors.Denied, "kerberos.policy", ""},
		{errorcode.KDC_ERR_ETYPE_NOSUPP, connectors.Unsupported, "kerberos.etype", "password"},
		{errorcode.KDC_ERR_PADATA_TYPE_NOSUPP, connectors.Unsupported, "kerberos.preauth", ""},
		{errorcode.KDC_ERR_CLIENT_NOTYET, connectors.Denied, "kerberos.locked", "user"},
		{errorcode.KDC_ERR_SVC_UNAVAILABLE, connectors.Unreachable, "kerberos.kdc_busy", "kdc"},
		{errorcode.KDC_ERR_SERVICE_EXP, connectors.Denied, "kerberos.spn_locked", "spn"},
		{errorcode.KRB_AP_ERR_SKEW, connectors.Refused, "kerberos.clock", ""},
		{errorcode.KRB_ERR_GENERIC, connectors.Refused, "kerberos.refused", ""},
		{12345, connectors.Refused, "kerberos.refused", ""},
	} {
		t.Run(errorcode.Lookup(c.number), func(t *testing.T) {
			cfg := alice
			cfg.KDC = scripted(t, func([]byte) []byte { return refusal(c.number, nil) })
			_, err := open(t, cfg)
			wants(t, err, c.code, c.reason, c.field)
			said := connectors.Explain(err).Said
			if c.number != errorcode.KRB_AP_ERR_SKEW && !strings.Contains(said, "in its own words") {
				t.Errorf("the server's words are lost: %q", said)
			}
		})
	}
}

// hinted is a demand for preauthentication with one way to make the key.
func hinted(kind int32, params []byte) []byte {
	info := types.ETypeInfo2{{EType: kind, Salt: "EXAMPLE.TESTalice", S2KParams: params}}
	if kind == 0 {
		info = types.ETypeInfo2{}
	}
	list := types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP}, {PADataType: patype.PA_ETYPE_INFO2, PADataValue: der(info)}}
	return refusal(errorcode.KDC_ERR_PREAUTH_REQUIRED, der(list))
}

func TestSecurity59_AHostileKDCCausesAnErrorAndNothingElse(t *testing.T) {
	verifyNoLeak(t)
	always := func(answer []byte) func([]byte) []byte { return func([]byte) []byte { return answer } }
	for _, c := range []struct {
		name   string
		reply  func([]byte) []byte
		code   connectors.Code
		reason string
		field  string
	}{
		{"another protocol", always([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), connectors.Refused, "kerberos.reply", "kdc"},
		{"four milliard bytes announced", always([]byte{0xff, 0xff, 0xff, 0xff}), connectors.Refused, "kerberos.reply", "kdc"},
		{"nothing announced", always([]byte{0, 0, 0, 0}), connectors.Refused, "kerberos.reply", "kdc"},
		{"cut off", always([]byte{0, 0, 0, 9, 0x6b}), connectors.Refused, "kerberos.reply", "kdc"},
		{"hung up", always([]byte{}), connectors.Refused, "kerberos.reply", "kdc"},
		{"no ASN.1", always(framed([]byte("not a reply"))), connectors.Refused, "kerberos.reply", "kdc"},
		{"an empty ticket message", always(framed([]byte{0x6b, 0x02, 0x30, 0x00})), connectors.Refused, "kerberos.reply", "kdc"},
		{"four milliard rounds", always(hinted(etypeID.AES256_CTS_HMAC_SHA1_96, []byte{0, 0, 0, 0})), connectors.Refused, "kerberos.reply", "kdc"},
		{"a milliard rounds", always(hinted(etypeID.AES256_CTS_HMAC_SHA1_96, []byte{0x40, 0, 0, 0})), connectors.Refused, "kerberos.reply", "kdc"},
		{"rounds of three bytes", always(hinted(etypeID.AES256_CTS_HMAC_SHA1_96, []byte{0, 0, 1})), connectors.Refused, "kerberos.reply", "kdc"},
		{"an empty list of keys", always(hinted(0, nil)), connectors.Unsupported, "kerberos.etype", "password"},
		{"RC4 demanded", always(hinted(etypeID.RC4_HMAC, nil)), connectors.Unsupported, "kerberos.etype", "password"},
		{"DES demanded", always(hinted(etypeID.DES_CBC_MD5, nil)), connectors.Unsupported, "kerberos.etype", "password"},
		{"preauthentication without a list", always(refusal(errorcode.KDC_ERR_PREAUTH_REQUIRED, nil)), connectors.Refused, "kerberos.reply", "kdc"},
		{"preauthentication without end", always(hinted(etypeID.AES256_CTS_HMAC_SHA1_96, nil)), connectors.Unsupported, "kerberos.preauth", ""},
		{"an old nonce", ticketed(func(_ *messages.ASRep, p *messages.EncKDCRepPart) { p.Nonce++ }), connectors.Refused, "kerberos.reply", "kdc"},
		{"another user's ticket", ticketed(func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.CName = types.NewPrincipalName(1, "mallory") }), connectors.Refused, "kerberos.reply", "kdc"},
		{"another realm's ticket", ticketed(func(_ *messages.ASRep, p *messages.EncKDCRepPart) { p.SRealm = "OTHER.TEST" }), connectors.Refused, "kerberos.reply", "kdc"},
		{"another service's ticket", ticketed(func(r *messages.ASRep, p *messages.EncKDCRepPart) {
			p.SName = types.NewPrincipalName(2, "kadmin/changepw")
		}), connectors.Refused, "kerberos.reply", "kdc"},
		{"the realm in capitals", ticketed(func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.CRealm = "Example.TEST" }), connectors.BadInput, "kerberos.realm_case", "realm"},
		{"an empty cipher", ticketed(func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.EncPart.Cipher = []byte{} }), connectors.Refused, "kerberos.reply", "kdc"},
		{"a cipher of one byte", ticketed(func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.EncPart.Cipher = []byte{1} }), connectors.Refused, "kerberos.reply", "kdc"},
		{"a cipher of one block", ticketed(func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.EncPart.Cipher = make([]byte, 16) }), connectors.AuthFailed, "kerberos.password", "password"},
		{"an old ticket", ticketed(func(_ *messages.ASRep, p *messages.EncKDCRepPart) { p.AuthTime = time.Now().Add(-time.Hour).UTC() }), connectors.Refused, "kerberos.clock", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := alice
			cfg.KDC = scripted(t, c.reply)
			_, err := open(t, cfg)
			wants(t, err, c.code, c.reason, c.field)
		})
	}
}

// ticketed grants what was asked for, changed.
func ticketed(change func(*messages.ASRep, *messages.EncKDCRepPart)) func([]byte) []byte {
	return func(request []byte) []byte {
		var req messages.ASReq
		if req.Unmarshal(request) != nil {
			return []byte{}
		}
		key, _, err := crypto.GetKeyFromPassword(password, req.ReqBody.CName, req.ReqBody.Realm, etypeID.AES256_CTS_HMAC_SHA1_96, nil)
		if err != nil {
			panic(err)
		}
		now := time.Now().UTC()
		part := messages.EncKDCRepPart{
			Key: types.EncryptionKey{KeyType: key.KeyType, KeyValue: make([]byte, 32)}, Nonce: req.ReqBody.Nonce, Flags: types.NewKrbFlags(),
			LastReqs: []messages.LastReq{{LRValue: now}},
			AuthTime: now, EndTime: now.Add(time.Hour), SRealm: req.ReqBody.Realm, SName: req.ReqBody.SName,
		}
		rep := messages.ASRep{KDCRepFields: messages.KDCRepFields{
			PVNO: 5, MsgType: msgtype.KRB_AS_REP, CRealm: req.ReqBody.Realm, CName: req.ReqBody.CName,
			Ticket: messages.Ticket{TktVNO: 5, Realm: req.ReqBody.Realm, SName: req.ReqBody.SName, EncPart: types.EncryptedData{EType: 18, KVNO: 1, Cipher: []byte("sealed")}},
		}}
		change(&rep, &part)
		plain, err := part.Marshal()
		if err != nil {
			panic(err)
		}
		if rep.EncPart.Cipher != nil {
			rep.EncPart.EType = key.KeyType
		} else if rep.EncPart, err = crypto.GetEncryptedData(plain, key, keyusage.AS_REP_ENCPART, 1); err != nil {
			panic(err)
		}
		out, err := rep.Marshal()
		if err != nil {
			panic(err)
		}
		return framed(out)
	}
}

// gokrb5 takes the first part of a ticket's name without looking whether there
// is one; the keys bring errors, and must go on doing so.
func TestSecurity59_APanicOfTheLibraryIsAnError(t *testing.T) {
	verifyNoLeak(t)
	for name, change := range map[string]func(*messages.ASRep, *messages.EncKDCRepPart){
		"a ticket for nobody": func(r *messages.ASRep, _ *messages.EncKDCRepPart) { r.Ticket.SName.NameString = nil },
		"a key of one byte":   func(_ *messages.ASRep, p *messages.EncKDCRepPart) { p.Key.KeyValue = []byte{1} },
		"a key of no bytes":   func(_ *messages.ASRep, p *messages.EncKDCRepPart) { p.Key.KeyValue = nil },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := alice
			cfg.KDC = scripted(t, ticketed(change))
			c, err := open(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			srv := asking(t, `Negotiate`, nil)
			_, err = fetch(t, &http.Client{Transport: c.Transport(plain(t, ""), srv)}, http.MethodGet, srv, nil)
			wants(t, err, connectors.Refused, "kerberos.reply", "kdc")
		})
	}
}

// The second is the one that makes gokrb5's configuration reader panic; no
// configuration is written here at all.
func TestSecurity59_NoAnswerCanBecomeConfiguration(t *testing.T) {
	for _, hostile := range []string{"X\n[realms]", "[realms]\n0={}", "A B", "A=B", "{", "..", "A\x00", "é", strings.Repeat("A", 300)} {
		for field, change := range map[string]func(*kerberosx.Config){
			"realm": func(c *kerberosx.Config) { c.Realm = hostile },
			"kdc":   func(c *kerberosx.Config) { c.KDC = hostile },
			"spn":   func(c *kerberosx.Config) { c.SPN = "HTTP/" + hostile },
		} {
			cfg := alice
			cfg.KDC = "kdc.example.test"
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialled")
				return nil, io.EOF
			}
			change(&cfg)
			_, err := open(t, cfg)
			wants(t, err, connectors.BadInput, "kerberos."+field+"_shape", field)
		}
	}
}

func TestASilentServerEndsWithTheContextAndLeavesNothingBehind(t *testing.T) {
	verifyNoLeak(t)
	asked := make(chan struct{}, 2)
	cfg := alice
	cfg.KDC = scripted(t, func([]byte) []byte { asked <- struct{}{}; return nil })
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := kerberosx.Open(ctx, cfg)
		wants(t, err, connectors.TimedOut, "", "kdc")
	})
	t.Run("cancelled", func(t *testing.T) {
		<-asked
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		_, err := kerberosx.Open(ctx, cfg)
		wants(t, err, connectors.Cancelled, "", "kdc")
	})
}
