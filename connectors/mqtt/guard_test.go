package mqtt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A CONNACK of five bytes that announces 256 MiB.
func TestSecurity64_APacketsAnnouncedSizeIsNotBelieved(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte{0x20, 0xff, 0xff, 0xff, 0x7f})
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "transport": "tcp", "auth": "anonymous"}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = Type().Open(ctx, conntest.NewWorld(t).Env, s)
	runtime.ReadMemStats(&after)
	if e := connectors.Classify(err); e == nil || e.Reason != "mqtt.not_mqtt" {
		t.Errorf("%v", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func publishPacket(topic string, body []byte) []byte {
	payload := append([]byte{byte(len(topic) >> 8), byte(len(topic))}, topic...)
	payload = append(payload, body...)
	out := []byte{0x30}
	for n := len(payload); ; {
		b := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			b |= 0x80
		}
		out = append(out, b)
		if n == 0 {
			return append(out, payload...)
		}
	}
}

type bytesConn struct {
	net.Conn
	r io.Reader
}

func (b bytesConn) Read(p []byte) (int, error) { return b.r.Read(p) }

func TestTheGuardLeavesOutWhatIsTooLarge(t *testing.T) {
	connack := []byte{0x20, 2, 0, 0}
	small, large := publishPacket("a/b", []byte("x")), publishPacket("big", make([]byte, maxPublish))
	want := slices.Concat(connack, small, small)
	for _, chunk := range []int{1, 3, 4096, 1 << 20} {
		in := slices.Concat(connack, small, large, small)
		var skipped atomic.Uint64
		g := &guard{Conn: bytesConn{r: &slowly{bytes.NewReader(in), chunk}}, skipped: &skipped}
		got, err := io.ReadAll(g)
		if err != nil || !bytes.Equal(got, want) || skipped.Load() != 1 {
			t.Errorf("chunks of %d: %d bytes, %d skipped, %v", chunk, len(got), skipped.Load(), err)
		}
	}
	for name, in := range map[string][]byte{"ssh": []byte("SSH-2.0-x\r\n"), "publish first": small, "long connack": {0x20, 3, 0, 0, 0}, "endless length": {0x20, 2, 0, 0, 0x90, 0xff, 0xff, 0xff, 0xff, 0xff}, "large suback": {0x20, 2, 0, 0, 0x90, 0xff, 0xff, 0xff, 0x7f}} {
		g := &guard{Conn: bytesConn{r: bytes.NewReader(in)}, skipped: &atomic.Uint64{}}
		if _, err := io.ReadAll(g); !errors.Is(err, errNotMQTT) && !errors.Is(err, errTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type slowly struct {
	r io.Reader
	n int
}

func (s *slowly) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }

func FuzzGuard(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x30, 3, 0, 1, 'a'})
	f.Fuzz(func(t *testing.T, data []byte) {
		g := &guard{Conn: bytesConn{r: bytes.NewReader(data)}, skipped: &atomic.Uint64{}}
		got, _ := io.ReadAll(g)
		if len(got) > len(data) {
			t.Error("it made bytes")
		}
	})
}

func TestPartsRoundTrip(t *testing.T) {
	for _, name := range []string{"a", "a/b", "/a", "//a/b", "a//b", "a/", "a//", "/", "//", "a/b/c/", "$SYS/x", " ", strings.Repeat("x/", 300) + "y"} {
		got := parts(name)
		if strings.Join(got, "/") != name || slices.Contains(got, "") && name != "" || len(got) > maxDepth {
			t.Errorf("%q: %q", name, got)
		}
		// An id finds its own node again.
		var tree topics
		tree.hear(got, nil, 0, false, time.Now())
		if at := tree.find(name); at == nil || at.id != name || at.count != 1 {
			t.Errorf("%q is not found again", name)
		}
	}
}

func TestTopicsAreBounded(t *testing.T) {
	var tree topics
	now := time.Now()
	for i := range maxTopics + 10 {
		tree.hear([]string{strconv.Itoa(i)}, nil, 0, false, now)
	}
	if n, left, _ := tree.counts(); n != maxTopics || left != 10 {
		t.Errorf("%d topics, %d left out", n, left)
	}
}

func TestRate(t *testing.T) {
	var at topic
	for s := range int64(5) {
		for range 10 {
			at.tick(1000 + s)
		}
	}
	if r := at.rate(1004); r != 5 {
		t.Errorf("%v", r)
	}
	if r := at.rate(1012); r != 2 {
		t.Errorf("later: %v", r)
	}
	if r := at.rate(1100); r != 0 {
		t.Errorf("much later: %v", r)
	}
	at.tick(2000)
	if r := at.rate(2000); r != 0.1 {
		t.Errorf("anew: %v", r)
	}
}

func TestSplitUnderstandsPastedAddresses(t *testing.T) {
	for in, want := range map[string]string{"mqtts://u@b.example.com:8884": "tls b.example.com 8884 u", "wss://b.example.com/mqtt": "wss b.example.com  ", "http://b.example.com": "none"} {
		m := split(in)
		got := "none"
		if m != nil {
			got = strings.Join([]string{m["transport"], m["host"], m["port"], m["user"]}, " ")
		}
		if got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

// A resetConn is a broker that refused and hung up before it was written to.
type resetConn struct{ net.Conn }

var errAlert = &net.OpError{Op: "remote error", Err: io.ErrUnexpectedEOF}

func (resetConn) Write([]byte) (int, error)       { return 0, io.ErrClosedPipe }
func (resetConn) Read([]byte) (int, error)        { return 0, errAlert }
func (resetConn) SetReadDeadline(time.Time) error { return nil }

func TestARefusalIsReadThoughTheFirstWriteFailed(t *testing.T) {
	g := &guard{Conn: resetConn{}}
	if _, err := g.Write([]byte("x")); err != errAlert {
		t.Errorf("first write: %v", err)
	}
	if _, err := g.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("later write: %v", err)
	}
}

func TestSecurity65_LastValuesAndBacklogAreBoundedInBytes(t *testing.T) {
	var tree topics
	now := time.Now()
	for i := range 3000 {
		tree.hear([]string{strconv.Itoa(i)}, make([]byte, maxBody), maxBody, false, now)
	}
	if tree.bytes > maxKept+3000*scrap {
		t.Errorf("%d MiB of last values", tree.bytes>>20)
	}
	w := newWatcher("")
	for range backlog {
		w.push(connectors.Event{Body: make([]byte, maxBody)})
	}
	if w.bytes > backlogBytes {
		t.Errorf("%d MiB wait for a reader", w.bytes>>20)
	}
	if e, ok := w.pop(); !ok || e.Dropped == 0 {
		t.Error("nothing is said to be dropped")
	}
}
