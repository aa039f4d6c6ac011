package handover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func propose(t *testing.T, b *link.Book, bundle handover.Bundle) handover.Plan {
	t.Helper()
	p, err := handover.Propose(t.Context(), b, bundle)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func everything(p handover.Plan) []int {
	out := make([]int, len(p.Items))
	for i := range out {
		out[i] = i
	}
	return out
}

func TestAHouseholdMoves(t *testing.T) {
	from, ids := household(t)
	bundle, notes := pack(t, from, ids, handover.PackOptions{Secrets: true})
	if len(bundle.Connections) != 4 || len(notes) != 3 {
		t.Fatalf("%d connections, notes %q", len(bundle.Connections), notes)
	}
	s := newShelf()
	to := book(s)
	save(t, to, "user_password", "reader", nil, nil)
	p := propose(t, to, bundle)
	if p.Items[0].NewName != "Orders" || p.Items[2].Name != "Reader" && p.Items[3].Name != "Reader" {
		t.Fatalf("%+v", p.Items)
	}
	if len(p.Items[0].Missing) > 0 {
		t.Errorf("Orders lacks %v, though the sign-in comes along", p.Items[0].Missing)
	}
	made, err := handover.Import(t.Context(), to, p, everything(p))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]link.Connection{}
	for _, c := range made {
		at[c.Name] = c
		if c.State != link.Prepared || slices.Contains(ids, c.ID) {
			t.Errorf("imported as %+v", c)
		}
	}
	if at["Reader 2"].ID == "" {
		t.Errorf("the taken name is not numbered: %v", made)
	}
	if db := at["Orders"]; db.Plain["identity"] != at["Reader 2"].ID || db.Plain["via_account"] != at["Jump"].ID {
		t.Errorf("the references lead to %v", db.Plain)
	}
	got, err := to.Settings(t.Context(), at["Jump"].ID)
	if err != nil || got.Secrets["password"].Reveal() != "practice-only-jump" || got.Secrets["known_hosts"].Empty() {
		t.Errorf("the jump host has %v, %v", got, err)
	}
	// The same again: nothing is overwritten, and what is alike is told.
	again := propose(t, to, bundle)
	if again.Items[0].Same == nil || again.Items[0].Same.ID != at["Orders"].ID || again.Items[0].NewName != "Orders 2" {
		t.Errorf("the second import is %+v", again.Items[0])
	}
	if left := again.Left([]int{0}); len(left) != 2 {
		t.Errorf("what is left out: %q", left)
	}
	alone, err := handover.Import(t.Context(), to, again, []int{0})
	if err != nil || alone[0].Plain["identity"] != "" || alone[0].Plain["via_account"] != "" {
		t.Errorf("alone it is %+v, %v", alone, err)
	}
}

func TestACircleOfReferencesIsImported(t *testing.T) {
	b := book(newShelf())
	p := propose(t, b, handover.Bundle{Connections: []handover.Carried{
		{ID: "1", Type: "ssh", Name: "A", Plain: map[string]string{"host": "a.example.com", "via_account": "2", "place": "on_premise", "via": "ssh"}},
		{ID: "2", Type: "ssh", Name: "B", Plain: map[string]string{"host": "b.example.com", "via_account": "1", "place": "on_premise", "via": "ssh"}},
		{ID: "3", Type: "ssh", Name: "C", Plain: map[string]string{"via_account": "3", "password": "practice-only-misplaced"}},
	}})
	made, err := handover.Import(t.Context(), b, p, everything(p))
	if err != nil || made[0].Plain["via_account"] != made[1].ID || made[1].Plain["via_account"] != made[0].ID || made[2].Plain["via_account"] != "" {
		t.Fatalf("%+v %v", made, err)
	}
	if made[2].Plain["password"] != "" {
		t.Error("a secret among the plain answers was stored readable")
	}
}

func TestAFailingStoreKeepsNothing(t *testing.T) {
	from, ids := household(t)
	bundle, _ := pack(t, from, ids, handover.PackOptions{Secrets: true, Rotating: true})
	base := newShelf()
	save(t, book(base), "user_password", "Mine", map[string]string{"user": "me"}, map[string]string{"password": "practice-only-mine"})
	for _, on := range []bool{false, true} {
		for n := 1; ; n++ {
			s := base.clone()
			b := book(s)
			p := propose(t, b, bundle)
			s.failAt, s.failOn = n, on
			_, err := handover.Import(t.Context(), b, p, everything(p))
			if err == nil {
				if n < 5 {
					t.Fatalf("the import wrote %d times", n-1)
				}
				break
			}
			if !errors.Is(err, errStore) || !s.same(base) {
				t.Fatalf("write %d (and after: %v): %v, and the store has %d connections", n, on, err, len(s.profiles))
			}
		}
	}
	s := base.clone()
	b := book(s)
	p := propose(t, b, bundle)
	s.failAt, s.noDelete = 3, true
	_, err := handover.Import(t.Context(), b, p, everything(p))
	refused(t, err, "handover.half")
	if said := connectors.Explain(err).Said; !strings.Contains(said, "“Orders”") {
		t.Errorf("what stays is %q", said)
	}
}

