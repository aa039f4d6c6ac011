package mqttx

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

// settle is how long the first listing waits for retained messages: brokers
// send them at once, and quiet means that they were all.
const (
	settle = 1500 * time.Millisecond
	quiet  = 250 * time.Millisecond
)

// refusedID begins the node of a topic filter that the broker did not accept.
const refusedID = "refused filter "

// Children lists the topics heard so far, and at the root the refused filters.
// The first time it waits a moment for what was retained.
func (l *Live) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		at, err := l.find(ctx, string(parent))
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		if parent == "" && !l.yieldRefused(yield) {
			return
		}
		now := time.Now()
		for i := 0; ; i++ {
			t, ok := l.topics.kid(at, i, now)
			if !ok {
				return
			}
			if ctx.Err() != nil {
				yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
				return
			}
			if !yield(t.node(), nil) {
				return
			}
		}
	}
}

func (l *Live) yieldRefused(yield func(connectors.Node, error) bool) bool {
	for _, r := range l.Refused() {
		n := connectors.Node{ID: connectors.NodeID(refusedID + r.Filter), Name: r.Filter, Kind: "topic filter", Access: connectors.AccessDenied,
			Facts: []connectors.Fact{{Label: "Refused", Text: connectors.Explain(r.Err).Title}}}
		if !yield(n, nil) {
			return false
		}
	}
	return true
}

// find waits until the retained messages have come.
func (l *Live) find(ctx context.Context, id string) (*topic, error) {
	if err := l.settled(ctx); err != nil {
		return nil, err
	}
	for _, r := range l.Refused() {
		if id == refusedID+r.Filter {
			return nil, r.Err
		}
	}
	at := l.topics.find(id)
	if at == nil {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "mqtt.unheard", Op: connectors.StageData, Target: id}
	}
	return at, nil
}

func (l *Live) settled(ctx context.Context) error {
	l.mu.Lock()
	since := l.since
	l.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		n, _, heard := l.topics.counts()
		age := time.Since(since)
		if age >= settle || n > 0 && time.Since(heard) >= quiet && age >= quiet {
			return nil
		}
		select {
		case <-time.After(quiet / 5):
		case <-ctx.Done():
		case <-l.lost:
			return nil // what was heard can still be looked at
		}
	}
}

func (t state) node() connectors.Node {
	n := connectors.Node{ID: connectors.NodeID(t.id), Name: t.name, Kind: "topic", Branch: t.branch, Views: []connectors.View{connectors.ViewMessages}}
	if t.id == "$SYS" {
		n.Facts = []connectors.Fact{{Label: "What this is", Text: "the broker's own figures"}}
	}
	if t.count == 0 {
		return n
	}
	n.Views = append(n.Views, connectors.ViewContent)
	n.Facts = append(n.Facts,
		connectors.Fact{Label: "Last value", Text: preview(t.body)},
		connectors.Fact{Label: "Received", Text: t.at.Format("15:04:05")},
		connectors.Fact{Label: "Messages", Text: strconv.FormatUint(t.count, 10)},
		connectors.Fact{Label: "Rate", Text: fmt.Sprintf("%.1f/s", t.rate)},
		connectors.Fact{Label: "Size", Text: humanize.IBytes(uint64(t.size))})
	if t.retained {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Retained", Text: "yes"})
	}
	n.Facts = append(n.Facts, t.facts...)
	return n
}

// preview is a value on one line: text, or the first bytes of what is none.
func preview(body []byte) string {
	if textual(body) {
		return connectors.Clean(string(body[:min(len(body), 400)]), 100)
	}
	return fmt.Sprintf("% x (%d bytes)", body[:min(len(body), 16)], len(body))
}

// textual reports whether a message can be shown as text.
func textual(body []byte) bool {
	if len(body) == maxBody { // it may have been cut within a character
		for n := 1; n < utf8.UTFMax; n++ {
			if at := len(body) - n; utf8.RuneStart(body[at]) && !utf8.FullRune(body[at:]) {
				body = body[:at]
				break
			}
		}
	}
	return utf8.Valid(body) && bytes.IndexByte(body, 0) < 0
}

// Sample is the last message of a topic, as it came.
func (l *Live) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	at, err := l.find(ctx, string(id))
	if err != nil {
		return connectors.Sample{}, err
	}
	t := l.topics.stateOf(at, time.Now())
	out := connectors.Sample{MediaType: MediaType(t.media, t.body), Data: t.body[:min(len(t.body), max)], Size: int64(t.size)}
	out.Truncated = len(out.Data) < t.size
	return out, nil
}

// MediaType is what the sender said (MQTT 5 section 3.3.2.3.9), where that is a
// media type, and else what the bytes look like.
func MediaType(said string, body []byte) string {
	if kind, _, err := mime.ParseMediaType(said); err == nil && strings.Contains(kind, "/") {
		return said
	}
	switch {
	case !textual(body):
		return "application/octet-stream"
	case len(body) > 1 && (body[0] == '{' || body[0] == '[') && json.Valid(body):
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}
