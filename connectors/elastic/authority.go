package elastic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// authority asks the server for the certificate that the fingerprint stands for, and
// returns it as PEM once the server's own certificate was verified with it. From
// then on it is what the connection trusts, and nothing else is.
func authority(ctx context.Context, env *connectors.Env, c config) (string, error) {
	want, err := fingerprint(c.Print)
	if err != nil {
		return "", &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "ca_fingerprint", Err: err}
	}
	conn, err := env.Dial(ctx, "tcp", c.addr())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	out := ""
	err = env.Climb(ctx, connectors.StageSecure, c.Host, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			return "", err
		}
		name := cfg.ServerName
		cfg.InsecureSkipVerify = true // VerifyConnection does it, with the one authority
		cfg.VerifyConnection = func(s tls.ConnectionState) error {
			out, err = vouched(s.PeerCertificates, want, name)
			return err
		}
		safe, said, err := tlsx.Handshake(ctx, conn, cfg)
		if err != nil {
			return "", c.unreached(err)
		}
		return said, safe.Close()
	})
	return out, err
}

// vouched verifies a chain by the certificate in it that has the fingerprint.
func vouched(chain []*x509.Certificate, want []byte, name string) (string, error) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	out := ""
	for _, cert := range chain {
		if sum := sha256.Sum256(cert.Raw); bytes.Equal(sum[:], want) {
			roots.AddCert(cert)
			out = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
		} else {
			between.AddCert(cert)
		}
	}
	if out == "" {
		return "", &connectors.Error{Code: connectors.Untrusted, Reason: "elastic.other_authority", Op: connectors.StageSecure, Field: "ca_fingerprint"}
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: name})
	return out, err
}
