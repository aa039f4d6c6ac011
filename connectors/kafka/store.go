package kafka

import (
	"crypto/x509"
	"encoding/pem"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// spec is what the answers say about TLS, with Java's stores turned into PEM in
// memory.
func (c config) spec() (connectors.TLS, error) {
	t := c.Spec()
	if !c.Truststore.Empty() {
		ca, err := trusted(c.Truststore, c.TruststorePwd)
		if err != nil {
			return t, err
		}
		t.CA += ca
	}
	if c.Certificate != certificateJKS {
		return t, nil
	}
	chain, key, err := presented(c.Keystore, c.KeystorePass)
	t.Cert, t.Key, t.Passphrase = chain, key, connectors.Secret{}
	return t, err
}

// trusted is every certificate of a trust store.
func trusted(store, password connectors.Secret) (string, error) {
	items, _, err := keys.Read([]byte(store.Reveal()), password)
	if err != nil {
		return "", stored(err, "truststore")
	}
	var out strings.Builder
	for _, i := range items {
		if i.Certificate != nil {
			out.WriteString(certificatePEMOf(i.Certificate))
		}
	}
	if out.Len() == 0 {
		return "", &connectors.Error{Code: connectors.BadInput, Reason: "kafka.truststore_empty", Op: connectors.StageForm, Field: "truststore"}
	}
	return out.String(), nil
}

// presented is the key of a key store and the certificates that belong to it.
func presented(store, password connectors.Secret) (chain string, key connectors.Secret, err error) {
	items, _, err := keys.Read([]byte(store.Reveal()), password)
	if err != nil {
		return "", key, stored(err, "keystore")
	}
	var certs []*x509.Certificate
	var private *keys.Item
	for n, i := range items {
		switch {
		case i.Certificate != nil:
			certs = append(certs, i.Certificate)
		case i.Kind == keys.PrivateKey && i.Err != nil:
			return "", key, stored(i.Err, "keystore")
		case i.Kind == keys.PrivateKey && private == nil:
			private = &items[n]
		}
	}
	missing := &connectors.Error{Code: connectors.BadInput, Reason: "kafka.keystore_empty", Op: connectors.StageForm, Field: "keystore"}
	if private == nil || private.Private == nil || len(certs) == 0 {
		return "", key, missing
	}
	der, err := x509.MarshalPKCS8PrivateKey(private.Private.Key())
	if err != nil {
		return "", key, missing
	}
	ordered := keys.Order(certs, private.Public)
	return keys.ChainPEM(ordered.Certificates), connectors.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))), nil
}

func certificatePEMOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// stored points what keys says at this form's field.
func stored(err error, field string) error {
	e := *connectors.Classify(err)
	e.Op = connectors.StageForm
	if e.Field == keys.FieldPassphrase {
		field += "_password"
	}
	e.Field = field
	return &e
}
