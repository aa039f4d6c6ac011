package practice

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func openLDAP(t *testing.T, c Connection) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + c.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(c.Settings.Plain["user"], demoPassword); err != nil {
		t.Fatal(err)
	}
	return conn
}

func tryLDAP(c Connection, password string) error {
	conn, err := ldap.DialURL("ldap://" + c.addr())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Bind(ldapReader, password)
}

func checkLDAP(t *testing.T, c Connection) {
	t.Helper()
	if got := find(t, openLDAP(t, c), "(objectClass=person)"); len(got) != 40 {
		t.Errorf("ldap: %d people", len(got))
	}
}

func find(t *testing.T, conn *ldap.Conn, filter string) []string {
	t.Helper()
	res, err := conn.Search(ldap.NewSearchRequest(ldapSuffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, []string{"1.1"}, nil))
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	var out []string
	for _, e := range res.Entries {
		if len(e.Attributes) > 0 {
			t.Errorf("%s came with attributes", e.DN)
		}
		out = append(out, e.DN)
	}
	return out
}

func TestLDAP_Filters(t *testing.T) {
	conn := openLDAP(t, running(t)["ldap"])
	boss := find(t, conn, "(title=Managing Director)")
	if len(boss) != 1 {
		t.Fatal(boss)
	}
	for filter, want := range map[string]int{
		"(objectClass=*)": 71, "(OBJECTCLASS=Person)": 40, "(ou=sales)": 9, "(&(objectClass=person)(ou=Sales))": 8,
		"(|(ou=Sales)(ou=Support))": 18, "(!(objectClass=person))": 31, "(&(objectClass=device)(!(cn=scanner*)))": 10,
		"(cn=*sc*ner*01)": 1, "(cn=scanner-*)": 4, "(cn=*-01)": 1, "(employeeNumber>=1031)": 10, "(employeeNumber<=1010)": 10,
		"(&(objectClass=person)(!(manager=*)))": 1, "(manager=" + strings.ToUpper(ldap.EscapeFilter(boss[0])) + ")": 11,
		"(title~=managing  director)": 1, "(nothing=x)": 0, "(!(nothing=x))": 0, "(cn=Sales, abroad)": 1, "(&)": 71, "(|)": 0,
		"(memberOf=cn=all-staff,ou=Groups," + ldapSuffix + ")": 40, "(hasSubordinates=TRUE)": 9, "(cn:caseExactMatch:=x)": 0,
	} {
		if got := find(t, conn, filter); len(got) != want {
			t.Errorf("%s: %d entries, want %d: %.300v", filter, len(got), want, got)
		}
	}
}

func TestLDAP_ScopesPagesAndLimits(t *testing.T) {
	conn := openLDAP(t, running(t)["ldap"])
	ask := func(base string, scope int, limit int, attrs ...string) (*ldap.SearchResult, error) {
		return conn.Search(ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, limit, 0, false, "(objectClass=*)", attrs, nil))
	}
	root, err := ask("", ldap.ScopeBaseObject, 0)
	if err != nil || len(root.Entries) != 1 || root.Entries[0].GetAttributeValue("namingContexts") != ldapSuffix {
		t.Fatalf("%+v, %v", root, err)
	}
	for base, want := range map[string]int{ldapSuffix: 4, "OU = people , DC=Practice,dc=example": 5, "ou=Devices," + ldapSuffix: 14} {
		if got, err := ask(base, ldap.ScopeSingleLevel, 0); err != nil || len(got.Entries) != want {
			t.Errorf("%s: %v, %v", base, got, err)
		}
	}
	group, err := ask(`cn=sales\2C abroad,ou=Groups,`+ldapSuffix, ldap.ScopeBaseObject, 0, "cn", "+")
	if err != nil || len(group.Entries) != 1 || group.Entries[0].GetAttributeValue("entryUUID") == "" || group.Entries[0].GetAttributeValue("cn") != "Sales, abroad" {
		t.Errorf("%+v, %v", group, err)
	}
	if got, err := ask(ldapSuffix, ldap.ScopeWholeSubtree, 5); !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || len(got.Entries) != 5 {
		t.Errorf("size limit: %v", err)
	}
	_, err = ask("uid=nobody,ou=People,"+ldapSuffix, ldap.ScopeBaseObject, 0)
	var with *ldap.Error
	if !errors.As(err, &with) || with.ResultCode != ldap.LDAPResultNoSuchObject || !strings.EqualFold(with.MatchedDN, "ou=People,"+ldapSuffix) {
		t.Errorf("missing base: %v", err)
	}
	if _, err := ask("nonsense", ldap.ScopeBaseObject, 0); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidDNSyntax) {
		t.Errorf("broken base: %v", err)
	}
	for _, size := range []uint32{1, 7, 71, 500} {
		q := ldap.NewSearchRequest(ldapSuffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil)
		got, err := conn.SearchWithPaging(q, size)
		if err != nil || len(got.Entries) != 71 {
			t.Errorf("pages of %d: %d entries, %v", size, len(got.Entries), err)
		}
	}
}

