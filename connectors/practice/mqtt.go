package practice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	topicRoot = "merrowdale"
	// topicClosed may be subscribed to by nobody, so that one can meet a refusal.
	topicClosed      = topicRoot + "/board"
	maxSubscriptions = 200
	beat             = time.Second
	forever          = 10 * 365 * 24 * 3600 // seconds
)

// startMQTT runs a broker whose sensors publish all the time. Clients may only
// listen.
func startMQTT(ctx context.Context, log *slog.Logger) (Connection, func() error, error) {
	g, err := listen(ctx, portMQTT)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("mqtt: %w", err)
	}
	limits := broker.NewDefaultServerCapabilities()
	limits.MaximumClients, limits.MaximumPacketSize = maxConns, 64<<10
	limits.MaximumMessageExpiryInterval = forever // retained ones stay as long as the broker
	limits.MaximumSessionExpiryInterval, limits.MaximumClientWritesPending, limits.MaximumInflight = 300, 1024, 256
	// The library logs whole packets, passwords among them: it gets no logger.
	// Its own $SYS topics are published once; see station.send.
	srv := broker.New(&broker.Options{Capabilities: limits, InlineClient: true, SysTopicResendInterval: forever, Logger: slog.New(slog.DiscardHandler)})
	door := &mqttGate{gate: g, log: log, open: make(chan struct{}), done: make(chan struct{})}
	err = errors.Join(srv.AddHook(&rules{}, nil), srv.AddListener(door))
	if err == nil {
		err = srv.Serve()
	}
	if err != nil {
		return Connection{}, nil, errors.Join(fmt.Errorf("mqtt: %w", err), g.Close(), srv.Close())
	}
	st := &station{srv: srv, kept: map[string]bool{}}
	st.begin()
	close(door.open)
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { st.run(life) })
	c := Connection{TypeID: "mqtt", Name: "Practice sensors (MQTT)", Description: "Readings from the halls of " + company + ", an invented company, as they arrive.",
		Settings: settings(map[string]string{"host": loopback, "transport": "tcp", "port": g.port(), "auth": "password", "user": demoUser, "topic": topicRoot + "/#"},
			map[string]string{"password": demoPassword})}
	return c, func() error {
		cancel()
		wg.Wait()
		// First the connections: the broker says goodbye to each client in turn
		// and would wait for one that reads nothing.
		err := errors.Join(g.Close(), srv.Close())
		<-door.done
		return err
	}, nil
}

// mqttGate lets the broker's clients in through the gate.
type mqttGate struct {
	*gate
	log  *slog.Logger
	open chan struct{} // closed when every retained topic is there
	done chan struct{} // closed when the last client's goroutine has ended
}

func (l *mqttGate) Init(*slog.Logger) error { return nil }
func (l *mqttGate) ID() string              { return "practice" }
func (l *mqttGate) Address() string         { return l.Addr().String() }
func (l *mqttGate) Protocol() string        { return "tcp" }

func (l *mqttGate) Serve(establish listeners.EstablishFn) {
	defer close(l.done)
	<-l.open
	wait := l.serve(func(v *guest) {
		defer survive(l.log, "mqtt")
		// Until CONNECT; from then on the keep-alive rules.
		if err := v.SetReadDeadline(time.Now().Add(signInTime)); err != nil {
			return
		}
		if err := establish(l.ID(), net.Conn(v)); err != nil {
			l.log.Debug("practice mqtt: connection ended", "remote", v.RemoteAddr().String())
		}
	})
	wait()
}

func (l *mqttGate) Close(disconnect listeners.CloseFn) {
	disconnect(l.ID())
	_ = l.gate.Close()
}

// rules are who may come in and what for.
type rules struct{ broker.HookBase }

func (*rules) ID() string { return "practice-rules" }

func (*rules) Provides(b byte) bool {
	return b == broker.OnConnectAuthenticate || b == broker.OnACLCheck || b == broker.OnConnect
}

