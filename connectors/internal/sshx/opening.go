package sshx

import (
	"bytes"
	"errors"
	"net"
	"strings"

	"jackfield/connectors"
)

// errNotSSH is returned for a server that begins as one of another protocol.
var errNotSSH = errors.New("the server begins like another protocol's")

// maxOpening is how much is kept of what a server says before its version.
const maxOpening = 1 << 10

// opening looks at the first bytes that a server sends. A server may send lines
// before its version (RFC 4253 section 4.2), and the library waits for that
// version as long as it takes: a web or mail server would never be recognized.
// sshd also tells there why it hangs up.
type opening struct {
	net.Conn
	seen []byte
	done bool
}

func (o *opening) Read(p []byte) (int, error) {
	n, err := o.Conn.Read(p)
	if o.done || n == 0 {
		return n, err
	}
	o.seen = append(o.seen, p[:min(n, maxOpening)]...)
	o.seen = o.seen[:min(len(o.seen), maxOpening)]
	ssh := strings.HasPrefix(string(o.seen), "SSH-")
	if !ssh && foreign(o.seen[:min(len(o.seen), 8)]) {
		return 0, errNotSSH
	}
	o.done = ssh || bytes.Contains(o.seen, []byte("\nSSH-")) || len(o.seen) == maxOpening
	return n, err
}

// said is what stands before the version; call it when nobody reads any more.
func (o *opening) said() string {
	text, _, _ := strings.Cut("\n"+string(o.seen), "\nSSH-")
	return connectors.Clean(strings.TrimSpace(text), 200)
}

// foreign knows the greetings of HTTP, FTP and SMTP (both 220), POP3, IMAP and
// VNC, and takes any control character for a binary protocol.
func foreign(b []byte) bool {
	for _, greeting := range []string{"HTTP/", "220", "+OK", "* OK", "RFB "} {
		if strings.HasPrefix(string(b), greeting) {
			return true
		}
	}
	return bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' && r != '\t' })
}
