package gui

import (
	"net"
	"strconv"
	"testing"
	"time"
)

// silence is the port of a server that takes connections and says nothing.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func TestHowLongAgoAndWhenExactly(t *testing.T) {
	now := time.Date(2026, 3, 12, 14, 5, 0, 0, time.Local)
	for _, c := range []struct {
		off  time.Duration
		want string
	}{
		{0, "Just now"}, {-44 * time.Second, "Just now"}, {-time.Minute, "1 minute ago"}, {-59 * time.Minute, "59 minutes ago"}, {-59*time.Minute - 40*time.Second, "1 hour ago"},
		{-23 * time.Hour, "23 hours ago"}, {-24 * time.Hour, "Yesterday"}, {-29 * day, "29 days ago"}, {-30 * day, "1 month ago"}, {-359 * day, "11 months ago"}, {-361 * day, "1 year ago"}, {-800 * day, "2 years ago"},
		{30 * time.Second, "In a moment"}, {90 * time.Minute, "In 2 hours"}, {day, "Tomorrow"}, {12 * day, "In 12 days"}, {400 * day, "In 1 year"},
	} {
		if got := ago(now, now.Add(c.off)); got != c.want {
			t.Errorf("%s: %q, want %q", c.off, got, c.want)
		}
	}
	if ago(now, time.Time{}) != "Never" || exactly(time.Time{}) != "" {
		t.Error("the zero time is a time")
	}
	if got := exactly(now.UTC()); got != "12 Mar 2026, 14:05" {
		t.Error(got)
	}
}
