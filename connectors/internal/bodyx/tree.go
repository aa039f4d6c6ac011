package bodyx

import (
	"encoding/json"
	"strconv"
	"strings"

	"jackfield/connectors/internal/jsonx"
)

// The bounds of a tree: children of one value, and bytes of a name, a text and
// a pointer.
const (
	maxChildren = 10_000
	maxName     = 200
	maxText     = 1 << 10
	maxPointer  = 4 << 10
)

// A Child is a member of an object or an element of a list.
type Child struct {
	// Name is the member's own, or the element's name, title or id, or "#1" for
	// the first. As the server says it, cut after 200 bytes; not unique.
	Name string
	// Pointer leads to it from the root (RFC 6901). It is "" for what lies so
	// deep, or under names so long, that it cannot be opened; it is no branch then.
	Pointer string
	Kind    string // object, list, text, number, boolean or null
	Branch  bool   // it has children
	Rows    bool   // it is a list with something in it
	Text    string // a scalar's value, cut after 1 KiB
}

// Children lists what stands below the value at pointer, in the answer's order,
// at most 10,000. Nothing stands below a scalar, or where there is no value.
func Children(v jsonx.Value, pointer string) []Child {
	at, _ := At(v, pointer)
	var out []Child
	switch x := at.(type) {
	case *jsonx.Object:
		for _, k := range x.Keys[:min(len(x.Keys), maxChildren)] {
			out = append(out, child(k, pointer, k, x.Members[k]))
		}
	case []jsonx.Value:
		for i, e := range x[:min(len(x), maxChildren)] {
			out = append(out, child(nameOf(e, i), pointer, strconv.Itoa(i), e))
		}
	}
	return out
}

func child(name, parent, token string, v jsonx.Value) Child {
	c := Child{Name: jsonx.Cut(name, maxName)}
	reachable := len(parent)+len(token) < maxPointer
	if reachable {
		c.Pointer = parent + "/" + escape(token)
	}
	switch x := v.(type) {
	case *jsonx.Object:
		c.Kind, c.Branch = "object", reachable && len(x.Keys) > 0
	case []jsonx.Value:
		c.Kind, c.Branch = "list", reachable && len(x) > 0
		c.Rows = c.Branch
	case string:
		c.Kind = "text"
	case json.Number:
		c.Kind = "number"
	case bool:
		c.Kind = "boolean"
	default:
		c.Kind = "null"
	}
	if c.Kind != "object" && c.Kind != "list" {
		c.Text = jsonx.Cut(jsonx.Show(v), maxText)
	}
	return c
}

// nameOf is what an element of a list calls itself.
func nameOf(v jsonx.Value, i int) string {
	if o, ok := v.(*jsonx.Object); ok {
		for _, k := range []string{"name", "title", "id", "Name", "Title", "Id", "ID", "@name", "@title", "@id"} {
			switch x := o.Members[k].(type) {
			case string, json.Number:
				if s := jsonx.Show(x); strings.TrimSpace(s) != "" {
					return s
				}
			}
		}
	}
	return "#" + strconv.Itoa(i+1)
}

// At follows a JSON pointer (RFC 6901): "" is v, "/a~1b/0" the first element of
// the member a/b.
func At(v jsonx.Value, pointer string) (jsonx.Value, bool) {
	if pointer == "" {
		return v, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		var ok bool
		if v, ok = step(v, token); !ok {
			return nil, false
		}
	}
	return v, true
}

func step(v jsonx.Value, token string) (jsonx.Value, bool) {
	switch x := v.(type) {
	case *jsonx.Object:
		m, ok := x.Members[unescape(token)]
		return m, ok
	case []jsonx.Value:
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(x) || strconv.Itoa(i) != token {
			return nil, false
		}
		return x[i], true
	}
	return nil, false
}

func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}
