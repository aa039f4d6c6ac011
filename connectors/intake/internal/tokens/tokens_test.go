package tokens_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	natsjwt "github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/intake/internal/tokens"
)

const phrase = "practice-only-phrase"

func input(data []byte, pass string) part.Input {
	in := part.Input{Name: "file", Data: data, Types: all.All(), Passphrase: connectors.NewSecret(pass)}
	if strings.ToValidUTF8(string(data), "") == string(data) && !strings.ContainsRune(string(data), 0) {
		in.Text = string(data)
	}
	return in
}

func mustRead(t *testing.T, data []byte, pass string) part.Found {
	t.Helper()
	in := input(data, pass)
	found, ok := tokens.Read(in)
	if !ok {
		t.Fatalf("not recognized: %.40q", data)
	}
	settled := record.Settle(in.Types, found)
	for n, i := range found.Items {
		for m, r := range i.Readings {
			s := settled.Items[n].Readings[m]
			if len(s.Settings.Plain) != len(r.Settings.Plain) || len(s.Settings.Secrets) != len(r.Settings.Secrets) {
				t.Errorf("%s: %v became %v: %v", r.Type, r.Settings.Plain, s.Settings.Plain, s.Left)
			}
		}
	}
	if shown := fmt.Sprintf("%+v", found); strings.Contains(shown, phrase) || strings.Contains(shown, "PRIVATE KEY-----") {
		t.Error("a secret shows")
	}
	return found
}

func ids(found part.Found) string {
	var out []string
	for _, i := range found.Items {
		for _, r := range i.Readings {
			out = append(out, r.Type)
		}
	}
	return strings.Join(out, " ")
}

func reading(t *testing.T, found part.Found, id string) part.Reading {
	t.Helper()
	for _, i := range found.Items {
		for _, r := range i.Readings {
			if r.Type == id {
				return r
			}
		}
	}
	t.Fatalf("no reading as %s in %s", id, ids(found))
	return part.Reading{}
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestKeysOfOpenSSHAndPuTTY(t *testing.T) {
	dir := t.TempDir()
	keygen, puttygen := server.Program(t, "ssh-keygen", "openssh-client"), server.Program(t, "puttygen", "putty-tools")
	for _, c := range []struct{ kind, pass string }{{"ed25519", ""}, {"rsa", ""}, {"ecdsa", ""}, {"ed25519", phrase}} {
		path := filepath.Join(dir, c.kind+fmt.Sprint(len(c.pass)))
		server.Run(t, keygen, "-q", "-t", c.kind, "-N", c.pass, "-C", "alice@practice", "-f", path)
		found := mustRead(t, load(t, path), c.pass)
		if got := ids(found); got != "sftp ssh private_key" || found.Locked {
			t.Errorf("%s: %s", c.kind, got)
		}
		r := reading(t, found, "sftp")
		if r.Settings.Plain["auth"] != "key" || r.Settings.Secrets["key"].Empty() || r.Settings.Secrets["passphrase"].Reveal() != c.pass {
			t.Errorf("%s: %v", c.kind, r.Settings.Plain)
		}
		if got := ids(mustRead(t, load(t, path+".pub"), "")); got != "public_key" {
			t.Errorf("%s.pub: %s", c.kind, got)
		}
	}
	locked := mustRead(t, load(t, filepath.Join(dir, "ed25519"+fmt.Sprint(len(phrase)))), "")
	if r := reading(t, locked, "sftp"); r.Settings.Secrets["key"].Empty() || !strings.Contains(strings.Join(r.Notes, " "), "locked") {
		t.Errorf("%v", r.Notes)
	}
	ppk := filepath.Join(dir, "k.ppk")
	server.Run(t, puttygen, filepath.Join(dir, "rsa0"), "-O", "private", "-o", ppk)
	if got := ids(mustRead(t, load(t, ppk), "")); got != "sftp ssh private_key" {
		t.Errorf("PPK: %s", got)
	}
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "ca"))
	server.Run(t, keygen, "-q", "-s", filepath.Join(dir, "ca"), "-I", "practice", "-n", "alice", filepath.Join(dir, "rsa0.pub"))
	r := reading(t, mustRead(t, load(t, filepath.Join(dir, "rsa0-cert.pub")), ""), "sftp")
	if r.Settings.Plain["user"] != "alice" || r.Settings.Plain["certificate"] == "" {
		t.Errorf("%v", r.Settings.Plain)
	}
	hosts := mustRead(t, append([]byte("files.example.com "), load(t, filepath.Join(dir, "rsa0.pub"))...), "")
	if len(hosts.Items) != 0 || len(hosts.Left) != 1 {
		t.Errorf("%+v", hosts)
	}
}

