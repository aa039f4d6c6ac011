package rabbitmq

import (
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// TestRabbitMQ starts one broker for everything that needs no other one.
func TestRabbitMQ(t *testing.T) {
	b := startBroker(t)
	t.Run("conformance with management", b.managed)
	t.Run("conformance with AMQP alone", b.plainly)
	t.Run("conformance with TLS", b.withTLS)
	together(t, map[string]func(*testing.T){
		"guest from elsewhere": b.guest, "certificate of nobody": b.stranger, "lists": b.lists, "rights": b.rights, "named alone": b.named,
		"management on its usual port": b.usualPort, "messages that cannot be watched": b.untapped, "no heartbeat": b.frozen,
	})
	t.Run("messages of exchanges", b.taps)
	together(t, map[string]func(*testing.T){"streams": b.streams, "TestSecurity65_ASlowReaderHoldsNobodyUp": b.slow, "messages sent to a queue": b.mirror})
	t.Run("peeking", b.peeking)
	t.Run("TestSecurity66_APreviewChangesNothing", b.noTrace)
	t.Run("closed by the broker", b.closed)
	t.Run("alarm", b.alarm)
}

// together runs tests that do not get in each other's way: most of them wait.
func together(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	t.Run("together", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

func (b *broker) managed(t *testing.T) {
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return b.settings(more...) }
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Big:     &conntest.Big{Settings: set(), Parent: "exchanges", Count: manyExchanges},
		Hostile: &conntest.Place{Settings: set(), Node: "queues"},
		Faults: []conntest.Fault{
			{Name: "no management tag", Settings: set("user", "plain"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "management_user"},
			{Name: "wrong management password", Settings: set("management_password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageRights, Field: "management_password"},
			{Name: "another management user without the tag", Settings: set("management_user", "plain", "management_password", password), Code: connectors.Denied, Field: "management_user"},
			{Name: "no management there", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Closed(tb)
				return b.settings("management_url", "http://"+host+":"+port)
			}, Code: connectors.Unreachable, Stage: connectors.StageRights, Field: "management_url"},
			{Name: "no management on its usual port", Settings: set("host", "127.0.0.3", "management", "auto"), Code: connectors.Unreachable, Stage: connectors.StageRights, Field: "management"},
			{Name: "another website", Settings: set("management_url", "http://"+server.Apache(t, "")), Code: connectors.Refused, Field: "management_url"},
		},
	})
}

func (b *broker) plainly(t *testing.T) {
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return b.alone(more...) }
	}
	port := func(n int) string { return itoa(n) }
	speaks := func(greeting string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, p := conntest.Speaks(tb, greeting)
			return b.alone("host", host, "port", p)
		}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set("known", "orders\nexchange: orders.in"),
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "virtual host missing", Settings: set("vhost", "nope"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "vhost"},
			{Name: "virtual host not permitted", Settings: set("vhost", "closed"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "vhost"},
			{Name: "connection limit of the virtual host", Settings: set("user", "boss", "vhost", "full"), Code: connectors.Throttled, Stage: connectors.StageRights},
			{Name: "management port", Settings: set("port", port(b.Management)), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "TLS port in the clear", Settings: set("port", port(b.TLS)), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "an AMQP 1.0 broker", Settings: speaks("AMQP\x00\x01\x00\x00"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "SSH", Settings: speaks("SSH-2.0-OpenSSH_9.2\r\n"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "unknown host", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "port 99999", Settings: set("port", "99999"), Code: connectors.BadInput, Field: "port"},
			{Name: "password missing", Settings: set("password", ""), Code: connectors.BadInput, Field: "password"},
			{Name: "certificate without TLS", Settings: set("auth", "certificate"), Code: connectors.BadInput, Field: "security"},
		},
	})
}

func (b *broker) withTLS(t *testing.T) {
	other := server.NewCA(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return b.encrypted(more...) }
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: func(testing.TB) connectors.Settings { return b.withCert() },
		Faults: []conntest.Fault{
			{Name: "TLS to a plain port", Settings: set("port", itoa(b.Port)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "unknown authority", Settings: set("ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "another name", Settings: set("tls_name", "rabbit.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "certificate of another authority", Settings: func(tb testing.TB) connectors.Settings { return b.ownCert(tb, other, "robot") }, Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate not given", Settings: set("auth", "certificate"), Code: connectors.BadInput, Field: "client_cert"},
		},
	})
	for name, s := range map[string]connectors.Settings{"password": b.encrypted(), "certificate": b.withCert()} {
		facts, err := open1(t, s).Check(t.Context())
		if err != nil || conntest.Fact(facts, "Encryption") == "none" || conntest.Fact(facts, "Account") == "" {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
}

func (b *broker) ownCert(tb testing.TB, ca *server.CA, name string) connectors.Settings {
	tb.Helper()
	own := ca.Issue(tb, server.Cert{Name: name, Client: true})
	return b.withCert("client_cert", own.Cert, "client_key", own.Key)
}

func (b *broker) stranger(t *testing.T) {
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, b.ownCert(t, b.ca, "stranger"))
	conntest.WantError(t, err, connectors.AuthFailed, "rabbitmq.certificate", "client_cert")
}
