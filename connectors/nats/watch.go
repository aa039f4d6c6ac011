package nats

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"

	"jackfield/connectors"
)

// The bounds of what waits for a slow reader before the oldest go.
const (
	backlog      = 2048
	backlogBytes = 16 << 20
)

// A ring holds the newest events. Whoever fills it never waits.
type ring struct {
	mu      sync.Mutex
	events  []connectors.Event
	bytes   int
	dropped uint64
	more    chan struct{} // has one token while there is something to read
}

func newRing() *ring { return &ring{more: make(chan struct{}, 1)} }

func (r *ring) push(e connectors.Event) {
	r.mu.Lock()
	for len(r.events) > 0 && (len(r.events) >= backlog || r.bytes+len(e.Body) > backlogBytes) {
		r.take()
		r.dropped++
	}
	r.bytes += len(e.Body)
	r.events = append(r.events, e)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// take is the oldest event, which is there; r.mu is held.
func (r *ring) take() connectors.Event {
	e := r.events[0]
	r.bytes -= len(e.Body)
	r.events[0] = connectors.Event{}
	r.events = r.events[1:]
	return e
}

func (r *ring) pop() (connectors.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		r.events = nil
		return connectors.Event{}, false
	}
	e := r.take()
	e.Dropped, r.dropped = r.dropped, 0
	return e, true
}

// heard is what a node is listened to on: its own name, and subjects.
func (s *session) heard(ctx context.Context, id connectors.NodeID) (name string, subjects []string, err error) {
	p := partsOf(id)
	switch {
	case len(p) == 1 && p[0] == inLive:
		return "Live subjects", distinct(list(s.c.Subjects)), nil
	case len(p) == 2 && p[0] == inLive && slices.Contains(list(s.c.Subjects), p[1]):
		return p[1], p[1:], nil
	case len(p) == 4 && p[0] == inStreams && p[2] == inSubjects && goodSubject(p[3]):
		return p[3], p[3:], nil
	case len(p) == 3 && p[0] == inBuckets && goodSubject(p[2]):
		return p[2], []string{"$KV." + p[1] + "." + p[2]}, nil
	case len(p) == 2 && p[0] == inBuckets:
		return p[1], []string{"$KV." + p[1] + ".>"}, nil
	case len(p) == 2 && p[0] == inStreams:
		info, err := s.stream(ctx, p[1], "", 0)
		if err != nil {
			return "", nil, err
		}
		if len(info.Config.Subjects) == 0 {
			return "", nil, &connectors.Error{Code: connectors.Unsupported, Reason: "nats.mirror", Op: connectors.StageData, Target: p[1]}
		}
		return p[1], distinct(info.Config.Subjects), nil
	}
	return "", nil, unknown(id)
}

// distinct leaves out what another subject covers, so that nothing is heard twice.
func distinct(subjects []string) []string {
	var out []string
	for i, one := range subjects {
		covered := false
		for j, other := range subjects {
			covered = covered || i != j && covers(other, one) && (other != one || j < i)
		}
		if !covered {
			out = append(out, one)
		}
	}
	return out
}

// Watch tells what is published from now on, on a subject or on the subjects of a
// stream or bucket. It subscribes like any program that is not JetStream: no
// consumer is made, nothing is acknowledged, and nothing leaves the stream.
func (s *session) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Event{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		name, subjects, err := s.heard(ctx, id)
		if err != nil {
			yield(connectors.Event{}, err)
			return
		}
		r := newRing()
		inner, leave, err := s.subscribe(ctx, name, subjects, r)
		defer leave()
		if err != nil {
			yield(connectors.Event{}, s.failed(ctx, string(id), err))
			return
		}
		for {
			for e, ok := r.pop(); ok && inner.Err() == nil; e, ok = r.pop() {
				if !yield(e, nil) {
					return
				}
			}
			select {
			case <-r.more:
			case <-inner.Done():
				yield(connectors.Event{}, s.failed(ctx, string(id), context.Cause(inner)))
				return
			case <-s.lost:
				yield(connectors.Event{}, s.why(ctx))
				return
			}
		}
	}
}

// subscribe listens to all subjects until leave is called. The context that comes
// back ends when the server refuses one of them, which it may do later on too.
func (s *session) subscribe(ctx context.Context, name string, subjects []string, r *ring) (inner context.Context, leave func(), err error) {
	var undo []func()
	leave = func() {
		for _, one := range slices.Backward(undo) {
			one()
		}
	}
	inner = ctx
	for _, subject := range subjects {
		var done func()
		inner, done = s.refusable(inner, subject, false)
		undo = append(undo, done)
	}
	for _, subject := range subjects {
		sub, err := s.nc.Subscribe(subject, func(m *client.Msg) {
			if !ours(subject, m.Subject) {
				r.push(event(name, m, time.Now()))
			}
		})
		if err != nil {
			return inner, leave, err
		}
		undo = append(undo, func() { _ = sub.Unsubscribe() })
	}
	bounded, stop := context.WithTimeout(inner, requestTime)
	defer stop()
	if err := s.nc.FlushWithContext(bounded); err != nil {
		var refusal *connectors.Error
		if errors.As(context.Cause(inner), &refusal) {
			return inner, leave, refusal
		}
		return inner, leave, err
	}
	return inner, leave, nil
}

// ours reports whether a subject is of the machinery, such as the answers to this
// session's own requests, and was not asked for by its name.
func ours(filter, subject string) bool {
	for _, p := range []string{"_INBOX.", "$JS.", "$SYS.", "_R_."} {
		if strings.HasPrefix(subject, p) && !strings.HasPrefix(filter, p) {
			return true
		}
	}
	return false
}

// event is a message as it is told. Its path begins with the node's own name.
func event(name string, m *client.Msg, now time.Time) connectors.Event {
	e := connectors.Event{Time: now, Path: []string{name}, Body: m.Data, Size: len(m.Data)}
	if m.Subject != name {
		e.Path = append(e.Path, m.Subject)
	}
	if len(e.Body) > maxBody {
		e.Body = append([]byte(nil), e.Body[:maxBody]...)
	}
	e.Facts = []connectors.Fact{{Label: "Subject", Text: connectors.Clean(m.Subject, 500)}}
	if m.Reply != "" {
		e.Facts = append(e.Facts, connectors.Fact{Label: "Reply to", Text: connectors.Clean(m.Reply, 500)})
	}
	for i, k := range slices.Sorted(maps.Keys(m.Header)) {
		if i == maxHeaders {
			e.Facts = append(e.Facts, connectors.Fact{Label: "More headers", Text: strconv.Itoa(len(m.Header) - maxHeaders)})
			break
		}
		e.Facts = append(e.Facts, connectors.Fact{Label: "Header " + connectors.Clean(k, 100), Text: connectors.Clean(strings.Join(m.Header[k], "; "), 500)})
	}
	return e
}
