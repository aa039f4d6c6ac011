package mail

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// spilled reports whether the password can be found in what was sent.
func spilled(sent string) bool {
	for _, line := range strings.Fields(sent) {
		raw, _ := base64.StdEncoding.DecodeString(line)
		if strings.Contains(string(raw)+line, password) {
			return true
		}
	}
	return strings.Contains(sent, password)
}

func TestSecurity51_APinIsOneCertificate(t *testing.T) {
	ca := server.NewCA(t)
	d := server.StartDovecot(t, server.DovecotOptions{CA: ca, Users: []string{person + ":{PLAIN}" + password + "::::::"}})
	b := &box{Dovecot: d, ca: ca}
	err := openErr(t, IMAP(), b.settings(secTLS, "ca", "", "tls_pin", "SHA256:"+strings.Repeat("A", 43)))
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.HostChanged || e.Field != "tls_pin" {
		t.Fatalf("%v", err)
	}
	for _, security := range []string{secTLS, secStartTLS} {
		s := conntest.Open(t, IMAP(), b.settings(security, "ca", "", "tls_pin", e.Said)).(*imapSession)
		if facts, err := s.Check(t.Context()); err != nil || !strings.Contains(conntest.Fact(facts, "Encryption"), "pinned certificate") {
			t.Errorf("%+v %v", facts, err)
		}
	}
}

// A server without STARTTLS, one that refuses it, one that says nothing to it, one
// that slips something in, and one whose handshake never comes: no sign-in follows.
func TestSecurity55_NoSignInWithoutTheEncryptionThatWasAskedFor(t *testing.T) {
	smtp := func(ehlo, startTLS string) func(string) string {
		begun := false
		return likeSMTP("PLAIN LOGIN", func(line string) string {
			switch {
			case begun:
				return quiet // what comes in is the handshake
			case strings.HasPrefix(line, "EHLO"):
				return ehlo
			case line == "STARTTLS":
				begun = true
				return startTLS
			}
			return ""
		})
	}
	imap := func(caps, startTLS string) func(string) string {
		begun := false
		return likeIMAP(caps, func(command string) string {
			switch {
			case begun:
				return quiet
			case command == "STARTTLS":
				begun = true
				return startTLS
			}
			return ""
		})
	}
	with := "250-x\n250-STARTTLS\n250 AUTH PLAIN LOGIN\n"
	for name, c := range map[string]struct {
		typ      connectors.Type
		greeting string
		answer   func(string) string
		code     connectors.Code
		reason   string
	}{
		"SMTP, not offered": {SMTP(), "220 x\n", smtp("250-x\n250 AUTH PLAIN LOGIN\n", ""), connectors.Unsupported, "mail.no_starttls"},
		"SMTP, refused":     {SMTP(), "220 x\n", smtp(with, "454 4.7.0 TLS not available due to local problem\n"), connectors.Unsupported, "mail.no_starttls"},
		"SMTP, slipped in":  {SMTP(), "220 x\n", smtp(with, "220 go\n250-x\n250 AUTH PLAIN\n"), connectors.Refused, "mail.injected"},
		"SMTP, no answer":   {SMTP(), "220 x\n", smtp(with, quiet), connectors.TimedOut, ""},
		"SMTP, stalls":      {SMTP(), "220 x\n", smtp(with, "220 go\n"), connectors.TimedOut, ""},
		"IMAP, not offered": {IMAP(), "* OK x\n", imap("AUTH=PLAIN", ""), connectors.Unsupported, "mail.no_starttls"},
		"IMAP, refused":     {IMAP(), "* OK x\n", imap("STARTTLS AUTH=PLAIN", "TAG NO not now\n"), connectors.Unsupported, "mail.no_starttls"},
		"IMAP, slipped in":  {IMAP(), "* OK x\n", imap("STARTTLS AUTH=PLAIN", "TAG OK go\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\n"), connectors.Refused, "mail.injected"},
		"IMAP, no answer":   {IMAP(), "* OK x\n", imap("STARTTLS AUTH=PLAIN", quiet), connectors.TimedOut, ""},
		"IMAP, stalls":      {IMAP(), "* OK x\n", imap("STARTTLS AUTH=PLAIN", "TAG OK go\n"), connectors.TimedOut, ""},
		"IMAP, PREAUTH":     {IMAP(), "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] x\n", imap("STARTTLS", ""), connectors.Refused, "mail.preauth"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPuppet(t, c.greeting, c.answer)
			w := conntest.NewWorld(t)
			ctx, cancel := contextFor(t, 700*time.Millisecond)
			defer cancel()
			s := p.settings(c.typ, secStartTLS)
			_, err := c.typ.Open(ctx, w.Env, s)
			e := connectors.Classify(err)
			if e == nil || e.Code != c.code || e.Reason != c.reason || e.Op != connectors.StageSecure {
				t.Fatalf("%+v", e)
			}
			if c.reason != "" {
				failsWith(t, c.typ, s, err, c.code, c.reason, "security")
			}
			for _, step := range w.Steps() {
				if step.Stage == connectors.StageSignIn {
					t.Error("a sign-in was begun")
				}
			}
			if heard := p.heard(); strings.Contains(heard, "AUTH") || strings.Contains(heard, "LOGIN") || spilled(heard) {
				t.Errorf("a sign-in was tried: %s", heard)
			}
		})
	}
}

