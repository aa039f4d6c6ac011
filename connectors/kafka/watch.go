package kafka

import (
	"context"
	"iter"

	"github.com/twmb/franz-go/pkg/kgo"

	"jackfield/connectors"
)

// behind is how many messages of a partition a slow reader may be late before
// the oldest are left out.
const behind = 5000

// Watch tells what is added to a topic or partition from now on. It reads outside
// of any group. A partition that is added later is not heard.
func (s *session) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		fail := func(err error) { yield(connectors.Event{}, s.explain(ctx, string(id), err)) }
		at, ok := placeOf(id)
		if ctx.Err() != nil || !ok {
			fail(unknown(id))
			return
		}
		spans, err := s.spans(ctx, at)
		if err != nil {
			fail(err)
			return
		}
		from := map[int32]int64{}
		for p, sp := range spans {
			from[p] = sp.next
		}
		cl, d, err := s.consume(at.topic, from)
		if err != nil {
			fail(err)
			return
		}
		defer cl.Close()
		t := teller{at: at, yield: yield}
		for {
			got, err := poll(ctx, cl, d)
			if err != nil {
				fail(err)
				return
			}
			got.EachPartition(t.partition)
			if t.stopped {
				return
			}
		}
	}
}

// A teller passes records on, and leaves out those that a slow reader is too
// late for: Kafka keeps them, so nobody else waits.
type teller struct {
	at      place
	yield   func(connectors.Event, error) bool
	dropped uint64
	stopped bool
}

func (t *teller) partition(p kgo.FetchTopicPartition) {
	for _, r := range p.Records {
		switch {
		case t.stopped:
			return
		case r.Attrs.IsControl():
		case p.HighWatermark-r.Offset > behind:
			t.dropped++
		default:
			e := event(t.at.path(r.Partition), r)
			e.Dropped, t.dropped = t.dropped, 0
			t.stopped = !t.yield(e, nil)
		}
	}
}

// path begins with the node's own name.
func (p place) path(partition int32) []string {
	name := partitionName(p.topic, partition)
	if p.partition >= 0 {
		return []string{name}
	}
	return []string{p.topic, name}
}
