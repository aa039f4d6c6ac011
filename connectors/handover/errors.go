// Package handover gives prepared connections to another person: as a sealed
// bundle, as the answer to a request, or as a plain profile without secrets.
//
// What is sealed is an age file (https://age-encryption.org/v1) with JSON in it;
// the age program opens and makes the same files. Nothing here uses the network
// or a file: everything is read from what was handed in.
package handover

import (
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
)

// MaxSize is how large a sealed file may be, and what is in it, in bytes.
const MaxSize = 16 << 20

// The bounds of what is read; a person's own connections stay far below them.
const (
	maxConnections = 5000
	maxAnswers     = 500     // of one connection
	maxValue       = 2 << 20 // bytes of one answer: a trust store fits in
	maxName        = 200     // runes
	maxNote        = 10_000  // bytes
	maxKey         = 64      // bytes of a field's key
)

func fault(reason, target, said string) *connectors.Error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Target: target, Said: said}
}

// line is text from elsewhere as one line that is safe to show.
func line(s string) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > maxName {
		s = string([]rune(s)[:maxName])
	}
	return connectors.Clean(s, 0)
}

// lines is text from elsewhere that keeps its line ends.
func lines(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if len(s) > maxNote {
		s = strings.ToValidUTF8(s[:maxNote], "")
	}
	all := strings.Split(s, "\n")
	for i, l := range all {
		all[i] = connectors.Clean(strings.ReplaceAll(l, "\t", "    "), 0)
	}
	return strings.TrimSpace(strings.Join(all, "\n"))
}

// keyed reports whether key can be a field's: short, lower case letters, digits and _.
func keyed(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// typeID reports whether id can be a type's.
func typeID(id string) bool { return keyed(strings.ReplaceAll(id, "-", "_")) }
