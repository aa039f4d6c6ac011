package kerberosx

import (
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"

	"jackfield/connectors"
)

// refused says what a KDC's error number means (RFC 4120 section 7.5.9). spn is
// the service that a ticket was asked for, "" while signing in.
func (c *Client) refused(said *messages.KRBError, spn string) error {
	f := c.cfg.Fields
	var out *connectors.Error
	switch said.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW:
		return c.clock(said.STime)
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		out = c.fail(connectors.AuthFailed, "kerberos.no_user", c.Principal(), f.user())
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		out = c.fail(connectors.NotFound, "kerberos.spn", spn, f.spn())
		if spn == "" {
			out = c.fail(connectors.BadInput, "kerberos.realm", c.realm, f.realm())
		}
	case errorcode.KDC_ERR_WRONG_REALM:
		out = c.fail(connectors.BadInput, "kerberos.realm", c.realm, f.realm())
	case errorcode.KDC_ERR_NAME_EXP:
		out = c.fail(connectors.Expired, "kerberos.user_expired", c.Principal(), f.user())
	case errorcode.KDC_ERR_KEY_EXPIRED:
		out = c.fail(connectors.Expired, "kerberos.password_expired", c.Principal(), f.password())
	case errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_TGT_REVOKED, errorcode.KDC_ERR_CLIENT_NOTYET:
		out = c.fail(connectors.Denied, "kerberos.locked", c.Principal(), f.user())
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		out = c.fail(connectors.AuthFailed, c.credentialReason(), c.Principal(), c.credential())
	default:
		out = c.refusedOtherwise(said.ErrorCode, spn)
	}
	out.Said = numbered(said)
	return out
}

func (c *Client) refusedOtherwise(number int32, spn string) *connectors.Error {
	f := c.cfg.Fields
	switch number {
	case errorcode.KDC_ERR_ETYPE_NOSUPP, errorcode.KDC_ERR_NULL_KEY:
		if spn != "" {
			return c.fail(connectors.Unsupported, "kerberos.spn_etype", spn, f.spn())
		}
		return c.fail(connectors.Unsupported, "kerberos.etype", c.realm, c.credential())
	case errorcode.KDC_ERR_PREAUTH_REQUIRED, errorcode.KDC_ERR_PADATA_TYPE_NOSUPP:
		return c.fail(connectors.Unsupported, "kerberos.preauth", c.realm, "")
	case errorcode.KDC_ERR_POLICY, errorcode.KDC_ERR_PATH_NOT_ACCEPTED:
		return c.fail(connectors.Denied, "kerberos.policy", or(spn, c.Principal()), "")
	case errorcode.KDC_ERR_SERVICE_EXP, errorcode.KDC_ERR_SERVICE_REVOKED, errorcode.KDC_ERR_SERVICE_NOTYET,
		errorcode.KDC_ERR_PRINCIPAL_NOT_UNIQUE, errorcode.KDC_ERR_MUST_USE_USER2USER:
		return c.fail(connectors.Denied, "kerberos.spn_locked", or(spn, c.realm), f.spn())
	case errorcode.KDC_ERR_SVC_UNAVAILABLE:
		return c.fail(connectors.Unreachable, "kerberos.kdc_busy", c.realm, f.kdc())
	}
	return c.fail(connectors.Refused, "kerberos.refused", or(spn, c.realm), "")
}

// numbered is the error's number, its name and the KDC's own words.
func numbered(said *messages.KRBError) string {
	text := errorcode.Lookup(said.ErrorCode)
	if said.EText != "" {
		text += " (" + said.EText + ")"
	}
	return "error " + text
}

// clock names both times, so that it can be seen whose is wrong.
func (c *Client) clock(theirs time.Time) error {
	out := c.fail(connectors.Refused, "kerberos.clock", c.realm, "")
	out.Said = fmt.Sprintf("%s there, %s here",
		theirs.UTC().Format("2006-01-02 15:04:05 UTC"), c.now().UTC().Format("2006-01-02 15:04:05 UTC"))
	return out
}

// broken is an exchange that went wrong without the KDC's saying so.
func (c *Client) broken(err error) error {
	out := c.fail(connectors.Refused, "kerberos.reply", c.realm, c.cfg.Fields.kdc())
	out.Err = err
	return out
}

func (c *Client) fail(code connectors.Code, reason, target, field string) *connectors.Error {
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageSignIn, Target: target, Field: field}
}

// credential is the field of what the client proved itself with.
func (c *Client) credential() string {
	if c.secret.keys != nil {
		return c.cfg.Fields.keytab()
	}
	return c.cfg.Fields.password()
}

func (c *Client) credentialReason() string {
	if c.secret.keys != nil {
		return "kerberos.keytab_refused"
	}
	return "kerberos.password"
}
