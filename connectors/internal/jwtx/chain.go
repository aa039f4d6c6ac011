package jwtx

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

// maxCerts bounds the certificates, and the blocks, of one text.
const maxCerts = 100

// Certificates reads the certificates of a PFX (as base64) or of PEM and returns
// the chain of the first leaf among them: the leaf, its issuer, and so on.
// Certificates that are not of that chain are left out. Errors are
// *connectors.Error on "jwt_key" or "jwt_passphrase".
func Certificates(text string, passphrase connectors.Secret) ([]*x509.Certificate, error) {
	_, certs, err := bundle(text, passphrase)
	if err != nil {
		return nil, err
	}
	return order(certs, leafOf(certs)), nil
}

// Chain reads a client certificate with its key from a PFX (as base64) or from
// PEM that has both. The certificates come out in the order in which they are
// sent: the key's own first, then the one that issued it, and so on. Errors are
// *connectors.Error on "jwt_key" or "jwt_passphrase".
func Chain(text string, passphrase connectors.Secret) (certPEM string, keyPEM connectors.Secret, err error) {
	inside, certs, err := bundle(text, passphrase)
	if err != nil {
		return "", connectors.Secret{}, err
	}
	var key crypto.Signer
	if inside.key != nil {
		key, err = signerOf(inside.key)
	} else {
		key, err = ReadKey(text, passphrase)
	}
	if err != nil {
		return "", connectors.Secret{}, err
	}
	own := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return samePublic(c.PublicKey, key) })
	if own < 0 {
		return "", connectors.Secret{}, bad("jwt.key_mismatch", fieldKey, "", nil)
	}
	pemKey, err := ToPEM(key)
	if err != nil {
		return "", connectors.Secret{}, err
	}
	var b strings.Builder
	for _, c := range order(certs, certs[own]) {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String(), connectors.NewSecret(pemKey), nil
}

// bundle returns the certificates, at least one, and what else a PFX holds.
func bundle(text string, passphrase connectors.Secret) (held, []*x509.Certificate, error) {
	if len(text) > maxText {
		return held{}, nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	text = answers.TidyPEM(text)
	if !strings.Contains(text, "-----BEGIN ") {
		der, err := fromBase64(text)
		if err != nil || !isPFX(der) {
			return held{}, nil, bad("jwt.no_certificate", fieldKey, "", nil)
		}
		found, err := readPFX(der, passphrase)
		return found, found.certs, err
	}
	var certs []*x509.Certificate
	for _, block := range blocks(text) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return held{}, nil, bad("jwt.certificate_damaged", fieldKey, "", err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return held{}, nil, bad("jwt.no_certificate", fieldKey, "", nil)
	}
	return held{}, certs, nil
}

// leafOf is the first certificate that issued none of the others.
func leafOf(certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		if !slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return other != c && issued(c, other) }) {
			return c
		}
	}
	return certs[0]
}

// issued goes by the names and the key identifiers (RFC 5280 section 4.2.1.1);
// whether the signatures hold is for the server to say. A certificate that
// names itself is the end of a chain.
func issued(parent, c *x509.Certificate) bool {
	return bytes.Equal(parent.RawSubject, c.RawIssuer) && !bytes.Equal(c.RawIssuer, c.RawSubject) &&
		(len(parent.SubjectKeyId) == 0 || len(c.AuthorityKeyId) == 0 || bytes.Equal(parent.SubjectKeyId, c.AuthorityKeyId))
}

// order is the chain from leaf upwards, each certificate once.
func order(certs []*x509.Certificate, leaf *x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for {
		last := chain[len(chain)-1]
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool {
			return issued(c, last) && !slices.ContainsFunc(chain, c.Equal)
		})
		if i < 0 {
			return chain
		}
		chain = append(chain, certs[i])
	}
}
