package sshx

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// duplex is a channel as the SSH library has it: it blocks, ends with io.EOF,
// and refuses deadlines.
type duplex struct {
	r *io.PipeReader
	w *io.PipeWriter
}

func (d duplex) Read(p []byte) (int, error)  { return d.r.Read(p) }
func (d duplex) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d duplex) CloseWrite() error           { return d.w.Close() }
func (d duplex) Close() error                { return errors.Join(d.r.CloseWithError(io.EOF), d.w.Close()) }

func pair(t *testing.T) (*conn, duplex) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	r1, w1 := io.Pipe()
	r2, w2 := io.Pipe()
	far := duplex{r1, w2}
	c := newConn(duplex{r2, w1}, &net.TCPAddr{}, farAddr("db.internal:5432"))
	t.Cleanup(func() {
		_ = c.Close()
		_ = far.Close()
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
	})
	return c, far
}

// A database driver ends a call by a deadline in the past, while the call waits.
func TestADeadlineEndsAReadThatWaits(t *testing.T) {
	c, far := pair(t)
	got := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 10))
		got <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := c.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	var slow net.Error
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &slow) || !slow.Timeout() {
		t.Errorf("%v", err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = far.Write([]byte("late but whole")) }()
	buf := make([]byte, 4)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "late" {
		t.Errorf("without a deadline: %q %v", buf[:n], err)
	}
	if rest, err := io.ReadAll(io.LimitReader(c, 10)); string(rest) != " but whole" {
		t.Errorf("%q %v", rest, err)
	}
}

func TestADeadlineEndsAWriteThatWaits(t *testing.T) {
	c, far := pair(t)
	if err := c.SetWriteDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Write(bytes.Repeat([]byte{'x'}, 1<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n >= 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	go func() { _, _ = io.Copy(io.Discard, far) }()
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write([]byte("again")); n != 5 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}

func TestReadingAndWritingAtOnce(t *testing.T) {
	c, far := pair(t)
	go func() { _, _ = io.Copy(far, far); _ = far.CloseWrite() }()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
	var both sync.WaitGroup
	both.Go(func() {
		if n, err := c.Write(data); n != len(data) || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	var back []byte
	both.Go(func() {
		var err error
		if back, err = io.ReadAll(c); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	if !bytes.Equal(back, data) {
		t.Errorf("%d of %d bytes came back", len(back), len(data))
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after CloseWrite: %v", err)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	c, _ := pair(t)
	var all sync.WaitGroup
	for _, wait := range []func([]byte) (int, error){c.Read, c.Write, c.Write} {
		all.Go(func() {
			if _, err := wait(make([]byte, 10)); !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%v", err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if err := c.Close(); err != nil {
		t.Errorf("twice: %v", err)
	}
	if err := c.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := c.Read(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestCloseReadThrowsAway(t *testing.T) {
	c, far := pair(t)
	if err := c.CloseRead(); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
		t.Errorf("the other end is held up: %d %v", n, err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	if a := c.RemoteAddr(); a.Network() != "tcp" || a.String() != "db.internal:5432" {
		t.Errorf("%v", a)
	}
}