// Without encryption, “automatic” never shows the password; a choice by name does.
func TestSecurity55_NoPasswordInTheClearUnlessChosenByName(t *testing.T) {
	smtp := newPuppet(t, "220 x\n", likeSMTP("PLAIN LOGIN", nil))
	s := smtp.settings(SMTP(), secNone)
	failsWith(t, SMTP(), s, openErr(t, SMTP(), s), connectors.Unsupported, "mail.in_the_clear", "auth")
	imap := newPuppet(t, "* OK x\n", likeIMAP("AUTH=PLAIN AUTH=LOGIN", nil))
	s = imap.settings(IMAP(), secNone)
	failsWith(t, IMAP(), s, openErr(t, IMAP(), s), connectors.Unsupported, "mail.in_the_clear", "auth")
	bare := newPuppet(t, "* OK x\n", likeIMAP("", nil)) // the LOGIN command alone
	s = bare.settings(IMAP(), secNone)
	failsWith(t, IMAP(), s, openErr(t, IMAP(), s), connectors.Unsupported, "mail.in_the_clear", "auth")
	for _, p := range []*puppet{smtp, imap, bare} {
		if spilled(p.heard()) {
			t.Errorf("the password was shown: %s", p.heard())
		}
	}
	if err := openErr(t, SMTP(), smtp.settings(SMTP(), secNone, "auth", authPlain)); err != nil || !spilled(smtp.heard()) {
		t.Errorf("chosen by name: %v %s", err, smtp.heard())
	}
}

// A URL without an s, and a form's defaults, never lead to an open sign-in.
func TestSecurity55_APastedAddressDoesNotTurnEncryptionOff(t *testing.T) {
	for typ, pastes := range map[string]map[string]map[string]string{
		"smtp": {
			"smtp://alice@mail.example.com:2525": {"host": "mail.example.com", "port": "2525", "user": "alice", "security": secStartTLS},
			"smtps://mail.example.com":           {"host": "mail.example.com", "security": secTLS},
			"mail.example.com:465":               {"host": "mail.example.com", "port": "465", "security": secTLS},
			"mail.example.com:25":                {"host": "mail.example.com", "port": "25"},
			"http://mail.example.com":            nil, "mail.example.com": nil, "smtp://[": nil,
		},
		"imap": {
			"imap://bob;AUTH=*@mail.example.com/INBOX": {"host": "mail.example.com", "user": "bob", "security": secStartTLS},
			"imaps://mail.example.com:993":             {"host": "mail.example.com", "port": "993", "security": secTLS},
			"smtp://mail.example.com":                  nil,
		},
	} {
		kind, _ := connectors.Find(Types(), typ)
		host, _ := kind.Form.Field("host")
		for paste, want := range pastes {
			if got := host.Split(paste); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", paste, got, want)
			}
		}
		if kind.Form.Defaults().Plain["security"] == secNone {
			t.Error("the default is not encrypted")
		}
	}
}

