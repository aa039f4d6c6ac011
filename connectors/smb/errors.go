package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	smb2 "github.com/cloudsoda/go-smb2"

	"jackfield/connectors"
)

// The codes of MS-ERREF section 2.3.1 that the library has Go errors for.
const (
	statusNoFile      = 0xC000000F
	statusDenied      = 0xC0000022
	statusNoName      = 0xC0000034
	statusNotAccepted = 0xC00000D0
)

// A verdict is what a status means to a person.
type verdict struct {
	code   connectors.Code
	reason string
	field  string
}

// verdicts are NTSTATUS codes (MS-ERREF section 2.3.1).
func verdicts(status uint32) (verdict, bool) {
	v, ok := map[uint32]verdict{
		// About who signs in.
		0xC000006D: {connectors.AuthFailed, "smb.sign_in", "password"},           // LOGON_FAILURE
		0xC000006A: {connectors.AuthFailed, "smb.sign_in", "password"},           // WRONG_PASSWORD
		0xC0000064: {connectors.AuthFailed, "smb.sign_in", "user"},               // NO_SUCH_USER
		0xC000006E: {connectors.AuthFailed, "smb.restricted", "user"},            // ACCOUNT_RESTRICTION
		0xC000006F: {connectors.AuthFailed, "smb.restricted", "user"},            // INVALID_LOGON_HOURS
		0xC0000070: {connectors.AuthFailed, "smb.restricted", "user"},            // INVALID_WORKSTATION
		0xC0000071: {connectors.Expired, "smb.password_expired", "password"},     // PASSWORD_EXPIRED
		0xC0000224: {connectors.Expired, "smb.password_must_change", "password"}, // PASSWORD_MUST_CHANGE
		0xC0000072: {connectors.AuthFailed, "smb.disabled", "user"},              // ACCOUNT_DISABLED
		0xC0000193: {connectors.Expired, "smb.account_expired", "user"},          // ACCOUNT_EXPIRED
		0xC0000234: {connectors.Throttled, "smb.locked", "user"},                 // ACCOUNT_LOCKED_OUT
		0xC000015B: {connectors.Denied, "smb.logon_type", "user"},                // LOGON_TYPE_NOT_GRANTED
		0xC000005E: {connectors.Unreachable, "smb.no_logon_servers", ""},         // NO_LOGON_SERVERS
		0xC000018D: {connectors.Refused, "smb.trust", ""},                        // TRUSTED_RELATIONSHIP_FAILURE
		0xC0000133: {connectors.Refused, "smb.clock", ""},                        // TIME_DIFFERENCE_AT_DC
		0xC00000BB: {connectors.Unsupported, "smb.dialect", ""},                  // NOT_SUPPORTED
		// About what is there.
		0xC00000CC:        {connectors.NotFound, "smb.no_share", "share"}, // BAD_NETWORK_NAME
		0xC00000C9:        {connectors.Refused, "smb.ended", ""},          // NETWORK_NAME_DELETED
		0xC0000203:        {connectors.Refused, "smb.ended", ""},          // USER_SESSION_DELETED
		0xC000035C:        {connectors.Refused, "smb.ended", ""},          // NETWORK_SESSION_EXPIRED
		statusDenied:      {connectors.Denied, "smb.denied", ""},
		statusNoName:      {connectors.NotFound, "smb.not_found", ""},
		0xC000003A:        {connectors.NotFound, "smb.not_found", ""},      // OBJECT_PATH_NOT_FOUND
		0xC0000033:        {connectors.NotFound, "smb.not_found", ""},      // OBJECT_NAME_INVALID
		statusNoFile:      {connectors.NotFound, "smb.not_found", ""},      // NO_SUCH_FILE
		0xC0000103:        {connectors.NotFound, "smb.not_a_folder", ""},   // NOT_A_DIRECTORY
		0xC00000BA:        {connectors.Unsupported, "smb.is_a_folder", ""}, // FILE_IS_A_DIRECTORY
		0xC0000043:        {connectors.Refused, "smb.in_use", ""},          // SHARING_VIOLATION
		0xC0000054:        {connectors.Refused, "smb.in_use", ""},          // FILE_LOCK_CONFLICT
		0xC0000056:        {connectors.NotFound, "smb.not_found", ""},      // DELETE_PENDING
		0xC0000257:        {connectors.Unsupported, "smb.dfs", ""},         // PATH_NOT_COVERED
		0x8000002D:        {connectors.Unsupported, "smb.link", ""},        // STOPPED_ON_SYMLINK
		statusNotAccepted: {connectors.Throttled, "smb.busy", ""},          // REQUEST_NOT_ACCEPTED
		0xC00000CE:        {connectors.Throttled, "smb.busy", ""},          // TOO_MANY_SESSIONS
		0xC000009A:        {connectors.Throttled, "smb.busy", ""},          // INSUFFICIENT_RESOURCES
	}[status]
	return v, ok
}

