package mail

import (
	"errors"
	"strings"

	"jackfield/connectors"
)

// imapSignInError maps the refusal of a greeting or sign-in by the response codes
// of RFC 5530; what is no refusal comes back as it is.
func imapSignInError(k *imapLink, err error, m mechanism) error {
	var r *imapRefusal
	if !errors.As(err, &r) {
		return err
	}
	a := k.c.account
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "mail.auth", Target: k.addr, Field: a.secretField(), Said: r.said(), Err: r}
	if m.said != nil {
		e.Reason = "mail.token"
		if told := m.said(); told != "" {
			e.Said = strings.TrimSpace(e.Said + " (" + told + ")")
		}
	}
	set := func(code connectors.Code, reason, field string) { e.Code, e.Reason, e.Field = code, reason, field }
	switch r.code {
	case "AUTHORIZATIONFAILED":
		set(connectors.Denied, "mail.not_authorized", "user")
	case "EXPIRED":
		set(connectors.Expired, "mail.password_expired", a.secretField())
	case "PRIVACYREQUIRED":
		set(connectors.Refused, "mail.need_tls", "security")
	case "UNAVAILABLE", "INUSE", "SERVERBUG":
		set(connectors.Throttled, "mail.temporary", "")
	case "LIMIT":
		set(connectors.Throttled, "mail.busy", "")
	case "CONTACTADMIN":
		set(connectors.Denied, "mail.contact_admin", "user")
	case "WEBALERT": // Gmail: a page has to be visited first
		e.Reason = "mail.app_password"
	case "":
		if r.status == "BYE" {
			set(connectors.Throttled, "mail.bye", "")
		}
	}
	if r.status == "BAD" {
		set(connectors.Refused, "mail.dialogue", "auth")
	}
	return e
}

func (e *imapRefusal) said() string { return strings.TrimSpace(e.Error()) }

// folderError maps a refusal that is about a folder.
func folderError(k *imapLink, name string, err error) error {
	var r *imapRefusal
	if !errors.As(err, &r) {
		return err
	}
	e := &connectors.Error{Code: connectors.Denied, Reason: "mail.folder_refused", Op: connectors.StageData, Target: name, Said: r.said(), Err: r}
	switch {
	case r.status == "BYE":
		e.Code, e.Reason, e.Target = connectors.Unreachable, "mail.lost", k.addr
	case r.code == "NONEXISTENT":
		e.Code, e.Reason = connectors.NotFound, "mail.no_folder"
	case r.code == "NOPERM":
		e.Reason = "mail.folder_denied"
	case r.code == "UNAVAILABLE", r.code == "INUSE", r.code == "SERVERBUG", r.code == "LIMIT":
		e.Code, e.Reason = connectors.Throttled, "mail.temporary"
	}
	return e
}
