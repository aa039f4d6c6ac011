package keys

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"
)

// soon is how long before its end a certificate should be renewed.
const soon = 30 * 24 * time.Hour

// maxChain bounds how many certificates are put in order; a longer list is a collection.
const maxChain = 100

func (in *inspector) certificate(n int, c *x509.Certificate) {
	days := int(c.NotAfter.Sub(in.Now).Hours() / 24)
	switch {
	case in.Now.After(c.NotAfter):
		in.find(n, "expired", Bad, say("expired", Subject(c), date(c.NotAfter)))
	case in.Now.Before(c.NotBefore):
		in.find(n, "not_yet", Bad, say("not_yet", Subject(c), date(c.NotBefore)))
	case c.NotAfter.Sub(in.Now) < soon:
		in.find(n, "expires_soon", Warning, say("expires_soon", Subject(c), days64(days), date(c.NotAfter)))
	default:
		in.find(n, "valid", Good, say("valid", Subject(c), date(c.NotAfter), days64(days)))
	}
	if old := oldSignature(c); old != "" && !SelfSigned(c) {
		in.find(n, "weak_signature", Bad, say("weak_signature", old))
	}
	if c.IsCA {
		return
	}
	in.usage(n, c)
	if names := CertificateNames(c); len(names) > 0 {
		in.find(n, "names", Good, say("names", listed(names)))
	} else if usable(c, x509.ExtKeyUsageServerAuth) {
		in.find(n, "no_names", Warning, say("no_names"))
	}
}

func oldSignature(c *x509.Certificate) string {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA:
		return "MD2"
	case x509.MD5WithRSA:
		return "MD5"
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "SHA-1"
	}
	return ""
}

// usable goes by the extended key usage (RFC 5280 section 4.2.1.12); none means all.
func usable(c *x509.Certificate, use x509.ExtKeyUsage) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, use) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

func (in *inspector) usage(n int, c *x509.Certificate) {
	server, client := usable(c, x509.ExtKeyUsageServerAuth), usable(c, x509.ExtKeyUsageClientAuth)
	switch {
	case server && !client:
		in.find(n, "server_only", Note, say("server_only"))
	case client && !server:
		in.find(n, "client_only", Note, say("client_only"))
	case !client && !server:
		in.find(n, "no_tls", Warning, say("no_tls", Usages(c)))
	}
}

// whole judges how the parts belong together.
func (in *inspector) whole() {
	certs := in.certs()
	if len(certs) == 0 {
		return
	}
	item, public := in.private()
	if public != nil {
		own := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return Same(c.PublicKey, public) })
		if own >= 0 {
			in.find(item, "key_matches", Good, say("key_matches", Subject(certs[own])))
		} else {
			in.find(item, "key_other", Bad, say("key_other"))
		}
	}
	roots := 0
	for _, c := range certs {
		if SelfSigned(c) && c.IsCA {
			roots++
		}
	}
	if len(certs) > maxChain || roots > 1 && roots == len(certs) {
		in.find(-1, "collection", Note, say("collection", count64(len(certs))))
		return
	}
	in.chain(Order(certs, public))
}

func (in *inspector) chain(c Chain) {
	if c.Reordered {
		in.find(-1, "chain_order", Warning, say("chain_order"))
	}
	for _, at := range c.Broken {
		in.find(-1, "chain_broken", Bad, say("chain_broken", Subject(c.Certificates[at]), Subject(c.Certificates[at+1])))
	}
	if len(c.Others) > 0 {
		var names []string
		for _, o := range c.Others {
			names = append(names, Subject(o))
		}
		in.find(-1, "chain_others", Note, say("chain_others", listed(names)))
	}
	in.trust(c)
}

// trust verifies offline; revocation is not looked at.
func (in *inspector) trust(c Chain) {
	leaf, last := c.Certificates[0], c.Certificates[len(c.Certificates)-1]
	between := x509.NewCertPool()
	for _, cert := range c.Certificates {
		if tooLarge(cert.PublicKey) {
			in.find(-1, "trust_unknown", Warning, say("trust_unknown"))
			return
		}
		between.AddCert(cert)
	}
	at := in.Now
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) { // what is said of the dates is said elsewhere
		at = leaf.NotAfter.Add(-time.Minute)
	}
	found, err := leaf.Verify(x509.VerifyOptions{Roots: in.Roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err == nil {
		for _, cert := range found[0][1 : len(found[0])-1] {
			if in.Now.After(cert.NotAfter) {
				in.find(-1, "chain_expired", Bad, say("chain_expired", Subject(cert)))
			}
		}
		in.find(-1, "trusted", Good, say("trusted", Subject(found[0][len(found[0])-1])))
		return
	}
	var unknown x509.UnknownAuthorityError
	switch {
	case len(c.Certificates) == 1 && c.Root && !leaf.IsCA:
		in.find(-1, "self_signed", Warning, say("self_signed"))
	case c.Root && leaf.IsCA && len(c.Certificates) == 1:
		in.find(-1, "private_root", Note, say("private_root", Subject(leaf)))
	case c.Root:
		in.find(-1, "private_authority", Warning, say("private_authority", Subject(last)))
	case c.Missing != "":
		in.find(-1, "issuer_missing", Warning, say("issuer_missing", Subject(last), c.Missing))
	case !errors.As(err, &unknown):
		in.find(-1, "untrusted", Bad, say("untrusted"))
	}
}

// listed are names with commas, the first twenty.
func listed(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + count64(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}
