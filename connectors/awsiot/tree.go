package awsiot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/mqttx"
)

// A branch is a listing at the root. The operations are those of the IoT and the
// IoT data API references, such as
// https://docs.aws.amazon.com/iot/latest/apireference/API_ListThings.html.
type branch struct {
	id, name      string
	service, path string
}

var branches = [...]branch{
	{"things", "Things", control, "/things"},
	{"types", "Thing types", control, "/thing-types"},
	{"groups", "Thing groups", control, "/thing-groups"},
	{"retained", "Retained messages", data, "/retainedMessage"},
}

const liveID = "live"

// perPage is the most that AWS lists at once.
const perPage = "250"

// page is an answer to any of the listings.
type page struct {
	Things      json.RawMessage // objects, and in a group names
	ThingTypes  []struct{ ThingTypeName, ThingTypeArn string }
	ThingGroups []struct{ GroupName, GroupArn string }
	Retained    []retained `json:"retainedTopics"`
	Results     []string   // names of shadows
	NextToken   string
}

type thing struct {
	ThingName, ThingTypeName, ThingArn string
	Attributes                         map[string]string
	Version                            int64
}

type retained struct {
	Topic            string
	PayloadSize, Qos int64
	LastModifiedTime int64
	Payload          string // base64, of one alone
}

// Children lists things, types, groups, kept messages and live topics.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	kind, rest, _ := strings.Cut(string(parent), "/")
	switch {
	case parent == "":
		return s.root(ctx)
	case kind == liveID:
		return s.liveChildren(ctx, rest)
	case !s.c.keys():
		return failed(keysNeeded(string(parent)))
	case kind == "things" && rest != "":
		return s.thing(ctx, rest)
	}
	return s.listing(ctx, kind, rest, string(parent))
}

func failed(err error) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) { yield(connectors.Node{}, err) }
}

func keysNeeded(target string) error {
	return &connectors.Error{Code: connectors.Denied, Reason: "awsiot.keys_needed", Op: connectors.StageData, Target: target, Field: "auth"}
}

func notFound(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: string(id)}
}

func (s *session) root(ctx context.Context) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for _, b := range branches {
			if ctx.Err() != nil {
				yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
				return
			}
			n := connectors.Node{ID: connectors.NodeID(b.id), Name: b.name, Kind: "folder", Branch: true, Ordered: true}
			e := s.refused(b.id)
			if !s.c.keys() {
				e = connectors.Classify(keysNeeded(b.name))
			}
			if e != nil {
				n.Access = connectors.AccessDenied
				n.Facts = []connectors.Fact{{Label: "Refused", Text: strings.TrimSpace(connectors.Explain(e).Title + " " + e.Said)}}
			}
			if !yield(n, nil) {
				return
			}
		}
		yield(connectors.Node{ID: liveID, Name: "Live topics", Kind: "folder", Branch: true, Ordered: true, Views: []connectors.View{connectors.ViewMessages}}, nil)
	}
}

// listing pages through a branch, or the things of a type or group.
func (s *session) listing(ctx context.Context, kind, rest, parent string) iter.Seq2[connectors.Node, error] {
	i := slices.IndexFunc(branches[:], func(b branch) bool { return b.id == kind })
	name, err := url.PathUnescape(rest)
	if i < 0 || err != nil || rest != "" && kind == "retained" {
		return failed(notFound(connectors.NodeID(parent)))
	}
	b := branches[i]
	query := url.Values{"maxResults": {perPage}}
	switch {
	case rest != "" && kind == "types":
		b = branches[0]
		query.Set("thingTypeName", name)
	case rest != "" && kind == "groups":
		b.path = "/thing-groups/" + url.PathEscape(name) + "/things"
	}
	return s.pages(ctx, b, query, func(p page) ([]connectors.Node, error) { return p.nodes() }, rest == "")
}

// pages yields what each page holds; nothing piles up. note says that the branch
// itself is listed.
func (s *session) pages(ctx context.Context, b branch, query url.Values, nodes func(page) ([]connectors.Node, error), note bool) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		for seen := ""; ; {
			var p page
			err := s.get(ctx, b.service, b.path, q, &p)
			if note {
				s.note(b.id, err)
			}
			var list []connectors.Node
			if err == nil {
				list, err = nodes(p)
			}
			if err != nil {
				yield(connectors.Node{}, s.fitting(err))
				return
			}
			for _, n := range list {
				if ctx.Err() != nil {
					yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
					return
				}
				if !yield(n, nil) {
					return
				}
			}
			if p.NextToken == "" || p.NextToken == seen {
				return
			}
			seen = p.NextToken
			q.Set("nextToken", seen)
		}
	}
}

