package main

import (
	"testing"

	"jackfield/connectors"
)

func TestWhatTheServerHasIsListed(t *testing.T) {
	d, s := newDesk(t), services(t)
	directory := s["ldap"].Settings
	set := []string{"choices", "ldap", "base_dn", "--secret", "password=-"}
	for k, v := range directory.Plain {
		if k != "base_dn" {
			set = append(set, "--set", k+"="+v)
		}
	}
	password := directory.Secrets["password"].Reveal()
	first := d.with(password, set...).exits(exitFine)
	if first.out == "" {
		t.Fatal("nothing is listed")
	}
	var list []connectors.Option
	d.with(password, append(set, "--json")...).exits(exitFine).into(&list)
	if len(list) == 0 || first.out[:len(list[0].Value)] != list[0].Value {
		t.Errorf("%+v, and in words %q", list, first.out)
	}
	d.jf("list", "--json").exits(exitFine)
	d.with("practice-only-wrong", set...).exits(exitSaidNo)
	d.jf("choices", "ldap", "nothing").exits(exitWrongUse).says("nothing")
	d.jf("choices", "ldap", "host").says("cannot list")
	d.jf("choices", "neither", "host").says("neither")

	d.save("Directory", "ldap", directory)
	d.jf("choices", "Directory", "base_dn").exits(exitFine).says(list[0].Value)
	var form struct {
		Fields []struct {
			Key    string
			Listed bool
		}
	}
	d.jf("describe", "ldap", "--json").exits(exitFine).into(&form)
	for _, f := range form.Fields {
		if f.Listed != (f.Key == "base_dn") {
			t.Errorf("%s: listed is %v", f.Key, f.Listed)
		}
	}
}
