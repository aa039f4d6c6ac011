package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// filled is a server with streams of each kind, a bucket and a store.
func filled(tb testing.TB) (*natsd.Server, *client.Conn, jetstream.JetStream) {
	tb.Helper()
	s := run(tb, accounts)
	nc, js := admin(tb, s)
	ctx := tb.Context()
	must(js.CreateStream(ctx, jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}, Description: "all orders"}))(tb)
	must(js.CreateStream(ctx, jetstream.StreamConfig{Name: "WORK", Subjects: []string{"work.*"}, Retention: jetstream.WorkQueuePolicy, AllowDirect: true}))(tb)
	must(js.CreateStream(ctx, jetstream.StreamConfig{Name: "COPY", Mirror: &jetstream.StreamSource{Name: "ORDERS"}}))(tb)
	for i := range 10 {
		m := client.NewMsg(fmt.Sprintf("orders.%d", i%2))
		m.Data = fmt.Appendf(nil, `{"n":%d}`, i)
		m.Header.Set("trace", "abc")
		must(js.PublishMsg(ctx, m))(tb)
		must(js.Publish(ctx, "work.a", []byte{0xff, byte(i)}))(tb)
	}
	stream := must(js.Stream(ctx, "ORDERS"))(tb)
	for seq := uint64(4); seq < 7; seq++ {
		if err := stream.DeleteMsg(ctx, seq); err != nil {
			tb.Fatal(err)
		}
	}
	must(stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "billing", AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: "orders.1"}))(tb)
	kv := must(js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "config", History: 3}))(tb)
	must(kv.Put(ctx, "colour", []byte("blue")))(tb)
	must(kv.Put(ctx, "old", []byte("x")))(tb)
	if err := kv.Delete(ctx, "old"); err != nil {
		tb.Fatal(err)
	}
	store := must(js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: "files"}))(tb)
	must(store.PutBytes(ctx, "reports/may 2026.csv", []byte(strings.Repeat("a;b\n", 100000))))(tb)
	must(store.PutBytes(ctx, "gone.txt", []byte("x")))(tb)
	if err := store.Delete(ctx, "gone.txt"); err != nil {
		tb.Fatal(err)
	}
	return s, nc, js
}

func TestNATSServerTheTree(t *testing.T) {
	d, _, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d))
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "NATS account") != "APP" || !strings.Contains(conntest.Fact(facts, "May subscribe"), "orders.>") || conntest.Fact(facts, "Streams") != "5" || conntest.Fact(facts, "Round trip") == "" {
		t.Errorf("%+v %v", facts, err)
	}
	if n := conntest.Below(t, s, ""); len(n) != 4 || n["Live subjects"].Views[0] != connectors.ViewMessages {
		t.Errorf("%+v", n)
	}
	streams := conntest.Below(t, s, "streams")
	if n := streams["ORDERS"]; len(streams) != 3 || conntest.Fact(n.Facts, "Messages") != "7" || n.Access != connectors.AccessReadable || conntest.Fact(n.Facts, "Description") != "all orders" || conntest.Fact(n.Facts, "Consumers") != "1" {
		t.Errorf("%+v", streams)
	}
	if n := streams["COPY"]; len(n.Views) != 1 {
		t.Errorf("%+v", n)
	}
	subjects := conntest.Below(t, s, "streams/ORDERS/subjects")
	if n := subjects["orders.1"]; len(subjects) != 2 || conntest.Fact(n.Facts, "Messages") != "3" {
		t.Errorf("%+v", subjects)
	}
	if n := conntest.Below(t, s, "streams/ORDERS/consumers")["billing"]; conntest.Fact(n.Facts, "Pending") != "3" || conntest.Fact(n.Facts, "Kind") != "durable, pull" || conntest.Fact(n.Facts, "Reads") != "orders.1" {
		t.Errorf("%+v", n)
	}
	if n := conntest.Below(t, s, "kv")["config"]; n.ID != "kv/config" || conntest.Fact(n.Facts, "History") != "3" {
		t.Errorf("%+v", n)
	}
	if n := conntest.Below(t, s, "kv/config"); len(n) != 2 || n["colour"].Views[0] != connectors.ViewContent {
		t.Errorf("%+v", n)
	}
	objects := conntest.Below(t, s, "objects/files")
	if n := objects["reports/may 2026.csv"]; len(objects) != 1 || conntest.Fact(n.Facts, "Size") != "391 KiB" {
		t.Errorf("%+v", objects)
	}
	for _, id := range []connectors.NodeID{"nonsense", "streams/NONE/subjects", "streams/a.b/consumers", "kv/none", "%zz"} {
		for _, err := range s.(connectors.Browser).Children(t.Context(), id) {
			if connectors.CodeOf(err) != connectors.NotFound {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
}

func TestNATSServerRowsAndContent(t *testing.T) {
	d, _, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d))
	rows := func(id connectors.NodeID, limit int) *connectors.Table {
		t.Helper()
		return must(s.(connectors.Tabler).Table(t.Context(), id, limit))(t)
	}
	table := rows("streams/ORDERS", 5)
	var got []string
	for _, r := range table.Rows {
		got = append(got, fmt.Sprint(r[0], r[2], r[3], r[5]))
	}
	if want := `[3orders.0{"n":2}trace=abc 7orders.0{"n":6}trace=abc 8orders.1{"n":7}trace=abc 9orders.0{"n":8}trace=abc 10orders.1{"n":9}trace=abc]`; fmt.Sprint(got) != want || !table.Truncated {
		t.Errorf("%v, want %s; %v", got, want, table.Truncated)
	}
	if table := rows("streams/ORDERS", 500); len(table.Rows) != 7 || table.Truncated {
		t.Errorf("%+v", table)
	}
	if table := rows("streams/WORK", 2); len(table.Rows) != 2 || table.Rows[1][3] != "hex ff09" {
		t.Errorf("%+v", table)
	}
	if table := rows("kv/config", 10); len(table.Rows) != 2 || table.Rows[0][1] != "blue" || table.Rows[1][1] != nil || table.Rows[1][4] != "deleted" {
		t.Errorf("%+v", table)
	}
	for id, want := range map[connectors.NodeID]string{"streams/ORDERS/subjects/orders.1": `{"n":9}`, "kv/config/colour": "blue", "objects/files/reports%2Fmay 2026.csv": "a;b\na;b\na;"} {
		sample, err := s.(connectors.Sampler).Sample(t.Context(), id, 10)
		if err != nil || string(sample.Data) != want || sample.Truncated != (sample.Size > 10) {
			t.Errorf("%s: %+v %v", id, sample, err)
		}
	}
	all, err := s.(connectors.Sampler).Sample(t.Context(), "objects/files/reports%2Fmay 2026.csv", 1<<20)
	if err != nil || len(all.Data) != 400000 || all.Truncated {
		t.Errorf("%d bytes, %v", len(all.Data), err)
	}
	for _, id := range []connectors.NodeID{"kv/config/old", "kv/config/none", "objects/files/gone.txt", "objects/files/none"} {
		if _, err := s.(connectors.Sampler).Sample(t.Context(), id, 10); connectors.CodeOf(err) != connectors.NotFound {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// heard watches id, and publishes on a subject until it has been heard.
func heard(tb testing.TB, nc *client.Conn, s connectors.Session, id connectors.NodeID, subject string) func(func(connectors.Event, error) bool) {
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	tb.Cleanup(cancel)
	return func(yield func(connectors.Event, error) bool) {
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				case <-time.After(10 * time.Millisecond):
					_ = nc.PublishMsg(&client.Msg{Subject: subject, Data: fmt.Appendf(nil, "live %d", i), Header: client.Header{"h": {"v"}}})
				}
			}
		}()
		defer func() { close(done); <-ended }()
		s.(connectors.Streamer).Watch(ctx, id)(yield)
	}
}

