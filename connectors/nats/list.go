package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/nats-io/nats.go/jetstream"

	"jackfield/connectors"
)

// The levels of the tree: "streams/NAME/subjects/SUBJECT",
// "streams/NAME/consumers/NAME", "kv/BUCKET/KEY", "objects/STORE/NAME",
// "live/SUBJECT".
const (
	inStreams   = "streams"
	inSubjects  = "subjects"
	inConsumers = "consumers"
	inBuckets   = "kv"
	inObjects   = "objects"
	inLive      = "live"

	bucketPrefix = "KV_"
	objectPrefix = "OBJ_"
)

type nodes = iter.Seq2[connectors.Node, error]

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

func unknown(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "nats.not_found", Op: connectors.StageData, Target: string(id)}
}

// Children lists what JetStream has, and the subjects to listen to.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) nodes {
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		for n, err := range s.below(ctx, parent) {
			if ctx.Err() != nil || err != nil {
				yield(connectors.Node{}, s.failed(ctx, string(parent), cmpErr(err, ctx.Err())))
				return
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (s *session) below(ctx context.Context, parent connectors.NodeID) nodes {
	p := partsOf(parent)
	switch {
	case parent == "":
		return s.roots
	case len(p) == 1 && p[0] == inLive:
		return s.live
	case len(p) == 1 && (p[0] == inStreams || p[0] == inBuckets || p[0] == inObjects):
		return s.streams(ctx, p[0])
	case len(p) == 2 && p[0] == inStreams:
		return streamFolders(p[1])
	case len(p) == 2 && p[0] == inBuckets:
		return s.keys(ctx, p[1])
	case len(p) == 2 && p[0] == inObjects:
		return s.objects(ctx, p[1])
	case len(p) == 3 && p[0] == inStreams && p[2] == inSubjects:
		return s.subjects(ctx, p[1])
	case len(p) == 3 && p[0] == inStreams && p[2] == inConsumers:
		return s.consumers(ctx, p[1])
	}
	return func(yield func(connectors.Node, error) bool) { yield(connectors.Node{}, unknown(parent)) }
}

func (s *session) roots(yield func(connectors.Node, error) bool) {
	for _, f := range []struct{ id, name string }{{inStreams, "Streams"}, {inBuckets, "Key-value buckets"}, {inObjects, "Object stores"}} {
		n := connectors.Node{ID: idOf(f.id), Name: f.name, Kind: "folder", Branch: true, Ordered: true}
		if s.js.err != nil && s.js.err.Code == connectors.Unsupported {
			n.Branch, n.Access = false, connectors.AccessDenied
			n.Facts = []connectors.Fact{{Label: "Not there", Text: connectors.Explain(s.js.err).Title}}
		}
		if !yield(n, nil) {
			return
		}
	}
	yield(connectors.Node{ID: inLive, Name: "Live subjects", Kind: "subject", Branch: true, Ordered: true, Views: []connectors.View{connectors.ViewMessages}, Facts: []connectors.Fact{
		{Label: "Listens to", Text: strings.Join(list(s.c.Subjects), ", ")}, {Label: "Good to know", Text: "NATS has no list of subjects: what is published while you look is shown."},
	}}, nil)
}

func (s *session) live(yield func(connectors.Node, error) bool) {
	for _, f := range list(s.c.Subjects) {
		if !yield(connectors.Node{ID: idOf(inLive, f), Name: f, Kind: "subject", Ordered: true, Views: []connectors.View{connectors.ViewMessages}, Access: s.who.subscribes(f)}, nil) {
			return
		}
	}
}

// all walks the streams page by page, or asks for those that the form names.
func (s *session) all(ctx context.Context) iter.Seq2[*jetstream.StreamInfo, error] {
	return func(yield func(*jetstream.StreamInfo, error) bool) {
		for _, name := range list(s.c.Streams) {
			info, err := s.stream(ctx, name, "", 0)
			if err != nil {
				if !yield(&jetstream.StreamInfo{Config: jetstream.StreamConfig{Name: name}}, err) {
					return
				}
				continue
			}
			if !yield(&info.StreamInfo, nil) {
				return
			}
		}
		if len(list(s.c.Streams)) > 0 {
			return
		}
		for one, err := range s.told(ctx) {
			if !yield(one, err) {
				return
			}
		}
	}
}

// told are the streams that JetStream lists.
func (s *session) told(ctx context.Context) iter.Seq2[*jetstream.StreamInfo, error] {
	return func(yield func(*jetstream.StreamInfo, error) bool) {
		for offset := 0; ; {
			var out struct {
				page
				Streams []*jetstream.StreamInfo `json:"streams"`
			}
			if err := s.api(ctx, "STREAM.LIST", map[string]int{"offset": offset}, &out); err != nil {
				yield(nil, s.failed(ctx, "JetStream", err))
				return
			}
			for _, one := range out.Streams {
				if !yield(one, nil) {
					return
				}
			}
			if offset += len(out.Streams); len(out.Streams) == 0 || offset >= out.Total {
				return
			}
		}
	}
}

// kindOf tells streams from what is stored in streams by convention (ADR-8, ADR-20).
func kindOf(name string) (kind, short string) {
	if short, ok := strings.CutPrefix(name, bucketPrefix); ok {
		return inBuckets, short
	}
	if short, ok := strings.CutPrefix(name, objectPrefix); ok {
		return inObjects, short
	}
	return inStreams, name
}

func (s *session) streams(ctx context.Context, kind string) nodes {
	return func(yield func(connectors.Node, error) bool) {
		for info, err := range s.all(ctx) {
			if info == nil {
				yield(connectors.Node{}, err)
				return
			}
			k, short := kindOf(info.Config.Name)
			if k != kind {
				continue
			}
			n := s.streamNode(kind, short, info)
			if err != nil {
				n = connectors.Node{ID: idOf(kind, short), Name: short, Kind: kind, Access: connectors.AccessDenied, Facts: []connectors.Fact{{Label: "Refused", Text: connectors.Explain(err).Title}}}
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (s *session) streamNode(kind, name string, i *jetstream.StreamInfo) connectors.Node {
	n := connectors.Node{ID: idOf(kind, name), Name: name, Branch: true, Access: s.readable(i.Config)}
	size := connectors.Fact{Label: "Size", Text: humanize.IBytes(i.State.Bytes)}
	switch kind {
	case inBuckets:
		n.Kind, n.Views = "bucket", []connectors.View{connectors.ViewRows, connectors.ViewMessages}
		n.Facts = []connectors.Fact{{Label: "Keys", Text: humanize.Comma(int64(i.State.NumSubjects))}, size, {Label: "History", Text: strconv.FormatInt(i.Config.MaxMsgsPerSubject, 10)}}
	case inObjects:
		n.Kind, n.Facts = "object store", []connectors.Fact{size}
	default:
		n.Kind, n.Views = "stream", []connectors.View{connectors.ViewRows, connectors.ViewMessages}
		n.Facts = []connectors.Fact{
			{Label: "Messages", Text: humanize.Comma(int64(i.State.Msgs))}, size,
			{Label: "Subjects", Text: connectors.Clean(strings.Join(i.Config.Subjects, ", "), 300)},
			{Label: "Numbers", Text: fmt.Sprintf("%d to %d", i.State.FirstSeq, i.State.LastSeq)},
			{Label: "Consumers", Text: strconv.Itoa(i.State.Consumers)},
			{Label: "Keeps", Text: i.Config.Retention.String()},
			{Label: "Storage", Text: i.Config.Storage.String()},
		}
		if len(i.Config.Subjects) == 0 {
			n.Views = n.Views[:1] // a mirror has nothing to be heard on
		}
		if !i.State.LastTime.IsZero() && i.State.Msgs > 0 {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Newest", Text: i.State.LastTime.UTC().Format(time.RFC3339)})
		}
	}
	if i.Config.Description != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Description", Text: connectors.Clean(i.Config.Description, 300)})
	}
	return n
}

// readable is whether the stored messages may be fetched.
func (s *session) readable(c jetstream.StreamConfig) connectors.Access {
	if c.AllowDirect {
		return s.who.publishes(s.prefix() + "DIRECT.GET." + c.Name)
	}
	return s.who.publishes(s.prefix() + "STREAM.MSG.GET." + c.Name)
}

func streamFolders(name string) nodes {
	return func(yield func(connectors.Node, error) bool) {
		_ = yield(connectors.Node{ID: idOf(inStreams, name, inSubjects), Name: "Subjects", Kind: "folder", Branch: true, Ordered: true}, nil) &&
			yield(connectors.Node{ID: idOf(inStreams, name, inConsumers), Name: "Consumers", Kind: "folder", Branch: true, Ordered: true}, nil)
	}
}

func (s *session) subjects(ctx context.Context, stream string) nodes {
	return s.paged(ctx, stream, ">", func(info *streamInfo, subject string) (connectors.Node, bool, error) {
		return connectors.Node{ID: idOf(inStreams, stream, inSubjects, subject), Name: subject, Kind: "subject", Access: s.readable(info.Config),
			Views: []connectors.View{connectors.ViewContent, connectors.ViewMessages}, Facts: []connectors.Fact{{Label: "Messages", Text: humanize.Comma(int64(info.State.Subjects[subject]))}}}, true, nil
	})
}

// paged makes a node of each subject that filter means in a stream, a page of the
// server's (100,000) at a time.
func (s *session) paged(ctx context.Context, stream, filter string, node func(*streamInfo, string) (connectors.Node, bool, error)) nodes {
	return func(yield func(connectors.Node, error) bool) {
		for offset := 0; ; {
			info, err := s.stream(ctx, stream, filter, offset)
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			names := slices.Sorted(maps.Keys(info.State.Subjects))
			for _, name := range names {
				n, there, err := node(info, name)
				if err != nil {
					yield(connectors.Node{}, err)
					return
				}
				if there && (ctx.Err() != nil || !yield(n, nil)) {
					return
				}
			}
			if offset += len(names); len(names) == 0 || offset >= info.Total {
				return
			}
		}
	}
}

// keys are a bucket's. Whether the last entry of one deletes it is told by its
// content alone, which is not fetched for a list.
func (s *session) keys(ctx context.Context, bucket string) nodes {
	prefix := "$KV." + bucket + "."
	return s.paged(ctx, bucketPrefix+bucket, prefix+">", func(info *streamInfo, subject string) (connectors.Node, bool, error) {
		key := strings.TrimPrefix(subject, prefix)
		return connectors.Node{ID: idOf(inBuckets, bucket, key), Name: key, Kind: "key", Access: s.readable(info.Config),
			Views: []connectors.View{connectors.ViewContent, connectors.ViewMessages}, Facts: []connectors.Fact{{Label: "Revisions kept", Text: humanize.Comma(int64(info.State.Subjects[subject]))}}}, true, nil
	})
}

// An objectInfo is what a store says about an object (ADR-20).
type objectInfo struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	NUID        string    `json:"nuid"`
	Size        int64     `json:"size"`
	Chunks      int       `json:"chunks"`
	Digest      string    `json:"digest"`
	Deleted     bool      `json:"deleted"`
	Modified    time.Time `json:"-"` // of the message: the server puts no other time there
	Options     struct {
		Link *struct {
			Bucket string `json:"bucket"`
			Name   string `json:"name"`
		} `json:"link"`
	} `json:"options"`
}

func (s *session) objects(ctx context.Context, bucket string) nodes {
	return s.paged(ctx, objectPrefix+bucket, "$O."+bucket+".M.>", func(info *streamInfo, subject string) (connectors.Node, bool, error) {
		name, ok := objectName(subject)
		if !ok {
			return connectors.Node{}, false, nil
		}
		o, err := s.object(ctx, info, subject)
		if notThere(err) || err == nil && o.Deleted {
			return connectors.Node{}, false, nil
		}
		if err != nil {
			return connectors.Node{}, false, err
		}
		n := connectors.Node{ID: idOf(inObjects, bucket, name), Name: name, Kind: "object", Access: s.readable(info.Config), Views: []connectors.View{connectors.ViewContent},
			Facts: []connectors.Fact{{Label: "Size", Text: humanize.IBytes(uint64(max(0, o.Size)))}, {Label: "Modified", Text: o.Modified.UTC().Format(time.RFC3339)}}}
		if l := o.Options.Link; l != nil {
			n.Views = nil // a link is told and never followed
			n.Facts = append(n.Facts, connectors.Fact{Label: "Link to", Text: connectors.Clean(l.Bucket+"/"+l.Name, 300)})
		}
		return n, true, nil
	})
}

func (s *session) object(ctx context.Context, info *streamInfo, subject string) (objectInfo, error) {
	var o objectInfo
	m, err := s.get(ctx, info, want{LastOf: subject})
	if err != nil {
		return o, err
	}
	err = json.Unmarshal(m.data, &o)
	o.Modified = m.when
	return o, err
}

func (s *session) consumers(ctx context.Context, stream string) nodes {
	return func(yield func(connectors.Node, error) bool) {
		if !streamShape.MatchString(stream) {
			yield(connectors.Node{}, unknown(connectors.NodeID(stream)))
			return
		}
		for offset := 0; ; {
			var out struct {
				page
				Consumers []*jetstream.ConsumerInfo `json:"consumers"`
			}
			if err := s.api(ctx, "CONSUMER.LIST."+stream, map[string]int{"offset": offset}, &out); err != nil {
				yield(connectors.Node{}, s.failed(ctx, stream, err))
				return
			}
			for _, c := range out.Consumers {
				if !yield(consumerNode(stream, c), nil) {
					return
				}
			}
			if offset += len(out.Consumers); len(out.Consumers) == 0 || offset >= out.Total {
				return
			}
		}
	}
}

func consumerNode(stream string, c *jetstream.ConsumerInfo) connectors.Node {
	kind := "pull"
	if c.Config.DeliverSubject != "" { //nolint:staticcheck // push consumers still are what many streams have
		kind = "push"
	}
	lasting := "ephemeral"
	if c.Config.Durable != "" {
		lasting = "durable"
	}
	filters := c.Config.FilterSubjects
	if c.Config.FilterSubject != "" {
		filters = append(filters, c.Config.FilterSubject)
	}
	n := connectors.Node{ID: idOf(inStreams, stream, inConsumers, c.Name), Name: c.Name, Kind: "consumer", Access: connectors.AccessReadable, Facts: []connectors.Fact{
		{Label: "Pending", Text: humanize.Comma(int64(c.NumPending))}, {Label: "Waiting for acknowledgement", Text: strconv.Itoa(c.NumAckPending)},
		{Label: "Delivered again", Text: strconv.Itoa(c.NumRedelivered)}, {Label: "Delivered up to", Text: strconv.FormatUint(c.Delivered.Stream, 10)},
		{Label: "Kind", Text: lasting + ", " + kind},
	}}
	if len(filters) > 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Reads", Text: connectors.Clean(strings.Join(filters, ", "), 300)})
	}
	if c.Paused {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Paused", Text: "for " + c.PauseRemaining.Round(time.Second).String()})
	}
	return n
}
