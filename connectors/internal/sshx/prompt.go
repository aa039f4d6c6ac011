package sshx

import (
	"context"
	"strings"

	"jackfield/connectors"
)

// maxPrompts bounds a server that asks without end.
const maxPrompts = 20

// answer gives the password to a password prompt alone; anything else is a
// person's to answer.
func (h *handshake) answer(ctx context.Context, name, instruction string, questions []string, echos []bool) ([]string, error) {
	if h.prompts += len(questions); h.prompts > maxPrompts {
		return nil, signInError(connectors.Refused, "ssh.prompts", "", "")
	}
	var out []string
	for i, q := range questions {
		if !echos[i] && newPassword(q) {
			return nil, signInError(connectors.Expired, "ssh.password_expired", h.passwordField(), connectors.Clean(strings.TrimSpace(instruction+" "+q), 200))
		}
		if !echos[i] && !h.o.Password.Empty() && passwordPrompt(q) {
			out = append(out, h.o.Password.Reveal())
			continue
		}
		if !h.o.Ask {
			return nil, signInError(connectors.SignInAgain, "nobody", "", connectors.Clean(q, 200))
		}
		text := strings.TrimSpace(name + " " + instruction)
		s, err := h.env.Inputs(ctx, connectors.Prompt{Title: connectors.Clean(strings.TrimRight(q, ": "), 200), Text: connectors.Clean(text, 500), Echo: echos[i]})
		if err != nil && ctx.Err() != nil {
			return nil, connectors.Classify(context.Cause(ctx))
		}
		if err != nil {
			return nil, &connectors.Error{Code: connectors.SignInAgain, Reason: "nobody", Op: connectors.StageSignIn, Err: err}
		}
		out = append(out, s.Reveal())
	}
	return out, nil
}

func passwordPrompt(q string) bool {
	q = strings.ToLower(q)
	return strings.Contains(q, "password") && !strings.Contains(q, "one-time")
}

// newPassword recognizes the question by which PAM and others want the password
// changed. It is never answered here: the stored password would be the old one.
func newPassword(q string) bool {
	q = strings.ToLower(q)
	return strings.Contains(q, "new password") || strings.Contains(q, "new unix password")
}

// passwordField is the field that holds the password, where the form shows one.
func (h *handshake) passwordField() string {
	if h.o.Password.Empty() {
		return "auth"
	}
	return "password"
}

func signInError(code connectors.Code, reason, field, said string) error {
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageSignIn, Field: field, Said: said}
}
