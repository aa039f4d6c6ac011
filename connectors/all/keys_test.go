package all_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
)

// forKeys tells by its words whether a field of lines takes a key or certificate.
var forKeys = regexp.MustCompile(`(?i)\b(?:private key|public key|pem|certificates?|key store|trust store|pfx)\b`)

// elsewhere are fields whose words are about keys and that take something else:
// OpenSSH's certificates and known_hosts are lines, and keytabs and Google's
// files have no PEM around them.
func elsewhere(key string) bool {
	switch key {
	case "certificate", "known_hosts", "known_hosts_file", "host_key", "keytab", "creds", "key_file", "google_key":
		return true
	}
	return false
}

// damages are what pasting does to text.
func damages() map[string]func(string) string {
	lines := func(text, before string) string {
		return before + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+before) + "\n"
	}
	return map[string]func(string) string{
		`\n`:           func(v string) string { return strings.ReplaceAll(v, "\n", `\n`) },
		"spaces":       func(v string) string { return strings.ReplaceAll(strings.TrimSpace(v), "\n", " ") },
		"CR LF, BOM":   func(v string) string { return "\ufeff" + strings.ReplaceAll(v, "\n", "\r\n") },
		"quotes":       func(v string) string { return `"` + strings.TrimSpace(v) + `"` },
		"smart dashes": func(v string) string { return strings.ReplaceAll(v, "-----", "—–—") },
		"mail":         func(v string) string { return lines(v, "> ") },
	}
}

// Every field of every form that takes a key or a certificate puts right what
// pasting did to it.
func TestEveryKeyFieldRepairsWhatPastingDoes(t *testing.T) {
	dir := t.TempDir()
	ca := server.NewCA(t)
	own := ca.Issue(t, server.Cert{Client: true})
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", "practice", "-f", filepath.Join(dir, "k"))
	server.Run(t, server.Program(t, "puttygen", "putty-tools"), filepath.Join(dir, "k"), "-O", "private", "-o", filepath.Join(dir, "ppk"))
	file := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(data), "\r\n", "\n")
	}
	keys := map[string]string{"OpenSSH": file("k"), "PPK": file("ppk"), "PKCS#8": own.Key}
	found := 0
	for _, ty := range all.All() {
		for _, f := range ty.Form.Fields {
			if f.Kind != connectors.Lines && f.Kind != connectors.SecretLines || elsewhere(f.Key) || !forKeys.MatchString(f.Label+"; "+f.Help+"; "+strings.ReplaceAll(f.Key, "_", " ")) {
				continue
			}
			found++
			texts := map[string]string{"certificates": own.Cert + ca.PEM}
			if f.Kind.Secret() {
				texts = keys
			}
			for what, text := range texts {
				for how, damage := range damages() {
					if how == "smart dashes" && what == "PPK" { // whose dashes are single
						continue
					}
					s := connectors.NewSettings()
					get := func(s connectors.Settings) string { return s.Plain[f.Key] }
					if s.Plain[f.Key] = damage(text); f.Kind.Secret() {
						s = connectors.NewSettings()
						s.Secrets[f.Key] = connectors.NewSecret(damage(text))
						get = func(s connectors.Settings) string { return s.Secrets[f.Key].Reveal() }
					}
					if got := get(ty.Form.Tidied(s)); strings.TrimSpace(got) != strings.TrimSpace(text) {
						t.Errorf("%s, %s (%s): %s is not put right in %s", ty.ID, f.Key, f.Label, how, what)
					}
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d fields of keys were found", found)
	}
}
