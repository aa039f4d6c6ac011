package mqttx

import (
	"context"
	"strconv"

	"github.com/eclipse/paho.golang/packets"

	"jackfield/connectors"
)

// The actions at a topic.
const (
	ActPublish  = "publish"
	ActRetained = "publish_retained"
)

// Actions are what can be done at a topic; nil where nothing may be published:
// above all topics, at a filter, and among the broker's own figures.
func Actions(topic string) []connectors.Action {
	if validTopic(topic) != nil || topic[0] == '$' {
		return nil
	}
	return []connectors.Action{
		{ID: ActPublish, Label: "Publish a message", Ask: "Message",
			Warning: "Everybody who listens to this topic gets the message, machines too."},
		{ID: ActRetained, Label: "Publish and keep", Ask: "Message",
			Warning: "The broker keeps this message in place of the one that it kept before, and gives it to everybody who subscribes later, until another one is kept there. Machines act on it, too."},
	}
}

// Act publishes input at a topic, once, and says what the broker answered.
func (l *Live) Act(ctx context.Context, topic, action, input string) ([]connectors.Part, error) {
	known := Actions(topic) != nil && (action == ActPublish || action == ActRetained)
	switch {
	case !known:
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "mqtt.no_publish", Op: connectors.StageData, Target: topic}
	case input == "":
		// An empty retained message would delete the one that is kept (section 3.3.1.3).
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "mqtt.empty", Op: connectors.StageForm, Target: topic}
	}
	v, err := l.wire.publish(ctx, topic, []byte(input), action == ActRetained)
	if err != nil {
		return nil, l.broken(err)
	}
	if v.refused() {
		return nil, pubackError(topic, v)
	}
	return []connectors.Part{{Title: "Answer of the broker", Text: l.answer(v)}}, nil
}

func (l *Live) answer(v verdict) string {
	switch {
	case l.o.Version != V5:
		return "The broker took the message. MQTT 3.1.1 does not tell whether this account may publish there: a message that it may not publish is taken, too, and thrown away."
	case v.code == packets.PubackNoMatchingSubscribers:
		return "Reason code 16: the broker took the message, and nobody listens to this topic."
	}
	return "Reason code " + strconv.Itoa(int(v.code)) + ": the broker took the message."
}
