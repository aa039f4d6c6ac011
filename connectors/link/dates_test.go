package link_test

import (
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func TestADayGoesWithItsSecret(t *testing.T) {
	b := open(&fake{}, newStore())
	c, err := b.Create(t.Context(), draft("One", "h", "practice-only"))
	if err != nil || c.Set["password"].IsZero() {
		t.Fatalf("%+v %v", c, err)
	}
	day := time.Date(2028, 2, 29, 23, 0, 0, 0, time.FixedZone("", 14*3600))
	if c, err = b.SetDate(t.Context(), c.ID, "password", day); err != nil || !c.Dates["password"].Equal(time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v %v", c, err)
	}
	set := c.Set["password"]
	if c, err = b.Save(t.Context(), c.ID, draft("One", "h", "practice-only")); err != nil || len(c.Dates) != 1 || !c.Set["password"].Equal(set) {
		t.Errorf("the same secret again: %+v %v", c, err)
	}
	if c, err = b.Save(t.Context(), c.ID, draft("One", "h", "practice-only-2")); err != nil || len(c.Dates) != 0 || !c.Set["password"].After(set) {
		t.Errorf("another secret: %+v %v", c, err)
	}
	if _, err := b.SetDate(t.Context(), c.ID, "token", day); connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("%v", err)
	}
	d := draft("Two", "h", "practice-only")
	d.Dates = map[string]time.Time{"password": day, "token": day}
	made, err := b.CreateAll(t.Context(), []link.Draft{d})
	if err != nil || len(made) != 1 || len(made[0].Dates) != 1 {
		t.Errorf("%+v %v", made, err)
	}
}
