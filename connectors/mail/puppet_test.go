package mail

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A puppet is a server that says what real ones cannot be made to say.
type puppet struct {
	host, port string

	mu       sync.Mutex
	received bytes.Buffer
	conns    int
}

// quiet as an answer is silence.
const quiet = "\x00quiet"

// hangUp as an answer ends the connection, after what stands before it.
const hangUp = "\x00hang up"

// newPuppet greets and then answers every line with what answer returns.
func newPuppet(t testing.TB, greeting string, answer func(line string) string) *puppet {
	t.Helper()
	p := &puppet{}
	p.host, p.port = conntest.Serve(t, func(c net.Conn) { p.serve(c, greeting, answer) })
	return p
}

func (p *puppet) serve(c net.Conn, greeting string, answer func(string) string) {
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	say := func(text string) bool {
		before, _, ends := strings.Cut(strings.ReplaceAll(text, quiet, ""), hangUp)
		_, err := c.Write([]byte(strings.ReplaceAll(before, "\n", "\r\n")))
		return err == nil && !ends
	}
	if !say(greeting) {
		return
	}
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		p.mu.Lock()
		_, _ = p.received.WriteString(line)
		p.mu.Unlock()
		if err != nil || !say(answer(strings.TrimRight(line, "\r\n"))) {
			return
		}
	}
}

func (p *puppet) heard() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received.String()
}

func (p *puppet) settings(typ connectors.Type, security string, more ...string) connectors.Settings {
	return conntest.Settings(typ, []string{"host", p.host, "port", p.port, "security", security, "user", person, "password", password}, more...)
}

// likeSMTP answers as a server does that offers mechanisms and lets everybody in;
// special answers go first.
func likeSMTP(mechanisms string, special func(line string) string) func(string) string {
	return func(line string) string {
		if special != nil {
			if out := special(line); out != "" {
				return out
			}
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO":
			return "250-mail.example.test\n250-SIZE 1000\n250 AUTH " + mechanisms + "\n"
		case "AUTH":
			return "235 2.7.0 ok\n"
		case "QUIT":
			return "221 bye\n" + hangUp
		}
		return "250 2.0.0 ok\n"
	}
}

// likeIMAP answers with TAG replaced by the command's tag.
func likeIMAP(caps string, special func(command string) string) func(string) string {
	tag := ""
	var mu sync.Mutex
	return func(line string) string {
		mu.Lock()
		defer mu.Unlock()
		command := line
		if t, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(t, "J") {
			tag, command = t, rest
		}
		out := ""
		if special != nil {
			out = special(command)
		}
		verb, _, _ := strings.Cut(command, " ")
		switch {
		case out != "":
		case verb == "CAPABILITY":
			out = "* CAPABILITY IMAP4rev1 " + caps + "\nTAG OK done\n"
		case verb == "AUTHENTICATE":
			out = "+ \n"
		case verb == "LIST":
			out = "* LIST (\\HasNoChildren) \"/\" INBOX\nTAG OK done\n"
		case verb == "STATUS":
			out = "* STATUS INBOX (MESSAGES 0 UNSEEN 0)\nTAG OK done\n"
		default:
			out = "TAG OK done\n"
		}
		return strings.ReplaceAll(out, "TAG", tag)
	}
}

func failsWith(t *testing.T, typ connectors.Type, s connectors.Settings, err error, code connectors.Code, reason, field string) {
	t.Helper()
	conntest.WantError(t, err, code, reason, field)
	if err == nil {
		return
	}
	if field != "" && !typ.Form.Visible(field, s) {
		t.Errorf("the field %s cannot be seen", field)
	}
	p := connectors.Explain(err)
	for _, secret := range []string{password, goodPass} {
		if strings.Contains(err.Error()+p.Title+p.Hint+p.Said, secret) {
			t.Error("the secret is in the error")
		}
	}
}
