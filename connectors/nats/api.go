package nats

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"jackfield/connectors"
)

// requestTime bounds one request: what may not be asked is often not answered.
const requestTime = 5 * time.Second

// request asks once. A refusal of the subject ends it at once.
func (s *session) request(ctx context.Context, subject string, body []byte) (*client.Msg, error) {
	bounded, stop := context.WithTimeout(ctx, requestTime)
	defer stop()
	inner, done := s.refusable(bounded, subject, true)
	defer done()
	m, err := s.nc.RequestWithContext(inner, subject, body)
	if err == nil {
		return m, nil
	}
	var refusal *connectors.Error
	if errors.As(context.Cause(inner), &refusal) {
		return nil, refusal
	}
	return nil, err
}

// failed classifies what went wrong in a request about target.
func (s *session) failed(ctx context.Context, target string, err error) error {
	if ctx.Err() == nil && (errors.Is(err, client.ErrConnectionClosed) || errors.Is(err, client.ErrDisconnected)) {
		return s.why(ctx)
	}
	return explained(ctx, s.c, connectors.StageData, target, err)
}

// api is JetStream's own, over the subjects of
// https://docs.nats.io/reference/reference-protocols/nats_api_reference
func (s *session) api(ctx context.Context, subject string, req, into any) error {
	var body []byte
	if req != nil {
		body, _ = json.Marshal(req) // plain structs
	}
	m, err := s.request(ctx, s.prefix()+subject, body)
	if errors.Is(err, client.ErrNoResponders) {
		return s.nobody(err)
	}
	if err != nil {
		return err
	}
	var refused struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &refused); err != nil {
		return err
	}
	if refused.Error != nil {
		return s.apiError(refused.Error)
	}
	return json.Unmarshal(m.Data, into)
}

// nobody is that no JetStream answers at all: it is switched off, or in another
// domain.
func (s *session) nobody(err error) error {
	if s.c.Domain != "" {
		return &connectors.Error{Code: connectors.NotFound, Reason: "nats.no_domain", Op: connectors.StageRights, Target: s.c.Domain, Field: "domain", Err: err}
	}
	return &connectors.Error{Code: connectors.Unsupported, Reason: "nats.no_jetstream", Op: connectors.StageRights, Err: err}
}

func (s *session) prefix() string {
	if s.c.Domain != "" {
		return "$JS." + s.c.Domain + ".API."
	}
	return "$JS.API."
}

// apiError maps the numbers of JetStream's errors:
// https://github.com/nats-io/nats-server/blob/main/server/errors.json
func (s *session) apiError(e *jetstream.APIError) error {
	out := &connectors.Error{Code: connectors.Refused, Reason: "nats.jetstream", Op: connectors.StageData, Said: e.Description, Err: e}
	switch e.ErrorCode {
	case jetstream.JSErrCodeStreamNotFound:
		out.Code, out.Reason = connectors.NotFound, "nats.no_stream"
	case jetstream.JSErrCodeMessageNotFound:
		out.Code, out.Reason = connectors.NotFound, "nats.no_message"
	case jetstream.JSErrCodeJetStreamNotEnabled:
		out.Code, out.Reason = connectors.Unsupported, "nats.no_jetstream"
	case jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		out.Code, out.Reason = connectors.Unsupported, "nats.no_jetstream_account"
	default:
		if e.Code == http.StatusServiceUnavailable {
			out.Code, out.Reason = connectors.Unreachable, "nats.js_unavailable"
		}
	}
	return out
}

// A jetstreamState is whether JetStream can be used, and what it holds.
type jetstreamState struct {
	info jetstream.AccountInfo
	err  *connectors.Error
}

func (s *session) jetstream(ctx context.Context) jetstreamState {
	var out jetstreamState
	err := s.api(ctx, "INFO", nil, &out.info)
	if err != nil {
		out.err = connectors.Classify(s.failed(ctx, "JetStream", err))
	}
	return out
}

func (j jetstreamState) words() string {
	if j.err != nil {
		return "no JetStream: " + connectors.Explain(j.err).Title
	}
	return "JetStream"
}

