package ldap

import (
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestSlapd(t *testing.T) {
	d := startSlapd(t, option{many: 5000})
	old := startSlapd(t, option{expired: true})
	other := server.NewCA(t)
	sshHost, sshPort := conntest.Speaks(t, "SSH-2.0-x\r\n")
	conntest.Run(t, conntest.Suite{Type: Type(), Good: d.with(),
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: d.with("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: d.with("user", "uid=nobody,"+people, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "user is no DN", Settings: d.with("user", "alice", "password", "wrong-practice"), Code: connectors.BadInput, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "password expired", Settings: d.with("user", "uid=old,"+people, "password", "old-practice"), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "password must be changed", Settings: d.with("user", "uid=reset,"+people, "password", "reset-practice"), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "no such base DN", Settings: d.with("base_dn", "ou=Nowhere,"+company), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "base DN of another tree", Settings: d.with("base_dn", "dc=corp,dc=invalid"), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "base DN may not be seen", Settings: d.with("base_dn", "ou=Secret,"+company), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "base DN is elsewhere", Settings: d.with("base_dn", "ou=Elsewhere,"+company), Code: connectors.NotFound, Field: "base_dn"},
			{Name: "base DN is no DN", Settings: d.with("base_dn", "People"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "base_dn"},
			{Name: "unknown authority", Settings: d.with("ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "unknown authority with StartTLS", Settings: d.with("security", startTLS, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: d.with("tls_name", "dc1.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "tls_name"},
			{Name: "expired certificate", Settings: old.with(), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "another protocol", Settings: d.with(at(sshHost, sshPort)...), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "another protocol with StartTLS", Settings: d.with(append(at(sshHost, sshPort), "security", startTLS, "port", sshPort)...), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "another protocol unencrypted", Settings: d.with("security", plainText, "host", sshHost, "port", sshPort), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "LDAPS on the plain port", Settings: d.with("security", startTLS, "security", overTLS, "port", portOf(d.plain)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "StartTLS on the LDAPS port", Settings: d.with("security", startTLS, "port", portOf(d.secure)), Code: connectors.Refused, Stage: connectors.StageSecure},
			{Name: "empty password", Settings: d.with("password", ""), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "password"},
			{Name: "no such host", Settings: d.with("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "port 0", Settings: d.with("port", "0"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "port"},
		},
		Big:     &conntest.Big{Settings: d.with(), Parent: connectors.NodeID("ou=Many," + company), Count: 5000},
		Hostile: &conntest.Place{Settings: d.with(), Node: connectors.NodeID("ou=Strange," + company)},
	})
	t.Run("locked", func(t *testing.T) { locked(t, d) })
	t.Run("tree", func(t *testing.T) { tree(t, d) })
	t.Run("tables", func(t *testing.T) { tables(t, d) })
	t.Run("filters", func(t *testing.T) {
		with := func(more ...string) connectors.Settings { return d.with(more...)(t) }
		filters(t, with, "ou=Groups,"+company, map[string][]string{showAll: {"device", "staff"}, showGroups: {"staff"}, showComputers: {"device"}, showPeople: {}, "(cn=d*)": {"device"}})
		filters(t, with, people, map[string][]string{showUnits: {"Nested"}, "(uid=ann)": {"Nested", "ann"}})
	})
	t.Run("facts", func(t *testing.T) { facts(t, d) })
	t.Run("policies", func(t *testing.T) { policies(t, d) })
	t.Run("certificates", func(t *testing.T) { certificates(t, d) })
	t.Run("groups", func(t *testing.T) { groups(t, d) })
	for name, s := range map[string]connectors.Settings{
		"StartTLS":  d.settings("security", startTLS),
		"plain":     d.settings("security", plainText),
		"anonymous": d.settings("auth", anonymous, "security", startTLS),
		"base DN":   d.settings("base_dn", people),
	} {
		t.Run(name, func(t *testing.T) {
			s := open1(t, s)
			if _, err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if names := conntest.Below(t, s, ""); len(names) == 0 {
				t.Error("nothing is listed")
			}
		})
	}
}
