package keys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A bench is where a test has its files and programs. Passphrases are in files:
// none is ever an argument.
type bench struct {
	dir, pass, empty, askpass, keygen, puttygen, openssl string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir()}
	b.pass = server.WriteFile(t, b.dir, "pass", phrase, 0o600)
	b.empty = server.WriteFile(t, b.dir, "empty", "", 0o600)
	b.askpass = server.WriteFile(t, b.dir, "askpass", "#!/bin/sh\ncat '"+b.pass+"'\n", 0o700)
	b.keygen = server.Program(t, "ssh-keygen", "openssh-client")
	b.puttygen = server.Program(t, "puttygen", "putty-tools")
	b.openssl = server.Program(t, "openssl", "openssl")
	return b
}

func (b *bench) file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ssh runs ssh-keygen, which asks the askpass program for the passphrase.
func (b *bench) ssh(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(b.keygen, args...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+b.askpass, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:none")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func practiceKey(t *testing.T, algorithm string) Item {
	t.Helper()
	if algorithm == "rsa2048" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		i := Item{Kind: PrivateKey, Name: "alice@practice"}
		i.have(key)
		return i
	}
	i, err := Generate(algorithm, "alice@practice")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func mustWrite(t *testing.T, items []Item, w Wanted) Written {
	t.Helper()
	out, err := Write(items, w)
	if err != nil {
		t.Fatalf("%s: %v (%s)", w.Format, err, reason(err))
	}
	return out
}

func as(format Format, pass connectors.Secret) Wanted {
	w := Want(format)
	w.Passphrase = pass
	return w
}

func spki(t *testing.T, i Item) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(i.Public)
	if err != nil {
		t.Fatal(err)
	}
	return string(der)
}

// Every kind of key in every form, locked and not, is what the original programs
// and this package's own reader take for the same key.
func TestWrittenKeysAreReadByTheTools(t *testing.T) {
	b := newBench(t)
	for _, algorithm := range []string{"rsa2048", "rsa3072", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519"} {
		key := practiceKey(t, algorithm)
		for _, f := range FormatsFor([]Item{key}) {
			for _, pass := range []connectors.Secret{{}, locked} {
				if !f.Secret || !f.Locks && !pass.Empty() {
					continue
				}
				if f.ID == PKCS8DER && !pass.Empty() && key.Algorithm != "Ed25519" { // what PEM has inside, and slow
					continue
				}
				name := algorithm + " " + string(f.ID)
				if !pass.Empty() {
					name += " locked"
				}
				t.Run(name, func(t *testing.T) {
					w := mustWrite(t, []Item{key}, as(f.ID, pass))
					path := b.file(t, strings.ReplaceAll(name, " ", "-"), w.Data)
					if !w.Secret || w.Name == "" || !strings.HasSuffix(w.Name, f.File) {
						t.Errorf("%+v", w)
					}
					again := mustRead(t, w.Data, pass)[0]
					if again.Err != nil || again.Private == nil || !Same(again.Public, key.Public) || (again.Locked != "") == pass.Empty() {
						t.Errorf("read as %+v: %v", again, again.Err)
					}
					b.original(t, key, f.ID, path, !pass.Empty())
				})
			}
		}
	}
}

// original lets the program that a format is for read a file.
func (b *bench) original(t *testing.T, key Item, f Format, path string, isLocked bool) {
	t.Helper()
	switch f {
	case OpenSSH:
		b.readBySSH(t, key, path)
		if got := b.ssh(t, "-l", "-f", path); !strings.Contains(got, KeyFingerprints(key.Public).SSH) {
			t.Error(got)
		}
	case PPK2, PPK3:
		pass := b.empty
		if isLocked {
			pass = b.pass
		}
		if got := strings.TrimSpace(server.Run(t, b.puttygen, path, "-L", "--old-passphrase", pass)); got != SSHLine(key.Public, "alice@practice") {
			t.Error(got)
		}
		server.Run(t, b.puttygen, path, "-O", "private-openssh", "-o", path+".ssh", "--old-passphrase", pass, "--new-passphrase", b.empty)
		if i := mustRead(t, load(t, path+".ssh"), connectors.Secret{})[0]; i.Private == nil || !Same(i.Public, key.Public) {
			t.Errorf("puttygen made another key of it: %+v", i)
		}
	case PKCS8, PKCS1, SEC1:
		b.readByOpenSSL(t, key, path, "PEM")
		if key.Algorithm != "Ed25519" && !isLocked { // ssh-keygen reads Ed25519 in its own form alone
			b.readBySSH(t, key, path)
		}
	case PKCS8DER:
		b.readByOpenSSL(t, key, path, "DER")
	}
	switch f {
	case PKCS1:
		server.Run(t, b.openssl, "rsa", "-in", path, "-check", "-noout")
	case SEC1:
		server.Run(t, b.openssl, "ec", "-in", path, "-check", "-noout")
	}
}

