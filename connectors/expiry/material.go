package expiry

import (
	"crypto/x509"
	"math"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// material looks for certificates in an answer of several lines.
func (l *look) material(f connectors.Field, text string) {
	if f.Kind != connectors.Lines && f.Kind != connectors.SecretLines {
		return
	}
	found := keys.Identify([]byte(text))
	switch found {
	case keys.PrivateKey, keys.PublicKey, keys.Certificate, keys.PFX, keys.PKCS7, keys.JavaStore:
	default:
		return
	}
	items, _, _ := keys.Read([]byte(text), connectors.Secret{})
	if len(keys.Certificates(items)) == 0 && (found == keys.PFX || found == keys.JavaStore) {
		items = l.unlocked(f, text)
	}
	l.chain(f, items)
	for _, i := range items {
		c, is := i.SSH.(*ssh.Certificate)
		if is && c.ValidBefore != ssh.CertTimeInfinity && c.ValidBefore <= math.MaxInt64 {
			l.add(Item{Field: f.Key, Kind: SSHCertificate, Subject: c.KeyId, When: time.Unix(int64(c.ValidBefore), 0), Basis: Read})
		}
	}
}

// unlocked opens a store with the passphrases of the form. Private keys are not
// opened: they have no end, and opening them is slow on purpose.
func (l *look) unlocked(f connectors.Field, text string) []keys.Item {
	for _, p := range l.t.Form.Fields {
		if p.Kind != connectors.SecretText || !strings.HasSuffix(p.Key, "passphrase") && p.Key != f.Key+"_password" {
			continue
		}
		if s := l.s.Secrets[p.Key]; !s.Empty() && l.t.Form.Visible(p.Key, l.s) {
			if items, _, err := keys.Read([]byte(text), s); err == nil && len(keys.Certificates(items)) > 0 {
				return items
			}
		}
	}
	return nil
}

// chain adds the certificate that ends first: of a leaf and its issuers, or of
// the authorities that a server is recognized by.
func (l *look) chain(f connectors.Field, items []keys.Item) {
	certs := keys.Certificates(items)
	if len(certs) == 0 {
		return
	}
	if f.Key == "ca" || strings.HasSuffix(f.Key, "_ca") || f.Key == "truststore" {
		c := firstEnd(certs)
		l.add(Item{Field: f.Key, Kind: Authority, Subject: keys.Subject(c), When: c.NotAfter, Basis: Read})
		return
	}
	order := keys.Order(certs, publicOf(items))
	used := order.Certificates
	if order.Root && len(used) > 1 { // servers have roots of their own and do not look at the one that is sent
		used = used[:len(used)-1]
	}
	if len(used) == 0 {
		used = certs
	}
	c := firstEnd(used)
	l.add(Item{Field: f.Key, Kind: Certificate, Subject: keys.Subject(c), When: c.NotAfter, Basis: Read})
}

func publicOf(items []keys.Item) any {
	if k := keys.First(items); k != nil && k.Public != nil {
		return k.Public
	}
	return nil
}

func firstEnd(certs []*x509.Certificate) *x509.Certificate {
	first := certs[0]
	for _, c := range certs[1:] {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}
