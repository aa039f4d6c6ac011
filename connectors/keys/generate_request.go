package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The names that Error.Field has for NewRequest and NewSelfSigned.
const (
	FieldCommonName   = "common_name"
	FieldOrganization = "organization"
	FieldUnit         = "unit"
	FieldLocality     = "locality"
	FieldProvince     = "province"
	FieldCountry      = "country"
	FieldDNS          = "dns"
	FieldIPs          = "ips"
	FieldEmails       = "emails"
	FieldValidFor     = "valid_for"
)

// RequestFor is whom a certificate is for. A common name that is a host name is
// taken among the DNS names, too: servers' certificates are checked by these
// alone (RFC 9525).
type RequestFor struct {
	CommonName, Organization, Unit, Locality, Province, Country string // Country has two letters
	DNS, IPs, Emails                                            []string
}

const (
	maxNames = 100
	maxValid = 10 * 366 * 24 * time.Hour
	backdate = 5 * time.Minute // for clocks that are behind
)

// NewRequest makes a certificate request (CSR, PKCS#10) in PEM, signed with key:
// an item with a private key of RSA, ECDSA or Ed25519. The error is an
// *connectors.Error whose Field is one of the above, or FieldKey.
func NewRequest(key Item, r RequestFor) (string, error) {
	signer, err := signerFor(key)
	if err != nil {
		return "", err
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: n.subject, DNSNames: n.dns, IPAddresses: n.ips, EmailAddresses: n.emails,
	}, signer)
	if err != nil {
		return "", refuse("keys.request_key", FieldKey, "")
	}
	return string(pemOf("CERTIFICATE REQUEST", der)), nil
}

// NewSelfSigned makes a certificate that its own key signed: for tests, for
// devices, and for services that take whatever certificate they were shown
// before. It is for TLS servers and clients and issues no others. It is valid
// from five minutes before now until validFor after it, at most ten years.
// Errors are those of NewRequest.
func NewSelfSigned(key Item, r RequestFor, validFor time.Duration, now time.Time) (Item, error) {
	signer, err := signerFor(key)
	if err != nil {
		return Item{}, err
	}
	n, err := r.names()
	if err != nil {
		return Item{}, err
	}
	if validFor <= 0 || validFor > maxValid {
		return Item{}, refuse("keys.request_time", FieldValidFor, "")
	}
	template := &x509.Certificate{
		Subject: n.subject, DNSNames: n.dns, IPAddresses: n.ips, EmailAddresses: n.emails,
		NotBefore: now.Add(-backdate), NotAfter: now.Add(validFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if _, ok := signer.Public().(*rsa.PublicKey); ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		return Item{}, refuse("keys.request_key", FieldKey, "")
	}
	return certificateItem(der, "new")
}

// signerFor is a key that certificates can be made with.
func signerFor(key Item) (crypto.Signer, error) {
	if key.Private == nil {
		if key.Err != nil {
			return nil, key.Err
		}
		return nil, refuse("keys.write_no_private", FieldKey, "")
	}
	fine, err := sound(key.Private.Key())
	if err != nil {
		return nil, err
	}
	signer, ok := fine.(crypto.Signer)
	if !ok || !slices.Contains(append(common(), "P-224"), kindOfKey(key.Public)) {
		return nil, refuse("keys.request_key", FieldKey, "")
	}
	return signer, nil
}

// certificateNames are a RequestFor that was checked.
type certificateNames struct {
	subject     pkix.Name
	dns, emails []string
	ips         []net.IP
}

func (r RequestFor) names() (certificateNames, error) {
	var n certificateNames
	if err := r.checkSubject(); err != nil {
		return n, err
	}
	if err := n.take(r); err != nil {
		return n, err
	}
	common := strings.TrimSpace(r.CommonName)
	if host, ok := hostName(common); ok && strings.Contains(host, ".") && net.ParseIP(host) == nil {
		common = host
		if !slices.Contains(n.dns, host) {
			n.dns = append([]string{host}, n.dns...)
		}
	}
	if common == "" && len(n.dns)+len(n.ips)+len(n.emails) == 0 {
		return n, refuse("keys.request_name", FieldCommonName, "")
	}
	n.subject = pkix.Name{CommonName: common, Organization: some(r.Organization), OrganizationalUnit: some(r.Unit),
		Locality: some(r.Locality), Province: some(r.Province), Country: some(strings.ToUpper(r.Country))}
	return n, nil
}

func some(text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return []string{text}
}

// checkSubject has the upper bounds of RFC 5280 appendix A.1.
func (r RequestFor) checkSubject() error {
	for _, c := range []struct {
		field, text string
		most        int
	}{
		{FieldCommonName, r.CommonName, 64}, {FieldOrganization, r.Organization, 64}, {FieldUnit, r.Unit, 64},
		{FieldLocality, r.Locality, 128}, {FieldProvince, r.Province, 128},
	} {
		if utf8.RuneCountInString(c.text) > c.most || !utf8.ValidString(c.text) || strings.ContainsFunc(c.text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return refuse("keys.request_text", c.field, "")
		}
	}
	if !regexp.MustCompile(`^(?:[A-Za-z]{2})?$`).MatchString(strings.TrimSpace(r.Country)) {
		return refuse("keys.request_country", FieldCountry, "")
	}
	return nil
}

func (n *certificateNames) take(r RequestFor) error {
	if len(r.DNS)+len(r.IPs)+len(r.Emails) > maxNames {
		return refuse("keys.request_many", FieldDNS, "")
	}
	for _, text := range r.DNS {
		host, ok := hostName(strings.TrimSpace(text))
		if !ok || net.ParseIP(host) != nil {
			return refuse("keys.request_dns", FieldDNS, text)
		}
		n.dns = append(n.dns, host)
	}
	for _, text := range r.IPs {
		ip := net.ParseIP(strings.TrimSpace(text))
		if ip == nil {
			return refuse("keys.request_ip", FieldIPs, text)
		}
		n.ips = append(n.ips, ip)
	}
	for _, text := range r.Emails {
		a, err := mail.ParseAddress(strings.TrimSpace(text))
		if err != nil || a.Address != strings.TrimSpace(text) || asciiOnly(a.Address) != a.Address {
			return refuse("keys.request_email", FieldEmails, text)
		}
		n.emails = append(n.emails, a.Address)
	}
	return nil
}

// hostName is a name as DNS has it, in ASCII; its first label may be "*"
// (RFC 6125 section 6.4.3).
func hostName(text string) (string, bool) {
	rest, wild := strings.CutPrefix(text, "*.")
	ascii, err := idna.Lookup.ToASCII(rest)
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
	}
	if wild {
		ascii = "*." + ascii
	}
	return ascii, true
}
