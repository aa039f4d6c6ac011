package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// guest may come from the broker's own computer only; every address of this one
// but the loopback ones counts as another computer.
func (b *broker) guest(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, b.alone("host", ip.IP.String(), "user", "guest", "password", "guest"))
		conntest.WantError(t, err, connectors.AuthFailed, "rabbitmq.loopback", "user")
	}
	open1(t, b.alone("user", "guest", "password", "guest"))
}

func (b *broker) lists(t *testing.T) {
	ch := b.owner(t)
	publish(t, ch, "", "invoices", amqp.Publishing{Body: []byte("1")})
	filled(t, ch, "invoices", 1)
	s := open1(t, b.settings())
	if roots := list1(t, s, ""); len(roots) != 3 || !roots["Queues"].Branch || roots["Queues"].ID != inQueues || roots["Virtual hosts"].ID != inVhosts {
		t.Errorf("%+v", roots)
	}
	var queues map[string]connectors.Node
	for range 300 { // the statistics lag behind
		if queues = list1(t, s, inQueues); conntest.Fact(queues["invoices"].Facts, "Messages") == "1" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	invoices := queues["invoices"].Facts
	for label, want := range map[string]string{"Type": "classic", "Messages": "1", "Ready": "1", "Consumers": "0", "Policy": "short", "Arguments": `{"x-max-length":100}`, "Kept": "for good"} {
		if got := conntest.Fact(invoices, label); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
	if n := queues["log"]; n.Kind != "stream" || n.Views[0] != connectors.ViewRows {
		t.Errorf("%+v", n)
	}
	if n := queues["safe"]; conntest.Fact(n.Facts, "Type") != "quorum" || slices.Contains(n.Views, connectors.ViewRows) {
		t.Errorf("%+v", n)
	}
	if n := queues["a/b"]; n.ID != "queues/a%2Fb" {
		t.Errorf("%+v", n)
	}
	below := list1(t, s, queues["orders"].ID)
	if n, ok := below["orders.in → order.#"]; !ok || conntest.Fact(n.Facts, "From") != "orders.in" || len(below) != 4 {
		t.Errorf("bindings of the queue: %+v", below)
	}
	exchanges := list1(t, s, inExchanges)
	if n := exchanges["orders.in"]; conntest.Fact(n.Facts, "Type") != "topic" || n.Views[0] != connectors.ViewMessages || conntest.Fact(n.Facts, "Rights") != "" {
		t.Errorf("%+v", n)
	}
	if n := exchanges[defaultExchange]; n.ID != "exchanges/%" || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	if below = list1(t, s, "exchanges/orders.in"); len(below) != 2 || conntest.Fact(below["order.# → orders"].Facts, "Leads to") != "a queue" {
		t.Errorf("bindings of the exchange: %+v", below)
	}
	if below = list1(t, s, "exchanges/%"); len(below) != 7 {
		t.Errorf("bindings of the default exchange: %+v", below)
	}
	if below = list1(t, s, "queues/a%2Fb"); len(below) != 1 {
		t.Errorf("bindings of a/b: %+v", below)
	}
	for _, id := range []connectors.NodeID{"nonsense", "queues/x/y/z", "queues/", "exchanges/a%zz", "vhosts//queues"} {
		for _, err := range s.Children(t.Context(), id) {
			conntest.WantError(t, err, connectors.NotFound, "rabbitmq.not_found", "")
		}
	}
	for _, err := range s.Children(t.Context(), "exchanges/nope") {
		conntest.WantError(t, err, connectors.NotFound, "rabbitmq.not_found", "")
	}
	vhosts := list1(t, open1(t, b.settings("user", "boss")), inVhosts)
	if len(vhosts) != 4 || vhosts["/"].Branch || !vhosts["a/b"].Branch || vhosts["a/b"].ID != "vhosts/a%2Fb" {
		t.Errorf("%+v", vhosts)
	}
	if vhosts = list1(t, s, inVhosts); len(vhosts) != 1 {
		t.Errorf("what this user may not see: %+v", vhosts)
	}
	boss := open1(t, b.settings("user", "boss"))
	if n := list1(t, boss, "vhosts/a%2Fb"); len(n) != 2 || n["Exchanges"].ID != "vhosts/a%2Fb/exchanges" {
		t.Errorf("%+v", n)
	}
	if n := list1(t, boss, "vhosts/a%2Fb/exchanges"); len(n) != 7 || n["amq.topic"].ID != "vhosts/a%2Fb/exchanges/amq.topic" || len(n["amq.topic"].Views) > 0 {
		t.Errorf("%+v", n)
	}
}

func (b *broker) rights(t *testing.T) {
	s := open1(t, b.settings("user", "narrow"))
	queues := list1(t, s, inQueues)
	if n := queues["orders"]; n.Access != connectors.AccessReadable || conntest.Fact(n.Facts, "Rights") != "read" {
		t.Errorf("%+v", n)
	}
	if n := queues["invoices"]; n.Access != connectors.AccessListed || conntest.Fact(n.Facts, "Rights") != "none" {
		t.Errorf("%+v", n)
	}
	facts, err := s.Check(t.Context())
	if err != nil || !strings.Contains(conntest.Fact(facts, "Rights"), "read “^(orders|amq\\.gen|log).*”") || conntest.Fact(facts, "Tags") != "administrator" || conntest.Fact(facts, "Queues") == "" || facts[0].Label != "Account" {
		t.Errorf("%v %v", facts, err)
	}
	facts, err = open1(t, b.settings()).Check(t.Context())
	if err != nil || conntest.Fact(facts, "Rights") != "told to administrators only" || !strings.HasPrefix(conntest.Fact(facts, "Server"), "RabbitMQ 3.") {
		t.Errorf("%v %v", facts, err)
	}
	if n := list1(t, open1(t, b.settings()), inQueues)["orders"]; n.Access != "" {
		t.Errorf("%+v", n)
	}
}

// Without a management API only what is named is looked at.
func (b *broker) named(t *testing.T) {
	s := open1(t, b.alone("known", "orders\nnope\nexchange: orders.in\ntopic exchange: gone"))
	roots := list1(t, s, "")
	if len(roots) != 2 || roots["Queues"].Access != connectors.AccessListed || !strings.HasPrefix(conntest.Fact(roots["Queues"].Facts, "Not listed"), "Without the management page") {
		t.Errorf("%+v", roots)
	}
	queues := list1(t, s, inQueues)
	if len(queues) != 2 || conntest.Fact(queues["orders"].Facts, "Consumers") != "0" || queues["nope"].Access != connectors.AccessDenied || conntest.Fact(queues["nope"].Facts, "Not there") != "There is no nope." {
		t.Errorf("%+v", queues)
	}
	exchanges := list1(t, s, inExchanges)
	if len(exchanges) != 7 || exchanges["amq.topic"].Access != "" || exchanges["orders.in"].Access != "" || exchanges["gone"].Access != connectors.AccessDenied {
		t.Errorf("%+v", exchanges)
	}
	if a := s.Actions("queues/orders"); a != nil {
		t.Errorf("%+v", a)
	}
	_, err := s.Table(t.Context(), "queues/orders", 10)
	conntest.WantError(t, err, connectors.Unsupported, "rabbitmq.needs_management", "management")
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Management page") == "" {
		t.Errorf("%v %v", facts, err)
	}
}

// usualPort leads what is dialled on port 15672 to where the test's broker has it.
func (b *broker) usualPort(t *testing.T) {
	w := conntest.NewWorld(t)
	direct := w.Env.Dial
	to := b.page()
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "127.0.0.1:15672" {
			addr = strings.TrimPrefix(to, "http://")
		}
		return direct(ctx, network, addr)
	}
	link := func() ([]connectors.Fact, error) {
		s, err := Type().Open(t.Context(), w.Env, b.settings("management", "auto"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		return s.Check(t.Context())
	}
	if facts, err := link(); err != nil || !strings.HasPrefix(conntest.Fact(facts, "Management page"), "http://127.0.0.1:15672, version 3.") {
		t.Errorf("%v %v", facts, err)
	}
	// Something else answers there: it never sees the password.
	var seen strings.Builder
	to = "http://" + listens(t, func(request string) string {
		seen.WriteString(request)
		return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"printer\"\r\nContent-Length: 0\r\n\r\n"
	})
	_, err := link()
	conntest.WantError(t, err, connectors.Refused, "rabbitmq.management_absent", "management")
	if !connectors.Classify(err).Partial || strings.Contains(seen.String(), "Authorization") || !strings.Contains(seen.String(), "/api/whoami") {
		t.Errorf("%v\n%s", err, seen.String())
	}
}

// listens answers every request with the same bytes, one connection after the other.
func listens(t *testing.T, answer func(request string) string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			n, _ := c.Read(buf)
			_, _ = c.Write([]byte(answer(string(buf[:n]))))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func (b *broker) peeking(t *testing.T) {
	ch := b.owner(t)
	s := open1(t, b.settings())
	if _, err := ch.QueuePurge("orders", false); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"first", "second", "third"} {
		publish(t, ch, "", "orders", amqp.Publishing{Body: []byte(body), MessageId: "m-" + body, Headers: amqp.Table{"x-tenant": "acme"}, ContentType: "text/plain"})
	}
	filled(t, ch, "orders", 3)
	actions := s.Actions("queues/orders")
	if len(actions) != 1 || actions[0].Warning == "" || s.Actions("queues") != nil || s.Actions("exchanges/orders.in") != nil || s.Actions("vhosts/x/queues/orders") != nil {
		t.Errorf("%+v", actions)
	}
	parts, err := s.Act(t.Context(), "queues/orders", peekAction, "2")
	if err != nil || len(parts) != 2 || !strings.Contains(parts[0].Text, "first") || !strings.Contains(parts[1].Text, "message-id=m-second") || !strings.Contains(parts[0].Text, "x-tenant=acme") {
		t.Fatalf("%+v %v", parts, err)
	}
	filled(t, ch, "orders", 3)
	for i, body := range []string{"first", "second", "third"} {
		d, ok, err := ch.Get("orders", true)
		if err != nil || !ok || string(d.Body) != body || d.Redelivered != (i < 2) {
			t.Errorf("%d: %q redelivered %v, %v", i, d.Body, d.Redelivered, err)
		}
	}
	if parts, err = s.Act(t.Context(), "queues/orders", peekAction, ""); err != nil || parts[0].Title != "No message" {
		t.Errorf("an empty queue: %+v %v", parts, err)
	}
	for _, input := range []string{"0", "6", "all"} {
		if _, err = s.Act(t.Context(), "queues/orders", peekAction, input); connectors.CodeOf(err) != connectors.BadInput {
			t.Errorf("%s: %v", input, err)
		}
	}
	publish(t, ch, "", "safe", amqp.Publishing{Body: []byte("precious")})
	filled(t, ch, "safe", 1)
	_, err = s.Act(t.Context(), "queues/safe", peekAction, "1")
	conntest.WantError(t, err, connectors.Unsupported, "rabbitmq.peek_quorum", "")
	_, err = s.Act(t.Context(), "queues/log", peekAction, "1")
	conntest.WantError(t, err, connectors.Unsupported, "rabbitmq.peek_stream", "")
	_, err = open1(t, b.settings("user", "narrow")).Act(t.Context(), "queues/invoices", peekAction, "1")
	conntest.WantError(t, err, connectors.Denied, "rabbitmq.read_denied", "")
	if _, err := s.Act(t.Context(), "queues/orders", "purge", ""); connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("%v", err)
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
	d, ok, err := ch.Get("safe", true)
	if err != nil || !ok || touched(d) {
		t.Errorf("the quorum queue was touched: %+v %v", d, err)
	}
}

func (b *broker) noTrace(t *testing.T) {
	ch := b.owner(t)
	for _, q := range []string{"orders", "invoices", "safe"} {
		if _, err := ch.QueuePurge(q, false); err != nil {
			t.Fatal(err)
		}
		publish(t, ch, "", q, amqp.Publishing{Body: []byte("untouched")})
		filled(t, ch, q, 1)
	}
	table, err := open1(t, b.settings()).Table(t.Context(), "queues/log", 1)
	if err != nil {
		t.Fatal(err)
	}
	filled(t, ch, "log", int(table.Rows[0][0].(int64))+1) // a stream's count lags behind
	before := b.seen(t, ch)
	s := open1(t, b.settings("listen", ""))
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	var walk func(id connectors.NodeID, depth int)
	walk = func(id connectors.NodeID, depth int) {
		for n, err := range s.Children(t.Context(), id) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Table(t.Context(), n.ID, 10); err != nil && connectors.CodeOf(err) != connectors.Unsupported && connectors.CodeOf(err) != connectors.NotFound {
				t.Errorf("%s: %v", n.ID, err)
			}
			if n.Branch && depth < 2 && !strings.HasPrefix(n.Name, "many.") {
				walk(n.ID, depth+1)
			}
		}
	}
	walk(inQueues, 0)
	for _, id := range []connectors.NodeID{"", "queues/orders", "exchanges/orders.in"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		for _, err := range s.Watch(ctx, id) {
			if !errors.Is(err, context.DeadlineExceeded) && connectors.CodeOf(err) != connectors.TimedOut {
				t.Errorf("%s: %v", id, err)
			}
		}
		cancel()
	}
	if after := b.seen(t, ch); !maps.Equal(after, before) || len(after) < 6 {
		t.Errorf("before %v\nafter %v", before, after)
	}
	for _, q := range []string{"orders", "invoices", "safe"} {
		if d, ok, err := ch.Get(q, true); err != nil || !ok || touched(d) {
			t.Errorf("%s was touched: %+v %v", q, d, err)
		}
	}
}

// seen is what an application sees of every queue: its messages and consumers.
func (b *broker) seen(t *testing.T, ch *amqp.Channel) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range b.queueNames(t) {
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = fmt.Sprintf("%d messages, %d consumers", q.Messages, q.Consumers)
	}
	return out
}

// queueNames asks the management API for all queues, without the code under test.
func (b *broker) queueNames(t *testing.T) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.page()+"/api/queues/%2F?columns=name", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("boss", password)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var all []queue
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil || len(all) == 0 {
		t.Fatalf("%d queues: %v", len(all), err)
	}
	var out []string
	for _, q := range all {
		out = append(out, q.Name)
	}
	return out
}

// touched reports whether a message was ever delivered before; quorum queues count.
func touched(d amqp.Delivery) bool {
	n, counts := d.Headers["x-delivery-count"]
	return d.Redelivered || counts && n != int64(0)
}
