//go:build unix

package ldap

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	adBase     = "DC=jack,DC=test"
	adSales    = "OU=Sales,OU=Staff," + adBase
	adStates   = "OU=States," + adBase
	adPassword = "practice-only-Passw0rd"
	adMembers  = 1600
)

// seedAD is a company with people in every state that a sign-in can meet.
func seedAD() string {
	var b strings.Builder
	entry := func(dn string, lines ...string) {
		fmt.Fprintf(&b, "dn:: %s\n%s\n\n", base64.StdEncoding.EncodeToString([]byte(dn)), strings.Join(lines, "\n"))
	}
	unit := func(name, below string) {
		entry("OU="+name+","+below, "objectClass: organizationalUnit", "description: The unit "+name)
	}
	user := func(name, below, control string, more ...string) {
		entry("CN="+name+","+below, append([]string{"objectClass: user", "sAMAccountName: " + name, "userPrincipalName: " + name + "@jack.test",
			"displayName: The user " + name, "userAccountControl: " + control, server.UnicodePwd(adPassword)}, more...)...)
	}
	unit("Staff", adBase)
	unit("Sales", "OU=Staff,"+adBase)
	unit("North", adSales)
	unit("States", adBase)
	unit("Groups", adBase)
	unit("Many", adBase)
	unit("Strange", adBase)
	unit("Machines", adBase)
	unit("Closed", adBase)
	user("alice", adSales, "512", "mail: alice@jack.test", "department: Sales")
	user("bob", "OU=North,"+adSales, "512")
	user("locked", adStates, "512")
	user("disabled", adStates, "514")
	user("mustchange", adStates, "512", "pwdLastSet: 0")
	user("expired", adStates, "512", "accountExpires: 130000000000000000")
	user("hours", adStates, "512", "logonHours:: "+base64.StdEncoding.EncodeToString(make([]byte, 21)))
	user("elsewhere", adStates, "512", "userWorkstations: OTHERPC")
	user("outdated", adStates, "512")
	user("forever", adStates, "66048")
	entry("CN=PC1,OU=Machines,"+adBase, "objectClass: computer", "sAMAccountName: PC1$", "userAccountControl: 4096", "operatingSystem: Practice OS")
	for i, name := range []string{"\u202egpj.exe", `a\,b\=c`, "zero\u200bwidth", `*)(uid\=*))(|(uid\=`} {
		entry("CN="+name+",OU=Strange,"+adBase, "objectClass: contact", fmt.Sprintf("sn: %d", i))
	}
	group := []string{"objectClass: group", "sAMAccountName: big"}
	for i := range adMembers {
		dn := fmt.Sprintf("CN=m%04d,OU=Many,%s", i, adBase)
		entry(dn, "objectClass: contact")
		group = append(group, "member: "+dn)
	}
	entry("CN=big,OU=Groups,"+adBase, append(group, "member: CN=alice,"+adSales)...)
	entry("CN=nested,OU=Groups,"+adBase, "objectClass: group", "sAMAccountName: nested", "member: CN=big,OU=Groups,"+adBase)
	return b.String()
}

// startAD is the seeded domain; a test has it for itself.
func startAD(tb testing.TB) *server.Domain {
	tb.Helper()
	return server.Samba(tb, server.DomainSpec{LDIF: seedAD(), Old: []string{"CN=outdated," + adStates}})
}

// adSettings are alice's with a simple bind over LDAPS; more are pairs that
// change them, password and keytab among them.
func adSettings(d *server.Domain, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "user", "alice@jack.test", "password", adPassword, "ca", d.CA.PEM}, more...)
}