func (b *bench) readBySSH(t *testing.T, key Item, path string) {
	t.Helper()
	if got := b.ssh(t, "-y", "-f", path); !strings.HasPrefix(got, SSHLine(key.Public, "")) {
		t.Errorf("ssh-keygen reads %s", got)
	}
}

func (b *bench) readByOpenSSL(t *testing.T, key Item, path, form string) {
	t.Helper()
	if got := output(t, nil, b.openssl, "pkey", "-in", path, "-inform", form, "-passin", "file:"+b.pass, "-pubout", "-outform", "DER"); got != spki(t, key) {
		t.Error("openssl reads another key")
	}
}

// The public forms, also from the public half alone.
func TestWrittenPublicHalves(t *testing.T) {
	b := newBench(t)
	for _, algorithm := range []string{"rsa2048", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519"} {
		key := practiceKey(t, algorithm)
		half := Item{Kind: PublicKey, Name: key.Name}
		half.own(key.Public)
		for _, from := range []Item{key, half} {
			for _, f := range FormatsFor([]Item{from}) {
				if f.Secret {
					continue
				}
				w := mustWrite(t, []Item{from}, Want(f.ID))
				if w.Secret || slices.Contains(w.Notes, "The private key is not in it.") != (from.Private != nil) {
					t.Errorf("%s: %+v, %q", f.ID, w, w.Notes)
				}
				if i := mustRead(t, w.Data, connectors.Secret{}); len(i) != 1 || i[0].Kind != PublicKey || !Same(i[0].Public, key.Public) {
					t.Errorf("%s reads as %+v", f.ID, i)
				}
				path := b.file(t, "public", w.Data)
				switch f.ID {
				case SSHPublic:
					if got := b.ssh(t, "-l", "-f", path); !strings.Contains(got, KeyFingerprints(key.Public).SSH+" alice@practice") {
						t.Error(got)
					}
				case SSH2Public:
					if got := b.ssh(t, "-i", "-f", path); got != SSHLine(key.Public, "") {
						t.Error(got)
					}
				case PublicKeyPEM:
					if got := output(t, nil, b.openssl, "pkey", "-pubin", "-in", path, "-pubout", "-outform", "DER"); got != spki(t, key) {
						t.Error("openssl reads another key")
					}
				}
			}
		}
	}
}

// Numbers that begin or end with zeros have lengths of their own in some forms.
func TestKeysWithZerosInThem(t *testing.T) {
	b := newBench(t)
	var keys []Item
	for n := range 3 {
		seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
		clear(seed[:n])
		clear(seed[len(seed)-n:])
		i := Item{Kind: PrivateKey, Name: "alice@practice"}
		i.have(ed25519.NewKeyFromSeed(seed))
		ec, err := ecdsa.ParseRawPrivateKey(elliptic.P521(), append(make([]byte, 3+n), bytes.Repeat([]byte{0xf7}, 63-n)...))
		if err != nil {
			t.Fatal(err)
		}
		j := Item{Kind: PrivateKey, Name: "alice@practice"}
		j.have(ec)
		keys = append(keys, i, j)
	}
	for _, key := range keys {
		for _, f := range []Format{OpenSSH, PKCS8, PPK2, PPK3, JWK} {
			data := mustWrite(t, []Item{key}, Want(f)).Data
			if again := mustRead(t, data, connectors.Secret{})[0]; again.Private == nil || !Same(again.Public, key.Public) {
				t.Errorf("%s reads as %+v: %v", f, again, again.Err)
			}
			b.original(t, key, f, b.file(t, "zeros", data), false)
		}
	}
}

