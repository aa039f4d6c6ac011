package practice

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// A dn is a distinguished name, the nearest part first, ready to compare.
type dn []string

func (d dn) String() string { return strings.Join(d, ",") }

var errDN = errors.New("this is no distinguished name")

// parseDN reads the string form (RFC 4514). Types and values lose their case and
// their doubled spaces, which is how every attribute here compares.
func parseDN(s string) (dn, error) {
	var out dn
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for _, rdn := range splitDN(s, ',') {
		var parts []string
		for _, ava := range splitDN(rdn, '+') {
			name, value, ok := strings.Cut(ava, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if !ok || name == "" {
				return nil, errDN
			}
			value, err := unescape(strings.TrimSpace(value))
			if err != nil {
				return nil, err
			}
			parts = append(parts, name+"="+escape(fold(value)))
		}
		slices.Sort(parts)
		out = append(out, strings.Join(parts, "+"))
	}
	return out, nil
}

// splitDN cuts at sep, but not where it is escaped.
func splitDN(s string, sep byte) []string {
	var out []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func unescape(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		if i+1 >= len(s) {
			return "", errDN
		}
		if i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				out.Write(b)
				i += 2
				continue
			}
		}
		i++
		out.WriteByte(s[i])
	}
	return out.String(), nil
}

// escape writes a value such that it can stand in a name.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, "+", `\+`, `"`, `\"`, "<", `\<`, ">", `\>`, ";", `\;`, "=", `\=`).Replace(s)
}

// An attr is one attribute; a hidden one is operational: sent only when named.
type attr struct {
	name   string
	values []string
	hidden bool
}

type entry struct {
	dn    string
	key   dn
	attrs []attr
	// root marks the root DSE, whose attributes are operational by the book, but
	// which Active Directory also sends when nothing was named.
	root bool
}

func (e *entry) get(name string) []string {
	for _, a := range e.attrs {
		if strings.EqualFold(a.name, name) {
			return a.values
		}
	}
	return nil
}

// add appends an attribute, given as "name", "value" pairs; empty values are left out.
func (e *entry) add(pairs ...string) *entry {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			e.append(pairs[i], pairs[i+1])
		}
	}
	return e
}

func (e *entry) append(name string, values ...string) {
	for i := range e.attrs {
		if e.attrs[i].name == name {
			e.attrs[i].values = append(e.attrs[i].values, values...)
			return
		}
	}
	e.attrs = append(e.attrs, attr{name: name, values: values})
}

// A directory is the tree, parents before children.
type directory struct {
	root    *entry // the root DSE (RFC 4512, section 5.1)
	entries []*entry
	byKey   map[string]*entry
}

// within returns the entries of a scope: 0 the base, 1 one level, 2 all below.
// Where the base is missing, matched is the nearest entry that exists.
func (d *directory) within(base dn, scope int64) (list []*entry, matched string, ok bool) {
	if len(base) == 0 {
		switch scope {
		case 0:
			return []*entry{d.root}, "", true
		case 1:
			return d.entries[:1:1], "", true
		}
		return slices.Clone(d.entries), "", true
	}
	if _, ok := d.byKey[base.String()]; !ok {
		for i := range base {
			if e, ok := d.byKey[base[i:].String()]; ok {
				return nil, e.dn, false
			}
		}
		return nil, "", false
	}
	for _, e := range d.entries {
		deep := len(e.key) - len(base)
		if deep < 0 || !slices.Equal(e.key[deep:], base) {
			continue
		}
		if (scope == 0 && deep == 0) || (scope == 1 && deep == 1) || scope == 2 {
			list = append(list, e)
		}
	}
	return list, "", true
}

// planter collects entries and the first thing wrong with one.
type planter struct {
	d   *directory
	err error
}

func (p *planter) plant(name string, classes ...string) *entry {
	key, err := parseDN(name)
	if _, twice := p.d.byKey[key.String()]; twice && err == nil {
		err = fmt.Errorf("two entries are called %s", name)
	}
	if p.err == nil {
		p.err = err
	}
	e := &entry{dn: name, key: key}
	e.append("objectClass", append([]string{"top"}, classes...)...)
	p.d.entries = append(p.d.entries, e)
	p.d.byKey[key.String()] = e
	return e
}

