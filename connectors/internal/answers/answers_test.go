package answers

import (
	"fmt"
	"testing"
)

func TestTidyFolder(t *testing.T) {
	for in, want := range map[string]string{`documents\`: "documents", `\in\box\`: "in/box", "": "", "/": "", "a/../b": "b", "..": ".."} {
		if got := TidyFolder(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestSplit(t *testing.T) {
	scheme := SplitScheme("folder", "tls", map[string]string{"ftp": "", "ftps": "implicit"})
	for in, want := range map[string]map[string]string{
		" FTPS://mira@files.example.com:990/in/box": {"host": "files.example.com", "port": "990", "user": "mira", "folder": "in/box", "tls": "implicit"},
		"ftp://files.example.com":                   {"host": "files.example.com"},
		"sftp://files.example.com":                  nil,
		"files.example.com:990":                     nil,
	} {
		if got := scheme(in); fmt.Sprint(got) != fmt.Sprint(want) || (got == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
	for in, want := range map[string]map[string]string{
		"[::1]:25":                {"host": "::1", "port": "25"},
		"mail.example.com:587":    {"host": "mail.example.com", "port": "587"},
		"mail.example.com:587000": nil,
		"mail.example.com":        nil,
	} {
		if got := SplitPort(in); fmt.Sprint(got) != fmt.Sprint(want) || (got == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}
