package reach

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"jackfield/connectors"
)

// linger is how long a jump host stays signed in to after the last connection
// through it has ended: a session often dials again at once.
const linger = 5 * time.Second

// A jump is a jump host, signed in to when it is first needed and shared by
// everything that goes through it.
type jump struct {
	env  *connectors.Env
	id   string
	open Opener

	turn   chan struct{} // held while signing in
	mu     sync.Mutex
	tunnel connectors.Tunnel
	name   string
	users  int
	idle   *time.Timer
}

func newJump(env *connectors.Env, id string, open Opener) *jump {
	return &jump{env: env, id: id, open: open, turn: make(chan struct{}, 1)}
}

func (j *jump) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	tunnel, fresh, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := j.through(ctx, tunnel, network, addr)
	if err != nil && !fresh && gone(err) {
		// It was signed in to a while ago and has gone since: once more.
		j.leave(tunnel, true)
		if tunnel, _, err = j.enter(ctx); err != nil {
			return nil, err
		}
		conn, err = j.through(ctx, tunnel, network, addr)
	}
	if err != nil {
		j.leave(tunnel, false)
		return nil, err
	}
	return &passage{Conn: conn, leave: sync.OnceFunc(func() { j.leave(tunnel, false) })}, nil
}

func gone(err error) bool { return connectors.CodeOf(err) == connectors.Refused }

// enter returns the tunnel, and whether it was opened for this call. Each enter
// is followed by one leave.
func (j *jump) enter(ctx context.Context) (connectors.Tunnel, bool, error) {
	select {
	case j.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, connectors.Classify(ctx.Err())
	}
	defer func() { <-j.turn }()
	j.mu.Lock()
	if t := j.tunnel; t != nil {
		j.users++
		j.stopIdle()
		j.mu.Unlock()
		return t, false, nil
	}
	j.mu.Unlock()
	var t connectors.Tunnel
	name := ""
	err := j.env.Climb(ctx, connectors.StageReach, "jump host", func(ctx context.Context) (string, error) {
		var err error
		t, name, err = j.open(ctx, j.id)
		if err != nil {
			return "", j.explain(name, err)
		}
		return "jump host " + name, nil
	})
	if err != nil {
		return nil, false, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tunnel, j.name, j.users = t, name, 1
	return t, true, nil
}

// explain names the jump host in what went wrong with it: the field to put
// right is one of another connection.
func (j *jump) explain(name string, err error) error {
	e := *connectors.Classify(err)
	p := connectors.Explain(err)
	if name == "" {
		name = j.id
	}
	e.Title = "Jump host “" + connectors.Clean(name, 60) + "”: " + p.Title
	if e.Hint == "" {
		e.Hint = p.Hint
	}
	e.Op, e.Field = connectors.StageReach, KeyHost
	return &e
}

func (j *jump) through(ctx context.Context, t connectors.Tunnel, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := j.env.Climb(ctx, connectors.StageConnect, addr, func(ctx context.Context) (string, error) {
		var err error
		conn, err = t.DialContext(ctx, network, addr)
		var known *connectors.Error
		if errors.As(err, &known) {
			named := *known
			if named.Code == connectors.Unreachable {
				named.Field = "host"
			}
			named.Op, named.Target = connectors.StageConnect, addr
			err = &named
		}
		return addr + " through " + connectors.Clean(j.name, 60), err
	})
	return conn, err
}

// leave ends one use; broken drops the tunnel for everybody.
func (j *jump) leave(t connectors.Tunnel, broken bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.tunnel != t {
		return
	}
	if broken {
		j.drop()
		return
	}
	if j.users--; j.users == 0 {
		j.idle = time.AfterFunc(linger, func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.tunnel == t && j.users == 0 {
				j.drop()
			}
		})
	}
}

func (j *jump) drop() {
	_ = j.tunnel.Close()
	j.tunnel = nil
	j.stopIdle()
}

func (j *jump) stopIdle() {
	if j.idle != nil {
		j.idle.Stop()
		j.idle = nil
	}
}

// passage is a connection through the jump host.
type passage struct {
	net.Conn
	leave func()
}

func (p *passage) Close() error {
	err := p.Conn.Close()
	p.leave()
	return err
}
