package lang

import "strings"

// Match is the language that the window has and that fits a system's locale
// best ("de_CH.UTF-8", "pt-PT", "zh-Hant-TW"); English where none does.
func Match(locale string) string {
	base := strings.ToLower(locale)
	if i := strings.IndexAny(base, "-_.@"); i >= 0 {
		base = base[:i]
	}
	for _, l := range Languages() {
		if l.ID == base {
			return l.ID
		}
	}
	return "en"
}
