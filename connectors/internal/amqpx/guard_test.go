package amqpx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"
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

func guarded(parts ...[]byte) *Guard {
	return NewGuard(bytesConn{r: bytes.NewReader(slices.Concat(parts...))}, nil)
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
	if offered, outcome := g.SignIn(); !offered || outcome != 1 {
		t.Errorf("%v %d", offered, outcome)
	}
	if a, b, c := g.Mode("a"), g.Mode("b"), g.Mode("c"); a != "copy" || b != "move" || c != "" || g.Mode("a") != "" {
		t.Errorf("%q %q %q", a, b, c)
	}
}

func TestSecurity64_WhatIsNoAMQPEndsTheConversation(t *testing.T) {
	huge := frame(typeAMQP, nil)
	binary.BigEndian.PutUint32(huge, 1<<31)
	part := frame(typeAMQP, append(list8(codeTransfer, []byte{0x43}, null, null, null, null, []byte{0x41}), make([]byte, 60<<10)...))
	endless := [][]byte{header}
	for range MaxMessage/(60<<10) + 1 {
		endless = append(endless, part)
	}
	for name, one := range map[string]struct {
		in   []byte
		want error
	}{
		"ssh": {[]byte("SSH-2.0-x\r\n"), ErrNotAMQP}, "0-9-1": {[]byte("AMQP\x00\x00\x09\x01"), ErrVersion}, "http": {[]byte("HTTP/1.1 400"), ErrWeb},
		"tls": {[]byte{0x15, 3, 1, 0, 2, 2, 10}, ErrTLS}, "2 GiB frame": {slices.Concat(header, huge), ErrFrame}, "tiny frame": {slices.Concat(header, make([]byte, 8)), ErrFrame},
		"endless message": {slices.Concat(endless...), ErrMessage},
	} {
		g := guarded(one.in)
		if _, err := io.ReadAll(g); !errors.Is(err, one.want) || !errors.Is(g.Why(), one.want) {
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
