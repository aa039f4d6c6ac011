// Package sftp has the connection types over SSH: files
// (draft-ietf-secsh-filexfer-02, the version 3 that OpenSSH speaks), and the jump
// host, through which other connections go.
package sftp

import (
	"context"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/sshx"
)

// signIn are the answers of signInFields and trustFields.
type signIn struct {
	Host        string            `field:"host"`
	Port        int               `field:"port"`
	User        string            `field:"user"`
	Auth        string            `field:"auth"`
	Password    connectors.Secret `field:"password"`
	Key         connectors.Secret `field:"key"`
	Passphrase  connectors.Secret `field:"passphrase"`
	Certificate string            `field:"certificate"`
	AgentKey    string            `field:"agent_key"`
	HostKey     string            `field:"host_key"`
	Lines       string            `field:"known_hosts_file"`
	Legacy      bool              `field:"legacy"`
	KnownHosts  connectors.Secret `field:"known_hosts,issued"`
}

type config struct {
	signIn
	files.Answers
	Folder string `field:"folder"`
}

// Type is the SFTP server.
func Type() connectors.Type {
	f := form()
	f.Fields = append(f.Fields, files.Fields()...)
	t := connectors.Define(connectors.Type{
		ID: "sftp", Name: "SFTP server", Group: connectors.GroupFiles, Tile: "SF",
		Summary:  "Files and folders over SSH",
		Keywords: []string{"ssh", "scp", "files", "csv", "upload", "folder", "openssh"},
		Where:    []string{"host"},
		Form:     f,
		Guide: connectors.Guide{
			Steps:  []string{"Host, port and user name come from whoever runs the server.", "For a key, the administrator installs its public half for your user; here goes the private half."},
			Rights: "Listing and reading the folder. Nothing is ever written.",
			Admin:  "Create a user that may read the folder over SFTP, and tell the fingerprint of the host key.",
			Notes:  []string{"The server's host key is asked about once and then remembered; another key later blocks the connection.", "Some servers end the connection after a few failed sign-ins, or keep this computer out for a while."},
			Links:  []connectors.Link{{Text: "OpenSSH manual: sftp", URL: "https://man.openbsd.org/sftp"}, {Text: "PuTTY manual: keys", URL: "https://the.earth.li/~sgtatham/putty/latest/htmldoc/Chapter8.html"}},
		},
	}, open)
	return connectors.Tunnels(t, func(ctx context.Context, env *connectors.Env, c config) (connectors.Tunnel, error) {
		return c.tunnel(ctx, env)
	})
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	client, facts, err := c.dial(ctx, env)
	if err != nil {
		return nil, err
	}
	return start(ctx, env, client, c, facts)
}

// tunnel signs in and starts nothing at the server.
func (c signIn) tunnel(ctx context.Context, env *connectors.Env) (connectors.Tunnel, error) {
	client, _, err := c.dial(ctx, env)
	if err != nil {
		return nil, err
	}
	return sshx.NewTunnel(client), nil
}

// dial signs in, after everything that can be judged without the server has
// been. The facts are what a certificate says.
func (c signIn) dial(ctx context.Context, env *connectors.Env) (*sshx.Client, []connectors.Fact, error) {
	o := sshx.Options{Addr: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), User: c.User, Legacy: c.Legacy,
		Password: c.Password, Ask: c.Auth == "interactive" || env.Ask.Input != nil,
		KnownHosts: c.KnownHosts, Lines: c.Lines, Pin: c.HostKey}
	var facts []connectors.Fact
	switch c.Auth {
	case "key", "both":
		signer, err := sshx.Signer(c.Key, c.Passphrase)
		if err != nil {
			return nil, nil, err
		}
		if c.Certificate != "" {
			if o.Certificate, err = sshx.Certificate(c.Certificate); err != nil {
				return nil, nil, err
			}
			if signer, err = sshx.Certified(o.Certificate, signer, env.Time()); err != nil {
				return nil, nil, err
			}
			facts = sshx.CertFacts(o.Certificate)
		}
		o.Signers = []ssh.Signer{signer}
	case "agent":
		signers, done, err := sshx.Agent(ctx, c.AgentKey)
		if err != nil {
			return nil, nil, err
		}
		defer done()
		o.Signers, o.Agent = signers, true
	}
	client, err := sshx.Dial(ctx, env, o)
	return client, facts, err
}

// about are the facts that every signed-in connection has; the account is the first.
func (c signIn) about(client *sshx.Client) []connectors.Fact {
	facts := []connectors.Fact{
		{Label: "Account", Text: c.User + "@" + c.Host},
		{Label: "Server", Text: connectors.Clean(string(client.ServerVersion()), 100)},
		{Label: "Host key", Text: client.Fingerprint},
		{Label: "Algorithms", Text: client.Algorithms},
	}
	if client.Banner != "" {
		facts = append(facts, connectors.Fact{Label: "Banner", Text: connectors.Clean(client.Banner, 300)})
	}
	return facts
}
