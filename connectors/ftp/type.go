// Package ftp has the connection type for FTP servers (RFC 959, RFC 2389, RFC
// 2428, RFC 3659, RFC 4217).
//
// The protocol is spoken here and by no library: the common client holds a whole
// listing in memory, bounds no line, and cannot be cancelled while it waits for a
// reply.
package ftp

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/tlsx"
)

// The kinds of encryption, and of names that are no UTF-8.
const (
	tlsExplicit = "explicit"
	tlsImplicit = "implicit"
	tlsNone     = "none"

	anonymous = "anonymous"

	namesAuto  = "auto"
	namesLatin = "latin1"
)

// packed are the answers about encrypted files, under a name of their own beside
// those about TLS.
type packed struct{ files.Answers }

type config struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	TLS      string            `field:"tls"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Folder   string            `field:"folder"`
	Names    string            `field:"names"`
	Passive  bool              `field:"passive_address"`
	tlsx.Answers
	packed
}

// Type is the FTP server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "ftp", Name: "FTP / FTPS server", Group: connectors.GroupFiles, Tile: "FT",
		Summary:  "Files and folders over FTP, with or without TLS",
		Keywords: []string{"ftp", "ftps", "ftpes", "files", "folder", "upload", "csv", "filezilla", "proftpd", "vsftpd", "iis"},
		Where:    []string{"host", "user"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Host, user name and password come from whoever runs the server; hosting providers show them on their page for FTP accounts.",
				"Start with “TLS, asked for”. Choose “TLS from the start” when you were told port 990, and “No encryption” only when the server has none.",
				"SFTP is another protocol in spite of its name. When you were told port 22, use the SFTP server connection.",
			},
			Rights:  "Listing and reading the folder. Nothing is ever written.",
			Admin:   "Create a user that may list and download in the folder, switch TLS on, and open the passive port range in the firewall.",
			Network: "The control port (21, or 990 with TLS from the start) and the server's passive port range. The server never has to reach this computer.",
			Notes: []string{
				"Without TLS the password and all files can be read by everybody on the way.",
				"Every listing and every file goes over a second connection. A sign-in that works while the folder stays empty usually means that a firewall blocks the passive ports.",
				"Up to four connections are open at once. A server that allows fewer is asked for one thing after the other.",
			},
			Links: []connectors.Link{
				{Text: "FTP over TLS (RFC 4217)", URL: "https://www.rfc-editor.org/rfc/rfc4217"},
				{Text: "ProFTPD: TLS", URL: "http://www.proftpd.org/docs/howto/TLS.html"},
				{Text: "vsftpd: settings", URL: "https://security.appspot.com/vsftpd/vsftpd_conf.html"},
			},
		},
	}, open)
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s := &session{env: env, c: c, slots: make(chan struct{}, most)}
	s.Tree = files.New(shelf{s}, c.packed.Answers)
	if err := s.begin(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
