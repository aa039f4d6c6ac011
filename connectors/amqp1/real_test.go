package amqp1

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/amqpx"
)

const password = "practice-only-p@ss/w0rd?#%:x"

func settings(port int, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(port), "security": "none", "user": "reader"}
	s.Secrets["password"] = connectors.NewSecret(password)
	for i := 0; i+1 < len(more); i += 2 {
		if f, _ := Type().Form.Field(more[i]); f.Kind.Secret() {
			s.Secrets[more[i]] = connectors.NewSecret(more[i+1])
		} else {
			s.Plain[more[i]] = more[i+1]
		}
	}
	return s
}

func openOne(tb testing.TB, s connectors.Settings) *session {
	tb.Helper()
	got, err := Type().Open(tb.Context(), conntest.NewWorld(tb).Env, s)
	if err != nil {
		tb.Fatalf("%v %+v", err, connectors.Explain(err))
	}
	tb.Cleanup(func() { _ = got.Close() })
	return got.(*session)
}

func list(tb testing.TB, s connectors.Session) map[string]connectors.Node {
	tb.Helper()
	out := map[string]connectors.Node{}
	for n, err := range s.(connectors.Browser).Children(tb.Context(), "") {
		if err != nil {
			tb.Fatal(err)
		}
		out[n.Name] = n
	}
	return out
}