func (p page) nodes() ([]connectors.Node, error) {
	out, err := p.things()
	for _, t := range p.ThingTypes {
		out = append(out, folder("types", t.ThingTypeName, "thing type", connectors.Fact{Label: "ARN", Text: t.ThingTypeArn}))
	}
	for _, g := range p.ThingGroups {
		out = append(out, folder("groups", g.GroupName, "thing group", connectors.Fact{Label: "ARN", Text: g.GroupArn}))
	}
	for _, r := range p.Retained {
		out = append(out, connectors.Node{ID: connectors.NodeID("retained/" + url.PathEscape(r.Topic)), Name: r.Topic, Kind: "message", Views: []connectors.View{connectors.ViewContent},
			Facts: []connectors.Fact{{Label: "Size", Text: humanize.IBytes(uint64(max(0, r.PayloadSize)))}, {Label: "Modified", Text: stamp(r.LastModifiedTime)}, {Label: "QoS", Text: fmt.Sprint(r.Qos)}}})
	}
	return out, err
}

// things are objects, or bare names where a group lists them.
func (p page) things() ([]connectors.Node, error) {
	if len(p.Things) == 0 {
		return nil, nil
	}
	var list []thing
	if json.Unmarshal(p.Things, &list) != nil {
		var names []string
		if err := json.Unmarshal(p.Things, &names); err != nil {
			return nil, &connectors.Error{Code: connectors.Refused, Reason: "awsiot.answer", Op: connectors.StageData}
		}
		list = nil
		for _, name := range names {
			list = append(list, thing{ThingName: name})
		}
	}
	out := make([]connectors.Node, 0, len(list))
	for _, t := range list {
		n := folder("things", t.ThingName, "thing")
		if t.ThingTypeName != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Type", Text: t.ThingTypeName})
		}
		keys := make([]string, 0, len(t.Attributes))
		for k := range t.Attributes {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			n.Facts = append(n.Facts, connectors.Fact{Label: k, Text: t.Attributes[k]})
		}
		if t.ThingArn != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: "ARN", Text: t.ThingArn})
		}
		out = append(out, n)
	}
	return out, nil
}

func folder(kind, name, what string, facts ...connectors.Fact) connectors.Node {
	return connectors.Node{ID: connectors.NodeID(kind + "/" + url.PathEscape(name)), Name: name, Kind: what, Branch: true, Facts: facts}
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// thing lists a thing's shadows, and where its live messages are.
func (s *session) thing(ctx context.Context, rest string) iter.Seq2[connectors.Node, error] {
	name, err := url.PathUnescape(rest)
	if err != nil || strings.Contains(rest, "/") {
		return failed(notFound(connectors.NodeID("things/" + rest)))
	}
	shadow := func(id, label string) connectors.Node {
		return connectors.Node{ID: connectors.NodeID("shadow/" + rest + "/" + id), Name: label, Kind: "shadow", Views: []connectors.View{connectors.ViewContent}}
	}
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		live := connectors.Node{ID: connectors.NodeID(liveID + "/" + shadowTopic(name)), Name: "Live shadow messages", Kind: "topic", Branch: true, Views: []connectors.View{connectors.ViewMessages}}
		if !yield(live, nil) || !yield(shadow("", "Shadow"), nil) {
			return
		}
		b := branch{service: data, path: "/api/things/shadow/ListNamedShadowsForThing/" + url.PathEscape(name)}
		named := func(p page) (out []connectors.Node, err error) {
			for _, x := range p.Results {
				out = append(out, shadow(url.PathEscape(x), x))
			}
			return out, nil
		}
		s.pages(ctx, b, url.Values{"pageSize": {"100"}}, named, false)(yield)
	}
}

func shadowTopic(thing string) string { return "$aws/things/" + thing + "/shadow" }

// listeningTo is the live connection, having asked for the topics below $aws that
// id is among: "#" leaves those out.
func (s *session) listeningTo(ctx context.Context, id string) (*mqttx.Live, error) {
	l, err := s.live(ctx)
	if err != nil {
		return nil, err
	}
	levels := strings.SplitN(id, "/", 5)
	if len(levels) < 4 || levels[0] != "$aws" || levels[1] != "things" || levels[3] != "shadow" || strings.ContainsAny(levels[2], "#+") {
		return l, nil
	}
	filter := shadowTopic(levels[2]) + "/#"
	s.mu.Lock()
	asked := s.shadows[filter]
	s.mu.Unlock()
	if asked {
		return l, nil
	}
	if err := l.Ask(ctx, filter); err != nil {
		return nil, s.fitting(err)
	}
	s.mu.Lock()
	s.shadows[filter] = true
	s.mu.Unlock()
	return l, nil
}

