package keys

import (
	"crypto/x509"
	"encoding/pem"
	"slices"

	"jackfield/connectors"
)

// Use is Read for a key that somebody is about to sign in with: it does as much
// work as the locks ask for that are in use, which is up to a few seconds and 256 MB.
func Use(data []byte, passphrase connectors.Secret) ([]Item, error) {
	items, _, err := read(data, attempt{passphrase, using()})
	return items, err
}

// First is the first private key of items, nil where there is none. It may be locked.
func First(items []Item) *Item {
	i := slices.IndexFunc(items, func(i Item) bool { return i.Kind == PrivateKey })
	if i < 0 {
		return nil
	}
	return &items[i]
}

// Certificates are those of items.
func Certificates(items []Item) []*x509.Certificate {
	var out []*x509.Certificate
	for _, i := range items {
		if i.Kind == Certificate {
			out = append(out, i.Certificate)
		}
	}
	return out
}

// PEM is the key as PKCS#8 (RFC 5958), not encrypted. ok is false for keys that
// PKCS#8 has no place for in the standard library, such as DSA.
func (p Private) PEM() (text connectors.Secret, ok bool) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return connectors.Secret{}, false
	}
	return connectors.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))), true
}

// In is err, where it is one of this package's, on the fields of a form. Every
// one of them is then a wrong answer, also a passphrase that does not open.
func In(err error, data, passphrase string) error {
	e := connectors.Classify(err)
	if e == nil || e.Field != FieldData && e.Field != FieldPassphrase {
		return err
	}
	out := *e
	out.Op, out.Field = connectors.StageForm, data
	if e.Field == FieldPassphrase {
		out.Code, out.Field = connectors.BadInput, passphrase
	}
	return &out
}