func TestCertificatesOfOpenSSLAndKeytool(t *testing.T) {
	dir := t.TempDir()
	openssl, keytool := server.Program(t, "openssl", "openssl"), server.Program(t, "keytool", "default-jre-headless")
	at := func(n string) string { return filepath.Join(dir, n) }
	server.Run(t, openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("key"), "-out", at("crt"), "-subj", "/CN=www.practice.example", "-days", "30")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", at("key"), "-in", at("crt"), "-out", at("pfx"), "-passout", "pass:"+phrase)
	server.Run(t, keytool, "-importkeystore", "-noprompt", "-srckeystore", at("pfx"), "-srcstoretype", "pkcs12", "-srcstorepass", phrase, "-destkeystore", at("jks"), "-deststoretype", "jks", "-deststorepass", phrase, "-destkeypass", phrase)
	server.Run(t, openssl, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at("ec"))
	if f := mustRead(t, load(t, at("crt")), ""); ids(f) != "certificate_chain" || f.Items[0].Name != "www.practice.example" {
		t.Errorf("%s %q", ids(f), f.Items[0].Name)
	}
	if got := ids(mustRead(t, append(load(t, at("key")), load(t, at("crt"))...), "")); got != "certificate_chain http mqtt aws_iot private_key" {
		t.Error(got)
	}
	if got := ids(mustRead(t, load(t, at("key")), "")); got != "private_key sftp ssh http okta docusign" {
		t.Error(got)
	}
	if m := reading(t, mustRead(t, load(t, at("ec")), ""), "http").Settings.Plain["jwt_method"]; m != "ES256" {
		t.Error(m)
	}
	for name, want := range map[string]string{"pfx": "certificate_chain http kafka", "jks": "kafka certificate_chain"} {
		if f := mustRead(t, load(t, at(name)), ""); !f.Locked {
			t.Errorf("%s does not ask for a passphrase", name)
		}
		if f := mustRead(t, load(t, at(name)), "practice-only-other"); !f.Locked {
			t.Errorf("%s takes a wrong passphrase", name)
		}
		f := mustRead(t, load(t, at(name)), phrase)
		if got := ids(f); f.Locked || got != want {
			t.Errorf("%s: %s", name, got)
		}
		if r := reading(t, f, "certificate_chain"); r.Settings.Secrets["client_key_passphrase"].Reveal() != phrase {
			t.Errorf("%s: without its passphrase", name)
		}
	}
}

func TestKeytabOfKtutil(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keytab")
	ktutil := server.Program(t, "ktutil", "krb5-user")
	script := "addent -password -p alice@EXAMPLE.TEST -k 1 -e aes256-cts-hmac-sha1-96\n" + phrase + "\nwkt " + path + "\nquit\n"
	server.Run(t, "/bin/sh", "-c", `printf '%s' "$1" | "$2"`, "sh", script, ktutil)
	f := mustRead(t, load(t, path), "")
	if got := ids(f); got != "keytab ldap http" || f.Items[0].Name != "alice@EXAMPLE.TEST" {
		t.Errorf("%s %q", got, f.Items[0].Name)
	}
	if r := reading(t, f, "ldap"); r.Settings.Plain["user"] != "alice" || r.Settings.Plain["realm"] != "EXAMPLE.TEST" || r.Settings.Plain["auth"] != "keytab" {
		t.Errorf("%v", r.Settings.Plain)
	}
}

