package practice_test

import (
	"context"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/platform/loopback"
)

// Each connection links as it is: its form is complete, nobody is asked, the
// practice sign-in stands in for the browser, and something opens.
func TestConnections_LinkAsTheyAre(t *testing.T) {
	s, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	book := link.NewBook(link.List(all.All()), nil, link.Outside{Callback: func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
		return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
	}})
	for _, c := range s.Connections() {
		typ, err := book.Type(c.TypeID)
		if err != nil {
			t.Fatal(err)
		}
		for key := range c.Settings.Plain {
			if f, ok := typ.Form.Field(key); !ok || f.Kind.Secret() || !typ.Form.Visible(key, c.Settings) {
				t.Errorf("%s: nobody is asked for %s", c.TypeID, key)
			}
		}
		if errs := typ.Form.Validate(c.Settings); len(errs) > 0 {
			t.Errorf("%s: %v", c.TypeID, errs)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		r := book.Try(ctx, c.TypeID, c.Settings, link.Watcher{Ask: connectors.Asker{OpenURL: practice.SignIn}})
		if r.State != link.OK || len(r.First) == 0 {
			t.Errorf("%s: %v, %d items, %+v", c.TypeID, r.State, len(r.First), r.Steps)
		}
		r.Close()
		cancel()
	}
}
