package web

import (
	"context"
	"iter"
	"net/url"
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

// infoID is the node of the user info answer (OpenID Connect Core section 5.3).
const infoID connectors.NodeID = "userinfo"

// apart is the user info endpoint, which stands outside the API's base address.
type apart struct{ url *url.URL }

// signedIn is a session of the generic OAuth type.
type signedIn struct {
	*session
	info *apart
}

// claims asks for the user info; nil where the provider has none.
func (s *signedIn) claims(ctx context.Context) (*jsonx.Object, []byte, error) {
	if s.info.url == nil {
		return nil, nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, connectors.Classify(context.Cause(ctx))
	}
	res, err := s.send(ctx, s.info.url, request{}, "", 0)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.spec.judge(res)
	if err != nil {
		return nil, nil, err
	}
	o, _ := v.(*jsonx.Object)
	return o, res.Body, nil
}

// Check tells who signed in, and what was granted.
func (s *signedIn) Check(ctx context.Context) ([]connectors.Fact, error) {
	var out []connectors.Fact
	o, _, err := s.claims(ctx)
	if err != nil {
		return nil, err
	}
	if o != nil {
		for _, f := range people() {
			if text := jsonx.Text(o, f.Path); text != "" {
				out = append(out, connectors.Fact{Label: f.Label, Text: connectors.Clean(text, 200)})
			}
		}
	}
	rest, err := s.session.Check(ctx)
	return append(out, rest...), err
}

// Children begins with the user info.
func (s *signedIn) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	if parent != "" || s.info.url == nil {
		return s.session.Children(ctx, parent)
	}
	return func(yield func(connectors.Node, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if !yield(connectors.Node{ID: infoID, Name: "User info", Kind: "resource", Views: []connectors.View{connectors.ViewRows, connectors.ViewContent}}, nil) {
			return
		}
		for n, err := range s.session.Children(ctx, "") {
			if !yield(n, err) {
				return
			}
		}
	}
}

// Table shows the user info as names and values.
func (s *signedIn) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	if id != infoID || s.info.url == nil {
		return s.session.Table(ctx, id, limit)
	}
	o, _, err := s.claims(ctx)
	if err != nil || o == nil {
		return nil, err
	}
	t := jsonx.Members(o)
	if len(t.Rows) > limit {
		t.Rows, t.Truncated = slices.Clip(t.Rows[:limit]), true
	}
	return t, nil
}

// Sample shows the user info as it came.
func (s *signedIn) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	if id != infoID || s.info.url == nil {
		return s.session.Sample(ctx, id, max)
	}
	_, body, err := s.claims(ctx)
	if err != nil {
		return connectors.Sample{}, err
	}
	cut := body[:min(len(body), max)]
	return connectors.Sample{MediaType: "application/json", Data: cut, Size: int64(len(body)), Truncated: len(cut) < len(body)}, nil
}
