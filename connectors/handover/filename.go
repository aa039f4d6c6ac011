package handover

import (
	"strings"
	"unicode/utf8"
)

// The endings of the files that are handed over.
const (
	Ending        = ".jackfield"
	EndingProfile = ".profile.yaml"
)

// FileName is a name for a file that any system can keep, made from what a
// person calls it: no part of a path, no device of Windows, at most 80 bytes
// before the ending.
func FileName(name, ending string) string {
	var b strings.Builder
	for _, r := range line(name) {
		switch {
		case strings.ContainsRune(`/\:*?"<>|%`, r), r < 0x20, r == utf8.RuneError:
			r = '-'
		}
		if b.Len()+utf8.RuneLen(r) > 80 {
			break
		}
		b.WriteRune(r)
	}
	out := strings.Trim(b.String(), " .-~")
	if out == "" {
		return "connections" + ending
	}
	if device(out) {
		out = "_" + out
	}
	return out + ending
}

// device reports whether Windows takes a name for a device, also with an ending:
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
func device(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if rest, ok := strings.CutPrefix(stem, "COM"); ok || strings.HasPrefix(stem, "LPT") {
		if !ok {
			rest = strings.TrimPrefix(stem, "LPT")
		}
		return strings.ContainsAny(rest, "0123456789¹²³") && utf8.RuneCountInString(rest) == 1
	}
	return false
}
