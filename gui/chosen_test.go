package gui

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
)

// exchange is a session whose messages are heard where a node is chosen.
type exchange struct {
	opened
	mu   sync.Mutex
	hear []connectors.NodeID
}

func (e *exchange) asked() []connectors.NodeID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hear
}

func (e *exchange) Children(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		_ = yield(connectors.Node{ID: "x/zeta", Name: "zeta", Kind: "exchange", Views: []connectors.View{connectors.ViewMessages}}, nil) &&
			yield(connectors.Node{ID: "x/alpha", Name: "alpha", Kind: "queue", Facts: []connectors.Fact{{Label: "Messages", Text: "12"}}}, nil)
	}
}

func (e *exchange) Watch(ctx context.Context, id connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		e.mu.Lock()
		e.hear = append(e.hear, id)
		e.mu.Unlock()
		for _, key := range []string{"orders.new", "orders.paid"} {
			if !yield(connectors.Event{Time: time.Now(), Path: []string{"zeta", key}, Body: []byte(`{"id":7}`), Size: 8, Facts: []connectors.Fact{{Label: "Content type", Text: "application/json"}}}, nil) {
				return
			}
		}
		<-ctx.Done()
		yield(connectors.Event{}, ctx.Err())
	}
}

func TestMessagesOfAChosenNodeAreHeardFromThenOn(t *testing.T) {
	e := &exchange{}
	ty := connectors.Define(connectors.Type{ID: "broker", Name: "Broker", Summary: "For tests.", Group: connectors.GroupMessaging,
		Form: connectors.Form{Fields: []connectors.Field{{Key: "host", Label: "Host", Kind: connectors.Text, Required: true}}}},
		func(context.Context, *connectors.Env, struct {
			Host string `field:"host"`
		}) (connectors.Session, error) {
			return e, nil
		})
	e.a.Password = connectors.NewSecret("practice-only")
	r := newRoom(t, roomOptions{types: []connectors.Type{ty}, variant: theme.VariantLight})
	r.fill("broker", map[string]string{"host": "mq.example.com"})
	r.a.form.link()
	r.until("the link", r.linked)
	p := r.a.preview
	r.until("the tree", func() bool { return p.nodes[""] != nil && p.nodes[""].state == "done" })
	if got := p.nodes[""].children; len(got) != 2 || got[0] != "x/alpha" {
		t.Errorf("not sorted by name: %v", got)
	}
	if got := e.asked(); len(got) != 0 {
		t.Errorf("listened to %v before anything was chosen", got)
	}
	p.tree.Select("x/zeta")
	r.until("two messages", func() bool { return p.detail.live != nil && len(p.detail.live.pastShown) == 2 })
	if got := e.asked(); len(got) != 1 || got[0] != "x/zeta" {
		t.Errorf("listened to %v", got)
	}
	m := p.detail.live
	if m.chosenCell(0, 1) != "zeta/orders.paid" || !strings.Contains(m.chosenCell(0, 2), `{"id":7}`) {
		t.Errorf("the newest message: %q %q", m.chosenCell(0, 1), m.chosenCell(0, 2))
	}
	if got := string(m.pastShown[0].whole()); !strings.HasPrefix(got, "Content type: application/json\n\n{\n") {
		t.Errorf("in full: %q", got)
	}
	r.shot("chosen-1-messages")
	p.tree.Select("x/alpha")
	r.until("the queue's facts", func() bool { return p.detail.live == nil && strings.Contains(words(p.detail.root), "Messages") })
}
