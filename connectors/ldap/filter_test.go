package ldap

import (
	"maps"
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// filters proves on a real server that units stay as the way to what is wanted.
func filters(t *testing.T, settings func(more ...string) connectors.Settings, level string, wanted map[string][]string) {
	for show, names := range wanted {
		more := []string{"show", show}
		if show[0] == '(' {
			more = []string{"show", showOwn, "filter", show}
		}
		s := conntest.Open(t, Type(), settings(more...))
		got := slices.Sorted(maps.Keys(conntest.Below(t, s, connectors.NodeID(level))))
		if !slices.Equal(got, names) {
			t.Errorf("%s below %s: %q, want %q", show, level, got, names)
		}
	}
}

func TestOnlyFiltersAreTaken(t *testing.T) {
	f, _ := Type().Form.Field("filter")
	for in, want := range map[string]string{"department=Sales": "(department=Sales)", " (uid=a*) ": "(uid=a*)", "": ""} {
		if got := f.Tidy(in); got != want {
			t.Errorf("%q is tidied to %q", in, got)
		}
	}
	for in, fine := range map[string]bool{"(uid=*)": true, "(&(objectClass=user)(!(mail=*)))": true, "(uid=*": false, "(nothing)": false, "(uid=a))(b=c)": false} {
		if err := f.Verify(in); (err == nil) != fine {
			t.Errorf("%q: %v", in, err)
		}
	}
}