// TestRabbitMQPlugin runs against a real broker, RabbitMQ 3.10 with its AMQP 1.0
// plugin, which moves messages even where it repeats that it copies them.
func TestRabbitMQPlugin(t *testing.T) {
	ca := server.NewCA(t)
	queue := func(name string) map[string]any {
		return map[string]any{"name": name, "vhost": "/", "durable": true, "auto_delete": false, "arguments": map[string]any{}}
	}
	b := server.RabbitMQ(t, server.RabbitConf{Plugins: []string{"rabbitmq_amqp1_0"}, CA: ca, Conf: "amqp1_0.default_user = none\n", Definitions: map[string]any{
		"users":       []any{server.RabbitUser("reader", password), server.RabbitUser("nobody", password)},
		"vhosts":      []any{map[string]any{"name": "/"}},
		"permissions": []any{map[string]any{"user": "reader", "vhost": "/", "configure": ".*", "write": ".*", "read": "^orders"}},
		"queues":      []any{queue("orders"), queue("invoices")},
	}})
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return settings(b.Port, append([]string{"addresses", "/amq/queue/orders"}, more...)...)
		}
	}
	speaks := func(greeting string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, port := conntest.Speaks(tb, greeting)
			return set("host", host, "port", port)(tb)
		}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "anonymous", Settings: set("auth", "anonymous"), Code: connectors.Unsupported, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "address may not be read", Settings: set("addresses", "/amq/queue/invoices"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "addresses"},
			{Name: "TLS to a plain port", Settings: set("security", "tls"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "TLS port in the clear", Settings: set("port", strconv.Itoa(b.TLS)), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "unknown authority", Settings: set("security", "tls", "port", strconv.Itoa(b.TLS), "ca", server.NewCA(t).PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "AMQP 0-9-1", Settings: speaks("AMQP\x00\x00\x09\x01"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "SSH", Settings: speaks("SSH-2.0-OpenSSH_9.2\r\n"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "a website", Settings: func(tb testing.TB) connectors.Settings {
				_, port, _ := strings.Cut(server.Apache(tb, ""), ":")
				return set("port", port)(tb)
			}, Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "nothing to look at", Settings: set("addresses", ""), Code: connectors.Unsupported, Field: "addresses"},
			{Name: "certificate without TLS", Settings: set("auth", "certificate"), Code: connectors.BadInput, Field: "security"},
			{Name: "unknown host", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		},
	})
	t.Run("TLS", func(t *testing.T) {
		s := openOne(t, set("security", "tls", "port", strconv.Itoa(b.TLS), "ca", ca.PEM)(t))
		facts, err := s.Check(t.Context())
		if err != nil || !strings.HasPrefix(conntest.Fact(facts, "Encryption"), "TLS") || !strings.HasPrefix(conntest.Fact(facts, "Server"), "RabbitMQ 3.") {
			t.Errorf("%v %v", facts, err)
		}
	})
	t.Run("TestSecurity66_MessagesThatAreNotCopiedAreLeftAlone", func(t *testing.T) {
		owner := client(t, b.Port)
		sender, err := owner.NewSender(t.Context(), "/amq/queue/orders", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), amqp.NewMessage([]byte("untouched")), nil); err != nil {
			t.Fatal(err)
		}
		s := openOne(t, set()(t))
		if n := list(t, s)["/amq/queue/orders"]; n.Access != connectors.AccessListed || len(n.Views) > 0 {
			t.Errorf("%+v", n)
		}
		_, err = s.Table(t.Context(), "/amq/queue/orders", 10)
		conntest.WantError(t, err, connectors.Unsupported, "amqp1.no_copies", "")
		r, err := owner.NewReceiver(t.Context(), "/amq/queue/orders", &amqp.ReceiverOptions{Credit: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Receive(t.Context(), nil)
		if err != nil || string(m.GetData()) != "untouched" || m.Header == nil || !m.Header.FirstAcquirer {
			t.Errorf("%+v %v", m, err)
		}
	})
}

// client is a connection as an application has it.
func client(t *testing.T, port int) *amqp.Session {
	t.Helper()
	conn, err := amqp.Dial(t.Context(), "amqp://127.0.0.1:"+strconv.Itoa(port), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain("reader", password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s, err := conn.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var orders = []map[string]any{
	{"body": "first", "message_id": "m-1", "subject": "new", "content_type": "text/plain", "application_properties": map[string]any{"tenant": "acme"}, "message_annotations": map[string]any{"x-opt-n": 7}},
	{"body": map[string]any{"total": 12}, "durable": true, "priority": 9}, {"body": "third"},
}

// state is what the stand-in saw happen.
type state struct {
	Taken, Released, Accepted, Copied, Sent int
	Left                                    map[string]int
}

func stateOf(t *testing.T, port int) state {
	t.Helper()
	r, err := client(t, port).NewReceiver(t.Context(), "$state", &amqp.ReceiverOptions{Credit: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Receive(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out state
	text, _ := m.Value.(string)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return out
}

// The stand-in is a script on rhea's AMQP 1.0 engine: it shows what a broker that
// hands out copies does, as ActiveMQ, Artemis and Qpid do.
func TestBrowsing_StandIn(t *testing.T) {
	long := make([]map[string]any, 700)
	for i := range long {
		long[i] = map[string]any{"body": strconv.Itoa(i)}
	}
	hostile := "bidi\u202efdp.exe\x1b[2J"
	port := server.Rhea(t, server.RheaConf{Users: map[string]string{"reader": password}, Queues: map[string][]map[string]any{
		"orders": orders, "empty": {}, "long": long, hostile: {}, "big": {{"body": strings.Repeat("x", 200<<10)}}, "huge": {{"body": strings.Repeat("x", 12<<20)}},
	}})
	good := func(testing.TB) connectors.Settings { return settings(port, "addresses", "orders\nempty\n"+hostile) }
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(port, more...) }
	}
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good, Hostile: &conntest.Place{Settings: good}, Faults: []conntest.Fault{
		{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "way not offered", Settings: set("auth", "anonymous"), Code: connectors.Unsupported, Stage: connectors.StageSignIn, Field: "auth"},
		{Name: "address missing", Settings: set("addresses", "nope"), Code: connectors.NotFound, Field: "addresses"},
		{Name: "address denied", Settings: set("addresses", "orders\nsecret"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "addresses"},
		{Name: "address locked", Settings: set("addresses", "locked"), Code: connectors.Denied, Field: "addresses"},
	}})
	s := openOne(t, settings(port, "addresses", "orders\nempty\nsecret\nnope"))
	nodes := list(t, s)
	if n := nodes["orders"]; n.Access != connectors.AccessReadable || n.Views[0] != connectors.ViewRows {
		t.Errorf("%+v", n)
	}
	if nodes["secret"].Access != connectors.AccessDenied || !strings.HasPrefix(conntest.Fact(nodes["nope"].Facts, "Not open"), "There is no address nope") {
		t.Errorf("%+v", nodes)
	}
	t.Run("TestSecurity66_BrowsingLeavesMessagesWhereTheyAre", func(t *testing.T) {
		for range 2 {
			table, err := s.Table(t.Context(), "orders", 10)
			if err != nil || len(table.Rows) != 3 || table.Truncated {
				t.Fatalf("%+v %v", table, err)
			}
			first := table.Rows[0]
			if first[0] != "m-1" || first[2] != "new" || first[3] != "first" || first[5] != "text/plain" || first[6] != "tenant=acme" || first[7] != "x-opt-n=7" {
				t.Errorf("%+v", first)
			}
			if second := table.Rows[1]; second[3] != "{total: 12}" || second[6] != "durable=yes, priority=9" {
				t.Errorf("%+v", second)
			}
		}
		table, err := s.Table(t.Context(), "orders", 2)
		if err != nil || len(table.Rows) != 2 || !table.Truncated {
			t.Errorf("%+v %v", table, err)
		}
		if got := stateOf(t, port); got.Taken != 0 || got.Accepted != 1 && got.Accepted != 0 || got.Left["orders"] != 3 || got.Copied != 9 || got.Sent != 0 {
			t.Errorf("%+v", got)
		}
	})
	if table, err := s.Table(t.Context(), "long", 10_000); err != nil || len(table.Rows) != maxRows || !table.Truncated || table.Rows[maxRows-1][3] != "499" {
		t.Errorf("%v", err)
	}
	if table, err := s.Table(t.Context(), "empty", 10); err != nil || len(table.Rows) != 0 {
		t.Errorf("%+v %v", table, err)
	}
	if table, err := s.Table(t.Context(), "big", 10); err != nil || len(table.Rows) != 1 || table.Rows[0][4] != int64(amqpx.MaxCell+3) && len(table.Rows[0][3].(string)) > amqpx.MaxCell+3 {
		t.Errorf("%v", err)
	}
	if _, err := s.Check(t.Context()); err == nil || !connectors.Classify(err).Partial {
		t.Errorf("%v", err)
	}
	_, err := s.Table(t.Context(), "huge", 10)
	conntest.WantError(t, err, connectors.Unsupported, "amqp1.large", "")
}

// A broker that ignores the wish for copies is left alone until somebody asks.
func TestLookingOnRequest_StandIn(t *testing.T) {
	port := server.Rhea(t, server.RheaConf{Users: map[string]string{"reader": password}, Deaf: true, Queues: map[string][]map[string]any{"orders": orders}})
	s := openOne(t, settings(port, "addresses", "orders"))
	if n := list(t, s)["orders"]; n.Access != connectors.AccessListed || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	_, err := s.Table(t.Context(), "orders", 10)
	conntest.WantError(t, err, connectors.Unsupported, "amqp1.no_copies", "")
	if got := stateOf(t, port); got.Taken != 0 || got.Copied != 0 {
		t.Errorf("messages were asked for: %+v", got)
	}
	if a := s.Actions("orders"); len(a) != 1 || a[0].Warning == "" {
		t.Errorf("%+v", a)
	}
	parts, err := s.Act(t.Context(), "orders", lookAction, "2")
	if err != nil || len(parts) != 2 || !strings.Contains(parts[0].Text, "first") {
		t.Fatalf("%+v %v", parts, err)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := stateOf(t, port)
		if got.Left["orders"] == 3 && got.Taken == 2 && got.Released == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", got)
		}
	}
	if _, err := s.Act(t.Context(), "orders", lookAction, "9"); connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("%v", err)
	}
	_, err = s.Act(t.Context(), "secret", lookAction, "1")
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied {
		t.Errorf("%v", err)
	}
}

func TestAnonymousAndTLS_StandIn(t *testing.T) {
	ca := server.NewCA(t)
	port := server.Rhea(t, server.RheaConf{Anonymous: true, CA: ca, Queues: map[string][]map[string]any{"orders": orders}})
	s := openOne(t, settings(port, "auth", "anonymous", "security", "tls", "ca", ca.PEM, "addresses", "orders"))
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "anonymous" || conntest.Fact(facts, "Server") != "stand-in 1.0" {
		t.Errorf("%v %v", facts, err)
	}
}
