// Package tokens reads content that is one secret: a key, a certificate, a key
// store, a keytab, a token.
package tokens

import (
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/keys"
)

// Read reads content that is a key or a token by its own marks; false for
// everything else.
func Read(in part.Input) (part.Found, bool) {
	if text := strings.TrimSpace(in.Text); text != "" {
		if found, ok := shaped(in, text); ok {
			return found, true
		}
	}
	kind := keys.Identify(in.Data)
	switch kind {
	case keys.Token:
		return token(in)
	case keys.KnownHosts:
		return part.Found{What: kind.Name(), Left: []part.Left{{Name: "known_hosts", Why: "It lists servers' keys, and no connection. Paste it into the form of an SFTP server, under the known host keys."}}}, true
	case keys.Age:
		return ageKey(in)
	case keys.PrivateKey, keys.PublicKey, keys.SharedKey, keys.Certificate, keys.PKCS7, keys.PFX, keys.JavaStore, keys.Keytab:
		return keyed(in, kind)
	}
	return part.Found{}, false
}

// fill makes one connection of several types.
func fill(in part.Input, what, name string, ids []string, answer func(f *record.Form)) part.Found {
	item := part.Item{Name: connectors.Clean(name, 120)}
	for _, id := range ids {
		t, ok := in.Type(id)
		if !ok {
			continue
		}
		f := record.NewForm(t)
		answer(f)
		if f.Worth() {
			item.Readings = append(item.Readings, f.R)
		}
	}
	found := part.Found{What: what}
	if len(item.Readings) > 0 {
		found.Items = []part.Item{item}
	}
	return found
}

// keyed reads what package keys reads.
func keyed(in part.Input, kind keys.Kind) (part.Found, bool) {
	all, repairs, err := keys.Read(in.Data, in.Passphrase)
	text := connectors.FileText(in.Data)
	if strings.TrimSpace(in.Text) != "" {
		text = in.Text
	}
	if err != nil {
		return closed(in, kind, text, err)
	}
	found := part.Found{}
	switch kind {
	case keys.PrivateKey:
		found = privateKey(in, all, text)
	case keys.PublicKey:
		found = publicKey(in, all, text)
	case keys.SharedKey:
		found = fill(in, kind.Name(), all[0].Name, []string{"secret_key"}, func(f *record.Form) { f.Answer("secret_key", text) })
	case keys.Keytab:
		found = keytab(in, all, text)
	default:
		found = certificates(in, kind, all, text)
	}
	for i := range found.Items {
		for n := range found.Items[i].Readings {
			for _, r := range repairs {
				found.Items[i].Readings[n].Note("Put right while reading: " + r.Text + ".")
			}
		}
	}
	return found, true
}

// closed is a file of which nothing can be told without its passphrase.
func closed(in part.Input, kind keys.Kind, text string, err error) (part.Found, bool) {
	e := connectors.Classify(err)
	if e.Field != keys.FieldPassphrase {
		return part.Found{What: kind.Name(), Left: []part.Left{{Name: "the content", Why: "It is damaged, or of a kind that cannot be used here. Export it again."}}}, true
	}
	var found part.Found
	if kind == keys.PFX || kind == keys.JavaStore {
		found = store(in, kind, "", text)
	}
	found.What, found.Locked = kind.Name(), true
	return found, true
}

func needsPassphrase(all []keys.Item) bool {
	for _, i := range all {
		if e := connectors.Classify(i.Err); e != nil && e.Field == keys.FieldPassphrase {
			return true
		}
	}
	return false
}

