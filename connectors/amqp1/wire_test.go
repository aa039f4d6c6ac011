package amqp1

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func frame(kind byte, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(out, 2, kind, 0, 0), body...)
}

// list is a described list of fields that are already encoded.
func list8(code byte, fields ...[]byte) []byte {
	all := slices.Concat(fields...)
	return append([]byte{0, 0x53, code, 0xc0, byte(len(all) + 1), byte(len(fields))}, all...)
}

func list32(code byte, fields ...[]byte) []byte {
	all := slices.Concat(fields...)
	out := append([]byte{0, 0x80, 0, 0, 0, 0, 0, 0, 0, code}, 0xd0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(all)+4))
	return append(binary.BigEndian.AppendUint32(out, uint32(len(fields))), all...)
}

func str(s string) []byte { return append([]byte{0xa1, byte(len(s))}, s...) }
func sym(s string) []byte { return append([]byte{0xa3, byte(len(s))}, s...) }

var (
	null   = []byte{0x40}
	header = []byte("AMQP\x00\x01\x00\x00")
)

type bytesConn struct {
	net.Conn
	r io.Reader
}

func (b bytesConn) Read(p []byte) (int, error)      { return b.r.Read(p[:min(len(p), 3)]) }
func (b bytesConn) SetReadDeadline(time.Time) error { return nil }

func guarded(parts ...[]byte) *guard {
	return newGuard(bytesConn{r: bytes.NewReader(slices.Concat(parts...))}, nil)
}

func TestTheGuardTellsWhatTheLibraryDoesNot(t *testing.T) {
	source := func(mode []byte) []byte { return list8(codeSource, str("orders"), null, null, null, null, null, mode) }
	in := [][]byte{
		[]byte("AMQP\x03\x01\x00\x00"), frame(typeSASL, list8(codeMechanisms, sym("PLAIN"))), frame(typeSASL, list8(codeOutcome, []byte{0x50, 1})), header,
		frame(typeAMQP, list8(codeAttach, str("a"), []byte{0x43}, []byte{0x42}, null, null, source(sym("copy")))),
		frame(typeAMQP, list32(codeAttach, str("b"), []byte{0x52, 3}, []byte{0x42}, null, null, list32(codeSource, str("x"), null, null, null, null, null, sym("move")))),
		frame(typeAMQP, list8(codeAttach, str("c"), []byte{0x43}, []byte{0x42}, null, null, null)), frame(typeAMQP, nil),
	}
	g := guarded(in...)
	got, err := io.ReadAll(g)
	if err != nil || !bytes.Equal(got, slices.Concat(in...)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if offered, outcome := g.signIn(); !offered || outcome != 1 {
		t.Errorf("%v %d", offered, outcome)
	}
	if a, b, c := g.mode("a"), g.mode("b"), g.mode("c"); a != "copy" || b != "move" || c != "" || g.mode("a") != "" {
		t.Errorf("%q %q %q", a, b, c)
	}
}

func TestSecurity64_WhatIsNoAMQPEndsTheConversation(t *testing.T) {
	huge := frame(typeAMQP, nil)
	binary.BigEndian.PutUint32(huge, 1<<31)
	part := frame(typeAMQP, append(list8(codeTransfer, []byte{0x43}, null, null, null, null, []byte{0x41}), make([]byte, 60<<10)...))
	endless := [][]byte{header}
	for range maxMessage/(60<<10) + 1 {
		endless = append(endless, part)
	}
	for name, one := range map[string]struct {
		in   []byte
		want error
	}{
		"ssh": {[]byte("SSH-2.0-x\r\n"), errNotAMQP}, "0-9-1": {[]byte("AMQP\x00\x00\x09\x01"), errVersion}, "http": {[]byte("HTTP/1.1 400"), errWeb},
		"tls": {[]byte{0x15, 3, 1, 0, 2, 2, 10}, errTLS}, "2 GiB frame": {slices.Concat(header, huge), errTooLarge}, "tiny frame": {slices.Concat(header, make([]byte, 8)), errTooLarge},
		"endless message": {slices.Concat(endless...), errMessage},
	} {
		g := guarded(one.in)
		if _, err := io.ReadAll(g); !errors.Is(err, one.want) || !errors.Is(g.why(), one.want) {
			t.Errorf("%s: %v, want %v", name, err, one.want)
		}
	}
}

func FuzzGuard(f *testing.F) {
	f.Add(slices.Concat(header, frame(typeAMQP, list8(codeAttach, str("a"), null, null, null, null, list8(codeSource, str("x"), null, null, null, null, null, sym("copy"))))))
	f.Add(slices.Concat(header, frame(typeAMQP, list32(codeTransfer, null, []byte{0xf0, 0xff, 0xff, 0xff, 0xff}))))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _ := io.ReadAll(guarded(data))
		if len(got) > len(data) {
			t.Error("it made bytes")
		}
	})
}

