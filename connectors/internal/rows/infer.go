package rows

import (
	"regexp"
	"strings"
	"time"
)

// The types that text can have.
const (
	empty     = ""
	integer   = "integer"
	decimal   = "decimal"
	boolean   = "boolean"
	date      = "date"
	timestamp = "timestamp"
	text      = "text"
)

var (
	integerShape = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]{0,37})$`)
	// 1.5, 1,5, 1.234,56, 1,234.56, -.5, 1e-7
	decimalShape = regexp.MustCompile(`^[+-]?(([0-9]{1,3}(\.[0-9]{3})+,[0-9]+)|([0-9]{1,3}(,[0-9]{3})+\.[0-9]+)|([0-9]*[.,]?[0-9]+([eE][+-]?[0-9]{1,3})?))$`)
	zeroLed      = regexp.MustCompile(`^[+-]?0[0-9]`)
	dayShape     = regexp.MustCompile(`^([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})$`)
	clockShape   = regexp.MustCompile(`^([01]?[0-9]|2[0-4]):[0-5][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?( ?([AaPp][Mm]|Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{0,2}))?$`)
)

// typeOf is the type that one cell could have.
func typeOf(v string) string {
	v = strings.TrimSpace(v)
	switch strings.ToLower(v) {
	case "", "null", `\n`, "na", "n/a", "nan", "none":
		return empty
	case "true", "false", "yes", "no":
		return boolean
	}
	if len(v) > 64 {
		return text
	}
	switch {
	case integerShape.MatchString(v):
		return integer
	case zeroLed.MatchString(v) && !strings.ContainsAny(v, ".,"):
		return text // a postcode or an article's number, which loses its zero as a number
	case decimalShape.MatchString(v):
		return decimal
	}
	return timeOf(v)
}

func timeOf(v string) string {
	if v[0] < '0' || v[0] > '9' || len(v) < 8 {
		return text
	}
	day, clock, both := strings.Cut(strings.Replace(v, "T", " ", 1), " ")
	if !dayShape.MatchString(day) || !dayExists(day) {
		return text
	}
	if !both {
		return date
	}
	if clockShape.MatchString(clock) {
		return timestamp
	}
	return text
}

// dayExists refuses version numbers and the thirteenth month.
func dayExists(day string) bool {
	day = strings.NewReplacer("/", "-", ".", "-").Replace(day)
	for _, layout := range []string{"2006-1-2", "2-1-2006", "1-2-2006"} {
		if _, err := time.Parse(layout, day); err == nil {
			return true
		}
	}
	return false
}

func number(v string) bool {
	t := typeOf(v)
	return t == integer || t == decimal
}

// Infer is the type that all cells of a column have: integer, decimal, boolean,
// date, timestamp or text; "" when all are empty.
func Infer(cells []string) (kind string, numeric bool) {
	kind = empty
	for _, v := range cells {
		t := typeOf(v)
		switch {
		case t == empty || t == kind:
		case kind == empty:
			kind = t
		case kind == integer && t == decimal, kind == decimal && t == integer:
			kind = decimal
		case kind == date && t == timestamp, kind == timestamp && t == date:
			kind = timestamp
		default:
			return text, false
		}
	}
	return kind, kind == integer || kind == decimal
}
