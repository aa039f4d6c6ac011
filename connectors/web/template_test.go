package web

import "testing"

func TestAValueThatIsAPathKeepsItsSlashes(t *testing.T) {
	vars := map[string]string{"repo": "acme/site", "id": "docs/a b?.md", "up": "../../secret/./x"}
	for template, want := range map[string]string{
		"/repos/{+repo}/contents/{+id}": "/repos/acme/site/contents/docs/a%20b%3F.md",
		"/repos/{repo}":                 "/repos/acme%2Fsite",
		"/x/{+up}":                      "/x/secret/x",
		"/search?q={+id}":               "/search?q=docs/a+b%3F.md",
	} {
		if got := fill(template, vars, nil); got != want {
			t.Errorf("%s: %s, want %s", template, got, want)
		}
	}
	if got := names("/a/{+repo}/{id}"); len(got) != 2 || got[0] != "repo" || got[1] != "id" {
		t.Errorf("names %q", got)
	}
}

func TestAFilesNameStaysANameInAHeader(t *testing.T) {
	s := &session{vars: map[string]string{"client_id": "mine"}}
	got := s.filled(map[string]string{"Dropbox-API-Arg": `{"path":"{id}"}`, "X-Team": "{client_id}"}, map[string]string{"id": `a "b"\ {client_id} ö.csv`})
	if want := `{"path":"a \"b\"\\ {client_id} \u00f6.csv"}`; got["Dropbox-API-Arg"] != want || got["X-Team"] != "mine" {
		t.Errorf("%q", got)
	}
}
