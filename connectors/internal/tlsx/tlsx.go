// Package tlsx verifies servers and presents client certificates the same way
// for every protocol that runs over TLS.
package tlsx

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/keys"
)

// ServerAnswers are the form's answers about the server's certificate.
type ServerAnswers struct {
	CA         string `field:"ca"`
	ServerName string `field:"tls_name"`
	Pin        string `field:"tls_pin"`
}

// Answers add the certificate that this side presents.
type Answers struct {
	ServerAnswers
	Cert       string            `field:"client_cert"`
	Key        connectors.Secret `field:"client_key"`
	Passphrase connectors.Secret `field:"client_key_passphrase"`
}

// Spec is the answers as the vocabulary has them.
func (a ServerAnswers) Spec() connectors.TLS {
	return connectors.TLS{CA: a.CA, ServerName: a.ServerName, Pin: a.Pin}
}

// Spec is the answers as the vocabulary has them.
func (a Answers) Spec() connectors.TLS {
	t := a.ServerAnswers.Spec()
	t.Cert, t.Key, t.Passphrase = a.Cert, a.Key, a.Passphrase
	return t
}

// Presents reports whether there is a certificate to present.
func (a Answers) Presents() bool { return a.Cert != "" || Bundled(a.Key) }

// Fields are the advanced questions about TLS, shown when show holds; with
// clientCert they match Answers, else ServerAnswers.
func Fields(show []connectors.Cond, clientCert bool) []connectors.Field {
	out := []connectors.Field{
		{Key: "ca", Label: "CA certificate", Kind: connectors.Lines, Section: "Encryption", Advanced: true, Show: show,
			Help: "PEM. Only needed when the server's certificate comes from your company's own authority.", Tidy: answers.TidyPEM, Valid: validCerts},
		{Key: "tls_name", Label: "TLS server name", Kind: connectors.Text, Advanced: true, Show: show,
			Help: "When the certificate is made out to another name than the host.", Example: "db.example.com"},
		{Key: "tls_pin", Label: "Trusted fingerprint", Kind: connectors.Text, Advanced: true, Show: show,
			Help: "SHA-256 of the one certificate to trust, instead of an authority. Compare it with the administrator first.", Valid: validPin},
	}
	if clientCert {
		out = append(out,
			connectors.Field{Key: "client_cert", Label: "Client certificate", Kind: connectors.Lines, Section: "Client certificate", Advanced: true, Show: show,
				Help: "PEM, DER or P7B: your certificate and the ones that issued it. A PFX or Java key store belongs below; it has both.", Tidy: answers.TidyPEM, Valid: validCerts},
			connectors.Field{Key: "client_key", Label: "Private key of the certificate", Kind: connectors.SecretLines, Advanced: true, Show: show, Tidy: answers.TidyPEM,
				Help: "Any form: PEM, OpenSSH, PuTTY, or the whole PFX (.p12) or Java key store."},
			connectors.Field{Key: "client_key_passphrase", Label: "Passphrase of the private key", Kind: connectors.SecretText, Advanced: true, Show: show})
	}
	return out
}

func validCerts(v string) error {
	if _, err := parseCerts(v); err != nil {
		return err
	}
	return nil
}

// parseCerts reads PEM, a P7B, and DER as base64.
func parseCerts(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
		case "PKCS7", "CMS", "TRUSTED CERTIFICATE", "X509 CERTIFICATE":
			return otherCerts(text)
		default:
			return nil, fmt.Errorf("A certificate is expected here, and this is a %s.", strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errDamaged
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return otherCerts(text)
	}
	return out, nil
}

var errDamaged = errors.New("This certificate is damaged. Copy it again, from BEGIN CERTIFICATE to END CERTIFICATE.")

func otherCerts(text string) ([]*x509.Certificate, error) {
	switch keys.Identify([]byte(text)) {
	case keys.PFX, keys.JavaStore:
		return nil, errors.New("This file has a private key in it. Choose it under “Private key of the certificate”, and leave this empty.")
	case keys.Certificate, keys.PKCS7:
		items, _, err := keys.Read([]byte(text), connectors.Secret{})
		if certs := keys.Certificates(items); err == nil && len(certs) > 0 {
			return certs, nil
		}
		return nil, errDamaged
	}
	return nil, errors.New("A certificate in PEM form is expected here: it begins with -----BEGIN CERTIFICATE-----.")
}

func validPin(v string) error {
	sum, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(v, "SHA256:"), "="))
	if !strings.HasPrefix(v, "SHA256:") || err != nil || len(sum) != sha256.Size {
		return errors.New("A fingerprint is expected here, such as SHA256: followed by 43 letters and digits.")
	}
	return nil
}

