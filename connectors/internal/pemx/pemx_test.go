package pemx

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"os"

	"jackfield/connectors/conntest/server"
)

// files are what ssh-keygen, openssl and puttygen write.
func files(tb testing.TB) map[string]string {
	tb.Helper()
	keygen, openssl, puttygen := server.Program(tb, "ssh-keygen", "openssh-client"), server.Program(tb, "openssl", "openssl"), server.Program(tb, "puttygen", "putty-tools")
	dir := tb.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	server.Run(tb, keygen, "-q", "-t", "ed25519", "-N", "", "-C", "practice", "-f", at("openssh"))
	server.Run(tb, openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at("pkcs8"))
	server.Run(tb, openssl, "ec", "-in", at("pkcs8"), "-aes128", "-passout", "pass:practice-only", "-out", at("old"))
	server.Run(tb, openssl, "req", "-x509", "-new", "-key", at("pkcs8"), "-subj", "/CN=practice", "-out", at("certificate"))
	server.Run(tb, puttygen, at("openssh"), "-O", "private", "-o", at("putty"))
	out := map[string]string{}
	for _, name := range []string{"openssh", "pkcs8", "old", "certificate", "putty"} {
		data, err := os.ReadFile(at(name))
		if err != nil {
			tb.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

// Every way to break a file gives the file again, and is told by its name.
func TestRightPutsRightWhatPastingBreaks(t *testing.T) {
	replace := func(old, now string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, old, now) }
	}
	quoted := func(s string) string { out, _ := json.Marshal(s); return string(out) }
	lines := func(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }
	cases := []struct {
		id    string
		broke func(string) string
		ppk   bool // PuTTY's form can be broken so too
	}{
		{"", func(s string) string { return s }, true},
		{"newlines", replace("\n", `\n`), true}, {"newlines", replace("\n", `\r\n`), false}, {"crlf", replace("\n", "\r\n"), true}, {"joined", func(s string) string { return strings.Join(lines(s), " ") }, false},
		{"quotes", quoted, true}, {"quotes", func(s string) string { return "'" + s + "'" }, true}, {"quotes", func(s string) string { return quoted(s) + "," }, true},
		{"json", func(s string) string { return `"private_key": ` + quoted(s) + `,` }, true}, {"json", func(s string) string { return `{"type": "x", "private_key": ` + quoted(s) + `, "client` }, true},
		{"bom", func(s string) string { return "\ufeff" + s }, true}, {"invisible", func(s string) string { return s[:40] + "\u200b" + s[40:] }, true},
		{"dashes", replace("-----", "—"), false}, {"dashes", replace("-----", "–––––"), false}, {"dashes", replace("-----", "−−−−−"), false}, {"dashes", replace("-----", "---"), false}, {"dashes", replace("-----", ""), false}, {"dashes", replace("-----", "------"), false},
		{"spaces", replace("\n", "\n\u00a0"), false}, {"indentation", replace("\n", "\n    "), true}, {"quoting", func(s string) string { return "> " + strings.Join(lines(s), "\n> ") }, true},
		{"html", func(s string) string { return strings.ReplaceAll(html.EscapeString(s), "\n", "&#10;") }, true}, {"html", func(s string) string { return "&quot;" + s + "&quot;" }, true}, {"html", replace("\n", "<br>\n"), true},
		{"doubled", func(s string) string { return lines(s)[0] + "\n" + s }, false}, {"doubled", func(s string) string { return s + lines(s)[len(lines(s))-1] }, false},
		{"begin", func(s string) string { return strings.Join(lines(s)[1:], "\n") }, false}, {"end", func(s string) string { return strings.Join(lines(s)[:len(lines(s))-1], "\n") }, false},
		{"prompt", func(s string) string { return "$ cat id_rsa\n" + s + "alice@practice:~$ " }, false}, {"prompt", func(s string) string { return s + "PS C:\\Users\\alice> type key.pem\n" }, false},
		{"comment", func(s string) string { return strings.TrimSpace(s) + " # the key of alice" }, false}, {"assignment", func(s string) string { return `export KEY="` + strings.ReplaceAll(s, "\n", `\n`) + `"` }, false},
		{"around", func(s string) string { return "$ cat key.ppk\n" + s }, true}, {"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, true},
		{"case", func(s string) string { return strings.ReplaceAll(s, "-----BEGIN ", "-----begin ") }, false},
	}
	for name, text := range files(t) {
		for _, c := range cases {
			if name == "putty" && !c.ppk || name != "putty" && c.id == "around" {
				continue
			}
			got, repairs := Right(c.broke(text))
			if got != text {
				t.Errorf("%s, %s: %q\nwant %q", name, c.id, got, text)
			}
			switch {
			case c.id == "" && len(repairs) > 0:
				t.Errorf("%s: nothing was wrong, and %v was told", name, repairs)
			case c.id != "" && !slices.ContainsFunc(repairs, func(r Repair) bool { return r.ID == c.id && r.Text != "" }):
				t.Errorf("%s, %s: told %v", name, c.id, repairs)
			}
			if again, more := Right(got); again != got || len(more) > 0 {
				t.Errorf("%s, %s: right again it is %q, %v", name, c.id, again, more)
			}
		}
		if name == "putty" || name == "old" {
			continue
		}
		bare := strings.Join(lines(text)[1:len(lines(text))-1], "")
		for id, broken := range map[string]string{"bare": bare, "joined": lines(text)[0] + bare + lines(text)[len(lines(text))-1]} {
			if got, repairs := Right(broken); got != text || repairs[0].ID != id {
				t.Errorf("%s, %s: %q, %v", name, id, got, repairs)
			}
		}
	}
}

// Whole JSON, known_hosts, words and other base64 stay as they are.
func TestRightChangesNothingElse(t *testing.T) {
	for _, text := range []string{"{\"private_key\":\"a\\nb\",\"x\":1}\n", "hello & goodbye\n", "a &quot; b\n", "files.example.com ssh-ed25519 AAAA\n", base64.StdEncoding.EncodeToString(make([]byte, 60)) + "\n",
		"Bag Attributes\nfriendlyName: practice\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n=BBBB\n-----END PGP PUBLIC KEY BLOCK-----\n",
		"---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"x\"\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "-----BEGIN RSA PRIVATE KEY-----\nnot base64!\n-----END RSA PRIVATE KEY-----\n"} {
		if got, repairs := Right(text); got != text || len(repairs) > 0 {
			t.Errorf("%q became %q: %v", text, got, repairs)
		}
	}
}

func FuzzRepaired(f *testing.F) {
	for _, text := range files(f) {
		f.Add(text)
		f.Add(strings.ReplaceAll(text, "\n", `\n`))
		f.Add(strings.ReplaceAll(text, "-----", "—"))
		f.Add(text[40:])
		f.Add(`"private_key": "` + text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, repairs := Right(text)
		if len(got) > 3*len(text)+200 {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		for _, r := range repairs {
			if r.ID == "" || r.Text == "" {
				t.Fatalf("%+v", r)
			}
		}
		if strings.TrimSpace(got) != strings.TrimSpace(text) && len(repairs) == 0 && strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(text), "") {
			t.Fatalf("%q became %q, and nothing was told", text, got)
		}
		_, _, _ = Decode([]byte(text))
	})
}
