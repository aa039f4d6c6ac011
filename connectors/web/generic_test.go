package web

import (
	"testing"
)

func TestTheGenericFormIsSound(t *testing.T) {
	s, err := genericHTTP()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.made(); err != nil {
		t.Fatal(err)
	}
	if err := HTTP().Check(); err != nil {
		t.Error(err)
	}
	for _, kind := range kinds() {
		found := false
		for _, w := range s.SignIn {
			found = found || w.Kind == kind
		}
		if !found {
			t.Errorf("the generic type cannot sign in with %s", kind)
		}
	}
}
