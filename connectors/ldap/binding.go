package ldap

import (
	"crypto"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
)

// bindings are what a sign-in is tied to the TLS connection with, so that nobody
// in between can use it on another one: the MD5 of the structure of RFC 4121
// section 4.1.1.2 around tls-server-end-point (RFC 5929 section 4). NTLM takes
// the same (MS-NLMP 3.1.5.1.2). nil where the certificate's signature has no one hash.
func bindings(state tls.ConnectionState) []byte {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	hash := endPointHash(leaf.SignatureAlgorithm)
	if hash == 0 {
		return nil
	}
	h := hash.New()
	h.Write(leaf.Raw)
	data := append([]byte("tls-server-end-point:"), h.Sum(nil)...)
	// No addresses of either side: four empty words.
	text := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(data)))
	sum := md5.Sum(append(text, data...))
	return sum[:]
}

// endPointHash is the hash of the certificate's signature, SHA-256 instead of
// the broken ones.
func endPointHash(a x509.SignatureAlgorithm) crypto.Hash {
	switch a {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256:
		return crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return crypto.SHA512
	}
	return 0
}
