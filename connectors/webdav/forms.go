package webdav

import (
	"errors"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/tlsx"
)

func form() connectors.Form {
	named := connectors.When("auth", byBasic, byDigest, byNTLM)
	fields := []connectors.Field{
		{Key: "url", Label: "Address", Kind: connectors.URL, Required: true, Section: "Server", Example: "https://cloud.example.com/remote.php/dav/files/alice/",
			Help: "The address of the folder, not of the page in the browser. See the guide for Nextcloud, ownCloud and SharePoint.", Tidy: tidyURL, Valid: validURL, Split: splitURL},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Section: "Sign-in", Default: byBasic, Options: []connectors.Option{
			{Value: byBasic, Label: "User name and password (Basic)", Help: "The usual one, also for app passwords."},
			{Value: byDigest, Label: "User name and password (Digest)", Help: "The password itself is not sent."},
			{Value: byNTLM, Label: "Windows account (NTLM)", Help: "For SharePoint and IIS."},
			{Value: byToken, Label: "Access token (Bearer)"},
			{Value: byNone, Label: "Nothing", Help: "For public folders, or with a client certificate alone."},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Example: "alice", Show: named, Valid: validUser},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: named, Valid: answers.ValidLine, Help: "With two-step sign-in: an app password."},
		{Key: "domain", Label: "Domain", Kind: connectors.Text, Example: "COMPANY", Show: connectors.When("auth", byNTLM)},
		{Key: "token", Label: "Access token", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byToken), Tidy: answers.TidySecret("Authorization:", "Bearer "), Valid: answers.ValidLine},
		{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "reports/2026", Tidy: answers.TidyFolder, Valid: validFolder,
			Help: "Below the address. Leave empty for all of it."},
	}
	fields = append(fields, tlsx.Fields(nil, true)...)
	return connectors.Form{Fields: append(fields, files.Fields()...)}
}

// tidyURL takes what clients call the address: davs:// is https.
func tidyURL(v string) string {
	v = strings.TrimSpace(v)
	for from, to := range map[string]string{"davs://": "https://", "webdavs://": "https://", "dav://": "http://", "webdav://": "http://"} {
		if len(v) > len(from) && strings.EqualFold(v[:len(from)], from) {
			return to + v[len(from):]
		}
	}
	if v != "" && !strings.Contains(v, "://") && strings.Contains(v, ".") && !strings.ContainsAny(v, " \t") {
		return "https://" + v
	}
	return v
}

// splitURL takes a user out of an address; the password is left out on purpose.
func splitURL(v string) map[string]string {
	u, err := url.Parse(tidyURL(v))
	if err != nil || u.Host == "" || u.User.Username() == "" {
		return nil
	}
	user := u.User.Username()
	u.User = nil
	return map[string]string{"url": u.String(), "user": user}
}

func validURL(v string) error {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Hostname() == "" || answers.ValidHost(u.Hostname()) != nil:
		return errors.New("A web address is expected here, for example https://cloud.example.com/remote.php/dav/files/alice/.")
	case u.User != nil:
		return errors.New("Leave user name and password out of the address; they have fields of their own.")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("This is the address of a page in the browser. The address of the folder has no ? and no # in it.")
	case u.Port() != "" && answers.ValidPort(u.Port()) != nil:
		return errors.New("The port in the address is a number from 1 to 65535.")
	}
	return nil
}

func validUser(v string) error {
	if strings.Contains(v, ":") {
		return errors.New("A user name has no colon here: it would end at it (RFC 7617).")
	}
	return answers.ValidLine(v)
}

func validFolder(v string) error {
	if v == ".." || strings.HasPrefix(v, "../") {
		return errors.New("The folder lies below the address. Change the address to go higher.")
	}
	return nil
}
