package servicebus

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// Nothing of Azure can be had in a test. What stands in for it is shaped as the
// documentation says: a script on rhea's AMQP 1.0 engine for messages, and atomFeed
// for the management interface. Each checks tokens with code of its own.

// The keys have what would break in a URL or a connection string that is taken
// apart carelessly.
const (
	ownerKey  = `practice-only-o'"@/#?%\:+&owner==`
	readerKey = "practice-only-reader+/="
	senderKey = "practice-only-sender"
	orderKey  = "practice-only-orders"
)

func policies() map[string]server.RheaPolicy {
	return map[string]server.RheaPolicy{
		"owner":      owner(ownerKey),
		"reader":     {Key: readerKey, Rights: []string{"Listen"}},
		"sender":     {Key: senderKey, Rights: []string{"Send"}},
		"order boss": {Key: orderKey, Rights: []string{"Manage", "Send", "Listen"}, Entity: "orders"},
	}
}

// owner is a policy that may do everything.
func owner(key string) server.RheaPolicy {
	return server.RheaPolicy{Key: key, Rights: []string{"Manage", "Send", "Listen"}}
}

// An atomFeed is the management interface of a namespace.
type atomFeed struct {
	t        testing.TB
	tier     string
	kind     string
	queues   []string
	topics   map[string][]string
	answer   http.HandlerFunc // instead of everything else; may be nil
	policies map[string]server.RheaPolicy

	mu    sync.Mutex
	asked []string
}

func (a *atomFeed) start(t testing.TB, ca *server.CA) string {
	a.t, a.policies = t, policies()
	srv := httptest.NewUnstartedServer(a)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if ca == nil {
		srv.Start()
	} else {
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}}
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	return srv.URL
}

func refuse(w http.ResponseWriter, status int, said string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%d</Code><Detail>%s TrackingId:practice, SystemTracker:practice, Timestamp:2026-01-01T00:00:00</Detail></Error>", status, said)
}

func (a *atomFeed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.URL.RequestURI())
	a.mu.Unlock()
	if a.answer != nil {
		a.answer(w, r)
		return
	}
	path := strings.Trim(r.URL.Path, "/")
	if status, said := a.allowed(r.Header.Get("Authorization"), path); status != 0 {
		refuse(w, status, said)
		return
	}
	if r.Method != http.MethodGet || r.URL.Query().Get("api-version") != "2021-05" {
		refuse(w, http.StatusBadRequest, "Bad Request.")
		return
	}
	w.Header().Set("Content-Type", "application/atom+xml;type=feed;charset=utf-8")
	switch topic, isSubs := strings.CutSuffix(path, "/subscriptions"); {
	case path == "$namespaceinfo":
		_, _ = io.WriteString(w, entryXML("practice", `<NamespaceInfo xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><MessagingSKU>`+a.tier+`</MessagingSKU><MessagingUnits>0</MessagingUnits><Name>practice</Name><NamespaceType>`+a.kind+`</NamespaceType></NamespaceInfo>`))
	case path == "$Resources/queues":
		a.feed(w, r, a.queues, queueXML)
	case path == "$Resources/topics":
		var names []string
		for name := range a.topics {
			names = append(names, name)
		}
		a.feed(w, r, names, topicXML)
	case isSubs:
		a.feed(w, r, a.topics[topic], subscriptionXML)
	default:
		a.one(w, path)
	}
}

func (a *atomFeed) one(w http.ResponseWriter, path string) {
	for _, name := range a.queues {
		if name == path {
			_, _ = io.WriteString(w, entryXML(name, queueXML))
			return
		}
	}
	if _, is := a.topics[path]; is {
		_, _ = io.WriteString(w, entryXML(path, topicXML))
		return
	}
	_, _ = io.WriteString(w, `<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Publicly Listed Services</title></feed>`)
}

