package mail

import (
	"context"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func openErr(t *testing.T, typ connectors.Type, s connectors.Settings) error {
	t.Helper()
	_, err := conntest.Try(t, typ, s)
	return err
}

// The answers of RFC 4954 section 6 and, in their own words, of Gmail and
// Microsoft 365, which cannot be had for a test.
func TestSignInRefusalsDocsShaped(t *testing.T) {
	for answer, want := range map[string]struct {
		code          connectors.Code
		reason, field string
	}{
		"535 5.7.8 Authentication credentials invalid": {connectors.AuthFailed, "mail.auth", "password"},
		"535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials":          {connectors.AuthFailed, "mail.auth", "password"},
		"535 5.7.3 Authentication unsuccessful [AM0P190CA0001.EURP190.PROD.OUTLOOK.COM]":                                                                   {connectors.AuthFailed, "mail.auth", "password"},
		"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.":                                                    {connectors.Denied, "mail.auth_disabled", "auth"},
		"534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor": {connectors.AuthFailed, "mail.app_password", "password"},
		"534-5.7.14 <https://accounts.google.com/signin/continue> Please log in via your\n534 5.7.14 web browser and then try again.":                      {connectors.AuthFailed, "mail.app_password", "password"},
		"530 5.7.0 Must issue a STARTTLS command first":                                                                                                    {connectors.Refused, "mail.need_tls", "security"},
		"538 5.7.11 Encryption required for requested authentication mechanism":                                                                            {connectors.Refused, "mail.need_tls", "security"},
		"454 4.7.0 Temporary authentication failure":                                                                                                       {connectors.Throttled, "mail.temporary", ""},
		"454 4.7.0 Too many login attempts, please try again later.":                                                                                       {connectors.Throttled, "mail.temporary", ""},
		"421 4.7.0 Try again later, closing connection.":                                                                                                   {connectors.Throttled, "mail.busy", ""},
		"432 4.7.12 A password transition is needed":                                                                                                       {connectors.Expired, "mail.transition", "password"},
		"504 5.7.4 Unrecognized authentication type":                                                                                                       {connectors.Unsupported, "mail.mechanism", "auth"},
		"503 5.5.1 Error: authentication not enabled":                                                                                                      {connectors.Unsupported, "mail.no_auth", "auth"},
		"500 5.5.6 Authentication Exchange line is too long":                                                                                               {connectors.Refused, "mail.dialogue", "auth"},
		"535 no enhanced code": {connectors.AuthFailed, "mail.auth", "password"},
	} {
		p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
			if strings.HasPrefix(line, "AUTH") {
				return answer + "\n"
			}
			return ""
		}))
		s := p.settings(SMTP(), secNone, "auth", authPlain)
		err := openErr(t, SMTP(), s)
		failsWith(t, SMTP(), s, err, want.code, want.reason, want.field)
		if e := connectors.Classify(err); e.Op != connectors.StageSignIn || !strings.HasPrefix(e.Said, answer[:3]) {
			t.Errorf("%+v", e)
		}
	}
}

func TestRefusedSendersAndGreetingsDocsShaped(t *testing.T) {
	for answer, want := range map[string]struct {
		code          connectors.Code
		reason, field string
	}{
		"550 5.7.60 SMTP; Client does not have permissions to send as this sender": {connectors.Denied, "mail.sender", "from"},
		"553 5.7.1 <x>: Sender address rejected: not owned by user":                {connectors.Denied, "mail.sender", "from"},
		"530 5.7.0 Authentication Required.":                                       {connectors.Refused, "mail.need_tls", "security"},
		"451 4.3.2 Please try again later":                                         {connectors.Throttled, "mail.temporary", ""},
	} {
		p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
			if strings.HasPrefix(line, "MAIL") {
				return answer + "\n"
			}
			return ""
		}))
		s := p.settings(SMTP(), secNone, "auth", authPlain, "check_from", "true")
		failsWith(t, SMTP(), s, openErr(t, SMTP(), s), want.code, want.reason, want.field)
	}
	for greeting, want := range map[string]struct {
		code   connectors.Code
		reason string
	}{
		"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org\n": {connectors.Denied, "mail.blocked"},
		"554-mail.example.test\n554 Your access to this mail system has been rejected\n":          {connectors.Denied, "mail.blocked"},
		"421 4.3.2 Service not available\n":                                                       {connectors.Throttled, "mail.busy"},
	} {
		p := newPuppet(t, greeting, likeSMTP("PLAIN", nil))
		s := p.settings(SMTP(), secNone)
		failsWith(t, SMTP(), s, openErr(t, SMTP(), s), want.code, want.reason, "")
		if heard := p.heard(); heard != "" {
			t.Errorf("it was spoken to all the same: %s", heard)
		}
	}
	for answer, want := range map[string]string{"550 5.1.1 No such user here": "mail.recipient", "552 5.2.2 Mailbox full": "mail.size", "554 5.7.1 Relay access denied": "mail.relay"} {
		p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
			if strings.HasPrefix(line, "RCPT") {
				return answer + "\n"
			}
			return ""
		}))
		_, err := conntest.Open(t, SMTP(), p.settings(SMTP(), secNone, "auth", authPlain)).(*smtpSession).Act(t.Context(), "", sendTest, person)
		if e := connectors.Classify(err); e == nil || e.Reason != want || e.Op != connectors.StageData || !connectors.English().Has(want) {
			t.Errorf("%s: %+v", answer, e)
		}
	}
}

