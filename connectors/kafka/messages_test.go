package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestKfakeTheNewestMessagesAsRows(t *testing.T) {
	k := start(t, nil, false, true)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for i := range 30 {
		k.send(t, &kgo.Record{Topic: "orders", Partition: int32(i % 3), Timestamp: now.Add(time.Duration(i) * time.Second), Key: []byte("k"), Value: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	k.send(t, &kgo.Record{Topic: "orders", Timestamp: now.Add(time.Hour), Value: append([]byte{0, 0, 0, 0, 17}, 0xff, 0xfe), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("abc")}}})
	k.send(t, &kgo.Record{Topic: "orders", Timestamp: now.Add(2 * time.Hour), Key: []byte("gone")})
	s := conntest.Open(t, Type(), k.settings()).(connectors.Tabler)
	table, err := s.Table(t.Context(), "topics/orders", 6)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range table.Rows {
		got = append(got, fmt.Sprint(r[4]))
	}
	if want := `{"n":25} {"n":26} {"n":28} {"n":29} hex fffe <nil>`; strings.Join(got, " ") != want || !table.Truncated || table.Note == "" {
		t.Errorf("%q, want %q; %+v", got, want, table)
	}
	if r := table.Rows[4]; r[5] != "trace=abc" || r[6] != "value: schema 17" || r[2] != "2026-05-04 13:00:00.000" || r[3] != nil {
		t.Errorf("%+v", r)
	}
	one, err := s.Table(t.Context(), "topics/orders/1", 500)
	if err != nil || len(one.Rows) != 10 || one.Truncated || one.Rows[9][1] != int64(9) {
		t.Errorf("%+v %v", one, err)
	}
	if _, err := s.Table(t.Context(), "topics/orders/77", 5); connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("a partition that is not there: %v", err)
	}
}

// SECURITY 66: what is looked at is not changed.
func TestSecurity66_KfakeLookingLeavesNoTrace(t *testing.T) {
	k := start(t, nil, false, true)
	k.send(t, &kgo.Record{Topic: "orders", Value: []byte("x")})
	k.commit(t, "billing", "orders", 1)
	allowed := map[int16]bool{}
	for _, key := range []kmsg.Key{kmsg.ApiVersions, kmsg.Metadata, kmsg.SASLHandshake, kmsg.SASLAuthenticate, kmsg.ListOffsets, kmsg.Fetch, kmsg.ListGroups, kmsg.DescribeGroups, kmsg.ConsumerGroupDescribe, kmsg.FindCoordinator, kmsg.OffsetFetch, kmsg.DescribeConfigs, kmsg.OffsetForLeaderEpoch} {
		allowed[int16(key)] = true
	}
	strange := make(chan string, 100)
	var sending atomic.Bool // by the test itself
	k.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		if m, ok := r.(*kmsg.MetadataRequest); ok && m.AllowAutoTopicCreation {
			strange <- "Metadata that creates topics"
		}
		if own := sending.Load() && r.Key() == int16(kmsg.Produce); !own && !allowed[r.Key()] {
			strange <- kmsg.NameForKey(r.Key())
		}
		return nil, nil, false
	})
	s := conntest.Open(t, Type(), k.settings())
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []connectors.NodeID{"", "topics", "topics/orders", "groups", "groups/billing", "brokers", "internal"} {
		conntest.Below(t, s, id)
	}
	for _, id := range []connectors.NodeID{"topics/orders", "topics/orders/settings", "groups/billing"} {
		if _, err := s.(connectors.Tabler).Table(t.Context(), id, 10); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, _ = s.(connectors.Tabler).Table(t.Context(), "topics/made-by-looking", 10)
	sending.Store(true)
	for e, err := range heard(t, k, s, "topics/orders") {
		if err != nil || len(e.Path) != 2 {
			t.Errorf("%+v %v", e, err)
		}
		break
	}
	_ = s.Close()
	close(strange)
	for name := range strange {
		t.Errorf("a request %s was sent", name)
	}
	k.DropControl()
	m, err := kadm.NewClient(k.admin).ListTopics(t.Context())
	if err != nil || m.Has("made-by-looking") {
		t.Errorf("%v %v", m.Names(), err)
	}
}

// heard watches, and sends a message to orders until one was heard.
func heard(t *testing.T, k *cluster, s connectors.Session, id connectors.NodeID) func(func(connectors.Event, error) bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return func(yield func(connectors.Event, error) bool) {
		ended := make(chan struct{})
		sending, stop := context.WithCancel(ctx)
		go func() {
			defer close(ended)
			for i := 0; ; i++ {
				select {
				case <-sending.Done():
					return
				case <-time.After(50 * time.Millisecond):
					k.admin.Produce(sending, &kgo.Record{Topic: "orders", Partition: 1, Key: []byte("k"), Value: fmt.Appendf(nil, "live %d", i), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}}, nil)
				}
			}
		}()
		defer func() { stop(); <-ended }()
		s.(connectors.Streamer).Watch(ctx, id)(yield)
	}
}

