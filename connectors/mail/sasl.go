package mail

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"

	"jackfield/connectors"
)

const (
	maxRounds     = 8       // of one sign-in; the longest mechanism has four
	maxIterations = 600_000 // of a SCRAM server's choice: each costs time that nothing can cut short
)

var (
	errTooCostly = errors.New("the server asks for more computing than a sign-in may cost")
	errUnproven  = errors.New("the server did not prove that it knows the password")
	errDialogue  = errors.New("the sign-in's dialogue does not follow its mechanism")
)

// A mechanism is one way to sign in (RFC 4422).
type mechanism struct {
	name   string
	secret bool   // the password or token itself is sent
	first  []byte // nil where the server speaks first
	next   func(challenge []byte) ([]byte, error)
	done   func() error // whether the server proved itself; nil where it cannot
	said   func() string
}

// An exchange carries a mechanism's messages over one protocol, in base64.
type exchange struct {
	// begin names the mechanism, with its first message where inline says so.
	begin  func(name, first string) (challenge string, more bool, err error)
	answer func(message string) (challenge string, more bool, err error)
	inline func(name, first string) bool
}

// names are the mechanisms of the form's choices, as servers spell them.
func names(auth string) string {
	return map[string]string{authPlain: "PLAIN", authLogin: "LOGIN", authCRAM: "CRAM-MD5", authSCRAM1: "SCRAM-SHA-1",
		authSCRAM2: "SCRAM-SHA-256", authX: "XOAUTH2", authBearer: "OAUTHBEARER"}[auth]
}

// choose picks the mechanism for the answers among those that are offered, or ""
// where none will do. Without encryption, only a choice made by name sends the
// password as it is. With encryption CRAM-MD5 comes last: it adds nothing there,
// and fails on servers that keep passwords hashed.
func choose(auth string, offered []string, secure bool) string {
	if auth != authAuto {
		if name := names(auth); has(offered, name) {
			return name
		}
		return ""
	}
	order := []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"}
	if !secure {
		order = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	}
	for _, name := range order {
		if has(offered, name) {
			return name
		}
	}
	return ""
}

func newMechanism(name string, a account) (mechanism, error) {
	switch name {
	case "PLAIN": // RFC 4616
		return mechanism{name: name, secret: true, first: []byte("\x00" + a.User + "\x00" + a.Password.Reveal()), next: unexpected}, nil
	case "LOGIN":
		return login(a), nil
	case "CRAM-MD5":
		return cram(a), nil
	case "SCRAM-SHA-1":
		return newSCRAM(name, scram.SHA1, a)
	case "SCRAM-SHA-256":
		return newSCRAM(name, scram.SHA256, a)
	case "XOAUTH2": // https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
		return bearer(name, "user="+a.User+"\x01auth=Bearer "+a.Token.Reveal()+"\x01\x01", []byte{}), nil
	case "OAUTHBEARER": // RFC 7628
		id := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(a.User)
		return bearer(name, "n,a="+id+",\x01auth=Bearer "+a.Token.Reveal()+"\x01\x01", []byte{1}), nil
	}
	return mechanism{}, errDialogue
}

func unexpected([]byte) ([]byte, error) { return nil, errDialogue }

// login is draft-murchison-sasl-login-00: the user, then the password. What the
// server asks is text for people, in the words of its maker.
func login(a account) mechanism {
	answers := []string{a.User, a.Password.Reveal()}
	return mechanism{name: "LOGIN", secret: true, next: func([]byte) ([]byte, error) {
		if len(answers) == 0 {
			return nil, errDialogue
		}
		out := answers[0]
		answers = answers[1:]
		return []byte(out), nil
	}}
}

// cram is RFC 2195.
func cram(a account) mechanism {
	answered := false
	return mechanism{name: "CRAM-MD5", next: func(challenge []byte) ([]byte, error) {
		if answered || len(challenge) == 0 {
			return nil, errDialogue
		}
		answered = true
		mac := hmac.New(md5.New, []byte(a.Password.Reveal()))
		_, _ = mac.Write(challenge)
		return []byte(a.User + " " + hex.EncodeToString(mac.Sum(nil))), nil
	}}
}

// newSCRAM is RFC 5802 and RFC 7677, without channel binding. It succeeds only
// when the server has proved that it knows the password too.
func newSCRAM(name string, hash scram.HashGeneratorFcn, a account) (mechanism, error) {
	client, err := hash.NewClient(a.User, a.Password.Reveal(), "")
	if err != nil {
		return mechanism{}, &connectors.Error{Code: connectors.BadInput, Reason: "mail.password_form", Op: connectors.StageSignIn, Field: "password"}
	}
	talk := client.NewConversation()
	first, err := talk.Step("")
	if err != nil {
		return mechanism{}, err
	}
	return mechanism{
		name: name, first: []byte(first),
		next: func(challenge []byte) ([]byte, error) {
			if talk.Done() {
				return nil, errDialogue
			}
			text := string(challenge)
			if costly(text) {
				return nil, errTooCostly
			}
			if why, refused := strings.CutPrefix(text, "e="); refused {
				return nil, &connectors.Error{Code: connectors.AuthFailed, Reason: "mail.auth", Field: "password", Said: why}
			}
			out, err := talk.Step(text)
			switch {
			case err == nil:
				return []byte(out), nil
			case strings.HasPrefix(text, "v="):
				return nil, errUnproven
			}
			return nil, errDialogue
		},
		done: func() error {
			if !talk.Valid() {
				return errUnproven
			}
			return nil
		},
	}, nil
}

// costly reads how often the server wants the hash repeated.
func costly(challenge string) bool {
	for _, part := range strings.Split(challenge, ",") {
		if count, ok := strings.CutPrefix(part, "i="); ok {
			n, err := strconv.Atoi(count)
			return err != nil || n > maxIterations
		}
	}
	return false
}

// bearer sends a token. A challenge is the server's refusal in JSON, which has to
// be acknowledged before the refusal itself comes (RFC 7628 section 3.2.3).
func bearer(name, message string, acknowledge []byte) mechanism {
	refusal, asked := "", false
	return mechanism{
		name: name, secret: true, first: []byte(message),
		next: func(challenge []byte) ([]byte, error) {
			if asked {
				return nil, errDialogue
			}
			asked = true
			var told struct {
				Status string `json:"status"`
				Scope  string `json:"scope"`
			}
			if json.Unmarshal(challenge, &told) == nil {
				refusal = strings.TrimSpace(told.Status + " " + told.Scope)
			}
			return acknowledge, nil
		},
		said: func() string { return refusal },
	}
}

// authenticate runs a mechanism to its end. An error of begin or answer is the
// server's or the wire's; any other has been cancelled towards the server.
func authenticate(m mechanism, x exchange) error {
	first, pending := "", m.first
	if m.first != nil && x.inline(m.name, base64.StdEncoding.EncodeToString(m.first)) {
		first, pending = base64.StdEncoding.EncodeToString(m.first), nil
	}
	challenge, more, err := x.begin(m.name, first)
	for round := 0; more && err == nil; round++ {
		var message []byte
		switch {
		case round == maxRounds:
			err = errDialogue
		case pending != nil:
			message, pending = pending, nil
		default:
			message, err = step(m, challenge)
		}
		if err != nil {
			_, _, _ = x.answer("*") // RFC 4422 section 3.5 by way of the protocols
			return err
		}
		challenge, more, err = x.answer(base64.StdEncoding.EncodeToString(message))
	}
	if err == nil && m.done != nil {
		err = m.done()
	}
	return err
}

func step(m mechanism, challenge string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, errDialogue
	}
	return m.next(raw)
}
