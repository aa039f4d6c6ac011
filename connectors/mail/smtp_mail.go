package mail

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"jackfield/connectors"
)

// sendTest is the one thing that is done on request.
const sendTest = "send_test"

// Actions are offered for the server as a whole.
func (s *smtpSession) Actions(id connectors.NodeID) []connectors.Action {
	if id != "" && id != idServer {
		return nil
	}
	return []connectors.Action{{
		ID: sendTest, Label: "Send a test mail", Ask: "The recipient's address",
		Warning: "A real message is sent to this address. It says that it is a test, and where it comes from.",
	}}
}

// Act sends one test mail and shows what the server said. It is never tried again.
func (s *smtpSession) Act(ctx context.Context, id connectors.NodeID, action, input string) ([]connectors.Part, error) {
	if action != sendTest || len(s.Actions(id)) == 0 {
		return nil, &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: connectors.Clean(action, 40)}
	}
	to, err := address(tidyAddress(input))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "mail.to", Op: connectors.StageForm}
	}
	from := s.c.sender()
	if from == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "mail.from", Op: connectors.StageForm, Field: "from"}
	}
	k, err := s.links.take(ctx)
	if err != nil {
		return nil, err
	}
	message := testMail(from, to, s.door.addr, time.Now())
	var last reply
	sent := false
	err = k.within(ctx, func() error {
		last, sent, err = k.send(from, to, message)
		return err
	})
	var known *connectors.Error
	if err != nil && errors.As(err, &known) {
		_ = k.within(ctx, func() error { return k.want("RSET") })
	}
	s.links.give(k)
	switch {
	case err != nil && sent && known == nil:
		return nil, &connectors.Error{Code: connectors.TimedOut, Reason: "mail.unsure", Op: connectors.StageData, Target: s.door.addr, Err: err}
	case err != nil:
		e := *connectors.Classify(s.lost(k, err))
		e.Op = connectors.StageData
		return nil, &e
	}
	return []connectors.Part{
		{Title: "The server's answer", Text: connectors.Clean(last.said(), 500)},
		{Title: "Message", Text: message},
	}, nil
}

// send hands one message over. sent says that its end was written, so that it may
// be on its way even when no answer came.
func (k *smtpLink) send(from, to, message string) (last reply, sent bool, err error) {
	if _, ok := k.offers.find("SMTPUTF8"); !ok && !ascii(from+to) {
		return last, false, &connectors.Error{Code: connectors.Unsupported, Reason: "mail.no_utf8", Target: k.addr}
	}
	sender := k.mailFrom(from)
	if !ascii(to) && ascii(from) {
		sender += " SMTPUTF8"
	}
	for _, command := range []string{sender, "RCPT TO:<" + to + ">"} {
		if err = k.want(command); err != nil {
			return last, false, err
		}
	}
	if last, err = k.ask("DATA"); err != nil {
		return last, false, err
	}
	if last.code != 354 {
		return last, false, stepError(k, "DATA", last)
	}
	k.hurry()
	if err = k.write(stuffed(message) + ".\r\n"); err != nil {
		return last, true, err
	}
	if last, err = k.answer(); err == nil && last.code >= 300 {
		err = stepError(k, "DATA", last)
	}
	return last, true, err
}

// stuffed is RFC 5321 section 4.5.2: CR LF line ends, dots at a beginning doubled.
func stuffed(message string) string {
	lines := strings.Split(strings.TrimSuffix(message, "\n"), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = "." + l
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// testMail says what it is, so that nobody who gets it has to wonder (RFC 5322;
// RFC 3834 asks for Auto-Submitted on what no person wrote).
func testMail(from, to, server string, now time.Time) string {
	return strings.Join([]string{
		"Date: " + now.Format(time.RFC1123Z),
		"From: <" + from + ">",
		"To: <" + to + ">",
		"Subject: Test mail from Jackfield",
		"Message-ID: <" + messageID() + "@" + from[strings.LastIndexByte(from, '@')+1:] + ">",
		"Auto-Submitted: auto-generated",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=us-ascii",
		"",
		"This is a test mail. Somebody asked Jackfield, a program that tests connections,",
		"to send it through the mail server " + server + ".",
		"Nothing needs to be done with it.",
		"",
	}, "\n")
}

func messageID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "jackfield." + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
