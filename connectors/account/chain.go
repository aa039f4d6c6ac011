package account

import (
	"crypto/x509"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/keys"
)

type chainConfig struct {
	Source       string            `field:"source"`
	Certificates string            `field:"client_cert"`
	Key          connectors.Secret `field:"client_key"`
	Bundle       connectors.Secret `field:"certificate_file"`
	Passphrase   connectors.Secret `field:"client_key_passphrase"`
	UsedFor      string            `field:"used_for"`
}

// The fields of certificates and keys have the names that other forms give
// them, so that these can take their answers from here.
const (
	fieldCert       = "client_cert"
	fieldKey        = "client_key"
	fieldBundle     = "certificate_file"
	fieldPassphrase = "client_key_passphrase"
)

// place is the field that holds the certificates, and what is in it.
func (c chainConfig) place() (field, text string) {
	if c.Source == "file" {
		return fieldBundle, c.Bundle.Reveal()
	}
	return fieldCert, c.Certificates
}

func certificateChain() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "certificate_chain", Name: "Certificate chain", Tile: "CE",
		Summary:  "Certificates in the right order: names, validity, issuers, and whether the key fits",
		Where:    []string{"used_for"},
		Keywords: []string{"tls", "ssl", "x509", "pem", "crt", "cer", "pfx", "p12", "p7b", "ca", "client certificate", "jks"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "source", Label: "What you have", Kind: connectors.Choice, Default: "parts", Section: "Certificate", Options: []connectors.Option{
				{Value: "parts", Label: "Certificates, and the key apart", Help: "PEM, DER or P7B."},
				{Value: "file", Label: "One file with both", Help: "PFX (.p12), a Java key store, or PEM with the key in it."},
			}},
			{Key: fieldCert, Label: "Certificates", Kind: connectors.Lines, Required: true, Show: connectors.When("source", "parts"), Valid: validCertificates, Tidy: answers.TidyPEM,
				Help: "PEM, DER or P7B. Paste them in any order, or choose the file."},
			{Key: fieldKey, Label: "Private key", Kind: connectors.SecretLines, Show: connectors.When("source", "parts"), Tidy: answers.TidyPEM, Help: "Only when it is to be checked, or used by other connections."},
			{Key: fieldBundle, Label: "File", Kind: connectors.SecretLines, Required: true, Show: connectors.When("source", "file"), Tidy: answers.TidyPEM, Help: "PFX (.p12), a Java key store, or PEM with the key in it."},
			{Key: fieldPassphrase, Label: "Passphrase of the file or key", Kind: connectors.SecretText, Help: "Only when it is locked with one."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Choose the file that the certificate authority sent you, and paste the intermediate certificates after it.", "After linking, the whole chain is there as PEM in the right order, ready to copy."},
			Notes: []string{"Servers send the leaf and the intermediate certificates, and leave the root out.", "Public authorities issue for fewer than 398 days, so note when it expires."},
		},
	}), offline(readChain))
}

// validCertificates keeps private keys out of an answer that is not stored as a secret.
func validCertificates(v string) error {
	if validPublic(v) != nil {
		return sentence("This holds a private key. Choose “One file with both” above, and paste it there.")
	}
	return nil
}

func readChain(c chainConfig, now time.Time) (*found, error) {
	f, err := inspectChain(c, now)
	return f, renamed(err, keys.FieldPassphrase, fieldPassphrase)
}

func inspectChain(c chainConfig, now time.Time) (*found, error) {
	field, text := c.place()
	items, repairs, err := read(field, text, c.Passphrase)
	if err != nil {
		return nil, instead(err, field, text)
	}
	var certs []*x509.Certificate
	for _, i := range pick(items, keys.Certificate) {
		certs = append(certs, i.Certificate)
	}
	if len(certs) == 0 {
		return nil, kindError(field, keys.Identify([]byte(text)))
	}
	own, err := chainKey(c, items)
	if err != nil {
		return nil, err
	}
	var public any
	if own != nil {
		public = own.Public
	}
	chain := keys.Order(certs, public)
	leaf := chain.Certificates[0]
	if own != nil && !keys.Same(leaf.PublicKey, own.Public) {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.key_mismatch", Field: keyField(c), Target: keys.Subject(leaf)}
	}
	f := &found{said: keys.Subject(leaf)}
	f.facts.add("Account", keys.Subject(leaf))
	leafFacts(&f.facts, leaf)
	chainFacts(&f.facts, chain)
	if own != nil {
		f.facts.add("Private key", "belongs to the certificate")
		f.facts.add("Encrypted with", own.Locked)
	}
	repaired(&f.facts, repairs)
	f.facts.add("Used for", c.UsedFor)
	chainWarnings(f, field, chain, now)
	f.things = chainThings(chain)
	return f, nil
}

