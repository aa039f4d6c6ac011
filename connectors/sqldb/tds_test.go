package sqldb

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors/conntest/server"
)

// A tdsServer is a stand-in for SQL Server, written from MS-TDS. It speaks TDS
// 7.4 and 8.0 over real TLS, takes sign-ins, and answers statements with what
// answer gives. TestTheStandInIsTDS proves with a client of others' that it is one.
type tdsServer struct {
	port    int
	ca      *server.CA
	encrypt byte // what PRELOGIN answers: encryptOff …
	strict  bool
	signIn  func(*tdsConn, login7) *tdsError
	answer  func(db, query string, args []string) tdsResult

	mu   sync.Mutex
	seen []string // every statement, with the database in front
}

// ENCRYPTION of PRELOGIN (MS-TDS 2.2.6.5).
const (
	encryptOff    = 0
	encryptOn     = 1
	encryptNotSup = 2
	encryptReq    = 3
)

// The types of packets and tokens (MS-TDS 2.2.3.1.1 and 2.2.7).
const (
	packetBatch    = 1
	packetRPC      = 3
	packetReply    = 4
	packetStop     = 6
	packetLogin    = 16
	packetSSPI     = 17
	packetPrelogin = 18
)

// A tdsError is an ERROR token.
type tdsError struct {
	number int
	text   string
	before []tdsError // that come first
}

// A tdsResult is rows, or an error. A column's type is that of its first value
// that is not nil: string, bool, int64 or []byte.
type tdsResult struct {
	columns []string
	rows    [][]any
	err     *tdsError
}

// login7 is what a LOGIN7 message says.
type login7 struct {
	user, password, app, database string
	sspi                          []byte
	token                         string // of the FEDAUTH feature
}

type tdsConn struct {
	net.Conn // as it is now: TLS or not
	s        *tdsServer
	db       string
}

func (s *tdsServer) start(t testing.TB) *tdsServer {
	t.Helper()
	if s.ca == nil {
		s.ca = server.NewCA(t)
	}
	pair := s.ca.Issue(t, server.Cert{}).TLS(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			running.Go(func() {
				defer func() { _ = c.Close() }()
				_ = s.serve(c, pair)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return s
}

func (s *tdsServer) serve(raw net.Conn, pair tls.Certificate) error {
	c := &tdsConn{Conn: raw, s: s}
	if s.strict {
		c.Conn = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"tds/8.0"}})
	}
	kind, offer, err := c.read()
	if err != nil || kind != packetPrelogin {
		return errors.Join(err, errors.New("no PRELOGIN"))
	}
	wants, fed := prelogin(offer)
	agreed := s.encrypt
	if agreed == encryptOff && wants == encryptOn {
		agreed = encryptOn
	}
	if err := c.write(packetReply, preloginAnswer(agreed, fed)); err != nil {
		return err
	}
	var alone *tls.Conn // TLS for the sign-in alone
	if !s.strict && agreed != encryptNotSup {
		wrapped := &inPrelogin{c: &tdsConn{Conn: raw}}
		secure := tls.Server(wrapped, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12, SessionTicketsDisabled: true})
		if err := secure.Handshake(); err != nil {
			return err
		}
		wrapped.raw = raw
		c.Conn = secure
		if agreed == encryptOff {
			alone = secure
		}
	}
	return c.session(raw, alone)
}

func (c *tdsConn) session(raw net.Conn, alone *tls.Conn) error {
	kind, data, err := c.read()
	if err != nil || kind != packetLogin {
		return errors.Join(err, errors.New("no LOGIN7"))
	}
	if alone != nil {
		c.Conn = raw
	}
	in, err := readLogin(data)
	if err != nil {
		return err
	}
	c.db = in.database
	if c.db == "" {
		c.db = "master"
	}
	if e := c.s.signIn(c, in); e != nil {
		return c.write(packetReply, append(e.tokens(), done(0xfd, 2, 0)...))
	}
	hello := envChange(1, c.db, "master")
	hello = append(hello, envChange(4, "4096", "4096")...)
	hello = append(hello, loginAck()...)
	if err := c.write(packetReply, append(hello, done(0xfd, 0, 0)...)); err != nil {
		return err
	}
	for {
		kind, data, err := c.read()
		if err != nil {
			return err
		}
		if err := c.write(packetReply, c.reply(kind, data)); err != nil {
			return err
		}
	}
}

