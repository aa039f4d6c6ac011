package ftp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

const (
	most  = 4                // control connections at once
	fresh = 10 * time.Second // how long an idle one is believed to stand
)

// connect opens a control connection and signs in. Rungs are shown for the first
// one; the others repeat what it has shown.
func (s *session) connect(ctx context.Context, first bool) (*conn, error) {
	var cfg *tls.Config
	if s.c.TLS != tlsNone {
		var err error
		if cfg, err = tlsx.Config(s.c.Spec(), s.c.Host); err != nil {
			return nil, err
		}
		cfg.ClientSessionCache = &resumed{}
	}
	raw, err := s.env.Dial(ctx, "tcp", net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port)))
	if err != nil {
		return nil, err
	}
	c := &conn{s: s, raw: raw, c: raw, r: bufio.NewReader(raw), cfg: cfg}
	defer c.under(ctx)()
	climb := func(_ context.Context, _ connectors.Stage, _ string, do func(context.Context) (string, error)) error {
		_, err := do(ctx)
		return err
	}
	if first {
		climb = s.env.Climb
	}
	if err := c.rise(ctx, climb); err != nil {
		c.abort()
		return nil, cause(ctx, err)
	}
	return c, nil
}

// rise climbs the rungs of one connection.
func (c *conn) rise(ctx context.Context, climb func(context.Context, connectors.Stage, string, func(context.Context) (string, error)) error) error {
	err := climb(ctx, connectors.StageSecure, c.s.c.Host, func(ctx context.Context) (string, error) {
		return c.protect(ctx)
	})
	if err != nil {
		return c.s.unanswered(ctx, err)
	}
	err = climb(ctx, connectors.StageSignIn, c.s.account(), func(context.Context) (string, error) { return c.s.account(), c.signIn() })
	if err != nil {
		return err
	}
	c.home, err = c.where()
	return err
}

// take returns a control connection that nobody uses. A server that allows fewer
// connections than this is asked for one thing after the other.
func (s *session) take(ctx context.Context) (*conn, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	for {
		c, waits, err := s.idleOne(ctx)
		if err == nil {
			if c != nil {
				return c, nil
			}
			c, err = s.connect(ctx, false)
		}
		if err == nil {
			return c, s.adopt(c)
		}
		if !limited(err) || waits == nil {
			<-s.slots
			return nil, cause(ctx, err)
		}
		select {
		case <-waits:
		case <-ctx.Done():
			<-s.slots
			return nil, connectors.Classify(context.Cause(ctx))
		}
	}
}

// limited reports that the server may have refused one connection too many.
func limited(err error) bool {
	e := connectors.Classify(err)
	return e.Code == connectors.Throttled || e.Code == connectors.AuthFailed || e.Code == connectors.Unreachable || e.Reason == "connect.closed"
}

// idleOne is a connection that stands and is not used, or nil, and then a channel
// that is closed when one comes back; it is nil when none is in use.
func (s *session) idleOne(ctx context.Context) (*conn, <-chan struct{}, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, nil, errClosed()
		}
		n := len(s.idle)
		if n == 0 {
			defer s.mu.Unlock()
			if len(s.busy) == 0 {
				return nil, nil, nil
			}
			if s.back == nil {
				s.back = make(chan struct{})
			}
			return nil, s.back, nil
		}
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.busy[c] = true
		s.mu.Unlock()
		if c.stands(ctx) {
			return c, nil, nil
		}
		s.mu.Lock()
		delete(s.busy, c)
		s.mu.Unlock()
		c.bye()
		if ctx.Err() != nil {
			return nil, nil, connectors.Classify(context.Cause(ctx))
		}
	}
}

// stands asks an old connection whether the server has ended it meanwhile.
func (c *conn) stands(ctx context.Context) bool {
	if c.broken.Load() || time.Since(c.used) < fresh {
		return !c.broken.Load()
	}
	defer c.under(ctx)()
	r, err := c.cmd("NOOP", "")
	return err == nil && r.done()
}

func errClosed() error {
	return &connectors.Error{Code: connectors.Cancelled, Err: errors.New("the connection is closed")}
}

// adopt counts a new connection as used, unless the session was closed meanwhile.
func (s *session) adopt(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.abort()
		<-s.slots
		return errClosed()
	}
	s.busy[c] = true
	return nil
}

// give returns a connection for others to use.
func (s *session) give(c *conn) {
	s.mu.Lock()
	delete(s.busy, c)
	keep := !s.closed && !c.broken.Load()
	if keep {
		c.used = time.Now()
		s.idle = append(s.idle, c)
	}
	if s.back != nil {
		close(s.back)
		s.back = nil
	}
	s.mu.Unlock()
	if !keep {
		c.bye()
	}
	<-s.slots
}

// Close ends what is under way.
func (s *session) Close() error {
	s.mu.Lock()
	s.closed = true
	idle := s.idle
	s.idle = nil
	for c := range s.busy {
		c.abort()
	}
	s.mu.Unlock()
	for _, c := range idle {
		c.bye()
	}
	return nil
}
