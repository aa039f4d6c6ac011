package sqldb

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// rogue is a MySQL server of the docs' shape that answers with what a client
// must not fall for. It records every byte that it gets.
type rogue struct {
	mu   sync.Mutex
	got  bytes.Buffer
	port int
}

// packet frames a payload (MySQL protocol: 3 bytes of length, 1 of sequence).
func packet(seq byte, payload []byte) []byte {
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	head[3] = seq
	return append(head, payload...)
}

// greeting is a HandshakeV10 without TLS.
func greeting() []byte {
	p := append([]byte{10}, "8.0.30-rogue\x00"...)
	p = append(p, 1, 0, 0, 0)
	p = append(p, "12345678\x00"...)
	p = append(p, 0x8d, 0xa2|0x08) // long password, protocol 41, local files, secure connection …
	p = append(p, 0x21, 2, 0, 0x08, 0x00, 21)
	p = append(p, make([]byte, 10)...)
	p = append(p, "123456789012\x00"...)
	return append(p, "mysql_native_password\x00"...)
}

func startRogue(t *testing.T, afterLogin, afterQuery []byte) *rogue {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rogue{port: l.Addr().(*net.TCPAddr).Port}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.serve(c, afterLogin, afterQuery) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return r
}

func (r *rogue) serve(c net.Conn, afterLogin, afterQuery []byte) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = c.Write(packet(0, greeting()))
	_, seq := r.read(c)
	_, _ = c.Write(packet(seq+1, afterLogin))
	for {
		payload, seq := r.read(c)
		if payload == nil {
			return
		}
		_, _ = c.Write(packet(seq+1, afterQuery))
	}
}

func (r *rogue) read(c net.Conn) ([]byte, byte) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, 0
	}
	payload := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	if _, err := io.ReadFull(c, payload); err != nil {
		return nil, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got.Write(payload)
	return payload, head[3]
}

func (r *rogue) has(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.got.Bytes(), []byte(text))
}

func visit(t *testing.T, r *rogue) error {
	t.Helper()
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(r.port), "user": "reader", "tls": "off"}
	s.Secrets["password"] = connectors.NewSecret("canary-password")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	session, err := mysqlType().Open(ctx, conntest.NewWorld(t).Env, s)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	_, err = session.Check(ctx)
	return err
}

func TestSecurity62_ARogueServerGetsNoFileAndNoPassword(t *testing.T) {
	ok := []byte{0, 0, 0, 2, 0, 0, 0}
	canary := server.WriteFile(t, t.TempDir(), "canary.txt", "canary-content", 0o600)
	r := startRogue(t, ok, append([]byte{0xfb}, filepath.ToSlash(canary)...))
	if err := visit(t, r); err == nil {
		t.Error("a server that asks for a local file was believed")
	}
	if !r.has("reader") || !r.has("SELECT") {
		t.Error("the sign-in and the first query never came: the rogue server proves nothing")
	}
	if r.has("canary-content") {
		t.Error("the file went to the server")
	}
	r = startRogue(t, append([]byte{0xfe}, "mysql_clear_password\x00"...), ok)
	if err := visit(t, r); err == nil {
		t.Error("a server that asks for the password in clear was believed")
	}
	r2 := startRogue(t, append([]byte{0xfe}, "mysql_old_password\x0012345678\x00"...), ok)
	if err := visit(t, r2); err == nil {
		t.Error("a server that asks for the old hash was believed")
	}
	if r.has("canary-password") || r2.has("canary-password") {
		t.Error("the password went to the server in clear")
	}
}

func TestSecurity61_TLSIsVerifiedUnlessSwitchedOff(t *testing.T) {
	for _, ty := range Types() {
		f, ok := ty.Form.Field("tls")
		if ok == ty.Offline {
			t.Errorf("%s: encryption is asked for: %v", ty.ID, ok)
		}
		if ok && f.Default != verify && f.Default != tcps {
			t.Errorf("%s: the default is %q", ty.ID, f.Default)
		}
	}
}
