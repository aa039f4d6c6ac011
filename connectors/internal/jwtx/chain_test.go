package jwtx

import (
	"crypto/x509"
	"strings"
	"testing"

	"jackfield/connectors"
)

func subjects(certs []*x509.Certificate) string {
	var out []string
	for _, c := range certs {
		out = append(out, c.Subject.CommonName)
	}
	return strings.Join(out, " < ")
}

func TestSecurity52_TheChainIsPutInOrderAndTheKeyBelongsToIt(t *testing.T) {
	l, other := newLine(t), newLine(t)
	key, err := ToPEM(l.key)
	if err != nil {
		t.Fatal(err)
	}
	root, middle, leaf := l.certs[0], l.certs[1], l.certs[2]
	for name, text := range map[string]string{
		"upside down": pemOf(root, middle, leaf) + key, "key first": key + pemOf(leaf, middle, root), "mixed": pemOf(middle) + key + pemOf(root, leaf),
		"with others of the same names": pemOf(other.certs...) + pemOf(root, middle, leaf, leaf, middle) + key, "literal \\n": strings.ReplaceAll(pemOf(root, leaf, middle)+key, "\n", `\n`),
	} {
		certs, secret, err := Chain(text, none)
		if err != nil || certs != pemOf(leaf, middle, root) || secret.Reveal() != key {
			t.Errorf("%s: %v\n%s", name, err, certs)
		}
	}
	if certs, _, err := Chain(pemOf(root, leaf)+key, none); err != nil || certs != pemOf(leaf) {
		t.Errorf("a gap in the chain: %v", err)
	}
	for name, c := range map[string]struct{ text, reason string }{
		"another's key": {pemOf(other.certs...) + key, "jwt.key_mismatch"}, "no certificate": {key, "jwt.no_certificate"}, "no key": {pemOf(leaf), "jwt.certificate"},
		"a damaged certificate": {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" + key, "jwt.certificate_damaged"}, "nothing": {"", "jwt.no_certificate"},
		"text": {"practice", "jwt.no_certificate"}, "much": {strings.Repeat("A", maxText+1), "jwt.key_large"},
	} {
		certs, secret, err := Chain(c.text, none)
		wants(t, name, err, c.reason, fieldKey, "")
		if certs != "" || !secret.Empty() {
			t.Errorf("%s: something came back", name)
		}
	}
}

func TestCertificatesBeginWithTheLeaf(t *testing.T) {
	l := newLine(t)
	for _, text := range []string{pemOf(l.certs...), pemOf(l.certs[1], l.certs[2], l.certs[0]), pemOf(l.certs[2], l.certs[1], l.certs[0])} {
		certs, err := Certificates(text, none)
		if err != nil || subjects(certs) != "practice-only leaf < practice intermediate < practice root" {
			t.Errorf("%v: %s", err, subjects(certs))
		}
	}
	if certs, err := Certificates(pemOf(l.certs[0]), connectors.NewSecret("unused")); err != nil || len(certs) != 1 {
		t.Errorf("a root alone: %v", err)
	}
}
