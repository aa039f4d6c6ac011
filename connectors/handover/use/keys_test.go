package use

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// Keys that OpenSSH does not read are written as it does; ssh-keygen opens them
// with the same passphrase.
func TestSSHKeysAreConvertedForOpenSSH(t *testing.T) {
	const phrase = "practice-only-phrase"
	dir := t.TempDir()
	keygen, puttygen, openssl := server.Program(t, "ssh-keygen", "openssh-client"), server.Program(t, "puttygen", "putty-tools"), server.Program(t, "openssl", "openssl")
	file := func(name string) string { return filepath.Join(dir, name) }
	pass := server.WriteFile(t, dir, "pass", phrase, 0o600)
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", file("ed"))
	server.Run(t, keygen, "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", file("rsa"))
	server.Run(t, puttygen, file("ed"), "-O", "private", "-o", file("plain"))
	server.Run(t, puttygen, file("ed"), "-O", "private", "--ppk-param", "version=2", "--new-passphrase", pass, "-o", file("ppk2"))
	server.Run(t, puttygen, file("rsa"), "-O", "private", "--ppk-param", "kdf=Argon2d", "--new-passphrase", pass, "-o", file("ppk3"))
	server.Run(t, openssl, "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", file("rsa"), "-out", file("pbes1"), "-passout", "file:"+pass)
	read := func(name string) string {
		data, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, c := range map[string]struct {
		of, pass  string
		converted bool
	}{
		"plain": {"ed", "", true}, "ppk2": {"ed", phrase, true}, "ppk3": {"rsa", phrase, true}, "pbes1": {"rsa", phrase, true}, "rsa": {"rsa", "", false}, "ed": {"ed", "", false},
	} {
		g := as(t, "sftp", "host", "db.example.test", "user", "ann", "auth", "key", "key", read(name), "passphrase", c.pass)
		text, _ := held(t, "ssh-config", g, Options{Profile: "shop"})
		if said := strings.Contains(strings.Join(text.Warnings, " "), "was converted"); said != c.converted {
			t.Errorf("%s: %q", name, text.Warnings)
		}
		saved(t, dir, "config", text)
		out, err := tool(t, dir, nil, "", "ssh-keygen", "-y", "-P", c.pass, "-f", file("shop-key"))
		if want := strings.Join(strings.Fields(read(c.of + ".pub"))[:2], " "); err != nil || !strings.HasPrefix(out, want) {
			t.Errorf("%s: %v %s", name, err, out)
		}
		if c.pass == "" {
			continue
		}
		if out, err := tool(t, dir, nil, "", "ssh-keygen", "-y", "-P", "another", "-f", file("shop-key")); err == nil {
			t.Errorf("%s is not locked: %s", name, out)
		}
		g.Settings.Secrets["passphrase"] = connectors.NewSecret("another")
		if text, _ := held(t, "ssh-config", g, Options{Profile: "shop"}); !strings.Contains(strings.Join(text.Left, " "), "could not be converted") {
			t.Errorf("%s with a wrong passphrase: %q", name, text.Left)
		}
	}
}

// A PFX is written as PEM files, with which curl gets into nginx.
func TestAPFXIsWrittenAsPEM(t *testing.T) {
	const phrase = "practice-only-phrase"
	ca, dir := server.NewCA(t), t.TempDir()
	base := "https://" + server.Nginx(t, ca)
	cert, key := ca.Issue(t, server.Cert{Name: "mira", Client: true}).Write(t, dir, "")
	pfx := filepath.Join(dir, "pfx")
	server.Run(t, server.Program(t, "openssl", "openssl"), "pkcs12", "-export", "-legacy", "-in", cert, "-inkey", key, "-out", pfx, "-passout", "file:"+server.WriteFile(t, dir, "pass", phrase, 0o600))
	data, err := os.ReadFile(pfx)
	if err != nil {
		t.Fatal(err)
	}
	bundle := connectors.FileText(data)
	for name, answers := range map[string][]string{
		"PFX field": {"certificate", "pfx", "client_pfx", bundle}, "key field": {"certificate", "pem", "client_key", bundle},
	} {
		g := as(t, "http", append([]string{"base_url", base, "auth", "none", "ca", ca.PEM, "test_path", "/", "client_key_passphrase", phrase}, answers...)...)
		text, _ := held(t, "curl", g, Options{Profile: "site", Folder: dir})
		out, err := tool(t, dir, nil, "", "sh", saved(t, dir, "curl.sh", text))
		if err != nil || !strings.Contains(out, "CN=mira") || !strings.Contains(strings.Join(text.Warnings, " "), "written as PEM") {
			t.Errorf("%s: %v %s, %q, %q", name, err, out, text.Warnings, text.Left)
		}
		g.Settings.Secrets["client_key_passphrase"] = connectors.NewSecret("another")
		if text, _ := held(t, "curl", g, Options{Profile: "site", Folder: dir}); !strings.Contains(strings.Join(text.Left, " "), "could not be opened") {
			t.Errorf("%s with a wrong passphrase: %q", name, text.Left)
		}
	}
}
