package mqttx

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"jackfield/connectors"
)

// receiving is how many messages wait in the library, which hands them on one
// after the other; its own choice is 65,535.
const receiving = 16

// The bounds of what is remembered of a message's properties.
const (
	maxProperties = 8
	maxProperty   = 200 // runes
)

// five speaks MQTT 5.
type five struct {
	l      *Live
	client *paho.Client
	ack    *paho.Connack
	once   sync.Once
}

// noAuth is there because the library calls it, without looking, when a CONNACK
// names a method of enhanced authentication that nobody asked for.
type noAuth struct{}

func (noAuth) Authenticate(*paho.Auth) *paho.Auth { return &paho.Auth{} }
func (noAuth) Authenticated()                     {}

// A whole sends a packet in one piece, which is one WebSocket frame: the library
// writes it in several under its lock.
type whole struct {
	net.Conn
	mu  sync.Mutex
	buf []byte
	err error
}

func (w *whole) Lock() { w.mu.Lock() }

func (w *whole) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.buf = append(w.buf, p...)
	return len(p), nil
}

func (w *whole) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Unlock sends. What fails here is told by the next write or read.
func (w *whole) Unlock() {
	if len(w.buf) > 0 && w.err == nil {
		_, w.err = w.Conn.Write(w.buf)
	}
	w.buf = nil
	if w.err != nil {
		_ = w.Close()
	}
	w.mu.Unlock()
}

func (f *five) packet() *paho.Connect {
	most := uint16(receiving)
	cp := &paho.Connect{
		ClientID: f.l.o.ClientID, KeepAlive: uint16(keepAlive / time.Second), CleanStart: true,
		Properties: &paho.ConnectProperties{ReceiveMaximum: &most, RequestProblemInfo: true},
	}
	if f.l.o.Login {
		cp.UsernameFlag, cp.Username = true, f.l.o.User
		cp.PasswordFlag, cp.Password = !f.l.o.Password.Empty(), []byte(f.l.o.Password.Reveal())
	}
	return cp
}

func (f *five) connect(ctx context.Context) error {
	out := &whole{Conn: f.l.conn}
	client := paho.NewClient(paho.ClientConfig{
		Conn: out, AuthHandler: noAuth{}, PacketTimeout: patience,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){f.hear},
		OnServerDisconnect: func(d *paho.Disconnect) { f.l.end(farewell(d)) },
		OnClientError:      f.l.end,
	})
	ack, err := client.Connect(ctx, f.packet())
	if err != nil {
		// Not after a welcome: the library's first ping may be holding the lock, and
		// a broker that does not read holds the ping.
		if failed := out.failed(); failed != nil && ack == nil {
			err = failed
		}
		return reasonCode(ctx, f.l.o.Target, ack, err)
	}
	f.client, f.ack = client, ack
	return nil
}

func (f *five) hear(m paho.PublishReceived) (bool, error) {
	p := m.Packet
	f.l.hear(message{topic: p.Topic, body: p.Payload, retained: p.Retain, media: media(p.Properties), facts: properties(p.Properties)})
	return true, nil
}

func media(p *paho.PublishProperties) string {
	if p == nil {
		return ""
	}
	return connectors.Clean(p.ContentType, maxProperty)
}

// properties puts a message's properties (section 3.3.2.3) into facts.
func properties(p *paho.PublishProperties) []connectors.Fact {
	if p == nil {
		return nil
	}
	var out []connectors.Fact
	add := func(label, text string) {
		if text != "" {
			out = append(out, connectors.Fact{Label: label, Text: connectors.Clean(text, maxProperty)})
		}
	}
	add("Content type", p.ContentType)
	add("Response topic", p.ResponseTopic)
	if len(p.CorrelationData) > 0 {
		add("Correlation data", preview(p.CorrelationData[:min(len(p.CorrelationData), maxProperty)]))
	}
	if p.MessageExpiry != nil {
		add("Expires after", (time.Duration(*p.MessageExpiry) * time.Second).String())
	}
	for i, u := range p.User {
		if i == maxProperties {
			add("Further properties", strconv.Itoa(len(p.User)-i))
			break
		}
		add("Property "+connectors.Clean(u.Key, 60), u.Value)
	}
	return out
}

// run does what may block on a write apart, so that the caller leaves with ctx.
// What runs on ends with the write's bound or the connection.
func run[T any](ctx context.Context, l *Live, do func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	got := make(chan answer, 1)
	go func() {
		v, err := do()
		got <- answer{v, err}
	}()
	var none T
	select {
	case a := <-got:
		if a.err != nil && ctx.Err() != nil {
			return a.v, connectors.Classify(context.Cause(ctx))
		}
		return a.v, a.err
	case <-ctx.Done():
		return none, connectors.Classify(context.Cause(ctx))
	case <-l.lost:
		return none, l.why()
	}
}

