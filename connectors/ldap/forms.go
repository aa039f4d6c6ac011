package ldap

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers of the choices.
const (
	overTLS     = "ldaps"
	startTLS    = "starttls"
	plainText   = "none"
	simple      = "simple"
	byKerberos  = "kerberos"
	byKeytab    = "keytab"
	byNTLM      = "ntlm"
	certificate = "certificate"
	anonymous   = "anonymous"
	oneDomain   = "domain"
	wholeForest = "forest"
)

func form() connectors.Form {
	port := answers.PortField("", "636")
	port.Help = "Empty for the usual one: 636 for LDAPS, 389 otherwise; 3269 and 3268 for the whole forest."
	fields := []connectors.Field{
		answers.HostField("dc1.corp.example.com", splitURL),
		port,
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: overTLS, Options: []connectors.Option{
			{Value: overTLS, Label: "LDAPS", Help: "Encrypted from the first byte, usually on port 636."},
			{Value: startTLS, Label: "StartTLS", Help: "Begins in the clear on port 389 and switches to encryption before the sign-in."},
			{Value: plainText, Label: "None", Help: "The password and everything read travel in the clear: anybody in between can read them."},
		}, Help: "Without encryption, anybody in between can read the password."},
		{Key: "auth", Label: "Sign in", Kind: connectors.Choice, Default: simple, Section: "Sign-in", Options: []connectors.Option{
			{Value: simple, Label: "With user and password"},
			{Value: byKerberos, Label: "Kerberos, with a password", Help: "The password stays here and at the Kerberos server; the directory never sees it."},
			{Value: byKeytab, Label: "Kerberos, with a keytab", Help: "For accounts of services."},
			{Value: byNTLM, Label: "NTLM", Help: "Active Directory only, for accounts that cannot use Kerberos. Needs encryption."},
			{Value: certificate, Label: "Client certificate", Help: "Who you are stands in the certificate. Needs encryption."},
			{Value: anonymous, Label: "Anonymously", Help: "Only where the server lets everybody read."},
		}},
		{Key: "domain", Label: "Domain", Kind: connectors.Text, Example: "corp.example.com", Show: connectors.When("auth", simple, byNTLM), Tidy: tidyDomain, Valid: validDomain,
			Help: "Active Directory only: completes a bare user name. CORP or corp.example.com."},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Example: "alice@corp.example.com", Show: connectors.When("auth", simple, byNTLM, byKerberos, byKeytab),
			Help: "alice@corp.example.com, CORP\\alice, or a full DN such as uid=alice,ou=people,dc=example,dc=com. Kerberos and NTLM take no DN."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", simple, byNTLM, byKerberos)},
		{Key: "keytab", Label: "Keytab", Kind: connectors.SecretLines, Required: true, Show: connectors.When("auth", byKeytab),
			Help: "The file that the administrator made with ktpass, ktutil or msktutil, or its content as base64 text."},
		{Key: "realm", Label: "Realm", Kind: connectors.Text, Example: "CORP.EXAMPLE.COM", Show: connectors.When("auth", byKerberos, byKeytab),
			Help: "The Kerberos name of the domain. Left empty it is what stands behind the @ of the user, in capital letters."},
		{Key: "kdc", Label: "Kerberos server (KDC)", Kind: connectors.Text, Example: "dc1.corp.example.com", Advanced: true, Show: connectors.When("auth", byKerberos, byKeytab),
			Help: "Left empty it is looked up in the DNS, and else the host is asked itself, as every domain controller can be."},
		{Key: "spn", Label: "Service name (SPN)", Kind: connectors.Text, Example: "ldap/dc1.corp.example.com", Advanced: true, Show: connectors.When("auth", byKerberos, byKeytab),
			Help: "Left empty it is ldap/ and the host. Needed where the host is an address or a nickname."},
		{Key: "base_dn", Label: "Base DN", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "DC=corp,DC=example,DC=com", Tidy: tidyBase, Valid: validBase,
			Help: "Where to begin. Leave empty for the top of what the server offers."},
		{Key: "catalog", Label: "Search in", Kind: connectors.Choice, Default: oneDomain, Advanced: true, Options: []connectors.Option{
			{Value: oneDomain, Label: "One domain"},
			{Value: wholeForest, Label: "The whole forest", Help: "Active Directory's global catalog on port 3269 or 3268: all domains, but only some attributes of each entry."},
		}, Help: "Active Directory only."},
	}
	fields = slices.Insert(fields, len(fields)-1, filterFields()...)
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("security", overTLS, startTLS), true)...)}
}

// splitURL understands an LDAP URL (RFC 4516) and host:port. An ldap:// URL says
// nothing about encryption, so it never leads to a sign-in in the clear.
func splitURL(v string) map[string]string {
	v = strings.TrimSpace(v)
	if !strings.Contains(v, "://") {
		return answers.SplitPort(v)
	}
	out := answers.SplitScheme("base_dn", "security", map[string]string{"ldaps": overTLS, "ldap": startTLS})(v)
	delete(out, "user")
	return out
}

func tidyDomain(v string) string {
	return strings.TrimSuffix(strings.TrimLeft(strings.TrimSpace(v), "@"), `\`)
}

func validDomain(v string) error {
	if strings.ContainsAny(v, `\/@=, `) {
		return errors.New("A domain is expected here, such as CORP or corp.example.com.")
	}
	return nil
}

var domainShape = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// tidyBase writes a domain name as the DN that RFC 2247 makes of it.
func tidyBase(v string) string {
	v = strings.TrimSpace(v)
	if !domainShape.MatchString(v) {
		return v
	}
	return "DC=" + strings.Join(strings.Split(v, "."), ",DC=")
}

func validBase(v string) error {
	if _, err := ldap.ParseDN(v); err != nil || !strings.Contains(v, "=") {
		return errors.New("A distinguished name is expected here, such as DC=corp,DC=example,DC=com.")
	}
	return nil
}
