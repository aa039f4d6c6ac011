package connectors

import (
	"context"
	"iter"
	"time"
)

// A Session is an open, authenticated connection; its methods may be called
// concurrently. It also implements at least one of Browser, Tabler, Streamer
// and Sampler (found by type assertion).
type Session interface {
	// Check makes one cheap authenticated round trip and tells account, server,
	// rights and expiry. Facts together with an Error whose Partial is set mean
	// that the credentials work but do not open everything that was asked for.
	Check(ctx context.Context) ([]Fact, error)
	// Close frees everything. It may be called twice and while others are running.
	Close() error
}

// A Browser lists what lies below a node; the root's id is "".
//
// The sequence runs on the consumer's goroutine and holds no whole listing in
// memory. After an error it ends; it stops when ctx ends (yielding ctx's cause);
// ranging twice lists twice; breaking out early frees everything.
type Browser interface {
	Children(ctx context.Context, parent NodeID) iter.Seq2[Node, error]
}

// A Tabler reads rows: of a table, a CSV file, the people of an OU. At most
// limit rows come back, read-only, in no promised order.
type Tabler interface {
	Table(ctx context.Context, id NodeID, limit int) (*Table, error)
}

// A Streamer tells messages as they arrive, below the node id ("" for all).
// It never waits for a slow consumer: it drops the oldest and says how many in
// Event.Dropped. Node ids of a Streamer are the Path's parts joined by "/".
type Streamer interface {
	Watch(ctx context.Context, id NodeID) iter.Seq2[Event, error]
}

// A Broadcaster is a Streamer that needs nobody to choose what to listen to: all
// that it hears is shown at once, and its tree is made of it. The messages of
// other Streamers are heard where a node with ViewMessages is chosen.
type Broadcaster interface {
	Streamer
	Broadcasts() bool
}

// A Sampler reads the first max bytes of a node.
type Sampler interface {
	Sample(ctx context.Context, id NodeID, max int) (Sample, error)
}

// An Actor can do what changes something at the other end. Nothing is done but
// what the person asks for, one at a time.
type Actor interface {
	// Actions are what can be done at a node; it asks nobody.
	Actions(id NodeID) []Action
	// Act does one of them with what the person typed. What comes back is shown
	// and never stored.
	Act(ctx context.Context, id NodeID, action, input string) ([]Part, error)
}

// An Action is something to be done on request.
type Action struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Ask     string `json:"ask,omitempty"`     // what has to be typed; "" for nothing
	Warning string `json:"warning,omitempty"` // what it changes, or who could misuse what it shows
}

// A NodeID names a node within one connection. It is opaque to everybody but
// the connector, survives a restart, and is what a user types after jf ls.
type NodeID string

// A View is a way in which a node can be looked at.
type View string

// The views: rows (Tabler), text or bytes (Sampler), live messages (Streamer).
const (
	ViewRows     View = "rows"
	ViewContent  View = "content"
	ViewMessages View = "messages"
)

// Access says what the account may do with a node, as far as that is known.
type Access string

// The empty Access means unknown.
const (
	AccessReadable Access = "readable"
	AccessListed   Access = "listed" // its name is seen, its content not
	AccessDenied   Access = "denied"
)

// A Node is one thing that the credentials open.
type Node struct {
	ID     NodeID
	Name   string // as the server says it; neutralize with Clean before showing
	Kind   string // folder, file, schema, table, view, column, ou, entry, topic, resource …
	Branch bool   // may have children
	Views  []View // how its content can be looked at; the first is the best
	Access Access
	Facts  []Fact // size, modified, estimated rows …
	// Ordered says that the place among its siblings means something, such as the
	// first tab of a spreadsheet: they are shown as they were listed, unsorted.
	Ordered bool
}

// A Fact is one thing known: {"Account", "acme\\reader"}.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// A Table is a sample of rows. A cell is nil (NULL), string, int64, float64 or bool.
type Table struct {
	Columns   []Column
	Rows      [][]any
	Truncated bool   // there are more rows than these
	Note      string // what the reader should know: "2 columns may not be read"
}

// A Column heads a table's cells.
type Column struct {
	Name    string
	Type    string // as the server calls it; may be empty
	Numeric bool   // cells are aligned right
}

// A Sample is the beginning of a node's content.
type Sample struct {
	MediaType string // "text/plain; charset=utf-8", "application/json", "application/octet-stream" …
	Data      []byte
	Size      int64 // of the whole, -1 when unknown
	Truncated bool
}

// An Event is one message.
type Event struct {
	Time     time.Time
	Path     []string // the topic's parts
	Body     []byte   // capped by the connector
	Size     int      // of the whole body
	Retained bool
	Facts    []Fact // its key, headers and properties, where the protocol has any
	Dropped  uint64 // messages lost since the last event because the consumer was slow
}
