package ldap

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// activeDirectory is the capability LDAP_CAP_ACTIVE_DIRECTORY_OID (MS-ADTS 3.1.1.3.4.3.1).
const activeDirectory = "1.2.840.113556.1.4.800"

// whoAmI is the extended operation of RFC 4532.
const whoAmI = "1.3.6.1.4.1.4203.1.11.3"

// A rootDSE is what a server says about itself (RFC 4512 section 5.1).
type rootDSE struct{ record }

func readRootDSE(k *link) (rootDSE, error) {
	found, _, err := k.search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{
		"namingContexts", "defaultNamingContext", "dnsHostName", "supportedControl", "supportedExtension", "supportedCapabilities",
		"rootDomainNamingContext", "vendorName", "vendorVersion", "domainFunctionality", "objectClass",
	}, nil))
	if err != nil {
		return rootDSE{}, err
	}
	r, _ := found.first()
	return rootDSE{r.copied()}, nil
}

// told reports whether the server said anything about itself.
func (r rootDSE) told() bool { return len(r.attributes) > 0 }

func (r rootDSE) has(name, value string) bool { return slices.Contains(r.texts(name), value) }

func (r rootDSE) isAD() bool { return r.has("supportedCapabilities", activeDirectory) }

// contexts are where browsing begins when the user names no base. The forest
// begins at its root domain, and may have trees beside that one.
func (r rootDSE) contexts(forest bool) []string {
	if root := r.text("rootDomainNamingContext"); forest && root != "" {
		out := []string{root}
		if own := r.text("defaultNamingContext"); own != "" && !below(own, root) {
			out = append(out, own)
		}
		return out
	}
	if base := r.text("defaultNamingContext"); base != "" {
		return []string{base}
	}
	var out []string
	for _, c := range r.texts("namingContexts") {
		if c != "" && len(out) < maxContexts {
			out = append(out, c)
		}
	}
	return out
}

// server names the product as well as the server lets it be known.
func (r rootDSE) server() string {
	name := strings.TrimSpace(r.text("vendorName") + " " + r.text("vendorVersion"))
	switch {
	case r.isAD():
		name = strings.TrimSpace("Active Directory " + adLevel(r.text("domainFunctionality")) + " " + name)
	case name == "" && r.has("objectClass", "OpenLDAProotDSE"):
		name = "OpenLDAP"
	case name == "":
		name = "LDAP version 3"
	}
	if host := r.text("dnsHostName"); host != "" {
		name += " on " + host
	}
	return connectors.Clean(name, 200)
}

// adLevel names msDS-Behavior-Version's levels (MS-ADTS 6.1.4.3).
func adLevel(level string) string {
	switch level {
	case "0", "1", "2":
		return "(2003 level or older)"
	case "3":
		return "(2008 level)"
	case "4":
		return "(2008 R2 level)"
	case "5":
		return "(2012 level)"
	case "6":
		return "(2012 R2 level)"
	case "7":
		return "(2016 level)"
	case "10":
		return "(2025 level)"
	}
	return ""
}

// Check asks who we are, proves the base again and tells what is known.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	account := s.door.who()
	base := s.bases[0]
	var own []connectors.Fact
	err := s.with(ctx, func(k *link) error {
		if err := see(k, base); err != nil {
			return err
		}
		var err error
		if account, err = s.account(k, account); err != nil {
			return err
		}
		if own, err = s.ownFacts(k, account); err != nil {
			return err
		}
		rights, err := s.rights(k, base)
		own = append(own, rights...)
		return err
	})
	if err != nil {
		var known *connectors.Error
		if errors.As(err, &known) {
			return nil, known
		}
		return nil, atBase(s.door.c, base, err)
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: connectors.Clean(account, 200)},
		{Label: "Server", Text: s.dse.server()},
		{Label: "Base DN", Text: connectors.Clean(strings.Join(s.bases, "; "), 300)},
	}
	if c := s.dse.texts("namingContexts"); len(c) > 0 {
		facts = append(facts, connectors.Fact{Label: "Naming contexts", Text: connectors.Clean(strings.Join(c, "; "), 500)})
	}
	if s.door.c.atCatalog() {
		facts = append(facts, connectors.Fact{Label: "Global catalog", Text: "port " + strconv.Itoa(s.door.c.port()) + ": all domains of the forest, but only the attributes that are copied to it"})
	}
	facts = append(facts, connectors.Fact{Label: "Encryption", Text: s.secure})
	return append(append(facts, own...), s.policyFacts()...), nil
}

// account asks the server who it takes us for; without an answer it is the name
// that was signed in with.
func (s *session) account(k *link, typed string) (string, error) {
	if s.door.c.Auth == anonymous || !s.dse.has("supportedExtension", whoAmI) {
		return typed, nil
	}
	res, err := k.ldap.WhoAmI(nil)
	if err != nil {
		if answered(err) {
			return typed, nil
		}
		return "", err
	}
	// authzId is "dn:…" or "u:…" (RFC 4513 section 5.2.1.8).
	for _, prefix := range []string{"dn:", "u:"} {
		if rest, ok := strings.CutPrefix(res.AuthzID, prefix); ok && rest != "" {
			return rest, nil
		}
	}
	return typed, nil
}
