//go:build unix

package smb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestForm(t *testing.T) {
	for in, want := range map[string]map[string]string{
		`\\files\reports\2026\sales`: {"host": "files", "share": "reports", "folder": "2026/sales"},
		`\\files`:                    {"host": "files"},
		`//files/reports/`:           {"host": "files", "share": "reports"},
		`smb://COMPANY;alice@files:1445/reports/2026`: {"host": "files", "port": "1445", "user": "alice", "domain": "COMPANY", "share": "reports", "folder": "2026"},
		`cifs://files/c$`: {"host": "files", "share": "c$"},
		`https://files/x`: nil,
		`files`:           nil,
		`\\`:              nil,
	} {
		if got := splitHost(in); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v", in, got)
		}
	}
	for in, want := range map[config][2]string{
		{User: "alice", Domain: "COMPANY"}:               {"COMPANY", "alice"},
		{User: `OTHER\alice`, Domain: "COMPANY"}:         {"OTHER", "alice"},
		{User: "alice@company.example.com", Domain: "C"}: {"", "alice@company.example.com"},
	} {
		if domain, user := in.account(); domain != want[0] || user != want[1] {
			t.Errorf("%+v: %s %s", in, domain, user)
		}
	}
}

// The codes as MS-ERREF writes them.
func TestStatusesDocsShaped(t *testing.T) {
	for status, reason := range map[uint32]string{
		0xC000006D: "smb.sign_in", 0xC0000234: "smb.locked", 0xC0000072: "smb.disabled", 0xC0000071: "smb.password_expired", 0xC0000224: "smb.password_must_change",
		0xC00000CC: "smb.no_share", 0xC0000022: "smb.denied", 0xC0000034: "smb.not_found", 0xC000015B: "smb.logon_type", 0xC00000BB: "smb.dialect", 0xC0000257: "smb.dfs", 0xC0001234: "smb.failure",
	} {
		e := fromStatus("x", status, nil)
		if e.Reason != reason || !connectors.English().Has(reason) || connectors.Explain(e).Title == "" {
			t.Errorf("%08x: %+v", status, e)
		}
		if e.Field != "" {
			if _, ok := Type().Form.Field(e.Field); !ok {
				t.Errorf("no field %s", e.Field)
			}
		}
	}
	if status, ok := statusOf(fmt.Errorf("x: %w", &smb2.ResponseError{Code: 0xC0000043})); !ok || status != 0xC0000043 {
		t.Error(status, ok)
	}
	if _, ok := statusOf(io.EOF); ok {
		t.Error("an end is no status")
	}
}

func message(cmd uint16, status uint32, body ...byte) []byte {
	m := make([]byte, headerSize)
	copy(m, "\xfeSMB@\x00")
	m[16] = 1 // from the server
	binary.LittleEndian.PutUint32(m[8:], status)
	binary.LittleEndian.PutUint16(m[12:], cmd)
	return append(m, body...)
}

func framed(m []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...)
}

func TestWhatWasAgreedIsReadInAnyPieces(t *testing.T) {
	var stream []byte
	stream = append(stream, framed(message(cmdNegotiate, 0, 65, 0, signRequired, 0, 0x11, 0x03, 0, 0))...)
	stream = append(stream, framed(message(cmdSetup, statusMore, make([]byte, 300)...))...)
	stream = append(stream, framed(message(cmdSetup, 0, 9, 0, flagEncrypt, 0, 0, 0, 0, 0))...)
	stream = append(stream, framed(nil)...)
	stream = append(stream, framed(message(cmdTree, 0, 16, 0, 1, 0, 0, 0x80, 0, 0))...)
	for _, size := range []int{1, 3, 64, len(stream)} {
		w := watch(nil)
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			w.follow(rest[:min(size, len(rest))])
		}
		a := w.agreed()
		if !a.answered || a.version() != "SMB 3.1.1" || a.mode != signRequired || a.status != 0 || a.flags != flagEncrypt || a.shares != shareEncrypt || a.refused() || a.guest() {
			t.Errorf("%d: %+v", size, a)
		}
	}
}

func FuzzFollow(f *testing.F) {
	f.Add(framed(message(cmdNegotiate, 0, 65, 0, 1, 0, 0x11, 0x03, 0, 0)), 3)
	f.Add([]byte{0, 0, 0, 4, 0xff, 'S', 'M', 'B'}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		w := watch(nil)
		size = max(1, size%100)
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			w.follow(rest[:min(size, len(rest))])
			if len(w.frame) > keep {
				t.Fatal("it keeps too much")
			}
		}
	})
}

// answering is a server that answers the first message with bytes, and is silent then.
func answering(t *testing.T, says []byte) (host, port string) {
	t.Helper()
	return conntest.Serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		time.Sleep(20 * time.Millisecond) // the length comes in a packet of its own
		_, _ = c.Write(says)
		_, _ = io.Copy(io.Discard, c)
	})
}

// Servers that answer something, but not as SMB does.
func TestStandInServersAreExplained(t *testing.T) {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"user": reader}
	s.Secrets["password"] = connectors.NewSecret(password)
	for name, c := range map[string]struct {
		says   []byte
		code   connectors.Code
		reason string
	}{
		"SMB 1":            {framed([]byte("\xffSMB" + strings.Repeat("\x00", 60))), connectors.Unsupported, "smb.smb1"},
		"an empty answer":  {framed(message(cmdNegotiate, 0)), connectors.Refused, "smb.not_smb"},
		"no dialect":       {framed(message(cmdNegotiate, 0xC00000BB, make([]byte, 9)...)), connectors.Unsupported, "smb.dialect"},
		"lengths too high": {framed(message(cmdNegotiate, 0, append([]byte{65, 0, 1, 0, 0x11, 0x03}, []byte(strings.Repeat("\xff", 60))...)...)), connectors.Refused, "smb.reply"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Plain["host"], s.Plain["port"] = answering(t, c.says)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
			e := connectors.Classify(err)
			if e == nil || e.Code != c.code || e.Reason != c.reason {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A stalling connection is one that passes on nothing once it is told to.
type stalling struct {
	net.Conn
	stalled *atomic.Bool
}

func (c stalling) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.stalled.Load() {
			return n, err
		}
	}
}

func TestAServerThatStallsIsLeft(t *testing.T) {
	s := start(t, place(t), "")
	w := conntest.NewWorld(t)
	var stalled atomic.Bool
	dial := w.Env.Dial
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return stalling{c, &stalled}, err
	}
	session, err := Type().Open(t.Context(), w.Env, answersFor(s))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var last error
	for _, err := range session.(connectors.Browser).Children(ctx, "docs/many") {
		if n++; n == 10 {
			stalled.Store(true)
			time.AfterFunc(200*time.Millisecond, cancel)
		}
		last = err
	}
	if code := connectors.CodeOf(last); code != connectors.Cancelled {
		t.Errorf("after %d: %v", n, last)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	if _, err := session.Check(t.Context()); err == nil {
		t.Error("a closed session answers")
	}
}

func TestSecurity57_AnEmptyPasswordIsNoAnonymousSignIn(t *testing.T) {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "user": reader}
	dialled := false
	w := conntest.NewWorld(t)
	w.Env.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialled = true
		return nil, errors.New("unwanted")
	}
	_, err := Type().Open(t.Context(), w.Env, s)
	if e := connectors.Classify(err); dialled || e == nil || e.Code != connectors.BadInput || e.Field != "password" {
		t.Errorf("%+v, dialled %v", e, dialled)
	}
}