// The response codes of RFC 5530, and what Gmail says.
func TestIMAPRefusalsDocsShaped(t *testing.T) {
	for answer, want := range map[string]struct {
		code          connectors.Code
		reason, field string
	}{
		"TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\n":                                                        {connectors.AuthFailed, "mail.auth", "password"},
		"TAG NO [AUTHORIZATIONFAILED] not for you\n":                                                                           {connectors.Denied, "mail.not_authorized", "user"},
		"TAG NO [EXPIRED] That password isn't valid any more\n":                                                                {connectors.Expired, "mail.password_expired", "password"},
		"TAG NO [PRIVACYREQUIRED] Connection offers no privacy\n":                                                              {connectors.Refused, "mail.need_tls", "security"},
		"TAG NO [UNAVAILABLE] User's backend down for maintenance\n":                                                           {connectors.Throttled, "mail.temporary", ""},
		"TAG NO [CONTACTADMIN] Ask them\n":                                                                                     {connectors.Denied, "mail.contact_admin", "user"},
		"TAG NO [LIMIT] Too many simultaneous connections\n":                                                                   {connectors.Throttled, "mail.busy", ""},
		"TAG NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)\n": {connectors.AuthFailed, "mail.auth", "password"},
		"* NO [WEBALERT https://accounts.google.com/signin/continue] Web login required.\nTAG NO [WEBALERT https://accounts.google.com/x] Please log in via your web browser\n": {connectors.AuthFailed, "mail.app_password", "password"},
		"TAG NO LOGIN failed.\n":                                {connectors.AuthFailed, "mail.auth", "password"},
		"TAG BAD Command received in Invalid state\n":           {connectors.Refused, "mail.dialogue", "auth"},
		"* BYE [UNAVAILABLE] Temporary System Error\n" + hangUp: {connectors.Throttled, "mail.temporary", ""},
		"* BYE Too many invalid commands\n" + hangUp:            {connectors.Throttled, "mail.bye", ""},
	} {
		p := newPuppet(t, "* OK ready\n", likeIMAP("AUTH=PLAIN", func(command string) string {
			if strings.HasPrefix(command, "AGFs") || strings.HasPrefix(command, "AGE") { // the answer to AUTHENTICATE PLAIN
				return answer
			}
			return ""
		}))
		s := p.settings(IMAP(), secNone, "auth", authPlain)
		err := openErr(t, IMAP(), s)
		failsWith(t, IMAP(), s, err, want.code, want.reason, want.field)
		if e := connectors.Classify(err); e.Op != connectors.StageSignIn || e.Said == "" {
			t.Errorf("%+v", e)
		}
	}
	for greeting, want := range map[string]string{"* BYE [UNAVAILABLE] Come back later\n" + hangUp: "mail.temporary", "* BYE Too many connections from your address\n" + hangUp: "mail.bye"} {
		p := newPuppet(t, greeting, likeIMAP("", nil))
		s := p.settings(IMAP(), secNone)
		failsWith(t, IMAP(), s, openErr(t, IMAP(), s), connectors.Throttled, want, "")
	}
	p := newPuppet(t, "* OK ready\n", likeIMAP("LOGINDISABLED STARTTLS", nil))
	for _, auth := range []string{authAuto, authPlain, authLogin} {
		s := p.settings(IMAP(), secNone, "auth", auth)
		failsWith(t, IMAP(), s, openErr(t, IMAP(), s), connectors.Refused, "mail.need_tls", "security")
	}
	if strings.Contains(p.heard(), "LOGIN") || strings.Contains(p.heard(), "AUTH") {
		t.Error("a sign-in was tried although it is disabled")
	}
}

