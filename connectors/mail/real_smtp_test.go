package mail

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestPostfix(t *testing.T) {
	p := startPost(t)
	sshHost, sshPort := conntest.Speaks(t, "SSH-2.0-OpenSSH_9.2\r\n")
	conntest.Run(t, conntest.Suite{Type: SMTP(), Good: p.with(submission, secStartTLS), Faults: []conntest.Fault{
		{Name: "wrong password", Settings: p.with(submission, secStartTLS, "password", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "wrong password with PLAIN", Settings: p.with(smtps, secTLS, "auth", authPlain, "password", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "unknown user", Settings: p.with(smtps, secTLS, "user", "nobody@example.test"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "wrong token", Settings: p.with(smtps, secTLS, "auth", authX, "token", "practice-only-old"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
		{Name: "wrong bearer token", Settings: p.with(submission, secStartTLS, "auth", authBearer, "token", "practice-only-old"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
		{Name: "no STARTTLS", Settings: p.with(inClear, secStartTLS), Code: connectors.Unsupported, Stage: connectors.StageSecure, Field: "security"},
		{Name: "encryption is needed", Settings: p.with(submission, secNone), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
		{Name: "encryption is needed for a sender", Settings: p.with(submission, secNone, "auth", authNone, "from", person, "check_from", "true"), Code: connectors.Refused, Stage: connectors.StageRights, Field: "security"},
		{Name: "TLS port in the clear", Settings: p.with(smtps, secNone), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
		{Name: "TLS port with STARTTLS", Settings: p.with(smtps, secStartTLS), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
		{Name: "plain port with TLS", Settings: p.with(submission, secTLS), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
		{Name: "no sign-in here", Settings: p.with(bare, secNone), Code: connectors.Unsupported, Stage: connectors.StageSignIn, Field: "auth"},
		{Name: "computer blocked", Settings: p.with(blocked, secNone), Code: connectors.Denied, Stage: connectors.StageSecure},
		{Name: "too many connections", Settings: func(tb testing.TB) connectors.Settings {
			c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.Ports[single]))
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = c.Close() })
			if _, err := c.Read(make([]byte, 3)); err != nil {
				tb.Fatal(err)
			}
			return p.settings(single, secNone, "auth", authPlain)
		}, Code: connectors.Throttled, Stage: connectors.StageSecure},
		{Name: "sender not allowed", Settings: p.with(senders, secStartTLS, "check_from", "true", "from", "boss@example.test"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "from"},
		{Name: "unknown authority", Settings: p.with(smtps, secTLS, "ca", p.other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
		{Name: "unknown authority with STARTTLS", Settings: p.with(submission, secStartTLS, "ca", p.other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
		{Name: "wrong name", Settings: p.with(smtps, secTLS, "tls_name", "smtp.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "tls_name"},
		{Name: "expired certificate", Settings: p.with(expired, secTLS), Code: connectors.Untrusted, Stage: connectors.StageSecure},
		{Name: "client certificate missing", Settings: p.with(mutual, secTLS), Code: connectors.Denied, Stage: connectors.StageSecure, Field: "client_cert"},
		{Name: "another protocol", Settings: p.with(submission, secStartTLS, "host", sshHost, "port", sshPort), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
		{Name: "no such host", Settings: p.with(submission, secStartTLS, "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		{Name: "password among the properties", Settings: p.with(submission, secStartTLS, "properties", "mail.smtp.password=x"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "properties"},
		{Name: "empty password", Settings: p.with(submission, secStartTLS, "password", ""), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "password"},
		{Name: "port 99999", Settings: p.with(submission, secStartTLS, "port", "99999"), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "port"},
	}})
	t.Run("mechanisms", func(t *testing.T) { smtpMechanisms(t, p) })
	t.Run("facts", func(t *testing.T) { smtpFacts(t, p) })
	t.Run("nothing is sent", func(t *testing.T) { nothingIsSent(t, p) })
	t.Run("comes back", func(t *testing.T) {
		s := conntest.Open(t, SMTP(), p.settings(submission, secStartTLS)).(*smtpSession)
		for _, k := range s.links.idle {
			_ = k.tcp.Close()
			k.used = k.used.Add(-2 * stale)
		}
		if _, err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if queue := p.Queue(t); strings.Count(queue, "queue_id") != 1 {
		t.Errorf("one test mail was asked for, and in the queue is: %s", queue)
	}
}

// Every mechanism signs in for real; Postfix logs which one it was.
func smtpMechanisms(t *testing.T, p *post) {
	for auth, want := range map[string]string{authAuto: "SCRAM-SHA-256", authPlain: "PLAIN", authLogin: "LOGIN", authCRAM: "CRAM-MD5",
		authSCRAM1: "SCRAM-SHA-1", authSCRAM2: "SCRAM-SHA-256", authX: "XOAUTH2", authBearer: "OAUTHBEARER"} {
		s := conntest.Open(t, SMTP(), p.settings(submission, secStartTLS, "auth", auth, "token", goodPass)).(*smtpSession)
		facts, err := s.Check(t.Context())
		if err != nil || conntest.Fact(facts, "Signed in with") != want || conntest.Fact(facts, "Account") != person {
			t.Errorf("%s: %+v %v", auth, facts, err)
		}
	}
	s := conntest.Open(t, SMTP(), p.settings(inClear, secNone)).(*smtpSession)
	if s.shown.mech != "SCRAM-SHA-256" {
		t.Errorf("in the clear it signed in with %s", s.shown.mech)
	}
	withCert := p.settings(mutual, secTLS, "client_cert", p.client.Cert, "client_key", p.client.Key)
	if _, err := conntest.Open(t, SMTP(), withCert).(*smtpSession).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if facts, err := conntest.Open(t, SMTP(), p.settings(bare, secNone, "auth", authNone)).(*smtpSession).Check(t.Context()); err != nil || conntest.Fact(facts, "Account") != "nobody (no sign-in)" {
		t.Errorf("%+v %v", facts, err)
	}
}

func smtpFacts(t *testing.T, p *post) {
	s := conntest.Open(t, SMTP(), p.settings(either, secStartTLS, "from", "alice@example.test", "check_from", "true", "properties",
		"# as in the old program\nmail.smtp.port="+strconv.Itoa(p.Ports[either])+"\nmail.smtp.starttls.enable=true\nmail.smtp.host=other.example.test\nmail.smtp.ssl.trust=*\nmail.smtp.connectiontimeout=9000\nmail.debug=true")).(*smtpSession)
	facts, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{"Largest message": "9.8 MiB", "Sender": "alice@example.test (allowed)", "mail.smtp.starttls.enable": "starttls",
		"mail.smtp.host": "other.example.test (not used: “Host” says otherwise)", "mail.smtp.ssl.trust": "* (not used: certificates are always verified)",
		"mail.smtp.connectiontimeout": "9000 ms", "mail.debug": "true (kept, not used here)", "mail.smtp.port": strconv.Itoa(p.Ports[either])} {
		if got := conntest.Fact(facts, label); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
	if got := conntest.Fact(facts, "Encryption"); !strings.HasPrefix(got, "TLS 1.3") {
		t.Error(got)
	}
	top := conntest.Below(t, s, "")
	for _, name := range []string{"mail.example.test", "Before encryption", "PIPELINING", "SIZE", "AUTH", "DSN", "8BITMIME", "SMTPUTF8", "CHUNKING"} {
		if _, ok := top[name]; !ok {
			t.Errorf("%s is missing: %v", name, top)
		}
	}
	if got := conntest.Fact(top["SIZE"].Facts, "Largest message"); got != "9.8 MiB" {
		t.Error(got)
	}
	if _, ok := conntest.Below(t, s, idClear)["STARTTLS"]; !ok {
		t.Error("STARTTLS is not seen before the encryption")
	}
	smtpSignIns(t, p, s)
}

func smtpSignIns(t *testing.T, p *post, s *smtpSession) {
	after, before := conntest.Below(t, s, idAuth), conntest.Below(t, s, idClear+"/AUTH")
	if len(before) == 0 || conntest.Fact(after["SCRAM-SHA-256"].Facts, "Used") != "yes" || conntest.Fact(after["PLAIN"].Facts, "Offered") != "before and after encryption" {
		t.Errorf("%+v %+v", before, after)
	}
	if len(conntest.Below(t, s, "SIZE")) != 0 {
		t.Error("SIZE has children")
	}
	for _, err := range s.Children(t.Context(), "NOTHING") {
		if connectors.CodeOf(err) != connectors.NotFound {
			t.Error(err)
		}
	}
	quiet := conntest.Open(t, SMTP(), p.settings(submission, secStartTLS)).(*smtpSession)
	if got := conntest.Fact(conntest.Below(t, quiet, idAuth)["PLAIN"].Facts, "Offered"); got != "after encryption only" {
		t.Error(got)
	}
}

// Linking and checking leave no message anywhere; the test mail is sent on
// request alone, once.
func nothingIsSent(t *testing.T, p *post) {
	s := conntest.Open(t, SMTP(), p.settings(submission, secStartTLS, "check_from", "true")).(*smtpSession)
	for range 3 {
		if _, err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		conntest.Below(t, s, "")
	}
	if queue := p.Queue(t); queue != "" {
		t.Fatalf("something is in the queue: %s", queue)
	}
	if log := p.Log(t); strings.Contains(log, "rcpt=") || strings.Contains(log, "data=") {
		t.Fatalf("a recipient was named: %s", log)
	}
	actions := s.Actions("")
	if len(actions) != 1 || actions[0].ID != sendTest || actions[0].Ask == "" || actions[0].Warning == "" {
		t.Fatalf("%+v", actions)
	}
	for _, bad := range []string{"", "nobody", "a@example.test, b@example.test", "a@example.test\r\nRCPT TO:<b@example.test>", "Bob <b@example.test>, c@example.test", "<>"} {
		if _, err := s.Act(t.Context(), "", sendTest, bad); connectors.CodeOf(err) != connectors.BadInput {
			t.Errorf("%q: %v", bad, err)
		}
	}
	parts, err := s.Act(t.Context(), "", sendTest, "bob@example.test")
	if err != nil {
		t.Fatal(err)
	}
	answer := parts[0].Text
	_, id, queued := strings.Cut(answer, "queued as ")
	if !queued || !strings.HasPrefix(answer, "250 2.0.0") {
		t.Fatalf("%+v", parts)
	}
	mail := p.Message(t, strings.TrimSpace(id))
	for _, want := range []string{"sender: " + person, "recipient: bob@example.test", "Subject: Test mail from Jackfield", "Auto-Submitted: auto-generated", "Somebody asked Jackfield"} {
		if !strings.Contains(mail, want) {
			t.Errorf("%q is missing in %s", want, mail)
		}
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	relay := conntest.Open(t, SMTP(), p.settings(bare, secNone, "auth", authNone, "from", person)).(*smtpSession)
	_, err = relay.Act(t.Context(), "", sendTest, "someone@elsewhere.invalid")
	if e := connectors.Classify(err); e == nil || e.Reason != "mail.relay" || e.Code != connectors.Denied || !strings.HasPrefix(e.Said, "554 5.7.1") {
		t.Errorf("%v", err)
	}
	if _, err := relay.Check(t.Context()); err != nil {
		t.Errorf("after a refused recipient: %v", err)
	}
	unnamed := conntest.Open(t, SMTP(), p.settings(bare, secNone, "auth", authNone)).(*smtpSession)
	if _, err := unnamed.Act(t.Context(), "", sendTest, person); connectors.Classify(err).Field != "from" {
		t.Error(err)
	}
}
