package health

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// The bounds of a history: how far back it goes, for how long every result is
// kept, and how many entries there are at most. What is older than whole is
// thinned to the changes and the last result of each day.
const (
	Days        = 30
	whole       = 24 * time.Hour
	mostEntries = 300
)

// An Entry is how one check ended. Nothing in it is secret, and nothing of what
// the server said but the account's name.
type Entry struct {
	At      time.Time        `json:"at"`
	State   link.State       `json:"state"`
	Code    connectors.Code  `json:"code,omitempty"`
	Reason  string           `json:"reason,omitempty"`
	Stage   connectors.Stage `json:"stage,omitempty"`
	MS      int64            `json:"ms"`
	Account string           `json:"account,omitempty"`
	// Fresh marks the first check of these answers.
	Fresh bool `json:"fresh,omitempty"`
}

// Took is how long the check lasted.
func (e Entry) Took() time.Duration { return time.Duration(e.MS) * time.Millisecond }

// Err is the failure as an error, for its words; nil where there was none.
func (e Entry) Err() error {
	if e.Code == "" {
		return nil
	}
	return &connectors.Error{Code: e.Code, Reason: e.Reason, Op: e.Stage, Partial: e.State == link.Partial}
}

func entryOf(c link.Connection, r *link.Result, took time.Duration, now time.Time) Entry {
	e := Entry{At: now.UTC().Truncate(time.Millisecond), State: r.State, MS: took.Milliseconds(), Fresh: c.State == link.Prepared}
	if found := connectors.Classify(r.Err); found != nil {
		e.Code, e.Reason, e.Stage = found.Code, found.Reason, found.Op
	}
	for _, f := range r.Facts {
		if f.Label == "Account" {
			e.Account = connectors.Clean(f.Text, 100)
		}
	}
	return e
}

// parse reads one entry a line. A line that is none is left out: one damaged
// line costs one result and not the history.
func parse(data []byte) []Entry {
	var out []Entry
	for line := range bytes.Lines(data) {
		var e Entry
		if json.Unmarshal(line, &e) == nil && !e.At.IsZero() && e.State != "" {
			out = append(out, e)
		}
	}
	return out
}

func format(list []Entry) []byte {
	var out []byte
	for _, e := range list {
		line, err := json.Marshal(e)
		if err != nil { // only a time outside of the years 0 to 9999
			continue
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

// thinned drops what is too old or says nothing new.
func thinned(list []Entry, now time.Time) []Entry {
	slices.SortStableFunc(list, func(a, b Entry) int { return a.At.Compare(b.At) })
	var out []Entry
	for i, e := range list {
		age := now.Sub(e.At)
		switch {
		case age > Days*24*time.Hour:
		case age <= whole, e.Fresh, len(out) == 0, changed(out[len(out)-1], e), i+1 == len(list), dayOf(list[i+1].At) != dayOf(e.At):
			out = append(out, e)
		}
	}
	if len(out) > mostEntries {
		out = slices.Clone(out[len(out)-mostEntries:])
	}
	return out
}

func changed(a, b Entry) bool {
	return a.State != b.State || a.Code != b.Code || a.Reason != b.Reason || a.Account != b.Account
}

func dayOf(t time.Time) string { return t.Local().Format(time.DateOnly) }
