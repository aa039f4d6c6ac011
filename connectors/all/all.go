// Package all lists the connection types.
package all

import (
	"fmt"
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/ldap"
	"jackfield/connectors/mqtt"
	"jackfield/connectors/sftp"
	"jackfield/connectors/sqldb"
	"jackfield/connectors/web"
)

// All are the built-in types. The list is explicit: nothing registers itself.
func All() []connectors.Type {
	out := []connectors.Type{sftp.Type(), ldap.Type(), mqtt.Type()}
	out = append(out, sqldb.Types()...)
	out = append(out, web.HTTP(), web.OAuth())
	services, err := web.Services()
	if err != nil {
		// The files are part of the program; TestServices fails first.
		return out
	}
	return append(out, services...)
}

// With adds the users' own catalogue files in dir. An error names a file that
// cannot be used; the rest stands. A user's type may not take the place of a
// built-in one.
func With(dir string) ([]connectors.Type, []error) {
	out := All()
	own, errs := web.FromFolder(dir)
	for _, t := range own {
		if slices.ContainsFunc(out, func(have connectors.Type) bool { return have.ID == t.ID }) {
			errs = append(errs, fmt.Errorf("catalogue file %s: there is already a type %q", t.Origin, t.ID))
			continue
		}
		out = append(out, t)
	}
	return out, errs
}
