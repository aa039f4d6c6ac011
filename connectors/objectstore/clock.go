package objectstore

import (
	"strconv"
	"time"
)

// allowedSkew is how far apart the clocks of these services and this computer
// may be.
const allowedSkew = 15 * time.Minute

func tooFar(off time.Duration) bool { return off.Abs() >= allowedSkew }

// offBy says how far this computer's clock is off, "" when that cannot be told.
func offBy(off time.Duration) string {
	minutes := int(off.Abs().Round(time.Minute) / time.Minute)
	if minutes == 0 {
		return ""
	}
	side := " ahead"
	if off < 0 {
		side = " behind"
	}
	if minutes < 120 {
		return strconv.Itoa(minutes) + " minutes" + side
	}
	return strconv.Itoa((minutes+30)/60) + " hours" + side
}
