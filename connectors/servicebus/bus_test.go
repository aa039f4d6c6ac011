package servicebus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestServiceBus_StandIn(t *testing.T) {
	ca := server.NewCA(t)
	b := newBus(t, ca, server.RheaServiceBus{})
	wrong := func(conf server.RheaServiceBus) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			other := newBus(tb, ca, conf)
			return other.settings()
		}
	}
	feed := func(a *atomFeed, more ...string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			return b.settings(append([]string{"management", a.start(tb, ca)}, more...)...)
		}
	}
	answer := func(status int, said string) *atomFeed {
		return &atomFeed{answer: func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, said) }}
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = "queue-" + strconv.Itoa(i)
	}
	sas := func(entity, until string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			d, _ := time.ParseDuration(until)
			return b.settings("auth", "sas", "sas", tokenFor("sb://127.0.0.1/invoices", "reader", readerKey, time.Now().Add(d)), "entity", entity)
		}
	}
	reader := []string{"key_name", "reader", "access_key", readerKey}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: b.with(),
		Aim: func(s connectors.Settings, host, port string) connectors.Settings {
			s.Plain["namespace"], s.Plain["port"] = host, port
			return s
		},
		Big:     &conntest.Big{Settings: feed(&atomFeed{tier: "Premium", queues: many}), Parent: inQueues, Count: len(many)},
		Hostile: &conntest.Place{Settings: b.with(), Node: inQueues},
		Faults: []conntest.Fault{
			{Name: "wrong key", Settings: b.with("access_key", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "unknown policy", Settings: b.with("key_name", "nobody"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "expired token", Settings: sas("invoices", "-1s"), Code: connectors.Expired, Stage: connectors.StageForm, Field: "sas"},
			{Name: "token for something else", Settings: sas("orders", "1h"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "sas"},
			{Name: "entity missing", Settings: b.with("entity", "nope"), Code: connectors.NotFound, Field: "entity"},
			{Name: "may not list", Settings: b.with(reader...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "entity"},
			{Name: "may not list, names one", Settings: b.with(append(reader, "entity", "orders")...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "entity"},
			{Name: "may only send", Settings: b.with("key_name", "sender", "access_key", senderKey, "entity", "orders"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "access_key"},
			{Name: "disabled", Settings: b.with(append(reader, "entity", "off")...), Code: connectors.Denied, Stage: connectors.StageData},
			{Name: "firewall", Settings: wrong(server.RheaServiceBus{Refuse: server.RheaAnswer{Status: 401, Said: "Ip has been prevented to connect to the endpoint. For more information see: x"}}), Code: connectors.Denied, Field: "-"},
			{Name: "local authentication off", Settings: wrong(server.RheaServiceBus{Refuse: server.RheaAnswer{Status: 401, Said: "LocalAuthDisabled: Authorization failed because SAS authentication has been disabled for the namespace."}}), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "clock behind", Settings: wrong(server.RheaServiceBus{Ahead: 3600}), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "-"},
			{Name: "busy", Settings: wrong(server.RheaServiceBus{Refuse: server.RheaAnswer{Status: 503, Said: "ServerBusy"}}), Code: connectors.Unreachable, Field: "-"},
			{Name: "list throttled", Settings: feed(answer(429, "SubCode=50009. The request has been throttled.")), Code: connectors.Throttled},
			{Name: "list firewall", Settings: feed(answer(401, "Ip has been prevented to connect to the endpoint.")), Code: connectors.Denied, Stage: connectors.StageConnect},
			{Name: "list down", Settings: feed(answer(503, "")), Code: connectors.Unreachable},
			{Name: "Event Hubs", Settings: feed(&atomFeed{tier: "Standard", kind: "EventHub"}), Code: connectors.Unsupported, Field: "namespace"},
			{Name: "no management interface", Settings: feed(&atomFeed{answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }}), Code: connectors.Refused, Field: "management"},
			{Name: "management in the clear", Settings: b.with("management", "http://127.0.0.1:1"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "management"},
			{Name: "unknown authority", Settings: b.with("ca", server.NewCA(t).PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "no TLS", Settings: func(tb testing.TB) connectors.Settings {
				_, port := conntest.Speaks(tb, "AMQP\x00\x01\x00\x00")
				return b.settings("port", port)
			}, Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "a website", Settings: b.with("port", b.url[strings.LastIndexByte(b.url, ':')+1:]), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "TLS for the emulator", Settings: b.with("transport", "emulator"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "transport"},
			{Name: "no WebSocket", Settings: func(tb testing.TB) connectors.Settings {
				return b.settings("transport", "websocket", "port", socket(tb, ca, 0))
			}, Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "unknown namespace", Settings: b.with("namespace", "no-such-namespace.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "namespace"},
			{Name: "token as key", Settings: b.with("access_key", "SharedAccessSignature sr=x&sig=y&se=1&skn=z"), Code: connectors.BadInput, Field: "access_key"},
		},
	})
	t.Run("lists", func(t *testing.T) { lists(t, b) })
	t.Run("named", func(t *testing.T) { named(t, b) })
	t.Run("websocket", func(t *testing.T) {
		plain := newBus(t, nil, server.RheaServiceBus{})
		s := openOne(t, b.settings("transport", "websocket", "port", socket(t, ca, plain.port)))
		facts, err := s.Check(t.Context())
		if err != nil || conntest.Fact(facts, "Protocol") != "AMQP 1.0 over WebSocket" || !strings.HasPrefix(conntest.Fact(facts, "Encryption"), "TLS") {
			t.Errorf("%v %v", facts, err)
		}
		if table, err := s.Table(t.Context(), "queues/orders", 10); err != nil || len(table.Rows) != 3 {
			t.Errorf("%+v %v", table, err)
		}
	})
}

func lists(t *testing.T, b *bus) {
	s := openOne(t, b.settings())
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "owner" || conntest.Fact(facts, "Tier") != "Standard" || conntest.Fact(facts, "Server") != "127.0.0.1" || facts[0].Label != "Account" {
		t.Errorf("%v %v", facts, err)
	}
	if root := list(t, s, ""); len(root) != 2 || root["Queues"].ID != inQueues || root["Topics"].ID != inTopics {
		t.Errorf("%+v", root)
	}
	queues := list(t, s, inQueues)
	orders := queues["orders"]
	want := []connectors.Fact{{Label: "Messages", Text: "3"}, {Label: "Dead letters", Text: "1"}, {Label: "Scheduled", Text: "2"}, {Label: "Dead letters of forwarding", Text: "4"},
		{Label: "State", Text: "Active"}, {Label: "Size (bytes)", Text: "2048"}, {Label: "Largest size (MB)", Text: "1024"}, {Label: "Sessions", Text: "yes"},
		{Label: "Deliveries before dead-lettering", Text: "10"}, {Label: "Locked for", Text: "PT1M"}, {Label: "Forwards to", Text: "sb://practice/news"}, {Label: "Created", Text: "2024-03-01 08:30:00 UTC"}}
	if len(queues) != 4 || orders.ID != "queues/orders" || orders.Kind != "queue" || !orders.Branch || !slices.Equal(orders.Facts, want) || !slices.Equal(orders.Views, []connectors.View{connectors.ViewRows}) {
		t.Errorf("%+v", queues)
	}
	if queues["site1/long"].ID != "queues/site1%2Flong" {
		t.Errorf("%+v", queues["site1/long"])
	}
	topic := list(t, s, inTopics)["news"]
	if topic.ID != "topics/news" || len(topic.Views) != 0 || conntest.Fact(topic.Facts, "Subscriptions") != "2" || conntest.Fact(topic.Facts, "Messages") != "" {
		t.Errorf("%+v", topic)
	}
	audit := list(t, s, topic.ID)["audit"]
	if audit.ID != "topics/news/audit" || conntest.Fact(audit.Facts, "State") != "ReceiveDisabled" || conntest.Fact(audit.Facts, "Messages live for") != "P14D" {
		t.Errorf("%+v", audit)
	}
	if inside := list(t, s, orders.ID); len(inside) != 3 || inside["Dead letters"].ID != "queues/orders/dead-letter" || inside["Messages"].ID != "queues/orders/messages" {
		t.Errorf("%+v", inside)
	}
	_, err = s.Table(t.Context(), topic.ID, 10)
	conntest.WantError(t, err, connectors.Unsupported, "servicebus.topic", "")
	for _, id := range []connectors.NodeID{"x", "queues/orders/nope", "queues//", "queues/orders/messages/x", "queues/orders/messages/1/2", "named"} {
		for _, err := range s.Children(t.Context(), id) {
			conntest.WantError(t, err, connectors.NotFound, "servicebus.not_found", "")
		}
		if _, err := s.Sample(t.Context(), id, 10); connectors.CodeOf(err) != connectors.NotFound {
			t.Errorf("%s: %v", id, err)
		}
	}
	basic := &atomFeed{tier: "Basic"}
	if n := list(t, openOne(t, b.settings("management", basic.start(t, b.ca))), "")["Topics"]; n.Branch || n.Access != connectors.AccessDenied {
		t.Errorf("%+v", n)
	}
}

// named are accounts that may not list the namespace.
func named(t *testing.T, b *bus) {
	check := func(s *session, reason string) []connectors.Fact {
		t.Helper()
		facts, err := s.Check(t.Context())
		if e := connectors.Classify(err); e == nil || !e.Partial || e.Reason != reason {
			t.Errorf("%v %+v", facts, e)
		}
		return facts
	}
	for name, one := range map[string]struct {
		more []string
		id   connectors.NodeID
		kind string
	}{
		"listens":       {[]string{"key_name", "reader", "access_key", readerKey, "entity", "news/Subscriptions/audit"}, "named/news%2FSubscriptions%2Faudit", "queue or subscription"},
		"manages one":   {[]string{"key_name", "order boss", "access_key", orderKey, "entity", "orders"}, "queues/orders", "queue"},
		"token for one": {[]string{"auth", "sas", "sas", tokenFor("https://127.0.0.1/orders", "reader", readerKey, time.Now().Add(time.Hour))}, "named/orders", "queue or subscription"},
	} {
		s := openOne(t, b.settings(one.more...))
		facts := check(s, "servicebus.only_named")
		if expires := conntest.Fact(facts, "Expires"); (expires != "") != (name == "token for one") {
			t.Errorf("%s: expires %q", name, expires)
		} else if at, err := time.Parse(time.RFC3339, expires); expires != "" && (err != nil || time.Until(at) < 50*time.Minute) {
			t.Errorf("%s: expires %q", name, expires)
		}
		root := list(t, s, "")
		if len(root) != 1 {
			t.Fatalf("%s: %+v", name, root)
		}
		for _, n := range root {
			if n.ID != one.id || n.Kind != one.kind || n.Access != connectors.AccessReadable {
				t.Errorf("%s: %+v", name, n)
			}
			if table, err := s.Table(t.Context(), n.ID, 10); err != nil || len(table.Rows) == 0 {
				t.Errorf("%s: %v", name, err)
			}
			if inside := list(t, s, n.ID); len(inside) != 3 {
				t.Errorf("%s: %+v", name, inside)
			}
		}
	}
	nothing := openOne(t, b.settings("key_name", "reader", "access_key", readerKey))
	check(nothing, "servicebus.needs_manage")
	sender := openOne(t, b.settings("key_name", "sender", "access_key", senderKey, "entity", "orders"))
	_, err := sender.Table(t.Context(), "named/orders", 10)
	conntest.WantError(t, err, connectors.Denied, "servicebus.needs_listen", "access_key")
}

// events are what the stand-in saw happen.
type events struct {
	Taken, Released, Accepted, Sent, Tokens, Peeked int
	Left                                            map[string]int
}

func stateOf(t *testing.T, port int) events {
	t.Helper()
	conn, err := amqp.Dial(t.Context(), "amqp://127.0.0.1:"+strconv.Itoa(port), &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	s, err := conn.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.NewReceiver(t.Context(), "$state", &amqp.ReceiverOptions{Credit: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Receive(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out events
	text, _ := m.Value.(string)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return out
}

func TestMessages_StandIn(t *testing.T) {
	b := newBus(t, nil, server.RheaServiceBus{})
	s := openOne(t, b.settings())
	t.Run("TestSecurity66_PeekingLeavesMessagesWhereTheyAre", func(t *testing.T) {
		for range 2 {
			table, err := s.Table(t.Context(), "queues/orders", 10)
			if err != nil || len(table.Rows) != 3 || table.Truncated {
				t.Fatalf("%+v %v", table, err)
			}
			first := table.Rows[0]
			want := []any{int64(1), "2023-11-14T22:13:21Z", "m-1", "new", `{"total":12}`, int64(12), "application/json", "s-1", int64(0), "scheduled", "", "tenant=acme\u202e"}
			if !slices.Equal(first, want) {
				t.Errorf("%+v", first)
			}
			if table.Rows[1][4] != "second" || table.Rows[2][0] != int64(3) {
				t.Errorf("%+v", table.Rows)
			}
		}
		got := stateOf(t, b.port)
		if got.Taken+got.Released+got.Sent != 0 || got.Left["orders"] != 3 || got.Peeked != 6 {
			t.Errorf("%+v", got)
		}
		for _, asked := range b.atom.asked {
			if !strings.HasPrefix(asked, "GET ") {
				t.Errorf("asked %s", asked)
			}
		}
	})
	before := stateOf(t, b.port).Tokens
	table, err := s.Table(t.Context(), "queues/orders", 2)
	if err != nil || len(table.Rows) != 2 || !table.Truncated || stateOf(t, b.port).Tokens != before {
		t.Errorf("%+v %v", table, err)
	}
	table, err = s.Table(t.Context(), "queues/orders/dead-letter", 10)
	if err != nil || len(table.Rows) != 1 || table.Rows[0][8] != int64(10) || table.Rows[0][10] != "MaxDeliveryCountExceeded" || table.Rows[0][11] != "" {
		t.Errorf("%+v %v", table, err)
	}
	table, err = s.Table(t.Context(), "queues/site1%2Flong", 10_000)
	if err != nil || len(table.Rows) != 250 || table.Rows[249][4] != "line 250" || table.Truncated {
		t.Errorf("%v", err)
	}
	if table, err = s.Table(t.Context(), "queues/empty", 10); err != nil || len(table.Rows) != 0 {
		t.Errorf("%+v %v", table, err)
	}
	if got := list(t, s, "queues/site1%2Flong/messages"); len(got) != maxNodes || got["200"].ID != "queues/site1%2Flong/messages/200" {
		t.Errorf("%d messages", len(got))
	}
	n := list(t, s, "queues/orders/messages")["1 new"]
	for label, want := range map[string]string{"Message ID": "m-1", "Enqueued": "2023-11-14T22:13:21Z", "State": "scheduled", "Content type": "application/json", "Session": "s-1",
		"Correlation ID": "c-1", "Reply to": "answers", "Deliveries": "0", "Size (bytes)": "12", "Property tenant": "acme\ufffd"} {
		if conntest.Fact(n.Facts, label) != want {
			t.Errorf("%s is %q, want %q", label, conntest.Fact(n.Facts, label), want)
		}
	}
	for id, want := range map[connectors.NodeID]connectors.Sample{
		n.ID:                                   {MediaType: "application/json", Data: []byte(`{"tot`), Size: 12, Truncated: true},
		"queues/orders":                        {MediaType: "application/json", Data: []byte(`{"tot`), Size: 12, Truncated: true},
		"queues/orders/messages/2":             {MediaType: "text/plain; charset=utf-8", Data: []byte("secon"), Size: 6, Truncated: true},
		"queues/empty":                         {MediaType: "text/plain; charset=utf-8"},
		"topics/news/audit/messages/1":         {MediaType: "text/plain; charset=utf-8", Data: []byte("\u00ff\x00")[:3], Size: 4},
		"queues/orders/dead-letter":            {MediaType: "text/plain; charset=utf-8", Data: []byte("bad"), Size: 3},
		"queues/orders/dead-letter/messages/1": {MediaType: "text/plain; charset=utf-8", Data: []byte("bad"), Size: 3},
	} {
		got, err := s.Sample(t.Context(), id, 5)
		if strings.HasPrefix(string(id), "topics/") { // JSON carries no bytes that are no text
			if err != nil || got.Size == 0 {
				t.Errorf("%s: %+v %v", id, got, err)
			}
			continue
		}
		if err != nil || got.MediaType != want.MediaType || string(got.Data) != string(want.Data) || got.Size != want.Size || got.Truncated != want.Truncated {
			t.Errorf("%s: %+v %q %v", id, got, got.Data, err)
		}
	}
	_, err = s.Sample(t.Context(), "queues/orders/messages/99", 5)
	conntest.WantError(t, err, connectors.NotFound, "servicebus.message_gone", "")
	_, err = s.Table(t.Context(), "queues/off", 5)
	conntest.WantError(t, err, connectors.Denied, "servicebus.disabled", "")
	_, err = s.Table(t.Context(), "queues/gone", 5)
	conntest.WantError(t, err, connectors.NotFound, "servicebus.not_found", "")
	_, err = s.Table(t.Context(), "queues/huge", 5)
	conntest.WantError(t, err, connectors.Unsupported, "servicebus.large", "")
}

func TestSecurity67_ARedirectCarriesNoToken(t *testing.T) {
	b := newBus(t, nil, server.RheaServiceBus{})
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen = append(stolen, r.Header.Get("Authorization")) }))
	defer thief.Close()
	away := &atomFeed{answer: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	}}
	s := openOne(t, b.settings("management", away.start(t, nil)))
	_, err := s.Check(t.Context())
	conntest.WantError(t, err, connectors.Refused, "http.redirect", "management")
	if len(stolen) > 0 {
		t.Error("the redirect was followed")
	}
}

func TestSecurity68_AnEndlessAnswerIsBounded(t *testing.T) {
	b := newBus(t, nil, server.RheaServiceBus{})
	endless := &atomFeed{answer: func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, `<feed xmlns="http://www.w3.org/2005/Atom">`)
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, strings.Repeat("<entry>", 1000)); err != nil {
				return
			}
		}
	}}
	s := openOne(t, b.settings("management", endless.start(t, nil)))
	_, err := s.Check(t.Context())
	conntest.WantError(t, err, connectors.Refused, "servicebus.not_management", "management")
}
