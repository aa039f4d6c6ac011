// Package conntest is the conformance suite that every connection type passes,
// against a real server on loopback.
package conntest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/reach"
)

// A World is an Env that dials for real and records everything.
type World struct {
	Env *connectors.Env

	mu    sync.Mutex
	steps []connectors.Step
	kept  map[string]connectors.Secret
	log   bytes.Buffer
	one   sync.Mutex
}

// NewWorld returns a world in which nobody is there to ask.
func NewWorld(tb testing.TB) *World {
	tb.Helper()
	return newWorld()
}

func newWorld() *World {
	w := &World{kept: map[string]connectors.Secret{}}
	w.Env = &connectors.Env{
		Step: w.step, Keep: w.keep, Renew: w.renew, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(&lockedWriter{w: w}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	w.Env.Dial = reach.Direct(w.Env)
	w.Env.HTTP = func(spec connectors.HTTP) (*http.Client, error) { return httpx.New(w.Env, spec) }
	return w
}

// Steps are the rungs so far, begun and ended.
func (w *World) Steps() []connectors.Step {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]connectors.Step(nil), w.steps...)
}

// Kept are the secrets that were issued or trusted.
func (w *World) Kept() map[string]connectors.Secret {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.kept)
}

// Log is everything that was logged.
func (w *World) Log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *World) step(s connectors.Step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, s)
}

func (w *World) keep(_ context.Context, key string, s connectors.Secret) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept[key] = s
	return nil
}

func (w *World) renew(ctx context.Context, key string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error) {
	w.one.Lock()
	defer w.one.Unlock()
	after, err := change(ctx, w.Kept()[key])
	if err != nil {
		return connectors.Secret{}, err
	}
	return after, w.keep(ctx, key, after)
}

type lockedWriter struct{ w *World }

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(p)
}

// TrustAll answers every trust question with yes; it is what a person does who
// has compared the fingerprint.
func TrustAll() connectors.Asker {
	return connectors.Asker{Trust: func(context.Context, connectors.TrustRequest) (bool, error) { return true, nil }}
}

// Silent is a server that accepts and never says a word, on a free port.
func Silent(tb testing.TB) (host, port string) {
	tb.Helper()
	return Serve(tb, hold)
}

// Closed is a loopback port on which nothing listens.
func Closed(tb testing.TB) (host, port string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	host, port, _ = net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return host, port
}

// Speaks is a server of another protocol: it sends greeting and then listens.
func Speaks(tb testing.TB, greeting string) (host, port string) {
	tb.Helper()
	return Serve(tb, func(c net.Conn) {
		_, _ = fmt.Fprint(c, greeting)
		hold(c)
	})
}

// SpeaksTLS is a server with the given certificate that does the handshake and is silent after it.
func SpeaksTLS(tb testing.TB, cert tls.Certificate) (host, port string) {
	tb.Helper()
	return Serve(tb, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		_ = s.Handshake()
		hold(s)
	})
}

func hold(c net.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

// Serve listens on a free port and serves every connection until serve returns or
// the test ends.
func Serve(tb testing.TB, serve func(net.Conn)) (host, port string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			running.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c)
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	host, port, _ = net.SplitHostPort(l.Addr().String())
	return host, port
}
