package sshx

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// certAfterAll is the ValidBefore of a certificate that never runs out
// (PROTOCOL.certkeys of OpenSSH).
const certAfterAll = uint64(1<<64 - 1)

// Certificate reads the one line of a …-cert.pub file. Errors are
// *connectors.Error with the field "certificate".
func Certificate(line string) (*ssh.Certificate, error) {
	if len(line) > maxKey {
		return nil, certError(connectors.BadInput, "ssh.not_a_cert", "", nil)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	cert, ok := key.(*ssh.Certificate)
	switch {
	case err != nil, !ok:
		return nil, certError(connectors.BadInput, "ssh.not_a_cert", "", err)
	case cert.CertType != ssh.UserCert:
		return nil, certError(connectors.BadInput, "ssh.cert_of_host", "", nil)
	}
	return cert, nil
}

// Certified joins key and certificate, and finds offline what a server would
// refuse without saying why: another key's certificate, or one out of its time.
// Whether its principals fit only the server knows: it may map them to users
// (sshd_config(5), AuthorizedPrincipalsFile).
func Certified(cert *ssh.Certificate, key ssh.Signer, now time.Time) (ssh.Signer, error) {
	if !bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) {
		return nil, certError(connectors.BadInput, "ssh.cert_of_another_key", "the certificate is for "+ssh.FingerprintSHA256(cert.Key)+", the key is "+ssh.FingerprintSHA256(key.PublicKey()), nil)
	}
	if at := uint64(now.Unix()); at >= cert.ValidBefore && cert.ValidBefore != certAfterAll {
		return nil, certError(connectors.Expired, "ssh.cert_expired", "it was valid until "+stamp(cert.ValidBefore), nil)
	} else if at < cert.ValidAfter {
		return nil, certError(connectors.BadInput, "ssh.cert_not_yet", "it is valid from "+stamp(cert.ValidAfter), nil)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		return nil, certError(connectors.BadInput, "ssh.cert_of_another_key", "", err)
	}
	return signer, nil
}

func certError(code connectors.Code, reason, said string, err error) error {
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageSignIn, Field: "certificate", Said: said, Err: err}
}

// names reports whether the certificate speaks of the user, as far as that can
// be seen in it.
func names(cert *ssh.Certificate, user string) bool {
	return slices.Contains(cert.ValidPrincipals, user)
}

// CertFacts tell what stands in a certificate.
func CertFacts(cert *ssh.Certificate) []connectors.Fact {
	facts := []connectors.Fact{
		{Label: "Certificate", Text: connectors.Clean(cert.KeyId, 200) + " (serial " + strconv.FormatUint(cert.Serial, 10) + ")"},
		{Label: "Principals", Text: connectors.Clean(strings.Join(cert.ValidPrincipals, ", "), 300)},
		{Label: "Signed by", Text: ssh.FingerprintSHA256(cert.SignatureKey)},
	}
	if cert.ValidAfter > 0 {
		facts = append(facts, connectors.Fact{Label: "Valid from", Text: stamp(cert.ValidAfter)})
	}
	if cert.ValidBefore != certAfterAll {
		facts = append(facts, connectors.Fact{Label: "Expires", Text: stamp(cert.ValidBefore)})
	}
	for _, option := range []string{"force-command", "source-address"} {
		if v, ok := cert.CriticalOptions[option]; ok {
			facts = append(facts, connectors.Fact{Label: "Certificate: " + option, Text: connectors.Clean(v, 200)})
		}
	}
	return facts
}

// stamp writes seconds since 1970; a hostile file may hold any number.
func stamp(at uint64) string {
	return time.Unix(int64(min(at, 253402300799)), 0).UTC().Format(time.RFC3339) // 9999-12-31
}
