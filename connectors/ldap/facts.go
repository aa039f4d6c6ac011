package ldap

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// policyFacts are what the answer to the sign-in said of the password
// (draft-behera-ldap-password-policy-10 section 6.2).
func (s *session) policyFacts() []connectors.Fact {
	switch {
	case s.policy == nil:
		return nil
	case s.policy.Expire > 0:
		at := s.env.Time().Add(time.Duration(min(s.policy.Expire, 1<<31)) * time.Second)
		return expiry(s.env.Time(), at, time.Time{})
	case s.policy.Grace >= 0:
		return []connectors.Fact{{Label: "Password", Text: fmt.Sprintf("has expired; %s left before it must be changed", counted(s.policy.Grace, "sign-in is", "sign-ins are"))}}
	}
	return nil
}

// expiry tells when a password ends, and when the account or its password does
// first. The zero time is never.
func expiry(now, password, account time.Time) []connectors.Fact {
	var out []connectors.Fact
	if first := earliest(account, password); !first.IsZero() {
		out = append(out, connectors.Fact{Label: "Expires", Text: first.UTC().Format(time.RFC3339)})
	}
	if !password.IsZero() {
		out = append(out, connectors.Fact{Label: "Password expires", Text: within(now, password)})
	}
	if !account.IsZero() {
		out = append(out, connectors.Fact{Label: "Account expires", Text: within(now, account)})
	}
	return out
}

// within is a moment to come, and how far it is.
func within(now, at time.Time) string {
	left := at.Sub(now)
	days := int64(left / (24 * time.Hour))
	switch {
	case left <= 0:
		return moment(at) + " (past)"
	case days == 0:
		return moment(at) + " (in less than a day)"
	}
	return moment(at) + " (in " + counted(days, "day", "days") + ")"
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// ownFacts are what Active Directory tells about the account itself; none where
// its entry is not found or not shown.
func (s *session) ownFacts(k *link, account string) ([]connectors.Fact, error) {
	if !s.dse.isAD() || s.door.c.Auth == anonymous {
		return nil, nil
	}
	home := s.dse.text("defaultNamingContext")
	found, _, err := k.search(ldap.NewSearchRequest(home, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 1, 5, false, ownFilter(account, dnsName(home)),
		[]string{"displayName", "accountExpires", "msDS-UserPasswordExpiryTimeComputed", "pwdLastSet", "userAccountControl"}, nil))
	if err != nil && !answered(err) {
		return nil, err
	}
	own, ok := found.first()
	if !ok {
		return nil, nil
	}
	facts := accountFacts(s.env.Time(), own)
	groups, err := groupCount(k, string(own.dn))
	if groups > 0 {
		facts = append(facts, connectors.Fact{Label: "Groups", Text: counted(int64(groups), "group", "groups") + ", counting those within others"})
	}
	return facts, err
}

func accountFacts(now time.Time, own record) []connectors.Fact {
	var facts []connectors.Fact
	if name := own.text("displayName"); name != "" {
		facts = append(facts, connectors.Fact{Label: "Name", Text: connectors.Clean(name, 200)})
	}
	accountEnds, _ := ticks(own.text("accountExpires"))
	passwordEnds, told := ticks(own.text("msDS-UserPasswordExpiryTimeComputed"))
	facts = append(facts, expiry(now, passwordEnds, accountEnds)...)
	if told && passwordEnds.IsZero() {
		facts = append(facts, connectors.Fact{Label: "Password expires", Text: "never"})
	}
	if set, ok := ticks(own.text("pwdLastSet")); ok && !set.IsZero() {
		facts = append(facts, connectors.Fact{Label: "Password set", Text: moment(set)})
	}
	if text := own.text("userAccountControl"); text != "" {
		facts = append(facts, connectors.Fact{Label: "Account flags", Text: accountControl(text)})
	}
	return facts
}

// groupCount is in how many groups an entry is, those within others and the
// primary one counted. tokenGroups is computed for one entry alone (MS-ADTS
// 3.1.1.4.5).
func groupCount(k *link, dn string) (int, error) {
	found, _, err := k.search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 5, false, "(objectClass=*)", []string{"tokenGroups"}, nil))
	if err != nil {
		if answered(err) {
			err = nil
		}
		return 0, err
	}
	r, _ := found.first()
	return len(r.values("tokenGroups")), nil
}

// rights are what Active Directory says of the account's rights at the base:
// both attributes are computed for whoever asks (MS-ADTS 3.1.1.4.5).
func (s *session) rights(k *link, base string) ([]connectors.Fact, error) {
	if !s.dse.isAD() || s.door.c.Auth == anonymous {
		return nil, nil
	}
	found, _, err := k.search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 5, false, "(objectClass=*)",
		[]string{"allowedChildClassesEffective", "allowedAttributesEffective", "sDRightsEffective"}, nil))
	if err != nil {
		if answered(err) {
			err = nil
		}
		return nil, err
	}
	r, ok := found.first()
	if !ok {
		return nil, nil
	}
	var may []string
	for _, x := range []struct{ attribute, words string }{
		{"allowedChildClassesEffective", "make entries"}, {"allowedAttributesEffective", "change attributes"},
	} {
		if len(r.values(x.attribute)) > 0 {
			may = append(may, x.words)
		}
	}
	if n := r.text("sDRightsEffective"); n != "" && n != "0" {
		may = append(may, "change permissions")
	}
	text := "reading at the base DN"
	if len(may) > 0 {
		text = "more than reading: this account may " + strings.Join(may, ", ") + " at the base DN"
	}
	return []connectors.Fact{{Label: "Rights", Text: text}}, nil
}

// ownFilter finds the account by any of the names that one can sign in with.
// name@domain is the name of one who has no other principal name (MS-ADTS
// 5.1.1.1.1), but only of that domain.
func ownFilter(account, domain string) string {
	if strings.Contains(account, "=") {
		return "(distinguishedName=" + ldap.EscapeFilter(account) + ")"
	}
	short := account
	if _, name, ok := strings.Cut(account, `\`); ok {
		short = name
	} else if name, suffix, ok := cutLast(account, "@"); ok && strings.EqualFold(suffix, domain) {
		short = name
	}
	return "(&(objectClass=user)(|(sAMAccountName=" + ldap.EscapeFilter(short) + ")(userPrincipalName=" + ldap.EscapeFilter(account) + ")))"
}

// dnsName is the domain that a DN of RFC 2247 stands for.
func dnsName(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return ""
	}
	var out []string
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			if strings.EqualFold(a.Type, "DC") {
				out = append(out, a.Value)
			}
		}
	}
	return strings.Join(out, ".")
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