func TestKfakeMessagesLive(t *testing.T) {
	k := start(t, nil, false, true)
	k.send(t, &kgo.Record{Topic: "orders", Partition: 1, Value: []byte("old")})
	s := conntest.Open(t, Type(), k.settings())
	for id, path := range map[connectors.NodeID]string{"topics/orders": "orders orders-1", "topics/orders/1": "orders-1"} {
		n := 0
		for e, err := range heard(t, k, s, id) {
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(e.Body), "live ") || strings.Join(e.Path, " ") != path || conntest.Fact(e.Facts, "Key") != "k" || conntest.Fact(e.Facts, "Header h") != "v" || conntest.Fact(e.Facts, "Partition") != "1" || conntest.Fact(e.Facts, "Offset") == "" {
				t.Errorf("%s: %+v", id, e)
			}
			if n++; n == 3 {
				break
			}
		}
	}
	for _, err := range s.(connectors.Streamer).Watch(t.Context(), "topics/secrets") {
		if connectors.CodeOf(err) != connectors.Denied {
			t.Errorf("secrets: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	var last error
	for _, err := range s.(connectors.Streamer).Watch(ctx, "topics/orders") {
		last = err
	}
	if connectors.CodeOf(last) != connectors.Cancelled {
		t.Errorf("cancelled: %v", last)
	}
}

func TestKfakeASlowReaderIsToldWhatItMissed(t *testing.T) {
	k := start(t, nil, false, true)
	s := conntest.Open(t, Type(), k.settings())
	var sum uint64
	seen := 0
	last := int64(-1)
	for e, err := range heard(t, k, s, "topics/orders/1") {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 1 {
			var many []*kgo.Record
			for range 4 * behind {
				many = append(many, &kgo.Record{Topic: "orders", Partition: 1, Value: make([]byte, 300)})
			}
			k.send(t, many...)
		}
		sum += e.Dropped
		var at int64
		_, _ = fmt.Sscan(conntest.Fact(e.Facts, "Offset"), &at)
		if last >= 0 && at != last+1+int64(e.Dropped) {
			t.Fatalf("from offset %d to %d, and %d are said to be missing", last, at, e.Dropped)
		}
		if last = at; at > 4*behind {
			break
		}
	}
	if sum == 0 {
		t.Error("nothing was dropped")
	}
}

func TestKfakeABrokerThatGoesAway(t *testing.T) {
	k := start(t, nil, false, true)
	s := conntest.Open(t, Type(), k.settings())
	n := 0
	var last error
	for _, err := range heard(t, k, s, "topics/orders") {
		if n++; n == 1 {
			go k.Close()
		}
		last = err
	}
	if c := connectors.CodeOf(last); c != connectors.Unreachable && c != connectors.Refused {
		t.Errorf("%v", last)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.Check(ctx); connectors.CodeOf(err) != connectors.Unreachable {
		t.Errorf("check: %v", err)
	}
}

func TestKfakeABrokerWhoseAddressCannotBeReached(t *testing.T) {
	k := start(t, nil, false, false)
	if err := k.MoveTopicPartition("orders", 0, 1); err != nil {
		t.Fatal(err)
	}
	w := conntest.NewWorld(t)
	through := w.Env.Dial
	seed := k.ListenAddrs()[0]
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != seed {
			return nil, &connectors.Error{Code: connectors.Unreachable, Reason: "dns.not_found", Op: connectors.StageResolve, Target: addr, Field: "host"}
		}
		return through(ctx, network, addr)
	}
	s, err := Type().Open(t.Context(), w.Env, k.settings("security", secureNone))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	_, err = s.(connectors.Tabler).Table(t.Context(), "topics/orders", 10)
	p := connectors.Explain(err)
	if e := connectors.Classify(err); e.Reason != "kafka.advertised" || e.Target != k.ListenAddrs()[1] || p.Field != "servers" || !strings.Contains(p.Hint, "advertised.listeners") {
		t.Errorf("%v %+v", err, p)
	}
}

// SECURITY 66 and 65: a password is offered once, and not again to the next broker.
func TestSecurity65_KfakeAWrongPasswordIsSentOnce(t *testing.T) {
	k := start(t, nil, false, true)
	var tries atomic.Int32
	k.ControlKey(keySaslAuthenticate, func(kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		tries.Add(1)
		return nil, nil, false
	})
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, k.settings("password", "wrong-practice", "servers", strings.Join(k.ListenAddrs(), ",")))
	if connectors.CodeOf(err) != connectors.AuthFailed || tries.Load() != 1 {
		t.Errorf("%d tries: %v", tries.Load(), err)
	}
}

// The answers of Apache Kafka that kfake does not give by itself, put into its mouth.
func TestKfakeDocsShapedAnswersOfApacheKafka(t *testing.T) {
	refuses := func(code *kerr.Error, said string) func(kmsg.Request) (kmsg.Response, error, bool) {
		return func(r kmsg.Request) (kmsg.Response, error, bool) {
			switch resp := r.ResponseKind().(type) {
			case *kmsg.SASLAuthenticateResponse:
				resp.ErrorCode, resp.ErrorMessage = code.Code, kmsg.StringPtr(said)
				return resp, nil, true
			case *kmsg.SASLHandshakeResponse:
				resp.ErrorCode = code.Code
				return resp, nil, true
			}
			return nil, errors.New("another request"), true
		}
	}
	for _, c := range []struct {
		name   string
		key    int16
		code   *kerr.Error
		said   string
		want   connectors.Code
		reason string
		field  string
	}{
		{"wrong password", keySaslAuthenticate, kerr.SaslAuthenticationFailed, "Authentication failed: Invalid username or password", connectors.AuthFailed, "kafka.auth", "password"},
		{"no SASL at this port", keySaslHandshake, kerr.IllegalSaslState, "", connectors.Refused, "kafka.no_sasl", "security"},
	} {
		k := start(t, nil, false, true)
		k.ControlKey(c.key, refuses(c.code, c.said))
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, k.settings())
		e := connectors.Classify(err)
		if e == nil || e.Code != c.want || e.Reason != c.reason || e.Field != c.field || c.said != "" && e.Said != c.said {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}
