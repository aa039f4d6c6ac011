package tokens

import (
	"crypto/x509"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/keys"
)

func one(i keys.Item) []*x509.Certificate { return []*x509.Certificate{i.Certificate} }

// certificates is for certificates alone, and for stores that could be opened.
func certificates(in part.Input, kind keys.Kind, all []keys.Item, text string) part.Found {
	var certs []*x509.Certificate
	private := false
	for _, i := range all {
		if i.Certificate != nil {
			certs = append(certs, i.Certificate)
		}
		private = private || i.Kind == keys.PrivateKey
	}
	name := in.Name
	if len(certs) > 0 {
		name = keys.Subject(keys.Order(certs, nil).Certificates[0])
	}
	if kind == keys.PFX || kind == keys.JavaStore {
		return store(in, kind, name, text)
	}
	pem := keys.ChainPEM(certs)
	return fill(in, kind.Name(), name, []string{"certificate_chain"}, func(f *record.Form) {
		f.Answer("client_cert", pem)
		if !private {
			f.R.Note("There is no private key in it. Without one it can be looked at, not signed in with.")
		}
	})
}

// store is a PFX or a Java key store with its passphrase, as a file.
func store(in part.Input, kind keys.Kind, name, text string) part.Found {
	if name == "" {
		name = in.Name
	}
	raw := connectors.FileText(in.Data)
	if strings.TrimSpace(in.Text) != "" {
		raw = text
	}
	ids := []string{"certificate_chain", "http", "kafka"}
	if kind == keys.JavaStore {
		ids = []string{"kafka", "certificate_chain"}
	}
	return fill(in, kind.Name(), name, ids, func(f *record.Form) {
		pass := in.Passphrase.Reveal()
		switch f.T.ID {
		case "kafka":
			f.Answer("security", "tls")
			f.Answer("keystore", raw)
			f.Answer("keystore_password", pass)
		case "http":
			f.Answer("auth", "none")
			f.Answer("client_pfx", raw)
			f.Answer("client_key_passphrase", pass)
		default:
			f.Answer("source", "file")
			f.Answer("certificate_file", raw)
			f.Answer("client_key_passphrase", pass)
		}
	})
}
