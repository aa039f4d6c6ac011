package link_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// After a sleep all connections have run out at once.
func TestSecurity27_FewConnectionsRenewAtOnce(t *testing.T) {
	const connections, most = 200, 4
	var running, peak, done atomic.Int32
	hold := make(chan struct{})
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		_, err := env.Renew(ctx, "token", func(context.Context, connectors.Secret) (connectors.Secret, error) {
			n := running.Add(1)
			defer running.Add(-1)
			for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
			}
			if n == most {
				select {
				case <-hold:
				default:
					close(hold) // as many as may are under way
				}
			}
			<-hold
			return connectors.NewSecret(fmt.Sprint("token ", done.Add(1))), nil
		})
		return err
	}}
	b := link.NewBook(link.List{f.typ()}, newStore(), link.Outside{Patience: time.Minute})
	var all sync.WaitGroup
	for i := range connections {
		c, err := b.Create(t.Context(), draft(fmt.Sprint("c", i), "h", "p"))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if r := b.Check(t.Context(), c.ID, link.Watcher{}); r.Err != nil {
				t.Error(r.Err)
			}
		})
	}
	all.Wait()
	if peak.Load() != most || done.Load() != connections {
		t.Errorf("%d renewals at once, want %d; %d of %d done", peak.Load(), most, done.Load(), connections)
	}
}
