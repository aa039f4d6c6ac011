package nats

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	client "github.com/nats-io/nats.go"

	"jackfield/connectors"
)

// The bounds of what is shown.
const (
	maxRows    = 1000
	maxCell    = 4 << 10
	maxHex     = 1 << 10
	maxBody    = 64 << 10
	maxHeaders = 60
	// hands is how many messages are asked for at a time.
	hands = 8
	// maxGaps is how many numbers without a message are asked for beside the rows.
	maxGaps = 500
)

// Table shows the newest messages of a stream, or the keys of a bucket with their
// values.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	limit = max(0, min(limit, maxRows))
	p := partsOf(id)
	if len(p) != 2 {
		return nil, unknown(id)
	}
	switch p[0] {
	case inStreams:
		return s.newest(ctx, p[1], limit)
	case inBuckets:
		return s.values(ctx, p[1], limit)
	}
	return nil, unknown(id)
}

// newest fetches from the last number downwards, some at a time.
func (s *session) newest(ctx context.Context, name string, limit int) (*connectors.Table, error) {
	info, err := s.stream(ctx, name, "", 0)
	if err != nil {
		return nil, err
	}
	first, next := info.State.FirstSeq, info.State.LastSeq
	if info.State.Msgs == 0 {
		next = 0
	}
	var found []*stored
	gaps := 0
	for len(found) < limit && next >= max(first, 1) && gaps <= maxGaps {
		var wants []want
		for len(wants) < min(limit-len(found), 2*hands) && next >= max(first, 1) {
			wants = append(wants, want{Seq: next})
			next--
		}
		got, err := s.several(ctx, info, wants)
		if err != nil {
			return nil, err
		}
		for _, m := range got {
			if m == nil {
				gaps++
				continue
			}
			found = append(found, m)
		}
	}
	slices.Reverse(found)
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Number", Numeric: true}, {Name: "Time"}, {Name: "Subject"}, {Name: "Body"}, {Name: "Size", Numeric: true}, {Name: "Headers"}}, Truncated: next >= max(first, 1) && info.State.Msgs > 0}
	for _, m := range found {
		t.Rows = append(t.Rows, []any{int64(m.seq), m.when.UTC().Format("2006-01-02 15:04:05.000"), m.subject, bodyText(m.data), int64(len(m.data)), headerText(m.header)})
	}
	if len(found) < limit && gaps > maxGaps {
		t.Note = "Many numbers have no message any more; older messages were not looked for."
	}
	return t, nil
}