// A sign-in that the server takes, and then folders that no real server here has.
func TestOddListingsStandIn(t *testing.T) {
	p := newPuppet(t, "* PREAUTH [CAPABILITY IMAP4rev1 NAMESPACE] hello\n", likeIMAP("NAMESPACE", func(command string) string {
		switch {
		case command == "NAMESPACE":
			return "* NAMESPACE ((\"INBOX.\" \".\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\" \"X-PARAM\" (\"a\" \"b\")))\nTAG OK x\n"
		case command == `LIST "" "%"`:
			return "* LIST (\\HasChildren) \".\" inbox\n* LIST () NIL {8}\nlit\"\\era\n* LIST (\\Noselect) \"/\" \"\"\n* LIST () \"/\" \"trail/\"\n* LIST (\\NonExistent) \"/\" \"was here\"\n* XLIST (\\x) \"/\" y\n* OK [ALERT] mind the gap\nTAG OK x\n"
		case command == `LIST "" "~"`, command == `LIST "" "#shared"`:
			return "TAG OK x\n"
		case command == `LIST "" "#shared/%"`:
			return "* LIST () \"/\" \"#shared/team\"\nTAG OK x\n"
		case strings.HasPrefix(command, "STATUS"):
			return "TAG NO [NOPERM] no\n"
		}
		return ""
	}))
	s := conntest.Open(t, IMAP(), p.settings(IMAP(), secNone)).(*imapSession)
	top := conntest.Below(t, s, "")
	for _, name := range []string{"INBOX", "lit\"\\era", "trail", "was here", "~", "#shared"} {
		if _, ok := top[name]; !ok {
			t.Errorf("%q is missing: %v", name, top)
		}
	}
	if len(top) != 6 {
		t.Errorf("%v", top)
	}
	if top["INBOX"].Access != connectors.AccessListed || top["was here"].Access != "" || len(top["was here"].Views) != 0 {
		t.Errorf("%+v", top)
	}
	if shared := conntest.Below(t, s, top["#shared"].ID); len(shared) != 1 || conntest.Fact(shared["team"].Facts, "Belongs to") != "shared folders" {
		t.Errorf("%+v", shared)
	}
}

// A server that stops in the middle of a listing, or hangs up.
func TestAListingThatStopsStandIn(t *testing.T) {
	p := newPuppet(t, "* PREAUTH [CAPABILITY IMAP4rev1] hello\n", likeIMAP("", func(command string) string {
		switch command {
		case `LIST "" "%"`:
			return "* LIST () \"/\" one\n"
		case `LIST "" "slow"`, `LIST "" "gone"`:
			return "* LIST () \"/\" slow\n* LIST () \"/\" gone\nTAG OK x\n"
		case `LIST "" "gone/%"`:
			return "* BYE shutting down\n" + hangUp
		}
		return ""
	}))
	s := conntest.Open(t, IMAP(), p.settings(IMAP(), secNone)).(*imapSession)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	var last error
	for _, err := range s.Children(ctx, "") {
		last = err
	}
	if connectors.CodeOf(last) != connectors.Cancelled {
		t.Errorf("%v", last)
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("the session is lost: %v", err)
	}
	for _, err := range s.Children(t.Context(), "gone") {
		last = err
	}
	if e := connectors.Classify(last); e.Reason != "mail.lost" || !strings.Contains(e.Said, "shutting down") {
		t.Errorf("%+v", e)
	}
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	for _, err := range s.Children(short, "") {
		last = err
	}
	if connectors.CodeOf(last) != connectors.TimedOut {
		t.Errorf("%v", last)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = s.Close() })
	for _, err := range s.Children(t.Context(), "") {
		last = err
	}
	if connectors.CodeOf(last) != connectors.Cancelled {
		t.Errorf("closed while listing: %v", last)
	}
}

// What was handed over may be on its way even when no answer comes.
func TestALostAnswerToATestMailStandIn(t *testing.T) {
	data, sent := false, 0
	p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
		switch {
		case line == "DATA":
			data = true
			return "354 go\n"
		case data && line == ".":
			sent++
			return hangUp
		case data:
			return quiet
		}
		return ""
	}))
	s := conntest.Open(t, SMTP(), p.settings(SMTP(), secNone, "auth", authPlain)).(*smtpSession)
	_, err := s.Act(t.Context(), "", sendTest, "bob@example.test")
	if e := connectors.Classify(err); e == nil || e.Reason != "mail.unsure" || !connectors.English().Has("mail.unsure") {
		t.Errorf("%+v", err)
	}
	if strings.Count(p.heard(), "DATA\r\n") != 1 || sent != 1 {
		t.Errorf("it was sent %d times: %s", sent, p.heard())
	}
}

// The time that the properties allow ends an exchange that the context does not.
func TestTheTimeOfThePropertiesStandIn(t *testing.T) {
	p := newPuppet(t, "220 x\n", likeSMTP("PLAIN", func(line string) string {
		if strings.HasPrefix(line, "NOOP") {
			return quiet
		}
		return ""
	}))
	s := conntest.Open(t, SMTP(), p.settings(SMTP(), secNone, "auth", authPlain, "properties", "mail.smtp.timeout=300")).(*smtpSession)
	if _, err := s.Check(t.Context()); connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("%v", err)
	}
}
