package mail

import (
	"strings"

	"jackfield/connectors"
)

// What servers mean is in the reply code (RFC 5321 section 4.2), the enhanced
// code (RFC 3463, with the registry at
// https://www.iana.org/assignments/smtp-enhanced-status-codes), and for the
// sign-in in RFC 4954 section 6.

func (k *smtpLink) refusal(code connectors.Code, reason, field string, r reply) *connectors.Error {
	return &connectors.Error{Code: code, Reason: reason, Target: k.addr, Field: field, Said: r.said(), Err: &smtpRefusal{r}}
}

// greetingError is for a server that does not let this computer talk to it.
func greetingError(k *smtpLink, r reply) error {
	k.kill()
	switch {
	case r.enhanced == "4.7.1" || r.enhanced == "5.7.1":
		// A policy, even where 421 says to come back: Postfix puts it this way when
		// it wants a client certificate.
		field := ""
		if k.c.Security != secNone && !k.c.Presents() {
			field = "client_cert"
		}
		return k.refusal(connectors.Denied, "mail.blocked", field, r)
	case r.code/100 == 4:
		return k.refusal(connectors.Throttled, "mail.busy", "", r)
	}
	return k.refusal(connectors.Denied, "mail.blocked", "", r)
}

func helloError(k *smtpLink, r reply) error {
	switch r.code {
	case 530:
		return k.refusal(connectors.Refused, "mail.need_tls", "security", r)
	case 501, 504:
		return k.refusal(connectors.BadInput, "mail.ehlo", "ehlo", r)
	}
	return greetingError(k, r)
}

// noMechanism says why none of the offered ways to sign in will do.
func noMechanism(a account, addr string, offered []string) error {
	out := &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageSignIn, Target: addr, Field: "auth", Said: strings.Join(offered, ", ")}
	switch {
	case len(offered) == 0:
		out.Reason = "mail.no_auth"
	case a.Auth == authAuto && a.Security == secNone && (has(offered, "PLAIN") || has(offered, "LOGIN")):
		out.Reason = "mail.in_the_clear"
	default:
		out.Reason = "mail.mechanism"
	}
	return out
}

// authError maps the refusal of a sign-in.
func authError(k *smtpLink, r reply, m mechanism) error {
	a := k.c.account
	e := k.refusal(connectors.AuthFailed, "mail.auth", a.secretField(), r)
	if m.said != nil {
		e.Reason = "mail.token"
		if told := m.said(); told != "" {
			e.Said = strings.TrimSpace(e.Said + " (" + told + ")")
		}
	}
	v, ok := permanent(r)
	if r.code/100 == 4 {
		v, ok = temporary(r), true
	}
	if !ok {
		return e
	}
	e.Code, e.Reason, e.Field = v.code, v.reason, v.field
	if v.field == theSecret {
		e.Field = a.secretField()
	}
	return e
}

// A verdict is what a refusal means; theSecret stands for the password's or
// token's field.
type verdict struct {
	code          connectors.Code
	reason, field string
}

const theSecret = "*"

func temporary(r reply) verdict {
	switch {
	case r.code == 432 || r.enhanced == "4.7.12":
		return verdict{connectors.Expired, "mail.transition", theSecret}
	case r.code == 421:
		return verdict{connectors.Throttled, "mail.busy", ""}
	}
	return verdict{connectors.Throttled, "mail.temporary", ""}
}

func permanent(r reply) (verdict, bool) {
	switch r.enhanced {
	case "5.7.139": // https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online
		return verdict{connectors.Denied, "mail.auth_disabled", "auth"}, true
	case "5.7.11":
		return verdict{connectors.Refused, "mail.need_tls", "security"}, true
	case "5.7.4":
		return verdict{connectors.Unsupported, "mail.mechanism", "auth"}, true
	case "5.5.6":
		return verdict{connectors.Refused, "mail.dialogue", "auth"}, true
	}
	switch r.code {
	case 534: // https://support.google.com/a/answer/3726730
		return verdict{connectors.AuthFailed, "mail.app_password", theSecret}, true
	case 530, 538, 523:
		return verdict{connectors.Refused, "mail.need_tls", "security"}, true
	case 504:
		return verdict{connectors.Unsupported, "mail.mechanism", "auth"}, true
	case 500, 502, 503:
		return verdict{connectors.Unsupported, "mail.no_auth", "auth"}, true
	case 501:
		return verdict{connectors.Refused, "mail.dialogue", "auth"}, true
	}
	return verdict{}, false
}

// stepError maps the refusal of a command after the sign-in.
func stepError(k *smtpLink, command string, r reply) error {
	verb, _, _ := strings.Cut(command, ":")
	switch {
	case r.code == 421:
		return k.refusal(connectors.Throttled, "mail.busy", "", r)
	case r.code/100 == 4:
		return k.refusal(connectors.Throttled, "mail.temporary", "", r)
	case r.code == 530 && k.c.Security == secNone:
		return k.refusal(connectors.Refused, "mail.need_tls", "security", r)
	case r.code == 530:
		return k.refusal(connectors.AuthFailed, "mail.need_auth", "auth", r)
	case has([]string{"5.1.1", "5.1.2", "5.1.3", "5.1.10"}, r.enhanced):
		return k.refusal(connectors.NotFound, "mail.recipient", "", r)
	case r.code == 552 || r.enhanced == "5.2.2" || r.enhanced == "5.3.4":
		return k.refusal(connectors.Denied, "mail.size", "", r)
	case strings.HasPrefix(verb, "MAIL"):
		return k.refusal(connectors.Denied, "mail.sender", "from", r)
	case strings.HasPrefix(verb, "RCPT"):
		return k.refusal(connectors.Denied, "mail.relay", "", r)
	}
	return k.refusal(connectors.Denied, "mail.rejected", "", r)
}
