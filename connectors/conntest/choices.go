package conntest

import (
	"context"
	"testing"

	"jackfield/connectors"
)

// choices proves that a session answers the fields that the form marks Listed,
// and no others; and that an ended context ends the listing.
func (s Suite) choices(t *testing.T) {
	_, session := s.open(t, s.Good(t), s.Ask)
	chooser, can := session.(connectors.Chooser)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, f := range s.Type.Form.Fields {
		if !can {
			if f.Listed {
				t.Errorf("the field %s is said to be listed, and the session is no Chooser", f.Key)
			}
			continue
		}
		got, err := chooser.Choices(ctx, f.Key)
		answered := got != nil || err != nil
		if answered != f.Listed {
			t.Errorf("field %s: listed is %v, answered %v: %v", f.Key, f.Listed, answered, err)
		}
		for _, o := range got {
			if o.Value == "" || o.Label != connectors.Clean(o.Label, 0) {
				t.Errorf("field %s offers %+v", f.Key, o)
			}
		}
		if len(got) > connectors.MaxChoices {
			t.Errorf("field %s offers %d", f.Key, len(got))
		}
		if f.Listed {
			wordedOrNil(t, f.Key, err)
			ended, stop := context.WithCancel(ctx)
			stop()
			if _, err := chooser.Choices(ended, f.Key); connectors.CodeOf(err) != connectors.Cancelled && connectors.CodeOf(err) != connectors.BadInput {
				t.Errorf("field %s, with an ended context: %v, want cancelled", f.Key, err)
			}
		}
	}
	if can {
		if got, err := chooser.Choices(ctx, "no_such_field"); got != nil || err != nil {
			t.Errorf("a field that is not there: %v, %v", got, err)
		}
	}
}

func wordedOrNil(t *testing.T, key string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if p := connectors.Explain(err); p.Title == "" || p.Hint == "" {
		t.Errorf("field %s: no words: %+v", key, p)
	}
}

// Choices are the values that a session offers for a field.
func Choices(tb testing.TB, session connectors.Session, field string) ([]string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	list, err := session.(connectors.Chooser).Choices(ctx, field)
	var values []string
	for _, o := range list {
		values = append(values, o.Value)
	}
	return values, err
}
