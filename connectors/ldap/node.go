package ldap

import (
	"bytes"
	"strconv"

	"jackfield/connectors"
)

// listed are the attributes that a listing needs. hasSubordinates is
// operational (X.501); Active Directory does not have it.
func listed() []string {
	return []string{"objectClass", "description", "hasSubordinates", "ref", "userAccountControl", "groupType", "operatingSystem"}
}

// node describes an entry of a listing; views are those that all entries have.
// Whoever may not even see of what class an entry is may not read it either.
func node(r record, views []connectors.View) connectors.Node {
	dn := string(r.dn)
	c := classified{kind: kindEntry}
	var description, subordinates, ref, state []byte
	for name, values := range r.each() {
		switch {
		case bytes.EqualFold(name, []byte("objectClass")):
			c = classify(values)
		case bytes.EqualFold(name, []byte("description")):
			_, description, _, _ = split(values)
		case bytes.EqualFold(name, []byte("hasSubordinates")):
			_, subordinates, _, _ = split(values)
		case bytes.EqualFold(name, []byte("ref")):
			_, ref, _, _ = split(values)
		case bytes.EqualFold(name, []byte("userAccountControl")):
			_, state, _, _ = split(values)
		}
	}
	if c.kind == kindReferral {
		return referralNode(dn, string(ref))
	}
	n := connectors.Node{ID: connectors.NodeID(dn), Name: rdnValue(dn), Kind: c.kind, Views: views, Access: connectors.AccessListed}
	if c.known {
		n.Access = connectors.AccessReadable
	}
	n.Branch = branches(c, subordinates)
	if len(description) > 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Description", Text: connectors.Clean(string(description), 200)})
	}
	if bits, err := strconv.ParseInt(string(state), 10, 64); err == nil && bits&controlDisabled != 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "State", Text: "disabled"})
	}
	if len(n.Facts) < 2 {
		n.Facts = append(n.Facts, extra(c.kind, r)...)
	}
	return n
}

// branches reports whether something may be below: members are below groups.
func branches(c classified, subordinates []byte) bool {
	switch {
	case holds(c.kind), c.kind == kindGroup:
		return true
	case len(subordinates) > 0:
		return bytes.EqualFold(subordinates, []byte("TRUE"))
	}
	// Active Directory: any class that is not a leaf by nature may hold more.
	return c.kind == kindEntry && c.known && !c.leaf
}

// extra is what else tells one group or computer from another.
func extra(kind string, r record) []connectors.Fact {
	switch kind {
	case kindGroup:
		if text := groupType(r.text("groupType")); text != "" {
			return []connectors.Fact{{Label: "Type", Text: text}}
		}
	case kindComputer:
		if text := r.text("operatingSystem"); text != "" {
			return []connectors.Fact{{Label: "System", Text: connectors.Clean(text, 100)}}
		}
	}
	return nil
}

// groupType reads MS-ADTS 2.2.12.
func groupType(text string) string {
	bits, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return ""
	}
	scope := ""
	switch {
	case bits&0x2 != 0:
		scope = "global"
	case bits&0x4 != 0:
		scope = "of one domain"
	case bits&0x8 != 0:
		scope = "universal"
	}
	purpose := "distribution group"
	if bits&0x80000000 != 0 {
		purpose = "security group"
	}
	if scope == "" {
		return purpose
	}
	return purpose + ", " + scope
}
