package mail

import (
	"testing"

	"jackfield/connectors"
)

func TestTheUsualPortsAreNamed(t *testing.T) {
	for _, ty := range Types() {
		f, ok := ty.Form.Field("port")
		want := map[string]string{
			"smtp": "Empty for the usual one: 587 for STARTTLS, 465 for TLS, 25 for None.",
			"imap": "Empty for the usual one: 993 for TLS, 143 for STARTTLS, 143 for None.",
		}[ty.ID]
		if !ok || f.Help != want {
			t.Errorf("%s: %q, want %q", ty.ID, f.Help, want)
		}
	}
}

func TestAMessageShowsNoEmptyFacts(t *testing.T) {
	n := message{from: "eve@example.test"}.node(place{})
	for _, f := range n.Facts {
		if f.Text == "" {
			t.Errorf("%q says nothing", f.Label)
		}
	}
	if n.Name != "(no subject)" || n.Facts[0] != (connectors.Fact{Label: "From", Text: "eve@example.test"}) {
		t.Errorf("%+v", n)
	}
}
