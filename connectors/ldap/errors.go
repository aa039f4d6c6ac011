package ldap

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// adData finds the number by which Active Directory says why it refuses; it has
// no field of its own in the answer (MS-ERREF and the "AcceptSecurityContext
// error" diagnostics in Microsoft's LDAP documentation).
var adData = regexp.MustCompile(`\bdata ([0-9a-fA-F]+)\b`)

type verdict struct {
	code   connectors.Code
	reason string
	field  string
}

// adVerdict is what the numbers mean (system error codes in hexadecimal). From
// 530 on, but for 568 and 775, they are told only when the password was right.
func adVerdict(data string) (verdict, bool) {
	switch strings.ToLower(data) {
	case "525":
		return verdict{connectors.AuthFailed, "ldap.no_user", "user"}, true
	case "52e":
		return verdict{connectors.AuthFailed, "ldap.auth", "password"}, true
	case "52f":
		return verdict{connectors.Denied, "ldap.restricted", "user"}, true
	case "530":
		return verdict{connectors.Denied, "ldap.hours", "user"}, true
	case "531":
		return verdict{connectors.Denied, "ldap.workstation", "user"}, true
	case "532":
		return verdict{connectors.Expired, "ldap.password_expired", "password"}, true
	case "533":
		return verdict{connectors.Denied, "ldap.disabled", "user"}, true
	case "568":
		return verdict{connectors.Denied, "ldap.too_many_groups", "user"}, true
	case "701":
		return verdict{connectors.Expired, "ldap.account_expired", "user"}, true
	case "773":
		return verdict{connectors.Expired, "ldap.must_change", "password"}, true
	case "775":
		return verdict{connectors.Throttled, "ldap.locked", "user"}, true
	}
	return adOtherVerdict(strings.ToLower(data))
}

// adOtherVerdict is for what has nothing to do with the account's state.
func adOtherVerdict(data string) (verdict, bool) {
	switch data {
	case "569": // ERROR_LOGON_TYPE_NOT_GRANTED
		return verdict{connectors.Denied, "ldap.logon_type", "user"}, true
	case "51f", "80090304": // ERROR_NO_LOGON_SERVERS, SEC_E_INTERNAL_ERROR
		return verdict{connectors.Throttled, "ldap.busy", ""}, true
	case "80090324": // SEC_E_TIME_SKEW
		return verdict{connectors.Refused, "kerberos.clock", ""}, true
	case "80090346": // SEC_E_BAD_BINDINGS
		return verdict{connectors.Refused, "ldap.bindings", "host"}, true
	}
	return verdict{}, false
}

// policyVerdict reads the answer to the password policy control
// (draft-behera-ldap-password-policy-10 section 6.2).
func policyVerdict(p *ldap.ControlBeheraPasswordPolicy) (verdict, bool) {
	if p == nil {
		return verdict{}, false
	}
	switch p.Error {
	case ldap.BeheraPasswordExpired:
		return verdict{connectors.Expired, "ldap.password_expired", "password"}, true
	case ldap.BeheraAccountLocked:
		return verdict{connectors.Throttled, "ldap.locked", "user"}, true
	case ldap.BeheraChangeAfterReset:
		return verdict{connectors.Expired, "ldap.must_change", "password"}, true
	}
	return verdict{}, false
}