func (c *tdsConn) reply(kind byte, data []byte) []byte {
	if kind == packetStop {
		return done(0xfd, 0x20, 0)
	}
	query, args, err := statement(kind, data)
	if err != nil {
		return append((&tdsError{number: 50000, text: err.Error()}).tokens(), done(0xfd, 2, 0)...)
	}
	c.s.mu.Lock()
	c.s.seen = append(c.s.seen, c.db+": "+query)
	c.s.mu.Unlock()
	result := c.s.answer(c.db, query, args)
	last := byte(0xfd)
	if kind == packetRPC {
		last = 0xfe
	}
	if result.err != nil {
		return append(result.err.tokens(), done(last, 2, 0)...)
	}
	out := result.tokens()
	if kind == packetRPC {
		out = append(out, done(0xff, 0x11, len(result.rows))...)
		out = append(out, 0x79, 0, 0, 0, 0)
		return append(out, done(last, 0, 0)...)
	}
	return append(out, done(last, 0x10, len(result.rows))...)
}

// read returns the next message, put together from its packets.
func (c *tdsConn) read() (kind byte, data []byte, err error) {
	for {
		var head [8]byte
		if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
			return 0, nil, err
		}
		size := int(binary.BigEndian.Uint16(head[2:]))
		if size < 8 {
			return 0, nil, errors.New("a packet is too short")
		}
		body := make([]byte, size-8)
		if _, err := io.ReadFull(c.Conn, body); err != nil {
			return 0, nil, err
		}
		data = append(data, body...)
		if head[1]&1 != 0 {
			return head[0], data, nil
		}
	}
}

// write sends a message in packets of the size that was agreed on.
func (c *tdsConn) write(kind byte, data []byte) error {
	const most = 4096 - 8
	var out bytes.Buffer
	for n := byte(1); ; n++ {
		part := data[:min(most, len(data))]
		data = data[len(part):]
		status := byte(0)
		if len(data) == 0 {
			status = 1
		}
		head := []byte{kind, status, 0, 0, 0, 0, n, 0}
		binary.BigEndian.PutUint16(head[2:], uint16(len(part)+8))
		out.Write(head)
		out.Write(part)
		if len(data) == 0 {
			_, err := c.Write(out.Bytes())
			return err
		}
	}
}

// inPrelogin carries a TLS handshake in PRELOGIN messages, and afterwards passes
// everything through.
type inPrelogin struct {
	net.Conn
	c    *tdsConn
	raw  net.Conn
	rest []byte
}