// several fetches messages side by side; what is not there is nil.
func (s *session) several(ctx context.Context, info *streamInfo, wants []want) ([]*stored, error) {
	out := make([]*stored, len(wants))
	errs := make([]error, len(wants))
	turn := make(chan struct{}, hands)
	var all sync.WaitGroup
	for i, w := range wants {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			out[i], errs[i] = s.get(ctx, info, w)
		})
	}
	all.Wait()
	for i, err := range errs {
		if notThere(err) {
			out[i], errs[i] = nil, nil
		}
	}
	return out, errors.Join(firstOf(errs))
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// values has a bucket's keys in the order of their names.
func (s *session) values(ctx context.Context, bucket string, limit int) (*connectors.Table, error) {
	prefix := "$KV." + bucket + "."
	info, err := s.stream(ctx, bucketPrefix+bucket, prefix+">", 0)
	if err != nil {
		return nil, err
	}
	subjects := slices.Sorted(maps.Keys(info.State.Subjects))
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Key"}, {Name: "Value"}, {Name: "Revision", Numeric: true}, {Name: "Time"}, {Name: "State"}}, Truncated: max(len(subjects), info.Total) > limit}
	subjects = subjects[:min(limit, len(subjects))]
	var wants []want
	for _, subject := range subjects {
		wants = append(wants, want{LastOf: subject})
	}
	got, err := s.several(ctx, info, wants)
	if err != nil {
		return nil, err
	}
	for i, m := range got {
		if m == nil {
			continue
		}
		row := []any{strings.TrimPrefix(subjects[i], prefix), bodyText(m.data), int64(m.seq), m.when.UTC().Format("2006-01-02 15:04:05.000"), ""}
		if gone := deleted(m); gone != "" {
			row[1], row[4] = nil, gone
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// deleted says how a key was deleted, "" where it was not (ADR-8).
func deleted(m *stored) string {
	switch m.header.Get("KV-Operation") {
	case "DEL":
		return "deleted"
	case "PURGE":
		return "deleted, with its history"
	}
	switch m.header.Get("Nats-Marker-Reason") {
	case "MaxAge":
		return "ran out"
	case "Remove", "Purge":
		return "deleted"
	}
	return ""
}

// Sample reads the last message of a subject, the value of a key, or the beginning
// of an object.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, most int) (connectors.Sample, error) {
	if ctx.Err() != nil {
		return connectors.Sample{}, connectors.Classify(context.Cause(ctx))
	}
	p := partsOf(id)
	switch {
	case len(p) == 4 && p[0] == inStreams && p[2] == inSubjects:
		return s.last(ctx, p[1], p[3], most)
	case len(p) == 3 && p[0] == inBuckets:
		return s.last(ctx, bucketPrefix+p[1], "$KV."+p[1]+"."+p[2], most)
	case len(p) == 3 && p[0] == inObjects:
		return s.content(ctx, p[1], p[2], most)
	}
	return connectors.Sample{}, unknown(id)
}

func (s *session) last(ctx context.Context, stream, subject string, most int) (connectors.Sample, error) {
	info, err := s.stream(ctx, stream, "", 0)
	if err != nil {
		return connectors.Sample{}, err
	}
	m, err := s.get(ctx, info, want{LastOf: subject})
	if err != nil {
		return connectors.Sample{}, err
	}
	if gone := deleted(m); gone != "" {
		return connectors.Sample{}, &connectors.Error{Code: connectors.NotFound, Reason: "nats.key_deleted", Op: connectors.StageData, Target: subject, Said: gone}
	}
	return sampled(m.data, int64(len(m.data)), most), nil
}

func sampled(data []byte, size int64, most int) connectors.Sample {
	kept := data[:min(len(data), max(0, most))]
	return connectors.Sample{MediaType: mediaType(kept), Data: kept, Size: size, Truncated: int64(len(kept)) < size}
}

// mediaType looks at the first bytes; nothing is decoded.
func mediaType(data []byte) string {
	text := data
	for n := 0; n < utf8.UTFMax-1 && len(text) > 0 && !utf8.Valid(text); n++ {
		text = text[:len(text)-1] // a letter may have been cut in two
	}
	switch {
	case !utf8.Valid(text), strings.ContainsRune(string(text), 0):
		return "application/octet-stream"
	case strings.HasPrefix(strings.TrimSpace(string(text[:min(len(text), 100)])), "{"):
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// content reads an object's chunks one after the other until there is enough.
func (s *session) content(ctx context.Context, bucket, name string, most int) (connectors.Sample, error) {
	info, err := s.stream(ctx, objectPrefix+bucket, "", 0)
	if err != nil {
		return connectors.Sample{}, err
	}
	o, err := s.object(ctx, info, objectSubject(bucket, name))
	if err != nil {
		return connectors.Sample{}, s.failed(ctx, name, err)
	}
	if o.Deleted || o.Options.Link != nil {
		return connectors.Sample{}, &connectors.Error{Code: connectors.NotFound, Reason: "nats.no_message", Op: connectors.StageData, Target: name}
	}
	chunks := "$O." + bucket + ".C." + o.NUID
	var data []byte
	for seq, n := uint64(1), 0; n < o.Chunks && len(data) < most; n++ {
		m, err := s.get(ctx, info, want{Seq: seq, Next: chunks})
		if notThere(err) {
			break
		}
		if err != nil {
			return connectors.Sample{}, err
		}
		data, seq = append(data, m.data...), m.seq+1
	}
	return sampled(data, o.Size, most), nil
}

// bodyText is a body for a cell: as it is where it is text, else in hex.
func bodyText(v []byte) string {
	shown := v[:min(len(v), maxCell)]
	for len(shown) > 0 && len(shown) < len(v) && !utf8.RuneStart(v[len(shown)]) {
		shown = shown[:len(shown)-1]
	}
	switch {
	case !utf8.Valid(shown), strings.ContainsRune(string(shown), 0):
		if len(v) > maxHex {
			return "hex " + hex.EncodeToString(v[:maxHex]) + "…"
		}
		return "hex " + hex.EncodeToString(v)
	case len(shown) < len(v):
		return string(shown) + "…"
	}
	return string(shown)
}

func headerText(h client.Header) string {
	var out []string
	for i, k := range slices.Sorted(maps.Keys(h)) {
		if i == maxHeaders {
			out = append(out, fmt.Sprintf("and %d more", len(h)-maxHeaders))
			break
		}
		out = append(out, k+"="+strings.Join(h[k], "; "))
	}
	all := strings.Join(out, ", ")
	if len(all) > maxCell {
		all = strings.ToValidUTF8(all[:maxCell], "") + "…"
	}
	return all
}
