package sshx

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// chunk is the most that is on its way between a channel and its user; OpenSSH
// sends at most so much in a packet.
const chunk = 32 << 10

// channel is what a connection through SSH offers.
type channel interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// A conn makes of a channel, which refuses deadlines, a net.Conn that keeps
// them. One goroutine reads ahead by at most two chunks, another writes.
type conn struct {
	ch            channel
	local, remote net.Addr
	in            chan arrived
	out           chan write
	closed        chan struct{}
	once          sync.Once
	closeErr      error
	gone          func() // told of Close

	reading  sync.Mutex
	rest     []byte // of the last chunk
	readErr  error  // the end of the stream, again and again
	deaf     chan struct{}
	deafOnce sync.Once
	rd, wd   deadline
	writing  chan struct{} // held by the one Write that is under way
	mute     chan struct{}
	muteOnce sync.Once
}

type arrived struct {
	data []byte
	err  error
}

type write struct {
	data []byte
	done chan error
}

// newConn takes ch over; Close closes it.
func newConn(ch channel, local, remote net.Addr) *conn {
	c := &conn{ch: ch, local: local, remote: remote, in: make(chan arrived), out: make(chan write),
		closed: make(chan struct{}), deaf: make(chan struct{}), mute: make(chan struct{}), writing: make(chan struct{}, 1),
		rd: newDeadline(), wd: newDeadline()}
	go c.readAhead()
	go c.writeOn()
	return c
}

// readAhead fills two buffers by turns: the second is handed over only when the
// first has been used up.
func (c *conn) readAhead() {
	buffers := [2][]byte{make([]byte, chunk), make([]byte, chunk)}
	for i := 0; ; i ^= 1 {
		n, err := c.ch.Read(buffers[i])
		if n == 0 && err == nil {
			continue
		}
		select {
		case c.in <- arrived{buffers[i][:n], err}:
		case <-c.deaf: // what comes is thrown away, so that the writer is not held up
		case <-c.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *conn) writeOn() {
	for {
		select {
		case w := <-c.out:
			_, err := c.ch.Write(w.data)
			if errors.Is(err, io.EOF) { // the library's word for a channel that is closed
				err = io.ErrClosedPipe
			}
			w.done <- err
		case <-c.closed:
			return
		}
	}
}

func (c *conn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if isDone(c.closed) {
		return 0, net.ErrClosed
	}
	if c.rd.passed() {
		return 0, os.ErrDeadlineExceeded
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.rest) == 0 && c.readErr == nil {
		select {
		case a := <-c.in:
			c.rest, c.readErr = a.data, a.err
		case <-c.deaf:
			return 0, io.EOF
		case <-c.rd.wait():
			return 0, os.ErrDeadlineExceeded
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	if n == 0 {
		return 0, c.readErr
	}
	return n, nil
}

// Write returns with the deadline although part of p may still be on its way,
// as any net.Conn does.
func (c *conn) Write(p []byte) (int, error) {
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-c.closed:
		return 0, net.ErrClosed
	case <-c.wd.wait():
		return 0, os.ErrDeadlineExceeded
	}
	if err := c.unwritable(); err != nil {
		return 0, err
	}
	for sent := 0; sent < len(p); {
		n := min(chunk, len(p)-sent)
		if err := c.writeChunk(bytes.Clone(p[sent : sent+n])); err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

func (c *conn) unwritable() error {
	switch {
	case isDone(c.closed):
		return net.ErrClosed
	case isDone(c.mute):
		return io.ErrClosedPipe
	case c.wd.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *conn) writeChunk(data []byte) error {
	w := write{data, make(chan error, 1)}
	select {
	case c.out <- w:
	case <-c.wd.wait():
		return os.ErrDeadlineExceeded
	case <-c.closed:
		return net.ErrClosed
	}
	select {
	case err := <-w.done:
		return err
	case <-c.wd.wait():
		return os.ErrDeadlineExceeded
	case <-c.closed:
		return net.ErrClosed
	}
}

// CloseWrite tells the other end that nothing more comes.
func (c *conn) CloseWrite() error {
	c.muteOnce.Do(func() { close(c.mute) })
	return c.ch.CloseWrite()
}

// CloseRead throws away what still comes.
func (c *conn) CloseRead() error {
	c.deafOnce.Do(func() { close(c.deaf) })
	return nil
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.rd.set(time.Time{})
		c.wd.set(time.Time{})
		if c.closeErr = c.ch.Close(); errors.Is(c.closeErr, io.EOF) { // the other end was first
			c.closeErr = nil
		}
		if c.gone != nil {
			c.gone()
		}
	})
	return c.closeErr
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.setDeadline(&c.rd, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.wd, t) }

func (c *conn) setDeadline(d *deadline, t time.Time) error {
	if isDone(c.closed) {
		return net.ErrClosed
	}
	d.set(t)
	return nil
}

// A deadline is a channel that is closed once the time is over, and replaced
// when a later time is set.
type deadline struct {
	mu    *sync.Mutex
	timer *time.Timer
	over  chan struct{}
}

func newDeadline() deadline { return deadline{mu: &sync.Mutex{}, over: make(chan struct{})} }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.over // it has fired: let it finish
	}
	d.timer = nil
	if isDone(d.over) {
		d.over = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	over := d.over
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(over) })
		return
	}
	close(over)
}

func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

func (d *deadline) passed() bool { return isDone(d.wait()) }

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// farAddr is the address of a server that is known by a name here, and looked up
// at the far end: drivers dial it again for a second connection.
type farAddr string

func (farAddr) Network() string  { return "tcp" }
func (a farAddr) String() string { return string(a) }
