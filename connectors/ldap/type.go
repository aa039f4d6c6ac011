// Package ldap is the connection type for directories: LDAP version 3
// (RFC 4511) as OpenLDAP and Active Directory speak it. Nothing is ever written.
package ldap

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers of the two choices.
const (
	overTLS   = "ldaps"
	startTLS  = "starttls"
	plainText = "none"
	simple    = "simple"
	anonymous = "anonymous"
)

type config struct {
	Host     string            `field:"host"`
	Security string            `field:"security"`
	Port     int               `field:"port"`
	Auth     string            `field:"auth"`
	Domain   string            `field:"domain"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	BaseDN   string            `field:"base_dn"`
	tlsx.Answers
}

// Type is the LDAP server or Active Directory domain controller.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "ldap", Name: "LDAP / Active Directory", Group: connectors.GroupDirectories, Tile: "LD",
		Summary:  "People, groups and units of a directory",
		Keywords: []string{"active directory", "ad", "openldap", "domain controller", "directory", "ldaps", "users", "groups", "ou", "samba"},
		Where:    []string{"host", "base_dn"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Active Directory: the host is any domain controller; in a Windows command prompt, “echo %LOGONSERVER%” names one and “whoami /upn” your user name.",
				"OpenLDAP and others: whoever runs the server tells the host and the full DN of an account that may search.",
				"Leave the base DN empty to begin at the top of what the server offers.",
			},
			Rights: "Reading the entries below the base DN. In Active Directory every domain user has this. Nothing is ever written.",
			Admin:  "Make an account for searching, with a password and read access below the base DN. If your own authority issued the server's certificate, hand out that authority's certificate too.",
			Links:  []connectors.Link{{Text: "LDAP over TLS in Active Directory", URL: "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/enable-ldap-over-ssl-3rd-certification-authority"}},
		},
	}, open)
}

func form() connectors.Form {
	port := answers.PortField("", "636")
	port.Help = "Empty for the usual one."
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
			{Value: anonymous, Label: "Anonymously", Help: "Only where the server lets everybody read."},
		}},
		{Key: "domain", Label: "Domain", Kind: connectors.Text, Example: "corp.example.com", Show: connectors.When("auth", simple), Tidy: tidyDomain, Valid: validDomain,
			Help: "Active Directory only: completes a bare user name. CORP or corp.example.com."},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Example: "alice@corp.example.com", Show: connectors.When("auth", simple),
			Help: "alice@corp.example.com, CORP\\alice, or a full DN such as uid=alice,ou=people,dc=example,dc=com."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", simple)},
		{Key: "base_dn", Label: "Base DN", Kind: connectors.Text, Section: "What to read", Example: "DC=corp,DC=example,DC=com", Tidy: tidyBase, Valid: validBase,
			Help: "Where to begin. Leave empty for the top of what the server offers."},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("security", overTLS, startTLS), true)...)}
}

// splitURL understands an LDAP URL (RFC 4516) and host:port. An ldap:// URL says
// nothing about encryption, so it never leads to a sign-in in the clear.
func splitURL(v string) map[string]string {
	v = strings.TrimSpace(v)
	if !strings.Contains(v, "://") {
		host, port, err := net.SplitHostPort(v)
		if err != nil || answers.ValidPort(port) != nil {
			return nil
		}
		return map[string]string{"host": host, "port": port}
	}
	out := answers.SplitURL("base_dn", "ldaps", "ldap")(v)
	if out == nil {
		return nil
	}
	delete(out, "user")
	out["security"] = startTLS
	if strings.HasPrefix(strings.ToLower(v), "ldaps:") {
		out["security"] = overTLS
	}
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

func (c config) addr() string {
	port := c.Port
	if port == 0 {
		port = 389
		if c.Security == overTLS {
			port = 636
		}
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(port))
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	// A simple bind with an empty password succeeds without proving anything
	// (RFC 4513 section 5.1.2), so it must never leave this computer.
	if c.Auth == simple && (c.Password.Empty() || c.User == "") {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "ldap.no_password", Op: connectors.StageForm, Field: "password"}
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
