package servicebus

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// The bounds of what is shown of one message.
const (
	maxProperties = 60
	maxFact       = 500
	maxTitle      = 120
)

// The annotations that the service writes
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#message-annotations).
const (
	optEnqueued   = "x-opt-enqueued-time"
	optScheduled  = "x-opt-scheduled-enqueue-time"
	optState      = "x-opt-message-state"
	optDeadSource = "x-opt-deadletter-source"
	optPartition  = "x-opt-partition-key"
	optLocked     = "x-opt-locked-until"
)

// The application properties that say why a message was put aside.
const (
	deadReason = "DeadLetterReason"
	deadText   = "DeadLetterErrorDescription"
)

func columns() []connectors.Column {
	return []connectors.Column{{Name: "Sequence", Numeric: true}, {Name: "Enqueued"}, {Name: "Message ID"}, {Name: "Subject"}, {Name: "Body"}, {Name: "Size", Numeric: true},
		{Name: "Content type"}, {Name: "Session"}, {Name: "Deliveries", Numeric: true}, {Name: "State"}, {Name: "Dead-letter reason"}, {Name: "Properties"}}
}

func row(one peeked) []any {
	m := one.message
	p := properties(m)
	body, size := amqpx.Body(m)
	return []any{one.sequence, moment(m.Annotations[optEnqueued]), amqpx.Value(p.MessageID), deref(p.Subject), body, int64(size),
		deref(p.ContentType), deref(p.GroupID), deliveries(m), state(m), amqpx.Value(m.ApplicationProperties[deadReason]), others(m)}
}

func properties(m *amqp.Message) *amqp.MessageProperties {
	if m.Properties == nil {
		return &amqp.MessageProperties{}
	}
	return m.Properties
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return amqpx.Cell(*s)
}

// moment is a time, "" for what is none or was never set.
func moment(v any) string {
	at, ok := v.(time.Time)
	if !ok || at.Year() < 1900 || at.Year() > 9000 {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func deliveries(m *amqp.Message) int64 {
	if m.Header == nil {
		return 0
	}
	return int64(m.Header.DeliveryCount)
}

// state is why a message waits
// (https://learn.microsoft.com/dotnet/api/azure.messaging.servicebus.servicebusmessagestate).
func state(m *amqp.Message) string {
	switch number(m.Annotations[optState]) {
	case 1:
		return "deferred"
	case 2:
		return "scheduled"
	}
	return "active"
}

// others are the application properties in one cell.
func others(m *amqp.Message) string {
	var out []string
	for i, name := range slices.Sorted(maps.Keys(m.ApplicationProperties)) {
		if i == maxProperties {
			break
		}
		if name != deadReason && name != deadText {
			out = append(out, name+"="+amqpx.Value(m.ApplicationProperties[name]))
		}
	}
	return amqpx.Cell(strings.Join(out, ", "))
}

// title is what a message is called in a list.
func title(one peeked) string {
	p := properties(one.message)
	for _, v := range []string{deref(p.Subject), amqpx.Value(p.MessageID)} {
		if v != "" {
			return strconv.FormatInt(one.sequence, 10) + " " + connectors.Clean(v, maxTitle)
		}
	}
	return strconv.FormatInt(one.sequence, 10)
}

// facts are everything about a message but its body.
func facts(m *amqp.Message) []connectors.Fact {
	var out []connectors.Fact
	put := func(label, v string) {
		if v != "" {
			out = append(out, connectors.Fact{Label: connectors.Clean(label, 100), Text: connectors.Clean(v, maxFact)})
		}
	}
	p := properties(m)
	put("Message ID", amqpx.Value(p.MessageID))
	put("Enqueued", moment(m.Annotations[optEnqueued]))
	put("Scheduled for", moment(m.Annotations[optScheduled]))
	put("Locked until", moment(m.Annotations[optLocked]))
	put("State", state(m))
	put("Subject", deref(p.Subject))
	put("Content type", deref(p.ContentType))
	put("Session", deref(p.GroupID))
	put("Correlation ID", amqpx.Value(p.CorrelationID))
	put("To", deref(p.To))
	put("Reply to", deref(p.ReplyTo))
	put("Partition key", amqpx.Value(m.Annotations[optPartition]))
	put("Deliveries", strconv.FormatInt(deliveries(m), 10))
	if m.Header != nil && m.Header.TTL > 0 {
		put("Lives for", m.Header.TTL.String())
	}
	put("Dead-letter reason", amqpx.Value(m.ApplicationProperties[deadReason]))
	put("Dead-letter description", amqpx.Value(m.ApplicationProperties[deadText]))
	put("Dead letter of", amqpx.Value(m.Annotations[optDeadSource]))
	_, size := amqpx.Body(m)
	put("Size (bytes)", strconv.Itoa(size))
	for i, name := range slices.Sorted(maps.Keys(m.ApplicationProperties)) {
		if i == maxProperties {
			put("More properties", strconv.Itoa(len(m.ApplicationProperties)-maxProperties))
			break
		}
		if name != deadReason && name != deadText {
			put("Property "+name, amqpx.Value(m.ApplicationProperties[name]))
		}
	}
	return out
}
