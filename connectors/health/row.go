package health

import (
	"context"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Day is how the checks of one day ended; the worst of them counts.
type Day uint8

// The days, from nothing known to the worst.
const (
	DayNone Day = iota
	DayOK
	DayPartial
	DayFailed
)

// String is the word in JSON.
func (d Day) String() string { return [...]string{"none", "ok", "partial", "failed"}[d] }

// A Row is one connection as the board shows it.
type Row struct {
	Connection link.Connection
	Type       connectors.Type
	Expires    time.Time // what ends next; zero when nothing is known to
	Tried      time.Time // last check, good or not; zero when there is none
	Days       [Days]Day // the last is today
	Held       *Held     // why it is not tried by itself; nil when it is
}

// Took is how long the last good check lasted; 0 when there was none.
func (r Row) Took() time.Duration { return r.Connection.Took }

// summary is what a row needs of a history.
type summary struct {
	stamp    stamp
	today    string
	last     Entry
	decisive Entry // the last that tells something about the sign-in as it is stored
	days     [Days]Day
	tried    bool
}

// stamp is what of a profile changes when a check ends.
type stamp struct {
	state            link.State
	code             connectors.Code
	checked, changed int64
}

func stampOf(c link.Connection) stamp {
	s := stamp{state: c.State, checked: c.Checked.UnixNano(), changed: c.Changed.UnixNano()}
	if c.Problem != nil {
		s.code = c.Problem.Code
	}
	return s
}

func summed(list []Entry, now time.Time) summary {
	s := summary{today: dayOf(now), tried: len(list) > 0}
	days := map[string]int{}
	for i := range Days {
		days[dayOf(now.AddDate(0, 0, i-Days+1))] = i
	}
	fresh := false // answers have changed since what follows
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		if i == len(list)-1 {
			s.last = e
		}
		if !fresh && s.decisive.At.IsZero() && decides(e) {
			s.decisive = e
		}
		fresh = fresh || e.Fresh
		if at, ok := days[dayOf(e.At)]; ok {
			s.days[at] = max(s.days[at], dayFor(e.State))
		}
	}
	return s
}

func dayFor(s link.State) Day {
	switch s {
	case link.OK:
		return DayOK
	case link.Partial:
		return DayPartial
	case link.Failed:
		return DayFailed
	}
	return DayNone
}

// summary reads a history, or what is known of it. What cannot be read counts
// as nothing known, and is logged.
func (b *Board) summary(ctx context.Context, c link.Connection) summary {
	now := b.o.Now()
	b.mu.Lock()
	s, ok := b.known[c.ID]
	b.mu.Unlock()
	if ok && s.stamp == stampOf(c) && s.today == dayOf(now) {
		return s
	}
	list, err := b.History(ctx, c.ID)
	if err != nil && ctx.Err() == nil {
		b.o.Log.Warn("history", "connection", c.ID, "error", err)
	}
	s = summed(list, now)
	s.stamp = stampOf(c)
	if err == nil {
		b.mu.Lock()
		b.known[c.ID] = s
		b.mu.Unlock()
	}
	return s
}

// Rows tells what is stored about the connections, in their order. It touches
// no server and no keychain.
func (b *Board) Rows(ctx context.Context, list []link.Connection) ([]Row, error) {
	keys := b.signIns(list)
	read := func(c link.Connection) summary { return b.summary(ctx, c) }
	known := refusals(list, keys, read)
	at := byID(list)
	out := make([]Row, 0, len(list))
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return nil, connectors.Classify(err)
		}
		t, _ := b.book.Type(c.Type) // of an unknown type only the name is known
		s := read(c)
		row := Row{Connection: c, Type: t, Expires: b.o.Expires(c), Days: s.days, Tried: s.last.At}
		if c.Checked.After(row.Tried) {
			row.Tried = c.Checked
		}
		row.Held = b.held(c, s, keys[c.ID], known, at, Round{})
		out = append(out, row)
	}
	return out, nil
}

func byID(list []link.Connection) func(id string) link.Connection {
	at := make(map[string]link.Connection, len(list))
	for _, c := range list {
		at[c.ID] = c
	}
	return func(id string) link.Connection { return at[id] }
}
