package account

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"sync/atomic"
	"time"

	"jackfield/connectors"
)

// A thing is a node with what lies in it, all of it already read.
type thing struct {
	connectors.Node
	media  string // of content
	text   string
	inside []*thing
}

// found is what linking finds out.
type found struct {
	facts   facts
	problem *connectors.Error // Partial: it works, with a reservation
	things  []*thing
	said    string // for the rung: "Ed25519 private key"
}

// warn keeps the first reservation: what makes it useless comes before what makes it weak.
func (f *found) warn(e *connectors.Error) {
	if f.problem == nil {
		e.Partial, e.Op = true, connectors.StageRights
		f.problem = e
	}
}

// facts are cleaned and capped; empty ones are left out.
type facts []connectors.Fact

const maxFact = 300

func (f *facts) add(label, text string) {
	if text != "" {
		*f = append(*f, connectors.Fact{Label: label, Text: connectors.Clean(text, maxFact)})
	}
}

func (f *facts) count(label string, n int) { f.add(label, strconv.Itoa(n)) }

func (f *facts) time(label string, t time.Time) {
	if !t.IsZero() {
		f.add(label, t.UTC().Format(time.RFC3339))
	}
}

// branch makes a node of things; its id is its parent's with its own after it.
func branch(id, name, kind string, facts facts, inside ...*thing) *thing {
	t := &thing{Node: connectors.Node{ID: connectors.NodeID(id), Name: name, Kind: kind, Access: connectors.AccessReadable, Facts: facts}}
	for _, i := range inside {
		if i != nil {
			i.ID = t.ID + "/" + i.ID
			t.inside = append(t.inside, i)
		}
	}
	t.Branch = len(t.inside) > 0
	t.Ordered = true
	return t
}

// document makes a node with text to copy, nil for no text.
func document(id, name, kind, media, text string) *thing {
	if text == "" {
		return nil
	}
	t := branch(id, name, kind, nil)
	t.media, t.text, t.Views = media, text, []connectors.View{connectors.ViewContent}
	return t
}

// offline makes an Open that reads and never dials.
func offline[C any](read func(c C, now time.Time) (*found, error)) func(context.Context, *connectors.Env, C) (connectors.Session, error) {
	return func(ctx context.Context, env *connectors.Env, c C) (connectors.Session, error) {
		now := time.Now
		if env != nil && env.Now != nil {
			now = env.Now
		}
		s := &session{nodes: map[connectors.NodeID]*thing{}}
		err := env.Climb(ctx, connectors.StageSignIn, "on this computer", func(ctx context.Context) (string, error) {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			var err error
			if s.found, err = read(c, now()); err != nil {
				return "", err
			}
			return s.found.said, nil
		})
		if err != nil {
			return nil, err
		}
		s.index(s.found.things)
		return s, nil
	}
}

// A session has everything in memory and changes nothing of it.
type session struct {
	found  *found
	nodes  map[connectors.NodeID]*thing
	closed atomic.Bool
}

var errClosed = &connectors.Error{Code: connectors.Cancelled, Said: "the connection was closed"}

func (s *session) index(things []*thing) {
	for _, t := range things {
		s.nodes[t.ID] = t
		s.index(t.inside)
	}
}

func (s *session) ready(ctx context.Context) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	if s.closed.Load() {
		return errClosed
	}
	return nil
}

// Check tells what was found when it was opened.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	out := append([]connectors.Fact(nil), s.found.facts...)
	if s.found.problem != nil {
		problem := *s.found.problem
		return out, &problem
	}
	return out, nil
}

func (s *session) Close() error {
	s.closed.Store(true)
	return nil
}

// Children lists what lies in a file or key.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		things := s.found.things
		if parent != "" {
			t, err := s.at(parent)
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			things = t.inside
		}
		for _, t := range things {
			if err := s.ready(ctx); err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(t.Node, nil) {
				return
			}
		}
	}
}

func (s *session) at(id connectors.NodeID) (*thing, error) {
	t, ok := s.nodes[id]
	if !ok {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "account.node", Target: string(id)}
	}
	return t, nil
}

// Sample shows public text: a public key, a chain, a token's payload.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	if err := s.ready(ctx); err != nil {
		return connectors.Sample{}, err
	}
	t, err := s.at(id)
	if err != nil {
		return connectors.Sample{}, err
	}
	if t.media == "" {
		return connectors.Sample{}, &connectors.Error{Code: connectors.Unsupported, Reason: "account.no_content", Target: t.Name, Err: errors.New("a node without content")}
	}
	n := min(len(t.text), max)
	if n < 0 {
		n = 0
	}
	return connectors.Sample{MediaType: t.media, Data: []byte(t.text[:n]), Size: int64(len(t.text)), Truncated: n < len(t.text)}, nil
}
