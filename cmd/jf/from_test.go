package main

import (
	"strings"
	"testing"
)

func TestAnythingPastedBecomesAConnection(t *testing.T) {
	for _, c := range []struct{ name, text, typeID, says string }{
		{"an address", "postgres://reporting:" + handed + "@db.example.com:5433/sales?sslmode=require", "postgres", "db.example.com"},
		{"a command", "sftp -P 2222 acme@files.example.com", "sftp", "files.example.com"},
		{"a curl command", "curl -u acme:" + handed + " https://api.example.com/v1/me", "http", "api.example.com"},
		{"a file of another tool", "[partner]\ntype = sftp\nhost = files.example.com\nuser = acme\n", "sftp", "files.example.com"},
	} {
		d := newDesk(t)
		saved := d.with(c.text, "new", "--from", "-", "Given").exits(exitFine)
		if strings.Contains(saved.out+saved.err, handed) {
			t.Errorf("%s: the secret is shown: %s", c.name, saved)
		}
		got := listed(t, d)
		if got["Given"]["type"] != c.typeID {
			t.Errorf("%s: %v %s", c.name, got, saved)
		}
		d.jf("export", "Given", "--text").exits(exitFine).says(c.says)
	}
}

func TestWhatIsAmbiguousOrManifoldIsAChoice(t *testing.T) {
	d := newDesk(t)
	key := d.jf("keys", "generate", "ed25519", "--out", "-").exits(exitFine).out
	key = key[:strings.Index(key, "-----END OPENSSH PRIVATE KEY-----")] + "-----END OPENSSH PRIVATE KEY-----\n"
	d.with(key, "new", "--from", "-").exits(exitWrongUse).says("--as", "sftp", "private_key")
	d.with(key, "new", "--from", "-", "--as", "sftp", "--set", "host=files.example.com", "--set", "user=acme").exits(exitFine).says("Complete")

	remotes := "[one]\ntype = sftp\nhost = one.example.com\nuser = a\n\n[two]\ntype = ftp\nhost = two.example.com\nuser = b\n"
	var found struct {
		What  string
		Items []struct {
			Name     string
			Readings []map[string]any
		}
		Left []map[string]any
	}
	d.with(remotes, "new", "--from", "-", "--dry-run", "--json").exits(exitFine).into(&found)
	if len(found.Items) != 2 || len(found.Items[0].Readings) != 1 {
		t.Fatalf("%+v", found)
	}
	has(t, found.Items[0].Readings[0], "type plain secrets missing left notes")
	d.with(remotes, "new", "--from", "-").exits(exitWrongUse).says("--all")
	d.with(remotes, "new", "--from", "-", "--pick", "2").exits(exitFine).says("two")
	d.with(remotes, "new", "--from", "-", "--all").exits(exitFine).says("one", "two 2")
	d.with("nothing of this kind", "new", "--from", "-").exits(exitWrongUse)
}
