package mqttx

import (
	"context"
	"iter"
	"strings"
	"sync"

	"jackfield/connectors"
)

// backlog is how many messages, and how many bytes of them, wait for a slow
// reader before the oldest go.
const (
	backlog      = 4096
	backlogBytes = 16 << 20
)

// replay is how many retained messages a watch begins with.
const replay = 500

// A watcher is one reader of messages. Whoever hears them never waits for it.
type watcher struct {
	id string

	mu      sync.Mutex
	ring    []connectors.Event
	first   int
	bytes   int
	dropped uint64
	more    chan struct{} // has one token while there is something to read
}

func newWatcher(id string) *watcher { return &watcher{id: id, more: make(chan struct{}, 1)} }

func (w *watcher) wants(name string) bool {
	return w.id == "" || name == w.id || strings.HasPrefix(name, w.id) && strings.HasPrefix(name[len(w.id):], "/")
}

func (w *watcher) push(e connectors.Event) {
	w.mu.Lock()
	for n := len(w.ring) - w.first; n > 0 && (n == backlog || w.bytes+len(e.Body) > backlogBytes); n-- {
		w.bytes -= len(w.ring[w.first].Body)
		w.ring[w.first] = connectors.Event{}
		w.first++
		w.dropped++
	}
	w.bytes += len(e.Body)
	if w.first > backlog {
		w.ring = append(w.ring[:0], w.ring[w.first:]...)
		w.first = 0
	}
	w.ring = append(w.ring, e)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *watcher) pop() (connectors.Event, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first == len(w.ring) {
		w.ring, w.first = w.ring[:0], 0
		return connectors.Event{}, false
	}
	e := w.ring[w.first]
	w.bytes -= len(e.Body)
	w.ring[w.first] = connectors.Event{}
	w.first++
	e.Dropped, w.dropped = w.dropped, 0
	return e, true
}

// Watch begins with what was retained, and goes on with what arrives; see
// connectors.Streamer.
func (l *Live) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		w := newWatcher(string(id))
		l.listen(w)
		defer l.unlisten(w)
		for {
			for e, ok := w.pop(); ok; e, ok = w.pop() {
				if ctx.Err() != nil {
					break
				}
				if !yield(e, nil) {
					return
				}
			}
			select {
			case <-w.more:
			case <-ctx.Done():
				yield(connectors.Event{}, connectors.Classify(context.Cause(ctx)))
				return
			case <-l.lost:
				yield(connectors.Event{}, l.why())
				return
			}
		}
	}
}

// listen gives w what was retained, and from then on what arrives: no message
// passes between the two, because whoever hears one takes the same lock.
func (l *Live) listen(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.topics.find(w.id); at != nil {
		l.topics.kept(at, replay, func(t state) {
			w.push(connectors.Event{Time: t.at, Path: parts(t.id), Body: t.body, Size: t.size, Retained: true})
		})
	}
	l.watchers[w] = true
}

func (l *Live) unlisten(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
}
