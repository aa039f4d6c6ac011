package kafka

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"jackfield/connectors"
)

type nodes = iter.Seq2[connectors.Node, error]

// metadata asks for brokers and topics, and never has a topic created. Rights
// are asked for where the broker tells them.
func (s *session) metadata(ctx context.Context, topics []string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.IncludeTopicAuthorizedOperations, req.IncludeClusterAuthorizedOperations = true, true
	for _, t := range topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, one)
	}
	m, err := req.RequestWith(ctx, s.cl)
	if err != nil {
		return nil, err
	}
	if len(topics) == 0 {
		if err := s.missing(ctx, m); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(m.Topics, func(a, b kmsg.MetadataResponseTopic) int { return strings.Compare(topicName(a), topicName(b)) })
	return m, nil
}

// missing asks by name for the topics that the form names and that were left out:
// only then a broker says why.
func (s *session) missing(ctx context.Context, m *kmsg.MetadataResponse) error {
	var names []string
	for _, n := range s.plainNames() {
		if !slices.ContainsFunc(m.Topics, func(t kmsg.MetadataResponseTopic) bool { return topicName(t) == n }) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return nil
	}
	more, err := s.metadata(ctx, names)
	if err == nil {
		m.Topics = append(m.Topics, more.Topics...)
	}
	return err
}

// Children lists topics, partitions, groups and brokers.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) nodes {
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		for n, err := range s.below(ctx, parent) {
			if ctx.Err() != nil || err != nil {
				yield(connectors.Node{}, s.explain(ctx, string(parent), err))
				return
			}
			if !yield(n, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
		}
	}
}

func (s *session) below(ctx context.Context, parent connectors.NodeID) nodes {
	p := partsOf(parent)
	switch {
	case parent == "":
		return roots
	case len(p) == 1 && p[0] == inTopics:
		return s.topics(ctx, false)
	case len(p) == 1 && p[0] == inInternal:
		return s.topics(ctx, true)
	case len(p) == 1 && p[0] == inGroups:
		return s.groups(ctx)
	case len(p) == 1 && p[0] == inBrokers:
		return s.brokers(ctx)
	case len(p) == 2 && (p[0] == inTopics || p[0] == inInternal):
		return s.partitions(ctx, p[0], p[1])
	case len(p) == 2 && p[0] == inGroups:
		return s.lags(ctx, p[1])
	}
	return failing(unknown(parent))
}

func failing(err error) nodes {
	return func(yield func(connectors.Node, error) bool) { yield(connectors.Node{}, err) }
}

func roots(yield func(connectors.Node, error) bool) {
	for _, f := range []struct{ id, name string }{{inTopics, "Topics"}, {inGroups, "Consumer groups"}, {inBrokers, "Brokers"}, {inInternal, "Kafka's own topics"}} {
		if !yield(connectors.Node{ID: idOf(f.id), Name: f.name, Kind: "folder", Branch: true, Ordered: true}, nil) {
			return
		}
	}
}

func (s *session) topics(ctx context.Context, internal bool) nodes {
	return func(yield func(connectors.Node, error) bool) {
		m, err := s.metadata(ctx, s.named())
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		kind := inTopics
		if internal {
			kind = inInternal
		}
		for t := range s.chosen(m) {
			if t.IsInternal == internal && !yield(topicNode(kind, t), nil) {
				return
			}
		}
	}
}

func topicNode(kind string, t kmsg.MetadataResponseTopic) connectors.Node {
	name := topicName(t)
	n := connectors.Node{ID: idOf(kind, name), Name: name, Kind: "topic", Branch: true, Views: []connectors.View{connectors.ViewMessages, connectors.ViewRows}}
	if err := topicErr(t); err != nil {
		n.Branch, n.Views, n.Access = false, nil, connectors.AccessDenied
		n.Facts = []connectors.Fact{{Label: "Refused", Text: err.Error()}}
		return n
	}
	ops := operations(t.AuthorizedOperations)
	n.Access = access(ops)
	n.Facts = []connectors.Fact{{Label: "Partitions", Text: strconv.Itoa(len(t.Partitions))}}
	if len(t.Partitions) > 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Copies", Text: strconv.Itoa(len(t.Partitions[0].Replicas))})
	}
	if len(ops) > 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Rights", Text: rightsWords(ops)})
	}
	return n
}

// partitions lists a topic's partitions with their offsets, and its settings.
func (s *session) partitions(ctx context.Context, kind, topic string) nodes {
	return func(yield func(connectors.Node, error) bool) {
		t, err := s.topic(ctx, topic)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		if !yield(s.settingsNode(ctx, kind, topic), nil) {
			return
		}
		starts, ends := s.offsets(ctx, topic)
		slices.SortFunc(t.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition) - int(b.Partition) })
		may := access(operations(t.AuthorizedOperations))
		for _, p := range t.Partitions {
			n := connectors.Node{ID: idOf(kind, topic, strconv.Itoa(int(p.Partition))), Name: partitionName(topic, p.Partition), Kind: "partition", Ordered: true, Access: may,
				Views: []connectors.View{connectors.ViewMessages, connectors.ViewRows}, Facts: partitionFacts(p)}
			n.Facts = append(n.Facts, offsetFacts(starts[topic][p.Partition], ends[topic][p.Partition])...)
			if !yield(n, nil) {
				return
			}
		}
	}
}

