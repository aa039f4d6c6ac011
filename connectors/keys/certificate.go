package keys

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/ssh"
)

const maxCertificates = 300

// items reads one PEM block.
func (b block) items(pass attempt) ([]Item, error) {
	switch b.kind() {
	case PrivateKey:
		return []Item{b.privateItem(pass)}, nil
	case PublicKey:
		return single(publicDER(b.bytes))
	case Certificate:
		der := b.bytes
		if b.label == "TRUSTED CERTIFICATE" { // OpenSSL appends its own notes
			var first asn1.RawValue
			if _, err := asn1.Unmarshal(der, &first); err == nil {
				der = first.FullBytes
			}
		}
		return single(certificateItem(der, "PEM"))
	case Request:
		return single(requestItem(b.bytes))
	case PKCS7:
		return pkcs7Items(b.bytes)
	case Revocations:
		return single(revocationItem(b.bytes, "PEM"))
	}
	if b.label == "PKCS12" || b.label == "PFX" {
		return pfxItems(b.bytes, pass)
	}
	return nil, nil
}

func binaryItems(data []byte, pass attempt) ([]Item, error) {
	switch k := binaryKind(data); k {
	case PrivateKey:
		return []Item{derItem(data, pass)}, nil
	case PublicKey:
		if sshBlob(data) {
			key, err := ssh.ParsePublicKey(data)
			if err != nil {
				return nil, damaged("the public key")
			}
			return []Item{sshItem(key, "", "OpenSSH, without its first word")}, nil
		}
		return single(publicDER(data))
	case Certificate:
		return single(certificateItem(data, "DER"))
	case Request:
		return single(requestItem(data))
	case PKCS7:
		return pkcs7Items(data)
	case Revocations:
		return single(revocationItem(data, "DER"))
	case PFX:
		return pfxItems(data, pass)
	case JavaStore:
		return storeItems(data, pass)
	case Keytab:
		return keytabItems(data)
	default:
		return nil, other(k)
	}
}

func certificateItem(der []byte, format string) (Item, error) {
	if len(der) > 64<<10 {
		return Item{}, fault("keys.large", "")
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Item{}, damaged("the certificate")
	}
	i := Item{Kind: Certificate, Format: format, Certificate: c}
	i.own(c.PublicKey)
	return i, nil
}

func requestItem(der []byte) (Item, error) {
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return Item{}, damaged("the certificate request")
	}
	i := Item{Kind: Request, Format: "PKCS#10", Request: r}
	i.own(r.PublicKey)
	return i, nil
}

// pkcs7Items reads the certificates of a SignedData (RFC 2315 section 9.1), for
// which a P7B is used.
func pkcs7Items(der []byte) ([]Item, error) {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	var signed struct {
		Version      int
		Digests      asn1.RawValue
		Inner        asn1.RawValue
		Certificates asn1.RawValue `asn1:"tag:0,optional"`
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil || outer.Type.String() != idSignedData {
		return nil, damaged("the P7B file")
	}
	// The fields after the certificates are of no interest: only the beginning is
	// read, member by member.
	var seq asn1.RawValue
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &seq); err != nil {
		return nil, damaged("the P7B file")
	}
	rest := seq.Bytes
	for _, into := range []any{&signed.Version, &signed.Digests, &signed.Inner, &signed.Certificates} {
		var err error
		if rest, err = asn1.Unmarshal(rest, into); err != nil {
			return nil, damaged("the P7B file")
		}
	}
	if signed.Certificates.Class != asn1.ClassContextSpecific || signed.Certificates.Tag != 0 {
		return nil, other(PKCS7)
	}
	return certificatesIn(signed.Certificates.Bytes)
}

func certificatesIn(der []byte) ([]Item, error) {
	var out []Item
	for len(der) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(der, &one)
		if err != nil {
			return nil, damaged("a certificate in the P7B file")
		}
		if len(out) == maxCertificates {
			return nil, fault("keys.large", "")
		}
		i, err := certificateItem(one.FullBytes, "PKCS#7")
		if err != nil {
			return nil, err
		}
		out, der = append(out, i), rest
	}
	return out, nil
}

// CertificateNames are the names that a certificate is for: those of its
// subjectAltName extension (RFC 5280 section 4.2.1.6).
func CertificateNames(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	out = append(out, c.EmailAddresses...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	return out
}

// RequestNames are the names that a request asks for, in the same way.
func RequestNames(r *x509.CertificateRequest) []string {
	return CertificateNames(&x509.Certificate{DNSNames: r.DNSNames, IPAddresses: r.IPAddresses, EmailAddresses: r.EmailAddresses, URIs: r.URIs})
}

// Subject is the name by which people know a certificate: its common name, else
// its first alternative name, else the whole subject.
func Subject(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	if names := CertificateNames(c); len(names) > 0 {
		return names[0]
	}
	if s := c.Subject.String(); s != "" {
		return s
	}
	return "serial number " + c.SerialNumber.Text(16)
}

// Usages are the purposes that a certificate names (RFC 5280 sections 4.2.1.3
// and 4.2.1.12); none means all.
func Usages(c *x509.Certificate) string {
	var out []string
	for _, u := range []struct {
		bit  x509.KeyUsage
		name string
	}{
		{x509.KeyUsageDigitalSignature, "signing"}, {x509.KeyUsageKeyEncipherment, "encrypting keys"}, {x509.KeyUsageKeyAgreement, "agreeing on keys"},
		{x509.KeyUsageCertSign, "issuing certificates"}, {x509.KeyUsageCRLSign, "signing revocation lists"},
	} {
		if c.KeyUsage&u.bit != 0 {
			out = append(out, u.name)
		}
	}
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			out = append(out, "TLS server")
		case x509.ExtKeyUsageClientAuth:
			out = append(out, "TLS client")
		case x509.ExtKeyUsageCodeSigning:
			out = append(out, "code signing")
		case x509.ExtKeyUsageEmailProtection:
			out = append(out, "e-mail")
		case x509.ExtKeyUsageAny:
			out = append(out, "any")
		}
	}
	return strings.Join(out, ", ")
}
