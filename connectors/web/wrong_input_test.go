package web

import (
	"strings"
	"testing"

	"jackfield/connectors"
)

// What people paste into the field of an instance's address.
func TestAddressesArePutRightOrRefused(t *testing.T) {
	types, err := services()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, ty := range types {
		for _, f := range ty.Form.Fields {
			if f.Kind != connectors.URL || !f.Required || f.Default != "" {
				continue
			}
			seen++
			tidied := func(v string) string {
				s := connectors.NewSettings()
				s.Plain[f.Key] = v
				return ty.Form.Tidied(s).Plain[f.Key]
			}
			host := strings.TrimPrefix(f.Example, "https://")
			for _, pasted := range []string{f.Example + "/", f.Example + "/some/page?id=1#part", host, " " + host + "/some/page "} {
				if got := tidied(pasted); got != f.Example || f.Verify(got) != nil {
					t.Errorf("%s: %q became %q (%v), want %q", ty.ID, pasted, got, f.Verify(got), f.Example)
				}
			}
			for _, wrong := range []string{"https://www.example.com", "https://" + host + ".example.com", "http://" + host, "https://user:practice@" + host} {
				if tidied(wrong) == f.Example {
					continue // put right
				}
				err := f.Verify(tidied(wrong))
				if err == nil || !strings.HasSuffix(err.Error(), ".") {
					t.Errorf("%s: %q is taken as it is: %v", ty.ID, wrong, err)
				}
			}
		}
	}
	if seen < 3 {
		t.Errorf("only %d services have an address of their own", seen)
	}
}

func TestKeysArePutRight(t *testing.T) {
	types, err := services()
	if err != nil {
		t.Fatal(err)
	}
	for _, ty := range types {
		for _, f := range ty.Form.Fields {
			if f.Kind != connectors.SecretText || f.Tidy == nil {
				continue
			}
			for _, pasted := range []string{`"practice-only"`, "'practice-only'", " practice-only\n", "Bearer practice-only"} {
				if got := f.Tidy(pasted); got != "practice-only" && f.Key != "password" {
					t.Errorf("%s.%s: %q became %q", ty.ID, f.Key, pasted, got)
				}
			}
		}
	}
}

// Every guide can be followed: steps, rights, and the redirect address that the
// sign-in really uses.
func TestEveryGuideCanBeFollowed(t *testing.T) {
	types, err := services()
	if err != nil {
		t.Fatal(err)
	}
	for _, ty := range types {
		g := ty.Guide
		if len(g.Steps) == 0 || g.Rights == "" || g.Admin == "" || g.Account == "" || g.Network == "" || len(g.Links) == 0 {
			t.Errorf("%s: the guide leaves something out: %+v", ty.ID, g)
		}
		s := sourceOf(t, ty.ID)
		browser := false
		for _, w := range s.SignIn {
			if w.Kind != "oauth" || w.OAuth.Authorize == "" {
				continue
			}
			browser = true
			want := "http://" + w.OAuth.RedirectHost
			if port := w.OAuth.RedirectPort; port != "" && field1(port) == "" {
				want += ":" + port
			} else if f, ok := ty.Form.Field(field1(port)); ok && f.Default != "" {
				want += ":" + f.Default
			}
			if want += w.OAuth.RedirectPath; g.RedirectURI != want {
				t.Errorf("%s: the guide says %q, the sign-in uses %q", ty.ID, g.RedirectURI, want)
			}
		}
		if !browser && g.RedirectURI != "" {
			t.Errorf("%s: a redirect address without a sign-in in the browser", ty.ID)
		}
		for _, l := range g.Links {
			if !strings.HasPrefix(l.URL, "https://") || l.Text == "" {
				t.Errorf("%s: the link %+v", ty.ID, l)
			}
		}
	}
}

func sourceOf(t *testing.T, id string) service {
	t.Helper()
	data, err := builtIn.ReadFile("catalogue/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
