package sshx

import (
	"bytes"
	"context"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"jackfield/connectors"
)

// Agent returns the keys of this computer's SSH agent, all or the one that which
// names: by its SHA-256 fingerprint or its comment. A server counts every key
// that is offered as a failed attempt (sshd_config(5), MaxAuthTries), so that
// one of many may never get its turn. done closes the agent after the sign-in;
// the end of ctx does it too, so that an agent which waits for a touch of a
// device holds up nobody.
func Agent(ctx context.Context, which string) (signers []ssh.Signer, done func(), err error) {
	conn, err := dialAgent(ctx)
	if err != nil {
		return nil, nil, agentError("ssh.agent", "auth", "", err)
	}
	stop := context.AfterFunc(ctx, func() { closeQuietly(conn) })
	done = func() { stop(); closeQuietly(conn) }
	all, held, err := heldBy(agent.NewClient(conn))
	if err != nil || len(all) == 0 {
		done()
		if ctx.Err() != nil {
			return nil, nil, connectors.Classify(context.Cause(ctx))
		}
		return nil, nil, agentError("ssh.agent_empty", "auth", "", err)
	}
	if which == "" {
		return all, done, nil
	}
	var shown []string
	for i, k := range held {
		print, _, _ := strings.Cut(which, " ")
		if fingerprintIs(print, all[i].PublicKey()) || k.Comment == which {
			return all[i : i+1], done, nil
		}
		shown = append(shown, ssh.FingerprintSHA256(all[i].PublicKey())+" "+connectors.Clean(k.Comment, 40))
	}
	done()
	return nil, nil, agentError("ssh.agent_other_key", "agent_key", strings.Join(shown, ", "), nil)
}

// heldBy returns signers and what the agent says of each, in one order.
func heldBy(a agent.ExtendedAgent) ([]ssh.Signer, []*agent.Key, error) {
	keys, err := a.List()
	if err != nil {
		return nil, nil, err
	}
	signers, err := a.Signers()
	if err != nil {
		return nil, nil, err
	}
	var out []ssh.Signer
	var held []*agent.Key
	for _, k := range keys {
		for _, s := range signers {
			if bytes.Equal(s.PublicKey().Marshal(), k.Marshal()) {
				out, held = append(out, s), append(held, k)
				break
			}
		}
	}
	return out, held, nil
}

// fingerprintIs compares with a key's fingerprint, or with that of the key that
// a certificate is for: ssh-add -l shows both alike.
func fingerprintIs(print string, key ssh.PublicKey) bool {
	print = strings.TrimRight(print, "=")
	if cert, ok := key.(*ssh.Certificate); ok && print == ssh.FingerprintSHA256(cert.Key) {
		return true
	}
	return print == ssh.FingerprintSHA256(key)
}

func agentError(reason, field, said string, err error) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageSignIn, Field: field, Said: said, Err: err}
}

func closeQuietly(c net.Conn) {
	// The agent's answer has been used; how its socket closes changes nothing.
	_ = c.Close()
}