func TestSecurity57_AnEmptyPasswordNeverLeaves(t *testing.T) {
	p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", nil))
	for _, typ := range Types() {
		for _, auth := range []string{authAuto, authPlain, authX} {
			s := p.settings(typ, secNone, "auth", auth, "password", "", "token", "")
			if e := connectors.Classify(openErr(t, typ, s)); e == nil || e.Code != connectors.BadInput || e.Op != connectors.StageForm {
				t.Errorf("%s %s: %+v", typ.ID, auth, e)
			}
		}
	}
	if _, err := newDoor("smtp", account{Auth: authPlain, User: "x"}, smtpPorts); connectors.CodeOf(err) != connectors.BadInput {
		t.Error(err)
	}
	if p.conns != 0 {
		t.Error("something was sent")
	}
}

// What a server says is read within bounds, and none of it is acted upon.
func TestSecurity58_AnswersAreBoundedAndReferralsNotFollowed(t *testing.T) {
	elsewhere := newPuppet(t, "* OK x\n", likeIMAP("AUTH=PLAIN", nil))
	for name, answer := range map[string]string{
		"literal":  "* LIST () \"/\" {4000000000}\nTAG OK x\n",
		"negative": "* LIST () \"/\" {-5}\nTAG OK x\n",
		"line":     "* OK " + strings.Repeat("x", 3<<20) + "\nTAG OK x\n",
		"string":   "* LIST () \"/\" \"" + strings.Repeat("x", 3<<20) + "\"\nTAG OK x\n",
		"deep":     "* LIST " + strings.Repeat("(", 100000) + "\nTAG OK x\n",
		"tag":      strings.Repeat("y", 3<<20) + " OK\n",
		"open":     "* LIST () \"/\" \"never closed\nTAG OK x\n",
		"foreign":  "J999 OK x\n",
		"nothing":  "\n",
	} {
		p := newPuppet(t, "* PREAUTH [CAPABILITY IMAP4rev1] x\n", likeIMAP("", func(command string) string {
			if strings.HasPrefix(command, "LIST") {
				return answer
			}
			return ""
		}))
		s := conntest.Open(t, IMAP(), p.settings(IMAP(), secNone)).(*imapSession)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var last error
		for _, err := range s.Children(t.Context(), "") {
			last = err
		}
		runtime.ReadMemStats(&after)
		if connectors.CodeOf(last) != connectors.Refused {
			t.Errorf("%s: %v", name, last)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Errorf("%s: %d bytes were asked for", name, grown)
		}
	}
	p := newPuppet(t, "* OK x\n", likeIMAP("AUTH=PLAIN", func(command string) string {
		if strings.HasPrefix(command, "A") && !strings.HasPrefix(command, "AUTH") {
			return "TAG NO [REFERRAL imap://" + elsewhere.host + ":" + elsewhere.port + "/] go there\n"
		}
		return ""
	}))
	if err := openErr(t, IMAP(), p.settings(IMAP(), secNone, "auth", authPlain)); connectors.CodeOf(err) != connectors.AuthFailed {
		t.Error(err)
	}
	if elsewhere.conns != 0 {
		t.Error("the referral was followed")
	}
	for name, ehlo := range map[string]string{
		"many lines": strings.Repeat("250-X\n", 100000) + "250 x\n", "long line": "250-" + strings.Repeat("x", 1<<20) + "\n250 x\n",
		"mixed codes": "250-x\n550 y\n", "no code": "hello\n", "code 999": "999 x\n", "code 99": "99 x\n",
	} {
		p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
			if strings.HasPrefix(line, "EHLO") {
				return ehlo
			}
			return ""
		}))
		if err := openErr(t, SMTP(), p.settings(SMTP(), secNone, "auth", authPlain)); connectors.CodeOf(err) != connectors.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server may not make this computer work for it, and has to prove itself.
