package lang_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jackfield/gui/lang"
)

func TestEveryKeyHasWords(t *testing.T) {
	words, err := lang.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	call := regexp.MustCompile(`lang\.[TN]\("([^"]+)"`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range call.FindAllSubmatch(data, -1) {
			used++
			if key := string(m[1]); words[key] == "" && !strings.HasSuffix(key, ".") {
				t.Errorf("%s: %q has no words", path, key)
			}
		}
		return err
	})
	if err != nil || used < 20 {
		t.Fatalf("%d keys found: %v", used, err)
	}
}

func TestALanguageFitsALocale(t *testing.T) {
	for locale, want := range map[string]string{"de_CH.UTF-8": "de", "pt-PT": "pt", "zh-Hant-TW": "zh", "ja": "ja", "": "en", "C": "en", "eo": "en", "es@latin": "es", "FR": "fr"} {
		if got := lang.Match(locale); got != want {
			t.Errorf("%s: %s", locale, got)
		}
	}
}
