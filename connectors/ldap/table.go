package ldap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// maxTable bounds what all cells of a table hold together.
const maxTable = 8 << 20

// columns are the attributes that a table of entries may show, in this order;
// those that no entry has are left out.
func columns() []string {
	return []string{"displayName", "givenName", "sn", "uid", "sAMAccountName", "userPrincipalName", "mail", "telephoneNumber", "mobile",
		"title", "department", "ou", "o", "l", "employeeNumber", "dNSHostName", "operatingSystem", attributeState, attributeLogon, attributeGroups,
		"description", "whenCreated"}
}

// The attributes that a table shows in words of its own.
const (
	attributeState  = "userAccountControl"
	attributeLogon  = "lastLogonTimestamp" // which all controllers know, within two weeks
	attributeGroups = "memberOf"
)

// heading is how a column of the attribute is called.
func heading(name string) connectors.Column {
	switch name {
	case attributeState:
		return connectors.Column{Name: "enabled"}
	case attributeLogon:
		return connectors.Column{Name: "last sign-in"}
	case attributeGroups:
		return connectors.Column{Name: "groups", Numeric: true}
	}
	return connectors.Column{Name: name}
}

// rowCell is an attribute in the row of an entry; nil where there is none.
func rowCell(name string, values [][]byte) any {
	if len(values) == 0 {
		return nil
	}
	switch name {
	case attributeState:
		bits, err := strconv.ParseInt(string(values[0]), 10, 64)
		if err != nil {
			return nil
		}
		return bits&controlDisabled == 0
	case attributeLogon:
		at, ok := ticks(string(values[0]))
		if !ok || at.IsZero() {
			return nil
		}
		return at.Local().Format("2006-01-02 15:04")
	case attributeGroups:
		return int64(len(values))
	}
	return joined(name, values)
}

// Table shows what is directly below a unit, a row each; of any other entry
// its attributes, a row for each value.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	dn := string(id)
	switch {
	case limit < 1:
		limit = 1
	case isReferral(id):
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "ldap.referral", Op: connectors.StageData, Target: dn, Said: dn}
	}
	if id == "" {
		dn = s.bases[0]
	}
	var e record
	ok := false
	err := s.with(ctx, func(k *link) error {
		found, _, err := k.search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", s.all(), nil))
		if e, ok = found.first(); ok {
			e = e.copied()
		}
		return err
	})
	if err != nil {
		return nil, s.explain(dn, err)
	}
	if !ok {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "ldap.no_entry", Op: connectors.StageData, Target: dn}
	}
	if holds(kindOf(e)) {
		return s.entries(ctx, dn, limit)
	}
	return attributes(e, limit), nil
}

// all asks for everything of an entry. What Active Directory computes it tells
// only to those who name it.
func (s *session) all() []string {
	out := []string{"*", "+"}
	if s.dse.isAD() {
		out = append(out, "tokenGroups", "msDS-UserPasswordExpiryTimeComputed", "msDS-User-Account-Control-Computed")
	}
	return out
}

// entries are the rows of a unit.
func (s *session) entries(ctx context.Context, dn string, limit int) (*connectors.Table, error) {
	t := &connectors.Table{}
	var rows []record
	elsewhere := 0
	for f, err := range s.level(ctx, dn, append(columns(), "objectClass")) {
		if err != nil {
			limited := connectors.Classify(err)
			if !limited.Partial {
				return nil, err
			}
			t.Truncated, t.Note = true, "The server shows no more than these."
			break
		}
		if f.referral != "" {
			elsewhere++
			continue
		}
		if len(rows) == limit {
			t.Truncated = true
			break
		}
		rows = append(rows, f.copied())
	}
	if elsewhere > 0 && t.Note == "" {
		t.Note = fmt.Sprintf("%d more on other servers, not asked", elsewhere)
	}
	fill(t, rows)
	return t, nil
}

// fill makes the columns that at least one entry has something for.
func fill(t *connectors.Table, rows []record) {
	var names []string
	for _, name := range columns() {
		if slices.ContainsFunc(rows, func(r record) bool { return len(r.values(name)) > 0 }) {
			names = append(names, name)
		}
	}
	t.Columns = []connectors.Column{{Name: "Name"}, {Name: "Kind"}}
	for _, name := range names {
		t.Columns = append(t.Columns, heading(name))
	}
	t.Columns = append(t.Columns, connectors.Column{Name: "DN"})
	for _, e := range rows {
		dn := string(e.dn)
		row := []any{cut(rdnValue(dn)), kindOf(e)}
		for _, name := range names {
			row = append(row, rowCell(name, e.values(name)))
		}
		t.Rows = append(t.Rows, append(row, cut(dn)))
	}
}

// joined is all values of an attribute in one cell.
func joined(name string, values [][]byte) string {
	var parts []string
	for _, v := range values[:min(len(values), 20)] {
		parts = append(parts, cell(name, v))
	}
	return cut(strings.Join(parts, "; "))
}

// attributes are the rows of one entry.
func attributes(e record, limit int) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Attribute"}, {Name: "Value"}}}
	size := 0
	for raw, values := range e.each() {
		// Active Directory gives long lists in parts (MS-ADTS 3.1.1.3.1.3.3).
		name, part, ranged := strings.Cut(string(raw), ";range=")
		if ranged && !strings.HasSuffix(part, "*") {
			t.Note = "Only the first values of " + connectors.Clean(name, 60) + " are shown. The tree lists all."
		}
		if strings.EqualFold(name, "tokenGroups") {
			n := int64(0)
			for range octetsOf(values) {
				n++
			}
			t.Note = "In " + counted(n, "group", "groups") + ", counting the primary group and those within others."
			continue
		}
		for v := range octetsOf(values) {
			if len(t.Rows) == limit || size > maxTable {
				t.Truncated = true
				return t
			}
			text := cell(name, v)
			size += len(text)
			t.Rows = append(t.Rows, []any{cut(name), text})
			if hidden(name) {
				break
			}
		}
	}
	return t
}
