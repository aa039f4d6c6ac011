package rabbitmq

import (
	"context"
	"iter"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// The bounds of what waits for a slow reader before the oldest go.
const (
	backlog      = 2048
	backlogBytes = 16 << 20
)

// inFlight is how many messages the broker sends before it waits for word.
const inFlight = 200

// A ring holds the newest events. Whoever fills it never waits.
type ring struct {
	mu      sync.Mutex
	events  []connectors.Event
	bytes   int
	dropped uint64
	more    chan struct{} // has one token while there is something to read
}

func newRing() *ring { return &ring{more: make(chan struct{}, 1)} }

// weight is how many bytes an event holds.
func weight(e connectors.Event) int {
	n := len(e.Body)
	for _, f := range e.Facts {
		n += len(f.Label) + len(f.Text)
	}
	return n
}

func (r *ring) push(e connectors.Event) {
	r.mu.Lock()
	for len(r.events) > 0 && (len(r.events) >= backlog || r.bytes+weight(e) > backlogBytes) {
		r.bytes -= weight(r.events[0])
		r.events[0] = connectors.Event{}
		r.events = r.events[1:]
		r.dropped++
	}
	r.bytes += weight(e)
	r.events = append(r.events, e)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *ring) pop() (connectors.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		r.events = nil
		return connectors.Event{}, false
	}
	e := r.events[0]
	r.bytes -= weight(e)
	r.events[0] = connectors.Event{}
	r.events = r.events[1:]
	e.Dropped, r.dropped = r.dropped, 0
	return e, true
}

// Watch tells the messages that pass an exchange, that are sent to a queue from
// its bindings, or that are added to a stream. It listens with a queue of its
// own; no other queue's messages are touched. Without an id it listens to the
// exchanges that the form names for it, and to nothing where it names none: to
// listen makes a queue, which nobody asked for by linking.
func (s *session) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		t, err := s.tapFor(ctx, parsePlace(id), id)
		if err != nil {
			yield(connectors.Event{}, err)
			return
		}
		r := newRing()
		inner, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- s.channel(func(ch *amqp.Channel) error { return s.run(inner, ch, t, r) }) }()
		defer s.leave(stop, ended)
		for {
			for e, ok := r.pop(); ok && ctx.Err() == nil; e, ok = r.pop() {
				if !yield(e, nil) {
					return
				}
			}
			if ctx.Err() != nil {
				yield(connectors.Event{}, connectors.Classify(context.Cause(ctx)))
				return
			}
			select {
			case <-r.more:
			case <-ctx.Done():
			case err := <-ended:
				ended <- nil
				if ctx.Err() == nil {
					yield(connectors.Event{}, s.failed(err, string(id), ""))
					return
				}
			}
		}
	}
}

// leave ends a tap; a broker that does not answer the goodbye costs the connection.
func (s *session) leave(stop func(), ended chan error) {
	stop()
	select {
	case <-ended:
	case <-time.After(grace):
		_ = s.conn.Close()
		<-ended
	}
}

// run feeds the ring until ctx or the connection ends.
func (s *session) run(ctx context.Context, ch *amqp.Channel, t *tap, r *ring) error {
	if len(t.bindings) == 0 && t.stream == "" {
		select {
		case <-ctx.Done():
			return nil
		case <-s.lost:
			return s.why(nil)
		}
	}
	coming, err := t.start(s, ch)
	if err != nil {
		return err
	}
	n := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case d, ok := <-coming:
			if !ok {
				return s.cancelled(t)
			}
			if n++; t.stream != "" {
				_ = d.Ack(false) // asks for more; nothing leaves a stream
			} else if n%(inFlight/4) == 0 {
				_ = d.Ack(true) // of our own queue
			}
			s.tell(t, d, r)
		}
	}
}

// cancelled is why a broker sends nothing more: the connection is gone, or what
// was listened to was deleted.
func (s *session) cancelled(t *tap) error {
	if s.link.IsClosed() {
		return s.why(nil)
	}
	return &connectors.Error{Code: connectors.NotFound, Reason: "rabbitmq.gone", Op: connectors.StageData, Target: t.name}
}

// tell passes one message on, unless it has another key than the one asked for.
func (s *session) tell(t *tap, d amqp.Delivery, r *ring) {
	if t.keyed && d.RoutingKey != t.key {
		return
	}
	path := t.path
	if len(path) == 0 {
		path = []string{inExchanges, part(d.Exchange)}
	}
	if d.RoutingKey != "" {
		path = append(path[:len(path):len(path)], part(d.RoutingKey))
	}
	r.push(connectors.Event{Time: time.Now(), Path: path, Body: d.Body, Size: s.sizeOf(d), Facts: factsOf(d)})
}