// Kinds of keys that few forms have a place for.
func TestRareKindsAreWrittenWhereTheyFit(t *testing.T) {
	b := newBench(t)
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []any{exchange, small} {
		i := Item{Kind: PrivateKey}
		i.have(raw)
		if offered := ids([]Item{i}); !slices.Contains(offered, PKCS8) || slices.Contains(offered, OpenSSH) || slices.Contains(offered, JWK) || slices.Contains(offered, SSHPublic) {
			t.Errorf("%s: %v", i.Algorithm, offered)
		}
		b.readByOpenSSL(t, i, b.file(t, "rare", mustWrite(t, []Item{i}, Want(PKCS8)).Data), "PEM")
	}
	// The public half of a security key, which SSH alone has a form for.
	blob := ssh.Marshal(struct {
		Name        string
		Key         []byte
		Application string
	}{"sk-ssh-ed25519@openssh.com", make([]byte, 32), "ssh:"})
	line := "sk-ssh-ed25519@openssh.com " + base64.StdEncoding.EncodeToString(blob) + " alice@practice"
	items := mustRead(t, []byte(line), connectors.Secret{})
	if got := ids(items); !slices.Equal(got, []Format{SSHPublic, SSH2Public}) {
		t.Errorf("%v", got)
	}
	if got := string(mustWrite(t, items, Want(SSHPublic)).Data); got != line+"\n" {
		t.Errorf("%q", got)
	}
	three, err := rsa.GenerateMultiPrimeKey(rand.Reader, 3, 2048) //nolint:staticcheck // such keys exist
	if err != nil {
		t.Fatal(err)
	}
	i := Item{Kind: PrivateKey}
	i.have(three)
	if _, err := Write([]Item{i}, Want(OpenSSH)); reason(err) != "keys.write_kind" {
		t.Error(reason(err))
	}
}

// What stands in a comment cannot become a line of its own.
func TestCommentsStayInTheirLine(t *testing.T) {
	b := newBench(t)
	key := practiceKey(t, "ed25519")
	for _, comment := range []string{"a b", "zwei\nPrivate-Lines: 1", "ünïcode ☃", `with "quotes" and \ in it`, strings.Repeat("long ", 100), " ends in a space ", "\x1b[31mred\u202e", "\xff\xfe"} {
		for _, f := range []Format{OpenSSH, PPK2, PPK3, SSHPublic, SSH2Public} {
			w := Want(f)
			w.Comment = comment
			data := mustWrite(t, []Item{key}, w).Data
			i := mustRead(t, data, connectors.Secret{})
			if len(i) != 1 || !Same(i[0].Public, key.Public) || strings.ContainsAny(i[0].Name, "\n\x1b\u202e") || len([]rune(i[0].Name)) > maxComment+1 {
				t.Errorf("%s %q: %+v", f, comment, i)
			}
			path := b.file(t, "commented", data)
			switch f {
			case PPK2, PPK3:
				server.Run(t, b.puttygen, path, "-L", "--old-passphrase", b.empty)
			case SSH2Public:
				b.ssh(t, "-i", "-f", path)
			default:
				b.ssh(t, "-l", "-f", path)
			}
		}
	}
}

func TestFormatsAreDescribed(t *testing.T) {
	seen := map[Format]bool{}
	for _, f := range Formats() {
		if seen[f.ID] || f.Name == "" || !strings.HasSuffix(f.For, ".") || f.Locks && !f.Secret {
			t.Errorf("%+v", f)
		}
		seen[f.ID] = true
	}
	if len(seen) < 18 || len(FormatsFor(nil)) > 0 {
		t.Errorf("%d formats; for nothing: %v", len(seen), FormatsFor(nil))
	}
	for _, a := range Algorithms() {
		if a.Name == "" || !strings.HasSuffix(a.For, ".") {
			t.Errorf("%+v", a)
		}
	}
}
