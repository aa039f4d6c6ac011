package connectors_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jackfield/connectors"
)

// Nobody said anything and nothing is named: what is said must still be whole.
func TestAFailureWithoutDetailsIsStillASentence(t *testing.T) {
	for _, code := range connectors.Codes() {
		p := connectors.Explain(&connectors.Error{Code: code})
		for _, text := range []string{p.Title, p.Hint} {
			if text == "" || strings.HasSuffix(text, ":") || strings.Contains(text, "{") || text[:1] != strings.ToUpper(text[:1]) {
				t.Errorf("%s: %q", code, text)
			}
		}
	}
	said := connectors.Explain(&connectors.Error{Code: connectors.Denied, Said: "403 not for you"})
	if !strings.HasSuffix(said.Hint, "The server said: 403 not for you") {
		t.Errorf("what was said is lost: %q", said.Hint)
	}
}

// In YAML " #" begins a comment, also in the middle of a sentence that is not quoted.
func TestNoWordsAreCutByAComment(t *testing.T) {
	names, err := filepath.Glob("words/*/*.yaml")
	if err != nil || len(names) < 40 {
		t.Fatal(len(names), err)
	}
	cut := regexp.MustCompile(`(?m)^\s+(title|hint): [^"'\n].* #.*$`)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range cut.FindAllString(string(data), -1) {
			t.Errorf("%s: %s", name, line)
		}
	}
}