// bindError says why a sign-in failed; err is nil when the server accepted it.
func bindError(c config, policy *ldap.ControlBeheraPasswordPolicy, err error) error {
	v, told := policyVerdict(policy)
	if err == nil {
		// A password that must be changed first opens nothing but its change.
		if told && v.reason == "ldap.must_change" {
			return &connectors.Error{Code: v.code, Reason: v.reason, Target: c.addr(), Field: v.field}
		}
		return nil
	}
	var known *connectors.Error
	var e *ldap.Error
	switch {
	case errors.As(err, &known):
		return known
	case !answered(err) || !errors.As(err, &e):
		return notAnswered(c.addr(), err)
	}
	if !told && e.ResultCode == ldap.LDAPResultInvalidCredentials {
		if m := adData.FindStringSubmatch(e.Err.Error()); m != nil {
			v, told = adVerdict(m[1])
		}
	}
	if !told {
		v = c.bindVerdict(e.ResultCode)
	}
	out := &connectors.Error{Code: v.code, Reason: v.reason, Target: c.addr(), Field: v.field, Said: c.said(err), Err: resultCode(e.ResultCode)}
	if e.ResultCode == ldap.LDAPResultReferral {
		out.Said = referralOf(e)
	}
	if c.Auth == anonymous {
		return anonymousRefused(e.ResultCode, out)
	}
	return out
}

// bindVerdict is for the result codes of RFC 4511 appendix A, as an answer to a bind.
func (c config) bindVerdict(code uint16) verdict {
	switch code {
	case ldap.LDAPResultInvalidCredentials:
		return c.refusedVerdict()
	case ldap.LDAPResultNoSuchObject: // 389 Directory Server names an unknown user so
		return verdict{connectors.AuthFailed, "ldap.no_user", "user"}
	case ldap.LDAPResultInvalidDNSyntax:
		return verdict{connectors.BadInput, "ldap.user_form", "user"}
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return verdict{connectors.Refused, "ldap.need_tls", "security"}
	case ldap.LDAPResultAuthMethodNotSupported, ldap.LDAPResultInappropriateAuthentication:
		return verdict{connectors.Unsupported, "ldap.auth_method", "auth"}
	case ldap.LDAPResultConstraintViolation: // 389 Directory Server: too many tries
		return verdict{connectors.Throttled, "ldap.locked", "user"}
	case ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform:
		return verdict{connectors.Denied, "ldap.unwilling", "user"}
	}
	return commonVerdict(code)
}

// refusedVerdict is for whoever is refused without a reason, by what was shown.
func (c config) refusedVerdict() verdict {
	switch c.Auth {
	case byKerberos, byKeytab:
		return verdict{connectors.AuthFailed, "ldap.ticket", "spn"}
	case certificate:
		return verdict{connectors.AuthFailed, "ldap.certificate", "client_cert"}
	}
	return verdict{connectors.AuthFailed, "ldap.auth", "password"}
}

// commonVerdict is for the codes that mean the same whatever was asked.
func commonVerdict(code uint16) verdict {
	switch code {
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return verdict{connectors.Refused, "ldap.need_tls", "security"}
	case ldap.LDAPResultReferral:
		return verdict{connectors.NotFound, "ldap.referral", ""}
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return verdict{connectors.Throttled, "ldap.busy", ""}
	case ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		return verdict{connectors.Denied, "ldap.limit", ""}
	case ldap.LDAPResultInsufficientAccessRights:
		return verdict{connectors.Denied, "ldap.denied", ""}
	case ldap.LDAPResultNoSuchObject:
		return verdict{connectors.NotFound, "ldap.no_entry", ""}
	case ldap.LDAPResultInvalidDNSyntax:
		return verdict{connectors.NotFound, "ldap.no_entry", ""}
	case ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInappropriateAuthentication:
		return verdict{connectors.Denied, "ldap.denied", ""}
	}
	return verdict{connectors.Refused, "ldap.other", ""}
}

// anonymousRefused turns what servers say to somebody without a name into one
// verdict: Active Directory 1, slapd 48 or 53, others 8 or 50.
func anonymousRefused(code uint16, out *connectors.Error) *connectors.Error {
	switch code {
	case ldap.LDAPResultOperationsError, ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultAuthMethodNotSupported:
		out.Code, out.Reason, out.Field = connectors.Denied, "ldap.anonymous_denied", "auth"
	case ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultConstraintViolation:
		out.Field = ""
	}
	return out
}

// nearest goes before the deepest entry that exists.
const nearest = "The nearest entry that exists is "

