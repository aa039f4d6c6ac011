package redis

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/conntest"
)

// canned is a connection on which a server has said text.
type canned struct {
	net.Conn
	*bytes.Reader
}

func (canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c canned) Read(p []byte) (int, error)     { return c.Reader.Read(p) }
func (canned) SetDeadline(time.Time) error      { return nil }
func (canned) SetReadDeadline(time.Time) error  { return nil }
func (canned) SetWriteDeadline(time.Time) error { return nil }
func (canned) Close() error                     { return nil }

func heard(t *testing.T, text string, keep int) (reply, error) {
	t.Helper()
	out, err := newWire(canned{Reader: bytes.NewReader([]byte(text))}).do(t.Context(), keep, cmd("PING"))
	if err != nil {
		return reply{}, err
	}
	return out[0], nil
}

func TestReplies(t *testing.T) {
	r, err := heard(t, "*4\r\n$5\r\nhello\r\n:42\r\n$-1\r\n-NOPERM no\r\n", 3)
	if err != nil || len(r.list) != 4 {
		t.Fatalf("%+v %v", r, err)
	}
	if l := r.list; l[0].text != "hel" || l[0].size != 5 || l[1].num != 42 || !l[2].null || !denied(l[3].err) {
		t.Errorf("%+v", r)
	}
}

func TestSecurity71_HostileAnswersAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"a huge text":         {"$99999999999\r\n", errTooLarge},
		"a huge list":         {"*99999999999\r\n", errTooLarge},
		"a huge number":       {"*99999999999999999999\r\n", errNotRedis},
		"lists in lists":      {strings.Repeat("*1\r\n", 100_000), errTooLarge},
		"lists of lists":      {strings.Repeat("*200000\r\n", 3), errTooLarge},
		"an endless line":     {"+" + strings.Repeat("x", 1<<20), errNotRedis},
		"no number":           {":x\r\n", errNotRedis},
		"no end of line":      {"$3\r\nabcde", errNotRedis},
		"a text that is cut":  {"$30\r\nabc", io.ErrUnexpectedEOF},
		"nothing":             {"", io.EOF},
		"a TLS alert":         {"\x15\x03\x03\x00\x02\x02\x46", errTLS},
		"RESP3 without HELLO": {"%1\r\n+a\r\n+b\r\n", errNotRedis},
	} {
		if _, err := heard(t, c.text, 100); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzReplies(f *testing.F) {
	f.Add("*2\r\n$1\r\na\r\n:1\r\n")
	f.Add("-ERR x\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = heard(t, text, 10)
	})
}

func TestPatternsMatchNothingElse(t *testing.T) {
	if got := pattern(`a*b?c[d]\`); got != `a\*b\?c\[d\]\\*` {
		t.Error(got)
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"rediss://reader@cache.example.com:6380/2": {"host": "cache.example.com", "port": "6380", "user": "reader", "database": "2", "security": "tls"},
		"redis://:practice@10.0.0.5":               {"host": "10.0.0.5", "security": "none"},
		"valkeys://cache.example.com/x":            {"host": "cache.example.com", "security": "tls"},
		"cache.example.com":                        nil,
	} {
		got := split(in)
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %v, want %v", in, got, want)
			}
		}
		if len(got) > len(want)+1 || want == nil && got != nil {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestIDsOfKeysAndFoldersDiffer(t *testing.T) {
	for _, key := range []string{"", "a", "a*", "a:*", "*", "%", "a/b", "\xff\x00", "%2A"} {
		p, err := parsePlace(keyID(3, key))
		if err != nil || !p.isKey || p.key != key || p.db != 3 {
			t.Errorf("%q: %q gives %+v %v", key, keyID(3, key), p, err)
		}
		f, err := parsePlace(folderID(3, key+":"))
		if err != nil || f.isKey || f.prefix != key+":" {
			t.Errorf("%q: %q gives %+v %v", key, folderID(3, key+":"), f, err)
		}
	}
}

// TestAnEndlessScanEnds has a server whose cursor never comes back to 0.
func TestAnEndlessScanEnds(t *testing.T) {
	answer := "*2\r\n$1\r\n7\r\n*0\r\n"
	w := newWire(canned{Reader: bytes.NewReader([]byte(strings.Repeat(answer, maxSteps+1)))})
	s := &session{env: conntest.NewWorld(t).Env, turn: make(chan struct{}, 1), wire: w, life: t.Context(), end: func() {}}
	s.turn <- struct{}{}
	var last error
	for _, err := range s.Children(t.Context(), "0") {
		last = err
	}
	conntest.WantError(t, last, "unsupported", "redis.many", "prefix")
}
