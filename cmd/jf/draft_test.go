package main

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
)

func TestSecurity80_ADraftShowsTheTokenWithoutItsSecret(t *testing.T) {
	d := newDesk(t)
	args := []string{"new", "http", "One", "--set", "base_url=https://api.example.com", "--set", "auth=jwt", "--set", "jwt_method=HS256", "--set", `jwt_payload={"iss": "practice-client", "exp": "{now+5m}"}`}
	d.jf(args...).exits(exitFine)
	d.jf("draft", "One").exits(exitWrongUse).says("field: jwt_secret")
	d.with(canary+"-and-long-enough-for-a-key", "edit", "One", "--secret", "jwt_secret=-").exits(exitFine)
	r := d.jf("draft", "One").exits(exitFine).says("Header", "Payload", `"iss": "practice-client"`, "Sent as")
	var parts []connectors.Part
	j := d.jf("draft", "One", "--json").exits(exitFine)
	j.into(&parts)
	if len(parts) < 3 || parts[0].Title != "Header" || !strings.Contains(parts[1].Text, "practice-client") {
		t.Errorf("%+v", parts)
	}
	d.clean("draft", []string{canary}, r.String()+j.String())
	d.jf("edit", "One", "--set", "auth=none").exits(exitFine)
	d.jf("draft", "One").exits(exitFine).says("Nothing is made")
	if got := strings.TrimSpace(d.jf("draft", "One", "--json").exits(exitFine).out); got != "[]" {
		t.Errorf("%q", got)
	}
	d.jf("new", "sftp", "Two").exits(exitFine)
	d.jf("draft", "Two").exits(exitFine).says("Nothing is made")
	d.jf("draft", "Three").exits(exitWrongUse)
}

func TestABinarySecretFileArrivesWhole(t *testing.T) {
	d := newDesk(t)
	keytab := []byte{5, 2, 0, 0, 0, 0xff, 0xfe, '\n', 0}
	file := write(t, filepath.Join(d.tmp, "service.keytab"), string(keytab))
	d.jf("new", "http", "File", "--secret", "keytab=@"+file).exits(exitFine)
	d.with(string(keytab), "new", "http", "Pipe", "--secret", "keytab=-").exits(exitFine)
	d.jf("new", "http", "Text", "--secret", "keytab=@"+write(t, filepath.Join(d.tmp, "text"), "\ufeffplain\nlines\n")).exits(exitFine)
	for _, kv := range d.env[:3] {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	a := app{}
	w, err := wire.Open(wire.Options{Passphrase: a.passphrase})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"File": keytab, "Pipe": keytab, "Text": nil} {
		c, err := w.Book.ByName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := w.Book.Settings(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Secrets["keytab"].Reveal()
		if want == nil {
			if strings.TrimSpace(got) != "plain\nlines" {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(got)); err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTheGuideTellsEverything(t *testing.T) {
	d := newDesk(t)
	d.own("acme.yaml", strings.Replace(ownFile, "guide: {", "guide: {rights: r-words, admin: a-words, account: c-words, network: n-words, notes: [o-words], links: [{text: Console, url: \"https://acme.example.com/keys\"}], ", 1))
	d.jf("describe", "acme_crm").exits(exitFine).says("1. Ask Mira.", "http://127.0.0.1/callback", "r-words", "a-words", "c-words", "n-words", "o-words", "Console: https://acme.example.com/keys")
	var v struct{ Guide map[string]any }
	d.jf("describe", "acme_crm", "--json").exits(exitFine).into(&v)
	has(t, v.Guide, "steps rights admin account network notes redirect_uri links")
}
