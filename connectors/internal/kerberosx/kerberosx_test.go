package kerberosx_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/kerberosx"
)

const password = "practice-only-kerberos"

func secret(text string) connectors.Secret { return connectors.NewSecret(text) }

func base64Of(data []byte) connectors.Secret {
	return secret(base64.StdEncoding.EncodeToString(data))
}

// wants is conntest.WantError, and keeps the password out of the error.
func wants(t *testing.T, err error, code connectors.Code, reason, field string) {
	t.Helper()
	conntest.WantError(t, err, code, reason, field)
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, connectors.Classify(err)), password) {
		t.Error("the password is in the error")
	}
}

func open(t *testing.T, cfg kerberosx.Config) (*kerberosx.Client, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := kerberosx.Open(ctx, cfg)
	if c != nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func TestSigningInAtAnMITServer(t *testing.T) {
	r := server.KDC(t)
	verifyNoLeak(t)
	r.AddUser(t, "alice", password)
	r.AddUser(t, "alice/admin", password)
	r.AddUser(t, "sha2", password, "-e", "aes256-cts-hmac-sha384-192:normal,aes128-cts-hmac-sha256-128:normal")
	r.AddUser(t, "small", password, "-e", "aes128-cts-hmac-sha1-96:normal")
	r.AddUser(t, "salted", password, "-e", "aes256-cts-hmac-sha1-96:special")
	r.AddUser(t, "open", password, "-requires_preauth")
	batch := r.Keytab(t, "batch/host.example.test")
	two := append(append([]byte{}, batch...), r.Keytab(t, "second")[2:]...)
	for _, c := range []struct {
		name string
		cfg  kerberosx.Config
		who  string
	}{
		{"password", kerberosx.Config{User: "alice", Password: secret(password)}, "alice@EXAMPLE.TEST"},
		{"instance", kerberosx.Config{User: "alice/admin", Password: secret(password)}, "alice/admin@EXAMPLE.TEST"},
		{"realm in the user's name", kerberosx.Config{User: "alice@EXAMPLE.TEST", Realm: "EXAMPLE.TEST", Password: secret(password)}, "alice@EXAMPLE.TEST"},
		{"SHA-2 keys", kerberosx.Config{User: "sha2", Password: secret(password)}, "sha2@EXAMPLE.TEST"},
		{"AES-128 keys", kerberosx.Config{User: "small", Password: secret(password)}, "small@EXAMPLE.TEST"},
		{"random salt", kerberosx.Config{User: "salted", Password: secret(password)}, "salted@EXAMPLE.TEST"},
		{"no preauthentication", kerberosx.Config{User: "open", Password: secret(password)}, "open@EXAMPLE.TEST"},
		{"keytab", kerberosx.Config{User: "batch/host.example.test", Keytab: base64Of(batch)}, "batch/host.example.test@EXAMPLE.TEST"},
		{"keytab's content", kerberosx.Config{User: "batch/host.example.test", Keytab: secret(string(batch))}, "batch/host.example.test@EXAMPLE.TEST"},
		{"keytab alone", kerberosx.Config{Realm: "-", Keytab: base64Of(batch)}, "batch/host.example.test@EXAMPLE.TEST"},
		{"keytab of two", kerberosx.Config{User: "second", Keytab: base64Of(two)}, "second@EXAMPLE.TEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.KDC = r.Addr
			switch c.cfg.Realm {
			case "":
				c.cfg.Realm = r.Name
			case "-":
				c.cfg.Realm = ""
			}
			client, err := open(t, c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if client.Principal() != c.who {
				t.Errorf("signed in as %s", client.Principal())
			}
			if left := time.Until(client.Expires()); left < time.Hour || left > 11*time.Hour {
				t.Errorf("expires in %s", left)
			}
		})
	}
}

func TestAnMITServersRefusalsNameTheFieldToPutRight(t *testing.T) {
	r := server.KDC(t)
	verifyNoLeak(t)
	r.AddUser(t, "alice", password)
	r.AddUser(t, "open", password, "-requires_preauth")
	r.AddUser(t, "gone", password, "-expire", "yesterday")
	r.AddUser(t, "stale", password, "-pwexpire", "yesterday")
	r.AddUser(t, "disabled", password, "-allow_tix")
	r.Admin(t, "addpol", "-maxfailure", "1", "strict")
	r.AddUser(t, "locked", password, "-policy", "strict")
	r.AddUser(t, "card", password, "+requires_hwauth")
	old := r.Keytab(t, "batch")
	r.Keytab(t, "batch") // its keys are newer
	for _, c := range []struct {
		name          string
		cfg           kerberosx.Config
		code          connectors.Code
		reason, field string
	}{
		{"wrong password", kerberosx.Config{User: "alice", Password: secret("practice-only-other")}, connectors.AuthFailed, "kerberos.password", "password"},
		{"wrong password without preauthentication", kerberosx.Config{User: "open", Password: secret("practice-only-other")}, connectors.AuthFailed, "kerberos.password", "password"},
		{"unknown user", kerberosx.Config{User: "nobody", Password: secret(password)}, connectors.AuthFailed, "kerberos.no_user", "user"},
		{"expired account", kerberosx.Config{User: "gone", Password: secret(password)}, connectors.Expired, "kerberos.user_expired", "user"},
		{"expired password", kerberosx.Config{User: "stale", Password: secret(password)}, connectors.Expired, "kerberos.password_expired", "password"},
		{"disabled account", kerberosx.Config{User: "disabled", Password: secret(password)}, connectors.Denied, "kerberos.locked", "user"},
		{"wrong password that locks", kerberosx.Config{User: "locked", Password: secret("practice-only-other")}, connectors.AuthFailed, "kerberos.password", "password"},
		{"locked account", kerberosx.Config{User: "locked", Password: secret(password)}, connectors.Denied, "kerberos.locked", "user"},
		{"hardware needed", kerberosx.Config{User: "card", Password: secret(password)}, connectors.Unsupported, "kerberos.preauth", ""},
		{"old keytab", kerberosx.Config{User: "batch", Keytab: base64Of(old)}, connectors.AuthFailed, "kerberos.keytab_refused", "keytab"},
		// MIT looks the whole name up, and does not say what of it is wrong.
		{"another realm", kerberosx.Config{User: "alice", Realm: "OTHER.TEST", Password: secret(password)}, connectors.AuthFailed, "kerberos.no_user", "user"},
		{"fast clock", kerberosx.Config{User: "alice", Password: secret(password), Now: off(time.Hour)}, connectors.Refused, "kerberos.clock", ""},
		{"slow clock", kerberosx.Config{User: "alice", Password: secret(password), Now: off(-time.Hour)}, connectors.Refused, "kerberos.clock", ""},
		{"fast clock without preauthentication", kerberosx.Config{User: "open", Password: secret(password), Now: off(time.Hour)}, connectors.Refused, "kerberos.clock", ""},
		{"the form's own field names", kerberosx.Config{User: "alice", Password: secret("practice-only-other"), Fields: kerberosx.Fields{Password: "pw"}}, connectors.AuthFailed, "kerberos.password", "pw"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.KDC = r.Addr
			if c.cfg.Realm == "" {
				c.cfg.Realm = r.Name
			}
			_, err := open(t, c.cfg)
			wants(t, err, c.code, c.reason, c.field)
		})
	}
}

