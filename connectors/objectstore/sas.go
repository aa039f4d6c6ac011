package objectstore

import (
	"strings"
	"time"

	"jackfield/connectors"
)

// facts are what a SAS says about itself
// (https://learn.microsoft.com/rest/api/storageservices/create-account-sas).
func (s signature) facts() []connectors.Fact {
	v := s.values
	out := known("Rights", words(v.Get("sp"), map[rune]string{'r': "read", 'l': "list", 'w': "write", 'a': "add", 'c': "create", 'd': "delete",
		'x': "delete versions", 'y': "delete for good", 't': "tags", 'f': "find by tags", 'm': "move", 'e': "execute", 'o': "ownership", 'p': "permissions", 'i': "immutability", 'u': "update"}))
	if scope := s.scope(); scope != "" {
		out = append(out, connectors.Fact{Label: "Scope", Text: scope})
	}
	out = append(out, known("Stored access policy", v.Get("si"), "Allowed addresses", v.Get("sip"), "Allowed protocols", v.Get("spr"))...)
	if !s.starts.IsZero() {
		out = append(out, connectors.Fact{Label: "Valid from", Text: s.starts.UTC().Format(time.RFC3339)})
	}
	if !s.ends.IsZero() {
		out = append(out, connectors.Fact{Label: "Expires", Text: s.ends.UTC().Format(time.RFC3339)})
	}
	return out
}

func (s signature) scope() string {
	switch s.values.Get("sr") {
	case "c":
		return "one container"
	case "d":
		return "one folder"
	case "":
		services := words(s.values.Get("ss"), map[rune]string{'b': "blobs", 'q': "queues", 't': "tables", 'f': "files"})
		kinds := words(s.values.Get("srt"), map[rune]string{'s': "service", 'c': "containers", 'o': "objects"})
		if services == "" {
			return ""
		}
		return "account: " + services + " (" + kinds + ")"
	}
	return ""
}

// words spells out letters; one that is not known stays a letter.
func words(letters string, names map[rune]string) string {
	var out []string
	for _, r := range letters {
		name := names[r]
		if name == "" {
			name = connectors.Clean(string(r), 1)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}