// topic is what the cluster says about one topic.
func (s *session) topic(ctx context.Context, name string) (kmsg.MetadataResponseTopic, error) {
	m, err := s.metadata(ctx, []string{name})
	if err != nil {
		return kmsg.MetadataResponseTopic{}, err
	}
	for _, t := range m.Topics {
		if topicName(t) == name {
			return t, topicErr(t)
		}
	}
	return kmsg.MetadataResponseTopic{}, kerr.UnknownTopicOrPartition
}

// offsets are the first and the next ones of every partition. What cannot be
// told is left out.
func (s *session) offsets(ctx context.Context, topic string) (starts, ends kadm.ListedOffsets) {
	starts, _ = s.adm.ListStartOffsets(ctx, topic)
	ends, _ = s.adm.ListEndOffsets(ctx, topic)
	return starts, ends
}

func partitionFacts(p kmsg.MetadataResponseTopicPartition) []connectors.Fact {
	leader := "none"
	if p.Leader >= 0 {
		leader = "broker " + strconv.Itoa(int(p.Leader))
	}
	out := []connectors.Fact{{Label: "Leader", Text: leader}, {Label: "Copies", Text: numbers(p.Replicas)}, {Label: "In sync", Text: numbers(p.ISR)}}
	if len(p.ISR) < len(p.Replicas) {
		out = append(out, connectors.Fact{Label: "Warning", Text: "fewer copies are in sync than there should be"})
	}
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		out = append(out, connectors.Fact{Label: "Trouble", Text: err.Error()})
	}
	return out
}

func numbers(ids []int32) string {
	var out []string
	for _, id := range ids {
		out = append(out, strconv.Itoa(int(id)))
	}
	return strings.Join(out, ", ")
}

func offsetFacts(start, end kadm.ListedOffset) []connectors.Fact {
	if start.Topic == "" || end.Topic == "" || start.Err != nil || end.Err != nil {
		return nil
	}
	return []connectors.Fact{
		{Label: "Messages", Text: "about " + humanize.Comma(end.Offset-start.Offset)},
		{Label: "Offsets", Text: fmt.Sprintf("%d to %d", start.Offset, end.Offset)},
	}
}

func (s *session) groups(ctx context.Context) nodes {
	return func(yield func(connectors.Node, error) bool) {
		all, err := s.adm.ListGroups(ctx)
		if err != nil && len(all) == 0 {
			yield(connectors.Node{}, err)
			return
		}
		for _, g := range all.Sorted() {
			n := connectors.Node{ID: idOf(inGroups, g.Group), Name: g.Group, Kind: "consumer group", Branch: true, Views: []connectors.View{connectors.ViewRows}, Access: connectors.AccessReadable}
			for _, f := range []connectors.Fact{{Label: "State", Text: g.State}, {Label: "Protocol", Text: g.ProtocolType}, {Label: "Coordinator", Text: "broker " + strconv.Itoa(int(g.Coordinator))}} {
				if f.Text != "" {
					n.Facts = append(n.Facts, f)
				}
			}
			if !yield(n, nil) {
				return
			}
		}
		if err != nil {
			yield(connectors.Node{}, err) // some brokers did not answer
		}
	}
}

// lag is how far a group has come. Nothing is joined and nothing committed.
func (s *session) lag(ctx context.Context, group string) (kadm.DescribedGroupLag, error) {
	all, err := s.adm.Lag(ctx, group)
	if err != nil {
		return kadm.DescribedGroupLag{}, err
	}
	g, ok := all[group]
	switch {
	case !ok:
		return g, kerr.GroupIDNotFound
	case g.Error() != nil:
		return g, g.Error()
	case g.State == "Dead" && len(g.Lag) == 0:
		return g, kerr.GroupIDNotFound
	}
	return g, nil
}