func TestSambaActiveDirectory(t *testing.T) {
	d := startAD(t)
	with := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return adSettings(d, more...) }
	}
	t.Run("simple bind", func(t *testing.T) { conntest.Run(t, simpleSuite(d, with)) })
	t.Run("NTLM", func(t *testing.T) { conntest.Run(t, ntlmSuite(with)) })
	t.Run("locked out", func(t *testing.T) { lockedOut(t, d) })
	t.Run("ways in", func(t *testing.T) { waysIn(t, d) })
	t.Run("own facts", func(t *testing.T) { ownFactsAD(t, d) })
	t.Run("tree", func(t *testing.T) { treeAD(t, d) })
	t.Run("filters", func(t *testing.T) {
		ad := func(more ...string) connectors.Settings { return adSettings(d, more...) }
		filters(t, ad, "OU=Machines,"+adBase, map[string][]string{showComputers: {"PC1"}, showPeople: {}, showUnits: {}})
		filters(t, ad, "OU=North,"+adSales, map[string][]string{showPeople: {"bob"}, showComputers: {}, "(sAMAccountName=bo*)": {"bob"}})
		filters(t, ad, "OU=Groups,"+adBase, map[string][]string{showGroups: {"big", "nested"}, showPeople: {}})
	})
	t.Run("members", func(t *testing.T) { membersAD(t, d) })
	t.Run("rows", func(t *testing.T) { rowsAD(t, d) })
	t.Run("global catalog", func(t *testing.T) { catalogAD(t, d) })
	t.Run("nearest parent", func(t *testing.T) { nearestAD(t, d) })
}

type withAD func(more ...string) func(testing.TB) connectors.Settings

// state is a fault of one of the accounts in OU=States.
func state(with withAD, name, user, password string, code connectors.Code, field string, more ...string) conntest.Fault {
	return conntest.Fault{Name: name, Settings: with(append([]string{"user", user + "@jack.test", "password", password}, more...)...), Code: code, Stage: connectors.StageSignIn, Field: field}
}

func simpleSuite(d *server.Domain, with withAD) conntest.Suite {
	return conntest.Suite{Type: Type(), Good: with(),
		Faults: []conntest.Fault{
			state(with, "52e wrong password", "alice", "practice-only-wrong", connectors.AuthFailed, "password"),
			state(with, "52e nobody", "nobody", adPassword, connectors.AuthFailed, "password"),
			state(with, "530 logon hours", "hours", adPassword, connectors.Denied, "user"),
			state(with, "531 workstation", "elsewhere", adPassword, connectors.Denied, "user"),
			state(with, "532 password expired", "outdated", adPassword, connectors.Expired, "password"),
			state(with, "533 disabled", "disabled", adPassword, connectors.Denied, "user"),
			state(with, "701 account expired", "expired", adPassword, connectors.Expired, "user"),
			state(with, "773 must change", "mustchange", adPassword, connectors.Expired, "password"),
			{Name: "strong authentication required", Settings: with("security", plainText), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "anonymous", Settings: with("auth", anonymous), Code: connectors.Denied, Field: "auth"},
			{Name: "base DN of no domain", Settings: with("base_dn", "DC=other,DC=invalid"), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "base DN below the domain", Settings: with("base_dn", "OU=Nowhere,OU=Staff,"+adBase), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "certificate of another name", Settings: with("tls_name", "dc2.jack.test"), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "tls_name"},
			{Name: "NTLM without encryption", Settings: with("auth", byNTLM, "security", plainText), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "security"},
			{Name: "certificate without encryption", Settings: with("auth", certificate, "security", plainText), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "security"},
			{Name: "no certificate", Settings: with("auth", certificate), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "client_cert"},
			{Name: "Kerberos without a realm", Settings: with("auth", byKerberos, "user", "alice"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "realm"},
		},
		Big:     &conntest.Big{Settings: with(), Parent: "OU=Many," + adBase, Count: adMembers},
		Hostile: &conntest.Place{Settings: with(), Node: "OU=Strange," + adBase},
	}
}

func ntlmSuite(with withAD) conntest.Suite {
	return conntest.Suite{Type: Type(), Good: with("auth", byNTLM),
		Faults: []conntest.Fault{
			state(with, "wrong password", "bob", "practice-only-wrong", connectors.AuthFailed, "password", "auth", byNTLM),
			state(with, "disabled", "disabled", adPassword, connectors.Denied, "user", "auth", byNTLM),
			state(with, "must change", "mustchange", adPassword, connectors.Expired, "password", "auth", byNTLM),
			state(with, "account expired", "expired", adPassword, connectors.Expired, "user", "auth", byNTLM),
			{Name: "empty password", Settings: with("auth", byNTLM, "password", ""), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "password"},
		},
	}
}

func lockedOut(t *testing.T, d *server.Domain) {
	for range 3 {
		_, _ = Type().Open(t.Context(), conntest.NewWorld(t).Env, adSettings(d, "user", "locked@jack.test", "password", "practice-only-wrong"))
	}
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, adSettings(d, "user", "locked@jack.test"))
	conntest.WantError(t, err, connectors.Throttled, "ldap.locked", "user")
}

