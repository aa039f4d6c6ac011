//go:build unix

package ldap

import (
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestSambaKerberos(t *testing.T) {
	d := startAD(t)
	batch := d.Keytab(t, "bob")
	d.Tool(t, "user", "setpassword", "bob", "--newpassword=practice-only-0ther")
	stale, keytab := batch, d.Keytab(t, "alice")
	with := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return adSettings(d, append([]string{"auth", byKerberos, "kdc", d.KDC, "spn", "ldap/" + d.Host}, more...)...)
		}
	}
	fault := func(name string, code connectors.Code, stage connectors.Stage, field string, more ...string) conntest.Fault {
		return conntest.Fault{Name: name, Settings: with(more...), Code: code, Stage: stage, Field: field}
	}
	signIn, form := connectors.StageSignIn, connectors.StageForm
	t.Run("password", func(t *testing.T) {
		conntest.Run(t, conntest.Suite{Type: Type(), Good: with(), Faults: []conntest.Fault{
			fault("wrong password", connectors.AuthFailed, signIn, "password", "password", "practice-only-wrong"),
			fault("unknown principal", connectors.AuthFailed, signIn, "user", "user", "nobody@jack.test"),
			fault("disabled", connectors.Denied, signIn, "user", "user", "disabled@jack.test"),
			fault("must change", connectors.Expired, signIn, "password", "user", "mustchange@jack.test"),
			fault("logon hours", connectors.Denied, signIn, "user", "user", "hours@jack.test"),
			fault("another realm", connectors.AuthFailed, signIn, "user", "user", "alice", "realm", "OTHER.TEST"),
			fault("no such SPN", connectors.NotFound, signIn, "spn", "spn", "ldap/dc9.jack.test"),
			fault("an address is no SPN", connectors.NotFound, signIn, "spn", "spn", ""),
			fault("SPN of another shape", connectors.BadInput, form, "spn", "spn", "dc1"),
			fault("no KDC there", connectors.Unreachable, connectors.StageConnect, "kdc", "kdc", "127.0.0.1:1"),
			fault("the directory wants encryption", connectors.Refused, signIn, "security", "security", plainText),
		}})
	})
	t.Run("keytab", func(t *testing.T) {
		conntest.Run(t, conntest.Suite{Type: Type(), Good: with("auth", byKeytab, "keytab", keytab), Faults: []conntest.Fault{
			fault("no keytab", connectors.BadInput, form, "keytab", "auth", byKeytab, "keytab", "bm8ga2V5dGFi"),
			fault("another's keytab", connectors.BadInput, form, "keytab", "auth", byKeytab, "keytab", keytab, "user", "bob@jack.test"),
			fault("keytab of another realm", connectors.BadInput, form, "keytab", "auth", byKeytab, "keytab", keytab, "user", "alice", "realm", "OTHER.TEST"),
			fault("keys of an older password", connectors.AuthFailed, signIn, "keytab", "auth", byKeytab, "keytab", stale, "user", "bob@jack.test"),
		}})
	})
	t.Run("clock", func(t *testing.T) {
		w := conntest.NewWorld(t)
		w.Env.Now = func() time.Time { return time.Now().Add(time.Hour) }
		_, err := Type().Open(t.Context(), w.Env, with()(t))
		if e := connectors.Classify(err); e == nil || e.Reason != "kerberos.clock" || e.Op != signIn {
			t.Errorf("%+v", e)
		}
	})
	t.Run("ways in", func(t *testing.T) {
		for name, more := range map[string][]string{
			"StartTLS":        {"security", startTLS},
			"TLS name":        {"spn", "", "tls_name", d.Host},
			"down-level":      {"user", `JACK\alice`, "realm", d.Realm},
			"the host as KDC": {"kdc", "", "realm", d.Realm, "user", "alice"},
		} {
			if got := factsOf(t, open1(t, with(more...)(t))); got["Name"] != "The user alice" || got["Account"] != "alice@JACK.TEST" {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
	t.Run("further connections need no KDC", func(t *testing.T) {
		s := open1(t, with()(t))
		s.door.c.KDC = "127.0.0.1:1"
		for _, k := range s.idle {
			k.kill()
		}
		if _, err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
