package sftp

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jackfield/connectors"
)

// said keeps the beginning of what the server prints beside the protocol.
type said struct {
	mu    sync.Mutex
	text  []byte
	ended chan struct{}
}

// wait gives the server's last words time to arrive: they come on a stream of
// their own, after the one that ended.
func (s *said) wait() {
	select {
	case <-s.ended:
	case <-time.After(closing):
	}
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p[:min(len(p), 1024-min(1024, len(s.text)))]...)
	return len(p), nil
}

func (s *said) String() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return connectors.Clean(strings.Join(strings.Fields(string(s.text)), " "), 200)
}

// held is a stream that the library cannot close while open is set: it does so
// when the first answer is no SFTP, and what follows would be lost.
type held struct {
	io.WriteCloser
	open atomic.Bool
}

func (h *held) Close() error {
	if h.open.Load() {
		return nil
	}
	return h.WriteCloser.Close()
}

// head keeps the first bytes of a stream that may turn out to be something else.
type head struct {
	r    io.Reader
	text said
	mu   sync.Mutex
	over bool
}

func (h *head) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		_, _ = h.text.Write(p[:n])
	}
	return n, err
}

// rest reads on for a moment, and reports whether the stream ends there.
func (h *head) rest() bool {
	got := make(chan bool, 1)
	go func() {
		for range 16 {
			if _, err := h.Read(make([]byte, 256)); err != nil {
				got <- true
				return
			}
		}
		got <- false
	}()
	select {
	case ends := <-got:
		return ends
	case <-time.After(closing / 2):
		return false
	}
}

// answered reports whether a file server's VERSION 3 is among what was read.
func (h *head) answered() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Contains(h.text.text, []byte{fxVersion, 0, 0, 0, 3})
}

// words are the text before any packet.
func (h *head) words() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, _, _ := strings.Cut(string(h.text.text), "\x00")
	return connectors.Clean(strings.Join(strings.Fields(text), " "), 200)
}

func (h *head) done() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
}
