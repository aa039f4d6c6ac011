// Package smb has the connection type for Windows shares: SMB 2 and 3 (MS-SMB2)
// with NTLM (MS-NLMP). SMB 1 is not spoken.
package smb

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// The ways to sign in.
const (
	byPassword = "password"
	asGuest    = "guest"
	anonymous  = "anonymous"
)

type config struct {
	files.Answers
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Share    string            `field:"share"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Domain   string            `field:"domain"`
	Password connectors.Secret `field:"password"`
	Folder   string            `field:"folder"`
}

// Type is the Windows share.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "smb", Name: "Windows share (SMB)", Group: connectors.GroupFiles, Tile: "WS",
		Summary:  "Files and folders that Windows, Samba or a NAS shares",
		Keywords: []string{"windows", "share", "network drive", "cifs", "samba", "nas", "files", "folder", "unc", "synology", "qnap", "azure files", "file server"},
		Where:    []string{"host", "share"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				`The address looks like \\server\share\folder. Paste it as the host, and it is taken apart.`,
				"User name and password are those that you sign in to Windows with, or an account on the NAS. The domain is your company's short name for it; leave it empty for an account of the server's own.",
				"Without a share, the shares of the server are listed.",
			},
			Rights: "Read permission on the share and on the folder. Nothing is ever written.",
			Admin:  "Give the account the share permission Read and the folder permission Read & execute (list folder contents), and the right “Access this computer from the network”.",
			Notes: []string{
				"Several wrong passwords lock most Windows accounts for a while.",
				"Messages are signed, so nobody on the way can change them. Whether they are encrypted too is for the server to decide; the facts say it.",
				"SMB 1, Kerberos and DFS links to other servers are not spoken.",
			},
			Network: "TCP port 445 of the server. Many internet providers block it; a VPN is the usual way.",
			Links: []connectors.Link{
				{Text: "Permissions for file sharing at Microsoft", URL: "https://learn.microsoft.com/windows-server/storage/file-server/file-server-smb-overview"},
				{Text: "Samba manual: smb.conf", URL: "https://www.samba.org/samba/docs/current/man-html/smb.conf.5.html"},
			},
		},
	}, open)
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s := &session{env: env, c: c, turn: make(chan struct{}, 1)}
	s.life, s.end = context.WithCancelCause(context.Background())
	s.Tree = files.New(shelf{s}, c.Answers)
	if err := s.signIn(ctx); err != nil {
		s.end(err)
		return nil, err
	}
	if err := s.enter(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
