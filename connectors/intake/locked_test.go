package intake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A PFX that openssl made asks for its passphrase, says when it is wrong, and
// is filled in with the right one.
func TestALockedFile(t *testing.T) {
	const phrase = "practice-only-phrase"
	dir, openssl := t.TempDir(), server.Program(t, "openssl", "openssl")
	at := func(n string) string { return filepath.Join(dir, n) }
	server.Run(t, openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("key"), "-out", at("crt"), "-subj", "/CN=www.practice.example", "-days", "30")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", at("key"), "-in", at("crt"), "-out", at("pfx"), "-passout", "pass:"+phrase)
	data, err := os.ReadFile(at("pfx"))
	if err != nil {
		t.Fatal(err)
	}
	types, f := offered(), File{Name: "server.pfx", Data: data}
	found, err := Read(types, f, connectors.Secret{})
	if err != nil || !found.Locked {
		t.Errorf("%+v, %v", found, err)
	}
	sound(t, types, found)
	if _, err := Read(types, f, connectors.NewSecret("practice-only-other")); reasonOf(err) != "intake.passphrase_wrong" || connectors.CodeOf(err) != connectors.AuthFailed {
		t.Error(err)
	}
	found, err = Read(types, f, connectors.NewSecret(phrase))
	if err != nil || found.Locked || reading(found) != "certificate_chain" || found.Items[0].Name != "www.practice.example" {
		t.Fatalf("%+v, %v", found, err)
	}
	sound(t, types, found)
	if c := Judge(types, found.Items[0])[0]; len(c.Missing) > 0 || len(c.Wrong) > 0 {
		t.Errorf("%v %v", c.Missing, c.Wrong)
	}
	all, err := ReadAll(types, []File{f, {Name: "token", Data: []byte("ghp_" + strings.Repeat("aB3d", 10))}}, connectors.Secret{})
	if err != nil || !all.Locked {
		t.Errorf("%+v, %v", all, err)
	}
}
