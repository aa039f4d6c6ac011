package ftp

import (
	"regexp"
	"strconv"
	"strings"
)

// What LIST sends is not laid down anywhere (RFC 959 section 4.1.3: "may be system
// dependent"). Two forms are what servers send in fact: that of ls -l, and that of
// DOS, which IIS has as well.
var (
	unixLine = regexp.MustCompile(`^([-bcdlps])([-rwxsStTlL]{9})[.+@]?\s+(?:\d+\s+)?(.*)$`)
	// The owners may have spaces in them or be missing; size, date and name stand
	// at the end. Exactly one space is before the name.
	unixTail = regexp.MustCompile(`^(.*?)\s*(\d+)\s+([A-Za-z]{3,4}\.?\s+\d{1,2}|\d{1,2}\.?\s+[A-Za-z]{3,4}\.?|\d{4}-\d{2}-\d{2})\s+(\d{1,2}:\d{2}(?::\d{2})?|\d{4}) (.+)$`)
	dosLine  = regexp.MustCompile(`^(\d{2}-\d{2}-(?:\d{2}|\d{4})|\d{4}-\d{2}-\d{2})\s+(\d{2}:\d{2}\s?(?:[AaPp][Mm])?)\s+(<DIR>|<JUNCTION>|<SYMLINKD?>|[\d,.]+)\s(.+)$`)
	total    = regexp.MustCompile(`^(?i)(total|insgesamt|razem|totale?)\s+\d+`)
)

// humanLine reads a line of LIST. What is no entry, as the line with the total, is
// ok and none.
func humanLine(text string) (e line, entry, ok bool) {
	if strings.TrimSpace(text) == "" || total.MatchString(text) {
		return line{}, false, true
	}
	if m := unixLine.FindStringSubmatch(text); m != nil {
		return fromUnix(m)
	}
	if m := dosLine.FindStringSubmatch(text); m != nil {
		return fromDOS(m)
	}
	return line{}, false, false
}

func fromUnix(m []string) (e line, entry, ok bool) {
	tail := unixTail.FindStringSubmatch(m[3])
	if tail == nil {
		return line{}, false, false
	}
	e = line{name: tail[5], size: -1, mode: m[1] + m[2], owner: strings.Join(strings.Fields(tail[1]), ":"), local: strings.Join(strings.Fields(tail[3]+" "+tail[4]), " ")}
	switch m[1] {
	case "-":
		if n, err := strconv.ParseInt(tail[2], 10, 64); err == nil {
			e.size = n
		}
	case "d":
		e.kind = "folder"
	case "l":
		e.kind = "link"
		if name, target, found := strings.Cut(e.name, " -> "); found {
			e.name, e.target = name, target
		}
	default:
		e.kind = "special"
		e.owner = "" // major and minor numbers stand where the size would
	}
	return e, e.name != "." && e.name != "..", true
}

func fromDOS(m []string) (e line, entry, ok bool) {
	e = line{name: strings.TrimLeft(m[4], " "), size: -1, local: m[1] + " " + m[2]}
	switch {
	case m[3] == "<DIR>":
		e.kind = "folder"
	case strings.HasPrefix(m[3], "<"):
		e.kind = "link"
	default:
		n, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(m[3]), 10, 64)
		if err != nil {
			return line{}, false, false
		}
		e.size = n
	}
	return e, e.name != "" && e.name != "." && e.name != "..", true
}