func TestSecurity58_ScramIsBoundedAndMutual(t *testing.T) {
	offer := func(first, final string) *puppet {
		nonce := ""
		return newPuppet(t, "220 x\n", likeSMTP("SCRAM-SHA-256", func(line string) string {
			if command, initial, ok := strings.Cut(line, "SCRAM-SHA-256 "); ok && command == "AUTH " {
				raw, _ := base64.StdEncoding.DecodeString(initial)
				_, nonce, _ = strings.Cut(string(raw), "r=")
				return "334 " + base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(first, "NONCE", nonce))) + "\n"
			}
			if strings.HasPrefix(line, "Yz1") || line == "" { // "c=", the proof
				return final + "\n"
			}
			return ""
		}))
	}
	b64 := func(s string) string { return "334 " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		first, final string
		code         connectors.Code
		reason       string
	}{
		"costly":       {"r=NONCEx,s=c2FsdA==,i=2147483647", "235 ok", connectors.Refused, "mail.dialogue"},
		"beyond":       {"r=NONCEx,s=c2FsdA==,i=99999999999999999999", "235 ok", connectors.Refused, "mail.dialogue"},
		"too cheap":    {"r=NONCEx,s=c2FsdA==,i=1", "235 ok", connectors.Refused, "mail.dialogue"},
		"other nonce":  {"r=another,s=c2FsdA==,i=4096", "235 ok", connectors.Refused, "mail.dialogue"},
		"no proof":     {"r=NONCEx,s=c2FsdA==,i=4096", "235 ok", connectors.Untrusted, "mail.unproven"},
		"wrong proof":  {"r=NONCEx,s=c2FsdA==,i=4096", b64("v=AAAA"), connectors.Untrusted, "mail.unproven"},
		"told refusal": {"r=NONCEx,s=c2FsdA==,i=4096", b64("e=invalid-proof"), connectors.AuthFailed, "mail.auth"},
	} {
		p := offer(c.first, c.final)
		start := time.Now()
		err := openErr(t, SMTP(), p.settings(SMTP(), secNone))
		if e := connectors.Classify(err); e == nil || e.Code != c.code || e.Reason != c.reason || e.Op != connectors.StageSignIn {
			t.Errorf("%s: %+v", name, e)
		}
		if spent := time.Since(start); spent > 15*time.Second {
			t.Errorf("%s took %v", name, spent)
		}
	}
}

func TestSecurity68_NoLineOfTheServersProtocolCanBeSmuggledIn(t *testing.T) {
	p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", nil))
	for _, more := range [][]string{
		{"from", "a@example.test>\r\nRCPT TO:<b@example.test"}, {"from", "a@example.test\n\nx"}, {"ehlo", "x\r\nMAIL FROM:<>"}, {"user", "a\r\nQUIT"},
		{"auth", authX, "token", "a\x01auth=x"}, {"properties", "a=b\x00"},
	} {
		if err := openErr(t, SMTP(), p.settings(SMTP(), secNone, append([]string{"auth", authPlain}, more...)...)); connectors.CodeOf(err) != connectors.BadInput {
			t.Errorf("%q: %v", more, err)
		}
	}
	if err := openErr(t, IMAP(), p.settings(IMAP(), secNone, "folder", "x\r\nJ1 DELETE y")); connectors.CodeOf(err) != connectors.BadInput {
		t.Error(err)
	}
	k := &smtpLink{wire: &wire{}}
	if _, err := k.ask("NOOP\r\nQUIT"); connectors.CodeOf(err) != connectors.BadInput {
		t.Error(err)
	}
	if p.conns != 0 {
		t.Error("something was sent")
	}
}

