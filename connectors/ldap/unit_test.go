package ldap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// The diagnostic strings are those that Microsoft documents and Samba sends.
func TestActiveDirectorySaysWhy(t *testing.T) {
	for data, want := range map[string]verdict{
		"525":      {connectors.AuthFailed, "ldap.no_user", "user"},
		"52e":      {connectors.AuthFailed, "ldap.auth", "password"},
		"52f":      {connectors.Denied, "ldap.restricted", "user"},
		"530":      {connectors.Denied, "ldap.hours", "user"},
		"531":      {connectors.Denied, "ldap.workstation", "user"},
		"532":      {connectors.Expired, "ldap.password_expired", "password"},
		"533":      {connectors.Denied, "ldap.disabled", "user"},
		"568":      {connectors.Denied, "ldap.too_many_groups", "user"},
		"701":      {connectors.Expired, "ldap.account_expired", "user"},
		"773":      {connectors.Expired, "ldap.must_change", "password"},
		"775":      {connectors.Throttled, "ldap.locked", "user"},
		"569":      {connectors.Denied, "ldap.logon_type", "user"},
		"51f":      {connectors.Throttled, "ldap.busy", ""},
		"80090324": {connectors.Refused, "kerberos.clock", ""},
		"80090346": {connectors.Refused, "ldap.bindings", "host"},
		"5aa":      {connectors.AuthFailed, "ldap.auth", "password"}, // a number that is not documented
	} {
		for _, text := range []string{
			"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data %s, v1db1",
			"80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data %s, v3839\x00",
			"8009030C: LdapErr: DSID-0C0904DC, comment: AcceptSecurityContext error, data %s, v1db1",
		} {
			p := newPuppet(t, func(_ *puppet, r request) bool {
				r.answer(result(ldap.ApplicationBindResponse, 49, fmt.Sprintf(text, data)))
				return true
			})
			e := connectors.Classify(tryFor(t, p.settings(plainText), 10*time.Second))
			if e == nil || e.Code != want.code || e.Reason != want.reason || e.Field != want.field || e.Op != connectors.StageSignIn {
				t.Errorf("data %s: %+v, want %v", data, e, want)
			}
			if !connectors.English().Has(want.reason) {
				t.Errorf("%s has no words", want.reason)
			}
		}
	}
}

func TestResultCodes(t *testing.T) {
	c := config{Host: "h", Auth: simple}
	nobody := config{Host: "h", Auth: anonymous}
	answer := func(code uint16) error { return ldap.NewError(code, errors.New("the server's words")) }
	for _, x := range []struct {
		name  string
		err   error
		code  connectors.Code
		words string
		field string
	}{
		{"bind, signing required", bindError(c, nil, answer(8)), connectors.Refused, "ldap.need_tls", "security"},
		{"bind, confidentiality required", bindError(c, nil, answer(13)), connectors.Refused, "ldap.need_tls", "security"},
		{"bind, no simple bind", bindError(c, nil, answer(7)), connectors.Unsupported, "ldap.auth_method", "auth"},
		{"bind, no DN", bindError(c, nil, answer(34)), connectors.BadInput, "ldap.user_form", "user"},
		{"bind, unknown entry", bindError(c, nil, answer(32)), connectors.AuthFailed, "ldap.no_user", "user"},
		{"bind, too many tries", bindError(c, nil, answer(19)), connectors.Throttled, "ldap.locked", "user"},
		{"bind, busy", bindError(c, nil, answer(51)), connectors.Throttled, "ldap.busy", ""},
		{"bind, unwilling", bindError(c, nil, answer(53)), connectors.Denied, "ldap.unwilling", "user"},
		{"bind, other", bindError(c, nil, answer(80)), connectors.Refused, "ldap.other", ""},
		{"bind, policy locked", bindError(c, &ldap.ControlBeheraPasswordPolicy{Error: 1}, answer(49)), connectors.Throttled, "ldap.locked", "user"},
		{"bind, policy expired", bindError(c, &ldap.ControlBeheraPasswordPolicy{Error: 0}, answer(49)), connectors.Expired, "ldap.password_expired", "password"},
		{"bind, policy wants a change", bindError(c, &ldap.ControlBeheraPasswordPolicy{Error: 2}, nil), connectors.Expired, "ldap.must_change", "password"},
		{"anonymous bind", bindError(nobody, nil, answer(53)), connectors.Denied, "ldap.anonymous_denied", "auth"},
		{"anonymous bind, other", bindError(nobody, nil, answer(48)), connectors.Denied, "ldap.anonymous_denied", "auth"},
		{"anonymous search in Active Directory", atBase(nobody, "dc=x", answer(1)), connectors.Denied, "ldap.anonymous_denied", "auth"},
		{"base, none", atBase(c, "dc=x", answer(32)), connectors.NotFound, "ldap.no_base", "base_dn"},
		{"base, elsewhere", atBase(c, "dc=x", answer(10)), connectors.NotFound, "ldap.referral", "base_dn"},
		{"base, denied", atBase(c, "dc=x", answer(50)), connectors.Denied, "ldap.denied", ""},
		{"search, gone", explain(c, "dc=x", answer(32)), connectors.NotFound, "ldap.no_entry", ""},
		{"search, size limit", explain(c, "dc=x", answer(4)), connectors.Denied, "ldap.limit", ""},
		{"search, time limit", explain(c, "dc=x", answer(3)), connectors.Denied, "ldap.limit", ""},
		{"search, administrative limit", explain(c, "dc=x", answer(11)), connectors.Denied, "ldap.limit", ""},
		{"closed", explain(c, "dc=x", io.EOF), connectors.Refused, "connect.closed", "port"},
		{"TLS", notAnswered("h:389", errIsTLS), connectors.Refused, "ldap.is_tls", "security"},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := connectors.Classify(x.err)
			if e == nil || e.Code != x.code || e.Reason != x.words || e.Field != x.field {
				t.Fatalf("%+v", e)
			}
			if !connectors.English().Has(e.Reason) {
				t.Errorf("%s has no words", e.Reason)
			}
			if e.Field != "" {
				if _, ok := form().Field(e.Field); !ok {
					t.Errorf("there is no field %s", e.Field)
				}
			}
			if e.Reason == "ldap.limit" && !e.Partial {
				t.Error("a limit is not partial")
			}
		})
	}
	if bindError(c, nil, nil) != nil || bindError(c, &ldap.ControlBeheraPasswordPolicy{Error: -1, Expire: 60}, nil) != nil {
		t.Error("a sign-in that worked is an error")
	}
}