func waysIn(t *testing.T, d *server.Domain) {
	for name, more := range map[string][]string{
		"DN":                 {"user", "CN=alice," + adSales},
		"down-level":         {"user", `JACK\alice`},
		"NetBIOS domain":     {"user", "alice", "domain", "JACK"},
		"DNS domain":         {"user", "alice", "domain", "jack.test"},
		"StartTLS":           {"security", startTLS},
		"NTLM down-level":    {"auth", byNTLM, "user", `JACK\alice`},
		"NTLM over StartTLS": {"auth", byNTLM, "security", startTLS, "user", "alice", "domain", "JACK"},
		"a unit deep down":   {"base_dn", "OU=North," + adSales},
	} {
		s := open1(t, adSettings(d, more...))
		if got := factsOf(t, s); got["Name"] != "The user alice" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func ownFactsAD(t *testing.T, d *server.Domain) {
	got := factsOf(t, open1(t, adSettings(d)))
	ends, err := time.Parse(time.RFC3339, got["Expires"])
	if err != nil || time.Until(ends) > 900*24*time.Hour || !strings.Contains(got["Password expires"], "days)") || got["Password set"] == "" {
		t.Errorf("%v %v", got, err)
	}
	// big, nested around it, and Domain Users with Users around it, at the least.
	if n, _, _ := strings.Cut(got["Groups"], " "); len(n) != 1 || n < "4" {
		t.Errorf("groups: %q", got["Groups"])
	}
	if !strings.Contains(got["Account flags"], "normal account") || !strings.HasPrefix(got["Rights"], "reading") {
		t.Errorf("%v", got)
	}
	got = factsOf(t, open1(t, adSettings(d, "user", "forever@jack.test")))
	if got["Expires"] != "" || got["Password expires"] != "never" || !strings.Contains(got["Account flags"], "password never expires") {
		t.Errorf("%v", got)
	}
	got = factsOf(t, open1(t, adSettings(d, "user", d.Admin+"@jack.test", "password", d.Password)))
	if !strings.HasPrefix(got["Rights"], "more than reading") || !strings.Contains(got["Rights"], "make entries") {
		t.Errorf("%v", got)
	}
}

func treeAD(t *testing.T, d *server.Domain) {
	s := open1(t, adSettings(d))
	top := conntest.Below(t, s, "")
	if n := top["Staff"]; n.Kind != kindOU || !n.Branch || n.Access != connectors.AccessReadable {
		t.Errorf("%+v", n)
	}
	if n := top["Configuration"]; n.Kind != kindReferral || n.Branch || !strings.Contains(n.Facts[0].Text, "jack.test") {
		t.Errorf("%+v", n)
	}
	// Of this one a user sees the name and nothing else.
	if n := top["NTDS Quotas"]; n.Kind != kindEntry || n.Access != connectors.AccessListed || n.Branch {
		t.Errorf("%+v", n)
	}
	deep := conntest.Below(t, s, conntest.Below(t, s, conntest.Below(t, s, top["Staff"].ID)["Sales"].ID)["North"].ID)
	if n := deep["bob"]; n.Kind != kindPerson || n.Branch {
		t.Errorf("%+v", deep)
	}
	if n := conntest.Below(t, s, adStates)["disabled"]; len(n.Facts) != 1 || n.Facts[0].Text != "disabled" {
		t.Errorf("%+v", n)
	}
	if n := conntest.Below(t, s, "OU=Machines,"+adBase)["PC1"]; n.Kind != kindComputer || n.Branch || n.Facts[0].Text != "Practice OS" {
		t.Errorf("%+v", n)
	}
	if got := conntest.Below(t, s, "OU=Closed,"+adBase); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func membersAD(t *testing.T, d *server.Domain) {
	s := open1(t, adSettings(d))
	groups := conntest.Below(t, s, "OU=Groups,"+adBase)
	if n := groups["big"]; n.Kind != kindGroup || !n.Branch || !strings.Contains(n.Facts[0].Text, "group") {
		t.Fatalf("%+v", n)
	}
	all := conntest.Below(t, s, groups["big"].ID)
	if n := all["alice"]; len(all) != adMembers+1 || n.Kind != kindPerson || n.ID != connectors.NodeID("CN=alice,"+adSales) {
		t.Errorf("%d members, %+v", len(all), n)
	}
	if got := conntest.Below(t, s, groups["nested"].ID); len(got) != 1 || !got["big"].Branch {
		t.Errorf("%+v", got)
	}
	some := 0
	for _, err := range s.Children(t.Context(), groups["big"].ID) {
		if some++; err != nil || some == 10 {
			break
		}
	}
	users := conntest.Below(t, s, "CN=Domain Users,CN=Users,"+adBase)
	if n := users["bob"]; n.Kind != kindPerson || len(n.Facts) == 0 || n.Facts[len(n.Facts)-1].Label != "Member" {
		t.Errorf("%+v", users)
	}
}

func rowsAD(t *testing.T, d *server.Domain) {
	s := open1(t, adSettings(d))
	unit, err := s.Table(t.Context(), connectors.NodeID(adSales), 10)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, r := range unit.Rows {
		if r[0] == "alice" {
			for i, c := range unit.Columns {
				got[c.Name] = r[i]
			}
		}
	}
	if got["sAMAccountName"] != "alice" || got["mail"] != "alice@jack.test" || got["department"] != "Sales" || got["enabled"] != true || got["groups"] != int64(1) {
		t.Errorf("%v", got)
	}
	if at, ok := got["last sign-in"].(string); !ok || len(at) != len("2006-01-02 15:04") {
		t.Errorf("%v", got["last sign-in"])
	}
	alice, err := s.Table(t.Context(), connectors.NodeID("CN=alice,"+adSales), 200)
	if err != nil || !strings.Contains(alice.Note, "groups, counting") {
		t.Errorf("%+v %v", alice, err)
	}
	for _, r := range alice.Rows {
		if r[0] == "msDS-UserPasswordExpiryTimeComputed" && !strings.HasSuffix(r[1].(string), "UTC") || r[0] == "tokenGroups" {
			t.Errorf("%v", r)
		}
	}
}

func catalogAD(t *testing.T, d *server.Domain) {
	for port, more := range map[string][]string{
		"3269": {"catalog", wholeForest},
		"3268": {"catalog", wholeForest, "security", startTLS},
	} {
		s := open1(t, adSettings(d, more...))
		if got := factsOf(t, s); !strings.HasPrefix(got["Global catalog"], "port "+port) || got["Base DN"] != adBase {
			t.Errorf("%v", got)
		}
		if n := conntest.Below(t, s, "")["Staff"]; n.Kind != kindOU {
			t.Errorf("%s: %+v", port, n)
		}
	}
}

func nearestAD(t *testing.T, d *server.Domain) {
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, adSettings(d, "base_dn", "OU=Nowhere,OU=Staff,"+adBase))
	if e := connectors.Classify(err); e == nil || !strings.Contains(e.Said, "OU=Staff,"+adBase) {
		t.Errorf("%+v", e)
	}
}
