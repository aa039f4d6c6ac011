package rabbitmq

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func frame(kind byte, channel uint16, payload []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	out = binary.BigEndian.AppendUint32(out, uint32(len(payload)))
	return append(append(out, payload...), frameEnd)
}

func method(class, number uint16, args ...byte) []byte {
	return append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, class), number), args...)
}

func contentHeader(size uint64) []byte {
	out := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, size)
	return append(out, 0, 0)
}

func deliver(tag string, number uint64) []byte {
	args := append([]byte{byte(len(tag))}, tag...)
	args = binary.BigEndian.AppendUint64(args, number)
	return method(60, 60, append(args, 0, 0, 0)...)
}

type bytesConn struct {
	net.Conn
	r io.Reader
}

func (b bytesConn) Read(p []byte) (int, error)      { return b.r.Read(p) }
func (b bytesConn) SetReadDeadline(time.Time) error { return nil }

type slowly struct {
	r io.Reader
	n int
}

func (s *slowly) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }

func guarded(data []byte, chunk int) *guard {
	return newGuard(bytesConn{r: &slowly{bytes.NewReader(data), chunk}}, nil)
}

var startFrame = frame(frameMethod, 0, method(10, 10, 0, 9, 0, 0, 0, 0))

func TestTheGuardCutsBodies(t *testing.T) {
	half := make([]byte, 60<<10)
	in := slices.Concat(startFrame,
		frame(frameMethod, 1, deliver("t", 7)), frame(frameHeader, 1, contentHeader(180<<10)),
		frame(frameBody, 1, half), frame(frameMethod, 2, deliver("u", 1)), frame(frameHeader, 2, contentHeader(1)), frame(frameBody, 1, half), frame(frameBody, 2, []byte("x")), frame(frameBody, 1, half),
		frame(frameMethod, 1, deliver("t", 8)), frame(frameHeader, 1, contentHeader(2)), frame(frameBody, 1, []byte("ok")), frame(frameHeartbeat, 0, nil))
	want := slices.Concat(startFrame,
		frame(frameMethod, 1, deliver("t", 7)), frame(frameHeader, 1, contentHeader(maxBody)),
		frame(frameBody, 1, half), frame(frameMethod, 2, deliver("u", 1)), frame(frameHeader, 2, contentHeader(1)), frame(frameBody, 1, make([]byte, maxBody-len(half))), frame(frameBody, 2, []byte("x")),
		frame(frameMethod, 1, deliver("t", 8)), frame(frameHeader, 1, contentHeader(2)), frame(frameBody, 1, []byte("ok")), frame(frameHeartbeat, 0, nil))
	for _, chunk := range []int{1, 3, 4096, 1 << 20} {
		g := guarded(in, chunk)
		got, err := io.ReadAll(g)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("chunks of %d: %d bytes, want %d, %v", chunk, len(got), len(want), err)
		}
		if n := g.whole(delivery{"t", 7}, maxBody); n != 180<<10 {
			t.Errorf("size %d", n)
		}
		if n := g.whole(delivery{"t", 7}, 5); n != 5 {
			t.Errorf("asked twice: %d", n)
		}
	}
}

func TestSecurity64_WhatIsNoAMQPEndsTheConversation(t *testing.T) {
	huge := frame(frameMethod, 0, nil)
	binary.BigEndian.PutUint32(huge[3:], 1<<31)
	open := func(n int) []byte { return frame(frameMethod, 0, append(method(10, 10), make([]byte, n)...)) }
	damaged := slices.Clone(startFrame)
	damaged[len(damaged)-1] = 0
	for name, one := range map[string]struct {
		in   []byte
		want error
	}{
		"ssh":               {[]byte("SSH-2.0-x\r\n"), errNotAMQP},
		"another version":   {[]byte("AMQP\x00\x01\x00\x00"), errVersion},
		"http":              {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), errWeb},
		"tls alert":         {[]byte{0x15, 3, 1, 0, 2, 2, 10}, errTLS},
		"channel first":     {frame(frameMethod, 3, method(20, 11)), errNotAMQP},
		"2 GiB frame":       {huge, errTooLarge},
		"endless handshake": {slices.Concat(open(100<<10), open(100<<10), open(100<<10)), errTooLarge},
		"no frame end":      {damaged, errNotAMQP},
	} {
		g := guarded(one.in, 4096)
		if _, err := io.ReadAll(g); !errors.Is(err, one.want) || !errors.Is(g.why(), one.want) {
			t.Errorf("%s: %v, want %v", name, err, one.want)
		}
	}
	if got, err := io.ReadAll(guarded([]byte{1, 0}, 1)); !errors.Is(err, io.ErrUnexpectedEOF) && err != nil || len(got) > 0 {
		t.Errorf("%q %v", got, err)
	}
}