func TestACancelledImportKeepsNothing(t *testing.T) {
	from, ids := household(t)
	bundle, _ := pack(t, from, ids, handover.PackOptions{Secrets: true})
	s := newShelf()
	b := book(s)
	p := propose(t, b, bundle)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := handover.Import(ctx, b, p, everything(p))
	if connectors.CodeOf(err) != connectors.Cancelled || len(s.profiles)+len(s.secrets) > 0 {
		t.Errorf("%v, %d connections", err, len(s.profiles))
	}
}

// A sign-in of another person must not end because an import here failed.
func TestUndoingAnImportRevokesNothing(t *testing.T) {
	revoked := 0
	typ := connectors.Type{ID: "grant", Name: "Grant", Where: []string{"host"}, Form: connectors.Form{Fields: []connectors.Field{{Key: "host", Label: "Host", Kind: connectors.Text}}},
		Revoke: func(context.Context, *connectors.Env, connectors.Settings) error { revoked++; return nil }}
	for n := 1; n <= 3; n++ {
		for _, on := range []bool{false, true} {
			s := newShelf()
			s.failAt, s.failOn = n, on
			b := link.NewBook(link.List{typ}, s, link.Outside{})
			p := propose(t, b, handover.Bundle{Connections: []handover.Carried{
				{ID: "1", Type: "grant", Name: "A", Issued: veil("oauth_token", "practice-only-1")},
				{ID: "2", Type: "grant", Name: "B", Issued: veil("oauth_token", "practice-only-2")},
			}})
			_, err := handover.Import(t.Context(), b, p, everything(p))
			if (err == nil) != (n == 3) || err != nil && len(s.profiles)+len(s.secrets) > 0 {
				t.Errorf("write %d: %v, %d connections", n, err, len(s.profiles))
			}
		}
	}
	if revoked > 0 {
		t.Errorf("%d sign-ins were revoked", revoked)
	}
}

func TestAChoiceThatDoesNotFit(t *testing.T) {
	b := book(newShelf())
	p := propose(t, b, handover.Bundle{Connections: []handover.Carried{{ID: "1", Type: "ssh", Name: "A"}}})
	for _, c := range []struct {
		chosen []int
		want   string
	}{{nil, "handover.nothing"}, {[]int{1}, "handover.choice"}, {[]int{-1}, "handover.choice"}, {[]int{0, 0}, "handover.choice"}} {
		_, err := handover.Import(t.Context(), b, p, c.chosen)
		refused(t, err, c.want)
	}
	_, _, err := handover.Pack(t.Context(), b, nil, handover.PackOptions{})
	refused(t, err, "handover.nothing")
}

func TestAThousandConnections(t *testing.T) {
	var bundle handover.Bundle
	for i := range 1000 {
		bundle.Connections = append(bundle.Connections, handover.Carried{ID: fmt.Sprint(i), Type: "sftp", Name: fmt.Sprintf("Server %d", i%700),
			Plain: map[string]string{"host": fmt.Sprintf("h%d.example.com", i), "user": "u"}, Secrets: veil("password", "practice-only")})
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, bundle, handover.Recipients{Keys: []string{id.Recipient().String()}}, true)
	got, err := handover.Unseal(bytes.NewReader(sealed), handover.Opener{Identities: secrets(id.String())})
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf()
	b := book(s)
	p := propose(t, b, got)
	made, err := handover.Import(t.Context(), b, p, everything(p))
	if err != nil || len(made) != 1000 || len(s.profiles) != 1000 {
		t.Fatalf("%d made: %v", len(made), err)
	}
	ids := make([]string, len(made))
	for i, c := range made {
		ids[i] = c.ID
	}
	back, _ := pack(t, b, ids, handover.PackOptions{Secrets: true})
	if len(back.Connections) != 1000 || back.Connections[999].Name != "Server 299 2" || back.Connections[999].Secrets["password"].Empty() {
		t.Errorf("packed again: %+v", back.Connections[999])
	}
}