func keyField(c chainConfig) string {
	if c.Key.Empty() {
		field, _ := c.place()
		return field
	}
	return fieldKey
}

// chainKey is the key of its own field, else the one that came with the
// certificates; nil where there is none. A locked one beside PEM certificates is
// left alone as long as nobody gave its passphrase.
func chainKey(c chainConfig, items []keys.Item) (*keys.Item, error) {
	field, _ := c.place()
	text := ""
	if !c.Key.Empty() {
		field, text = fieldKey, c.Key.Reveal()
		var err error
		if items, _, err = read(field, text, c.Passphrase); err != nil {
			return nil, instead(err, field, text)
		}
	}
	private := pick(items, keys.PrivateKey)
	switch {
	case len(private) == 0 && text != "":
		return nil, kindError(field, keys.Identify([]byte(text)))
	case len(private) == 0:
		return nil, nil
	}
	key := private[0]
	if key.Err != nil && (text != "" || !c.Passphrase.Empty()) {
		return nil, named(key.Err, field)
	}
	if key.Public == nil {
		return nil, nil
	}
	return &key, nil
}

func leafFacts(f *facts, c *x509.Certificate) {
	f.add("Names", strings.Join(keys.CertificateNames(c), ", "))
	f.add("Issuer", c.Issuer.String())
	f.time("Valid from", c.NotBefore)
	f.time("Expires", c.NotAfter)
	i := keys.Item{}
	i.Algorithm, i.Bits, i.Curve = keys.Describe(c.PublicKey)
	f.add("Key", algorithm(i))
	f.add("Signed with", c.SignatureAlgorithm.String())
	s := keys.CertificateStrength(c)
	f.add("Strength", string(s.Level))
	f.add("Note", strings.Join(s.Notes, "; "))
	f.add("Usage", keys.Usages(c))
}

func chainFacts(f *facts, c keys.Chain) {
	f.count("Certificates", len(c.Certificates)+len(c.Others))
	order := "leaf first, as servers send them"
	if c.Reordered {
		order = "they stood in another order and were put right: leaf first"
	}
	f.add("Order", order)
	switch {
	case c.Root && len(c.Certificates) == 1:
		f.add("Chain", "one self-signed certificate")
	case c.Root:
		f.add("Chain", "complete, with its root; servers leave the root out")
	default:
		f.add("Chain", "ends at a certificate of "+c.Missing+", whose own is not here; that is usual when it is a root")
	}
	if len(c.Others) > 0 {
		f.count("Not of this chain", len(c.Others))
	}
}

// chainWarnings go by the leaf first: its end is the chain's.
func chainWarnings(f *found, field string, c keys.Chain, now time.Time) {
	for _, cert := range c.Certificates {
		validity(f, field, keys.Subject(cert), cert.NotBefore, cert.NotAfter, now)
	}
	if len(c.Broken) > 0 {
		f.warn(&connectors.Error{Code: connectors.Untrusted, Reason: "account.broken_chain", Field: field, Target: keys.Subject(c.Certificates[c.Broken[0]])})
	}
	for _, cert := range c.Certificates {
		weakKey(f, field, keys.CertificateStrength(cert))
	}
}

func chainThings(c keys.Chain) []*thing {
	var out []*thing
	for n, cert := range c.Certificates {
		out = append(out, certificateThing(n, cert))
	}
	out = append(out, document("chain", "Chain as PEM, leaf first", "chain", mediaPEM, keys.ChainPEM(c.Certificates)))
	if c.Root && len(c.Certificates) > 1 {
		out = append(out, document("without-root", "Chain as PEM, without the root", "chain", mediaPEM, keys.ChainPEM(c.Certificates[:len(c.Certificates)-1])))
	}
	for n, cert := range c.Others {
		out = append(out, certificateThing(len(c.Certificates)+n, cert))
	}
	return out
}

func certificateThing(n int, c *x509.Certificate) *thing {
	var f facts
	f.add("Subject", c.Subject.String())
	leafFacts(&f, c)
	f.add("Serial number", c.SerialNumber.Text(16))
	if c.IsCA {
		f.add("Authority", "yes: it may issue certificates")
	}
	if keys.SelfSigned(c) {
		f.add("Self-signed", "yes")
	}
	long, short := keys.CertificateFingerprints(c)
	f.add("SHA-256 fingerprint", long)
	f.add("SHA-1 fingerprint", short)
	f.add("SPKI fingerprint (SHA-256)", keys.KeyFingerprints(c.PublicKey).SPKI)
	parts := []*thing{document("pem", "Certificate as PEM", "certificate", mediaPEM, keys.ChainPEM([]*x509.Certificate{c}))}
	i := keys.Item{Public: c.PublicKey}
	return branch("certificate-"+digits(n+1), keys.Subject(c), "certificate", f, append(parts, publicParts(i)...)...)
}
