package rabbitmq

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// manyExchanges are enough for several pages.
const manyExchanges = 2300

const (
	password = "practice-only-p@ss/w0rd?#%:x"
	hostile  = "orders\u202efdp.exe\x1b[2J"
)

// A broker is a real RabbitMQ with TLS, the management plugin and things to see.
type broker struct {
	*server.Rabbit
	ca     *server.CA
	client server.Issued
}

type object = map[string]any

func startBroker(tb testing.TB) *broker {
	tb.Helper()
	b := &broker{ca: server.NewCA(tb)}
	b.client = b.ca.Issue(tb, server.Cert{Name: "robot", Client: true})
	b.Rabbit = server.RabbitMQ(tb, server.RabbitConf{
		Plugins: []string{"rabbitmq_management", "rabbitmq_auth_mechanism_ssl", "rabbitmq_random_exchange"}, CA: b.ca, Anywhere: true,
		Conf:        "auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\nssl_cert_login_from = common_name\ncollect_statistics_interval = 200\n",
		Definitions: definitions(),
	})
	return b
}

func definitions() object {
	users := []any{
		server.RabbitUser("reader", password, "management"), server.RabbitUser("boss", password, "administrator"), server.RabbitUser("plain", password),
		server.RabbitUser("narrow", password, "administrator"), server.RabbitUser("robot", password), server.RabbitUser("limited", password), server.RabbitUser("guest", "guest"),
	}
	var permissions []any
	for name, r := range map[string][3]string{"reader": {"^amq\\.gen", "^amq\\.gen", ".*"}, "boss": {".*", ".*", ".*"}, "plain": {"^amq\\.gen", "^amq\\.gen", ".*"}, "narrow": {"^amq\\.gen", "^amq\\.gen", "^(orders|amq\\.gen|log).*"}, "robot": {"", "", ".*"}, "limited": {"", "", ""}, "guest": {".*", ".*", ".*"}} {
		permissions = append(permissions, object{"user": name, "vhost": "/", "configure": r[0], "write": r[1], "read": r[2]})
	}
	permissions = append(permissions, object{"user": "boss", "vhost": "full", "configure": ".*", "write": ".*", "read": ".*"}, object{"user": "boss", "vhost": "a/b", "configure": ".*", "write": ".*", "read": ".*"})
	queues := []any{queueDef("orders", nil), queueDef(hostile, nil), queueDef("a/b", nil), queueDef("safe", object{"x-queue-type": "quorum", "x-delivery-limit": 2}), queueDef("log", object{"x-queue-type": "stream"}), queueDef("empty log", object{"x-queue-type": "stream"}), queueDef("invoices", object{"x-max-length": 100})}
	exchanges := []any{exchangeDef("orders.in", "topic", nil), exchangeDef("direct.in", "direct", nil), exchangeDef("idle.direct", "direct", nil), exchangeDef("all", "fanout", nil), exchangeDef("picky", "headers", nil), exchangeDef("dice", "x-random", nil), exchangeDef("with.alternate", "topic", object{"alternate-exchange": "all"})}
	for i := range manyExchanges {
		exchanges = append(exchanges, exchangeDef(fmt.Sprintf("many.%04d", i), "topic", nil))
	}
	return object{
		"users": users, "permissions": permissions, "vhosts": []any{object{"name": "/"}, object{"name": "closed"}, object{"name": "full", "limits": []any{}}, object{"name": "a/b"}},
		"queues": queues, "exchanges": exchanges, "policies": []any{object{"vhost": "/", "name": "short", "pattern": "^invoices$", "apply-to": "queues", "definition": object{"message-ttl": 600000}, "priority": 0}},
		"bindings":   []any{bindingDef("orders.in", "orders", "order.#"), bindingDef("direct.in", "orders", "exact"), bindingDef("picky", "orders", ""), bindingDef("dice", "safe", ""), bindingDef("orders.in", "invoices", "invoice.*")},
		"parameters": []any{object{"vhost": "full", "component": "vhost-limits", "name": "limits", "value": object{"max-connections": 0}}},
	}
}

func queueDef(name string, args object) object {
	return object{"name": name, "vhost": "/", "durable": true, "auto_delete": false, "arguments": orEmpty(args)}
}

func exchangeDef(name, kind string, args object) object {
	return object{"name": name, "vhost": "/", "type": kind, "durable": true, "auto_delete": false, "internal": false, "arguments": orEmpty(args)}
}

func bindingDef(from, to, key string) object {
	return object{"source": from, "vhost": "/", "destination": to, "destination_type": "queue", "routing_key": key, "arguments": object{}}
}

func orEmpty(args object) object {
	if args == nil {
		return object{}
	}
	return args
}

// settings are for the listener without encryption and the management API.
func (b *broker) settings(more ...string) connectors.Settings {
	return with(map[string]string{
		"host": "127.0.0.1", "port": strconv.Itoa(b.Port), "security": "none", "auth": "password", "user": "reader",
		"management": "url", "management_url": b.page(),
	}, more)
}

func (b *broker) page() string { return "http://127.0.0.1:" + strconv.Itoa(b.Management) }

// alone are settings without a management API.
func (b *broker) alone(more ...string) connectors.Settings {
	return b.settings(append([]string{"user", "plain", "management", "none"}, more...)...)
}

// encrypted are settings for the TLS listener, without a management API.
func (b *broker) encrypted(more ...string) connectors.Settings {
	return b.alone(append([]string{"security", "tls", "port", strconv.Itoa(b.TLS), "ca", b.ca.PEM}, more...)...)
}

func (b *broker) withCert(more ...string) connectors.Settings {
	return b.encrypted(append([]string{"auth", "certificate", "client_cert", b.client.Cert, "client_key", b.client.Key}, more...)...)
}

func with(plain map[string]string, more []string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = plain
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

// owner is a connection as an application has it, to make and see things with.
func (b *broker) owner(tb testing.TB) *amqp.Channel {
	tb.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(b.Port))
	if err != nil {
		tb.Fatal(err)
	}
	link, err := amqp.Open(conn, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "boss", Password: password}}, Vhost: "/", Locale: "en_US", FrameSize: 131072})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = link.Close() })
	ch, err := link.Channel()
	if err != nil {
		tb.Fatal(err)
	}
	return ch
}

func publish(tb testing.TB, ch *amqp.Channel, exchange, key string, m amqp.Publishing) {
	tb.Helper()
	if err := ch.PublishWithContext(tb.Context(), exchange, key, false, false, m); err != nil {
		tb.Fatal(err)
	}
}

// filled waits until a queue has so many messages.
func filled(tb testing.TB, ch *amqp.Channel, name string, want int) {
	tb.Helper()
	for range 500 {
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if q.Messages == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("%s never had %d messages", name, want)
}

func open1(tb testing.TB, s connectors.Settings) *session {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	opened, err := Type().Open(ctx, conntest.NewWorld(tb).Env, s)
	if err != nil {
		tb.Fatalf("%v %+v", err, connectors.Explain(err))
	}
	tb.Cleanup(func() { _ = opened.Close() })
	return opened.(*session)
}

func list1(tb testing.TB, s *session, parent connectors.NodeID) map[string]connectors.Node {
	tb.Helper()
	out := map[string]connectors.Node{}
	for n, err := range s.Children(tb.Context(), parent) {
		if err != nil {
			tb.Fatal(err)
		}
		out[n.Name] = n
	}
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
