package main

import (
	"strings"
	"testing"
)

// The question for a saved account opens the section that the sign-in goes on in.
func TestDescribeNamesASectionOnce(t *testing.T) {
	d := newDesk(t)
	for _, id := range []string{"oracle", "ssh", "postgres"} {
		r := d.jf("describe", id).exits(exitFine)
		if n := strings.Count(r.out, "\nSign-in\n"); n != 1 {
			t.Errorf("%s has %d sections called Sign-in", id, n)
		}
	}
}