// A first frame whose table announces 2 GiB, as a stand-in for a hostile broker.
func TestSecurity64_AnAnnouncedSizeIsNotBelieved_StandIn(t *testing.T) {
	hostile := frame(frameMethod, 0, method(10, 10, 0, 9, 0x7f, 0xff, 0xff, 0xff))
	host, port := conntest.Speaks(t, string(hostile)+strings.Repeat(string(frame(frameMethod, 0, make([]byte, 60<<10))), 100))
	s := with(map[string]string{"host": host, "port": port, "security": "none", "user": "reader", "management": "none"}, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
	runtime.ReadMemStats(&after)
	conntest.WantError(t, err, connectors.Refused, "rabbitmq.not_amqp", "port")
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func FuzzGuard(f *testing.F) {
	f.Add(slices.Concat(startFrame, frame(frameMethod, 1, deliver("t", 7)), frame(frameHeader, 1, contentHeader(1<<40)), frame(frameBody, 1, []byte("x"))))
	f.Add([]byte("AMQP\x00\x00\x09\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _ := io.ReadAll(guarded(data, 7))
		if len(got) > len(data) {
			t.Error("it made bytes")
		}
	})
}

// A web server that answers nothing to AMQP is told from a broker that is slow.
func TestASilentWebServerIsRecognized(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(web.URL, "http://"))
	env := conntest.NewWorld(t).Env
	if !isWeb(t.Context(), env, net.JoinHostPort(host, port)) {
		t.Error("a web server is not recognized")
	}
	host, port = conntest.Speaks(t, "AMQP\x00\x00\x09\x01")
	if isWeb(t.Context(), env, net.JoinHostPort(host, port)) {
		t.Error("a broker is taken for a web server")
	}
}

// hostileAPI is a stand-in for a management API that answers everything with the
// same bytes.
func hostileAPI(t *testing.T, media, body string) *api {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, body)
	}))
	client, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{Proxy: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.CloseIdleConnections(); srv.Close() })
	return &api{client: client, base: srv.URL, c: config{Management: manageURL, User: "reader", Vhost: "/"}}
}

func TestSecurity71_AHostileManagementPage_StandIn(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for name, one := range map[string]struct {
		media, body string
		code        connectors.Code
	}{
		"a web page":      {"text/html", "<html>sign in</html>", connectors.Refused},
		"no json":         {"application/json", "<", connectors.Refused},
		"deep":            {"application/json", `{"items":` + deep, connectors.Refused},
		"deep arguments":  {"application/json", `{"page_count":1,"items":[{"name":"q","arguments":` + deep + strings.Repeat("]", 100_000) + `}]}`, connectors.Refused},
		"another shape":   {"application/json", `[1,2,3]`, connectors.Refused},
		"larger than all": {"application/json", `{"items":[` + strings.Repeat(`{"name":"x"},`, 1<<20), connectors.Unsupported},
	} {
		a := hostileAPI(t, one.media, one.body)
		var last error
		for _, err := range a.queues(t.Context(), place{kind: inQueues}, "/") {
			last = err
		}
		if connectors.CodeOf(last) != one.code {
			t.Errorf("%s: %v", name, last)
		}
	}
	a := hostileAPI(t, "application/json", `{"page_count":9000000000,"items":[]}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var last error
	for _, err := range a.queues(ctx, place{kind: inQueues}, "/") {
		last = err
	}
	if last != nil {
		t.Errorf("pages without end: %v", last)
	}
	a = hostileAPI(t, "application/json", `[{"source":"x"},{"source":"y"},{"so`+strings.Repeat("x", maxAnswer))
	n, last := 0, nil
	for _, err := range a.bindings(t.Context(), place{kind: inQueues, name: "q", named: true}, "/") {
		if last = err; err == nil {
			n++
		}
	}
	if n != 2 || connectors.Classify(last).Reason != "rabbitmq.many_bindings" {
		t.Errorf("%d bindings, %v", n, last)
	}
}
