package rabbitmq

import (
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// A password that would be another host in a URL stays a password (the real
// broker's tests sign in with one of this kind).
func TestSecurity60_SettingsAreNeverAURL(t *testing.T) {
	for _, p := range []string{"p@ss/w0rd", `'"@/#?%\:`, "a b", "%2F"} {
		auth, ok := sasl(config{User: "u", Password: connectors.NewSecret(p), Auth: byPassword}).(*amqp.PlainAuth)
		if !ok || auth.Password != p || auth.Response() != "\x00u\x00"+p {
			t.Errorf("%q became %q", p, auth.Response())
		}
	}
}

func TestAnswers(t *testing.T) {
	for in, want := range map[string]string{"%2F": "/", " prod ": "prod", "a%2fb": "a%2fb", "": ""} {
		if got := tidyVhost(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{"https://r.example.com:15671/#/queues": "https://r.example.com:15671", "http://r.example.com/rabbit/api/": "http://r.example.com/rabbit"} {
		if got := tidyManagement(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if validManagement("https://u:p@r.example.com") == nil || validManagement("https://r.example.com/x?y=1") == nil || validManagement("https://r.example.com") != nil {
		t.Error("management addresses")
	}
	got := parseKnown("orders\n\n queue: a: b \nexchange: e\nTopic Exchange: t\nodd: name\nurn:x:y")
	want := []known{{name: "orders"}, {name: "a: b"}, {exchange: true, name: "e"}, {exchange: true, kind: "topic", name: "t"}, {name: "odd: name"}, {name: "urn:x:y"}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if validKnown(strings.Repeat("x", 256)) == nil || validKnown(strings.Repeat("x\n", 201)) == nil {
		t.Error("bounds of names")
	}
}

func TestPlacesAreFoundAgain(t *testing.T) {
	for _, name := range []string{"a", "a/b", "%", "%2F", "", "a%b", "→x", "\u202e", "."} {
		p := place{kind: inQueues}
		if got := parsePlace(p.child(name)); got.name != name || !got.named || got.nobody || got.kind != inQueues || got.vhost != "" {
			t.Errorf("%q: %+v", name, got)
		}
		p = place{vhost: "v/" + name, kind: inExchanges}
		if got := parsePlace(p.child(name)); got.name != name || got.vhost != "v/"+name || got.in("/") != "v/"+name {
			t.Errorf("%q in another virtual host: %+v", name, got)
		}
	}
	if got := parsePlace("exchanges/x/a%2Fb"); got.key != "a/b" || !got.keyed {
		t.Errorf("%+v", got)
	}
	if escaped("..") != "%2E%2E" || escaped("a/b") != "a%2Fb" {
		t.Error("paths of the API")
	}
}

func TestRights(t *testing.T) {
	for _, one := range []struct {
		expression, name string
		yes, sure        bool
	}{
		{".*", "x", true, true}, {"", "x", false, true}, {"", "", true, true}, {"^orders", "my orders", false, true},
		{"orders", "my orders", true, true}, {"(?!x)", "x", false, false},
	} {
		if yes, sure := allows(one.expression, one.name); yes != one.yes || sure != one.sure {
			t.Errorf("%q on %q: %v %v", one.expression, one.name, yes, sure)
		}
	}
	if r := (rights{Read: "(?!x)", known: true}); r.access("x") != "" || r.words("x") != "" {
		t.Error("an expression that is not understood")
	}
}

// What brokers say when they close, from RabbitMQ 3.10's own texts.
func TestClosingWords(t *testing.T) {
	c := config{Host: "h", Vhost: "/v", User: "u", Auth: byPassword}
	for _, one := range []struct {
		code   int
		said   string
		want   connectors.Code
		reason string
	}{
		{403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.", connectors.AuthFailed, "rabbitmq.auth"},
		{530, "NOT_ALLOWED - connection refused for user 'u': user connection limit (2) is reached", connectors.Throttled, "rabbitmq.limit"},
		{541, "INTERNAL_ERROR - access to vhost '/v' refused for user 'u': vhost '/v' is down", connectors.Unreachable, "rabbitmq.vhost_down"},
		{320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", connectors.Unreachable, "rabbitmq.forced"},
		{501, "FRAME_ERROR", connectors.Refused, "rabbitmq.closed"},
	} {
		e := connectors.Classify(closedBy(c, &amqp.Error{Code: one.code, Reason: one.said, Server: true}))
		if e.Code != one.want || e.Reason != one.reason || e.Said != one.said || !connectors.English().Has(e.Reason) {
			t.Errorf("%d: %+v", one.code, e)
		}
	}
	far := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9)}
	near := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	for want, one := range map[string]struct {
		c    config
		from net.Addr
	}{
		"rabbitmq.loopback":    {config{User: "guest", Auth: byPassword}, far},
		"rabbitmq.auth":        {config{User: "guest", Auth: byPassword}, near},
		"rabbitmq.certificate": {config{Auth: byCertificate, Answers: tlsx.Answers{Cert: "x"}}, far},
	} {
		if e := connectors.Classify(notSignedIn(one.c, "h:1", one.from, errors.New("x"))); e.Reason != want {
			t.Errorf("%s: %+v", want, e)
		}
	}
}

func TestManager(t *testing.T) {
	p, m := connectors.NewSecret("p"), connectors.NewSecret("m")
	for want, c := range map[string]config{
		"u p": {User: "u", Password: p}, "u m": {User: "u", Password: p, ManagePassword: m}, "x m": {User: "u", Password: p, ManageUser: "x", ManagePassword: m},
	} {
		user, password := c.manager()
		if got := user + " " + password.Reveal(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A client certificate, a pin and a name go to the broker's host alone.
func TestSecurity52_TheClientCertificateStaysWithTheBroker(t *testing.T) {
	c := config{Host: "rabbit.example.com", Security: secureTLS, Management: manageURL, ManagementURL: "https://console.example.com"}
	c.CA, c.Cert, c.Key, c.Pin, c.ServerName = "ca", "cert", connectors.NewSecret("key"), "pin", "name"
	spec, base := c.managementSpec()
	if spec.Cert != "" || !spec.Key.Empty() || spec.Pin != "" || spec.ServerName != "" || spec.CA != "ca" || base != c.ManagementURL || !spec.NoRedirects {
		t.Errorf("%+v", spec)
	}
	c.ManagementURL = "https://rabbit.example.com:15671"
	if spec, _ = c.managementSpec(); spec.Cert != "cert" || spec.Pin != "pin" {
		t.Errorf("%+v", spec)
	}
	c.Management = manageAuto
	if spec, base = c.managementSpec(); base != "https://rabbit.example.com:15671" || spec.Proxy != "direct" {
		t.Errorf("%+v %s", spec, base)
	}
}

func TestMessagesAsText(t *testing.T) {
	deep := amqp.Table{}
	for range 50 {
		deep = amqp.Table{"d": deep}
	}
	for want, in := range map[string]amqp.Table{
		"a=1, b=x": {"b": "x", "a": int32(1)}, "l=[1, {k: }]": {"l": []any{int64(1), amqp.Table{"k": nil}}},
		"d={d: {d: {d: {d: {d: {d: {d: …}}}}}}}": deep, "t=1970-01-01T00:00:05Z": {"t": time.Unix(5, 0)}, "n=12e-1": {"n": amqp.Decimal{Scale: 1, Value: 12}}, "b=(2 bytes, no text)": {"b": []byte{0xff, 0}},
	} {
		if got := headerText(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	many := amqp.Table{}
	for i := range 500 {
		many[strings.Repeat("x", i%200)+time.Duration(i).String()] = strings.Repeat("y", 500)
	}
	if got := headerText(many); len(got) > maxCell+4 {
		t.Errorf("%d bytes", len(got))
	}
	long := strings.Repeat("é", maxCell)
	if got := bodyText([]byte(long)); len(got) > maxCell || !strings.HasPrefix(long, got) || len(got) < maxCell-1 {
		t.Errorf("%d bytes", len(got))
	}
	if got := properties(amqp.Delivery{MessageId: "m", Priority: 3, DeliveryMode: 2, Timestamp: time.Unix(0, 0)}); got != "message-id=m, priority=3, delivery-mode=persistent, timestamp=1970-01-01T00:00:00Z" {
		t.Errorf("%q", got)
	}
	args := table(json.RawMessage(`{"x-match":"any","n":3,"f":1.5,"l":[1]}`))
	if args["x-match"] != "any" || args["n"] != int64(3) || args["f"] != 1.5 || args["l"] != "[1]" || args.Validate() != nil {
		t.Errorf("%+v", args)
	}
}

func TestSecurity65_WhatWaitsForAReaderIsBounded(t *testing.T) {
	r := newRing()
	for range backlog + 10 {
		r.push(connectors.Event{Body: make([]byte, maxBody)})
	}
	if r.bytes > backlogBytes {
		t.Errorf("%d MiB wait", r.bytes>>20)
	}
	if e, ok := r.pop(); !ok || e.Dropped != backlog+10-backlogBytes/maxBody {
		t.Errorf("%d dropped", e.Dropped)
	}
	r = newRing()
	long := []connectors.Fact{{Label: "Header x", Text: strings.Repeat("y", 1<<20)}}
	for range 100 {
		r.push(connectors.Event{Facts: long})
	}
	if r.bytes > backlogBytes || len(r.events) == 0 {
		t.Errorf("%d MiB in %d events wait", r.bytes>>20, len(r.events))
	}
}

func TestFactsOfAMessageAreCleanAndBounded(t *testing.T) {
	d := amqp.Delivery{
		Exchange: "orders.in", RoutingKey: "order.new", ContentType: "application/json", CorrelationId: "c-1", ReplyTo: "answers", DeliveryMode: amqp.Persistent,
		Priority: 4, Timestamp: time.Unix(0, 0), Redelivered: true, Headers: amqp.Table{"tenant": "acme\u202e", "n": int32(3)},
	}
	want := []connectors.Fact{
		{Label: "Exchange", Text: "orders.in"}, {Label: "Routing key", Text: "order.new"}, {Label: "Content type", Text: "application/json"},
		{Label: "Correlation ID", Text: "c-1"}, {Label: "Reply to", Text: "answers"}, {Label: "Priority", Text: "4"}, {Label: "Delivery mode", Text: "persistent"},
		{Label: "Timestamp", Text: "1970-01-01T00:00:00Z"}, {Label: "Redelivered", Text: "yes"}, {Label: "Header n", Text: "3"}, {Label: "Header tenant", Text: "acme\ufffd"},
	}
	if got := factsOf(d); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := factsOf(amqp.Delivery{}); !slices.Equal(got, []connectors.Fact{{Label: "Exchange", Text: defaultExchange}}) {
		t.Errorf("%+v", got)
	}
	many := amqp.Table{"bytes": []byte{0xff, 0}}
	for i := range 500 {
		many[strings.Repeat("\x1b", 5000)+strconv.Itoa(i)] = strings.Repeat("\u202e", 5000)
	}
	got := factsOf(amqp.Delivery{Headers: many, AppId: strings.Repeat("é", 5000)})
	if len(got) != maxHeaders+3 || got[len(got)-1] != (connectors.Fact{Label: "More headers", Text: "441"}) {
		t.Errorf("%d facts, the last %+v", len(got), got[len(got)-1])
	}
	for _, f := range got {
		if connectors.Clean(f.Label+f.Text, 0) != f.Label+f.Text || utf8.RuneCountInString(f.Label) > 110 || utf8.RuneCountInString(f.Text) > maxFact+1 {
			t.Errorf("%.40q: %.40q", f.Label, f.Text)
		}
	}
}
