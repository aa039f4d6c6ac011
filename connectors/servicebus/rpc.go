package servicebus

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// cbs is the node that takes tokens (OASIS, AMQP claims-based security; in
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-authorization).
const cbs = "$cbs"

// management is what the node has below an entity that answers requests about it.
const management = "/$management"

// patience bounds one request, within what the caller allows.
const patience = 30 * time.Second

// An answer is what a node said to a request.
type answer struct {
	status    int
	condition string
	said      string
	message   *amqp.Message
}

// ask sends one request to a node over links of its own and waits for the answer
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response).
func ask(ctx context.Context, conn *amqpx.Conn, node string, request *amqp.Message) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, end, err := conn.Session(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	own := amqpx.OwnName()
	r, err := s.NewReceiver(ctx, node, &amqp.ReceiverOptions{TargetAddress: own, Name: own + "-in", Credit: 1, MaxMessageSize: amqpx.MaxMessage})
	if err != nil {
		return nil, err
	}
	defer amqpx.Leave(ctx, r)
	w, err := s.NewSender(ctx, node, &amqp.SenderOptions{SourceAddress: own, Name: own + "-out"})
	if err != nil {
		return nil, err
	}
	defer amqpx.Leave(ctx, w)
	request.Properties = &amqp.MessageProperties{MessageID: own, ReplyTo: &own}
	if err = w.Send(ctx, request, nil); err != nil {
		return nil, err
	}
	m, err := r.Receive(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err = r.AcceptMessage(ctx, m); err != nil {
		return nil, err
	}
	out := &answer{message: m}
	// $cbs writes status-code, management nodes write statusCode.
	for key, v := range m.ApplicationProperties {
		switch strings.ReplaceAll(strings.ToLower(key), "-", "") {
		case "statuscode":
			out.status = number(v)
		case "statusdescription":
			out.said = amqpx.Value(v)
		case "errorcondition":
			out.condition = amqpx.Value(v)
		}
	}
	return out, nil
}

// number is a whole number of any size that AMQP has, 0 for everything else.
func number(v any) int {
	switch x := v.(type) {
	case int32:
		return int(x)
	case int64:
		return int(x)
	case uint32:
		return int(x)
	case uint16:
		return int(x)
	case uint8:
		return int(x)
	case int8:
		return int(x)
	case int16:
		return int(x)
	}
	return 0
}

// A desk hands in tokens, one at a time: a connection may have only one pair of
// links to $cbs.
type desk struct {
	signer signer
	host   string
	free   chan struct{} // has one token while nobody hands in
	until  map[string]time.Time
}

func newDesk(s signer, host string) *desk {
	d := &desk{signer: s, host: host, free: make(chan struct{}, 1), until: map[string]time.Time{}}
	d.free <- struct{}{}
	return d
}

// maxAudiences bounds what is remembered of tokens.
const maxAudiences = 1000

// admit hands in a token for an entity, "" for the namespace, unless one is there
// that lasts, and again says to do it in any case. It reports the node's answer
// where that is not a yes.
func (d *desk) admit(ctx context.Context, conn *amqpx.Conn, entity string, again bool) (*answer, error) {
	select {
	case <-d.free:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { d.free <- struct{}{} }()
	if until, there := d.until[entity]; there && !again && (d.signer.now().Add(renewal).Before(until) || !d.signer.given.Empty()) {
		return nil, nil
	}
	audience := "amqp://" + hostPart(d.host) + "/" + entity
	token, ends := d.signer.token(audience)
	a, err := ask(ctx, conn, cbs, &amqp.Message{
		Value: token.Reveal(),
		ApplicationProperties: map[string]any{
			"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": audience, "expiration": ends.UTC(),
		},
	})
	if err != nil {
		return nil, err
	}
	if a.status < 200 || a.status > 299 {
		return a, nil
	}
	if len(d.until) >= maxAudiences {
		clear(d.until)
	}
	d.until[entity] = ends
	return nil, nil
}

// admitted hands in a token and puts a refusal into words.
func (s *session) admitted(ctx context.Context, entity string, again bool) error {
	a, err := s.desk.admit(ctx, s.conn, entity, again)
	if err != nil {
		return s.failed(ctx, entity, err)
	}
	if a != nil {
		return s.refusal(a.status, a.condition, a.said, entity, connectors.StageSignIn)
	}
	return nil
}