func growDirectory(b *books) (*directory, error) {
	d := &directory{root: &entry{root: true}, byKey: map[string]*entry{}}
	d.root.append("objectClass", "top")
	d.root.add("namingContexts", ldapSuffix, "supportedLDAPVersion", "3", "supportedControl", oidPaging, "supportedControl", oidManage,
		"supportedExtension", oidWhoAmI, "supportedFeatures", oidAllOps, "vendorName", "Jackfield practice services")
	p := &planter{d: d}
	p.plant(ldapSuffix, "dcObject", "organization").add("dc", "practice", "o", company, "description", "An invented company to practise with")
	p.plant(ldapReader, "applicationProcess").add("cn", "reader", "description", "May read everything here")
	for _, ou := range []string{"People", "Groups", "Devices"} {
		p.plant("ou="+ou+","+ldapSuffix, "organizationalUnit").add("ou", ou)
	}
	groups := p.people(b)
	for _, g := range groups {
		e := p.plant("cn="+escape(g.name)+",ou=Groups,"+ldapSuffix, "groupOfNames").add("cn", g.name, "description", g.about)
		e.append("member", g.members...)
		for _, m := range g.members {
			if key, err := parseDN(m); err == nil && d.byKey[key.String()] != nil {
				d.byKey[key.String()].append("memberOf", e.dn)
			}
		}
	}
	for i := range 14 {
		kind := []string{"scanner", "printer", "tablet", "gateway"}[i%4]
		owner := b.People[(i*7)%len(b.People)]
		name := fmt.Sprintf("%s-%02d", kind, i+1)
		p.plant("cn="+name+",ou=Devices,"+ldapSuffix, "device").add("cn", name, "serialNumber", fmt.Sprintf("MS-%05d", 41000+i*37),
			"description", "A "+kind+" that does not exist", "l", owner.Site, "owner", ldapName(owner))
	}
	d.operational()
	return d, p.err
}

type group struct {
	name, about string
	members     []string
}

func ldapName(p *person) string {
	return "uid=" + escape(p.uid()) + ",ou=" + p.Department + ",ou=People," + ldapSuffix
}

// people plants one unit for each department and returns the groups.
func (p *planter) people(b *books) []group {
	all := group{name: "all-staff", about: "Everybody"}
	abroad := group{name: "Sales, abroad", about: "Sales people outside Northgate"}
	var teams []group
	for _, dept := range departments() {
		p.plant("ou="+dept+",ou=People,"+ldapSuffix, "organizationalUnit").add("ou", dept)
		team := group{name: strings.ToLower(dept), about: "The department " + dept}
		for _, x := range b.People {
			if x.Department != dept {
				continue
			}
			name := ldapName(x)
			e := p.plant(name, "person", "organizationalPerson", "inetOrgPerson").add("uid", x.uid(), "cn", x.name(), "sn", x.Last, "givenName", x.First,
				"displayName", x.name(), "mail", x.mail(), "title", x.Title, "ou", dept, "l", x.Site, "o", company,
				"telephoneNumber", x.Phone, "employeeNumber", fmt.Sprint(x.ID))
			if x.Manager != nil {
				e.add("manager", ldapName(x.Manager))
			}
			all.members, team.members = append(all.members, name), append(team.members, name)
			if dept == "Sales" && x.Site != "Northgate" {
				abroad.members = append(abroad.members, name)
			}
		}
		teams = append(teams, team)
	}
	return append([]group{all, abroad}, teams...)
}

// operational adds what a server keeps about each entry (RFC 4512, section 3.4).
func (d *directory) operational() {
	parents := map[string]bool{}
	for _, e := range d.entries {
		parents[dn(e.key[1:]).String()] = true
	}
	made := epoch().UTC().Format("20060102150405Z")
	for _, e := range d.entries {
		below := "FALSE"
		if parents[e.key.String()] {
			below = "TRUE"
		}
		classes := e.get("objectClass")
		for _, a := range [][2]string{{"entryDN", e.dn}, {"hasSubordinates", below}, {"structuralObjectClass", classes[len(classes)-1]},
			{"createTimestamp", made}, {"modifyTimestamp", made}, {"entryUUID", uuid.NewSHA1(uuid.NameSpaceX500, []byte(e.key.String())).String()}} {
			e.attrs = append(e.attrs, attr{name: a[0], values: []string{a[1]}, hidden: true})
		}
	}
}