// allowed checks a token: scope, end and signature, over the bytes as they came.
func (a *atomFeed) allowed(token, path string) (int, string) {
	query, found := strings.CutPrefix(token, "SharedAccessSignature ")
	parts := map[string]string{}
	for p := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(p, "=")
		parts[k] = v
	}
	name, _ := url.QueryUnescape(parts["skn"])
	sig, _ := url.QueryUnescape(parts["sig"])
	scope, _ := url.QueryUnescape(parts["sr"])
	u, err := url.Parse(scope)
	until, wrong := strconv.ParseInt(parts["se"], 10, 64)
	if !found || err != nil || wrong != nil {
		return http.StatusUnauthorized, "MalformedToken: The token is malformed."
	}
	policy, known := a.policies[name]
	mac := hmac.New(sha256.New, []byte(policy.Key))
	mac.Write([]byte(parts["sr"] + "\n" + parts["se"]))
	root := strings.Trim(u.Path, "/")
	within := root == policy.Entity || policy.Entity == "" || strings.HasPrefix(root, policy.Entity+"/")
	switch {
	case !known, !within, sig != base64.StdEncoding.EncodeToString(mac.Sum(nil)):
		return http.StatusUnauthorized, "SubCode=40103: Invalid authorization token signature."
	case time.Unix(until, 0).Before(time.Now()), time.Unix(until, 0).After(time.Now().Add(time.Hour)):
		return http.StatusUnauthorized, "ExpiredToken: The token is expired."
	case root != "" && root != path && !strings.HasPrefix(path, root+"/"):
		return http.StatusUnauthorized, "InvalidAudience: The authorization header contains a token with a wrong audience."
	}
	for _, right := range policy.Rights {
		if right == "Manage" {
			return 0, ""
		}
	}
	return http.StatusUnauthorized, "Manage,EntityRead claims required for this operation."
}

func (a *atomFeed) feed(w http.ResponseWriter, r *http.Request, names []string, content string) {
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
	top, _ := strconv.Atoi(r.URL.Query().Get("$top"))
	_, _ = io.WriteString(w, `<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Entities</title>`)
	for _, name := range names[min(skip, len(names)):min(skip+min(top, 100), len(names))] {
		_, _ = io.WriteString(w, entryXML(name, content))
	}
	_, _ = io.WriteString(w, "</feed>")
}

func entryXML(name, content string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(name))
	return `<entry xmlns="http://www.w3.org/2005/Atom"><id>https://practice/</id><title type="text">` + b.String() + `</title><content type="application/xml">` + content + `</content></entry>`
}

const countsXML = `<CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus"><d2p1:ActiveMessageCount>3</d2p1:ActiveMessageCount><d2p1:DeadLetterMessageCount>1</d2p1:DeadLetterMessageCount><d2p1:ScheduledMessageCount>2</d2p1:ScheduledMessageCount><d2p1:TransferMessageCount>0</d2p1:TransferMessageCount><d2p1:TransferDeadLetterMessageCount>4</d2p1:TransferDeadLetterMessageCount></CountDetails>`

const (
	queueXML = `<QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><LockDuration>PT1M</LockDuration><MaxSizeInMegabytes>1024</MaxSizeInMegabytes><RequiresSession>true</RequiresSession><DefaultMessageTimeToLive>P10675199DT2H48M5.4775807S</DefaultMessageTimeToLive><MaxDeliveryCount>10</MaxDeliveryCount><SizeInBytes>2048</SizeInBytes><MessageCount>4</MessageCount><Status>Active</Status><ForwardTo>sb://practice/news</ForwardTo><CreatedAt>2024-03-01T08:30:00.903Z</CreatedAt><AccessedAt>0001-01-01T00:00:00Z</AccessedAt>` +
		countsXML + `<EnablePartitioning>false</EnablePartitioning></QueueDescription>`
	topicXML        = `<TopicDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><MaxSizeInMegabytes>1024</MaxSizeInMegabytes><SizeInBytes>10</SizeInBytes><Status>Active</Status><SubscriptionCount>2</SubscriptionCount>` + countsXML + `</TopicDescription>`
	subscriptionXML = `<SubscriptionDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><Status>ReceiveDisabled</Status><DefaultMessageTimeToLive>P14D</DefaultMessageTimeToLive>` + countsXML + `</SubscriptionDescription>`
)

var seeded = map[string][]map[string]any{
	"orders": {
		{"data": `{"total":12}`, "message_id": "m-1", "subject": "new", "content_type": "application/json", "group_id": "s-1", "correlation_id": "c-1", "reply_to": "answers", "durable": true,
			"application_properties": map[string]any{"tenant": "acme\u202e"}, "message_annotations": map[string]any{"x-opt-message-state": 2}},
		{"body": "second"}, {"data": "third"},
	},
	"orders/$deadletterqueue":    {{"data": "bad", "delivery_count": 10, "application_properties": map[string]any{"DeadLetterReason": "MaxDeliveryCountExceeded", "DeadLetterErrorDescription": "10 times"}}},
	"news/Subscriptions/audit":   {{"data": "\xff\x00", "message_id": "n-1"}},
	"site1/long":                 long(250),
	"off":                        {},
	"empty":                      {},
	"huge":                       {{"data": strings.Repeat("x", 9<<20)}},
	"insurance-claims/$transfer": {},
}

