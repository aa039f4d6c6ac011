package mqttx

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
)

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
	for name, in := range map[string][]byte{"ssh": []byte("SSH-2.0-x\r\n"), "publish first": small, "long connack": {0x20, 3, 0, 0, 0}, "endless length": {0x20, 2, 0, 0, 0x90, 0xff, 0xff, 0xff, 0xff, 0xff}, "large suback": {0x20, 2, 0, 0, 0x90, 0xff, 0xff, 0xff, 0x7f},
		"a CONNECT": {0x20, 2, 0, 0, 0x10, 0}, "two CONNACKs": {0x20, 2, 0, 0, 0x20, 2, 0, 0}, "QoS 3": {0x20, 2, 0, 0, 0x36, 0}, "a DISCONNECT": {0x20, 2, 0, 0, 0xe0, 0}} {
		g := &guard{Conn: bytesConn{r: bytes.NewReader(in)}, skipped: &atomic.Uint64{}}
		if _, err := io.ReadAll(g); !errors.Is(err, errNotMQTT) && !errors.Is(err, errTooLarge) && !errors.Is(err, errStray) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheGuardKnowsMQTT5(t *testing.T) {
	five := []byte{0x20, 3, 0, 0, 0}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"five":                    {slices.Concat(five, publishPacket("a", []byte("x")), []byte{0xe0, 0}), nil},
		"a broker of MQTT 3":      {[]byte{0x20, 2, 0, 1}, errOlder(1)},
		"one of MQTT 3 that lets": {[]byte{0x20, 2, 0, 0}, errOlder(0)},
		"AUTH":                    {slices.Concat(five, []byte{0xf0, 0}), errStray},
		"AUTH first":              {[]byte{0xf0, 0}, errNotMQTT},
		"a large CONNACK":         {[]byte{0x20, 0xff, 0xff, 0xff, 0x7f}, errTooLarge},
		"an empty CONNACK":        {[]byte{0x20, 1, 0}, errNotMQTT},
	} {
		for _, chunk := range []int{1, 4096} {
			g := &guard{Conn: bytesConn{r: &slowly{bytes.NewReader(c.in), chunk}}, skipped: &atomic.Uint64{}, five: true}
			got, err := io.ReadAll(g)
			if !errors.Is(err, c.want) || c.want == nil && !bytes.Equal(got, c.in) {
				t.Errorf("%s in chunks of %d: %v", name, chunk, err)
			}
		}
	}
}

type slowly struct {
	r io.Reader
	n int
}

func (s *slowly) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }

func FuzzGuard(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x30, 3, 0, 1, 'a'}, false)
	f.Add([]byte{0x20, 3, 0, 0, 0, 0xe0, 0}, true)
	f.Fuzz(func(t *testing.T, data []byte, five bool) {
		g := &guard{Conn: bytesConn{r: bytes.NewReader(data)}, skipped: &atomic.Uint64{}, five: five}
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
		tree.hear(got, message{}, 0, time.Now())
		if at := tree.find(name); at == nil || at.id != name || at.count != 1 {
			t.Errorf("%q is not found again", name)
		}
	}
}

func TestTopicsAreBounded(t *testing.T) {
	var tree topics
	now := time.Now()
	for i := range maxTopics + 10 {
		tree.hear([]string{strconv.Itoa(i)}, message{}, 0, now)
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

// A resetConn is a broker that refused and hung up before it was written to.
type resetConn struct{ net.Conn }

var errAlert = &net.OpError{Op: "remote error", Err: io.ErrUnexpectedEOF}

func (resetConn) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (resetConn) Read([]byte) (int, error)         { return 0, errAlert }
func (resetConn) SetReadDeadline(time.Time) error  { return nil }
func (resetConn) SetWriteDeadline(time.Time) error { return nil }

func TestARefusalIsReadThoughTheFirstWriteFailed(t *testing.T) {
	g := &guard{Conn: resetConn{}}
	if _, err := g.Write([]byte("x")); err != errAlert {
		t.Errorf("first write: %v", err)
	}
	g.read.Store(true)
	if _, err := g.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("a write after the first answer: %v", err)
	}
}

func TestSecurity65_LastValuesAndBacklogAreBoundedInBytes(t *testing.T) {
	var tree topics
	now := time.Now()
	for i := range 3000 {
		tree.hear([]string{strconv.Itoa(i)}, message{body: make([]byte, maxBody)}, maxBody, now)
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
