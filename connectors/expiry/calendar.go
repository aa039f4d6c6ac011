package expiry

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jackfield/connectors"
)

// Phrases are a calendar's words.
type Phrases struct {
	Name        string              // of the calendar
	Summary     func(i Item) string // one line: what ends
	Description func(i Item) string // lines: what to do
}

// English are the words of the terminal.
func English() Phrases {
	return Phrases{
		Name: "Jackfield: what ends",
		Summary: func(i Item) string {
			if i.Kind == KeyAge {
				return i.Connection + ": look at " + i.What
			}
			return i.Connection + ": " + i.What + " ends"
		},
		Description: func(i Item) string { return i.Next + "\n" + BasisWords(i) },
	}
}

// BasisWords say how i's date is known, in English.
func BasisWords(i Item) string {
	switch i.Basis {
	case Read:
		return "The date stands in it."
	case Told:
		return "The server said so on " + i.Since.UTC().Format(time.DateOnly) + "."
	case Typed:
		return "The date was typed."
	}
	if i.Kind == AWSSession {
		return "Estimated: stored on " + i.Since.UTC().Format(time.DateOnly) + ", and good for 36 hours at the latest."
	}
	if i.Kind == RefreshToken {
		return "Estimated: renewed on " + i.Since.UTC().Format(time.DateOnly) + ", and good for as long as the vendor says."
	}
	return "A reminder: stored here on " + i.Since.UTC().Format(time.DateOnly) + "."
}

// Calendar is items as an iCalendar file (RFC 5545), a whole day each: the day of
// the end in zone. Alarms ring 30, 7 and 1 days before it. Importing a newer file
// moves what is there already (section 3.8.4.7): the UID stays, and SEQUENCE and
// DTSTAMP grow with now.
func Calendar(items []Item, p Phrases, zone *time.Location, now time.Time) []byte {
	w := &calendar{}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", "-//Jackfield//Expiry//EN")
	w.line("CALSCALE", "GREGORIAN")
	w.line("METHOD", "PUBLISH")
	w.line("X-WR-CALNAME", escape(p.Name))
	for _, i := range items {
		w.event(i, p, zone, now)
	}
	w.line("END", "VCALENDAR")
	return w.out.Bytes()
}

// sequences counts from here: SEQUENCE has 31 bits in most readers.
const sequences = 1_600_000_000

func (w *calendar) event(i Item, p Phrases, zone *time.Location, now time.Time) {
	on := DayOf(i, zone)
	summary := escape(connectors.Clean(p.Summary(i), 200))
	w.line("BEGIN", "VEVENT")
	w.line("UID", i.UID+"@jackfield")
	w.line("DTSTAMP", now.UTC().Format("20060102T150405Z"))
	w.line("SEQUENCE", strconv.FormatInt(max(0, now.Unix()-sequences), 10))
	w.line("DTSTART;VALUE=DATE", on.Format("20060102"))
	w.line("DTEND;VALUE=DATE", on.AddDate(0, 0, 1).Format("20060102"))
	w.line("SUMMARY", summary)
	w.line("DESCRIPTION", escape(lines(p.Description(i))))
	w.line("CATEGORIES", strings.ToUpper(string(i.Kind)))
	w.line("TRANSP", "TRANSPARENT")
	for _, before := range []string{"-P30D", "-P7D", "-P1D"} {
		w.line("BEGIN", "VALARM")
		w.line("ACTION", "DISPLAY")
		w.line("TRIGGER", before)
		w.line("DESCRIPTION", summary)
		w.line("END", "VALARM")
	}
	w.line("END", "VEVENT")
}

// DayOf is the day on which i ends, for somebody in zone, as midnight UTC.
func DayOf(i Item, zone *time.Location) time.Time {
	at := i.When.In(zone)
	if i.AllDay {
		at = i.When.UTC()
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

func lines(text string) string {
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		out = append(out, connectors.Clean(l, 600))
	}
	return strings.Join(out, "\n")
}

// escape is a TEXT value (section 3.3.11).
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(text)
}

type calendar struct{ out bytes.Buffer }

// line writes a content line, folded so that none has more than 75 octets
// (section 3.1). A character is never cut.
func (w *calendar) line(name, value string) {
	left := 75
	for _, r := range name + ":" + value {
		n := utf8.RuneLen(r)
		if n > left {
			w.out.WriteString("\r\n ")
			left = 74
		}
		w.out.WriteRune(r)
		left -= n
	}
	w.out.WriteString("\r\n")
}