func TestNATSServerMessagesLive(t *testing.T) {
	d, nc, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d, "subjects", "orders.>\norders.x.*"))
	for id, c := range map[connectors.NodeID]struct{ subject, path string }{
		"live": {"orders.x.y", "Live subjects|orders.x.y"}, "live/orders.>": {"orders.z", "orders.>|orders.z"}, "streams/ORDERS": {"orders.1", "ORDERS|orders.1"},
		"streams/ORDERS/subjects/orders.1": {"orders.1", "orders.1"}, "kv/config": {"$KV.config.a", "config|$KV.config.a"}, "kv/config/a": {"$KV.config.a", "a|$KV.config.a"},
	} {
		seen := map[string]bool{}
		for e, err := range heard(t, nc, s, id, c.subject) {
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if !strings.HasPrefix(string(e.Body), "live ") || strings.Join(e.Path, "|") != c.path || conntest.Fact(e.Facts, "Header h") != "v" || conntest.Fact(e.Facts, "Subject") != c.subject || seen[string(e.Body)] {
				t.Errorf("%s: %+v", id, e)
			}
			if seen[string(e.Body)] = true; len(seen) == 3 {
				break
			}
		}
	}
	end := func(ctx context.Context, s connectors.Session, id connectors.NodeID) error {
		var last error
		for _, err := range s.(connectors.Streamer).Watch(ctx, id) {
			last = err
		}
		return last
	}
	if err := end(t.Context(), s, "streams/COPY"); connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("a mirror: %v", err)
	}
	if err := end(t.Context(), s, "streams/WORK"); connectors.CodeOf(err) != connectors.Denied || connectors.Classify(err).Target != "work.*" {
		t.Errorf("what may not be heard: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if err := end(ctx, s, "live"); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("cancelled: %v", err)
	}
	if n := conntest.Below(t, conntest.Open(t, Type(), answered(d, "subjects", "orders.new\nsecret.>")), "live"); n["orders.new"].Access != connectors.AccessReadable || n["secret.>"].Access != connectors.AccessDenied {
		t.Errorf("%+v", n)
	}
}

