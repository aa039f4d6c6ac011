package ldap

import (
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// rdnValue is the name in the first part of a DN (RFC 4514): "Sales" of
// "OU=Sales,DC=example". Parts joined by + give "a + b". What is no DN comes
// back as it is.
func rdnValue(dn string) string {
	var out strings.Builder
	named := false // past the = of the current part
	for i := 0; i < len(dn); i++ {
		c := dn[i]
		switch {
		case c == '\\' && i+1 < len(dn):
			if i+2 < len(dn) && hexDigit(dn[i+1]) >= 0 && hexDigit(dn[i+2]) >= 0 {
				if named {
					out.WriteByte(byte(hexDigit(dn[i+1])<<4 | hexDigit(dn[i+2])))
				}
				i += 2
				continue
			}
			i++
			if named {
				out.WriteByte(dn[i])
			}
		case c == ',' || c == ';':
			if named && out.Len() > 0 {
				return out.String()
			}
			return dn
		case c == '+' && named:
			out.WriteString(" + ")
			named = false
		case c == '=' && !named:
			named = true
		case named:
			out.WriteByte(c)
		}
	}
	if out.Len() == 0 {
		return dn
	}
	return out.String()
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// The kinds of node.
const (
	kindDomain    = "domain"
	kindOU        = "ou"
	kindContainer = "container"
	kindPerson    = "person"
	kindGroup     = "group"
	kindEntry     = "entry"
	kindReferral  = "referral"
)

// kindOf is what the object classes of RFC 4519, RFC 2798 and MS-ADSC make of an
// entry. Classes that say more win over the ones they are built from: an
// Active Directory domain is also a container, a computer also a user.
func kindOf(classes []string) string {
	best, rank := kindEntry, 0
	for _, class := range classes {
		kind, r := kindEntry, 0
		switch strings.ToLower(class) {
		case "referral":
			kind, r = kindReferral, 9
		case "domain", "domaindns", "dcobject", "builtindomain":
			kind, r = kindDomain, 8
		case "organizationalunit":
			kind, r = kindOU, 7
		case "computer":
			kind, r = kindEntry, 6
		case "group", "groupofnames", "groupofuniquenames", "groupofurls", "posixgroup":
			kind, r = kindGroup, 5
		case "person", "user", "inetorgperson", "account", "posixaccount", "contact":
			kind, r = kindPerson, 4
		case "container", "organization", "country", "locality", "configuration", "nscontainer", "msds-quotacontainer", "lostandfound":
			kind, r = kindContainer, 3
		}
		if r > rank {
			best, rank = kind, r
		}
	}
	return best
}

func holds(kind string) bool {
	return kind == kindDomain || kind == kindOU || kind == kindContainer
}

// listed are the attributes that a listing needs. hasSubordinates is
// operational (X.501); Active Directory does not have it.
func listed() []string { return []string{"objectClass", "description", "hasSubordinates", "ref"} }

// node describes an entry of a listing.
func node(e *ldap.Entry) connectors.Node {
	classes := e.GetEqualFoldAttributeValues("objectClass")
	n := connectors.Node{ID: connectors.NodeID(e.DN), Name: rdnValue(e.DN), Kind: kindOf(classes), Views: []connectors.View{connectors.ViewRows}}
	below := e.GetEqualFoldAttributeValue("hasSubordinates")
	switch {
	case n.Kind == kindReferral:
		return referralNode(e.DN, e.GetEqualFoldAttributeValue("ref"))
	case holds(n.Kind):
		n.Branch = true
	case below != "":
		n.Branch = strings.EqualFold(below, "TRUE")
	default:
		// Active Directory: any class that is not a leaf by nature may hold more.
		n.Branch = n.Kind == kindEntry && !hasClass(classes, "computer") && len(classes) > 0
	}
	if text := e.GetEqualFoldAttributeValue("description"); text != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Description", Text: connectors.Clean(text, 200)})
	}
	return n
}

func hasClass(classes []string, name string) bool {
	for _, c := range classes {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	return false
}

// referralNode shows where another server is said to have more. It opens
// nothing: following it would hand the password to whoever is named there.
func referralNode(dn, to string) connectors.Node {
	n := connectors.Node{ID: connectors.NodeID(dn), Name: rdnValue(dn), Kind: kindReferral, Access: connectors.AccessListed,
		Facts: []connectors.Fact{{Label: "Points to", Text: connectors.Clean(to, 200)}}}
	if dn == "" {
		n.ID, n.Name = connectors.NodeID(to), to
		if u, err := url.Parse(to); err == nil && len(u.Path) > 1 {
			n.Name = rdnValue(u.Path[1:])
		}
	}
	return n
}

// isReferral reports whether id is the address of another server, not a DN.
func isReferral(id connectors.NodeID) bool {
	return strings.Contains(string(id), "://") && !strings.Contains(strings.SplitN(string(id), "://", 2)[0], "=")
}
