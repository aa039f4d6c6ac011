package kafka

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"jackfield/connectors"
)

// The levels of the tree: "topics/NAME/NUMBER", "topics/NAME/settings",
// "internal/NAME/…", "groups/NAME/TOPIC/NUMBER", "brokers/NUMBER".
const (
	inTopics   = "topics"
	inInternal = "internal"
	inGroups   = "groups"
	inBrokers  = "brokers"
	settings   = "settings"
)

var partEscape = strings.NewReplacer("%", "%25", "/", "%2F")

func idOf(parts ...string) connectors.NodeID {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = partEscape.Replace(p)
	}
	return connectors.NodeID(strings.Join(out, "/"))
}

// partsOf takes an id apart, nil where nothing can have it.
func partsOf(id connectors.NodeID) []string {
	parts := strings.Split(string(id), "/")
	for i, p := range parts {
		name := strings.NewReplacer("%25", "%", "%2F", "/").Replace(p)
		if p == "" || partEscape.Replace(name) != p {
			return nil
		}
		parts[i] = name
	}
	return parts
}

// A place is a topic or one partition of it.
type place struct {
	topic     string
	partition int32 // -1 for all
}

// placeOf is the topic or partition of an id.
func placeOf(id connectors.NodeID) (place, bool) {
	p := partsOf(id)
	if len(p) < 2 || len(p) > 3 || p[0] != inTopics && p[0] != inInternal {
		return place{}, false
	}
	if len(p) == 2 {
		return place{p[1], -1}, true
	}
	n, err := strconv.ParseInt(p[2], 10, 32)
	return place{p[1], int32(n)}, err == nil && n >= 0
}

func unknown(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "kafka.no_topic", Op: connectors.StageData, Target: string(id)}
}

// partitionName is what Kafka calls a partition in its own logs.
func partitionName(topic string, n int32) string { return topic + "-" + strconv.Itoa(int(n)) }

// plainNames are the topics that the form names without a wildcard.
func (s *session) plainNames() []string {
	return slices.DeleteFunc(list(s.c.Topics), func(n string) bool { return strings.Contains(n, "*") })
}

// named is what metadata is asked for: nil for every topic.
func (s *session) named() []string {
	if plain := s.plainNames(); len(plain) > 0 && len(plain) == len(list(s.c.Topics)) {
		return plain
	}
	return nil
}

// chosen are the topics of an answer that the form wants, in the order of their names.
func (s *session) chosen(m *kmsg.MetadataResponse) iter.Seq[kmsg.MetadataResponseTopic] {
	patterns := list(s.c.Topics)
	return func(yield func(kmsg.MetadataResponseTopic) bool) {
		for _, t := range m.Topics {
			fits := func(p string) bool { return matches(p, topicName(t)) }
			if (len(patterns) == 0 || slices.ContainsFunc(patterns, fits)) && !yield(t) {
				return
			}
		}
	}
}

func topicName(t kmsg.MetadataResponseTopic) string {
	if t.Topic == nil {
		return ""
	}
	return *t.Topic
}

func topicErr(t kmsg.MetadataResponseTopic) error { return kerr.ErrorForCode(t.ErrorCode) }

// operations are what the account may do (KIP-430), nil where it is not told.
func operations(bits int32) []kadm.ACLOperation { return kadm.DecodeACLOperations(bits) }

func rightsWords(ops []kadm.ACLOperation) string {
	var out []string
	for _, op := range ops {
		out = append(out, strings.ToLower(strings.ReplaceAll(op.String(), "_", " ")))
	}
	return strings.Join(out, ", ")
}

// access is what operations on a topic mean for reading it.
func access(ops []kadm.ACLOperation) connectors.Access {
	switch {
	case len(ops) == 0:
		return ""
	case slices.Contains(ops, kadm.OpRead), slices.Contains(ops, kadm.OpAll):
		return connectors.AccessReadable
	}
	return connectors.AccessListed
}
