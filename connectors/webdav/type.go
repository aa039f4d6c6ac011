// Package webdav has the connection type for WebDAV (RFC 4918), as Nextcloud,
// ownCloud, SharePoint, NAS boxes and web servers have it. Nothing but PROPFIND
// and GET is ever sent.
package webdav

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/tlsx"
)

// The ways to sign in.
const (
	byBasic  = "basic"
	byDigest = "digest"
	byToken  = "bearer"
	byNTLM   = "ntlm"
	byNone   = "none"
)

// packed are the answers about encrypted files, under a name of their own beside
// those about TLS.
type packed struct{ files.Answers }

type config struct {
	URL      string            `field:"url"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Domain   string            `field:"domain"`
	Token    connectors.Secret `field:"token"`
	Folder   string            `field:"folder"`
	tlsx.Answers
	packed
}

// Type is the WebDAV server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "webdav", Name: "WebDAV", Group: connectors.GroupFiles, Tile: "WD",
		Summary:  "Files of Nextcloud, ownCloud, SharePoint, a NAS or a web server",
		Keywords: []string{"dav", "nextcloud", "owncloud", "sharepoint", "nas", "files", "folder", "cloud", "hetzner", "synology", "apache", "iis"},
		Where:    []string{"url", "user"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Nextcloud and ownCloud: the address is https://cloud.example.com/remote.php/dav/files/USER/ with your user name at its end; Files › Settings shows it.",
				"Nextcloud and ownCloud with two-step sign-in: make an app password under Settings › Security and use it in place of your own.",
				"SharePoint Server: the address of the document library, such as https://intranet.example.com/sites/sales/Shared Documents/, with NTLM. SharePoint Online takes no user name and password here; it needs a bearer token.",
				"A NAS or a web server: its administrator knows the address and whether it wants Basic or Digest.",
			},
			Rights:  "Reading the folder (PROPFIND and GET). Nothing is ever written or locked.",
			Admin:   "Give the account read access to the folder, and let PROPFIND through the firewall or proxy.",
			Network: "The web server's port, 443 for https.",
			Notes: []string{
				"With http in the address, everybody on the way can read the files, and with Basic the password too.",
				"Redirects are followed within the same server alone, so that no password goes elsewhere.",
			},
			Links: []connectors.Link{
				{Text: "Nextcloud: access by WebDAV", URL: "https://docs.nextcloud.com/server/latest/user_manual/en/files/access_webdav.html"},
				{Text: "ownCloud: access by WebDAV", URL: "https://doc.owncloud.com/webui/next/classic_ui/files/access_webdav.html"},
				{Text: "WebDAV (RFC 4918)", URL: "https://www.rfc-editor.org/rfc/rfc4918"},
			},
		},
	}, open)
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s := &session{env: env, c: c}
	s.Tree = files.New(shelf{s}, c.packed.Answers)
	if err := s.begin(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
