package sftp

import (
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/sshx"
)

// noSubsystem explains why file access did not start on a connection that is
// signed in. The library has no type for a refused request; nothing else can
// come of it on a connection that stands.
func (s *session) noSubsystem(err error) error {
	var open *ssh.OpenChannelError
	if errors.Is(err, io.EOF) && !errors.As(err, &open) {
		return s.ended(s.said.String(), err)
	}
	return &connectors.Error{Code: connectors.Denied, Reason: "sftp.no_subsystem", Field: "user", Target: s.c.Host, Said: s.said.String(), Err: err}
}

// notSFTP explains what came in place of the first answer: an end, or other text.
func (s *session) notSFTP(first *head, err error) error {
	var status *sftp.StatusError
	if errors.As(err, &status) {
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.no_subsystem", Field: "user", Target: s.c.Host, Err: err}
	}
	text := strings.TrimSpace(first.words() + " " + s.said.String())
	if !first.answered() && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return s.ended(text, err)
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "sftp.noise", Target: s.c.Host, Said: text, Err: err}
}

// ended explains a session that the server ended at once. sshd does so where PAM
// wants the password changed; SSH has no code for it, and it stands in the banner
// or beside the protocol (OpenSSH's session.c, do_child).
func (s *session) ended(text string, err error) error {
	said := strings.TrimSpace(s.ssh.Banner + " " + text)
	if sshx.PasswordExpired(said) {
		key := "user"
		if !s.c.Password.Empty() {
			key = "password"
		}
		return &connectors.Error{Code: connectors.Expired, Reason: "ssh.password_expired", Op: connectors.StageSignIn, Field: key, Target: s.c.Host, Said: said, Err: err}
	}
	return &connectors.Error{Code: connectors.Denied, Reason: "sftp.shell", Field: "user", Target: s.c.Host, Said: text, Err: err}
}

// explain maps the status codes of SFTP version 3 and what the connection does.
func (s *session) explain(name string, err error) error {
	var known *connectors.Error
	var status *sftp.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, fs.ErrNotExist):
		return &connectors.Error{Code: connectors.NotFound, Reason: "sftp.not_found", Target: name, Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.denied", Target: name, Err: err}
	case errors.As(err, &status):
		return statusError(name, uint32(status.FxCode()), err)
	}
	found := *connectors.Classify(err)
	found.Target = name
	return &found
}

// statusError maps a code of draft-ietf-secsh-filexfer-02 section 7.
func statusError(name string, code uint32, err error) error {
	switch code {
	case 2:
		return &connectors.Error{Code: connectors.NotFound, Reason: "sftp.not_found", Target: name, Err: err}
	case 3:
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.denied", Target: name, Err: err}
	case 8:
		return &connectors.Error{Code: connectors.Unsupported, Target: name, Said: "the server does not offer this", Err: err}
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "sftp.failure", Target: name, Err: err}
}

func field(err error, key string) error {
	e := *connectors.Classify(err)
	e.Field = key
	return &e
}
