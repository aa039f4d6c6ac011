package use

import (
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// openSSH puts the SSH key into OpenSSH's form where the tools that take the file
// could not read it: PuTTY's, PKCS#8, which older versions of OpenSSH do not read for
// Ed25519, DER, JWK, PFX and Java key stores. It stays locked with its passphrase.
func (p *plan) openSSH() {
	text := p.s.Secrets["key"].Reveal()
	if p.o.Secrets != Reveal || text == "" || !p.asks("key") {
		return
	}
	for _, head := range []string{"OPENSSH", "RSA", "EC", "DSA"} {
		if strings.HasPrefix(text, "-----BEGIN "+head+" PRIVATE KEY-----") {
			return
		}
	}
	pass := p.s.Secrets["passphrase"]
	if !p.asks("passphrase") {
		pass = connectors.Secret{}
	}
	items, err := keys.Use([]byte(text), pass)
	own := keys.First(items)
	if err != nil || own == nil || own.Private == nil {
		p.leaves("The key is not in OpenSSH's form, and could not be converted without its passphrase. Convert it first, on the Keys page or with puttygen.")
		return
	}
	w := keys.Want(keys.OpenSSH)
	w.Comment = own.Name
	if own.Locked != "" {
		w.Passphrase = pass
	}
	out, err := keys.Write([]keys.Item{*own}, w)
	if err != nil {
		p.leaves("OpenSSH's form has no place for this kind of key: the file is as it was.")
		return
	}
	p.s.Secrets["key"] = connectors.NewSecret(string(out.Data))
	said := "The key was converted to OpenSSH's form, because the tool does not read the one that it has here."
	if own.Locked != "" {
		said += " The file has the same passphrase."
	}
	p.warns(said)
}

// certificate takes the client certificate and its key out of a PFX or a Java key
// store, which the tools take as PEM files.
func (p *plan) certificate() {
	if p.o.Secrets != Reveal {
		return
	}
	field := "client_key"
	if p.v("certificate") == "pfx" && p.has("client_pfx") {
		field = "client_pfx"
	}
	if _, asked := p.form.Field("client_cert"); !asked || field == "client_key" && (!p.asks("client_cert") || p.v("client_cert") != "") {
		return
	}
	given := []byte(p.s.Secrets[field].Reveal())
	if kind := keys.Identify(given); kind != keys.PFX && kind != keys.JavaStore && field == "client_key" {
		return
	}
	pass := p.s.Secrets["client_key_passphrase"]
	items, err := keys.Use(given, pass)
	own, certs := keys.First(items), keys.Certificates(items)
	if err != nil || own == nil || own.Private == nil || len(certs) == 0 {
		p.leaves("The client certificate is not in it: its file could not be opened with the passphrase.")
		return
	}
	w := keys.Want(keys.PKCS8)
	w.Passphrase = pass
	key, err := keys.Write([]keys.Item{*own}, w)
	if err != nil {
		p.leaves("The client certificate is not in it: PEM has no place for this kind of key.")
		return
	}
	p.s.Plain["client_cert"] = keys.ChainPEM(keys.Order(certs, own.Public).Certificates)
	p.s.Secrets["client_key"] = connectors.NewSecret(string(key.Data))
	if field == "client_pfx" {
		p.s.Plain["certificate"] = "pem"
	}
	p.unpacked = true
}

// converted says that the files of a certificate were made of another one.
func (p *plan) converted() {
	for _, f := range p.files {
		if p.unpacked && strings.HasSuffix(f.Name, "-cert.pem") {
			p.warns("The client certificate and its key were written as PEM. The key has the passphrase of the file that they were in.")
		}
	}
}
