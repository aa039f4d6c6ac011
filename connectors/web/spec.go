package web

import (
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

// A spec is what a service answers, and what can be seen in it. The catalogue
// reads it from YAML; the generic types build one.
type spec struct {
	Resolve []resolve       `yaml:"resolve"` // asked once after the sign-in; their values are {placeholders}
	Check   check           `yaml:"check"`
	Tree    []node          `yaml:"tree"`
	Shapes  map[string]each `yaml:"shapes"` // named, so that a folder can hold folders: each: {of: item}
	Said    string          `yaml:"said"`   // where its error messages are: "error.message|message"
	Errors  []rule          `yaml:"errors"`
	Blame   string          `yaml:"blame"`   // the field to look at after a 401; else the sign-in's secret
	Address string          `yaml:"address"` // the field that names the host
	Limits  limits          `yaml:"limits"`
	Lenient bool            `yaml:"-"` // answers need not be data
	Success string          `yaml:"-"` // the media type that an answer must have
	Good    []int           `yaml:"-"` // the statuses of success; 200 to 299 when empty
}

// A request is what is asked. Reading is all that is ever done: a POST is for
// services whose searches are one.
type request struct {
	Get     string            `yaml:"get"`
	Post    string            `yaml:"post"`
	Method  string            `yaml:"method"` // of the generic type; GET or POST otherwise
	Body    string            `yaml:"body"`   // {placeholders} are escaped as the type asks
	Type    string            `yaml:"type"`   // of the body; application/json when left out
	Headers map[string]string `yaml:"headers"`
}

func (r request) where() string {
	if r.Post != "" {
		return r.Post
	}
	return r.Get
}

func (r request) method() string {
	switch {
	case r.Method != "":
		return r.Method
	case r.Post != "":
		return "POST"
	}
	return "GET"
}

// resolve asks for what later requests need: a tenant, a site's id.
type resolve struct {
	When    map[string][]string `yaml:"when"` // only with these answers in the form
	Request request             `yaml:",inline"`
	Items   string              `yaml:"items"` // the list to choose from; left out: the answer itself
	Match   string              `yaml:"match"` // the member that must be To; left out: the first item
	To      string              `yaml:"to"`
	Prefer  *cond               `yaml:"prefer"` // the first item of which this holds, where nothing says which
	Set     map[string]string   `yaml:"set"`    // placeholder: path
	Missing rule                `yaml:"missing"`
}

// check is one request that proves the credentials. Where rights are given out
// one by one, no single request may be open to all: the next of Or is asked when
// the one before was denied. Where two secrets prove the account, First asks what
// needs only one of them, so that it shows which is wrong.
type check struct {
	Request  request   `yaml:",inline"`
	First    []request `yaml:"first"` // asked before, in this order; none of them may be refused
	Or       []request `yaml:"or"`
	PassWhen []cond    `yaml:"pass_when"`
	FailWhen []rule    `yaml:"fail_when"`
	Facts    []fact    `yaml:"facts"`
	Also     []extra   `yaml:"also"`
}

// extra is one more request that tells facts; it may be refused. A fact takes
// the place of the check's with the same label.
type extra struct {
	When    map[string][]string `yaml:"when"` // only with these answers in the form
	Request request             `yaml:",inline"`
	Facts   []fact              `yaml:"facts"`
}

// fact is read from the answer's body or from one of its headers. A time is
// shown in the form in which "Expires" is understood (RFC 3339).
type fact struct {
	Label  string            `yaml:"label"`
	Text   string            `yaml:"text"` // what is known already, of {placeholders}: of the check alone
	Path   string            `yaml:"path"` // a list is shown as its items, one after another
	Item   string            `yaml:"item"` // the member of such an item that is shown
	Header string            `yaml:"header"`
	Take   string            `yaml:"take"` // a regular expression: its first group is what is shown of the value
	Time   bool              `yaml:"time"`
	Bytes  bool              `yaml:"bytes"` // shown as 1.2 MiB
	Means  map[string]string `yaml:"means"` // people's words for some of its values: {"true": Live}
}

// read is what v has at the fact's path, "" for nothing.
func (f fact) read(v jsonx.Value) string {
	if f.Path == "" {
		return ""
	}
	list, ok := jsonx.At(v, f.Path).([]jsonx.Value)
	if !ok {
		return f.shown(jsonx.Text(v, f.Path))
	}
	var all []string
	for _, item := range list {
		if one := f.shown(jsonx.Text(item, f.Item)); one != "" {
			all = append(all, one)
		}
	}
	return strings.Join(all, ", ")
}

func (f fact) shown(value string) string {
	if f.Take != "" {
		value = taken(f.Take, value)
	}
	if words, ok := f.Means[value]; ok {
		return words
	}
	if f.Time {
		return timeOf(value)
	}
	if n, err := strconv.ParseUint(value, 10, 64); f.Bytes && err == nil {
		return humanize.IBytes(n)
	}
	return value
}

// cond holds when the value at Path is one of Is, or merely there without Is.
type cond struct {
	Path   string   `yaml:"path"`
	Is     []string `yaml:"is"`
	Not    []string `yaml:"not"`
	None   bool     `yaml:"none"`   // or the value is missing or empty
	Begins []string `yaml:"begins"` // or begins with one of these
	Ends   []string `yaml:"ends"`   // or ends with one of these
}

// rule names a failure. Status, Path and Header that are left out match everything.
type rule struct {
	At     string              `yaml:"at"`   // only of requests whose path begins so
	When   map[string][]string `yaml:"when"` // only with these answers in the form
	HTML   bool                `yaml:"html"` // only of web pages, whose words are no data
	Status []int               `yaml:"status"`
	Path   string              `yaml:"path"`
	Is     []string            `yaml:"is"`
	Has    []string            `yaml:"has"` // the value contains one of these, whatever the case
	Header string              `yaml:"header"`
	Code   connectors.Code     `yaml:"code"`
	Reason string              `yaml:"reason"`
	Title  string              `yaml:"title"` // what happened, one sentence
	Hint   string              `yaml:"hint"`  // what to do next
	Field  string              `yaml:"field"`
	Stage  connectors.Stage    `yaml:"stage"`
}

// limits tells how a service asks to slow down.
type limits struct {
	Concurrency int    `yaml:"concurrency"` // requests at once; 0 is 4
	Status      []int  `yaml:"status"`      // answers that mean "too fast"; 429 when left out
	RetryAfter  string `yaml:"retry_after"` // header with seconds or a date; Retry-After when left out
	Seconds     int    `yaml:"seconds"`     // how long to wait where no header says
	Remaining   string `yaml:"remaining"`   // header that is 0 when nothing is left
	Reset       string `yaml:"reset"`       // header that says when: epoch or seconds
}

// A node is fixed in the tree; Each is the shape of what List finds below it.
type node struct {
	When    map[string][]string `yaml:"when"` // only with these answers in the form
	ID      string              `yaml:"id"`
	Name    string              `yaml:"name"`
	Kind    string              `yaml:"kind"`
	Rows    *list               `yaml:"rows"`
	List    *list               `yaml:"list"`
	Content *content            `yaml:"content"`
	Each    *each               `yaml:"each"`
	Nodes   []node              `yaml:"nodes"`
	Actions []action            `yaml:"actions"` // done on request only
	Open    bool                `yaml:"-"`       // its answer can be walked into
}

// list is where rows or children come from, page after page.
type list struct {
	Request request  `yaml:",inline"`
	Items   string   `yaml:"items"`
	Before  string   `yaml:"before"`  // a second list in the same answer, whose items come first
	Into    string   `yaml:"into"`    // a member whose own members are the columns
	Grid    bool     `yaml:"grid"`    // rows are arrays of cells, the first is the header
	Next    string   `yaml:"next"`    // the next page's address
	Link    bool     `yaml:"link"`    // the next page's address is in the Link header (RFC 8288)
	Cursor  string   `yaml:"cursor"`  // the next page's mark in the answer
	Last    string   `yaml:"last"`    // or the last item's member that is the mark
	With    string   `yaml:"with"`    // the query parameter that carries the mark
	Then    *request `yaml:"then"`    // or the request of the following pages, with {cursor}
	More    string   `yaml:"more"`    // another page only when this is true
	Offset  bool     `yaml:"offset"`  // the request has {offset} and {limit}
	Page    bool     `yaml:"page"`    // the request has {page}, the first is 1; {index} counts from 0, and {first} is the page's first item's number from 1
	Limit   int      `yaml:"limit"`   // rows a page
	Most    int      `yaml:"most"`    // the service refuses pages after this many rows
	Row     string   `yaml:"row"`     // the member of an item that is the row, without what stands around it
	Cells   string   `yaml:"cells"`   // where a cell that is an object has its text: see flat
	Unlike  []cond   `yaml:"unlike"`  // items of which one of these holds are left out
	Without []string `yaml:"without"` // members that are no columns: what the service says about itself
	End     []int    `yaml:"end"`     // statuses that mean that there are no rows, or no more
	guessed bool     // Next is a guess: only what looks like an address counts
}

// content is a file's bytes.
type content struct {
	Request request `yaml:",inline"`
	Rows    bool    `yaml:"rows"`  // they may be delimited text
	Range   bool    `yaml:"range"` // the service understands Range
	Token   string  `yaml:"token"` // where a signed token (JWT) stands in the answer: shown taken apart, without what makes it valid
}

// each is the shape of a list's items.
type each struct {
	Of      string   `yaml:"of"`   // the name of a shape to use instead
	When    []cond   `yaml:"when"` // of a kind: all must hold
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Kind    string   `yaml:"kind"`
	After   string   `yaml:"after"`   // of the name only what follows the last one of these, "/" for paths
	Doubled string   `yaml:"doubled"` // a mark that requests write twice in {id}, such as the ' around a name
	As      string   `yaml:"as"`      // the placeholder under which the id is known at any depth below
	Facts   []fact   `yaml:"facts"`
	Rows    *list    `yaml:"rows"`
	List    *list    `yaml:"list"`
	Content *content `yaml:"content"`
	Each    *each    `yaml:"each"`
	Nodes   []node   `yaml:"nodes"`   // fixed, below every item
	Actions []action `yaml:"actions"` // done on request only
	Kinds   []each   `yaml:"kinds"`   // the first whose When holds is the item's shape
}
