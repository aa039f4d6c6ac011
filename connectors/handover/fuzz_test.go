package handover_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func FuzzUnsealedJSON(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"jackfield":"bundle","version":1,"connections":[{"id":"1","type":"ldap","plain":{"host":"0x7f.1","ca":"-----BEGIN CERTIFICATE-----"},"secrets":{"keytab":"/etc/shadow"},"issued":{"known_hosts":"x"}},{"id":"2","type":"postgres","plain":{"identity":"1","host":"http://[::ffff:169.254.169.254]:1/@"}}]}`))
	f.Add([]byte(`{"jackfield":"bundle","version":1,"connections":[{"id":"a","type":"x","name":"\u202e","tested":{"state":"ok","at":"2027-01-01T00:00:00Z"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := handover.Unseal(bytes.NewReader(cheap(t, data, 1, false)), words())
		if err != nil {
			if !strings.HasPrefix(reason(err), "handover.") {
				t.Fatalf("%v", err)
			}
			return
		}
		b := book(newShelf())
		p, err := handover.Propose(context.Background(), b, got)
		if err != nil {
			t.Fatal(err)
		}
		var chosen []int
		for i, item := range p.Items {
			if connectors.Clean(item.NewName, 0) != item.NewName || item.NewName == "" {
				t.Fatalf("the name %q", item.NewName)
			}
			if item.Known {
				chosen = append(chosen, i)
			}
		}
		p.Left(chosen)
		if len(chosen) == 0 {
			return
		}
		made, err := handover.Import(context.Background(), b, p, chosen)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range made {
			if c.State != link.Prepared {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// FuzzSealed is for the header of a sealed file, its armor, and the public keys
// that a file is sealed for; passphrases have their own bound.
func FuzzSealed(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "key")
	keygen, age := server.Program(f, "age-keygen", "age"), server.Program(f, "age", "age")
	server.Run(f, keygen, "-o", path)
	key, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	public := strings.TrimSpace(server.Run(f, keygen, "-y", path))
	for _, how := range [][]string{{"-r", public}, {"-r", public, "--armor"}} {
		cmd := exec.Command(age, how...)
		cmd.Stdin = strings.NewReader(small)
		sealed, err := cmd.Output()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed, public)
	}
	ssh := filepath.Join(dir, "ssh")
	server.Run(f, server.Program(f, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", ssh)
	line, err := os.ReadFile(ssh + ".pub")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAA 22\n--- AAAA\n"), string(line))
	with := handover.Opener{Identities: []connectors.Secret{connectors.NewSecret(string(key))}}
	bundle := handover.Bundle{Connections: []handover.Carried{{ID: "1", Type: "sftp", Name: "A"}}}
	f.Fuzz(func(t *testing.T, data []byte, recipient string) {
		if handover.Sealed(data) == "" {
			t.Fatal("it is of no sort")
		}
		if _, err := handover.Unseal(bytes.NewReader(data), with); err != nil && !strings.HasPrefix(reason(err), "handover.") {
			t.Fatal(err)
		}
		if strings.Count(recipient, "\n") > 3 {
			return
		}
		err := handover.Seal(io.Discard, bundle, handover.Recipients{Keys: []string{recipient}}, true)
		if err != nil && !strings.HasPrefix(reason(err), "handover.") {
			t.Fatalf("%q: %v", recipient, err)
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	d := handover.NewDesk(newShelf(), nil)
	r, err := d.New(context.Background(), asked())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.File())
	f.Add([]byte(small))
	list := book(newShelf()).Types()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := handover.ReadRequest(data)
		if err != nil {
			if !strings.HasPrefix(reason(err), "handover.") {
				t.Fatal(err)
			}
			return
		}
		again, err := handover.ReadRequest(r.File())
		if err != nil || again.Words() != r.Words() {
			t.Fatalf("%v: %q is read back as %q", err, r.File(), again.File())
		}
		handover.Check(list, r)
	})
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte("jackfield: profile/1\ntype: sftp\nname: A\nanswers:\n  host: |\n    a\n    b\nsecrets:\n  password: stored\n"), "a\nb")
	f.Add([]byte("a: &a [*a]"), " x\n\ty")
	b := book(newShelf())
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		if s, err := handover.ReadProfile(data); err == nil {
			typ, err := b.Type(s.Type)
			if err != nil {
				typ = connectors.Type{ID: s.Type}
			}
			text := handover.Profile(typ, link.Connection{Type: s.Type, Name: s.Name, Description: s.Description, Plain: s.Plain})
			if len(text) < 256<<10 {
				if _, err := handover.ReadProfile([]byte(text)); err != nil {
					t.Fatalf("%v: %q", err, text)
				}
			}
		}
		value = strings.ToValidUTF8(value, "\uFFFD")
		want := map[string]string{}
		if value != "" {
			want["host"] = value
		}
		text := handover.Profile(connectors.Type{ID: "x"}, link.Connection{Type: "x", Name: "n", Plain: want})
		if len(text) > 256<<10 {
			return
		}
		got, err := handover.ReadProfile([]byte(text))
		if err != nil || !maps.Equal(got.Plain, want) {
			t.Fatalf("%v: %q is read back as %q from %q", err, value, got.Plain["host"], text)
		}
	})
}
