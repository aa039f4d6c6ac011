package smb

import (
	"errors"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/files"
)

func form() connectors.Form {
	password := connectors.When("auth", byPassword)
	fields := []connectors.Field{
		answers.HostField("files.example.com", splitHost),
		answers.PortField("445", "445"),
		{Key: "share", Label: "Share", Kind: connectors.Text, Listed: true, Example: "reports", Tidy: tidyShare, Valid: validShare,
			Help: "The name after the server's. Leave empty to see which shares there are."},
		{Key: "auth", Label: "Sign in", Kind: connectors.Choice, Section: "Sign-in", Default: byPassword, Options: []connectors.Option{
			{Value: byPassword, Label: "With user name and password"},
			{Value: asGuest, Label: "As a guest", Help: "Anybody on the way can read and change what is sent: guests have no key to sign with."},
			{Value: anonymous, Label: "Anonymously", Help: "Without any name. Few servers show more than the names of their shares."},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Example: "alice", Show: password, Valid: validName,
			Help: `The name alone, DOMAIN\name, or name@company.example.com.`},
		{Key: "domain", Label: "Domain", Kind: connectors.Text, Example: "COMPANY", Show: password, Valid: validName,
			Help: "Leave empty for an account of the server's own."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: password},
		{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "2026/sales", Tidy: answers.TidyFolder, Valid: validFolder,
			Help: "Within the share. Leave empty for all of it."},
	}
	return connectors.Form{Fields: append(fields, files.Fields()...)}
}

// splitHost understands \\server\share\folder and smb://DOMAIN;user@server/share/folder.
func splitHost(v string) map[string]string {
	v = strings.TrimSpace(v)
	out := map[string]string{}
	rest := ""
	switch {
	case strings.HasPrefix(v, `\\`), strings.HasPrefix(v, "//"):
		out["host"], rest, _ = strings.Cut(strings.ReplaceAll(v[2:], `\`, "/"), "/")
	default:
		u, err := url.Parse(v)
		if err != nil || u.Hostname() == "" || !strings.EqualFold(u.Scheme, "smb") && !strings.EqualFold(u.Scheme, "cifs") && !strings.EqualFold(u.Scheme, "file") {
			return nil
		}
		out["host"], rest = u.Hostname(), strings.TrimPrefix(u.Path, "/")
		user := u.User.Username()
		if domain, name, ok := strings.Cut(user, ";"); ok {
			out["domain"], user = domain, name
		}
		out["user"], out["port"] = user, u.Port()
	}
	share, folder, _ := strings.Cut(rest, "/")
	out["share"], out["folder"] = share, strings.Trim(folder, "/")
	for k, text := range out {
		if text == "" {
			delete(out, k)
		}
	}
	if out["host"] == "" {
		return nil
	}
	return out
}

func tidyShare(v string) string {
	return strings.Trim(strings.TrimSpace(v), `\/`)
}

func validShare(v string) error {
	if strings.ContainsAny(v, `\/:*?"<>|`) {
		return errors.New(`A share is one name, such as reports. What comes after it belongs into Folder.`)
	}
	return nil
}

func validName(v string) error {
	if strings.ContainsAny(v, "\r\n\t/") {
		return errors.New("A user name or domain has no line breaks and no slash.")
	}
	return nil
}

func validFolder(v string) error {
	if v == ".." || strings.HasPrefix(v, "../") {
		return errors.New("The folder lies within the share. Choose another share to go higher.")
	}
	return nil
}

// account takes DOMAIN\user apart. The domain in the name goes before the other;
// user@company.example.com is one name and needs none.
func (c config) account() (domain, user string) {
	if domain, user, ok := strings.Cut(c.User, `\`); ok {
		return domain, user
	}
	if strings.Contains(c.User, "@") {
		return "", c.User
	}
	return c.Domain, c.User
}

func (c config) who() string {
	switch c.Auth {
	case byPassword:
		if domain, user := c.account(); domain != "" {
			return domain + `\` + user
		}
		return c.User
	case asGuest:
		return "guest"
	}
	return "anonymous"
}