func long(n int) []map[string]any {
	out := make([]map[string]any, n)
	for i := range out {
		out[i] = map[string]any{"data": "line " + strconv.Itoa(i+1)}
	}
	return out
}

// A bus is a namespace: messages over AMQP, and the management interface.
type bus struct {
	ca   *server.CA
	port int
	atom *atomFeed
	url  string
}

// newBus starts one; without an authority it speaks in the clear, as the emulator does.
func newBus(t testing.TB, ca *server.CA, conf server.RheaServiceBus) *bus {
	t.Helper()
	conf.Policies = policies()
	conf.Answers = map[string]server.RheaAnswer{
		"off": {Status: 403, Said: "Messaging entity 'sb://practice/off' is currently disabled.", Condition: "com.microsoft:entity-disabled"},
	}
	b := &bus{ca: ca, atom: &atomFeed{tier: "Standard", kind: "Messaging", queues: []string{"orders", "site1/long", "empty", "bidi\u202efdp.exe"}, topics: map[string][]string{"news": {"audit", "mail"}}}}
	b.port = server.Rhea(t, server.RheaConf{Anonymous: true, CA: ca, Queues: seeded, ServiceBus: &conf})
	b.url = b.atom.start(t, ca)
	return b
}

// settings are the owner's, changed by pairs of key and answer.
func (b *bus) settings(more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"namespace": "127.0.0.1", "port": strconv.Itoa(b.port), "key_name": "owner", "management": b.url}
	if b.ca == nil {
		s.Plain["transport"] = toEmulator
	} else {
		s.Plain["ca"] = b.ca.PEM
	}
	s.Secrets["access_key"] = connectors.NewSecret(ownerKey)
	for i := 0; i+1 < len(more); i += 2 {
		if f, _ := Type().Form.Field(more[i]); f.Kind.Secret() {
			s.Secrets[more[i]] = connectors.NewSecret(more[i+1])
		} else {
			s.Plain[more[i]] = more[i+1]
		}
	}
	return s
}

func (b *bus) with(more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return b.settings(more...) }
}

// tokenFor is a SAS token as somebody else makes it.
func tokenFor(resource, policy, key string, until time.Time) string {
	sr, se := url.QueryEscape(resource), strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(sr + "\n" + se))
	return "SharedAccessSignature sr=" + sr + "&sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))) + "&se=" + se + "&skn=" + url.QueryEscape(policy)
}

// socket carries a WebSocket on to a plain AMQP port, and refuses all else.
func socket(t testing.TB, ca *server.CA, port int) string {
	t.Helper()
	up := websocket.Upgrader{Subprotocols: []string{subprotocol}}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if port == 0 || r.URL.Path != socketPath || r.Header.Get("Sec-WebSocket-Protocol") != subprotocol {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		far, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = ws.Close() }()
			buf := make([]byte, 8192)
			for {
				n, err := far.Read(buf)
				if err != nil || ws.WriteMessage(websocket.BinaryMessage, buf[:n]) != nil {
					return
				}
			}
		}()
		defer func() { _ = far.Close() }()
		for {
			_, data, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if _, err := far.Write(data); err != nil {
				return
			}
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, p, _ := net.SplitHostPort(srv.Listener.Addr().String())
	return p
}

func openOne(tb testing.TB, s connectors.Settings) *session {
	tb.Helper()
	got, err := Type().Open(tb.Context(), conntest.NewWorld(tb).Env, s)
	if err != nil {
		tb.Fatalf("%v %+v", err, connectors.Explain(err))
	}
	tb.Cleanup(func() { _ = got.Close() })
	return got.(*session)
}

func list(tb testing.TB, s *session, id connectors.NodeID) map[string]connectors.Node {
	tb.Helper()
	out := map[string]connectors.Node{}
	for n, err := range s.Children(tb.Context(), id) {
		if err != nil {
			tb.Fatalf("%s: %v", id, err)
		}
		out[n.Name] = n
	}
	return out
}