func (j jetstreamState) facts() []connectors.Fact {
	if j.err != nil {
		return []connectors.Fact{{Label: "JetStream", Text: connectors.Explain(j.err).Title}}
	}
	out := []connectors.Fact{
		{Label: "JetStream", Text: "switched on"},
		{Label: "Streams", Text: strconv.Itoa(j.info.Streams)},
		{Label: "Consumers", Text: strconv.Itoa(j.info.Consumers)},
		{Label: "Stored", Text: humanize.IBytes(j.info.Store) + " on disk, " + humanize.IBytes(j.info.Memory) + " in memory"},
	}
	if j.info.Domain != "" {
		out = append(out, connectors.Fact{Label: "Domain", Text: connectors.Clean(j.info.Domain, 200)})
	}
	return out
}

// A page is where a listing of the API stands.
type page struct {
	Total  int `json:"total"`
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
}

// A streamInfo is a stream, with a page of its subjects where they were asked for.
type streamInfo struct {
	page
	jetstream.StreamInfo
}

// stream asks for one stream, with the subjects that filter means from an offset.
func (s *session) stream(ctx context.Context, name, filter string, offset int) (*streamInfo, error) {
	if !streamShape.MatchString(name) {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "nats.no_stream", Op: connectors.StageData, Target: name}
	}
	var req any
	if filter != "" {
		req = map[string]any{"subjects_filter": filter, "offset": offset}
	}
	var out streamInfo
	if err := s.api(ctx, "STREAM.INFO."+name, req, &out); err != nil {
		return nil, s.failed(ctx, name, err)
	}
	return &out, nil
}

// A stored message.
type stored struct {
	subject string
	seq     uint64
	when    time.Time
	header  client.Header
	data    []byte
}

// A want says which message: by its number, the next of a subject from a number
// on, or the last of a subject.
type want struct {
	Seq    uint64 `json:"seq,omitempty"`
	Next   string `json:"next_by_subj,omitempty"`
	LastOf string `json:"last_by_subj,omitempty"`
}

// get fetches one stored message without a consumer, so that nothing is delivered
// and nothing acknowledged, and a work queue keeps it.
func (s *session) get(ctx context.Context, in *streamInfo, w want) (*stored, error) {
	name := in.Config.Name
	if in.Config.AllowDirect {
		return s.direct(ctx, name, w)
	}
	var out struct {
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	if err := s.api(ctx, "STREAM.MSG.GET."+name, w, &out); err != nil {
		return nil, s.failed(ctx, name, err)
	}
	m := out.Message
	got := &stored{subject: m.Subject, seq: m.Seq, when: m.Time, data: m.Data}
	if len(m.Header) > 0 {
		got.header, _ = client.DecodeHeadersMsg(m.Header)
	}
	return got, nil
}

// direct asks any copy of the stream:
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md
func (s *session) direct(ctx context.Context, name string, w want) (*stored, error) {
	body, _ := json.Marshal(w)
	m, err := s.request(ctx, s.prefix()+"DIRECT.GET."+name, body)
	if err != nil {
		return nil, s.failed(ctx, name, err)
	}
	if status := m.Header.Get("Status"); status != "" {
		e := &connectors.Error{Code: connectors.Refused, Reason: "nats.jetstream", Op: connectors.StageData, Target: name, Said: m.Header.Get("Description")}
		if status == "404" {
			e.Code, e.Reason = connectors.NotFound, "nats.no_message"
		}
		return nil, e
	}
	seq, _ := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	when, _ := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	got := &stored{subject: m.Header.Get("Nats-Subject"), seq: seq, when: when, data: m.Data, header: client.Header{}}
	for k, v := range m.Header {
		switch k {
		case "Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Last-Sequence", "Nats-Num-Pending":
		default:
			got.header[k] = v
		}
	}
	return got, nil
}

func notThere(err error) bool {
	e := connectors.Classify(err)
	return e != nil && e.Reason == "nats.no_message"
}

// objectName is the name of an object as its subject has it, and the reverse:
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
func objectName(subject string) (string, bool) {
	raw, err := base64.URLEncoding.DecodeString(subject[strings.LastIndexByte(subject, '.')+1:])
	return string(raw), err == nil
}

func objectSubject(bucket, name string) string {
	return "$O." + bucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
}
