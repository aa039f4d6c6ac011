package sftp

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"sync"

	"jackfield/connectors"
	"jackfield/connectors/internal/sshx"
)

// Jump is the SSH jump host: a server that other connections go through.
func Jump() connectors.Type {
	t := connectors.Define(connectors.Type{
		ID: "ssh", Name: "SSH jump host", Group: connectors.GroupServices, Tile: "JH",
		Summary:  "A server that other connections go through",
		Keywords: []string{"ssh", "bastion", "tunnel", "port forwarding", "gateway", "proxyjump"},
		Where:    []string{"host"},
		Form:     jumpForm(),
		Guide: connectors.Guide{
			Steps:  []string{"Host, port and user name come from whoever runs the server.", "Link it once; other connections then name it as their way to the network behind it."},
			Rights: "Signing in, and opening connections from there to the servers that you use. A shell is not needed, and nothing is started.",
			Admin:  "Create a user with AllowTcpForwarding yes; PermitOpen may limit which servers it reaches.",
			Links:  []connectors.Link{{Text: "OpenSSH manual: AllowTcpForwarding and PermitOpen", URL: "https://man.openbsd.org/sshd_config"}},
		},
	}, openJump)
	return connectors.Tunnels(t, func(ctx context.Context, env *connectors.Env, c signIn) (connectors.Tunnel, error) {
		return c.tunnel(ctx, env)
	})
}

func openJump(ctx context.Context, env *connectors.Env, c signIn) (connectors.Session, error) {
	client, facts, err := c.dial(ctx, env)
	if err != nil {
		return nil, err
	}
	return &host{ssh: client, c: c, cert: facts}, nil
}

// host is a signed-in jump host; it shows what the account is and may do.
type host struct {
	ssh  *sshx.Client
	c    signIn
	cert []connectors.Fact
	once sync.Once
	err  error
}

// Check signs nothing in anew: it asks whether connections may go through.
func (h *host) Check(ctx context.Context) ([]connectors.Fact, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	facts := h.c.about(h.ssh)
	allowed, err := h.forwarding(ctx)
	if e := connectors.Classify(err); e != nil {
		partial := *e
		partial.Op, partial.Partial, partial.Target = connectors.StageRights, e.Code == connectors.Denied, h.c.Host
		if !partial.Partial {
			return nil, &partial
		}
		err = &partial
	}
	facts = append(facts, connectors.Fact{Label: forwarding, Text: allowed})
	return append(facts, h.cert...), err
}

const forwarding = "Forwarding"

// forwarding tells in words whether connections may go through; the error, if
// any, is why not.
func (h *host) forwarding(ctx context.Context) (string, error) {
	err := h.ssh.Forwards(ctx)
	if connectors.CodeOf(err) == connectors.Denied {
		e := *connectors.Classify(err)
		e.Reason, e.Field = "ssh.forwarding_refused", "user"
		return "refused in a test", &e
	}
	if err != nil {
		return "", err
	}
	return "allowed", nil
}

// Children shows what Check tells, one node a fact.
func (h *host) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if parent != "" {
			return
		}
		facts, err := h.Check(ctx)
		if e := connectors.Classify(err); e != nil && !e.Partial {
			yield(connectors.Node{}, err)
			return
		}
		for _, f := range facts {
			n := connectors.Node{ID: connectors.NodeID(f.Label), Name: f.Label + ": " + f.Text, Kind: "fact", Ordered: true, Facts: []connectors.Fact{f}}
			if f.Label == "Account" {
				n.Name = "Signed in as: " + f.Text
			}
			if f.Label == forwarding && err != nil {
				n.Access = connectors.AccessDenied
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (h *host) Close() error {
	h.once.Do(func() {
		if h.err = h.ssh.Close(); errors.Is(h.err, net.ErrClosed) || errors.Is(h.err, io.EOF) {
			h.err = nil
		}
	})
	return h.err
}
