package ftp

import (
	"errors"
	"path"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/tlsx"
)

func form() connectors.Form {
	port := answers.PortField("", "21")
	port.Valid = validPort
	port.Help = "Leave empty for the usual one: 21, or 990 with TLS from the start."
	signedIn := connectors.When("auth", "password")
	fields := []connectors.Field{
		answers.HostField("ftp.example.com", splitHost),
		port,
		{Key: "tls", Label: "Encryption", Kind: connectors.Choice, Default: tlsExplicit, Options: []connectors.Option{
			{Value: tlsExplicit, Label: "TLS, asked for (explicit)", Help: "The usual FTPS, on port 21. Without TLS nothing is sent."},
			{Value: tlsImplicit, Label: "TLS from the start (implicit)", Help: "The older FTPS, on port 990."},
			{Value: tlsNone, Label: "No encryption", Help: "The password and all files can be read by everybody on the way."},
		}},
		{Key: "auth", Label: "Sign in", Kind: connectors.Choice, Section: "Sign-in", Default: "password", Options: []connectors.Option{
			{Value: "password", Label: "With user name and password"},
			{Value: anonymous, Label: "Anonymously", Help: "For public servers that let everybody in."},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Example: "acme-upload", Show: signedIn, Valid: answers.ValidLine},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: signedIn, Valid: answers.ValidLine},
		{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "reports/2026", Tidy: tidyFolder, Valid: answers.ValidLine,
			Help: "Relative to where your account begins, or absolute with a / in front. Leave empty to begin there."},
		{Key: "names", Label: "Letters of file names", Kind: connectors.Choice, Default: namesAuto, Advanced: true, Options: []connectors.Option{
			{Value: namesAuto, Label: "UTF-8, else Latin-1"},
			{Value: namesLatin, Label: "Latin-1", Help: "For old servers on which é or ü are shown as two wrong letters."},
		}},
		{Key: "passive_address", Label: "Use the address that the server names", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "Only for servers whose files come from another machine than the one you sign in to. Without it, files are only taken from the host above."},
	}
	encrypted := connectors.When("tls", tlsExplicit, tlsImplicit)
	fields = append(fields, tlsx.Fields(encrypted, true)...)
	return connectors.Form{Fields: append(fields, files.Fields()...)}
}

// splitHost understands an address. ftps is FTP with TLS from the start, ftpes is
// what FileZilla calls TLS that is asked for.
func splitHost(v string) map[string]string {
	out := answers.SplitScheme("folder", "tls", map[string]string{"ftp": "", "ftps": tlsImplicit, "ftpes": tlsExplicit})(v)
	if out["user"] == anonymous {
		delete(out, "user")
		out["auth"] = anonymous
	}
	return out
}

func validPort(v string) error {
	if strings.TrimSpace(v) == "22" {
		return errors.New("Port 22 is for SFTP, which is another protocol. Use the SFTP server connection for it.")
	}
	return answers.ValidPort(v)
}

// tidyFolder takes Windows separators as people type them.
func tidyFolder(v string) string {
	v = strings.ReplaceAll(strings.TrimSpace(v), `\`, "/")
	if v == "" {
		return ""
	}
	return path.Clean(v)
}