func TestLDAP_SignInAndRefusals(t *testing.T) {
	c := running(t)["ldap"]
	conn := openLDAP(t, c)
	if who, err := conn.WhoAmI(nil); err != nil || who.AuthzID != "dn:"+ldapReader {
		t.Errorf("%+v, %v", who, err)
	}
	for what, err := range map[string]error{
		"add": conn.Add(&ldap.AddRequest{DN: "cn=x," + ldapSuffix}), "delete": conn.Del(&ldap.DelRequest{DN: ldapReader}),
		"modify": conn.Modify(&ldap.ModifyRequest{DN: ldapReader}), "rename": conn.ModifyDN(&ldap.ModifyDNRequest{DN: ldapReader, NewRDN: "cn=y"}),
		"no password": conn.UnauthenticatedBind(ldapReader),
	} {
		if !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, x := range [][2]string{{ldapReader, "wrong"}, {"cn=other," + ldapSuffix, demoPassword}, {"reader", demoPassword}} {
		if err := conn.Bind(x[0], x[1]); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
			t.Errorf("%v: %v", x, err)
		}
	}
	// The failed bind took the rights away again.
	q := ldap.NewSearchRequest(ldapSuffix, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil)
	if _, err := conn.Search(q); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("search without a sign-in: %v", err)
	}
	if err := conn.UnauthenticatedBind(""); err != nil {
		t.Errorf("anonymous: %v", err)
	}
	if err := conn.StartTLS(nil); err == nil {
		t.Error("StartTLS is promised")
	}
}

func TestLDAP_Ldapsearch(t *testing.T) {
	client := program(t, "ldapsearch", "ldap-utils")
	c := running(t)["ldap"]
	run := func(args ...string) string {
		t.Helper()
		args = append([]string{"-x", "-H", "ldap://" + c.addr(), "-D", ldapReader, "-w", demoPassword, "-LLL", "-b", ldapSuffix}, args...)
		out, err := exec.CommandContext(t.Context(), client, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := run("-E", "pr=7/noprompt", "(&(objectClass=person)(|(ou=Sales)(ou=Finance)))", "mail"); strings.Count(out, "mail: ") != 16 {
		t.Error(out)
	}
	if out := run("-s", "base", "+"); !strings.Contains(out, "hasSubordinates: TRUE") || strings.Contains(out, "objectClass: top") {
		t.Error(out)
	}
}

// FuzzLDAP answers whatever arrives; nothing may panic, and what is answered
// must be messages again.
func FuzzLDAP(f *testing.F) {
	for _, filter := range []string{"(&(a=b)(!(c=*))(d=e*f*g)(h>=1)(i:=j))", "(objectClass=*)"} {
		p, err := ldap.CompileFilter(filter)
		if err != nil {
			f.Fatal(err)
		}
		for _, base := range []string{"", ldapSuffix, `cn=a\2Cb+c=d,e=\`} {
			f.Add(searchFrame(base, p.Bytes()))
		}
	}
	f.Add([]byte("0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00"))
	d, err := growDirectory(seed())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		here, there := net.Pipe()
		defer func() { _, _ = here.Close(), there.Close() }()
		var out bytes.Buffer
		g := &gate{conns: map[*guest]struct{}{}}
		s := &ldapConn{guest: &guest{Conn: here, gate: g}, in: bufio.NewReader(bytes.NewReader(data)), out: bufio.NewWriter(&out), dir: d, bound: true}
		_ = s.serve()
		_ = s.out.Flush()
		for r := bufio.NewReader(&out); ; {
			frame, err := readFrame(r)
			if err != nil {
				if out.Len() > 0 || r.Buffered() > 0 {
					t.Fatalf("answered what is no message: %v", err)
				}
				return
			}
			if len(frame) < 7 {
				t.Fatalf("answered %x", frame)
			}
		}
	})
}

// searchFrame is a small search request by hand, its lengths in one byte.
func searchFrame(base string, filter []byte) []byte {
	body := fmt.Sprintf("\x04%c%s\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00%s\x30\x00", len(base), base, filter)
	op := fmt.Sprintf("\x02\x01\x01\x63%c%s", len(body), body)
	return []byte("0" + string([]byte{byte(len(op))}) + op)
}
