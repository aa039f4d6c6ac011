package sqldb

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/service"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"golang.org/x/crypto/md4" //nolint:staticcheck // NTLM is made of it (MS-NLMP 3.3.2)

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// through sends questions to the SQL Server Browser to another address, or is a
// way that has no UDP, as a proxy.
func through(inner dialer, browser string, udp bool) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network != "udp" {
			return inner(ctx, network, addr)
		}
		if !udp {
			return nil, &connectors.Error{Code: connectors.Unreachable, Op: connectors.StageConnect, Err: errors.New("no UDP here")}
		}
		return inner(ctx, network, browser)
	}
}

// challengeMessage is NTLM's second message (MS-NLMP 2.2.1.2), with the names
// that NTLMv2 needs.
func challengeMessage(nonce []byte) []byte {
	info := []byte{2, 0, 8, 0}
	info = append(info, ucs2Of("CORP")...)
	info = append(info, 1, 0, 8, 0)
	info = append(info, ucs2Of("SQL1")...)
	info = append(info, 7, 0, 8, 0)
	info = binary.LittleEndian.AppendUint64(info, uint64(time.Now().Unix()+11644473600)*10_000_000)
	info = append(info, 0, 0, 0, 0)
	out := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	out = append(out, 8, 0, 8, 0, 56, 0, 0, 0)
	out = binary.LittleEndian.AppendUint32(out, 0x00888205|1<<25)
	out = append(out, nonce...)
	out = append(out, make([]byte, 8)...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(info)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(info)))
	out = binary.LittleEndian.AppendUint32(out, 64)
	out = append(out, 10, 0, 0x63, 0x45, 0, 0, 0, 15)
	out = append(out, ucs2Of("CORP")...)
	return append(out, info...)
}

// proven verifies NTLM's third message (MS-NLMP 2.2.1.3 and 3.3.2).
func proven(m, nonce []byte, domain, user, password string) bool {
	field := func(at int) []byte {
		if len(m) < at+8 {
			return nil
		}
		n, from := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
		if from+n > len(m) {
			return nil
		}
		return m[from : from+n]
	}
	answer := field(20)
	if !bytes.HasPrefix(m, []byte("NTLMSSP\x00\x03\x00\x00\x00")) || len(answer) < 44 || ucs2(field(28)) != domain || ucs2(field(36)) != user {
		return false
	}
	hash := md4.New()
	hash.Write(ucs2Of(password))
	key := hmac.New(md5.New, hash.Sum(nil))
	key.Write(ucs2Of(strings.ToUpper(user) + domain))
	proof := hmac.New(md5.New, key.Sum(nil))
	proof.Write(append(bytes.Clone(nonce), answer[16:]...))
	return hmac.Equal(proof.Sum(nil), answer[:16])
}

