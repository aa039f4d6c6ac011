package sshx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// alive is how often a tunnel asks whether its server is still there, and how
// long it waits for the answer.
const alive = 20 * time.Second

// A Tunnel lets connections go through a server; see connectors.Tunnel.
type Tunnel struct {
	c    *Client
	stop context.CancelFunc
	beat sync.WaitGroup
	once sync.Once
	err  error

	mu    sync.Mutex
	conns map[*conn]struct{} // nil once the tunnel is closed
}

// NewTunnel takes c over. A server that does not answer any more is given up,
// which ends every connection through it.
func NewTunnel(c *Client) *Tunnel { return newTunnel(c, alive) }

func newTunnel(c *Client, every time.Duration) *Tunnel {
	ctx, stop := context.WithCancel(context.Background())
	t := &Tunnel{c: c, stop: stop, conns: map[*conn]struct{}{}}
	t.beat.Go(func() { heartbeat(ctx, c, every) })
	return t
}

// heartbeat asks with the request that OpenSSH's ServerAliveInterval uses; any
// answer will do, also a refusal.
func heartbeat(ctx context.Context, c *Client, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		late := time.AfterFunc(every, c.Abort)
		_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
		late.Stop()
		if err != nil {
			c.Abort()
			return
		}
	}
}

// DialContext connects to addr as the server sees it: names are looked up there.
// The connection keeps deadlines and gives addr as its remote address.
func (t *Tunnel) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "ssh.tunnel_network", Op: connectors.StageConnect, Target: addr, Said: network}
	}
	raw, err := t.c.DialContext(ctx, network, addr)
	if err != nil {
		return nil, tunnelError(ctx, addr, err)
	}
	half, ok := raw.(channel)
	if !ok {
		_ = raw.Close()
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageConnect, Target: addr}
	}
	conn := newConn(half, t.c.LocalAddr(), far(addr))
	conn.gone = func() { t.forget(conn) }
	t.mu.Lock()
	open := t.conns != nil
	if open {
		t.conns[conn] = struct{}{}
	}
	t.mu.Unlock()
	if !open {
		_ = conn.Close()
		return nil, tunnelError(ctx, addr, net.ErrClosed)
	}
	return conn, nil
}

func (t *Tunnel) forget(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

func far(addr string) net.Addr {
	if ip, err := netip.ParseAddrPort(addr); err == nil {
		return net.TCPAddrFromAddrPort(ip)
	}
	return farAddr(addr)
}

// tunnelError maps the reasons of RFC 4254 section 5.1.
func tunnelError(ctx context.Context, addr string, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	e := &connectors.Error{Code: connectors.Refused, Reason: "ssh.tunnel_lost", Op: connectors.StageConnect, Target: addr, Err: err}
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) {
		return e
	}
	e.Said = connectors.Clean(refused.Message, 200)
	switch refused.Reason {
	case ssh.Prohibited, ssh.UnknownChannelType:
		e.Code, e.Reason = connectors.Denied, "ssh.tunnel_forbidden"
	case ssh.ResourceShortage:
		e.Code, e.Reason = connectors.Throttled, "ssh.tunnel_busy"
	default:
		e.Code, e.Reason, e.Field = connectors.Unreachable, "ssh.tunnel_unreachable", "host"
	}
	return e
}

// Close ends the connections that go through the tunnel.
func (t *Tunnel) Close() error {
	t.once.Do(func() {
		t.stop()
		t.c.Abort()
		t.mu.Lock()
		open := t.conns
		t.conns = nil
		t.mu.Unlock()
		for c := range open {
			_ = c.Close()
		}
		t.err = quiet(t.c.Close())
		t.beat.Wait()
	})
	return t.err
}

// Forwards asks whether the server lets connections through, with one to its own
// port 1, on which nothing listens as a rule: what comes of it tells "may not"
// from "nobody there", and nothing is sent.
func (c *Client) Forwards(ctx context.Context) error {
	conn, err := c.DialContext(ctx, "tcp", "127.0.0.1:1")
	if err == nil {
		return quiet(conn.Close())
	}
	err = tunnelError(ctx, "127.0.0.1:1", err)
	if e := connectors.Classify(err); e.Reason == "ssh.tunnel_unreachable" {
		return nil
	}
	return err
}

// quiet drops what closing says of a connection that has ended already.
func quiet(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
