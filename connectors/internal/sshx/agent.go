package sshx

import (
	"context"
	"net"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"jackfield/connectors"
)

// Agent returns the keys of this computer's SSH agent; done closes it after
// the sign-in.
func Agent(ctx context.Context) (signers func() ([]ssh.Signer, error), done func(), err error) {
	conn, err := dialAgent(ctx)
	if err != nil {
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Reason: "ssh.agent", Op: connectors.StageSignIn, Field: "auth", Err: err}
	}
	list, err := agent.NewClient(conn).Signers()
	if err != nil || len(list) == 0 {
		_ = conn.Close()
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Reason: "ssh.agent_empty", Op: connectors.StageSignIn, Field: "auth", Err: err}
	}
	return func() ([]ssh.Signer, error) { return list, nil }, func() { closeQuietly(conn) }, nil
}

func closeQuietly(c net.Conn) {
	// The agent's answer has been used; how its socket closes changes nothing.
	_ = c.Close()
}
