// Package ldap is the connection type for directories: LDAP version 3
// (RFC 4511) as OpenLDAP and Active Directory speak it, with every usual way to
// sign in and the global catalog. Nothing is ever written.
package ldap

import (
	"context"
	"net"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

type config struct {
	Host     string            `field:"host"`
	Security string            `field:"security"`
	Port     int               `field:"port"`
	Auth     string            `field:"auth"`
	Domain   string            `field:"domain"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Keytab   connectors.Secret `field:"keytab"`
	Realm    string            `field:"realm"`
	KDC      string            `field:"kdc"`
	SPN      string            `field:"spn"`
	BaseDN   string            `field:"base_dn"`
	Show     string            `field:"show"`
	Filter   string            `field:"filter"`
	Catalog  string            `field:"catalog"`
	tlsx.Answers
}

// Type is the LDAP server or Active Directory domain controller.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "ldap", Name: "LDAP / Active Directory", Group: connectors.GroupDirectories, Tile: "LD",
		Summary:  "People, groups and units of a directory",
		Keywords: []string{"active directory", "ad", "openldap", "domain controller", "directory", "ldaps", "users", "groups", "ou", "samba", "kerberos", "ntlm", "global catalog", "freeipa", "389"},
		Where:    []string{"host", "base_dn"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Active Directory: the host is any domain controller; in a Windows command prompt, “echo %LOGONSERVER%” names one and “whoami /upn” your user name.",
				"OpenLDAP and others: whoever runs the server tells the host and the full DN of an account that may search.",
				"Kerberos: the host must be the server's full name, such as dc1.corp.example.com; its address alone is not enough. A keytab comes from ktpass, ktutil or msktutil.",
				"Leave the base DN empty to begin at the top of what the server offers.",
			},
			Rights: "Reading the entries below the base DN. In Active Directory every domain user has this. Nothing is ever written.",
			Admin:  "Make an account for searching, with a password and read access below the base DN. If your own authority issued the server's certificate, hand out that authority's certificate too.",
			Links:  []connectors.Link{{Text: "LDAP over TLS in Active Directory", URL: "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/enable-ldap-over-ssl-3rd-certification-authority"}},
		},
	}, open)
}

// bindName is the name to sign in with: as typed when it already says where the
// user belongs, else completed with the domain. A dot tells the DNS name
// (user@domain) from the NetBIOS name (DOMAIN\user); see MS-ADTS 5.1.1.1.1.
func bindName(domain, user string) string {
	switch {
	case domain == "" || strings.ContainsAny(user, `=@\`):
		return user
	case strings.Contains(domain, "."):
		return user + "@" + domain
	}
	return domain + `\` + user
}

// The ports of LDAP and LDAPS in the registry of IANA, and of the global catalog of MS-ADTS.
const (
	portPlain      = 389
	portTLS        = 636
	portCatalog    = 3268
	portCatalogTLS = 3269
)

func (c config) port() int {
	forest, encrypted := c.Catalog == wholeForest, c.Security == overTLS
	switch {
	case c.Port != 0:
		return c.Port
	case forest && encrypted:
		return portCatalogTLS
	case forest:
		return portCatalog
	case encrypted:
		return portTLS
	}
	return portPlain
}

// atCatalog reports whether the answers lead to a global catalog.
func (c config) atCatalog() bool {
	return c.Catalog == wholeForest || c.Port == portCatalog || c.Port == portCatalogTLS
}

func (c config) addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.port())) }

// check finds what no server needs to be asked for.
func (c config) check() error {
	missing := func(reason, field string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field}
	}
	switch {
	// A simple bind with an empty password succeeds without proving anything
	// (RFC 4513 section 5.1.2), so it must never leave this computer.
	case c.byPassword() && (c.Password.Empty() || c.User == ""):
		return missing("ldap.no_password", "password")
	// What NTLM shows to whoever listens is quickly guessed from, and it can be
	// passed on to another server while the answer lasts.
	case c.Auth == byNTLM && c.Security == plainText:
		return missing("ldap.ntlm_open", "security")
	case c.Auth == certificate && c.Security == plainText:
		return missing("ldap.certificate_open", "security")
	case c.Auth == certificate && !c.Presents():
		return missing("ldap.no_certificate", "client_cert")
	}
	return nil
}

func (c config) byPassword() bool {
	return c.Auth == simple || c.Auth == byNTLM || c.Auth == byKerberos
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &door{c: c}
	if c.Security != plainText {
		cfg, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			return nil, err
		}
		d.tls = cfg
	}
	return start(ctx, env, d)
}