func TestSecurity70_WhatAServerSaysIsShownHarmlessly(t *testing.T) {
	p := newPuppet(t, "220 \x1b[2Jmail \u202etset\n", likeSMTP("PLAIN", func(line string) string {
		if strings.HasPrefix(line, "EHLO") {
			return "250-\u202egpj.exe\n250-X\u202eEVIL \x1b]0;x\x07\n250 AUTH PLAIN\n"
		}
		return ""
	}))
	s := conntest.Open(t, SMTP(), p.settings(SMTP(), secNone, "auth", authPlain)).(*smtpSession)
	facts, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	strange := 0
	for _, n := range conntest.Below(t, s, "") {
		facts = append(facts, n.Facts...)
		if connectors.Clean(n.Name, 0) != n.Name {
			strange++
		}
	}
	if strange == 0 {
		t.Error("the names were changed on the way")
	}
	for _, f := range facts {
		if connectors.Clean(f.Text, 0) != f.Text {
			t.Errorf("%s: %q", f.Label, f.Text)
		}
	}
}

// A message is made by whoever sent it: nothing of it is opened or followed, and
// its nesting, parts and size cost no more than they may.
func TestSecurity71_HostileMessagesAreShownWithinBounds(t *testing.T) {
	var deep strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: image/png\r\n\r\nx\r\n", 20000)
	for name, raw := range map[string]string{
		"deep": deep.String(), "many": many, "empty": "", "binary": "\x00\xff\xfe", "header only": "Subject: x",
		"bad base64":  "Content-Transfer-Encoding: base64\r\n\r\n!!!!",
		"bad charset": "Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
		"bad type":    "Content-Type: ;;;\r\n\r\nhello",
		"long header": "Subject: " + strings.Repeat("=?utf-8?q?x?= ", 20000) + "\r\n\r\nhello",
		"wide":        "Content-Type: text/plain; charset=utf-16\r\n\r\n" + strings.Repeat("\xd8", 1001),
	} {
		start := time.Now()
		text := showMessage(raw)
		if strings.ToValidUTF8(text, "") != text {
			t.Errorf("%s: %q is no text", name, text[:min(len(text), 100)])
		}
		if len(text) > 2*len(raw)+maxContent || strings.Count(text, "image/png") > maxParts {
			t.Errorf("%s: %d bytes of %d", name, len(text), len(raw))
		}
		if spent := time.Since(start); spent > 10*time.Second {
			t.Errorf("%s took %v", name, spent)
		}
	}
	html := showMessage("Content-Type: text/html\r\n\r\n<img src=http://evil.example/x.png>")
	if !strings.Contains(html, "<img src=") {
		t.Errorf("HTML is shown as its source alone: %q", html)
	}
}

// A canary in every secret is nowhere but on the wire.
func TestSecurity80_ACanaryInEverySecretIsNowhere(t *testing.T) {
	p := newPuppet(t, "220 x\n", likeSMTP("PLAIN XOAUTH2", func(line string) string {
		if strings.HasPrefix(line, "AUTH") {
			return "535 5.7.8 no\n"
		}
		return ""
	}))
	for i, auth := range []string{authPlain, authX} {
		w := conntest.NewWorld(t)
		canary := "practice-only-canary" + strconv.Itoa(i)
		_, err := SMTP().Open(t.Context(), w.Env, p.settings(SMTP(), secNone, "auth", auth, "password", canary, "token", canary))
		seen := fmt.Sprintf("%v %+v %#v %+v %s %+v", err, err, err, connectors.Explain(err), w.Log(), w.Steps())
		if err == nil || strings.Contains(seen, canary) || strings.Contains(seen, base64.StdEncoding.EncodeToString([]byte(canary))) {
			t.Errorf("%s: %s", auth, seen)
		}
	}
}
