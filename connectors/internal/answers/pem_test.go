package answers

import (
	"strings"
	"testing"
)

const (
	practicePEM = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nAAAA\nBBBB\n-----END RSA PRIVATE KEY-----\n"
	twoBlocks   = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n"
	practicePPK = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: C:\\new  key \nPublic-Lines: 2\nAAAA\nBBBB\nPrivate-Lines: 1\nCCCC\nPrivate-MAC: 00ff\n"
)

func TestTidyPEM(t *testing.T) {
	spaces := func(v string) string { return strings.ReplaceAll(strings.TrimSpace(v), "\n", " ") }
	nameless := strings.Replace(practicePPK, "Comment: C:\\new  key \n", "Comment: \n", 1)
	plain := strings.Replace(practicePPK, "C:\\new  key ", "practice key", 1)
	for _, c := range []struct{ name, in, want string }{
		{"as it is", practicePEM, practicePEM},
		{"literal \\n", strings.ReplaceAll(practicePEM, "\n", `\n`), practicePEM},
		{"escaped twice", strings.ReplaceAll(practicePEM, "\n", `\\n`), practicePEM},
		{"CR LF, a mark, quotes", "\ufeff\"" + strings.ReplaceAll(practicePEM, "\n", "\r\n") + "\"", practicePEM},
		{"indented", "  " + strings.ReplaceAll(practicePEM, "\n", "\n\t \u00a0"), practicePEM},
		{"spaces for line ends", strings.ReplaceAll(spaces(practicePEM), "  ", " "), practicePEM},
		{"two blocks", twoBlocks, twoBlocks},
		{"two blocks on a line", spaces(twoBlocks), twoBlocks},
		{"PuTTY", practicePPK, practicePPK},
		{"PuTTY, CR LF", strings.ReplaceAll(practicePPK, "\n", "\r\n"), practicePPK},
		{"PuTTY, CR", strings.ReplaceAll(practicePPK, "\n", "\r"), practicePPK},
		{"PuTTY, empty comment", nameless, nameless},
		{"PuTTY, its blank lost", strings.Replace(nameless, "Comment: \n", "Comment:\n", 1), nameless},
		{"PuTTY, literal \\n", strings.ReplaceAll(plain, "\n", `\n`), plain},
		{"PuTTY on a line", spaces(plain), plain},
		{"PuTTY on a line, empty comment", spaces(nameless), nameless},
		{"PuTTY, indented, empty lines", strings.ReplaceAll(practicePPK, "\n", "\n\n  "), practicePPK},
		{"a word", " hello ", "hello\n"},
		{"nothing", " \n ", ""},
		{"one quote", `"`, "\"\n"},
	} {
		if got := TidyPEM(c.in); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
		if got := TidyPEM(TidyPEM(c.in)); got != c.want {
			t.Errorf("%s: tidied twice it is %q", c.name, got)
		}
	}
}

func FuzzTidyPEM(f *testing.F) {
	f.Add(practicePEM)
	f.Add(practicePPK)
	f.Add("-----BEGIN A----- x: -----END A-----")
	f.Fuzz(func(t *testing.T, v string) {
		if got := TidyPEM(v); len(got) > 2*len(v)+64 {
			t.Errorf("%d bytes became %d", len(v), len(got))
		}
	})
}