func (s *session) liveChildren(ctx context.Context, topic string) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		l, err := s.listeningTo(ctx, topic)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		for n, err := range l.Children(ctx, connectors.NodeID(topic)) {
			if e := connectors.Classify(err); e != nil && e.Reason == "mqtt.unheard" && strings.HasPrefix(topic, "$aws/") {
				return // nothing was said there yet
			}
			n.ID = liveID + "/" + n.ID
			if err != nil {
				n = connectors.Node{}
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// Watch tells messages of live topics; other nodes have none.
func (s *session) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		topic := strings.TrimPrefix(strings.TrimPrefix(string(id), liveID), "/")
		if id != "" && string(id) != liveID && !strings.HasPrefix(string(id), liveID+"/") {
			yield(connectors.Event{}, &connectors.Error{Code: connectors.Unsupported, Reason: "awsiot.no_messages", Op: connectors.StageData, Target: string(id)})
			return
		}
		l, err := s.listeningTo(ctx, topic)
		if err != nil {
			yield(connectors.Event{}, err)
			return
		}
		for e, err := range l.Watch(ctx, connectors.NodeID(topic)) {
			if err == nil {
				e.Path = append([]string{liveID}, e.Path...)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Sample is a shadow's document, or the last message of a topic.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, most int) (connectors.Sample, error) {
	kind, rest, _ := strings.Cut(string(id), "/")
	switch {
	case kind == liveID:
		l, err := s.listeningTo(ctx, rest)
		if err != nil {
			return connectors.Sample{}, err
		}
		return l.Sample(ctx, connectors.NodeID(rest), most)
	case !s.c.keys():
		return connectors.Sample{}, keysNeeded(string(id))
	case kind == "shadow":
		return s.shadow(ctx, id, rest, most)
	case kind == "retained" && rest != "":
		return s.kept(ctx, id, rest, most)
	}
	return connectors.Sample{}, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id)}
}

// shadow indents the document (https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_GetThingShadow.html).
func (s *session) shadow(ctx context.Context, id connectors.NodeID, rest string, most int) (connectors.Sample, error) {
	thing, name, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(name)
	if err != nil || thing == "" {
		return connectors.Sample{}, notFound(id)
	}
	query := url.Values{}
	if name != "" {
		query.Set("name", name)
	}
	var doc json.RawMessage
	if err := s.get(ctx, data, "/things/"+thing+"/shadow", query, &doc); err != nil {
		e := *connectors.Classify(s.fitting(err))
		if e.Code == connectors.NotFound {
			e.Reason, e.Target = "awsiot.no_shadow", thing
		}
		return connectors.Sample{}, &e
	}
	var b bytes.Buffer
	if json.Indent(&b, doc, "", "  ") != nil {
		b.Reset()
		b.Write(doc)
	}
	return cut("application/json", b.Bytes(), most), nil
}

func (s *session) kept(ctx context.Context, id connectors.NodeID, rest string, most int) (connectors.Sample, error) {
	topic, err := url.PathUnescape(rest)
	if err != nil {
		return connectors.Sample{}, notFound(id)
	}
	var one retained
	if err := s.get(ctx, data, "/retainedMessage/"+url.PathEscape(topic), nil, &one); err != nil {
		return connectors.Sample{}, s.fitting(err)
	}
	body, err := base64.StdEncoding.DecodeString(one.Payload)
	if err != nil {
		return connectors.Sample{}, &connectors.Error{Code: connectors.Refused, Reason: "awsiot.answer", Op: connectors.StageData, Target: topic}
	}
	return cut(mqttx.MediaType("", body), body, most), nil
}

func cut(media string, data []byte, most int) connectors.Sample {
	return connectors.Sample{MediaType: media, Data: data[:min(len(data), most)], Size: int64(len(data)), Truncated: len(data) > most}
}

// Actions are what can be done at a live topic.
func (s *session) Actions(id connectors.NodeID) []connectors.Action {
	topic, ok := strings.CutPrefix(string(id), liveID+"/")
	if !ok {
		return nil
	}
	return mqttx.Actions(topic)
}

// Act publishes one message, once.
func (s *session) Act(ctx context.Context, id connectors.NodeID, action, input string) ([]connectors.Part, error) {
	topic, ok := strings.CutPrefix(string(id), liveID+"/")
	if !ok {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "mqtt.no_publish", Op: connectors.StageData, Target: string(id)}
	}
	l, err := s.live(ctx)
	if err != nil {
		return nil, err
	}
	return l.Act(ctx, topic, action, input)
}
