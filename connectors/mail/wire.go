package mail

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// farewell bounds the polite end of a connection.
const farewell = 500 * time.Millisecond

var (
	errTooLong  = errors.New("the server's answer is too long")
	errInjected = errors.New("more came in the clear than the answer to STARTTLS")
)

// A wire is a connection that is written in lines and read with bounds.
type wire struct {
	tcp      net.Conn
	conn     net.Conn // TCP, or TLS over it
	br       *bufio.Reader
	patience time.Duration // for one answer; 0 leaves it to the context
	broken   atomic.Bool   // nothing more can be said on it
	used     time.Time
}

func newWire(tcp net.Conn, patience time.Duration) *wire {
	return &wire{tcp: tcp, conn: tcp, br: bufio.NewReaderSize(tcp, 16<<10), patience: patience}
}

// over continues on an encrypted connection. What was read ahead in the clear
// must not count as protected.
func (w *wire) over(conn net.Conn) {
	w.conn = conn
	w.br.Reset(conn)
}

// kill ends the connection at once, without TLS's farewell, which could block.
func (w *wire) kill() {
	w.broken.Store(true)
	_ = w.tcp.Close()
}

func (w *wire) dead() bool { return w.broken.Load() }

// within runs one exchange; the connection ends with ctx, and so does the
// exchange.
func (w *wire) within(ctx context.Context, exchange func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, w.kill)
	w.hurry()
	err := exchange()
	w.used = time.Now()
	if !stop() {
		w.kill()
		return context.Cause(ctx)
	}
	return err
}

// hurry renews the time that the next answer may take.
func (w *wire) hurry() {
	if w.patience > 0 {
		_ = w.conn.SetDeadline(time.Now().Add(w.patience))
	}
}

func (w *wire) write(text string) error {
	if _, err := w.conn.Write([]byte(text)); err != nil {
		w.kill()
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// line reads one line of at most max bytes, without its end.
func (w *wire) line(max int) (string, error) {
	var b strings.Builder
	for {
		part, err := w.br.ReadSlice('\n')
		if b.Len()+len(part) > max+2 {
			w.kill()
			return "", errTooLong
		}
		_, _ = b.Write(part)
		if err == nil {
			return strings.TrimRight(b.String(), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			w.kill()
			return "", err
		}
	}
}

// leave says goodbye and ends the connection, without waiting for an answer.
func (w *wire) leave(goodbye string) {
	if !w.dead() {
		_ = w.conn.SetDeadline(time.Now().Add(farewell))
		_ = w.write(goodbye)
	}
	w.kill()
}
