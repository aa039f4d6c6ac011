package sftp

import (
	"errors"
	"io"
	"io/fs"

	"github.com/pkg/sftp"

	"jackfield/connectors"
)

// subsystem explains why file access did not start on a connection that is
// signed in. The library has no types for these; what it met on the wire tells
// them apart: a refused request, an ended channel, or bytes that are no SFTP.
func subsystem(c config, err error) error {
	var status *sftp.StatusError
	switch {
	case errors.As(err, &status):
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.no_subsystem", Field: "user", Target: c.Host, Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.shell", Field: "user", Target: c.Host, Err: err}
	case err.Error() == "ssh: subsystem request failed":
		return &connectors.Error{Code: connectors.Denied, Reason: "sftp.no_subsystem", Field: "user", Target: c.Host, Err: err}
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "sftp.noise", Target: c.Host, Err: err}
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