func TestNATSServerASlowReaderIsToldWhatItMissed(t *testing.T) {
	d, nc, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d, "subjects", "orders.burst"))
	const many = 3 * backlog
	seen, dropped := 0, uint64(0)
	for e, err := range heard(t, nc, s, "live", "orders.burst") {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 1 {
			for range many {
				_ = nc.Publish("orders.burst", []byte("x"))
			}
			_ = nc.Publish("orders.burst", []byte("last"))
			_ = nc.Flush()
			awaitDropped(t, d)
		}
		dropped += e.Dropped
		if string(e.Body) == "last" {
			break
		}
	}
	if dropped == 0 || seen > many {
		t.Errorf("%d seen, %d dropped", seen, dropped)
	}
}

// awaitDropped waits until the server has sent everything out.
func awaitDropped(t *testing.T, d *natsd.Server) {
	t.Helper()
	for range 200 {
		v, err := d.Varz(nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		if w, err := d.Varz(nil); err == nil && w.OutMsgs-v.OutMsgs < 10 {
			return
		}
	}
}

// SECURITY 66: what is looked at is not changed, a work queue above all.
func TestSecurity66_LookingLeavesNoTrace(t *testing.T) {
	d, nc, js := filled(t)
	state := func() string {
		var out []string
		for _, name := range []string{"ORDERS", "WORK", "COPY", "KV_config", "OBJ_files"} {
			i := must(must(js.Stream(t.Context(), name))(t).Info(t.Context()))(t)
			text, _ := json.Marshal([]any{i.State, i.Config})
			out = append(out, string(text))
			for c := range must(js.Stream(t.Context(), name))(t).ListConsumers(t.Context()).Info() {
				out = append(out, fmt.Sprint(c.Name, c.Delivered, c.AckFloor, c.NumAckPending))
			}
		}
		return strings.Join(out, "\n")
	}
	before := state()
	published := must(nc.SubscribeSync("orders.>"))(t)
	s := conntest.Open(t, Type(), answered(d, "user", "admin", "password", adminPass))
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []connectors.NodeID{"", "streams", "streams/WORK/subjects", "streams/WORK/consumers", "kv", "kv/config", "objects", "objects/files", "live"} {
		conntest.Below(t, s, id)
	}
	for _, id := range []connectors.NodeID{"streams/WORK", "streams/ORDERS", "streams/COPY", "kv/config"} {
		must(s.(connectors.Tabler).Table(t.Context(), id, 100))(t)
	}
	for _, id := range []connectors.NodeID{"streams/WORK/subjects/work.a", "kv/config/colour", "objects/files/reports%2Fmay 2026.csv"} {
		must(s.(connectors.Sampler).Sample(t.Context(), id, 100))(t)
	}
	for range heard(t, nc, s, "live", "other.subject") {
		break
	}
	_ = s.Close()
	if after := state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if n, _, _ := published.Pending(); n != 0 {
		t.Errorf("%d messages were published", n)
	}
}

func TestNATSServerWhatMayNotBeListed(t *testing.T) {
	d, _, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d, "user", "narrow", "inbox_prefix", "mine.inbox", "streams", "ORDERS\nWORK"))
	facts, err := s.Check(t.Context())
	if e := connectors.Classify(err); e == nil || !e.Partial || e.Code != connectors.Denied || e.Field != "streams" || e.Target != "WORK" || len(facts) == 0 {
		t.Errorf("%+v", e)
	}
	n := conntest.Below(t, s, "streams")
	if len(n) != 2 || n["ORDERS"].Access != connectors.AccessListed || n["WORK"].Access != connectors.AccessDenied {
		t.Errorf("%+v", n)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "streams/ORDERS", 5); connectors.CodeOf(err) != connectors.Denied || connectors.Classify(err).Reason != "nats.denied" {
		t.Errorf("rows: %v", err)
	}
	other := conntest.Open(t, Type(), answered(d, "user", "core"))
	if facts, err = other.Check(t.Context()); err != nil || !strings.Contains(conntest.Fact(facts, "JetStream"), "not switched on for this") {
		t.Errorf("%+v %v", facts, err)
	}
	if n := conntest.Below(t, other, ""); n["Streams"].Access != connectors.AccessDenied || n["Streams"].Branch {
		t.Errorf("%+v", n)
	}
}

// SECURITY 65: nothing waits without an end, and a lost server is not knocked at.
func TestSecurity65_AServerThatGoesAway(t *testing.T) {
	d, nc, _ := filled(t)
	s := conntest.Open(t, Type(), answered(d, "subjects", "orders.>"))
	var last error
	for _, err := range heard(t, nc, s, "live", "orders.1") {
		if err == nil {
			go d.Shutdown()
		}
		last = err
	}
	if connectors.CodeOf(last) != connectors.Unreachable {
		t.Errorf("watch: %v", last)
	}
	if _, err := s.Check(t.Context()); connectors.CodeOf(err) != connectors.Unreachable {
		t.Errorf("check: %v", err)
	}
	for _, err := range s.(connectors.Browser).Children(t.Context(), "streams") {
		if connectors.CodeOf(err) != connectors.Unreachable {
			t.Errorf("children: %v", err)
		}
	}
}