func off(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

func TestAServerThatCannotBeReachedIsNamed(t *testing.T) {
	verifyNoLeak(t)
	closed := net.JoinHostPort("127.0.0.1", strconv.Itoa(server.FreePort(t)))
	alice := kerberosx.Config{User: "alice", Realm: "EXAMPLE.TEST", Password: secret(password)}
	t.Run("nothing listens", func(t *testing.T) {
		cfg := alice
		cfg.KDC = closed
		_, err := open(t, cfg)
		wants(t, err, connectors.Unreachable, "connect.refused", "kdc")
	})
	t.Run("no such name in the DNS", func(t *testing.T) {
		cfg := alice
		cfg.LookupSRV = func(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
			return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
		_, err := open(t, cfg)
		wants(t, err, connectors.Unreachable, "kerberos.kdc_lookup", "kdc")
	})
}

func TestTheSecondServerIsAskedWhenTheFirstIsAway(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "alice", password)
	closed := net.JoinHostPort("127.0.0.1", strconv.Itoa(server.FreePort(t)))
	if _, err := open(t, kerberosx.Config{User: "alice", Realm: r.Name, KDC: closed + ", " + r.Addr, Password: secret(password)}); err != nil {
		t.Fatal(err)
	}
}

func TestTheDNSNamesTheServersAndTheDialFuncReachesThem(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "alice", password)
	_, port, _ := net.SplitHostPort(r.Addr)
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	var asked, dialled []string
	_, err = open(t, kerberosx.Config{
		User: "alice", Realm: r.Name, Password: secret(password),
		LookupSRV: func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
			asked = append(asked, service+"/"+proto+"/"+name)
			if proto == "tcp" {
				return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			return "", []*net.SRV{{Target: "kdc.example.test.", Port: uint16(n)}, {Target: "bad\nname", Port: 88}}, nil
		},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled = append(dialled, network+"/"+addr)
			return (&net.Dialer{}).DialContext(ctx, network, r.Addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != "kerberos/tcp/EXAMPLE.TEST kerberos/udp/EXAMPLE.TEST kerberos/tcp/EXAMPLE.TEST kerberos/udp/EXAMPLE.TEST" {
		t.Errorf("asked the DNS for %s", got)
	}
	for _, d := range dialled {
		if d != "tcp/kdc.example.test:"+port {
			t.Errorf("dialled %s", d)
		}
	}
}

func TestWhatIsLeftOutIsAskedForBeforeAnythingIsSent(t *testing.T) {
	good := kerberosx.Config{User: "alice", Realm: "EXAMPLE.TEST", KDC: "127.0.0.1:1", Password: secret(password)}
	for _, c := range []struct {
		name          string
		change        func(*kerberosx.Config)
		reason, field string
	}{
		{"no password", func(c *kerberosx.Config) { c.Password = connectors.Secret{} }, "kerberos.password_missing", "password"},
		{"no user", func(c *kerberosx.Config) { c.User = "" }, "kerberos.user", "user"},
		{"no realm", func(c *kerberosx.Config) { c.Realm = "" }, "kerberos.realm_shape", "realm"},
		{"Windows name", func(c *kerberosx.Config) { c.User = `EXAMPLE\alice` }, "kerberos.user", "user"},
		{"two realms", func(c *kerberosx.Config) { c.User = "alice@OTHER.TEST" }, "kerberos.user", "user"},
		{"host with a path", func(c *kerberosx.Config) { c.KDC = "https://dc1.example.test/" }, "kerberos.kdc_shape", "kdc"},
		{"no service in the SPN", func(c *kerberosx.Config) { c.SPN = "www.example.test" }, "kerberos.spn_shape", "spn"},
		{"no keytab", func(c *kerberosx.Config) { c.Keytab = secret("not a keytab") }, "kerberos.keytab", "keytab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialled")
				return nil, errors.New("dialled")
			}
			c.change(&cfg)
			_, err := open(t, cfg)
			wants(t, err, connectors.BadInput, c.reason, c.field)
		})
	}
}
