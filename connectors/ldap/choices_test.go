package ldap

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestSlapdOffersItsNamingContexts(t *testing.T) {
	d := startSlapd(t, option{more: "\ndatabase mdb\nmaxsize 1048576\nsuffix \"o=second\"\nrootdn \"cn=admin,o=second\"\ndirectory /tmp\nreadonly on\n"})
	for _, base := range []string{"", people} {
		got, err := conntest.Choices(t, conntest.Open(t, Type(), d.with("base_dn", base)(t)), "base_dn")
		if err != nil || !slices.Equal(got, []string{company, "o=second"}) {
			t.Errorf("with the base %q: %q, %v", base, got, err)
		}
	}
}

// A server may keep its root DSE to itself.
func TestAClosedRootDSEOffersNothing(t *testing.T) {
	d := startSlapd(t, option{more: "\ndatabase frontend\naccess to dn.base=\"\" by * none\n"})
	got, err := conntest.Choices(t, conntest.Open(t, Type(), d.with("base_dn", company)(t)), "base_dn")
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.Denied || e.Field != "base_dn" || got != nil {
		t.Errorf("%q, %v", got, err)
	}
}
