package smb

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// The fields of MS-SMB2 section 2.2 that tell what was agreed on.
const (
	headerSize    = 64
	keep          = headerSize + 32 // of each message
	cmdNegotiate  = 0
	cmdSetup      = 1
	cmdTree       = 3
	signRequired  = 2
	flagGuest     = 1
	flagNull      = 2
	flagEncrypt   = 4
	shareEncrypt  = 0x8000
	statusMore    = 0xC0000016
	writePatience = 30 * time.Second
)

// A watched connection reads along what the server agrees to: the library keeps
// dialect, signing, guest sessions and encryption to itself, and the status of a
// refused sign-in.
type watched struct {
	net.Conn
	mu    sync.Mutex
	frame []byte // the beginning of the present message, with its length before it
	left  int    // bytes of the message that are still to come; -1 while its length is
	seen  agreed
}

// agreed is what is known of the connection.
type agreed struct {
	answered bool // the server negotiated
	old      bool // it answers with SMB 1
	odd      bool // its first message is no SMB 2
	dialect  uint16
	mode     uint16 // SecurityMode
	setup    bool   // it answered a session setup, or refused to negotiate
	status   uint32 // of that answer
	flags    uint16 // of the session
	shares   uint32 // flags of the last tree
}

func watch(c net.Conn) *watched { return &watched{Conn: c, left: -1} }

func (w *watched) Write(p []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(writePatience))
	return w.Conn.Write(p)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow(p[:n])
	if w.seen.odd && err == nil {
		return 0, errReply // the library would wait for another answer
	}
	return n, err
}

func (w *watched) agreed() agreed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// follow takes the stream apart: four bytes of length, then the message (MS-SMB2
// section 2.1).
func (w *watched) follow(p []byte) {
	for len(p) > 0 {
		if w.left < 0 {
			n := min(4-len(w.frame), len(p))
			w.frame = append(w.frame, p[:n]...)
			if p = p[n:]; len(w.frame) < 4 {
				return
			}
			w.left = int(binary.BigEndian.Uint32(w.frame) & 0xffffff)
			w.frame = w.frame[:0]
		}
		n := min(w.left, len(p))
		w.frame = append(w.frame, p[:min(n, keep-len(w.frame))]...)
		w.left -= n
		p = p[n:]
		if w.left == 0 {
			w.message(w.frame)
			w.frame, w.left = w.frame[:0], -1
		}
	}
}

func (w *watched) message(m []byte) {
	if len(m) >= 4 && string(m[:4]) == "\xffSMB" {
		w.seen.old = true
	}
	if len(m) < headerSize+8 || string(m[:4]) != "\xfeSMB" {
		w.seen.odd = w.seen.odd || !w.seen.answered
		return
	}
	status, body := binary.LittleEndian.Uint32(m[8:]), m[headerSize:]
	switch binary.LittleEndian.Uint16(m[12:]) {
	case cmdNegotiate:
		w.seen.answered = true
		w.seen.setup, w.seen.status = status != 0, status
		if status == 0 {
			w.seen.mode, w.seen.dialect = binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint16(body[4:])
		}
	case cmdSetup:
		w.seen.setup, w.seen.status = true, status
		if status == 0 {
			w.seen.flags = binary.LittleEndian.Uint16(body[2:])
		}
	case cmdTree:
		if status == 0 {
			w.seen.shares = binary.LittleEndian.Uint32(body[4:])
		}
	}
}

func (a agreed) guest() bool { return a.flags&(flagGuest|flagNull) != 0 }

func (a agreed) refused() bool { return a.setup && a.status != 0 && a.status != statusMore }

func (a agreed) version() string {
	if name, ok := map[uint16]string{0x0202: "SMB 2.0.2", 0x0210: "SMB 2.1", 0x0300: "SMB 3.0", 0x0302: "SMB 3.0.2", 0x0311: "SMB 3.1.1"}[a.dialect]; ok {
		return name
	}
	return "SMB"
}

func (a agreed) signing() string {
	switch {
	case a.guest():
		return "none: guests have no key to sign with"
	case a.mode&signRequired != 0:
		return "yes, the server requires it"
	}
	return "yes"
}

func (a agreed) encryption() string {
	switch {
	case a.flags&flagEncrypt != 0:
		return "yes, for everything"
	case a.shares&shareEncrypt != 0:
		return "yes, for this share"
	}
	return "none: everybody on the way can read the files"
}
