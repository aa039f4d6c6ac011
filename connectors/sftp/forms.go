package sftp

import (
	"errors"
	"path"
	"regexp"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/sshx"
)

// signInFields ask for the server, the account and the ways to sign in; where
// answers what a pasted address says of a folder, "" for nothing.
func signInFields(example, where string) []connectors.Field {
	password := connectors.When("auth", "password", "both")
	key := connectors.When("auth", "key", "both")
	return []connectors.Field{
		answers.HostField(example, splitHost(where)),
		answers.PortField("22", "22"),
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "acme-upload"},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "password", Options: []connectors.Option{
			{Value: "password", Label: "Password"},
			{Value: "key", Label: "Private key"},
			{Value: "both", Label: "Private key and password", Help: "For servers that want both, one after the other."},
			{Value: "agent", Label: "SSH agent", Help: "The keys that your SSH agent holds."},
			{Value: "interactive", Label: "Questions of the server", Help: "For one-time codes: the server asks while linking."},
		}},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: password},
		{Key: "key", Label: "Private key", Kind: connectors.SecretLines, Required: true, Show: key, Tidy: answers.TidyPEM,
			Help: "OpenSSH, PEM, PKCS#8 or PuTTY (.ppk). Paste it or choose its file.", Valid: validKey},
		{Key: "passphrase", Label: "Passphrase of the key", Kind: connectors.SecretText, Show: key, Help: "Only when the key is locked with one."},
		{Key: "certificate", Label: "Certificate of the key", Kind: connectors.Lines, Advanced: true, Show: key, Tidy: oneLine, Valid: validCertificate,
			Help: "Only when your company signs keys: the one line of the file whose name ends in -cert.pub."},
		{Key: "agent_key", Label: "Which key of the agent", Kind: connectors.Text, Advanced: true, Show: connectors.When("auth", "agent"),
			Example: "SHA256:uNiVztksCsDhcc0u9e8BrKcmpfdjU1xo0gZyrXJ6Zcw",
			Help:    "Its fingerprint or its comment, as ssh-add -l shows them. Needed when the agent holds more keys than the server lets you try."},
	}
}

// trustFields ask how the server is recognized, and how old it may be.
func trustFields() []connectors.Field {
	return []connectors.Field{
		{Key: "host_key", Label: "Fingerprint of the host key", Section: "The server's identity", Kind: connectors.Text, Advanced: true, Tidy: tidyFingerprint, Valid: validFingerprint,
			Example: "SHA256:uNiVztksCsDhcc0u9e8BrKcmpfdjU1xo0gZyrXJ6Zcw",
			Help:    "When the administrator told you one. Only a server with this key is accepted, and nothing is asked."},
		{Key: "known_hosts_file", Label: "Lines of a known_hosts file", Kind: connectors.Lines, Advanced: true, Valid: validLines,
			Help: "Servers that you know already. Paste the file ~/.ssh/known_hosts or lines of it."},
		{Key: "legacy", Label: "Allow old algorithms", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "For servers that speak nothing newer. They can be eavesdropped on."},
	}
}

func form() connectors.Form {
	fields := signInFields("files.example.com", "folder")
	fields = append(fields, connectors.Field{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "reports/2026", Tidy: tidyFolder,
		Help: "Relative to your home folder, or absolute with a / in front. Leave empty for home."})
	return connectors.Form{Fields: append(fields, trustFields()...)}
}

func jumpForm() connectors.Form {
	return connectors.Form{Fields: append(signInFields("bastion.example.com", ""), trustFields()...)}
}

var (
	target           = regexp.MustCompile(`^([^@\s]+)@(\[[0-9A-Fa-f:.]+\]|[^@:\s/\[\]]+)(?::([0-9]{1,5}))?$`)
	fingerprintShape = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`)
)

// splitHost understands an address (sftp://mira@files/x), mira@files, and the
// command that people have in their notes: ssh -p 2222 mira@files.
func splitHost(where string) func(string) map[string]string {
	byURL := answers.SplitURL(where, "sftp", "ssh", "scp")
	return func(v string) map[string]string {
		if out := byURL(v); out != nil {
			if below := out[where]; where != "" && below != "" {
				out[where] = rooted(below)
			}
			return out
		}
		words := strings.Fields(v)
		port := ""
		if len(words) > 1 && (words[0] == "ssh" || words[0] == "sftp") {
			words = words[1:]
			if len(words) > 2 && strings.EqualFold(words[0], "-p") {
				port, words = words[1], words[2:]
			}
		}
		if len(words) != 1 {
			return nil
		}
		m := target.FindStringSubmatch(words[0])
		if m == nil {
			return nil
		}
		out := map[string]string{"user": m[1], "host": strings.Trim(m[2], "[]")}
		if m[3] != "" {
			port = m[3]
		}
		if _, err := strconv.Atoi(port); err == nil {
			out["port"] = port
		}
		return out
	}
}

// rooted is the folder of an address, which counts from the root of the server,
// or after ~ from home, as curl and WinSCP take it:
// https://curl.se/docs/manual.html, https://winscp.net/eng/docs/session_url
func rooted(below string) string {
	if home, ok := strings.CutPrefix(below+"/", "~/"); ok {
		return strings.TrimSuffix(home, "/")
	}
	return "/" + below
}

// validKey finds what cannot be a key; whether a passphrase opens it is known
// when both are there.
func validKey(v string) error {
	_, err := sshx.Signer(connectors.NewSecret(v), connectors.Secret{})
	if e := connectors.Classify(err); e == nil || e.Field == "passphrase" {
		return nil
	}
	return inWords(err)
}

func validCertificate(v string) error {
	if _, err := sshx.Certificate(v); err != nil {
		return inWords(err)
	}
	return nil
}

func validLines(v string) error {
	if strings.TrimSpace(v) != "" && sshx.Lines(v) == 0 {
		return errors.New("No line of this looks like one of a known_hosts file, such as: files.example.com ssh-ed25519 AAAA….")
	}
	return nil
}

func validFingerprint(v string) error {
	if fingerprintShape.FindString(v) != strings.TrimRight(v, "=") {
		return errors.New("A fingerprint begins with SHA256: and has 43 more characters. Older programs show another kind (MD5); ask for the SHA256 one.")
	}
	return nil
}

// tidyFingerprint finds the fingerprint in a line as ssh-keygen -l prints it.
func tidyFingerprint(v string) string {
	if found := fingerprintShape.FindString(v); found != "" {
		return found
	}
	return strings.TrimSpace(v)
}

func oneLine(v string) string { return strings.Join(strings.Fields(v), " ") }

func inWords(err error) error {
	p := connectors.Explain(err)
	return sentence(p.Title + " " + p.Hint)
}

type sentence string

func (s sentence) Error() string { return string(s) }

// tidyFolder takes Windows separators and drive letters as people type them:
// C:\x becomes /C:/x, as OpenSSH for Windows has it.
func tidyFolder(v string) string {
	v = strings.ReplaceAll(strings.TrimSpace(v), `\`, "/")
	if v == "" {
		return ""
	}
	return path.Clean(fromDrive(v))
}
