package ftp

import (
	"bufio"
	"errors"
	"strconv"
	"strings"
)

// What a server may say at once. A line of RFC 959 has no bound of its own.
const (
	maxLine  = 64 << 10 // of a listing or a reply
	maxReply = 256      // lines of one reply
	maxText  = 4 << 10  // bytes that are kept of one reply
)

var (
	errLong  = errors.New("the server sends a line without an end")
	errReply = errors.New("the server's answer is no FTP reply")
	errName  = errors.New("the name has a line break, which FTP cannot send")
)

// A reply is what the server answers to a command (RFC 959 section 4.2).
type reply struct {
	code int
	text string // all its lines, without the code
}

func (r reply) done() bool  { return r.code/100 == 2 }
func (r reply) more() bool  { return r.code/100 == 3 }
func (r reply) begun() bool { return r.code/100 == 1 }

// unknown reports that the server does not know the command or the option.
func (r reply) unknown() bool { return r.code >= 500 && r.code <= 504 }

func (r reply) said() string {
	return strconv.Itoa(r.code) + " " + strings.Join(strings.Fields(r.text), " ")
}

// An odd first line is no FTP: it is kept to tell what is there instead.
type oddLine struct{ line string }

func (e *oddLine) Error() string { return errReply.Error() }
func (e *oddLine) Unwrap() error { return errReply }

// readLine reads a line without its end.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return "", errLong
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return string(line), err
		}
		line = line[:len(line)-1]
		return strings.TrimSuffix(string(line), "\r"), nil
	}
}

// readReply reads one reply: "220 text", or lines from "220-text" to "220 text".
func readReply(r *bufio.Reader) (reply, error) {
	line, err := readLine(r)
	if err != nil {
		if line != "" {
			return reply{}, errors.Join(&oddLine{line}, err)
		}
		return reply{}, err
	}
	code, rest, ok := codeOf(line)
	if !ok {
		return reply{}, &oddLine{line}
	}
	out := reply{code: code, text: strings.TrimPrefix(strings.TrimPrefix(rest, "-"), " ")}
	if !strings.HasPrefix(rest, "-") {
		return out, nil
	}
	for range maxReply {
		if line, err = readLine(r); err != nil {
			return reply{}, err
		}
		again, rest, ok := codeOf(line)
		last := ok && again == code && !strings.HasPrefix(rest, "-")
		if ok && again == code {
			line = strings.TrimPrefix(strings.TrimPrefix(rest, "-"), " ")
		}
		if len(out.text)+len(line) < maxText {
			out.text += "\n" + line
		}
		if last {
			return out, nil
		}
	}
	return reply{}, errLong
}

// codeOf takes the three digits off a line; what follows them is a space, a
// hyphen or nothing.
func codeOf(line string) (code int, rest string, ok bool) {
	if len(line) < 3 || line[0] < '1' || line[0] > '6' {
		return 0, "", false
	}
	code, err := strconv.Atoi(line[:3])
	rest = line[3:]
	if err != nil || rest != "" && rest[0] != ' ' && rest[0] != '-' {
		return 0, "", false
	}
	return code, rest, true
}