func TestSecurity71_MessagesAsTextAreBounded(t *testing.T) {
	var deep any = "x"
	for range 100 {
		deep = []any{deep}
	}
	id, big := "id", strings.Repeat("é", maxCell)
	for want, m := range map[string]*amqp.Message{
		"[[[[[[[…]]]]]]]":        {Value: deep},
		"(3 bytes, no text)":     {Data: [][]byte{{0xff}, {0, 1}}},
		"[a, 1][true]":           {Sequence: [][]any{{"a", int32(1)}, {true}}},
		"{a: 1, b: [x]}":         {Value: map[any]any{"b": []any{"x"}, "a": uint8(1)}},
		"(chan int)":             {Value: make(chan int)},
		big[:maxCell] + "":       {Data: [][]byte{[]byte(big)}},
		"":                       {Properties: &amqp.MessageProperties{MessageID: id}},
		"1970-01-01T00:00:01Z":   {Value: time.Unix(1, 0)},
		strings.Repeat("y", 100): {Value: strings.Repeat("y", 100), Annotations: amqp.Annotations{"x-opt": int64(1)}},
	} {
		if got := row(m)[bodyColumn]; got != want {
			t.Errorf("%.80q, want %.80q", got, want)
		}
	}
	many := &amqp.Message{ApplicationProperties: map[string]any{}}
	for i := range 500 {
		many.ApplicationProperties[strconv.Itoa(i)] = strings.Repeat("z", 500)
	}
	if got := describe(many); len(got) > 2*maxCell {
		t.Errorf("%d bytes", len(got))
	}
}

// The consoles' answers are shaped as Jolokia's and the brokers' documentation
// has them; no real one was to be had.
func TestConsole_DocsShaped(t *testing.T) {
	classic := `[{"status":200,"value":{
		"org.apache.activemq:brokerName=localhost,destinationName=orders,destinationType=Queue,type=Broker":{"Name":"orders","QueueSize":3,"ConsumerCount":1},
		"org.apache.activemq:brokerName=localhost,destinationName=news,destinationType=Topic,type=Broker":{"Name":"news","QueueSize":0,"ConsumerCount":0}}},
		{"status":404,"error_type":"javax.management.InstanceNotFoundException","error":"none"}]`
	artemis := `[{"status":404},{"status":200,"value":{
		"org.apache.activemq.artemis:address=\"eu\",broker=\"b\",component=addresses,queue=\"orders\",routing-type=\"anycast\",subcomponent=queues":{"Name":"orders","Address":"eu","RoutingType":"ANYCAST","MessageCount":7,"ConsumerCount":0}}}]`
	for name, one := range map[string]struct{ path, answer, want string }{
		"ActiveMQ": {"/api/jolokia/", classic, "queue://orders 3 1, topic://news  0"},
		"Artemis":  {"/console/jolokia/", artemis, "eu::orders 7 0"},
	} {
		var asked string
		w := consoleOf(t, func(rw http.ResponseWriter, r *http.Request) {
			user, secret, _ := r.BasicAuth()
			if r.URL.Path != one.path {
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			if user != "reader" || secret != password || r.Header.Get("Origin") == "" || r.Method != http.MethodPost {
				rw.WriteHeader(http.StatusForbidden)
				return
			}
			body, _ := io.ReadAll(r.Body)
			asked = string(body)
			_, _ = io.WriteString(rw, one.answer)
		})
		var got []string
		for n, err := range w.list(t.Context()) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, string(n.ID)+" "+fact(n.Facts, "Messages")+" "+fact(n.Facts, "Consumers"))
		}
		if strings.Join(got, ", ") != one.want {
			t.Errorf("%s: %v", name, got)
		}
		if strings.Count(asked, `"type":"read"`) != 2 || strings.Contains(asked, "exec") {
			t.Errorf("%s: asked %s", name, asked)
		}
	}
}

func TestConsoleRefusals_DocsShaped(t *testing.T) {
	for reason, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"amqp1.console_auth":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"amqp1.console_not_this": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"http.not_found":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	} {
		_, err := consoleOf(t, answer).count(t.Context())
		e := connectors.Classify(err)
		if e == nil || e.Reason != reason || e.Field == "" {
			t.Errorf("%s: %+v", reason, e)
		}
	}
}

func consoleOf(t *testing.T, answer http.HandlerFunc) *console {
	t.Helper()
	srv := httptest.NewServer(answer)
	w, err := newConsole(conntest.NewWorld(t).Env, config{Host: "127.0.0.1", Console: srv.URL + "/", User: "reader", Password: connectors.NewSecret(password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close(); srv.Close() })
	return w
}
