package link_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/link"
)

// A certificate chain that is kept as one file is lent to a connection whose form
// asks for a certificate and its key apart, against nginx.
func TestACertificateFileIsLent(t *testing.T) {
	const phrase = "practice-only-phrase"
	ca := server.NewCA(t)
	base := "https://" + server.Nginx(t, ca)
	mine, dir := ca.Issue(t, server.Cert{Name: "mira", Client: true}), t.TempDir()
	cert, key := mine.Write(t, dir, "")
	pass := server.WriteFile(t, dir, "pass", phrase, 0o600)
	pfx, jks := filepath.Join(dir, "pfx"), filepath.Join(dir, "jks")
	server.Run(t, server.Program(t, "openssl", "openssl"), "pkcs12", "-export", "-legacy", "-in", cert, "-inkey", key, "-certfile", server.WriteFile(t, dir, "ca", ca.PEM, 0o600), "-out", pfx, "-passout", "file:"+pass)
	server.Run(t, server.Program(t, "keytool", "default-jre-headless"), "-importkeystore", "-noprompt", "-srckeystore", pfx, "-srcstoretype", "PKCS12", "-srcstorepass:file", pass, "-destkeystore", jks, "-deststoretype", "JKS", "-deststorepass:file", pass, "-destkeypass:file", pass)
	b := link.NewBook(link.List(all.All()), newStore(), link.Outside{Patience: 10 * time.Second})
	made := func(typ, name string, plain, secrets map[string]string) link.Connection {
		s := connectors.NewSettings()
		s.Plain = plain
		for k, v := range secrets {
			s.Secrets[k] = connectors.NewSecret(v)
		}
		c, err := b.Create(t.Context(), link.Draft{Type: typ, Name: name, Settings: s})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, file := range map[string]string{"PFX": pfx, "Java key store": jks} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for phrase, reason := range map[string]string{phrase: "", "practice-only-wrong": "keys.passphrase_wrong"} {
			account := made("certificate_chain", name+reason, map[string]string{"source": "file"}, map[string]string{"certificate_file": connectors.FileText(data), "client_key_passphrase": phrase})
			plain := map[string]string{"base_url": base, "ca": ca.PEM, "certificate": "pem", "test_path": "/", "auth": "none", "identity": account.ID}
			c := made("http", "Site "+name+reason, plain, nil)
			ty, err := b.Type("http")
			if err != nil {
				t.Fatal(err)
			}
			if missing := ty.Form.Missing(link.Lend(ty, connectors.Settings{Plain: c.Plain}, account)); len(missing) > 0 {
				t.Errorf("%s: missing %v", name, missing)
			}
			r := b.Check(t.Context(), c.ID, link.Watcher{})
			e := connectors.Classify(r.Err)
			if reason == "" && e != nil || reason != "" && (e == nil || e.Reason != reason || e.Field != "identity") {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}