func jwt(payload string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + e([]byte(payload)) + "." + e([]byte("practice-only"))
}

func TestTokens(t *testing.T) {
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	seed := string(raw)
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	public, err := user.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	token, err := natsjwt.NewUserClaims(public).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := natsjwt.FormatUserConfig(token, raw)
	if err != nil {
		t.Fatal(err)
	}
	a32, A40 := strings.Repeat("0a", 16), strings.Repeat("aB3d", 10)
	for text, want := range map[string]string{
		"ghp_" + A40: "github", "github_pat_" + A40: "github", "glpat-" + A40[:20]: "gitlab", "xoxb-1-" + A40: "slack", "xoxp-1-" + A40: "slack", "sk_" + "live_" + A40: "stripe", "rk_" + "live_" + A40: "stripe",
		"SG." + A40[:22] + "." + A40: "sendgrid", "shpat_" + a32: "shopify", "pat-na1-" + a32: "hubspot", "ATATT" + A40: "jira", "AKIAIOSFODNN7EXAMPLE": "aws_key_pair", "ASIAIOSFODNN7EXAMPLE": "aws_key_pair",
		"AC" + a32: "twilio", "EAA" + A40: "http", "ya29." + A40: "http", "dop_v1_" + a32 + a32: "http", "npm_" + A40[:36]: "http", "ntn_" + A40: "notion", a32 + "-us6": "mailchimp", "Bearer ghp_" + A40: "github",
		"AGE-SECRET-KEY-1" + strings.ToUpper(A40): "secret_key", seed: "nats", "pat" + A40[:14] + "." + a32 + a32: "airtable",
		"AKIAIOSFODNN7EXAMPLE\npracticeonlypracticeonlypracticeonlypra1":                                               "aws_key_pair",
		jwt(`{"iss":"https://login.microsoftonline.com/x/v2.0","aud":"https://graph.microsoft.com","exp":1790000000}`): "jwt_token", jwt(`{"iss":"https://acme.eu.auth0.com/","aud":"https://acme.eu.auth0.com/api/v2/"}`): "auth0",
		`{"kty":"oct","k":"cHJhY3RpY2Utb25seQ"}`: "secret_key",
		string(creds):                            "nats",
	} {
		found := mustRead(t, []byte(text), "")
		if got := strings.Fields(ids(found) + " nothing")[0]; got != want {
			t.Errorf("%.12q… is read as %s, want %s: %+v", text, got, want, found)
		}
	}
	r := reading(t, mustRead(t, []byte(jwt(`{"iss":"https://login.microsoftonline.com/x/v2.0","aud":"https://graph.microsoft.com","exp":1790000000}`)), ""), "http")
	if r.Settings.Plain["base_url"] != "https://graph.microsoft.com" || !strings.Contains(strings.Join(r.Notes, " "), "2026-09-21") {
		t.Errorf("%v %v", r.Settings.Plain, r.Notes)
	}
	for _, text := range []string{"", "hello", "lorem ipsum dolor", "db.example.com", "ghp_", "AC12", "/home/alice/key", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----"} {
		if found, ok := tokens.Read(input([]byte(text), "")); ok {
			t.Errorf("%q is taken for %+v", text, found)
		}
	}
}

func TestGuess(t *testing.T) {
	if found, ok := tokens.Guess(input([]byte(strings.Repeat("aB3d", 10)), "")); !ok || ids(found) != "secret_key http" {
		t.Errorf("%+v", found)
	}
	for _, text := range []string{"hello", "internationalizationofmanythings", "11111111-2222-3333-4444-555555555555", "/usr/local/share/practice/only/a1b2", "db1.example.com.internal.net9", "123456789012345678901234567890"} {
		if found, ok := tokens.Guess(input([]byte(text), "")); ok {
			t.Errorf("%q is taken for %+v", text, found)
		}
	}
}
