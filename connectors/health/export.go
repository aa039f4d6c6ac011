package health

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Line is a row of the board as programs read it: add, never rename.
type Line struct {
	Name    string              `json:"name"`
	Type    string              `json:"type"`
	State   link.State          `json:"state"`
	Account string              `json:"account"`
	Checked string              `json:"checked"` // last good check, RFC 3339, "" for never
	Tried   string              `json:"tried"`   // last check, good or not
	MS      int64               `json:"ms"`      // of the last good check
	Expires string              `json:"expires"`
	Problem *connectors.Problem `json:"problem"`
	Held    *Held               `json:"not_tried"` // why it is not tried by itself
	Days    []string            `json:"days"`      // none, ok, partial or failed; the last is today
}

// Line is the row without what only the window needs.
func (r Row) Line() Line {
	c := r.Connection
	l := Line{Name: c.Name, Type: c.Type, State: c.State, Account: c.Account, Checked: stampText(c.Checked), Tried: stampText(r.Tried), MS: c.Took.Milliseconds(),
		Expires: stampText(r.Expires), Problem: c.Problem, Held: r.Held}
	for _, d := range r.Days {
		l.Days = append(l.Days, d.String())
	}
	return l
}

func stampText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// HeldText says why a connection is not tried by itself, in English.
func (r Row) HeldText() string {
	if r.Held == nil {
		return ""
	}
	title := ""
	if p := connectors.Explain(r.Held.Err()); p != nil {
		title = p.Title
	}
	if own := r.Connection.Problem; own != nil && r.Held.Why == WhyRefused && own.Code == r.Held.Code {
		title = own.Title
	}
	switch r.Held.Why {
	case WhyRefused:
		return "Not tried again by itself: " + title
	case WhyShared:
		return "Not tried by itself, as “" + connectors.Clean(r.Held.By, 60) + "” has the same sign-in: " + title
	case WhyThrottled:
		return "Left alone for an hour: " + title
	case WhyUnlinked:
		return "Not linked yet"
	}
	return "Not checked by itself: a practice connection"
}

// CSV has a line for each row. A cell that a spreadsheet would run as a formula
// begins with an apostrophe
// (https://owasp.org/www-community/attacks/CSV_Injection).
func CSV(rows []Row) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"name", "type", "state", "account", "last good check", "last check", "took ms", "expires", "problem", "what to do", "not tried"}) // a buffer takes everything
	for _, r := range rows {
		l := r.Line()
		cells := []string{l.Name, r.TypeName(), string(l.State), l.Account, l.Checked, l.Tried, "", l.Expires, "", "", r.HeldText()}
		if l.MS > 0 {
			cells[6] = strconv.FormatInt(l.MS, 10)
		}
		if l.Problem != nil {
			cells[8], cells[9] = l.Problem.Title, l.Problem.Hint
		}
		for i, v := range cells {
			cells[i] = guarded(connectors.Clean(v, 500), v)
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return out.Bytes()
}

func guarded(v, raw string) string {
	if strings.IndexAny(v, "=+-@") == 0 || strings.IndexAny(raw, "\t\r\x00") == 0 {
		return "'" + v
	}
	return v
}

// TypeName is the type as the user knows it, or its id where it is unknown.
func (r Row) TypeName() string {
	if r.Type.Name == "" {
		return r.Connection.Type
	}
	return r.Type.Name
}

// JSON is a list of Lines.
func JSON(rows []Row) ([]byte, error) {
	lines := make([]Line, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, r.Line())
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(lines)
	return out.Bytes(), err
}
