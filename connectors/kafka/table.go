package kafka

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"jackfield/connectors"
)

const (
	maxRows = 1000
	// quiet is how long nothing may come while messages are read: at the end of a
	// partition there can be offsets that no message has any more.
	quiet = 3 * time.Second
	// lost is how many dials in a row may fail before reading is given up.
	lost = 4
)

// Table shows the newest messages of a topic or partition, a topic's settings, or
// how far a group has come.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	limit = max(0, min(limit, maxRows))
	p := partsOf(id)
	var t *connectors.Table
	var err error
	at, ok := placeOf(id)
	switch {
	case len(p) == 3 && (p[0] == inTopics || p[0] == inInternal) && p[2] == settings:
		t, err = s.settingsTable(ctx, p[1], limit)
	case len(p) == 2 && p[0] == inGroups:
		t, err = s.lagTable(ctx, p[1], limit)
	case ok:
		t, err = s.newest(ctx, at, limit)
	default:
		err = unknown(id)
	}
	if err != nil {
		return nil, s.explain(ctx, string(id), err)
	}
	return t, nil
}

// A span is the offsets to read of one partition: first to before next.
type span struct{ first, next int64 }

// spans are where the partitions of a place begin and end.
func (s *session) spans(ctx context.Context, at place) (map[int32]span, error) {
	if _, err := s.topic(ctx, at.topic); err != nil {
		return nil, err // the lists of offsets below hide why
	}
	starts, err := s.adm.ListStartOffsets(ctx, at.topic)
	if err != nil {
		return nil, err
	}
	ends, err := s.adm.ListEndOffsets(ctx, at.topic)
	if err != nil {
		return nil, err
	}
	out := map[int32]span{}
	var failed error
	ends.Each(func(e kadm.ListedOffset) {
		b, ok := starts.Lookup(at.topic, e.Partition)
		switch {
		case at.partition >= 0 && e.Partition != at.partition:
		case e.Err != nil:
			failed = e.Err
		case ok && b.Err != nil:
			failed = b.Err
		case ok:
			out[e.Partition] = span{b.Offset, e.Offset}
		}
	})
	if len(out) == 0 {
		if failed == nil {
			failed = unknown(connectors.NodeID(at.topic))
		}
		return nil, failed
	}
	return out, nil
}

// share cuts spans to limit offsets in all, at their ends, as evenly as can be.
func share(all map[int32]span, limit int) (map[int32]span, bool) {
	order := make([]int32, 0, len(all))
	for p := range all {
		order = append(order, p)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(all[a].next-all[a].first, all[b].next-all[b].first), cmp.Compare(a, b))
	})
	out := map[int32]span{}
	cut := false
	left := int64(limit)
	for i, p := range order {
		fair := left / int64(len(order)-i)
		n := min(all[p].next-all[p].first, fair)
		cut = cut || n < all[p].next-all[p].first
		left -= n
		if n > 0 {
			out[p] = span{all[p].next - n, all[p].next}
		}
	}
	return out, cut
}

func (s *session) newest(ctx context.Context, at place, limit int) (*connectors.Table, error) {
	all, err := s.spans(ctx, at)
	if err != nil {
		return nil, err
	}
	some, cut := share(all, limit)
	var records []*kgo.Record
	whole := true
	if len(some) > 0 {
		if records, whole, err = s.read(ctx, at.topic, some); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	t := rows(records)
	t.Truncated = cut
	switch {
	case !whole:
		t.Note = "Some offsets had no message any more, or did not come in time."
	case cut && len(all) > 1:
		t.Note = "The newest of every partition."
	}
	return t, nil
}

// consume makes a client that reads from the given offsets, outside of any group.
func (s *session) consume(topic string, from map[int32]int64) (*kgo.Client, *dialer, error) {
	at := map[int32]kgo.Offset{}
	for p, offset := range from {
		at[p] = kgo.NewOffset().At(offset)
	}
	return s.client(nil, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(512<<10), kgo.FetchMaxWait(500*time.Millisecond), kgo.KeepControlRecords(), kgo.DisableFetchSessions())
}

// read fetches whole spans. It returns what came, and whether that was all.
func (s *session) read(ctx context.Context, topic string, want map[int32]span) ([]*kgo.Record, bool, error) {
	from := map[int32]int64{}
	open := map[int32]int64{}
	for p, sp := range want {
		from[p], open[p] = sp.first, sp.next
	}
	cl, d, err := s.consume(topic, from)
	if err != nil {
		return nil, false, err
	}
	defer cl.Close()
	var out []*kgo.Record
	last := time.Now()
	for len(open) > 0 && time.Since(last) < quiet {
		got, err := poll(ctx, cl, d)
		if err != nil {
			return nil, false, err
		}
		for _, r := range got.Records() {
			last = time.Now()
			next, wanted := open[r.Partition]
			if !wanted || r.Offset >= next {
				delete(open, r.Partition)
				continue
			}
			if r.Offset == next-1 {
				delete(open, r.Partition)
			}
			if !r.Attrs.IsControl() {
				out = append(out, slim(r))
			}
		}
	}
	return out, len(open) == 0, nil
}

// poll waits for records, for a second at most.
func poll(ctx context.Context, cl *kgo.Client, d *dialer) (kgo.Fetches, error) {
	wait, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	got := cl.PollRecords(wait, 2*maxRows)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, e := range got.Errors() {
		if wait.Err() == nil || e.Topic != "" {
			return nil, e.Err
		}
	}
	if err := d.unreachable(lost); err != nil {
		return nil, err
	}
	return got, nil
}

// slim lets go of the batch that a record came in, which its slices hold on to.
func slim(r *kgo.Record) *kgo.Record {
	out := *r
	out.Key = slices.Clone(r.Key)
	out.Value = r.Value
	if r.Value != nil {
		kept := r.Value[:min(len(r.Value), maxCell+8)]
		out.Value = append(make([]byte, 0, len(kept)), kept...)
	}
	out.Headers = nil
	for _, h := range r.Headers[:min(len(r.Headers), maxHeaders+1)] {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: slices.Clone(h.Value[:min(len(h.Value), maxCell)])})
	}
	return &out
}

func rows(records []*kgo.Record) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{
		{Name: "Partition", Numeric: true}, {Name: "Offset", Numeric: true}, {Name: "Time"}, {Name: "Key"}, {Name: "Value"}, {Name: "Headers"}, {Name: "Schema"},
	}}
	for _, r := range records {
		t.Rows = append(t.Rows, []any{int64(r.Partition), r.Offset, r.Timestamp.UTC().Format("2006-01-02 15:04:05.000"), text(r.Key), text(r.Value), headerText(r), schemaText(r)})
	}
	return t
}