func (f *five) subscribe(ctx context.Context, filters []string) ([]verdict, error) {
	out := make([]verdict, len(filters))
	s := &paho.Subscribe{}
	var asked []int // the places of what is asked for
	for i, topic := range filters {
		if out[i].code = f.rulesOut(topic); out[i].code == 0 {
			s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{Topic: topic})
			asked = append(asked, i)
		}
	}
	if len(asked) == 0 {
		return out, nil
	}
	return run(ctx, f.l, func() ([]verdict, error) {
		ack, err := f.client.Subscribe(ctx, s)
		if ack == nil || len(ack.Reasons) != len(asked) {
			return nil, orErr(err)
		}
		for n, i := range asked {
			out[i].code = ack.Reasons[n]
			if ack.Properties != nil {
				out[i].said = ack.Properties.ReasonString
			}
		}
		return out, nil
	})
}

func orErr(err error) error {
	if err == nil {
		return errNotMQTT
	}
	return err
}

// rulesOut says beforehand what the broker's CONNACK ruled out (sections
// 3.2.2.3.11 and 3.2.2.3.13): to ask for it anyway is a protocol error.
func (f *five) rulesOut(filter string) byte {
	p := f.ack.Properties
	switch {
	case Shared(filter) && !p.SharedSubAvailable:
		return packets.SubackSharedSubscriptionnotsupported
	case wild(filter) && !p.WildcardSubAvailable:
		return packets.SubackWildcardsubscriptionsnotsupported
	}
	return 0
}

func (f *five) unsubscribe(ctx context.Context, filter string) error {
	_, err := run(ctx, f.l, func() (struct{}, error) {
		ack, err := f.client.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{filter}})
		if ack != nil {
			err = nil // it was answered, whatever the answer
		}
		return struct{}{}, err
	})
	return err
}

func (f *five) publish(ctx context.Context, topic string, body []byte, retained bool) (verdict, error) {
	return run(ctx, f.l, func() (verdict, error) {
		qos := byte(1)
		if p := f.ack.Properties; p.MaximumQoS != nil {
			qos = min(qos, *p.MaximumQoS)
		}
		ack, err := f.client.Publish(ctx, &paho.Publish{Topic: topic, Payload: body, QoS: qos, Retain: retained})
		if ack == nil {
			return verdict{}, err
		}
		v := verdict{code: ack.ReasonCode}
		if ack.Properties != nil {
			v.said = ack.Properties.ReasonString
		}
		return v, nil
	})
}

// facts are what the CONNACK told (section 3.2.2.3).
func (f *five) facts() []connectors.Fact {
	p := f.ack.Properties
	var out []connectors.Fact
	add := func(label, text string) {
		out = append(out, connectors.Fact{Label: label, Text: connectors.Clean(text, maxProperty)})
	}
	yes := func(label string, is bool) { add(label, map[bool]string{true: "yes", false: "no"}[is]) }
	yes("Retained messages", p.RetainAvailable)
	yes("Wildcards in topic filters", p.WildcardSubAvailable)
	yes("Shared subscriptions", p.SharedSubAvailable)
	if p.MaximumQoS != nil {
		add("Highest QoS", strconv.Itoa(int(*p.MaximumQoS)))
	}
	if p.MaximumPacketSize != nil {
		add("Largest message", humanize.IBytes(uint64(*p.MaximumPacketSize)))
	}
	if p.ReceiveMaximum != nil {
		add("Messages in flight", strconv.Itoa(int(*p.ReceiveMaximum)))
	}
	if p.TopicAliasMaximum != nil {
		add("Topic aliases", strconv.Itoa(int(*p.TopicAliasMaximum)))
	}
	if p.ServerKeepAlive != nil {
		add("Keep alive set by the broker", (time.Duration(*p.ServerKeepAlive) * time.Second).String())
	}
	if p.AssignedClientID != "" {
		add("Client ID set by the broker", p.AssignedClientID)
	}
	for i, u := range p.User {
		if i == maxProperties {
			break
		}
		add("Broker: "+connectors.Clean(u.Key, 60), u.Value)
	}
	return out
}

func (f *five) close() {
	if f.client == nil {
		return
	}
	f.once.Do(func() {
		// The bound is for the goodbye alone; nothing is written after it.
		f.l.conn.hurry()
		_ = f.client.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectNormalDisconnection})
	})
	<-f.client.Done()
}
