package kerberosx

import (
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
	"jackfield/connectors/internal/keytabx"
)

type keys struct{ entries []keytabx.Key }

// only is the keytab's principal where it has one alone, of the realm if one is given.
func (k *keys) only(realm string) (name, itsRealm string) {
	for _, e := range k.entries {
		switch {
		case realm != "" && e.Realm != realm:
		case name == "":
			name, itsRealm = e.Name(), e.Realm
		case name != e.Name() || itsRealm != e.Realm:
			return "", realm
		}
	}
	return name, or(itsRealm, realm)
}

// of are one principal's usable keys.
func (k *keys) of(name types.PrincipalName, realm, field string) (secret, error) {
	var out secret
	others := false
	for _, e := range k.entries {
		if e.Realm != realm || !slices.Equal(e.Parts, name.NameString) {
			continue
		}
		others = true
		if slices.Contains(etypes(), e.Key.KeyType) {
			out.keys = append(out.keys, e)
		}
	}
	switch {
	case len(out.keys) > 0:
		return out, nil
	case others:
		return out, &connectors.Error{Code: connectors.Unsupported, Reason: "kerberos.keytab_etype", Op: connectors.StageForm, Field: field}
	}
	return out, bad("kerberos.keytab_principal", field, strings.Join(k.names(), ", "))
}

// names are the principals, each once, the first eight.
func (k *keys) names() []string {
	var out []string
	for _, e := range k.entries {
		if name := e.Name() + "@" + e.Realm; !slices.Contains(out, name) {
			out = append(out, name)
		}
		if len(out) == 8 {
			break
		}
	}
	return out
}
