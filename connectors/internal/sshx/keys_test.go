package sshx

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every form in which people have keys, made by the programs that make them.
func TestKeysOfEveryForm(t *testing.T) {
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	openssl := server.Program(t, "openssl", "openssl")
	puttygen := server.Program(t, "puttygen", "putty-tools")
	dir := t.TempDir()
	pass := server.WriteFile(t, dir, "pass", "practice phrase", 0o600)
	file := func(name string) string { return filepath.Join(dir, name) }
	make := func(name, kind, phrase string, more ...string) {
		server.Run(t, keygen, append([]string{"-q", "-t", kind, "-N", phrase, "-C", "practice", "-f", file(name)}, more...)...)
	}
	make("ed", "ed25519", "")
	make("ed-locked", "ed25519", "practice phrase")
	make("rsa-pem", "rsa", "", "-m", "PEM")
	make("rsa-pem-locked", "rsa", "practice phrase", "-m", "PEM")
	make("ecdsa", "ecdsa", "", "-b", "384")
	make("pkcs8", "rsa", "", "-m", "PKCS8")
	server.Run(t, openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", file("rsa-pem"), "-out", file("pkcs8-locked"), "-passout", "file:"+pass)
	for _, v := range []string{"2", "3"} {
		server.Run(t, puttygen, file("ed"), "-O", "private", "--ppk-param", "version="+v, "-o", file("ppk"+v))
		server.Run(t, puttygen, file("rsa-pem"), "-O", "private", "--ppk-param", "version="+v, "--new-passphrase", pass, "-o", file("ppk"+v+"-locked"))
	}
	for _, name := range []string{"ed", "rsa-pem", "ecdsa", "pkcs8", "ppk2", "ppk3", "ed-locked", "rsa-pem-locked", "pkcs8-locked", "ppk2-locked", "ppk3-locked"} {
		key := connectors.NewSecret(read(t, file(name)))
		right := connectors.NewSecret("practice phrase")
		if _, err := Signer(key, right); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := Signer(key, connectors.Secret{})
		_, wrong := Signer(key, connectors.NewSecret("another"))
		if strings.HasSuffix(name, "locked") {
			if e := connectors.Classify(err); e == nil || e.Reason != "ssh.passphrase_needed" {
				t.Errorf("%s without its passphrase: %v", name, err)
			}
			if e := connectors.Classify(wrong); e == nil || e.Reason != "ssh.passphrase_wrong" || e.Field != "passphrase" {
				t.Errorf("%s with a wrong passphrase: %v", name, wrong)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"ed.pub": "ssh.public_key", "pass": "ssh.not_a_key"} {
		_, err := Signer(connectors.NewSecret(read(t, file(name))), connectors.Secret{})
		if e := connectors.Classify(err); e == nil || e.Reason != want || e.Field != "key" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// costlyOpenSSH is a key in OpenSSH's format whose bcrypt rounds are 2³²−1.
func costlyOpenSSH(t *testing.T, dir string) string {
	t.Helper()
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "practice phrase", "-a", "16", "-f", filepath.Join(dir, "k"))
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "k"))))
	rounds := []byte{0, 0, 0, 16, 0, 0, 0, 1} // rounds, then the number of keys
	i := strings.Index(string(block.Bytes), string(rounds))
	if i < 0 {
		t.Fatal("the rounds are not where they are expected")
	}
	binary.BigEndian.PutUint32(block.Bytes[i:], 1<<32-1)
	return string(pem.EncodeToMemory(block))
}

// costlyPKCS8 is an encrypted key whose iterations were set to 2³¹−1.
func costlyPKCS8(t *testing.T, dir string) string {
	t.Helper()
	openssl := server.Program(t, "openssl", "openssl")
	server.Run(t, openssl, "genpkey", "-algorithm", "ed25519", "-out", filepath.Join(dir, "plain"))
	server.Run(t, openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "1000000", "-in", filepath.Join(dir, "plain"), "-out", filepath.Join(dir, "p8"), "-passout", "pass:practice")
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "p8"))))
	i := strings.Index(string(block.Bytes), "\x02\x03\x0f\x42\x40") // INTEGER 1000000
	if i < 0 {
		t.Fatal("the iterations are not where they are expected")
	}
	copy(block.Bytes[i:], "\x02\x03\x7f\xff\xff") // the largest that fits in as many bytes: 8388607
	small := string(pem.EncodeToMemory(block))
	if _, err := Signer(connectors.NewSecret(small), connectors.NewSecret("x")); err == nil {
		t.Error("a wrong passphrase opened a key")
	}
	// One byte longer in place of the optional PRF would break the structure, so
	// the number is made negative, which a careless parser takes for a large one.
	copy(block.Bytes[i:], "\x02\x03\xff\xff\xff")
	return string(pem.EncodeToMemory(block))
}

func TestSecurity50_KeyParsersAreBounded(t *testing.T) {
	dir := t.TempDir()
	ppk := "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\nPublic-Lines: 2\nAAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\nKey-Derivation: Argon2id\nArgon2-Memory: 4000000000\nArgon2-Passes: 13\nArgon2-Parallelism: 1\nArgon2-Salt: 00000000000000000000000000000000\nPrivate-Lines: 1\n" + base64.StdEncoding.EncodeToString(make([]byte, 48)) + "\nPrivate-MAC: " + strings.Repeat("0", 64) + "\n"
	for name, key := range map[string]string{
		"bcrypt rounds": costlyOpenSSH(t, dir), "Argon2 memory": ppk, "iterations": costlyPKCS8(t, dir),
		"a megabyte": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + strings.Repeat("AAAA", 1<<18), "PEM in PEM": strings.Repeat("-----BEGIN RSA PRIVATE KEY-----\n", 1000),
	} {
		start := time.Now()
		if _, err := Signer(connectors.NewSecret(key), connectors.NewSecret("practice")); err == nil {
			t.Errorf("%s: it opened", name)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
}

func FuzzSigner(f *testing.F) {
	f.Add("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n")
	f.Add("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: x\n")
	f.Fuzz(func(_ *testing.T, key string) {
		_, _ = Signer(connectors.NewSecret(key), connectors.NewSecret("x"))
	})
}
