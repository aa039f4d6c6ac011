package sshx

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// The library's error for SSH_MSG_DISCONNECT has no exported type.
var disconnected = regexp.MustCompile(`ssh: disconnect, reason (\d+): "(.*)"`)

// failure turns what ends a handshake into our errors; what it does not know it
// leaves to its callers.
func (h *handshake) failure(err error) error {
	var known *connectors.Error
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case err == nil:
		return nil
	case errors.As(h.trouble, &known), errors.As(err, &known):
		return known
	case errors.Is(err, errNotSSH):
		return h.fault(connectors.Refused, "ssh.not_ssh", "port", "", err)
	case errors.As(err, &negotiation):
		return h.noCommon(negotiation)
	}
	if found := h.hungUp(err); found != nil {
		return found
	}
	if found := connectors.Classify(err); found.Code != connectors.Refused || found.Reason != "" {
		return found
	}
	if h.keys.shown == "" {
		return h.fault(connectors.Refused, "ssh.not_ssh", "port", h.conn.said(), err)
	}
	return err
}

// hungUp explains an end of the connection by when it came and by what the
// server said before. sshd sends a line in place of its version when it has too
// many connections (MaxStartups), or too many failures of this computer
// (PerSourcePenalties): sshd.c of OpenSSH 9.8.
func (h *handshake) hungUp(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.Errno(10054)) {
		return nil
	}
	if h.keys.shown != "" {
		return h.fault(connectors.Refused, "ssh.dropped", "user", h.banner, err)
	}
	switch said := h.conn.said(); {
	case strings.HasPrefix(said, "Exceeded MaxStartups"):
		return h.fault(connectors.Throttled, "ssh.busy", "", said, err)
	case strings.HasPrefix(said, "Not allowed at this time"):
		return h.fault(connectors.Throttled, "ssh.penalty", "", said, err)
	default:
		return h.fault(connectors.Refused, "ssh.closed", "port", said, err)
	}
}

func (h *handshake) noCommon(err *ssh.AlgorithmNegotiationError) error {
	if h.keys.pinned() && err.What == "host key" && len(h.keys.seen) > 0 {
		return h.keys.mismatch(err)
	}
	said := err.What + ": the server offers " + strings.Join(err.RequestedAlgorithms, ", ")
	if h.o.Legacy {
		return h.fault(connectors.Unsupported, "ssh.algorithms_none", "", said, err)
	}
	return h.fault(connectors.Unsupported, "ssh.algorithms", "legacy", said, err)
}

func (h *handshake) fault(code connectors.Code, reason, field, said string, err error) error {
	return &connectors.Error{Code: code, Reason: reason, Field: field, Target: h.o.Addr, Said: said, Err: err}
}

// refusal explains why the sign-in failed. The library's own error for it is
// plain text; what the server accepts was noted on the way.
func (h *handshake) refusal(err error) error {
	if err == nil {
		return nil
	}
	found := h.failure(err)
	var known *connectors.Error
	if errors.As(found, &known) {
		return found
	}
	if m := disconnected.FindStringSubmatch(err.Error()); m != nil {
		return h.disconnect(m[1], m[2], err)
	}
	if strings.Contains(err.Error(), "no common public key signature algorithm") {
		return h.fault(connectors.Unsupported, "ssh.signature", "legacy", connectors.Clean(h.server, 80), err)
	}
	// 60 is SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 section 8).
	if strings.Contains(err.Error(), "unexpected message type 60 ") || PasswordExpired(h.banner) {
		return h.fault(connectors.Expired, "ssh.password_expired", h.passwordField(), h.banner, err)
	}
	return h.unauthorized(err)
}

// PasswordExpired reads the texts in which PAM, and sshd after it, tell of an
// account or password that ran out; SSH has no code for that.
func PasswordExpired(said string) bool {
	said = strings.ToLower(said)
	for _, words := range []string{"has expired", "required to change your password", "password change required"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}

// disconnect maps the codes of RFC 4253 section 11.1. OpenSSH uses 2, protocol
// error, for too many attempts.
func (h *handshake) disconnect(code, said string, err error) error {
	said = connectors.Clean(said, 200)
	many := strings.Contains(strings.ToLower(said), "too many authentication failures")
	switch {
	case PasswordExpired(h.banner), PasswordExpired(said):
		return h.fault(connectors.Expired, "ssh.password_expired", h.passwordField(), h.banner+said, err)
	case many && h.o.Agent:
		return h.fault(connectors.AuthFailed, "ssh.agent_many", "agent_key", fmt.Sprintf("%s (the agent holds %d keys)", said, len(h.o.Signers)), err)
	case code == "12": // too many connections
		return h.fault(connectors.Throttled, "ssh.busy", "", said, err)
	}
	return h.fault(connectors.AuthFailed, "ssh.auth", h.suspect(), said, err)
}

// unauthorized compares what was offered with what the server accepts.
func (h *handshake) unauthorized(err error) error {
	takes := h.last.AllowedMethods
	step := len(h.last.PartialSuccessMethods) > 0
	offers := map[string]bool{"publickey": len(h.o.Signers) > 0, "password": !h.o.Password.Empty(), "keyboard-interactive": h.o.Ask || !h.o.Password.Empty()}
	common := slices.ContainsFunc(takes, func(m string) bool { return offers[m] })
	said := "the server accepts " + strings.Join(takes, ", ")
	switch {
	case len(takes) == 0:
	case step && !common:
		return h.fault(connectors.AuthFailed, "ssh.second_step", "auth", connectors.Clean("after "+strings.Join(h.last.PartialSuccessMethods, ", ")+" "+said, 200), err)
	case !step && !common:
		return h.fault(connectors.AuthFailed, "ssh.method", "auth", connectors.Clean(said, 200), err)
	case h.o.Certificate != nil && !names(h.o.Certificate, h.o.User):
		return h.fault(connectors.AuthFailed, "ssh.cert_principal", "user", "the certificate is for "+connectors.Clean(strings.Join(h.o.Certificate.ValidPrincipals, ", "), 150), err)
	}
	return h.fault(connectors.AuthFailed, "ssh.auth", h.suspect(), h.banner, err)
}

// suspect is the field that is most likely wrong.
func (h *handshake) suspect() string {
	passed := h.last.PartialSuccessMethods
	if h.o.Password.Empty() || slices.Contains(passed, "password") {
		return "user"
	}
	return "password"
}
