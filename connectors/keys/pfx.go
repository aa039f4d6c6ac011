package keys

import (
	"crypto/x509"
	"errors"

	"software.sslmate.com/src/go-pkcs12"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/internal/kerberosx"
)

// pfxItems opens a PFX (RFC 7292): the key, then the certificates in the order
// of the file. What the visible part asks for is added up here; jwtx looks into
// the encrypted parts before any key in them is opened.
func pfxItems(der []byte, pass connectors.Secret) ([]Item, error) {
	s := lookInto(der)
	if s.costly() {
		return nil, fault("keys.costly", "")
	}
	_, err := jwtx.Certificates(binaryText(der), pass)
	if e := connectors.Classify(err); e != nil && e.Reason == "jwt.pfx" {
		return trusted(der, pass)
	}
	if err != nil {
		return nil, translated(err)
	}
	key, leaf, more, err := pkcs12.DecodeChain(der, pass.Reveal())
	if err != nil && !pass.Empty() {
		key, leaf, more, err = pkcs12.DecodeChain(der, "") // a file without a MAC has no password
	}
	if err != nil {
		return nil, fault("keys.pfx", "")
	}
	private := Item{Kind: PrivateKey, Format: "PFX (PKCS#12)", Locked: s.locked()}
	private.have(key)
	return append([]Item{private}, pfxCertificates(append([]*x509.Certificate{leaf}, more...))...), nil
}

// trusted reads a PFX that holds trusted certificates alone, as Java makes them.
// Such a file holds no key whose opening could cost more than the survey saw.
func trusted(der []byte, pass connectors.Secret) ([]Item, error) {
	certs, err := pkcs12.DecodeTrustStore(der, pass.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && pass.Empty():
		return nil, needed()
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, wrong()
	case err != nil || len(certs) == 0:
		return nil, fault("keys.pfx", "")
	}
	return pfxCertificates(certs), nil
}

func pfxCertificates(certs []*x509.Certificate) []Item {
	var out []Item
	for _, c := range certs {
		i := Item{Kind: Certificate, Format: "PFX (PKCS#12)", Certificate: c}
		i.own(c.PublicKey)
		out = append(out, i)
	}
	return out
}

func keytabItems(data []byte) ([]Item, error) {
	entries, err := kerberosx.ReadKeytab(data)
	if err != nil {
		return nil, damaged("the keytab")
	}
	var out []Item
	for _, e := range entries {
		e.Etype = etypeName(e.Etype)
		out = append(out, Item{Kind: Keytab, Format: "keytab", Name: e.Principal + "@" + e.Realm, Algorithm: e.Etype, Created: e.Time, Entry: &e})
	}
	return out, nil
}

// etypeName names the encryption types that have been given up (RFC 6649,
// RFC 8429) and that kerberosx knows by number alone.
func etypeName(name string) string {
	switch name {
	case "etype 1":
		return "des-cbc-crc"
	case "etype 2":
		return "des-cbc-md4"
	case "etype 3":
		return "des-cbc-md5"
	case "etype 24":
		return "arcfour-hmac-exp"
	case "etype 25":
		return "camellia128-cts-cmac"
	case "etype 26":
		return "camellia256-cts-cmac"
	}
	return name
}