// Fingerprint is "SHA256:" and the base64 of the certificate's hash, the form
// in which OpenSSH shows keys.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Config makes a client configuration that verifies host (or spec.ServerName).
// Verification cannot be switched off: a pin replaces the chain's check by one
// certificate's. Errors are *connectors.Error naming the field.
func Config(spec connectors.TLS, host string) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if spec.ServerName != "" {
		cfg.ServerName = spec.ServerName
	}
	if spec.Min != 0 {
		cfg.MinVersion = spec.Min
	}
	if spec.CA != "" {
		certs, err := parseCerts(spec.CA)
		if err != nil {
			return nil, bad("ca", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		for _, c := range certs {
			cfg.RootCAs.AddCert(c)
		}
	}
	if spec.Pin != "" {
		pin(cfg, spec.Pin)
	}
	if spec.Cert == "" && !Bundled(spec.Key) {
		return cfg, nil
	}
	pair, err := Pair(spec)
	if err != nil {
		return nil, err
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// pin replaces chain verification; VerifyConnection also runs on resumed
// sessions, which VerifyPeerCertificate does not.
func pin(cfg *tls.Config, want string) {
	cfg.InsecureSkipVerify = true
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return &connectors.Error{Code: connectors.Untrusted, Op: connectors.StageSecure}
		}
		if got := Fingerprint(s.PeerCertificates[0]); got != strings.TrimRight(want, "=") {
			return &connectors.Error{Code: connectors.HostChanged, Reason: "tls.pin_changed", Op: connectors.StageSecure, Field: "tls_pin", Said: got}
		}
		return nil
	}
}

// Bundled reports whether key is a file that has its certificate with it.
func Bundled(key connectors.Secret) bool {
	switch keys.Identify([]byte(key.Reveal())) {
	case keys.PFX, keys.JavaStore:
		return true
	case keys.PrivateKey:
		return strings.Contains(key.Reveal(), "BEGIN CERTIFICATE")
	}
	return false
}

// Pair reads the client certificate and its key, which must belong together.
// The key may come in any form that package keys opens; where it is a file that
// has its certificates with it, spec.Cert can be empty.
func Pair(spec connectors.TLS) (tls.Certificate, error) {
	var certs []*x509.Certificate
	var err error
	if spec.Cert != "" {
		if certs, err = parseCerts(spec.Cert); err != nil {
			return tls.Certificate{}, bad("client_cert", err)
		}
	}
	const key, passphrase = "client_key", "client_key_passphrase"
	items, err := keys.Use([]byte(spec.Key.Reveal()), spec.Passphrase)
	if err != nil {
		return tls.Certificate{}, keys.In(err, key, passphrase)
	}
	own := keys.First(items)
	switch {
	case own == nil:
		return tls.Certificate{}, bad(key, errors.New("There is no private key in this."))
	case own.Err != nil:
		return tls.Certificate{}, keys.In(own.Err, key, passphrase)
	}
	if certs == nil {
		certs = keys.Certificates(items)
	}
	if len(certs) == 0 {
		return tls.Certificate{}, bad("client_cert", errors.New("The certificate of the private key is missing. Paste it here."))
	}
	return paired(certs, own)
}

// paired puts the key's own certificate first where another one stands there.
func paired(certs []*x509.Certificate, own *keys.Item) (tls.Certificate, error) {
	if !keys.Same(certs[0].PublicKey, own.Public) {
		certs = keys.Order(certs, own.Public).Certificates
	}
	private, ok := own.Private.PEM()
	if !ok {
		return tls.Certificate{}, bad("client_key", errors.New("This kind of key cannot be used for TLS."))
	}
	pair, err := tls.X509KeyPair([]byte(keys.ChainPEM(certs)), []byte(private.Reveal()))
	if err != nil {
		return tls.Certificate{}, bad("client_key", errors.New("The private key does not belong to the client certificate."))
	}
	pair.Leaf = certs[0]
	return pair, nil
}

func bad(field string, err error) error {
	return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field, Said: err.Error(), Err: err}
}

// Handshake makes conn secure and says what was agreed on. ctx bounds it; on
// failure conn is closed and the error is classified.
func Handshake(ctx context.Context, conn net.Conn, cfg *tls.Config) (*tls.Conn, string, error) {
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if found := connectors.Classify(err); found.Code != connectors.Refused || found.Reason != "" {
			return nil, "", found
		}
		return nil, "", &connectors.Error{Code: connectors.Refused, Reason: "tls.not_tls", Op: connectors.StageSecure, Field: "port", Err: err}
	}
	return secure, Describe(secure.ConnectionState()), nil
}

// Describe says version, name and how the server was verified.
func Describe(s tls.ConnectionState) string {
	text := tls.VersionName(s.Version)
	if len(s.PeerCertificates) == 0 {
		return text
	}
	leaf := s.PeerCertificates[0]
	if len(s.VerifiedChains) == 0 {
		return text + ", pinned certificate " + Fingerprint(leaf)
	}
	name := leaf.Subject.CommonName
	if len(leaf.DNSNames) > 0 {
		name = leaf.DNSNames[0]
	}
	return fmt.Sprintf("%s, %s, valid until %s", text, name, leaf.NotAfter.Format("2006-01-02"))
}
