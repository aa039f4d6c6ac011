package mqttx

import (
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
)

// The bounds of what is remembered of a broker that never ends talking.
const (
	maxTopics = 200_000
	maxBody   = 64 << 10 // of one message
	maxKept   = 64 << 20 // of all last values together
	scrap     = 128      // of a last value beyond that
	maxDepth  = 64
)

// A topic is one level of the tree.
type topic struct {
	id   string
	name string
	kids map[string]*topic
	list []*topic // kids in order of arrival; only ever appended to

	count    uint64
	body     []byte
	size     int
	retained bool
	media    string
	facts    []connectors.Fact
	at       time.Time
	window   [rateSeconds]uint32 // messages in each of the last seconds
	second   int64               // of the window's newest
}

// rateSeconds is over how long a rate is taken.
const rateSeconds = 10

// topics is the tree of all that was heard. It is safe for concurrent use.
type topics struct {
	mu    sync.Mutex
	root  topic
	n     int
	bytes int    // of all last values
	left  uint64 // messages on topics that were too many to remember
	heard time.Time
}

// parts splits a topic so that no part is empty and joining by "/" gives it
// back: an empty level is glued to its successor, or at the end to its predecessor.
func parts(name string) []string {
	var out []string
	levels := strings.Split(name, "/")
	glue := ""
	for i, l := range levels {
		switch {
		case l != "" || len(levels) == 1:
			out = append(out, glue+l)
			glue = ""
		case i < len(levels)-1:
			glue += "/"
		case len(out) > 0:
			out[len(out)-1] += "/" + glue
			glue = ""
		}
	}
	if len(out) == 0 {
		return []string{name}
	}
	if len(out) > maxDepth {
		out = append(out[:maxDepth-1:maxDepth-1], strings.Join(out[maxDepth-1:], "/"))
	}
	return out
}

// hear remembers a message. Its body is already capped and belongs to the tree.
func (t *topics) hear(path []string, m message, size int, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = now
	at := &t.root
	for _, p := range path {
		kid, ok := at.kids[p]
		if !ok {
			if t.n >= maxTopics {
				t.left++
				return
			}
			t.n++
			kid = &topic{name: p, id: p}
			if at.id != "" {
				kid.id = at.id + "/" + p
			}
			if at.kids == nil {
				at.kids = map[string]*topic{}
			}
			at.kids[p] = kid
			at.list = append(at.list, kid)
		}
		at = kid
	}
	t.bytes -= at.weight()
	if t.bytes+len(m.body) > maxKept {
		m.body = append([]byte(nil), m.body[:min(len(m.body), scrap)]...)
		m.facts = nil
	}
	at.count++
	at.body, at.size, at.retained, at.at, at.media, at.facts = m.body, size, m.retained, now, m.media, m.facts
	t.bytes += at.weight()
	at.tick(now.Unix())
}

// weight is about how many bytes the last message takes.
func (t *topic) weight() int {
	n := len(t.body)
	for _, f := range t.facts {
		n += len(f.Label) + len(f.Text)
	}
	return n
}

// tick counts a message in the second now.
func (t *topic) tick(now int64) {
	if gap := now - t.second; gap > 0 {
		for i := range min(gap, rateSeconds) {
			t.window[(now-i)%rateSeconds] = 0
		}
		t.second = now
	}
	t.window[now%rateSeconds]++
}

// rate is messages a second over the last ten.
func (t *topic) rate(now int64) float64 {
	sum := uint32(0)
	for i := range int64(rateSeconds) {
		if at := now - i; at <= t.second && t.second-at < rateSeconds {
			sum += t.window[at%rateSeconds]
		}
	}
	return float64(sum) / rateSeconds
}

// find is the topic with the id; nil when nothing was heard of it.
func (t *topics) find(id string) *topic {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == "" {
		return &t.root
	}
	at := &t.root
	for _, p := range parts(id) {
		if at = at.kids[p]; at == nil {
			return nil
		}
	}
	return at
}

// state is a copy of what is known of a topic.
type state struct {
	id, name string
	branch   bool
	count    uint64
	body     []byte
	size     int
	retained bool
	media    string
	facts    []connectors.Fact
	at       time.Time
	rate     float64
}

// kid is the i-th topic below at, in order of arrival.
func (t *topics) kid(at *topic, i int, now time.Time) (state, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i >= len(at.list) {
		return state{}, false
	}
	return at.list[i].state(now), true
}

func (t *topics) stateOf(at *topic, now time.Time) state {
	t.mu.Lock()
	defer t.mu.Unlock()
	return at.state(now)
}

func (t *topic) state(now time.Time) state {
	return state{id: t.id, name: t.name, branch: len(t.kids) > 0, count: t.count, body: t.body, size: t.size, retained: t.retained, media: t.media, facts: t.facts, at: t.at, rate: t.rate(now.Unix())}
}

// kept calls f for at most limit retained messages at and below a topic.
func (t *topics) kept(at *topic, limit int, f func(state)) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	todo := []*topic{at}
	for len(todo) > 0 && limit > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if next.count > 0 && next.retained {
			f(next.state(now))
			limit--
		}
		for i := len(next.list) - 1; i >= 0; i-- {
			todo = append(todo, next.list[i])
		}
	}
}

func (t *topics) counts() (topics int, left uint64, heard time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n, t.left, t.heard
}
