package web

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/served"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

func value(t *testing.T, text string) jsonx.Value {
	t.Helper()
	v, err := jsonx.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCellsThatAreObjectsShowTheirText(t *testing.T) {
	row := value(t, `{"Name": {"title": [{"text": "Write "}, {"text": "report"}]}, "Tags": {"tags": [{"name": "a"}, {"name": "b"}]}, "Due": {"date": null}, "Plain": 7, "List": [1]}`)
	o := flat(row, "title.*.text|tags.,.name|date.start").(*jsonx.Object)
	for cell, want := range map[string]string{"Name": "Write report", "Tags": "a, b", "Due": "", "Plain": "7", "List": "[1]"} {
		if got := jsonx.Show(o.Members[cell]); got != want {
			t.Errorf("%s: %q, want %q", cell, got, want)
		}
	}
	if jsonx.Show(flat("7", "a")) != "7" {
		t.Error("what is no object is left as it is")
	}
}

func TestConditionsOnWhatIsMissingOrBegins(t *testing.T) {
	v := value(t, `{"type": "app.folder", "name": "x.CSV", "empty": ""}`)
	for _, test := range []struct {
		c    cond
		want bool
	}{
		{cond{Path: "extension", None: true}, true},
		{cond{Path: "empty", None: true}, true},
		{cond{Path: "type", None: true}, false},
		{cond{Path: "type", Begins: []string{"app."}}, true},
		{cond{Path: "type", Begins: []string{"folder"}}, false},
		{cond{Path: "target|type", Is: []string{"app.folder"}}, true},
		{cond{Path: "name", Ends: []string{".csv"}}, true},
	} {
		if test.c.holds(v) != test.want {
			t.Errorf("%+v is not %v", test.c, test.want)
		}
	}
}

func TestASecondListComesFirst(t *testing.T) {
	l := list{Items: "items", Before: "prefixes"}
	for text, want := range map[string]string{
		`{"items": [{"n": 1}], "prefixes": ["a/"]}`: `["a/",{"n":1}]`,
		`{"prefixes": ["a/"]}`:                      `["a/"]`,
		`{"items": [{"n": 1}]}`:                     `[{"n":1}]`,
		`{"kind": "nothing"}`:                       `[]`,
	} {
		rows, ok := l.found(value(t, text))
		if got := jsonx.Show(append([]jsonx.Value{}, rows...)); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", text, got, ok, want)
		}
	}
	if _, ok := l.found(value(t, `{"items": 7}`)); ok {
		t.Error("a number is no list")
	}
}

func TestNamesAreCutAfterTheLastMark(t *testing.T) {
	s := &session{spec: &spec{}}
	for name, want := range map[string]string{"a/b/c.csv": "c.csv", "a/b/": "b/", "c.csv": "c.csv"} {
		n, ok := s.item(&each{ID: "n", Name: "n", Kind: "file", After: "/"}, "", value(t, `{"n": "`+name+`"}`))
		if !ok || n.Name != want {
			t.Errorf("%s is shown as %q, want %q", name, n.Name, want)
		}
	}
}

func TestAMarkIsDoubledWhereItWouldEndAName(t *testing.T) {
	s := &session{spec: &spec{Tree: []node{{ID: "tabs", Each: &each{ID: "t", Doubled: "'"}}}}}
	at, ok := s.find("tabs/Mira's%20list")
	if !ok || at.vars["id"] != "Mira''s list" {
		t.Errorf("%v %q", ok, at.vars["id"])
	}
}

func TestRulesAndNodesThatAskForAnswers(t *testing.T) {
	for _, test := range []struct {
		when map[string][]string
		want bool
	}{{nil, true}, {map[string][]string{"auth": {"app", "token"}}, true}, {map[string][]string{"auth": {"browser"}}, false}, {map[string][]string{"other": {"x"}}, false}} {
		if answered(test.when, map[string]string{"auth": "app"}) != test.want {
			t.Errorf("%v is not %v", test.when, test.want)
		}
	}
	made := func(rule, node string) error {
		_, err := parse([]byte("id: x\nname: X\ngroup: services\nsummary: X\nbase: https://x.example.com\nfields: [{key: key, label: Key, kind: secret}]\nsign_in: [{kind: bearer, secret: key}]\ncheck: {get: /me}\nerrors: [{" + rule + "code: denied}]\ntree: [{" + node + "id: a, name: A, kind: folder}]\n"))
		return err
	}
	if err := made("", ""); err != nil {
		t.Error(err)
	}
	if made("when: {nobody: [x]}, ", "") == nil || made("", "when: {nobody: [x]}, ") == nil {
		t.Error("when may name what is no field")
	}
}

func TestWhyGoogleRefusesAServiceAccount(t *testing.T) {
	w := signIn{Kind: "google", Secret: "key_file", Subject: "{subject}"}
	for said, want := range map[string][2]string{
		"invalid_grant Invalid JWT Signature.":                                                                                 {"google.deleted", "key_file"},
		"invalid_grant Invalid grant: account not found":                                                                       {"google.account", "key_file"},
		"invalid_grant Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.":             {"oauth.clock", ""},
		"invalid_grant Invalid email or User ID":                                                                               {"google.subject", "subject"},
		"unauthorized_client Client is unauthorized to retrieve access tokens using this method, or client not authorized for": {"google.delegation", "subject"},
		"invalid_grant something else":                                                                                         {"oauth.assertion", "key_file"},
	} {
		err := w.googleSaid(&connectors.Error{Code: connectors.AuthFailed, Reason: "oauth.assertion", Field: "key_file", Said: said})
		e := connectors.Classify(err)
		if e.Reason != want[0] || e.Field != want[1] {
			t.Errorf("%s: %s at %q, want %v", said, e.Reason, e.Field, want)
		}
		if words := connectors.Explain(err); words.Title == "" || words.Hint == "" {
			t.Errorf("%s has no words", e.Reason)
		}
	}
	other := errors.New("something else")
	if !errors.Is(w.googleSaid(other), other) || w.googleSaid(nil) != nil {
		t.Error("another error is changed")
	}
}

func TestAPathOfARuleMayHaveAlternatives(t *testing.T) {
	r := rule{Path: "error.errors.0.reason|error.details.0.reason", Is: []string{"SERVICE_DISABLED"}}
	res := &httpx.Response{Status: 403, Header: http.Header{}, URL: &url.URL{Host: "x.example.com"}}
	if !r.matches(res, value(t, `{"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}`)) || r.matches(res, value(t, `{"error": {}}`)) {
		t.Error("the second path does not count, or nothing does")
	}
}

// Services list what matters first first; files are put in order by who shows them.
func TestTheOrderOfAServiceIsKeptAndThatOfFilesIsNot(t *testing.T) {
	for id, want := range map[string]map[string]bool{"google_sheets": {"": true}, "dropbox": {"": true, "files": false}} {
		s := loadServed(t, id)
		p := &player{catalogued(t, id), s, served.Start(t, s), s.Ways[0]}
		_, session := p.good(t)
		for at, ordered := range want {
			for _, n := range p.children(t, session, connectors.NodeID(at)) {
				if n.Ordered != ordered {
					t.Errorf("%s: %s below %q is ordered: %v", id, n.Name, at, n.Ordered)
				}
			}
		}
	}
}