func (w *inPrelogin) Read(p []byte) (int, error) {
	if w.raw != nil {
		return w.raw.Read(p)
	}
	if len(w.rest) == 0 {
		_, data, err := w.c.read()
		if err != nil {
			return 0, err
		}
		w.rest = data
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *inPrelogin) Write(p []byte) (int, error) {
	if w.raw != nil {
		return w.raw.Write(p)
	}
	return len(p), w.c.write(packetPrelogin, p)
}

func prelogin(data []byte) (encryption byte, fed bool) {
	for i := 0; i+5 <= len(data) && data[i] != 0xff; i += 5 {
		at, n := int(binary.BigEndian.Uint16(data[i+1:])), int(binary.BigEndian.Uint16(data[i+3:]))
		if at+n > len(data) || n == 0 {
			continue
		}
		switch data[i] {
		case 1:
			encryption = data[at]
		case 6:
			fed = true
		}
	}
	return encryption, fed
}

func preloginAnswer(encryption byte, fed bool) []byte {
	options := [][2][]byte{{{0}, {16, 0, 16, 0, 0, 0}}, {{1}, {encryption}}}
	if fed {
		options = append(options, [2][]byte{{6}, {1}})
	}
	at := 5*len(options) + 1
	var head, body []byte
	for _, o := range options {
		head = append(head, o[0][0])
		head = binary.BigEndian.AppendUint16(head, uint16(at+len(body)))
		head = binary.BigEndian.AppendUint16(head, uint16(len(o[1])))
		body = append(body, o[1]...)
	}
	return append(append(head, 0xff), body...)
}

var errShort = errors.New("the message is too short")

// readLogin reads LOGIN7 (MS-TDS 2.2.6.4).
func readLogin(data []byte) (in login7, err error) {
	if len(data) < 94 {
		return in, errShort
	}
	piece := func(at, unit int) []byte {
		offset, n := int(binary.LittleEndian.Uint16(data[at:])), unit*int(binary.LittleEndian.Uint16(data[at+2:]))
		if offset+n > len(data) {
			err = errShort
			return nil
		}
		return data[offset : offset+n]
	}
	in.user, in.app, in.database = ucs2(piece(40, 2)), ucs2(piece(48, 2)), ucs2(piece(68, 2))
	secret := bytes.Clone(piece(44, 2))
	for i, b := range secret {
		b ^= 0xa5
		secret[i] = b<<4 | b>>4
	}
	in.password, in.sspi = ucs2(secret), piece(78, 1)
	if data[27]&0x10 != 0 { // fExtension
		in.token, err = fedAuth(data, piece(56, 1))
	}
	return in, err
}

func fedAuth(data, where []byte) (string, error) {
	if len(where) < 4 {
		return "", errShort
	}
	at := int(binary.LittleEndian.Uint32(where))
	for at+5 <= len(data) && data[at] != 0xff {
		n := int(binary.LittleEndian.Uint32(data[at+1:]))
		if at+5+n > len(data) {
			break
		}
		if data[at] == 2 && n >= 5 {
			return ucs2(data[at+10 : at+5+n]), nil
		}
		at += 5 + n
	}
	return "", nil
}

// statement reads a batch or a call of sp_executesql with text parameters.
func statement(kind byte, data []byte) (query string, args []string, err error) {
	if len(data) < 4 || int(binary.LittleEndian.Uint32(data)) > len(data) {
		return "", nil, errShort
	}
	data = data[binary.LittleEndian.Uint32(data):]
	if kind == packetBatch {
		return ucs2(data), nil, nil
	}
	if kind != packetRPC || len(data) < 6 || !bytes.Equal(data[:4], []byte{0xff, 0xff, 10, 0}) {
		return "", nil, errors.New("neither a batch nor sp_executesql")
	}
	var all []string
	for data = data[6:]; len(data) > 0; {
		name := 2 * int(data[0])
		if len(data) < name+10 || data[name+2] != 0xe7 { // name, status, NVARCHARTYPE, size, collation
			return "", nil, errors.New("a parameter that is no nvarchar")
		}
		long := binary.LittleEndian.Uint16(data[name+3:]) == 0xffff
		data = data[name+10:]
		var v []byte
		if v, data, err = nvarchar(data, long); err != nil {
			return "", nil, err
		}
		all = append(all, ucs2(v))
	}
	if len(all) < 2 {
		return all[0], nil, nil
	}
	return all[0], all[2:], nil
}

func nvarchar(data []byte, long bool) (v, rest []byte, err error) {
	take := func(n int) []byte {
		if n < 0 || n > len(data) {
			err, n = errShort, 0
		}
		v := data[:n]
		data = data[n:]
		return append(make([]byte, 0, n+8), v...)
	}
	if !long {
		n := binary.LittleEndian.Uint16(append(take(2), 0, 0))
		return take(int(n)), data, err
	}
	take(8)
	for err == nil {
		n := int(binary.LittleEndian.Uint32(append(take(4), 0, 0, 0, 0)))
		if n == 0 {
			break
		}
		v = append(v, take(n)...)
	}
	return v, data, err
}

// sspi sends a token of the sign-in and returns the client's answer.
func (c *tdsConn) sspi(token []byte) ([]byte, error) {
	out := append(binary.LittleEndian.AppendUint16([]byte{0xed}, uint16(len(token))), token...)
	if err := c.write(packetReply, out); err != nil {
		return nil, err
	}
	kind, data, err := c.read()
	if err == nil && kind != packetSSPI {
		err = errors.New("no SSPI message")
	}
	return data, err
}

func (s *tdsServer) saw(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.seen {
		if strings.Contains(q, text) {
			return true
		}
	}
	return false
}