func (s *session) lags(ctx context.Context, group string) nodes {
	return func(yield func(connectors.Node, error) bool) {
		g, err := s.lag(ctx, group)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		for _, l := range g.Lag.Sorted() {
			n := connectors.Node{ID: idOf(inGroups, group, l.Topic, strconv.Itoa(int(l.Partition))), Name: partitionName(l.Topic, l.Partition), Kind: "lag", Ordered: true, Facts: lagFacts(l)}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func lagFacts(l kadm.GroupMemberLag) []connectors.Fact {
	if l.Err != nil {
		return []connectors.Fact{{Label: "Trouble", Text: l.Err.Error()}}
	}
	out := []connectors.Fact{{Label: "Lag", Text: humanize.Comma(l.Lag)}, {Label: "Committed", Text: committed(l)}, {Label: "End", Text: humanize.Comma(l.End.Offset)}}
	if l.Member != nil {
		out = append(out, connectors.Fact{Label: "Read by", Text: connectors.Clean(l.Member.ClientID+" at "+l.Member.ClientHost, 200)})
	}
	return out
}

func committed(l kadm.GroupMemberLag) string {
	if l.Commit.At < 0 {
		return "nothing yet"
	}
	return humanize.Comma(l.Commit.At)
}

func (s *session) brokers(ctx context.Context) nodes {
	return func(yield func(connectors.Node, error) bool) {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		m, err := req.RequestWith(ctx, s.cl)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		slices.SortFunc(m.Brokers, func(a, b kmsg.MetadataResponseBroker) int { return int(a.NodeID) - int(b.NodeID) })
		for _, b := range m.Brokers {
			id := strconv.Itoa(int(b.NodeID))
			n := connectors.Node{ID: idOf(inBrokers, id), Name: "broker " + id, Kind: "broker", Ordered: true, Facts: []connectors.Fact{{Label: "Address", Text: fmt.Sprintf("%s:%d", connectors.Clean(b.Host, 200), b.Port)}}}
			if b.Rack != nil {
				n.Facts = append(n.Facts, connectors.Fact{Label: "Rack", Text: connectors.Clean(*b.Rack, 100)})
			}
			if b.NodeID == m.ControllerID {
				n.Facts = append(n.Facts, connectors.Fact{Label: "Controller", Text: "yes"})
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// foremost are the settings that a person asks about first.
func foremost() []string {
	return []string{"cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "max.message.bytes", "compression.type"}
}

// settingsNode has a topic's foremost settings as facts, and all of them as rows.
func (s *session) settingsNode(ctx context.Context, kind, topic string) connectors.Node {
	n := connectors.Node{ID: idOf(kind, topic, settings), Name: "Settings", Kind: "settings", Ordered: true, Views: []connectors.View{connectors.ViewRows}, Access: connectors.AccessReadable}
	all, err := s.configs(ctx, topic)
	if err != nil {
		n.Access, n.Views = connectors.AccessDenied, nil
		n.Facts = []connectors.Fact{{Label: "Refused", Text: connectors.Explain(s.explain(ctx, topic, err)).Title}}
		return n
	}
	found := map[string]string{}
	for _, c := range all {
		found[c.Key] = settingText(c)
	}
	for _, key := range slices.DeleteFunc(foremost(), func(k string) bool { _, ok := found[k]; return !ok }) {
		n.Facts = append(n.Facts, connectors.Fact{Label: key, Text: connectors.Clean(found[key], 200)})
	}
	return n
}

func (s *session) configs(ctx context.Context, topic string) ([]kadm.Config, error) {
	all, err := s.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil, err
	}
	r, err := all.On(topic, nil)
	if err == nil {
		err = r.Err
	}
	return r.Configs, err
}

func settingText(c kadm.Config) string {
	switch {
	case c.Sensitive:
		return "(hidden)"
	case c.Value == nil:
		return ""
	}
	return *c.Value
}

// settingsTable has every setting of a topic.
func (s *session) settingsTable(ctx context.Context, topic string, limit int) (*connectors.Table, error) {
	all, err := s.configs(ctx, topic)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b kadm.Config) int { return strings.Compare(a.Key, b.Key) })
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Setting"}, {Name: "Value"}, {Name: "From"}}, Truncated: len(all) > limit}
	for _, c := range all[:min(limit, len(all))] {
		t.Rows = append(t.Rows, []any{c.Key, settingText(c), strings.ToLower(strings.ReplaceAll(c.Source.String(), "_", " "))})
	}
	return t, nil
}

// lagTable has a group's progress, one row a partition.
func (s *session) lagTable(ctx context.Context, group string, limit int) (*connectors.Table, error) {
	g, err := s.lag(ctx, group)
	if err != nil {
		return nil, err
	}
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Topic"}, {Name: "Partition", Numeric: true}, {Name: "Committed", Numeric: true}, {Name: "End", Numeric: true}, {Name: "Lag", Numeric: true}, {Name: "Read by"}}}
	all := g.Lag.Sorted()
	t.Truncated = len(all) > limit
	for _, l := range all[:min(limit, len(all))] {
		row := []any{l.Topic, int64(l.Partition), nil, nil, nil, nil}
		if l.Commit.At >= 0 {
			row[2] = l.Commit.At
		}
		if l.Err == nil {
			row[3], row[4] = l.End.Offset, l.Lag
		}
		if l.Member != nil {
			row[5] = l.Member.ClientID + " at " + l.Member.ClientHost
		}
		t.Rows = append(t.Rows, row)
	}
	if len(all) > 0 {
		topics := map[string]bool{}
		for _, l := range all {
			topics[l.Topic] = true
		}
		t.Note = fmt.Sprintf("%s; topics: %s; %s behind in all", strings.ToLower(g.State), strings.Join(slices.Sorted(maps.Keys(topics)), ", "), humanize.Comma(g.Lag.Total()))
	}
	return t, nil
}
