package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// The bounds of one exchange.
const (
	exchangeTime = 30 * time.Second
	maxLine      = 64 << 10
	maxBytes     = 64 << 20 // of all texts, also of what is thrown away
	maxElements  = 1 << 18  // of all lists
	maxDepth     = 8
)

var (
	errNotRedis = errors.New("the answer is not in Redis' protocol")
	errTLS      = errors.New("the answer is a TLS alert")
	errTooLarge = errors.New("the answer is too large")
)

// A refusal is an error that the server answered, such as "NOPERM this user …".
type refusal string

func (r refusal) Error() string { return string(r) }

// prefix is the error's code, its first word.
func (r refusal) prefix() string {
	word, _, _ := strings.Cut(string(r), " ")
	return word
}

// A reply is a value of RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/).
type reply struct {
	text  string // of a status or a bulk string, at most as much as was to be kept
	size  int64  // of the whole bulk string
	num   int64
	list  []reply
	null  bool
	err   error // a refusal
	isNum bool
}

// A wire is one connection. It is not safe for concurrent use.
type wire struct {
	net.Conn
	in       *bufio.Reader
	secured  string
	db       int  // the chosen database
	broken   bool // an exchange did not come to its end
	heard    bool // an answer in Redis' protocol has come
	bytes    int64
	elements int
}

func newWire(c net.Conn) *wire { return &wire{Conn: c, in: bufio.NewReaderSize(c, maxLine)} }

// A command is a name and its arguments.
type command []string

func cmd(args ...string) command { return args }

// do sends commands together and reads as many replies, keeping at most keep
// bytes of each text. What the server refuses is in the replies; an error means
// that the connection cannot be used any more. The end of ctx closes it.
func (w *wire) do(ctx context.Context, keep int, commands ...command) ([]reply, error) {
	if w.broken {
		return nil, net.ErrClosed
	}
	stop := context.AfterFunc(ctx, func() { _ = w.Close() })
	defer stop()
	_ = w.SetDeadline(time.Now().Add(exchangeTime)) // a connection that cannot is bounded by ctx
	w.bytes, w.elements = 0, 0
	out, err := w.exchange(keep, commands)
	if err != nil {
		w.broken = true
		_ = w.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return out, err
}

func (w *wire) exchange(keep int, commands []command) ([]reply, error) {
	var b strings.Builder
	for _, c := range commands {
		_, _ = fmt.Fprintf(&b, "*%d\r\n", len(c))
		for _, arg := range c {
			_, _ = fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
		}
	}
	_, sendErr := io.WriteString(w, b.String())
	// Who hangs up may have said why before.
	out := make([]reply, 0, len(commands))
	for range commands {
		r, err := w.read(keep, 0)
		if err != nil {
			return nil, errors.Join(err, sendErr)
		}
		out = append(out, r)
	}
	return out, nil
}

func (w *wire) line() (kind byte, rest string, err error) {
	text, err := w.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || err == nil && (len(text) < 3 || text[len(text)-2] != '\r') {
		return 0, "", w.strange(text)
	}
	if err != nil {
		if len(text) > 0 && !strings.ContainsRune("+-:$*", rune(text[0])) {
			err = w.strange(text)
		}
		return 0, "", err
	}
	return text[0], string(text[1 : len(text)-2]), nil
}

// strange names what an answer is that is not Redis': content type 21 is a TLS
// alert (RFC 8446 section 5.1).
func (w *wire) strange(text []byte) error {
	if len(text) > 1 && text[0] == 21 && text[1] == 3 {
		return errTLS
	}
	return errNotRedis
}

func (w *wire) read(keep, depth int) (reply, error) {
	kind, rest, err := w.line()
	if err != nil {
		return reply{}, err
	}
	switch kind {
	case '+':
		w.heard = true
		return reply{text: rest, size: int64(len(rest))}, nil
	case '-':
		w.heard = true
		return reply{err: refusal(rest)}, nil
	case ':', '$', '*':
	default:
		return reply{}, errNotRedis
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return reply{}, errNotRedis
	}
	w.heard = true
	switch {
	case kind == ':':
		return reply{num: n, isNum: true}, nil
	case n < 0:
		return reply{null: true}, nil
	case kind == '$':
		return w.bulk(n, keep)
	}
	return w.array(n, keep, depth)
}

func (w *wire) bulk(n int64, keep int) (reply, error) {
	if w.bytes += n; n > maxBytes || w.bytes > maxBytes {
		return reply{}, errTooLarge
	}
	kept := make([]byte, min(n, int64(keep)))
	if _, err := io.ReadFull(w.in, kept); err != nil {
		return reply{}, err
	}
	if _, err := io.CopyN(io.Discard, w.in, n-int64(len(kept))); err != nil {
		return reply{}, err
	}
	var end [2]byte
	if _, err := io.ReadFull(w.in, end[:]); err != nil {
		return reply{}, err
	}
	if end != [2]byte{'\r', '\n'} {
		return reply{}, errNotRedis
	}
	return reply{text: string(kept), size: n}, nil
}

func (w *wire) array(n int64, keep, depth int) (reply, error) {
	if depth == maxDepth || n > int64(maxElements-w.elements) {
		return reply{}, errTooLarge
	}
	w.elements += int(n)
	out := reply{list: make([]reply, 0, min(n, 1024))}
	for range n {
		r, err := w.read(keep, depth+1)
		if err != nil {
			return reply{}, err
		}
		out.list = append(out.list, r)
	}
	return out, nil
}
