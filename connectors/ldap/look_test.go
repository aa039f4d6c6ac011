package ldap

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func portOf(n int) string { return strconv.Itoa(n) }

func open1(t testing.TB, s connectors.Settings) *session {
	t.Helper()
	return conntest.Open(t, Type(), s).(*session)
}

func tree(t *testing.T, d *directory) {
	s := open1(t, d.settings())
	top := conntest.Below(t, s, "")
	for name, want := range map[string]string{"People": kindOU, "reader": kindPerson, "Elsewhere": kindReferral} {
		if top[name].Kind != want {
			t.Errorf("%s is %+v, want a %s", name, top[name], want)
		}
	}
	if !top["People"].Branch || top["reader"].Branch || top["Elsewhere"].Branch {
		t.Errorf("wrong branches: %+v", top)
	}
	if _, ok := top["Secret"]; ok {
		t.Error("a unit that may not be seen is seen")
	}
	if got := top["Elsewhere"].Facts; len(got) != 1 || !strings.Contains(got[0].Text, "evil.invalid") {
		t.Errorf("where the referral points: %+v", got)
	}
	below := conntest.Below(t, s, top["People"].ID)
	if !below["Nested"].Branch || below["ann"].Kind != kindPerson || below["ann"].Branch {
		t.Errorf("%+v", below)
	}
	if got := conntest.Below(t, s, "ou=Groups,"+company); got["staff"].Kind != kindGroup || got["device"].Kind != kindEntry || got["device"].Branch {
		t.Errorf("%+v", got)
	}
	if got := conntest.Below(t, s, "ou=Empty,"+company); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := conntest.Below(t, s, "ou=Strange,"+company); len(got) != 5 || got["line\nbreak"].ID == "" || got["a,b=c"].ID == "" || got["*)(uid=*))(|(uid="].ID == "" {
		t.Errorf("%+v", got)
	}
	for _, id := range []connectors.NodeID{"ou=Gone," + company, "no dn at all"} {
		for _, err := range s.Children(t.Context(), id) {
			if connectors.CodeOf(err) != connectors.NotFound {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
}

func tables(t *testing.T, d *directory) {
	s := open1(t, d.settings())
	unit, err := s.Table(t.Context(), people, 10)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(unit.Rows, func(r []any) bool { return r[0] == "ann" })
	title := slices.IndexFunc(unit.Columns, func(c connectors.Column) bool { return c.Name == "title" })
	if i < 0 || title < 0 || unit.Rows[i][title] != "Engineer" || unit.Rows[i][1] != kindPerson {
		t.Errorf("%+v", unit)
	}
	some, err := s.Table(t.Context(), "ou=Many,"+company, 7)
	if err != nil || len(some.Rows) != 7 || !some.Truncated {
		t.Errorf("%+v %v", some, err)
	}
	ann, err := s.Table(t.Context(), "uid=ann,"+people, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[any]any{}
	for _, r := range ann.Rows {
		got[r[0]] = r[1]
	}
	if got["mail"] != "ann@example.test" || got["jpegPhoto"] != "22 bytes" || got["userPassword"] != withheld || got["createTimestamp"] == nil {
		t.Errorf("%v", got)
	}
	few, err := s.Table(t.Context(), "uid=ann,"+people, 2)
	if err != nil || len(few.Rows) != 2 || !few.Truncated {
		t.Errorf("%+v %v", few, err)
	}
	strange, err := s.Table(t.Context(), conntest.Below(t, s, "ou=Strange,"+company)["line\nbreak"].ID, 100)
	if err != nil || len(strange.Rows) == 0 {
		t.Errorf("%+v %v", strange, err)
	}
	if _, err := s.Table(t.Context(), "uid=gone,"+people, 5); connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("%v", err)
	}
	if root, err := s.Table(t.Context(), "", 50); err != nil || len(root.Rows) == 0 || root.Note == "" {
		t.Errorf("%+v %v", root, err)
	}
}

func facts(t *testing.T, d *directory) {
	s := open1(t, d.settings())
	all, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range all {
		got[f.Label] = f.Text
	}
	if got["Account"] != reader || got["Server"] != "OpenLDAP" || got["Base DN"] != company || !strings.Contains(got["Encryption"], "TLS 1.3") {
		t.Errorf("%v", got)
	}
}

// The answer to the policy control says what else a right password leads to.
func policies(t *testing.T, d *directory) {
	got := factsOf(t, open1(t, d.settings("user", "uid=grace,"+people, "password", "grace-practice")))
	if !strings.HasPrefix(got["Password"], "has expired; 4 sign-ins are left") || got["Expires"] != "" {
		t.Errorf("%v", got)
	}
	got = factsOf(t, open1(t, d.settings("user", "uid=soon,"+people, "password", "soon-practice")))
	ends, err := time.Parse(time.RFC3339, got["Expires"])
	if err != nil || time.Until(ends) < 8*24*time.Hour || !strings.Contains(got["Password expires"], "(in 9 days)") {
		t.Errorf("%v %v", got, err)
	}
}

// The owner of a certificate is who stands in it, if the server says so.
func certificates(t *testing.T, d *directory) {
	issued := d.ca.Issue(t, server.Cert{Client: true, Name: "reader"})
	for _, security := range []string{overTLS, startTLS} {
		s := d.settings("auth", certificate, "security", security, "client_cert", issued.Cert)
		s.Secrets["client_key"] = connectors.NewSecret(issued.Key)
		if got := factsOf(t, open1(t, s)); got["Account"] != "cn=reader" {
			t.Errorf("%s: %v", security, got)
		}
	}
	// One that the server does not know is as none.
	issued = server.NewCA(t).Issue(t, server.Cert{Client: true, Name: "reader"})
	s := d.settings("auth", certificate, "client_cert", issued.Cert)
	s.Secrets["client_key"] = connectors.NewSecret(issued.Key)
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || e.Field != "client_cert" {
		t.Errorf("%+v", e)
	}
}

func groups(t *testing.T, d *directory) {
	s := open1(t, d.settings())
	got := conntest.Below(t, s, "cn=staff,ou=Groups,"+company)
	if len(got) != 2 || got["ann"].Kind != kindPerson || got["bob"].ID != connectors.NodeID("uid=bob,ou=Nested,"+people) {
		t.Errorf("%+v", got)
	}
}

func factsOf(t *testing.T, s *session) map[string]string {
	t.Helper()
	got, err := conntest.Facts(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func locked(t *testing.T, d *directory) {
	var last error
	for range 4 {
		_, last = Type().Open(t.Context(), conntest.NewWorld(t).Env, d.settings("user", "uid=locked,"+people, "password", "wrong-practice"))
	}
	conntest.WantError(t, last, connectors.Throttled, "ldap.locked", "user")
}