func (*rules) OnConnectAuthenticate(_ *broker.Client, pk packets.Packet) bool {
	return match(string(pk.Connect.Username), demoUser) && match(string(pk.Connect.Password), demoPassword)
}

// OnConnect drops the last will: it would be published past the rules below.
func (*rules) OnConnect(cl *broker.Client, _ packets.Packet) error {
	cl.Properties.Will = broker.Will{}
	return nil
}

func (*rules) OnACLCheck(cl *broker.Client, topic string, write bool) bool {
	return !write && topic != topicClosed && !strings.HasPrefix(topic, topicClosed+"/") && cl.State.Subscriptions.Len() <= maxSubscriptions
}

// A sensor swings around a middle.
type sensor struct {
	topic, unit string
	middle      float64
	swing       float64
	plain       bool // the bare number, as many devices send it
}

func sensors() []sensor {
	var out []sensor
	for _, hall := range []string{"northgate/hall-1", "northgate/hall-2", "harbour/hall-1", "millbank/hall-1"} {
		out = append(out,
			sensor{hall + "/climate/temperature", "°C", 20.5, 2.5, false},
			sensor{hall + "/climate/humidity", "%", 46, 9, false},
			sensor{hall + "/power/watts", "W", 4200, 1700, true},
			sensor{hall + "/conveyor/speed", "m/s", 1.2, 0.3, true},
			sensor{hall + "/door/openings", "", 30, 12, true})
	}
	return out
}

// A station publishes what the sensors read.
type station struct {
	srv  *broker.Server
	kept map[string]bool // topics that have a retained message
}

// send publishes, and keeps the message for those who come later if it is to be
// retained. The broker writes to a topic's place in its tree whenever a message
// is retained there, while subscribers read that place without a lock; so only
// the first goes that way, before anybody may come in, and later ones replace
// what is stored, under the store's lock.
func (st *station) send(topic, body string, retain bool) {
	topic = topicRoot + "/" + topic
	first := retain && !st.kept[topic]
	if retain && !first {
		st.srv.Topics.Retained.Add(topic, packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true},
			TopicName: topic, Payload: []byte(body), Origin: broker.InlineClientId, Created: time.Now().Unix()})
	}
	st.kept[topic] = st.kept[topic] || first
	// An inline publish only fails on a broken packet, which these are not.
	_ = st.srv.Publish(topic, []byte(body), first, 0)
}

// begin sends every retained topic once.
func (st *station) begin() {
	st.send("about", `{"company":"`+company+`","invented":true,"sites":["Northgate","Harbour","Millbank"]}`, true)
	st.send("northgate/status", "open", true)
	st.send("harbour/status", "open", true)
	st.send("millbank/status", "closed for stock-taking", true)
	for i, s := range sensors() {
		st.send(s.topic, s.read(i, time.Now()), true)
	}
}

// run sends some readings at each beat, until life ends.
func (st *station) run(life context.Context) {
	all := sensors()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-life.Done():
			return
		case now := <-tick.C:
			for i := n % 3; i < len(all); i += 3 {
				st.send(all[i].topic, all[i].read(i, now), true)
			}
			if n%4 == 0 {
				st.send("orders/new", fmt.Sprintf(`{"order":%d,"lines":%d,"at":%q}`, 71000+n/4, 1+rand.IntN(5), now.UTC().Format(time.RFC3339)), false)
			}
		}
	}
}

func (s sensor) read(phase int, at time.Time) string {
	v := s.middle + s.swing*math.Sin(float64(at.Unix()%3600)/97+float64(phase)) + s.swing*0.1*(rand.Float64()-0.5)
	if s.unit == "" {
		return fmt.Sprintf("%d", int(v))
	}
	if s.plain {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf(`{"value":%.1f,"unit":%q,"at":%q}`, v, s.unit, at.UTC().Format(time.RFC3339))
}
