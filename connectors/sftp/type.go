// Package sftp is the connection type for files over SSH
// (draft-ietf-secsh-filexfer-02, the version 3 that OpenSSH speaks).
package sftp

import (
	"context"
	"net"
	"path"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/sshx"

	"golang.org/x/crypto/ssh"
)

type config struct {
	Host       string            `field:"host"`
	Port       int               `field:"port"`
	User       string            `field:"user"`
	Auth       string            `field:"auth"`
	Password   connectors.Secret `field:"password"`
	Key        connectors.Secret `field:"key"`
	Passphrase connectors.Secret `field:"passphrase"`
	Folder     string            `field:"folder"`
	Legacy     bool              `field:"legacy"`
	KnownHosts connectors.Secret `field:"known_hosts,issued"`
}

// Type is the SFTP server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "sftp", Name: "SFTP server", Group: connectors.GroupFiles, Tile: "SF",
		Summary:  "Files and folders over SSH",
		Keywords: []string{"ssh", "scp", "files", "csv", "upload", "folder", "openssh"},
		Where:    []string{"host"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps:  []string{"Host, port and user name come from whoever runs the server.", "For a key, the administrator installs its public half for your user; here goes the private half."},
			Rights: "Listing and reading the folder. Nothing is ever written.",
			Admin:  "Create a user that may read the folder over SFTP, and tell the fingerprint of the host key.",
		},
	}, open)
}

func form() connectors.Form {
	return connectors.Form{Fields: []connectors.Field{
		answers.HostField("files.example.com", answers.SplitURL("folder", "sftp", "ssh", "scp")),
		answers.PortField("22", "22"),
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "acme-upload"},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "password", Options: []connectors.Option{
			{Value: "password", Label: "Password"},
			{Value: "key", Label: "Private key"},
			{Value: "agent", Label: "SSH agent", Help: "The keys that your SSH agent holds."},
			{Value: "interactive", Label: "Questions of the server", Help: "For one-time codes: the server asks while linking."},
		}},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", "password")},
		{Key: "key", Label: "Private key", Kind: connectors.SecretLines, Required: true, Show: connectors.When("auth", "key"), Tidy: answers.TidyPEM,
			Help: "OpenSSH, PEM, PKCS#8 or PuTTY (.ppk). Paste it or choose its file.", Valid: validKey},
		{Key: "passphrase", Label: "Passphrase of the key", Kind: connectors.SecretText, Show: connectors.When("auth", "key"), Help: "Only when the key is locked with one."},
		{Key: "folder", Label: "Folder", Kind: connectors.Text, Section: "What to read", Example: "reports/2026", Tidy: tidyFolder,
			Help: "Relative to your home folder, or absolute with a / in front. Leave empty for home."},
		{Key: "legacy", Label: "Allow old algorithms", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "For servers that speak nothing newer. They can be eavesdropped on."},
	}}
}

// validKey finds what cannot be a key; whether a passphrase opens it is known
// when both are there.
func validKey(v string) error {
	_, err := sshx.Signer(connectors.NewSecret(v), connectors.Secret{})
	e := connectors.Classify(err)
	if e == nil || e.Field == "passphrase" {
		return nil
	}
	p := connectors.Explain(err)
	return sentence(p.Title + " " + p.Hint)
}

type sentence string

func (s sentence) Error() string { return string(s) }

// tidyFolder takes Windows separators and drive letters as people type them:
// C:\x becomes /C:/x, as OpenSSH for Windows has it.
func tidyFolder(v string) string {
	v = strings.ReplaceAll(strings.TrimSpace(v), `\`, "/")
	if len(v) > 1 && v[1] == ':' && (v[0]|0x20) >= 'a' && (v[0]|0x20) <= 'z' {
		v = "/" + v
	}
	if v == "" {
		return ""
	}
	return path.Clean(v)
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	o := sshx.Options{Addr: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), User: c.User, Legacy: c.Legacy, KnownHosts: c.KnownHosts}
	closeAgent := func() {}
	switch c.Auth {
	case "password":
		o.Password = c.Password
		o.Ask = env.Ask.Input != nil
	case "interactive":
		o.Ask = true
	case "key":
		signer, err := sshx.Signer(c.Key, c.Passphrase)
		if err != nil {
			return nil, err
		}
		o.Signers = func() ([]ssh.Signer, error) { return []ssh.Signer{signer}, nil }
		o.Ask = env.Ask.Input != nil
	case "agent":
		signers, done, err := sshx.Agent(ctx)
		if err != nil {
			return nil, err
		}
		o.Signers, closeAgent = signers, done
		o.Ask = env.Ask.Input != nil
	}
	defer closeAgent()
	client, err := sshx.Dial(ctx, env, o)
	if err != nil {
		return nil, err
	}
	return start(ctx, env, client, c)
}
