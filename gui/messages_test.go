package gui

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// speaker is a stub whose messages a test sends.
type speaker struct {
	stubSession
	events chan connectors.Event
}

func (speaker) Broadcasts() bool { return true }

func (s speaker) Watch(ctx context.Context, _ connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		for {
			select {
			case e, open := <-s.events:
				if !open {
					yield(connectors.Event{}, context.DeadlineExceeded)
					return
				}
				if !yield(e, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// listen links the speaker and gives back its pane of messages.
func listen(t *testing.T) (*room, speaker, *messages) {
	t.Helper()
	r := stubRoom(t, &stub{})
	r.fill("stub", nil)
	s := speaker{stubSession{&stub{}}, make(chan connectors.Event, 1000)}
	p := newPreviewPane(r.a, r.a.form.t)
	r.a.show(p.root)
	p.open(&link.Result{Session: s})
	r.a.preview = p
	r.until("the stream", func() bool { return p.detail.live != nil })
	return r, s, p.detail.live
}

func message(topic, body string) connectors.Event {
	return connectors.Event{Time: time.Now(), Path: strings.Split(topic, "/"), Body: []byte(body)}
}

func TestATopicShowsItsMessagesAsTheyArrive(t *testing.T) {
	r, s, m := listen(t)
	s.events <- message("hall/heat", "before")
	s.events <- message("hall/door", "other")
	r.until("two topics", func() bool { return len(m.shown) == 2 })
	m.only(connectors.Node{ID: "hall/heat", Name: "heat"})
	if len(m.pastShown) != 1 || string(m.pastShown[0].value) != "before" {
		t.Fatalf("the last value is not shown: %v", m.pastShown)
	}
	s.events <- message("hall/heat", `{"value":21.5,"unit":"C"}`)
	s.events <- message("hall/door", "not this one")
	r.until("the next message", func() bool { return len(m.pastShown) == 2 })
	if got := m.pastCell(0, 1); got != `{"value":21.5,"unit":"C"}` {
		t.Errorf("newest first: %q", got)
	}
	r.shot("topic-messages")
	if got := strings.Join(m.newest.text, "\n"); got != "{\n  \"value\": 21.5,\n  \"unit\": \"C\"\n}" {
		t.Errorf("in full: %q", got)
	}
	if got := m.d.foot.text; !strings.HasPrefix(got, "hall/heat · 2 messages") {
		t.Errorf("the footer says %q", got)
	}
	m.only(connectors.Node{ID: "hall", Name: "hall", Branch: true})
	if len(m.shown) != 2 || m.cell(1, 1) != "not this one" {
		t.Errorf("back at the level above: %+v", m.shown)
	}
}

func TestMemoryForOneTopicIsBounded(t *testing.T) {
	_, _, m := listen(t)
	m.only(connectors.Node{ID: "fast", Name: "fast"})
	for range 10 * mostMessages {
		m.take(message("fast", strings.Repeat("x", 2*mostOfValue)))
	}
	m.copyShown()
	if len(m.heard) > 2*mostMessages || len(m.pastShown) != mostMessages || len(m.pastShown[0].value) != mostOfValue {
		t.Errorf("%d kept, %d shown, %d bytes each", len(m.heard), len(m.pastShown), len(m.pastShown[0].value))
	}
	if m.pastShown[0].size != 2*mostOfValue {
		t.Errorf("the size is %d", m.pastShown[0].size)
	}
}

func TestAPausedStreamStandsStillAndABrokenOneSaysSo(t *testing.T) {
	r, s, m := listen(t)
	s.events <- message("a", "1")
	r.until("a topic", func() bool { return len(m.shown) == 1 })
	m.toggle()
	s.events <- message("b", "1")
	r.until("the second", func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.rows) == 2 })
	r.settle()
	if len(m.shown) != 1 {
		t.Error("it moved while paused")
	}
	m.toggle()
	if len(m.shown) != 2 {
		t.Error("it does not go on")
	}
	r.shot("stream-live")
	close(s.events)
	p := r.a.preview
	var said string
	show := p.detail.pill
	p.detail.pill = func(key string) { said = key; show(key) }
	r.until("the failure", func() bool { return len(p.detail.centre.Objects) == 1 && p.detail.centre.Objects[0] != m.root })
	r.shot("stream-stale")
	m.toggle()
	m.toggle()
	if said != "preview.stale" {
		t.Errorf("a stream that has ended is called %s", said)
	}
}

func TestTextCutInTheMiddleOfACharacterIsStillText(t *testing.T) {
	whole := []byte("größe")
	if !textual(whole[:3]) || !textual(whole) || textual([]byte{0xff, 0xfe, 0, 1, 2}) || !textual(nil) {
		t.Error("text or not text: told wrong")
	}
}

func TestABranchThatDoesNotOpenSaysWhy(t *testing.T) {
	closed := true
	s := &stub{}
	s.children = func(_ context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			switch {
			case parent == "":
				yield(connectors.Node{ID: "closed", Name: "closed", Kind: "folder", Branch: true}, nil)
			case closed:
				yield(connectors.Node{}, &connectors.Error{Code: connectors.Denied})
			default:
				yield(connectors.Node{ID: "in", Name: "in", Kind: "file"}, nil)
			}
		}
	}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.until("the tree", func() bool { b := r.a.preview.nodes[""]; return b != nil && b.state == "done" })
	p := r.a.preview
	p.tree.OpenBranch("closed")
	b := p.nodes["closed"]
	r.until("the refusal", func() bool { return b.state == "failed" })
	if got := p.aside(b); got != "not readable" {
		t.Errorf("the row says %q", got)
	}
	title, again := connectors.Explain(b.err).Title, p.detail.again
	if p.detail.said != title || again == nil {
		t.Fatalf("the pane says %q", p.detail.said)
	}
	r.shot("branch-refused")
	p.detail.facts(nil)
	p.tree.Select("closed")
	if p.detail.said != title {
		t.Errorf("chosen later, the pane says %q", p.detail.said)
	}
	closed = false
	again()
	r.until("the second try", func() bool { return b.state == "done" })
	if len(b.children) != 1 || b.children[0] != "in" {
		t.Errorf("%v", b.children)
	}
}

func TestReadingAnewDropsAListingThatHasJustEnded(t *testing.T) {
	s := &stub{children: func(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			_ = yield(connectors.Node{ID: "b", Name: "b"}, nil) && yield(connectors.Node{ID: "a", Name: "a"}, nil)
		}
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.until("the tree", func() bool { b := r.a.preview.nodes[""]; return b != nil && b.state == "done" })
	p := r.a.preview
	p.reload()
	r.until("the nodes", func() bool { return len(p.nodes[""].children) == 2 })
	time.Sleep(100 * time.Millisecond) // the end of the listing is on its way to the window now
	p.reload()
	r.until("the tree anew", func() bool { return p.nodes[""].state == "done" && len(p.nodes[""].children) == 2 })
	if p.nodes[""].children[0] != "a" {
		t.Errorf("%v", p.nodes[""].children)
	}
}
