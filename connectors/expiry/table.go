package expiry

import (
	"bytes"
	"encoding/csv"
	"strings"
	"time"
)

// CSV is items as a table (RFC 4180) with a line of headings; the moments are RFC
// 3339 in UTC, and days where no hour is known. No cell is taken for a formula.
func CSV(items []Item) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	_ = w.Write([]string{"connection", "type", "field", "kind", "what", "ends", "level", "known", "sure", "next"}) // to memory, it cannot fail
	for _, i := range items {
		_ = w.Write(harmless(i.Connection, i.Type, i.Field, string(i.Kind), i.What, Stamp(i), string(i.Level), string(i.Basis), map[bool]string{true: "yes", false: "no"}[i.Sure], i.Next))
	}
	w.Flush()
	return out.Bytes()
}

// Stamp is i's end for programs.
func Stamp(i Item) string {
	if i.AllDay {
		return i.When.UTC().Format(time.DateOnly)
	}
	return i.When.UTC().Format(time.RFC3339)
}

// harmless keeps programs for tables from calculating cells:
// https://owasp.org/www-community/attacks/CSV_Injection
func harmless(cells ...string) []string {
	for n, c := range cells {
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			cells[n] = "'" + c
		}
	}
	return cells
}
