package report

import (
	"fmt"

	"jackfield/connectors"
)

// A Reason is why something cannot be read.
type Reason string

// The reasons.
const (
	Above   Reason = "above"   // something above it is closed: rights of its own would not help
	Itself  Reason = "itself"  // what is above it is open; the right on itself is missing
	Partly  Reason = "partly"  // it is seen, and read in part at the most
	Refused Reason = "refused" // it was tried, and the server said no
)

// Why is the reason in a form that can be put into any language.
type Why struct {
	Reason Reason `json:"reason"`
	Kind   string `json:"kind,omitempty"` // of what is closed above it
	Name   string `json:"name,omitempty"`
	Said   string `json:"said,omitempty"` // the refusal in words
}

// Text is the reason in English, safe to show.
func (w *Why) Text() string {
	if w == nil {
		return ""
	}
	switch w.Reason {
	case Above:
		return fmt.Sprintf("The %s “%s” above it is closed to this account; rights on this alone would not help.", orThing(w.Kind), connectors.Clean(w.Name, 120))
	case Itself:
		return "What is above it is open; the right to read this itself is missing."
	case Partly:
		return "It is seen, but may be read in part at the most."
	case Refused:
		return connectors.Clean(w.Said, longestFact)
	}
	return ""
}

func orThing(kind string) string {
	if kind == "" {
		return "thing"
	}
	return connectors.Clean(kind, 60)
}

// whyNot gives the reason; above is the first closed node above n, or nil.
func whyNot(n Node, above *Node) *Why {
	switch {
	case n.Access == connectors.AccessListed:
		return &Why{Reason: Partly}
	case n.Access != connectors.AccessDenied:
		return nil
	case above != nil:
		return &Why{Reason: Above, Kind: above.Kind, Name: above.Name()}
	case n.Below != nil && n.Below.State == Denied && n.Below.Problem != nil:
		return &Why{Reason: Refused, Said: n.Below.Problem.Title}
	case n.Sample != nil && n.Sample.Problem != nil:
		return &Why{Reason: Refused, Said: n.Sample.Problem.Title}
	}
	return &Why{Reason: Itself}
}
