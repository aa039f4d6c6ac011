package readiness

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/link"
)

// FuzzLook is for what is read out of answers: the dates of tokens, the hosts of
// addresses, and what a whole checklist says about them.
func FuzzLook(f *testing.F) {
	e := base64.RawURLEncoding.EncodeToString
	for _, claims := range []string{`{"exp":1893456000,"nbf":1}`, `{"exp":1e300}`, `{"exp":"x"}`, `{"exp":-1,"nbf":null}`} {
		f.Add("Bearer "+e([]byte(`{"alg":"RS256"}`))+"."+e([]byte(claims))+".cHJhY3RpY2U", "db.example.com:5432")
	}
	f.Add("SharedAccessSignature sr=sb%3a%2f%2fpractice&sig=practice-only&se=1893456000&skn=Root", "https://user@[::1]:8443/x")
	f.Add("?sv=2024-11-04&se=2030-01-01T00%3A00Z&sp=r&sig=practice-only", "169.254.169.254")
	f.Add("se=%zz&sig=", "a..b c://")
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	types := all.All()
	f.Fuzz(func(t *testing.T, secret, place string) {
		if len(secret)+len(place) > 16<<10 {
			return
		}
		from, to, ok := tokenDates(secret)
		if ok && (to.Unix() <= 0 || to.Year() > 9999 || from.Year() > 9999) {
			t.Fatalf("a token from %v to %v", from, to)
		}
		if end, ok := sasEnd(secret); ok && (end.Year() > 9999 || end.Year() < 0) {
			t.Fatalf("a signature until %v", end)
		}
		if host := hostOf(place); host != strings.ToLower(host) {
			t.Fatalf("the host %q", host)
		}
		if at, err := netip.ParseAddr(place); err == nil && hostOf(place) != at.String() {
			t.Fatalf("%s becomes %s", place, hostOf(place))
		}
		for _, id := range []string{"postgres", "http"} {
			typ, _ := connectors.Find(types, id)
			s := typ.Form.Defaults()
			for _, field := range typ.Form.Fields {
				switch {
				case field.Kind.Secret():
					s.Secrets[field.Key] = connectors.NewSecret(secret)
				case field.Kind != connectors.Choice && field.Kind != connectors.Toggle:
					s.Plain[field.Key] = place
				}
			}
			list := Of(typ, link.Connection{Type: id, Name: "Practice", Plain: s.Plain}, s, Options{Now: now, SecretsKnown: true})
			for _, i := range list.Items {
				if i.ID == "" || i.Title == "" || len(secret) > 40 && !strings.Contains(place, secret) && strings.Contains(i.Title+i.Text+i.Copy, secret) {
					t.Fatalf("%+v", i)
				}
			}
		}
	})
}