// statusOf finds the status in an error of the library's.
func statusOf(err error) (uint32, bool) {
	var response *smb2.ResponseError
	switch {
	case errors.As(err, &response):
		return response.Code, true
	case errors.Is(err, fs.ErrPermission):
		return statusDenied, true
	case errors.Is(err, fs.ErrNotExist):
		return statusNoName, true
	case errors.Is(err, smb2.ErrRequestNotAccepted):
		return statusNotAccepted, true
	}
	return 0, false
}

// matchesNothing reports whether an open folder was found to list nothing at all,
// not even itself, such as the root of an empty drive (MS-SMB2 section 3.3.5.18).
func matchesNothing(err error) bool {
	status, ok := statusOf(err)
	return ok && status == statusNoFile
}

func fromStatus(target string, status uint32, err error) *connectors.Error {
	v, ok := verdicts(status)
	if !ok {
		v = verdict{code: connectors.Refused, reason: "smb.failure"}
	}
	return &connectors.Error{Code: v.code, Reason: v.reason, Field: v.field, Target: target, Said: fmt.Sprintf("NTSTATUS 0x%08X", status), Err: err}
}

// notSignedIn explains why no session came about. How the server answered tells
// more than what the library made of it.
func (s *session) notSignedIn(ctx context.Context, err error) error {
	a := s.wire.agreed()
	var known *connectors.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return err
	case a.old:
		return &connectors.Error{Code: connectors.Unsupported, Reason: "smb.smb1", Op: connectors.StageSecure, Target: s.c.Host, Err: err}
	case a.refused():
		return s.refused(a.status, err)
	case !a.answered:
		return s.noAnswer(err)
	case s.c.Auth == byPassword && a.guest():
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "smb.guest", Field: "user", Target: s.c.Host, Err: err}
	case s.c.Auth != byPassword && a.mode&signRequired != 0:
		return &connectors.Error{Code: connectors.Denied, Reason: "smb.no_guests", Field: "auth", Target: s.c.Host, Err: err}
	}
	return s.explain(ctx, s.c.Host, err)
}

// refused maps the status of a sign-in.
func (s *session) refused(status uint32, err error) error {
	e := fromStatus(s.c.Host, status, err)
	if s.c.Auth != byPassword {
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "smb.no_guests", Field: "auth", Target: s.c.Host, Said: e.Said, Err: err}
	}
	if status == statusDenied {
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "smb.restricted", "user"
	}
	return e
}

// noAnswer explains a server that does not negotiate. One that speaks SMB 1 alone
// hangs up, as MS-SMB has no words for what it was asked.
func (s *session) noAnswer(err error) error {
	var lost *smb2.TransportError
	if errors.As(err, &lost) && !errors.Is(lost.Err, errReply) {
		found := connectors.Classify(lost.Err)
		if found.Reason == "connect.closed" || found.Reason == "" {
			return &connectors.Error{Code: connectors.Refused, Reason: "smb.not_smb", Op: connectors.StageSecure, Field: "port", Target: s.c.Host, Err: err}
		}
		return found
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "smb.not_smb", Op: connectors.StageSecure, Field: "port", Target: s.c.Host, Err: err}
}

// noShare explains a share that does not open.
func (s *session) noShare(ctx context.Context, share string, err error) error {
	out := s.explain(ctx, share, err)
	e := *connectors.Classify(out)
	switch e.Reason {
	case "smb.denied":
		e.Reason = "smb.share_denied"
		if s.wire.agreed().flags&flagEncrypt == 0 && s.wire.agreed().dialect < 0x0300 {
			e.Reason = "smb.needs_encryption"
		}
	case "smb.not_found":
		e.Reason = "smb.no_share"
	}
	e.Field, e.Op = "", ""
	if s.c.Share != "" && e.Code != connectors.Cancelled && e.Code != connectors.TimedOut {
		e.Field = "share"
	}
	return &e
}

// explain maps what the library reports about a name.
func (s *session) explain(ctx context.Context, name string, err error) error {
	var known *connectors.Error
	var lost *smb2.TransportError
	var reply *smb2.InvalidResponseError
	var inner *smb2.InternalError
	switch status, ok := statusOf(err); {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return atData(known, name)
	case ctx.Err() != nil:
		return connectors.Classify(context.Cause(ctx))
	case ok:
		e := fromStatus(name, status, err)
		e.Field = ""
		return atData(e, name)
	case errors.As(err, &lost):
		err = lost.Err
	case errors.Is(err, errReply), errors.As(err, &reply), errors.As(err, &inner):
		return &connectors.Error{Code: connectors.Refused, Reason: "smb.reply", Op: connectors.StageData, Target: name, Err: err}
	}
	if errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	return atData(connectors.Classify(err), name)
}

// atData names the rung and the target of an error that has none.
func atData(e *connectors.Error, name string) error {
	out := *e
	if out.Op == "" {
		out.Op = connectors.StageData
	}
	if out.Target == "" {
		out.Target = name
	}
	return &out
}

func field(err error, key string) error {
	e := *connectors.Classify(err)
	e.Field, e.Op = key, connectors.StageRights
	return &e
}
