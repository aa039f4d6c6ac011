package gui

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2/theme"

	"jackfield/connectors/conntest"
	"jackfield/connectors/link"
)

// The suites of the connection types hand over what leads to their servers;
// alone, this links the practice directory.
func TestLinksWhatItIsGiven(t *testing.T) {
	r := newRoom(t, roomOptions{practice: true, variant: theme.VariantLight})
	var a conntest.Answers
	if name := os.Getenv(conntest.AnswersVar); name != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &a); err != nil {
			t.Fatal(err)
		}
	} else {
		list, err := r.startPractice(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a = given(list)
	}
	answers := map[string]string{}
	for k, v := range a.Plain {
		answers[k] = v
	}
	for k, v := range a.Secrets {
		answers[k] = v
	}
	r.fill(a.Type, answers)
	r.a.form.link()
	r.until("the link of "+a.Type, r.linked)
	c, err := r.book.Get(t.Context(), r.a.form.id)
	if err != nil || c.State != link.OK && c.State != link.Partial || len(c.Facts) == 0 {
		t.Fatalf("%s: %+v, %v", c.State, c.Problem, err)
	}
	r.patiently("something to see", func() bool { n := r.a.preview.nodes[""]; return n != nil && len(n.children) > 0 })
	r.settle()
	r.shot("given-" + a.Type)
}

func given(list []link.PracticeDraft) conntest.Answers {
	for _, d := range list {
		if d.Type != "ldap" {
			continue
		}
		a := conntest.Answers{Type: d.Type, Plain: d.Settings.Plain, Secrets: map[string]string{}}
		for k, v := range d.Settings.Secrets {
			a.Secrets[k] = v.Reveal()
		}
		return a
	}
	return conntest.Answers{}
}

// patiently is until for what a slow server brings.
func (r *room) patiently(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		r.pump()
		if time.Now().After(end) {
			r.t.Fatalf("waited for %s", what)
		}
	}
}
