package conntest

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
)

// way proves that nothing is reached but through Env.Dial, where a proxy or a
// jump host may be, and that a type without a network never dials.
func (s Suite) way(t *testing.T) {
	w := s.world(t)
	w.Env.Ask = s.Ask
	var dialled atomic.Int32
	w.Env.Dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled.Add(1)
		return nil, &connectors.Error{Code: connectors.Unreachable, Reason: "connect.refused", Op: connectors.StageConnect, Target: addr}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	settings := s.Good(t)
	session, err := s.Type.Open(ctx, w.Env, settings)
	if err == nil {
		_, err = session.Check(ctx)
		_ = session.Close()
	}
	switch {
	case s.Type.Offline && (err != nil || dialled.Load() > 0):
		t.Errorf("without a network: dialled %d times, %v", dialled.Load(), err)
	case !s.Type.Offline && connectors.CodeOf(err) != connectors.Unreachable:
		t.Errorf("without a way to the server: %v", err)
	}
}
