package keys

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
)

// A Chain is certificates in the order in which a server sends them.
type Chain struct {
	Certificates []*x509.Certificate // the leaf first, then its issuer, and so on
	Others       []*x509.Certificate // what is not of this chain
	Reordered    bool                // they stood in another order
	Root         bool                // the last one is self-signed; servers leave it out
	Missing      string              // the issuer of the last one, which is not there; "" with Root
	// Broken are the places in Certificates whose signature was not made by the
	// next one's key, although the names fit.
	Broken []int
}

// Order finds the chain in certificates, at most 100 of them. key is the public
// half of the key that belongs to the leaf, nil where there is none.
func Order(certs []*x509.Certificate, key crypto.PublicKey) Chain {
	if len(certs) == 0 {
		return Chain{}
	}
	sorted := slices.Clone(certs)
	if own := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return key != nil && Same(c.PublicKey, key) }); own > 0 {
		sorted = append([]*x509.Certificate{certs[own]}, append(slices.Clone(certs[:own]), certs[own+1:]...)...)
	}
	out := Chain{Certificates: upwards(sorted, leafOf(sorted))}
	for _, c := range certs {
		if !slices.ContainsFunc(out.Certificates, c.Equal) {
			out.Others = append(out.Others, c)
		}
	}
	out.Reordered = reordered(certs, out.Certificates)
	last := out.Certificates[len(out.Certificates)-1]
	if out.Root = SelfSigned(last); !out.Root {
		out.Missing = last.Issuer.String()
	}
	for i, c := range out.Certificates[:len(out.Certificates)-1] {
		if !signedBy(c, out.Certificates[i+1]) {
			out.Broken = append(out.Broken, i)
		}
	}
	return out
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

// upwards is the chain from leaf to its last issuer, each certificate once.
func upwards(certs []*x509.Certificate, leaf *x509.Certificate) []*x509.Certificate {
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

// reordered reports whether those of the chain stood in another order.
func reordered(before, after []*x509.Certificate) bool {
	last := -1
	for _, c := range after {
		at := slices.IndexFunc(before, c.Equal)
		if at < last {
			return true
		}
		last = at
	}
	return false
}

// signedBy is true as well for signatures that the standard library does not
// check any more (SHA-1), and for keys whose check would take long.
func signedBy(c, issuer *x509.Certificate) bool {
	if k, ok := issuer.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > 16384 {
		return true
	}
	switch c.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return true
	}
	return issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// ChainPEM writes certificates one after the other.
func ChainPEM(certs []*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}
