package practice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The ports that the services like to have, so that a saved practice connection
// still fits the next time. They lie below the ranges from which systems take
// ports for outgoing connections.
const (
	portSFTP = 20022
	portLDAP = 20389
	portMQTT = 21883
	portOIDC = 20080
	portAPI  = 20081
)

const (
	loopback     = "127.0.0.1"
	maxConns     = 64
	signInTime   = 15 * time.Second // until a client has proven who it is
	idleTime     = 30 * time.Minute // afterwards, as people read
	writePatient = 20 * time.Second // a client that reads nothing is cut
)

// listen takes the port, or a free one when somebody else has it. The result
// lets in maxConns at a time and forgets none: Close cuts all of them.
func listen(ctx context.Context, port int) (*gate, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil && !errors.Is(err, context.Canceled) {
		// Not only "in use": Windows also reserves ranges (WSAEACCES).
		ln, err = lc.Listen(ctx, "tcp4", net.JoinHostPort(loopback, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", loopback, err)
	}
	return &gate{Listener: ln, conns: map[*guest]struct{}{}}, nil
}

type gate struct {
	net.Listener
	mu     sync.Mutex
	conns  map[*guest]struct{}
	closed bool
}

func (g *gate) port() string {
	_, port, _ := net.SplitHostPort(g.Addr().String())
	return port
}

// Accept returns a *guest. One too many is closed at once, so that a flood
// costs no memory.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			if errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EMFILE) {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return nil, err
		}
		v := &guest{Conn: c, gate: g}
		g.mu.Lock()
		if g.closed || len(g.conns) >= maxConns {
			g.mu.Unlock()
			_ = c.Close()
			continue
		}
		g.conns[v] = struct{}{}
		g.mu.Unlock()
		return v, nil
	}
}

// Close stops listening and cuts every connection.
func (g *gate) Close() error {
	g.mu.Lock()
	again := g.closed
	g.closed = true
	var open []*guest
	for v := range g.conns {
		open = append(open, v)
	}
	g.mu.Unlock()
	err := g.Listener.Close()
	for _, v := range open {
		_ = v.Close()
	}
	if again || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// serve hands every connection to handle, each on its own goroutine, until the
// gate closes; wait returns when the last one has ended.
func (g *gate) serve(handle func(*guest)) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := g.Accept()
			if err != nil {
				return
			}
			v, ok := c.(*guest)
			if !ok {
				_ = c.Close()
				continue
			}
			wg.Go(func() {
				defer func() { _ = v.Close() }()
				handle(v)
			})
		}
	})
	return wg.Wait
}

// A guest is one connection. With patience set, a silence longer than that ends
// it; servers with deadlines of their own leave it 0.
type guest struct {
	net.Conn
	gate     *gate
	patience atomic.Int64
	once     sync.Once
	err      error
}

func (v *guest) Read(p []byte) (int, error) {
	if d := time.Duration(v.patience.Load()); d > 0 {
		if err := v.SetReadDeadline(time.Now().Add(d)); err != nil {
			return 0, err
		}
	}
	return v.Conn.Read(p)
}

func (v *guest) Write(p []byte) (int, error) {
	if v.patience.Load() > 0 {
		if err := v.SetWriteDeadline(time.Now().Add(writePatient)); err != nil {
			return 0, err
		}
	}
	return v.Conn.Write(p)
}

func (v *guest) Close() error {
	v.once.Do(func() {
		v.gate.mu.Lock()
		delete(v.gate.conns, v)
		v.gate.mu.Unlock()
		v.err = v.Conn.Close()
	})
	return v.err
}