func TestSQLServerNTLMStandIn(t *testing.T) {
	nonce := []byte("12345678")
	s := (&tdsServer{encrypt: encryptOn, answer: shop, signIn: func(c *tdsConn, in login7) *tdsError {
		failed := &tdsError{number: 18456, text: "Login failed for user 'CORP\\reader'."}
		if !bytes.HasPrefix(in.sspi, []byte("NTLMSSP\x00\x01")) || in.user != "" || in.password != "" {
			return failed
		}
		answer, err := c.sspi(challengeMessage(nonce))
		if err != nil || !proven(answer, nonce, "CORP", "reader", "practice-only-reader") {
			return failed
		}
		return nil
	}}).start(t)
	session := conntest.Open(t, sqlserverType(), sqlserverAt(s, `CORP\reader`, "practice-only-reader", "auth", "ntlm", "database", "Sales"))
	if n := conntest.Below(t, session, "dbo"); len(n) != 4 {
		t.Errorf("%v", n)
	}
	err := try(t, sqlserverType(), sqlserverAt(s, `CORP\reader`, "practice-only-wrong", "auth", "ntlm"))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || e.Field != "password" {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestSecurity59_AHostileNTLMChallengeIsAnErrorStandIn(t *testing.T) {
	whole := challengeMessage([]byte("12345678"))
	var damaged [][]byte
	for i := 0; i < len(whole); i += 3 {
		damaged = append(damaged, whole[:i])
	}
	for _, at := range []int{40, 42, 44, 64, 66} {
		bad := bytes.Clone(whole)
		bad[at], bad[at+1] = 0xff, 0xff
		damaged = append(damaged, bad)
	}
	next := make(chan []byte, 1)
	s := (&tdsServer{encrypt: encryptOn, answer: shop, signIn: func(c *tdsConn, _ login7) *tdsError {
		_, _ = c.sspi(<-next)
		return &tdsError{number: 18456, text: "Login failed."}
	}}).start(t)
	for i, challenge := range damaged {
		next <- challenge
		err := try(t, sqlserverType(), sqlserverAt(s, `CORP\reader`, "practice-only-reader", "auth", "ntlm"))
		if connectors.CodeOf(err) != connectors.AuthFailed {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestSQLServerKerberosStandIn has a real KDC; the stand-in verifies the ticket
// with the keytab that the KDC made for it.
func TestSQLServerKerberosStandIn(t *testing.T) {
	realm := server.KDC(t)
	realm.AddUser(t, "reader", "practice-only-reader")
	var keys keytab.Keytab
	s := &tdsServer{encrypt: encryptOn, answer: shop, signIn: func(c *tdsConn, in login7) *tdsError {
		who, err := ticketOf(in.sspi, &keys)
		if err != nil || who != "reader@EXAMPLE.TEST" {
			return &tdsError{number: 18452, text: "Login failed. The login is from an untrusted domain."}
		}
		accepted := []byte{0xa1, 7, 0x30, 5, 0xa0, 3, 10, 1, 0} // accept-completed
		out := append(binary.LittleEndian.AppendUint16([]byte{0xed}, uint16(len(accepted))), accepted...)
		if c.write(packetReply, out) != nil {
			return &tdsError{number: 18456}
		}
		return nil
	}}
	s.start(t)
	if err := keys.Unmarshal(realm.Keytab(t, "MSSQLSvc/localhost:"+strconv.Itoa(s.port))); err != nil {
		t.Fatal(err)
	}
	realm.Keytab(t, "MSSQLSvc/another.example.test:1433")
	at := func(more ...string) connectors.Settings {
		return sqlserverAt(s, "reader@example.test", "practice-only-reader", append([]string{"host", "localhost", "auth", "kerberos", "kdc", realm.Addr}, more...)...)
	}
	session := conntest.Open(t, sqlserverType(), at())
	if n := conntest.Below(t, session, ""); len(n) != 2 {
		t.Errorf("%v", n)
	}
	for name, c := range map[string]struct {
		more  []string
		code  connectors.Code
		field string
	}{
		"no such service":    {[]string{"spn", "MSSQLSvc/nowhere.example.test:1433"}, connectors.NotFound, "spn"},
		"another service":    {[]string{"spn", "MSSQLSvc/another.example.test:1433"}, connectors.AuthFailed, "auth"},
		"no such user":       {[]string{"user", "nobody@example.test"}, connectors.AuthFailed, "user"},
		"a realm is lacking": {[]string{"user", "reader"}, connectors.BadInput, "realm"},
	} {
		err := try(t, sqlserverType(), at(c.more...))
		if e := connectors.Classify(err); e == nil || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: %v (%+v)", name, err, e)
		}
	}
	wrong := at()
	wrong.Secrets["password"] = connectors.NewSecret("practice-only-wrong")
	if e := connectors.Classify(try(t, sqlserverType(), wrong)); e == nil || e.Code != connectors.AuthFailed || e.Field != "password" {
		t.Errorf("a wrong password: %+v", e)
	}
}

// ticketOf verifies an AP-REQ within SPNEGO.
func ticketOf(token []byte, keys *keytab.Keytab) (string, error) {
	var outer spnego.SPNEGOToken
	if err := outer.Unmarshal(token); err != nil || !outer.Init {
		return "", errors.Join(err, errors.New("no NegTokenInit"))
	}
	var inner spnego.KRB5Token
	if err := inner.Unmarshal(outer.NegTokenInit.MechTokenBytes); err != nil || !inner.IsAPReq() {
		return "", errors.Join(err, errors.New("no AP-REQ"))
	}
	ok, who, err := service.VerifyAPREQ(&inner.APReq, service.NewSettings(keys, service.DecodePAC(false)))
	if err != nil || !ok {
		return "", errors.Join(err, errors.New("not verified"))
	}
	return who.UserName() + "@" + who.Realm(), nil
}

func TestSecurity59_AHostileSPNEGOAnswerIsAnError(t *testing.T) {
	for _, bad := range [][]byte{nil, {0xa1}, {0xa1, 0x84, 0xff, 0xff, 0xff, 0xff}, {0xa1, 7, 0x30, 5, 0xa0, 3, 10, 1, 2}, bytes.Repeat([]byte{0x30}, 5000)} {
		if _, err := presented("x").NextBytes(bad); err == nil {
			t.Errorf("%x is taken", bad[:min(len(bad), 20)])
		}
	}
	if _, err := presented("x").NextBytes([]byte{0xa1, 7, 0x30, 5, 0xa0, 3, 10, 1, 0}); err != nil {
		t.Error(err)
	}
}

func TestTheServiceIsTheHostThatWasTyped(t *testing.T) {
	for want, c := range map[string]sqlserver{
		"MSSQLSvc/sql.example.com:1433": {Host: "SQL.example.com.", Port: 1433},
		"MSSQLSvc/other:1":              {Host: "sql.example.com", Port: 1433, SPN: "MSSQLSvc/other:1"},
	} {
		if got := c.service(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestSQLServerGarbageStandIn answers the first message with anything at all.
func TestSQLServerGarbageStandIn(t *testing.T) {
	for i, answer := range [][]byte{
		{}, {4}, {4, 1, 0, 8, 0, 0, 1, 0}, {4, 1, 0, 9, 0, 0, 1, 0, 0xff}, {4, 1, 0xff, 0xff, 0, 0, 1, 0}, {4, 1, 0, 0, 0, 0, 1, 0},
		append([]byte{4, 1, 0, 19, 0, 0, 1, 0}, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0), bytes.Repeat([]byte{0xff}, 5000), bytes.Repeat([]byte{0}, 5000),
	} {
		host, port := conntest.Speaks(t, string(answer))
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": host, "port": port, "user": "reader"}
		s.Secrets["password"] = connectors.NewSecret("practice-only-reader")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := sqlserverType().Open(ctx, conntest.NewWorld(t).Env, s)
		cancel()
		if code := connectors.CodeOf(err); code != connectors.Refused && code != connectors.TimedOut && code != connectors.Unsupported {
			t.Errorf("%d: %v", i, err)
		}
	}
}
