package gui

import (
	"strconv"
	"time"

	"jackfield/gui/lang"
)

// day is a day for saying how long something is away.
const day = 24 * time.Hour

// ago says how long t was before now, or will be after it, in the roughest unit
// that is still true: "3 minutes ago", "In 12 days", "Never" for the zero time.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return lang.T("when.never")
	}
	past, d := "when.", now.Sub(t)
	if d < 0 {
		past, d = "when.in", -d
	}
	switch {
	case d < 45*time.Second && past == "when.":
		return lang.T("when.now")
	case d < 45*time.Second:
		return lang.T("when.soon")
	case d < 59*time.Minute+30*time.Second:
		return lang.N(past+"minutes", rounded(d, time.Minute))
	case d < 23*time.Hour+30*time.Minute:
		return lang.N(past+"hours", rounded(d, time.Hour))
	case d < 30*day:
		return lang.N(past+"days", rounded(d, day))
	case d < 360*day:
		return lang.N(past+"months", int(d/(30*day)))
	}
	return lang.N(past+"years", max(1, int(d/(365*day))))
}

func rounded(d, unit time.Duration) int { return max(1, int((d+unit/2)/unit)) }

// exactly is the date and the time of day as the language writes them, in this
// computer's time zone; "" for the zero time.
func exactly(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.Local()
	return lang.T("when.exact", t.Day(), lang.T("when.month."+strconv.Itoa(int(t.Month()))), t.Year(), t.Format("15:04"))
}
