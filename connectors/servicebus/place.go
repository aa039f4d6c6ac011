package servicebus

import (
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/pathid"
)

// The first parts of ids, and the parts below an entity.
const (
	inQueues = "queues"
	inTopics = "topics"
	inNamed  = "named" // the entity of the form, where nothing may be listed

	partDead         = "dead-letter"
	partTransferDead = "transfer-dead-letter"
	partMessages     = "messages"
)

// Where sub-queues are below an entity
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues).
const (
	deadPath         = "/$deadletterqueue"
	transferDeadPath = "/$transfer/$deadletterqueue"
	subscriptionPart = "/Subscriptions/"
)

// A place is what an id means.
type place struct {
	root     string // inQueues …, "" for the root itself
	name     string // of the queue, topic or named entity; "" for the folder
	sub      string // of the subscription
	dead     string // partDead or partTransferDead, "" for the entity itself
	messages bool   // the folder of messages, or one of them
	sequence int64  // of one message, -1 for none
}

// parsePlace reads an id; ok is false for what is never handed out.
func parsePlace(id connectors.NodeID) (p place, ok bool) {
	p.sequence = -1
	parts, ok := pathid.Split(id)
	if !ok {
		return p, false
	}
	if len(parts) == 0 {
		return p, true
	}
	p.root, parts = parts[0], parts[1:]
	if !slices.Contains([]string{inQueues, inTopics, inNamed}, p.root) {
		return p, false
	}
	if len(parts) > 0 {
		if p.name, parts = parts[0], parts[1:]; p.name == "" {
			return p, false
		}
	}
	if p.root == inTopics && len(parts) > 0 {
		if p.sub, parts = parts[0], parts[1:]; p.sub == "" {
			return p, false
		}
	}
	if len(parts) > 0 && (parts[0] == partDead || parts[0] == partTransferDead) {
		p.dead, parts = parts[0], parts[1:]
	}
	if len(parts) > 0 && parts[0] == partMessages {
		p.messages, parts = true, parts[1:]
	}
	if len(parts) > 0 && p.messages {
		n, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil || n < 0 {
			return p, false
		}
		p.sequence, parts = n, parts[1:]
	}
	return p, len(parts) == 0
}

// readable reports whether the place has messages: a topic has none itself.
func (p place) readable() bool { return p.name != "" && (p.root != inTopics || p.sub != "") }

// path is the place's address.
func (p place) path() string {
	path := p.name
	if p.sub != "" {
		path += subscriptionPart + p.sub
	}
	switch p.dead {
	case partDead:
		path += deadPath
	case partTransferDead:
		path += transferDeadPath
	}
	return path
}

// subscriptionOf takes a path such as news/Subscriptions/audit apart.
func subscriptionOf(path string) (topic, sub string, ok bool) {
	i := strings.LastIndex(strings.ToLower(path), strings.ToLower(subscriptionPart))
	if i <= 0 {
		return "", "", false
	}
	topic, sub = path[:i], path[i+len(subscriptionPart):]
	return topic, sub, sub != "" && !strings.Contains(sub, "/")
}
