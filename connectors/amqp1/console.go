package amqp1

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// A console lists queues through Jolokia, the HTTP bridge to JMX that the web
// consoles of ActiveMQ and Artemis have
// (https://jolokia.org/reference/html/manual/jolokia_protocol.html). It only reads.
type console struct {
	client *http.Client
	base   string
	user   string
	secret connectors.Secret
}

// The objects that stand for queues and topics, by broker.
var (
	classicQueues = jolokia{MBean: "org.apache.activemq:type=Broker,brokerName=*,destinationType=*,destinationName=*", Attribute: []string{"Name", "QueueSize", "ConsumerCount"}}
	artemisQueues = jolokia{MBean: "org.apache.activemq.artemis:broker=*,component=addresses,address=*,subcomponent=queues,routing-type=*,queue=*", Attribute: []string{"Name", "Address", "RoutingType", "MessageCount", "ConsumerCount"}}
)

// A jolokia is one read request.
type jolokia struct {
	Type      string   `json:"type"`
	MBean     string   `json:"mbean"`
	Attribute []string `json:"attribute"`
}

// paths are where Jolokia stands below the console's address: ActiveMQ, Artemis.
var paths = []string{"/api/jolokia/", "/console/jolokia/"}

func newConsole(env *connectors.Env, c config) (*console, error) {
	if c.Console == "" {
		return nil, nil
	}
	spec := connectors.HTTP{NoRedirects: true, Timeout: 15 * time.Second}
	if u, err := url.Parse(c.Console); err == nil && u.Hostname() == c.Host {
		spec.TLS = c.Spec()
	} else {
		spec.CA = c.CA
	}
	client, err := env.HTTP(spec)
	if err != nil {
		return nil, err
	}
	w := &console{client: client, base: strings.TrimRight(c.Console, "/"), user: c.User, secret: c.Password}
	if c.ConsoleUser != "" {
		w.user = c.ConsoleUser
	}
	if !c.ConsolePassword.Empty() {
		w.secret = c.ConsolePassword
	}
	return w, nil
}

func (w *console) close() {
	if w != nil {
		w.client.CloseIdleConnections()
	}
}

func (w *console) count(ctx context.Context) (int, error) {
	n := 0
	for _, err := range w.list(ctx) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// list yields the console's queues and topics in the order of their names.
func (w *console) list(ctx context.Context) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		beans, err := w.beans(ctx)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		var nodes []connectors.Node
		for name, b := range beans {
			if n, ok := b.node(name); ok {
				nodes = append(nodes, n)
			}
		}
		slices.SortFunc(nodes, func(a, b connectors.Node) int { return strings.Compare(string(a.ID), string(b.ID)) })
		for _, n := range nodes {
			if ctx.Err() != nil {
				yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
				return
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// A bean is a queue's attributes.
type bean struct {
	Name          string
	Address       string
	RoutingType   string
	QueueSize     *int64
	MessageCount  *int64
	ConsumerCount *int64
}

// node is a queue's; the object's name tells what it is.
func (b bean) node(object string) (connectors.Node, bool) {
	n := connectors.Node{Name: b.Name, Kind: "queue", Views: []connectors.View{connectors.ViewRows}}
	messages := b.MessageCount
	switch {
	case b.Name == "":
		return n, false
	case b.Address != "": // Artemis: https://activemq.apache.org/components/artemis/documentation/latest/address-model.html#fully-qualified-queue-names
		n.ID = connectors.NodeID(b.Address + "::" + b.Name)
	case strings.Contains(object, "destinationType=Topic"):
		n.ID, n.Kind, n.Views = connectors.NodeID("topic://"+b.Name), "topic", nil
	default:
		n.ID, messages = connectors.NodeID("queue://"+b.Name), b.QueueSize
	}
	put := func(label string, v *int64) {
		if v != nil {
			n.Facts = append(n.Facts, connectors.Fact{Label: label, Text: strconv.FormatInt(*v, 10)})
		}
	}
	put("Messages", messages)
	put("Consumers", b.ConsumerCount)
	if b.RoutingType != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Routing", Text: connectors.Clean(b.RoutingType, 40)})
	}
	return n, true
}

// beans asks for both brokers' objects at once, at the first path that answers.
func (w *console) beans(ctx context.Context) (map[string]bean, error) {
	classic, artemis := classicQueues, artemisQueues
	classic.Type, artemis.Type = "read", "read"
	request, err := json.Marshal([]jolokia{classic, artemis})
	if err != nil {
		return nil, err
	}
	var last error
	for _, path := range paths {
		res, err := w.post(ctx, path, request)
		if err != nil {
			return nil, err
		}
		if e := res.Err(""); e != nil {
			if e.Field = "console_url"; e.Code == connectors.AuthFailed || e.Code == connectors.Denied {
				e.Reason, e.Field = "amqp1.console_auth", "console_password"
				return nil, e
			}
			last = e
			continue
		}
		return w.read(res)
	}
	return nil, last
}

func (w *console) read(res *httpx.Response) (map[string]bean, error) {
	var answers []struct {
		Status int             `json:"status"`
		Value  map[string]bean `json:"value"`
	}
	if res.Truncated || json.Unmarshal(res.Body, &answers) != nil {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "amqp1.console_not_this", Op: connectors.StageData, Target: w.base, Field: "console_url"}
	}
	out := map[string]bean{}
	for _, a := range answers { // 404 for the objects of the other broker
		for name, b := range a.Value {
			out[name] = b
		}
	}
	return out, nil
}

func (w *console) post(ctx context.Context, path string, body []byte) (*httpx.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "console_url", Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", httpx.Origin(req.URL)) // both consoles refuse requests without one ("strict checking")
	req.SetBasicAuth(w.user, w.secret.Reveal())
	return httpx.Do(w.client, req, 0)
}
