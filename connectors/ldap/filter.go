package ldap

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// What of a level is shown.
const (
	showAll       = "all"
	showPeople    = "people"
	showGroups    = "groups"
	showComputers = "computers"
	showUnits     = "units"
	showOwn       = "filter"
)

// units are what a tree is made of; they are shown whatever else is.
const units = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=domain)(objectClass=domainDNS)(objectClass=dcObject)(objectClass=organization)(objectClass=country)(objectClass=locality)(objectClass=referral))"

// wanted is the filter (RFC 4515) of what a level shows. In Active Directory a
// computer is a user too.
func (c config) wanted() string {
	only := ""
	switch c.Show {
	case showPeople:
		only = "(&(|(objectClass=person)(objectClass=inetOrgPerson)(objectClass=user)(objectClass=posixAccount))(!(objectClass=computer)))"
	case showGroups:
		only = "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)(objectClass=posixGroup))"
	case showComputers:
		only = "(|(objectClass=computer)(objectClass=device))"
	case showUnits:
		return units
	case showOwn:
		only = c.Filter
	}
	if only == "" {
		return "(objectClass=*)"
	}
	return "(|" + units + only + ")"
}

func filterFields() []connectors.Field {
	return []connectors.Field{
		{Key: "show", Label: "Show", Kind: connectors.Choice, Default: showAll, Options: []connectors.Option{
			{Value: showAll, Label: "Everything"},
			{Value: showPeople, Label: "Users"},
			{Value: showGroups, Label: "Groups"},
			{Value: showComputers, Label: "Computers"},
			{Value: showUnits, Label: "Organizational units alone"},
			{Value: showOwn, Label: "What a filter of your own finds"},
		}, Help: "Organizational units are always shown, as the way to the rest."},
		{Key: "filter", Label: "Filter", Kind: connectors.Text, Required: true, Show: connectors.When("show", showOwn), Example: "(department=Sales)", Tidy: tidyFilter, Valid: validFilter,
			Help: "As other LDAP programs take it, for example (&(objectClass=user)(department=Sales))."},
	}
}

func tidyFilter(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.HasPrefix(v, "(") {
		v = "(" + v + ")"
	}
	return v
}

func validFilter(v string) error {
	if _, err := ldap.CompileFilter(v); err != nil {
		return errors.New("A filter is expected here, such as (department=Sales); its brackets have to be in pairs.")
	}
	return nil
}
