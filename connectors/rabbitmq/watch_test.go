package rabbitmq

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// watch calls ready once the tap is bound, which a first message proves, and then
// collects n events.
func watch(t *testing.T, s *session, id connectors.NodeID, n int, probe func(), ready func()) []connectors.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(30 * time.Millisecond):
				probe()
			}
		}
	}()
	var out []connectors.Event
	begun := false
	for e, err := range s.Watch(ctx, id) {
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if !begun {
			begun = true
			close(stop)
			ready()
		}
		if string(e.Body) == "probe" {
			continue
		}
		if out = append(out, e); len(out) == n {
			break
		}
	}
	if !begun {
		close(stop)
	}
	return out
}

func (b *broker) taps(t *testing.T) {
	s := open1(t, b.settings("listen", "orders.in"))
	for _, one := range []struct {
		id       connectors.NodeID
		exchange string
		key      string
		path     string
	}{
		{"exchanges/orders.in", "orders.in", "order.new", "exchanges/orders.in/order.new"},
		{"exchanges/orders.in/order.new", "orders.in", "order.new", "exchanges/orders.in/order.new"},
		{"", "orders.in", "order.new", "exchanges/orders.in/order.new"},
		{"exchanges/direct.in", "direct.in", "exact", "exchanges/direct.in/exact"},
		{"exchanges/all", "all", "", "exchanges/all"},
		{"exchanges/picky", "picky", "a/b", "exchanges/picky/a%2Fb"},
	} {
		ch := b.owner(t)
		probes := b.owner(t)
		probe := func() {
			_ = probes.PublishWithContext(t.Context(), one.exchange, one.key, false, false, amqp.Publishing{Body: []byte("probe")})
		}
		got := watch(t, s, one.id, 2, probe, func() {
			publish(t, ch, one.exchange, one.key, amqp.Publishing{Body: []byte(`{"n":1}`), ContentType: "application/json", CorrelationId: "c-1", DeliveryMode: amqp.Persistent, Headers: amqp.Table{"x-n": int32(1)}})
			publish(t, ch, one.exchange, one.key, amqp.Publishing{Body: make([]byte, 3<<20)})
		})
		if len(got) != 2 || string(got[0].Body) != `{"n":1}` || strings.Join(got[0].Path, "/") != one.path || got[0].Size != 7 {
			t.Errorf("%s: %+v", one.id, got)
			continue
		}
		facts := got[0].Facts
		for label, want := range map[string]string{"Exchange": one.exchange, "Routing key": one.key, "Content type": "application/json", "Correlation ID": "c-1", "Delivery mode": "persistent", "Header x-n": "1"} {
			if conntest.Fact(facts, label) != want {
				t.Errorf("%s: %s is %q, want %q", one.id, label, conntest.Fact(facts, label), want)
			}
		}
		if big := got[1]; len(big.Body) != maxBody || big.Size != 3<<20 {
			t.Errorf("%s: a message of 3 MiB has %d bytes, size %d", one.id, len(big.Body), big.Size)
		}
	}
	_, err := s.Table(t.Context(), "exchanges/orders.in", 50)
	conntest.WantError(t, err, connectors.Unsupported, "rabbitmq.exchange_rows", "")
	if left := strings.Join(b.queueNames(t), " "); strings.Contains(left, "amq.gen") {
		t.Errorf("a queue of our own is left: %s", left)
	}
	for _, q := range []string{"orders", "invoices"} {
		if _, err := b.owner(t).QueuePurge(q, false); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *broker) untapped(t *testing.T) {
	refused := func(s *session, id connectors.NodeID, code connectors.Code, reason string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var last error
		for _, err := range s.Watch(ctx, id) {
			last = err
		}
		conntest.WantError(t, last, code, reason, map[bool]string{true: "management"}[reason == "rabbitmq.needs_management"])
	}
	reader := open1(t, b.settings())
	refused(reader, "exchanges/dice", connectors.Unsupported, "rabbitmq.tap_type")
	refused(reader, "exchanges/with.alternate", connectors.Unsupported, "rabbitmq.tap_alternate")
	refused(reader, "exchanges/idle.direct", connectors.Unsupported, "rabbitmq.tap_direct")
	refused(reader, "exchanges/%", connectors.Unsupported, "rabbitmq.tap_default")
	refused(reader, "exchanges/nope", connectors.NotFound, "rabbitmq.not_found")
	refused(reader, "queues/safe", connectors.Unsupported, "rabbitmq.tap_queue")
	refused(reader, "queues", connectors.Unsupported, "rabbitmq.choose_exchange")
	refused(reader, "vhosts/a%2Fb/exchanges/amq.topic", connectors.Unsupported, "rabbitmq.choose_exchange")
	limited := open1(t, b.alone("user", "limited", "known", "topic exchange: orders.in\nexchange: all"))
	refused(limited, "exchanges/orders.in", connectors.Denied, "rabbitmq.tap_configure")
	refused(limited, "exchanges/all", connectors.Unsupported, "rabbitmq.tap_type")
	refused(limited, "queues/orders", connectors.Unsupported, "rabbitmq.needs_management")
	narrow := open1(t, b.settings("user", "narrow"))
	refused(narrow, "exchanges/all", connectors.Denied, "rabbitmq.tap_read")
	if _, err := narrow.Check(t.Context()); err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
}

// What is sent to a queue is seen while the queue's own messages stay.
func (b *broker) mirror(t *testing.T) {
	ch, probes := b.owner(t), b.owner(t)
	s := open1(t, b.settings())
	got := watch(t, s, "queues/orders", 2, func() {
		_ = probes.PublishWithContext(t.Context(), "orders.in", "order.probe", false, false, amqp.Publishing{Body: []byte("probe")})
	}, func() {
		publish(t, ch, "orders.in", "invoice.x", amqp.Publishing{Body: []byte("another queue's")})
		publish(t, ch, "orders.in", "order.1", amqp.Publishing{Body: []byte("topic")})
		publish(t, ch, "direct.in", "exact", amqp.Publishing{Body: []byte("direct")})
	})
	if len(got) != 2 || string(got[0].Body) != "topic" || string(got[1].Body) != "direct" || strings.Join(got[0].Path, "/") != "queues/orders/order.1" {
		t.Errorf("%+v", got)
	}
	for _, q := range []string{"orders", "invoices"} {
		if n, err := ch.QueuePurge(q, false); err != nil || n == 0 {
			t.Errorf("%s lost its messages: %d %v", q, n, err)
		}
	}
}

func (b *broker) streams(t *testing.T) {
	ch := b.owner(t)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	const many = 450
	for i := range many {
		body := []byte("line " + strconv.Itoa(i))
		if i == many-2 {
			body = []byte{0xff, 0xfe, 0}
		}
		c, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", "log", false, false, amqp.Publishing{Body: body, AppId: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if i == many/2 || i == many-1 { // so that there are several chunks
			c.Wait()
		}
	}
	s := open1(t, b.settings())
	for _, limit := range []int{10, 10, 1, 300, 1000} {
		table, err := s.Table(t.Context(), "queues/log", limit)
		if err != nil {
			t.Fatal(err)
		}
		want := min(limit, many)
		if len(table.Rows) != want || table.Rows[want-1][0] != int64(many-1) || table.Rows[0][0] != int64(many-want) || table.Truncated != (limit < many) {
			t.Errorf("%d: %d rows, %v to %v, %v", limit, len(table.Rows), table.Rows[0][0], table.Rows[len(table.Rows)-1][0], table.Truncated)
		}
	}
	table, err := s.Table(t.Context(), "queues/log", 2)
	if err != nil || table.Rows[0][3] != "(3 bytes, no text)" || table.Rows[1][3] != "line 449" || table.Rows[1][7] != "app-id=test" {
		t.Errorf("%+v %v", table, err)
	}
	if table, err = s.Table(t.Context(), "queues/empty log", 5); err != nil || len(table.Rows) != 0 {
		t.Errorf("%+v %v", table, err)
	}
	_, err = s.Table(t.Context(), "queues/orders", 5)
	conntest.WantError(t, err, connectors.Unsupported, "rabbitmq.queue_rows", "")
	probes := b.owner(t)
	got := watch(t, s, "queues/log", 1, func() {
		_ = probes.PublishWithContext(t.Context(), "", "log", false, false, amqp.Publishing{Body: []byte("probe")})
	}, func() { publish(t, ch, "", "log", amqp.Publishing{Body: []byte("live")}) })
	if len(got) != 1 || string(got[0].Body) != "live" || strings.Join(got[0].Path, "/") != "queues/log/log" {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	time.AfterFunc(500*time.Millisecond, func() { _, _ = probes.QueueDelete("empty log", false, false, false) })
	for _, err := range s.Watch(ctx, "queues/empty log") {
		conntest.WantError(t, err, connectors.NotFound, "rabbitmq.gone", "")
	}
}

func (b *broker) slow(t *testing.T) {
	ch := b.owner(t)
	s := open1(t, b.settings("user", "plain", "management", "none"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			_ = ch.PublishWithContext(ctx, "amq.fanout", "flood", false, false, amqp.Publishing{Body: []byte("x")})
		}
	}()
	events := 0
	for e, err := range s.Watch(ctx, "exchanges/amq.fanout") {
		if err != nil {
			t.Fatal(err)
		}
		if events++; events == 1 {
			for range 5 { // the reader sleeps, as it were, and others still look
				time.Sleep(200 * time.Millisecond)
				if _, err := s.Check(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		if e.Dropped > 0 || events > 200_000 {
			break
		}
	}
	if events > 200_000 {
		t.Error("nothing was said to be dropped")
	}
	if _, err := s.Check(ctx); err != nil {
		t.Errorf("leaving a flood cost the connection: %v", err)
	}
}

// frozen goes through a wire that stops to carry anything.
func (b *broker) frozen(t *testing.T) {
	var stuck atomic.Bool
	w := conntest.NewWorld(t)
	direct := w.Env.Dial
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		far, err := direct(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		near, back := loopbackPair(t)
		for _, way := range [][2]net.Conn{{back, far}, {far, back}} {
			go carry(t.Context(), way[0], way[1], &stuck)
		}
		return near, nil
	}
	c := config{Host: "127.0.0.1", Port: b.Port, Vhost: "/", Security: secureNone, Auth: byPassword, User: "plain", Password: connectors.NewSecret(password), Management: manageNone}
	s, err := start(t.Context(), w.Env, c, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	stuck.Store(true)
	var last error
	for _, err := range s.Watch(t.Context(), "") {
		last = err
	}
	conntest.WantError(t, last, connectors.TimedOut, "rabbitmq.heartbeat", "")
	_, err = s.Check(t.Context())
	conntest.WantError(t, err, connectors.TimedOut, "rabbitmq.heartbeat", "")
}

func loopbackPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// carry is one direction of a wire; stuck, it swallows everything, the end too.
func carry(ctx context.Context, to, from net.Conn, stuck *atomic.Bool) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if stuck.Load() {
			_, _ = io.Copy(io.Discard, from)
			<-ctx.Done()
			return
		}
		if _, wrong := to.Write(buf[:n]); err != nil || wrong != nil {
			return
		}
	}
}

func (b *broker) closed(t *testing.T) {
	s := open1(t, b.alone())
	ended := make(chan error, 1)
	go func() {
		for _, err := range s.Watch(t.Context(), "exchanges/amq.topic") {
			ended <- err
		}
	}()
	b.Ctl(t, "close_all_user_connections", "plain", "maintenance")
	last := <-ended
	conntest.WantError(t, last, connectors.Unreachable, "rabbitmq.forced", "")
	if said := connectors.Classify(last).Said; !strings.Contains(said, "maintenance") {
		t.Errorf("%q", said)
	}
	_, err := s.Check(t.Context())
	conntest.WantError(t, err, connectors.Unreachable, "rabbitmq.forced", "")
}

// A broker that runs short of memory takes no messages; looking still works, and
// says so. It goes last: nobody can publish any more.
func (b *broker) alarm(t *testing.T) {
	b.Ctl(t, "set_vm_memory_high_watermark", "absolute", "1MB")
	s := open1(t, b.settings())
	for range 200 {
		facts, err := s.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if alarm := conntest.Fact(facts, "Alarm"); alarm != "" {
			if !strings.Contains(alarm, "takes no messages") {
				t.Errorf("%q", alarm)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("no alarm was told")
}
