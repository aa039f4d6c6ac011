package sshx

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

func publicLine(t *testing.T, seed byte) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

func TestSecurity45_WhichLinesCount(t *testing.T) {
	key := publicLine(t, 'a')
	for _, c := range []struct {
		text string
		want int
	}{
		{"h " + key, 1}, {"h " + key + "\r\n# note\r\n\r\n\tx,y " + key + " comment", 2}, {"h " + key + "\rg " + key, 2},
		{key, 0}, {"what is this", 0}, {"h ssh-ed25519 AAAA", 0}, {"@unknown h " + key, 0}, {"@revoked h " + key + "\n@cert-authority *.x " + key, 2},
		{"\x00\x01\nh " + key, 1}, {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", 0}, {"", 0},
	} {
		if got := Lines(c.text); got != c.want {
			t.Errorf("%q: %d lines, want %d", c.text, got, c.want)
		}
	}
}

func TestSecurity44_CertificatesAreAskedForWhereTheirAuthorityIsKnown(t *testing.T) {
	key := publicLine(t, 'a')
	for _, c := range []struct {
		lines, addr string
		want        bool
	}{
		{"@cert-authority *.acme.example " + key, "files.acme.example:22", true},
		{"@cert-authority *.acme.example " + key, "files.acme.example:2222", true},
		{"@cert-authority *.acme.example " + key, "files.other.example:22", false},
		{"@cert-authority *.acme.example,!files.acme.example " + key, "files.acme.example:22", false},
		{"@cert-authority [files]:2222 " + key, "files:2222", true},
		{"@cert-authority [files]:2222 " + key, "files:22", false},
		{"@cert-authority [10.0.0.?]:* " + key, "10.0.0.5:77", true},
		{"files " + key, "files:22", false},
	} {
		h, err := newHostKeys(nil, Options{Addr: c.addr, Lines: c.lines})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(h.algorithms(), ssh.CertAlgoED25519v01); got != c.want {
			t.Errorf("%s at %s: %v", c.lines[:30], c.addr, got)
		}
	}
}

func TestSecurity44_TheAlgorithmsOfKnownKeysAlone(t *testing.T) {
	h, err := newHostKeys(nil, Options{Addr: "h:22", KnownHosts: connectors.NewSecret("h " + publicLine(t, 'a') + "\n"), Legacy: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.algorithms(); !slices.Equal(got, []string{ssh.KeyAlgoED25519}) {
		t.Error(got)
	}
}

func FuzzLines(f *testing.F) {
	f.Add("@cert-authority *,!x ssh-ed25519 AAAA")
	f.Add("[h]:* ssh-rsa AAAA\r\n|1|a|b ssh-rsa AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := newHostKeys(nil, Options{Addr: "h:2222", Lines: text})
		if err != nil {
			return // a line that the library does not take
		}
		h.algorithms()
	})
}
