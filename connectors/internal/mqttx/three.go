package mqttx

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"jackfield/connectors"
)

// three speaks MQTT 3.1.1.
type three struct {
	l      *Live
	client paho.Client
}

func (t *three) options() *paho.ClientOptions {
	o := paho.NewClientOptions().AddBroker("tcp://" + t.l.o.Target)
	// The version is told, or the library would try a second sign-in with MQTT 3.1
	// after every refusal.
	o.SetClientID(t.l.o.ClientID).SetProtocolVersion(V3).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetKeepAlive(keepAlive).SetPingTimeout(10 * time.Second).SetWriteTimeout(writing).SetConnectTimeout(patience)
	// In order, on the network's goroutine: hear never blocks. The other choice
	// starts a goroutine for every message, without a bound.
	o.SetOrderMatters(true)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return t.l.conn, nil })
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { t.l.end(err) })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		t.l.hear(message{topic: m.Topic(), body: m.Payload(), retained: m.Retained()})
	})
	if t.l.o.Login {
		o.SetUsername(t.l.o.User).SetPassword(t.l.o.Password.Reveal())
	}
	return o
}

func (t *three) connect(ctx context.Context) error {
	client := paho.NewClient(t.options())
	token := client.Connect()
	<-token.Done() // ends with the connection, which ends with ctx
	if err := token.Error(); err != nil {
		return returnCode(ctx, t.l.o.Target, err)
	}
	t.client = client
	return nil
}

func (t *three) subscribe(ctx context.Context, filters []string) ([]verdict, error) {
	want := make(map[string]byte, len(filters))
	for _, f := range filters {
		want[f] = 0
	}
	done, err := t.await(ctx, func() paho.Token { return t.client.SubscribeMultiple(want, nil) })
	if err != nil {
		return nil, err
	}
	token, ok := done.(*paho.SubscribeToken)
	if !ok {
		return nil, errors.New("the subscription cannot be followed")
	}
	granted := token.Result()
	out := make([]verdict, len(filters))
	for i, f := range filters {
		out[i].code = granted[f]
	}
	return out, nil
}

func (t *three) unsubscribe(ctx context.Context, filter string) error {
	_, err := t.await(ctx, func() paho.Token { return t.client.Unsubscribe(filter) })
	return err
}

func (t *three) publish(ctx context.Context, topic string, body []byte, retained bool) (verdict, error) {
	_, err := t.await(ctx, func() paho.Token { return t.client.Publish(topic, 1, retained, body) })
	return verdict{}, err
}

// await waits for a token, which the library alone would do without a bound; even
// getting one may take as long as a write may.
func (t *three) await(ctx context.Context, ask func() paho.Token) (paho.Token, error) {
	token, err := run(ctx, t.l, func() (paho.Token, error) { return ask(), nil })
	if err != nil {
		return nil, err
	}
	select {
	case <-token.Done():
		return token, token.Error()
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	case <-t.l.lost:
		return nil, t.l.why()
	}
}

func (t *three) facts() []connectors.Fact { return nil }

func (t *three) close() {
	if t.client != nil {
		t.client.Disconnect(100)
	}
}