// explain maps what a search or an extended operation met; target is its base.
func explain(c config, target string, err error) error {
	var known *connectors.Error
	var e *ldap.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case !answered(err) || !errors.As(err, &e):
		return notAnswered(c.addr(), err)
	}
	v := commonVerdict(e.ResultCode)
	out := &connectors.Error{Code: v.code, Reason: v.reason, Target: target, Field: v.field, Said: c.said(err), Err: resultCode(e.ResultCode)}
	switch e.ResultCode {
	case ldap.LDAPResultReferral:
		out.Said = referralOf(e)
	case ldap.LDAPResultNoSuchObject:
		if e.MatchedDN != "" {
			out.Said = nearest + connectors.Clean(e.MatchedDN, 200)
		}
	case ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		out.Partial = true
	}
	if c.Auth == anonymous {
		return anonymousRefused(e.ResultCode, out)
	}
	return out
}

// atBase is explain where the answer to base_dn is what failed.
func atBase(c config, base string, err error) error {
	var out *connectors.Error
	if !errors.As(explain(c, base, err), &out) {
		return nil
	}
	if out.Code == connectors.NotFound {
		out.Field = "base_dn"
		if out.Reason == "ldap.no_entry" {
			out.Reason = "ldap.no_base"
		}
	}
	return out
}

// notAnswered is for everything but an answer of the server's.
func notAnswered(target string, err error) error {
	out := &connectors.Error{Code: connectors.Refused, Target: target, Err: err}
	switch {
	case errors.Is(err, errIsTLS):
		out.Reason, out.Field = "ldap.is_tls", "security"
	case errors.Is(err, errTooBig):
		out.Reason = "ldap.too_big"
	case errors.Is(err, errNotLDAP):
		out.Reason, out.Field = "ldap.not_ldap", "port"
	default:
		found := *connectors.Classify(err)
		if found.Target == "" {
			found.Target = target
		}
		if found.Code == connectors.Refused && found.Reason == "" {
			found.Reason = "connect.closed"
		}
		return &found
	}
	return out
}

// said is the diagnostic message of an answer, cleaned. One that repeats the
// password is withheld.
func (c config) said(err error) string {
	var e *ldap.Error
	if !errors.As(err, &e) || e.Err == nil {
		return ""
	}
	text := e.Err.Error()
	if !c.Password.Empty() && strings.Contains(text, c.Password.Reveal()) {
		return ""
	}
	return connectors.Clean(strings.TrimRight(text, "\x00\n "), 300)
}

// A resultCode is what is kept of an answer: the whole of it holds the server's
// packet, and what that repeats.
type resultCode uint16

func (r resultCode) Error() string {
	return fmt.Sprintf("LDAP result %d, %s", uint16(r), ldap.LDAPResultCodeMap[uint16(r)])
}

// referralOf is where a referral points (RFC 4511 section 4.1.10), without its
// query. It is shown and never followed.
func referralOf(e *ldap.Error) string {
	if e.Packet == nil || len(e.Packet.Children) < 2 {
		return ""
	}
	for _, part := range e.Packet.Children[1].Children {
		if part.ClassType == ber.ClassContext && part.Tag == 3 && len(part.Children) > 0 {
			return connectors.Clean(string(part.Children[0].ByteValue), 200)
		}
	}
	return ""
}

// settled reports whether trying again with the same answers could only do
// harm: several refused sign-ins lock an account.
func settled(err error) bool {
	e := connectors.Classify(err)
	switch e.Code {
	case connectors.AuthFailed, connectors.Denied, connectors.Expired, connectors.Untrusted, connectors.HostChanged:
		return true
	case connectors.Throttled:
		return e.Reason == "ldap.locked"
	}
	return false
}

// ended is the error of a ctx that is over.
func ended(ctx context.Context, target string) error {
	e := *connectors.Classify(context.Cause(ctx))
	if e.Code != connectors.TimedOut {
		e.Code, e.Reason = connectors.Cancelled, ""
	}
	e.Target = target
	return &e
}
