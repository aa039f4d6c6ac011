package keys

import (
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// wide is text as Notepad saves it as "Unicode".
func wide(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// What pasting does to a key is put right, and told.
func TestRepairs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", path)
	text := string(load(t, path))
	want := mustRead(t, []byte(text), connectors.Secret{})[0].Public
	replace := func(old, now string) []byte { return []byte(strings.ReplaceAll(text, old, now)) }
	for _, c := range []struct {
		name   string
		data   []byte
		repair string
	}{
		{"as it is", []byte(text), ""}, {"Windows", replace("\n", "\r\n"), ""}, {"indented", replace("\n", "\n    "), ""},
		{`literal \n`, replace("\n", `\n`), "newlines"}, {"quoted", []byte(`"` + strings.TrimSpace(text) + `"`), "quotes"}, {"a mark", []byte("\ufeff" + text), "bom"},
		{"in one line", replace("\n", " "), "joined"}, {"without any breaks", replace("\n", ""), "joined"}, {"UTF-16", wide(text), "utf16"},
		{"UTF-16 from a file", []byte(base64.StdEncoding.EncodeToString(wide(text))), "utf16"}, {"base64 again", []byte(base64.StdEncoding.EncodeToString([]byte(text))), "base64"},
		{"long dashes", replace("-----", "—–—"), "dashes"}, {"quoted in mail", []byte("> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ")), "quoting"},
		{"hard spaces", replace("\n", "\n\u00a0"), "spaces"}, {"no last line", []byte(text[:strings.Index(text, "-----END")]), "end"},
		{"text around", []byte("Hello,\nhere it is:\n" + text + "\nRegards"), ""},
	} {
		items, repairs, err := Read(c.data, connectors.Secret{})
		if err != nil || len(items) != 1 || !Same(items[0].Public, want) || items[0].Private == nil {
			t.Errorf("%s: %+v, %v", c.name, items, err)
		}
		told := slices.ContainsFunc(repairs, func(r Repair) bool { return r.ID == c.repair && r.Text != "" })
		if told != (c.repair != "") {
			t.Errorf("%s: told %v", c.name, repairs)
		}
		if Identify(c.data) != PrivateKey {
			t.Errorf("%s: identified as %s", c.name, Identify(c.data))
		}
	}
}

func TestIdentify(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", path)
	line := strings.TrimSpace(string(load(t, path+".pub")))
	for text, want := range map[string]Kind{
		"": Empty, " \n": Empty, line: PublicKey, "# mine\n" + line: PublicKey, `from="10.0.0.1",no-pty ` + line: PublicKey, "restrict " + line: PublicKey,
		"files.example.com " + line: KnownHosts, "[files.example.com]:2222,10.0.0.5 " + line: KnownHosts, "|1|abc=|def= " + line: KnownHosts, "@cert-authority *.example.com " + line: KnownHosts,
		strings.Fields(line)[1]: PublicKey,
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----":   PGP,
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----": PGP,
		"# created: 2026-01-01\nAGE-SECRET-KEY-1PRACTICEONLY":                                Age,
		"age-encryption.org/v1\n-> scrypt c2FsdA 22\nAAAA\n--- AAAA":                         Age,
		"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----":         Age,
		"<!DOCTYPE html><html><body>Sign in</body></html>":                                   WebPage,
		"/home/alice/.ssh/id_ed25519":                                                        Path, `C:\Users\alice\key.ppk`: Path, "~/.ssh/id_rsa": Path, "key.pem": Path, "file:///tmp/key": Path,
		"https://example.com/key.pem": Address, `{"installed":{"client_id":"x"}}`: OAuthClient, `{"type":"authorized_user"}`: AuthorizedUser,
		`{"type":"service_account","private_key":"x"}`: ServiceAccount, `{"kty":"oct","k":"AAAA"}`: SharedKey, `{"kty":"EC","d":"x"}`: PrivateKey, `{"keys":[{"kty":"RSA"}]}`: PublicKey, `{"a":1}`: JSON,
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.": Token, "[default]\naws_access_key_id = X": AWS, "hello": Text, "PK\x03\x04abc\x00": Archive, "\x05\x02\x00\x00": Keytab,
		"\xfe\xed\xfe\xed\x00\x00\x00\x02": JavaStore, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----": Parameters, "PuTTY-User-Key-File-3: ssh-rsa\n": PrivateKey,
		"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----": Revocations, "\x7fELF\x00\x00": Binary,
	} {
		if got := Identify([]byte(text)); got != want {
			t.Errorf("%.60q is %s, want %s", text, got, want)
		}
		items, _, err := Read([]byte(text), connectors.Secret{})
		if err == nil && len(items) == 0 {
			t.Errorf("%.60q: neither an item nor an error", text)
		}
		if err != nil && (reason(err) == "" || connectors.Explain(err).Hint == "") {
			t.Errorf("%.60q: %v has no words", text, err)
		}
	}
	for _, k := range Kinds() {
		if k.Name() == "" || k != Text && k.Name() == Text.Name() {
			t.Errorf("%s has no name of its own", k)
		}
	}
}

func TestAPrivateKeyNeverShows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", path)
	items := mustRead(t, load(t, path), connectors.Secret{})
	showsNothing(t, items)
	if _, ok := items[0].Private.Signer(); !ok {
		t.Error("it cannot sign")
	}
}