func TestNames(t *testing.T) {
	for _, x := range [][3]string{
		{"", "alice", "alice"}, {"CORP", "alice", `CORP\alice`}, {"corp.example.com", "alice", "alice@corp.example.com"},
		{"CORP", `OTHER\alice`, `OTHER\alice`}, {"CORP", "alice@corp.example.com", "alice@corp.example.com"}, {"CORP", "cn=a,dc=b", "cn=a,dc=b"},
	} {
		if got := bindName(x[0], x[1]); got != x[2] {
			t.Errorf("%s and %s make %s", x[0], x[1], got)
		}
	}
	for dn, want := range map[string]string{
		"OU=Sales,DC=x": "Sales", `cn=a\,b\=c,dc=x`: "a,b=c", `cn=a\2Cb,dc=x`: "a,b", `cn=\E2\80\AEx,dc=x`: "\u202ex", "cn=a+uid=b,dc=x": "a + b",
		"cn=": "cn=", "": "", "nothing": "nothing", `cn=a\`: `a\`, `cn=a\2`: "a2", "dc=x": "x", "cn=a=b,dc=x": "a=b",
	} {
		if got := rdnValue(dn); got != want {
			t.Errorf("%q is called %q, want %q", dn, got, want)
		}
	}
	for in, want := range map[string]string{"corp.example.com": "DC=corp,DC=example,DC=com", " dc=a,dc=b ": "dc=a,dc=b", "corp": "corp", "": ""} {
		if got := tidyBase(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"ldaps://dc1.corp.example.com":                "host=dc1.corp.example.com security=ldaps",
		"ldap://ldap.example.com:1389/dc=a,dc=b??sub": "base_dn=dc=a,dc=b host=ldap.example.com port=1389 security=starttls",
		"dc1:3269":                     "host=dc1 port=3269",
		"dc1":                          "",
		"https://example.com":          "",
		"ldaps://alice:x@dc1/ou=A%20B": "base_dn=ou=A B host=dc1 security=ldaps",
	} {
		got := splitURL(in)
		var parts []string
		for _, k := range []string{"base_dn", "host", "port", "security", "user"} {
			if v, ok := got[k]; ok {
				parts = append(parts, k+"="+v)
			}
		}
		if strings.Join(parts, " ") != want {
			t.Errorf("%s answers %v", in, got)
		}
	}
	for c, want := range map[string]string{"ldaps": "h:636", "starttls": "h:389", "none": "h:389"} {
		if got := (config{Host: "h", Security: c}).addr(); got != want {
			t.Errorf("%s goes to %s", c, got)
		}
	}
}

func TestValues(t *testing.T) {
	for _, x := range []struct{ name, value, want string }{
		{"objectGUID", "\x78\x56\x34\x12\x34\x12\x34\x12\x12\x34\x12\x34\x56\x78\x9a\xbc", "12345678-1234-1234-1234-123456789abc"},
		{"objectSid", "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\xf4\x01\x00\x00", "S-1-5-21-1-2-3-500"},
		{"objectSid", "\x01\x05", "2 bytes"},
		{"objectGUID", "\xff", "1 byte"},
		{"jpegPhoto", "plain text", "10 bytes"},
		{"userCertificate;binary", "x", "1 byte"},
		{"description", "\xff\xfe", "2 bytes"},
		{"description", "naïve", "naïve"},
		{"accountExpires", "0", "never"}, {"accountExpires", "9223372036854775807", "never"},
		{"pwdLastSet", "133500000000000000", "2024-01-17 21:20:00 UTC"},
		{"pwdLastSet", "-5", "-5"},
		{"whenCreated", "20240102030405.0Z", "2024-01-02 03:04:05 UTC"},
		{"createTimestamp", "20240102030405Z", "2024-01-02 03:04:05 UTC"},
		{"whenCreated", "soon", "soon"},
		{"userAccountControl", "514", "514 (disabled, normal account)"},
		{"userAccountControl", "x", "x"},
		{"userPassword", canary, withheld}, {"userPassword;x-a", canary, withheld}, {"UNICODEPWD", canary, withheld}, {"sambaNTPassword", canary, withheld},
		{"ms-Mcs-AdmPwd", canary, withheld}, {"msLAPS-Password", canary, withheld}, {"msLAPS-EncryptedPasswordHistory", canary, withheld},
		{"msDS-ManagedPassword", canary, withheld}, {"krbPrincipalKey", canary, withheld}, {"ipaNTHash", canary, withheld},
		{"msFVE-RecoveryPassword", canary, withheld}, {"olcRootPW", canary, withheld}, {"pwdHistory", canary, withheld},
		{"badPasswordTime", "0", "never"},
	} {
		if got := cell(x.name, []byte(x.value)); got != x.want {
			t.Errorf("%s %q is shown as %q, want %q", x.name, x.value, got, x.want)
		}
	}
	if got := cell("description", []byte(strings.Repeat("é", maxCell))); len(got) > maxCell+4 || !strings.HasSuffix(got, "é…") {
		t.Errorf("a long value has %d bytes", len(got))
	}
}

func TestKinds(t *testing.T) {
	for classes, want := range map[string]string{
		"top domain domainDNS": kindDomain, "top organizationalUnit": kindOU, "top container": kindContainer, "top builtinDomain": kindDomain,
		"top person organizationalPerson user": kindPerson, "top person organizationalPerson user computer": kindComputer, "top group": kindGroup,
		"device": kindEntry, "": kindEntry, "REFERRAL extensibleObject": kindReferral,
	} {
		r, _ := entries(envelope(1, entry("cn=a", "objectClass", strings.ReplaceAll(classes, " ", "|"))).Bytes()).first()
		if got := kindOf(r); got != want {
			t.Errorf("%s is a %s, want %s", classes, got, want)
		}
	}
}

// parts is a connection that brings data in pieces.
type parts struct {
	net.Conn
	data []byte
	step int
}

func (p *parts) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[:min(p.step, len(p.data))])
	p.data = p.data[n:]
	return n, nil
}

func (p *parts) Close() error { return nil }

// FuzzWire proves that nothing that comes in makes the reading panic, and that
// it does not depend on how the bytes are cut.
func FuzzWire(f *testing.F) {
	one := envelope(1, entry("cn=a,dc=b", "cn", "a|b", "objectClass", "person", "sn", strings.Repeat("x", 300))).Bytes()
	f.Add(append(bytes.Clone(one), envelope(1, done()).Bytes()...), 3)
	f.Add([]byte{0x30, 0x84, 0, 0, 0, 3, 2, 1, 1, 0x15}, 1)
	f.Add([]byte{0x15, 3, 1}, 1)
	f.Add([]byte{0x30, 0x05, 0x02, 1, 1, 0x64, 0}, 2)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		read := func(step int) (string, entries, error) {
			p := &parts{data: bytes.Clone(data), step: step}
			w := newWire(p, p)
			rest, err := io.ReadAll(w)
			return string(rest), w.entries(), err
		}
		whole, page, err := read(len(data) + 1)
		pieces, pagePieces, errPieces := read(max(1, step%64))
		if !errors.Is(err, errPieces) || err == nil && (whole != pieces || !bytes.Equal(page, pagePieces)) {
			t.Errorf("whole %v, in parts %v", err, errPieces)
		}
		for r := range page.all() {
			node(r, nil)
			attributes(r, 10)
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add(`cn=a\,b,dc=c`, []byte{1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, dn string, value []byte) {
		rdnValue(dn)
		for _, name := range []string{"objectSid", "objectGUID", "whenCreated", "accountExpires", "userAccountControl", "cn"} {
			if got := cell(name, value); len(got) > maxCell+64 {
				t.Errorf("%d bytes are shown", len(got))
			}
		}
		splitURL(dn)
		_ = validBase(tidyBase(dn))
	})
}
