package health

import (
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Why says for what reason a connection is not tried without being asked for.
type Why string

// The reasons. They appear in JSON and never change.
const (
	WhyRefused   Why = "refused"   // its own last sign-in was refused, or a person has to put something right
	WhyShared    Why = "shared"    // another connection with the same sign-in was refused
	WhyThrottled Why = "throttled" // the server asked to be left alone for a while
	WhyUnlinked  Why = "unlinked"  // it was never linked
	WhyPractice  Why = "practice"  // its service may not be running
)

// calm is for how long a server that locked somebody out is left alone.
const calm = time.Hour

// Held says why a connection is not tried by itself.
type Held struct {
	Why    Why              `json:"why"`
	At     time.Time        `json:"at,omitzero"` // of the refusal, where that is known
	Code   connectors.Code  `json:"code,omitempty"`
	Reason string           `json:"-"`
	Stage  connectors.Stage `json:"-"`
	By     string           `json:"by,omitempty"` // the connection that was refused, when it is another one
}

// Err is the refusal as an error, for its words; nil where there was none.
func (h Held) Err() error {
	if h.Code == "" {
		return nil
	}
	return &connectors.Error{Code: h.Code, Reason: h.Reason, Op: h.Stage}
}

// A refusal is a sign-in that a server did not want.
type refusal struct {
	at     time.Time
	code   connectors.Code
	reason string
	stage  connectors.Stage
	id     string
	name   string
}

func (r refusal) held(why Why) *Held {
	return &Held{Why: why, At: r.at, Code: r.code, Reason: r.reason, Stage: r.stage}
}

// forPerson reports whether a failure stays until a person puts something right:
// trying again by itself could only lock an account, or annoy.
func forPerson(code connectors.Code) bool {
	switch code {
	case connectors.AuthFailed, connectors.SignInAgain, connectors.Expired, connectors.Untrusted, connectors.HostChanged, connectors.BadInput:
		return true
	}
	return false
}

// ofAccount reports whether a failure is the account's, so that whoever signs in
// with it would fail the same way and be counted by the server.
func ofAccount(code connectors.Code, stage connectors.Stage) bool {
	switch code {
	case connectors.AuthFailed, connectors.SignInAgain, connectors.Expired:
		return true
	case connectors.Throttled:
		return stage == connectors.StageSignIn
	}
	return false
}

// decides reports whether a result tells anything about the sign-in. A server
// that was not reached says nothing: the password that it refused before is
// still the one that is stored.
func decides(e Entry) bool {
	return e.State == link.OK || e.State == link.Partial || e.Code == connectors.Denied || forPerson(e.Code)
}

// refused is the refusal of c that stands: no answer has changed since, and no
// check was good.
func refused(c link.Connection, s summary) (refusal, bool) {
	none := refusal{}
	if c.State == link.Prepared {
		return none, false // the answers changed, or were never tried
	}
	if e := s.decisive; e.State == link.Failed && forPerson(e.Code) && e.At.After(c.Checked) {
		return refusal{at: e.At, code: e.Code, reason: e.Reason, stage: e.Stage, id: c.ID, name: c.Name}, true
	}
	if p := c.Problem; c.State == link.Failed && p != nil && forPerson(p.Code) {
		at := c.Checked // it was refused by a link that kept no history
		if c.Changed.After(at) {
			at = c.Changed
		}
		return refusal{at: at, code: p.Code, stage: p.Stage, id: c.ID, name: c.Name}, true
	}
	return none, false
}

// mended reports whether the account that c signs in with was put right after at.
func mended(lender link.Connection, at time.Time) bool {
	return lender.State == link.Prepared && lender.Changed.After(at) || lender.Checked.After(at)
}

// refusals are those that stand, by the keys of the sign-ins that they are of.
func refusals(all []link.Connection, keys map[string]signIn, read func(link.Connection) summary) map[string]refusal {
	out := map[string]refusal{}
	for _, c := range all {
		r, ok := refused(c, read(c))
		if ok && ofAccount(r.code, r.stage) {
			spread(out, keys[c.ID], r)
		}
	}
	return out
}

// spread enters a refusal under the keys that it is of: a jump host's password
// that was refused is not that of the server behind it.
func spread(into map[string]refusal, s signIn, r refusal) {
	keys := s.own
	if r.stage == connectors.StageReach {
		keys = s.way
	}
	for _, k := range keys {
		if old, ok := into[k]; !ok || r.at.After(old.at) {
			into[k] = r
		}
	}
}

// shared is the refusal of another connection that keeps c from being tried: one
// of the same sign-in, since c was last good.
func shared(c link.Connection, s signIn, known map[string]refusal) (refusal, bool) {
	for _, k := range s.all() {
		if r, ok := known[k]; ok && r.id != c.ID && c.Checked.Before(r.at) && (c.State != link.Prepared || !c.Changed.After(r.at)) {
			return r, true
		}
	}
	return refusal{}, false
}

// held tells why c would not be tried by itself; nil when it would.
func (b *Board) held(c link.Connection, s summary, key signIn, known map[string]refusal, lender func(id string) link.Connection, r Round) *Held {
	switch {
	case c.Practice && !r.Practice:
		return &Held{Why: WhyPractice}
	case c.State == link.Prepared && c.Checked.IsZero() && !s.tried && !r.Unlinked:
		return &Held{Why: WhyUnlinked}
	}
	from := link.Connection{}
	if key.lender != "" {
		from = lender(key.lender)
	}
	if own, ok := refused(c, s); ok && (!ofAccount(own.code, own.stage) || !mended(from, own.at)) {
		return own.held(WhyRefused)
	}
	if other, ok := shared(c, key, known); ok && !mended(from, other.at) {
		h := other.held(WhyShared)
		h.By = other.name
		return h
	}
	if e := s.last; e.Code == connectors.Throttled && b.o.Now().Sub(e.At) < calm {
		return &Held{Why: WhyThrottled, At: e.At, Code: e.Code, Reason: e.Reason, Stage: e.Stage}
	}
	return nil
}
