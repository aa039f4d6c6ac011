package exports_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake/internal/exports"
	"jackfield/connectors/intake/internal/part"
)

// The passwords, encrypted by openssl with the public key, as DBeaver does.
func encrypted(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	in := server.WriteFile(t, dir, "in", strings.Repeat("i", 16)+`{"postgres-jdbc-1":{"#connection":{"user":"alice","password":"`+secret+`"}}}`, 0o600)
	raw, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	// The vector goes before the text; here it is sixteen times "i".
	plain := server.WriteFile(t, dir, "plain", string(raw[16:]), 0o600)
	out := filepath.Join(dir, "out")
	server.Run(t, server.Program(t, "openssl", "openssl"), "enc", "-aes-128-cbc", "-K", "babb4a9f774ab853c96c2d653dfe544a", "-iv", strings.Repeat("69", 16), "-in", plain, "-out", out)
	sealed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return append(raw[:16:16], sealed...)
}

func TestDBeaverWithPasswords(t *testing.T) {
	types := all.All()
	sealed := encrypted(t)
	want := expected{"", "", "postgres", []string{"host=db.example.com", "user=alice", "password=**"}, ""}
	found, ok := exports.DBeaver(part.Input{Types: types}, []byte(dbeaverSources), sealed, nil)
	if !ok {
		t.Fatal("not recognized")
	}
	check(t, types, want, found)

	alone, ok := exports.DBeaverSecrets(part.Input{Types: types, Data: sealed})
	if !ok {
		t.Fatal("the passwords alone are not recognized")
	}
	check(t, types, expected{"", "", "user_password", []string{"user=alice", "password=**"}, ""}, alone)

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range map[string][]byte{"meta.xml": []byte("<archive/>"), "projects/General/.dbeaver/data-sources.json": []byte(dbeaverSources), "projects/General/.dbeaver/credentials-config.json": sealed} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	project, ok := exports.Project(part.Input{Types: types, Data: b.Bytes()}, nil)
	if !ok {
		t.Fatal("the project is not recognized")
	}
	check(t, types, want, project)

	// With a master password the key is another one.
	sealed[20] ^= 1
	found, ok = exports.DBeaver(part.Input{Types: types}, []byte(dbeaverSources), sealed, nil)
	if !ok || !found.Items[0].Readings[0].Settings.Secrets["password"].Empty() || found.Items[0].Readings[0].Left[0].Name != "password" {
		t.Errorf("%+v", found)
	}
}
