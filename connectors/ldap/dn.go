package ldap

import (
	"bytes"
	"net/url"
	"strings"

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

// parentOf is what is above a DN, "" above the last part.
func parentOf(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', ';':
			return strings.TrimLeft(dn[i+1:], " ")
		}
	}
	return ""
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
	kindComputer  = "computer"
	kindEntry     = "entry"
	kindReferral  = "referral"
)

// A classified entry is what its object classes say.
type classified struct {
	kind  string
	known bool // there is at least one class
	leaf  bool // nothing is ever below it, although its kind does not say so
}

// classify reads the object classes of RFC 4519, RFC 2798 and MS-ADSC. Classes
// that say more win over the ones they are built from: an Active Directory
// domain is also a container, a computer also a user.
func classify(values []byte) classified {
	out, rank := classified{kind: kindEntry}, 0
	for class := range octetsOf(values) {
		out.known = true
		if kind, r := classKind(class); r > rank {
			out.kind, rank = kind, r
			out.leaf = r == rankComputer
		}
	}
	return out
}

const rankComputer = 6

func classKind(class []byte) (kind string, rank int) {
	var lower [40]byte
	if len(class) > len(lower) {
		return kindEntry, 0
	}
	for i, c := range class {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(class)]) {
	case "referral":
		return kindReferral, 9
	case "domain", "domaindns", "dcobject", "builtindomain":
		return kindDomain, 8
	case "organizationalunit":
		return kindOU, 7
	case "computer":
		return kindComputer, rankComputer
	case "group", "groupofnames", "groupofuniquenames", "groupofurls", "posixgroup":
		return kindGroup, 5
	case "person", "user", "inetorgperson", "account", "posixaccount", "contact":
		return kindPerson, 4
	case "container", "organization", "country", "locality", "configuration", "nscontainer", "msds-quotacontainer", "lostandfound":
		return kindContainer, 3
	}
	return kindEntry, 0
}

// kindOf is what classify makes of a whole record.
func kindOf(r record) string {
	for name, values := range r.each() {
		if bytes.EqualFold(name, []byte("objectClass")) {
			return classify(values).kind
		}
	}
	return kindEntry
}

// below reports whether dn is base or under it.
func below(dn, base string) bool {
	dn, base = strings.ToLower(dn), strings.ToLower(base)
	return dn == base || strings.HasSuffix(dn, ","+base)
}

func holds(kind string) bool {
	return kind == kindDomain || kind == kindOU || kind == kindContainer
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
