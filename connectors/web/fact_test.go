package web

import (
	"strings"
	"testing"

	"jackfield/connectors/internal/jsonx"
)

func TestAFactIsShownInPeoplesWords(t *testing.T) {
	v, err := jsonx.Parse([]byte(`{"live":false,"end":"2099-01-31","scopes":["a","b"],"may":[{"handle":"read"},{"handle":""},{"handle":"list"}],"page":"https://acme.example.com/users/1","size":1536,"none":null,"empty":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]fact{
		"test":                 {Path: "live", Means: map[string]string{"true": "live", "false": "test"}},
		"2099-01-31T00:00:00Z": {Path: "none|end", Time: true},
		"a, b":                 {Path: "scopes"},
		"read, list":           {Path: "may", Item: "handle"},
		"acme.example.com":     {Path: "page", Take: "^https://([^/]+)/"},
		"1.5 KiB":              {Path: "size", Bytes: true},
		"false":                {Path: "live", Means: map[string]string{"true": "live"}},
	} {
		if got := f.read(v); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	for _, f := range []fact{{}, {Path: "none"}, {Path: "empty"}, {Path: "page", Take: "^(ftp):"}} {
		if got := f.read(v); got != "" {
			t.Errorf("%+v: %q, want nothing", f, got)
		}
	}
}

func TestAFactThatCannotBeTakenIsRefused(t *testing.T) {
	for _, shape := range []string{"[", "no group"} {
		err := soundFacts([]fact{{Label: "Account", Path: "a", Take: shape}})
		if err == nil || !strings.Contains(err.Error(), "Account") {
			t.Errorf("%s: %v", shape, err)
		}
	}
}
