package connectors_test

import (
	"strings"
	"testing"

	"jackfield/connectors"
)

func TestAFailureIsToldAgainInAnotherLanguage(t *testing.T) {
	french, err := connectors.LoadLanguage("fr")
	if err != nil {
		t.Fatal(err)
	}
	was := connectors.Explain(&connectors.Error{Code: connectors.NotFound, Reason: "sftp.not_found", Op: connectors.StageData, Target: "/in", Field: "folder"})
	now := french.Retell(was)
	if now.Title == was.Title || !strings.Contains(now.Title, "/in") || now.Field != "folder" || now.Stage != was.Stage {
		t.Errorf("%+v", now)
	}
	if back := connectors.English().Retell(now); *back != *was {
		t.Errorf("%+v, not %+v", back, was)
	}
	coded := connectors.Explain(&connectors.Error{Code: connectors.TimedOut})
	if now := french.Retell(coded); now.Title == coded.Title || strings.Contains(now.Title, "the server") {
		t.Errorf("%+v", now)
	}
	own := connectors.Explain(&connectors.Error{Code: connectors.Denied, Title: "A service's own.", Hint: "Do this."})
	if now := french.Retell(own); now.Title != "A service's own." {
		t.Errorf("%+v", now)
	}
	if french.Retell(nil) != nil {
		t.Error("nothing is told")
	}
}

func TestATypeIsTranslatedAndItsAnswersAreNot(t *testing.T) {
	french, err := connectors.LoadLanguage("fr")
	if err != nil {
		t.Fatal(err)
	}
	was := connectors.Type{ID: "x", Name: "SFTP server", Form: connectors.Form{Fields: []connectors.Field{{Key: "host", Label: "Host", Default: "Host", Example: "Host", Options: []connectors.Option{{Value: "Host", Label: "Host"}}}}}}
	now := french.Translate(was)
	f := now.Form.Fields[0]
	if f.Label == "Host" || f.Options[0].Label != f.Label || f.Key != "host" || f.Default != "Host" || f.Example != "Host" || f.Options[0].Value != "Host" {
		t.Errorf("%+v", f)
	}
	if was.Form.Fields[0].Label != "Host" || was.Form.Fields[0].Options[0].Label != "Host" {
		t.Error("the type itself was changed")
	}
	if _, err := connectors.LoadLanguage("eo"); err == nil {
		t.Error("a language without words")
	}
}