// privateKey is for a key alone, and for one with its certificate.
func privateKey(in part.Input, all []keys.Item, text string) part.Found {
	var key keys.Item
	certs, locked := "", needsPassphrase(all)
	for _, i := range all {
		if i.Kind == keys.PrivateKey && key.Kind == "" {
			key = i
		}
		if i.Certificate != nil {
			certs += keys.ChainPEM(one(i))
		}
	}
	ids := []string{"private_key", "sftp", "ssh", "http", "okta", "docusign"}
	switch {
	case certs != "":
		ids = []string{"certificate_chain", "http", "mqtt", "aws_iot", "private_key"}
	case key.Format == "OpenSSH" || strings.HasPrefix(key.Format, "PuTTY"):
		ids = []string{"sftp", "ssh", "private_key"}
	case key.Algorithm != "" && key.Algorithm != "RSA":
		ids = []string{"private_key", "sftp", "ssh", "http", "okta"}
	}
	name := key.Name
	if name == "" {
		name = in.Name
	}
	return fill(in, keys.PrivateKey.Name(), name, ids, func(f *record.Form) {
		answerKey(f, key, certs, text)
		if key.Locked == "" && !locked {
			return
		}
		for _, k := range []string{"passphrase", "client_key_passphrase", "jwt_passphrase"} {
			if f.T.Form.Visible(k, f.R.Settings) {
				f.Answer(k, in.Passphrase.Reveal())
			}
		}
		f.R.Note("The key is locked with a passphrase (" + connectors.Clean(key.Locked, 80) + ").")
	})
}

func answerKey(f *record.Form, key keys.Item, certs, text string) {
	switch f.T.ID {
	case "certificate_chain", "mqtt", "aws_iot":
		f.Answer("client_cert", certs)
		f.Answer("client_key", text)
	case "http":
		if certs != "" {
			f.Answer("client_cert", certs)
			f.Answer("client_key", text)
			f.Answer("auth", "none")
			return
		}
		f.Answer("auth", "jwt")
		f.Answer("jwt_method", jwtMethod(key))
		f.Answer("jwt_key", text)
	case "sftp", "ssh":
		f.Answer("key", text)
	default:
		f.Answer("private_key", text)
	}
}

// jwtMethod is the method that fits the key (RFC 7518 section 3.1).
func jwtMethod(key keys.Item) string {
	switch key.Curve {
	case "P-256":
		return "ES256"
	case "P-384":
		return "ES384"
	case "P-521":
		return "ES512"
	}
	if key.Algorithm == "Ed25519" {
		return "EdDSA"
	}
	return "RS256"
}

func publicKey(in part.Input, all []keys.Item, text string) part.Found {
	if c, ok := all[0].SSH.(*ssh.Certificate); ok {
		found := fill(in, "an SSH certificate", c.KeyId, []string{"sftp", "ssh", "public_key"}, func(f *record.Form) {
			f.Answer("auth", "key")
			f.Answer("certificate", text)
			if len(c.ValidPrincipals) == 1 {
				f.Answer("user", c.ValidPrincipals[0])
			}
			f.Answer("public_key", text)
			if f.T.ID != "public_key" {
				f.R.Note("The certificate works together with its private key, which is not in it.")
			}
		})
		return found
	}
	name := all[0].Name
	return fill(in, keys.PublicKey.Name(), name, []string{"public_key"}, func(f *record.Form) { f.Answer("public_key", text) })
}

// keytab has whose keys are in it as plain answers.
func keytab(in part.Input, all []keys.Item, text string) part.Found {
	raw := connectors.FileText(in.Data)
	if raw == "" {
		raw = text
	}
	name, user, realm := "", "", ""
	for _, i := range all {
		if i.Entry != nil {
			name, user, realm = i.Name, i.Entry.Principal, i.Entry.Realm
			break
		}
	}
	return fill(in, keys.Keytab.Name(), name, []string{"keytab", "ldap", "http"}, func(f *record.Form) {
		if f.T.ID == "ldap" {
			f.Answer("auth", "keytab")
		}
		if f.T.ID == "http" {
			f.Answer("auth", "kerberos")
			f.Answer("kerberos_with", "keytab")
		}
		f.Answer("keytab", raw)
		if f.T.ID != "keytab" {
			f.Answer("user", user)
			f.Answer("realm", realm)
		}
	})
}
