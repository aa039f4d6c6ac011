package exports

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"jackfield/connectors/internal/jsonx"
)

// The bounds of XML from strangers. Entities other than XML's own five are an
// error: encoding/xml reads no document type.
const (
	maxDepth = 100
	maxNodes = 100_000
	maxEqual = 200_000 // equals signs, for the attributes
)

var errXML = errors.New("this XML is too deep or too large")

// A node is an element.
type node struct {
	name     string
	attr     map[string]string
	text     string
	raw      []byte
	children []*node
}

func parseXML(text string) (*node, error) {
	if strings.Count(text, "=") > maxEqual {
		return nil, errXML
	}
	// The text is UTF-8 by now, whatever its declaration says.
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	root := &node{}
	stack := []*node{root}
	for n := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if n++; n > maxNodes || len(stack) > maxDepth {
				return nil, errXML
			}
			e := element(t)
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			top.text, top.raw = string(top.raw), nil
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 1 && len(top.children) == 0 {
				top.raw = append(top.raw, t...)
			}
		}
	}
	if len(root.children) != 1 {
		return nil, errXML
	}
	return root.children[0], nil
}

func element(t xml.StartElement) *node {
	e := &node{name: t.Name.Local}
	if len(t.Attr) > 0 {
		e.attr = make(map[string]string, len(t.Attr))
	}
	for _, a := range t.Attr {
		e.attr[a.Name.Local] = a.Value
	}
	return e
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return &node{}
}

// value is the text of a child.
func (n *node) value(name string) string { return strings.TrimSpace(n.child(name).text) }

// all visits every element with that name, at any depth.
func (n *node) all(name string) []*node {
	var out []*node
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
		out = append(out, c.all(name)...)
	}
	return out
}

// dict reads a property list's dictionary: <key>…</key><string>…</string>.
func (n *node) dict() map[string]*node {
	out := map[string]*node{}
	for i := 0; i+1 < len(n.children); i++ {
		if n.children[i].name == "key" {
			out[strings.TrimSpace(n.children[i].text)] = n.children[i+1]
		}
	}
	return out
}

func str(v jsonx.Value, path string) string {
	switch x := jsonx.At(v, path).(type) {
	case nil, []jsonx.Value, *jsonx.Object:
		return ""
	default:
		return jsonx.Show(x)
	}
}

func items(v jsonx.Value, path string) []jsonx.Value {
	l, _ := jsonx.At(v, path).([]jsonx.Value)
	return l
}

func object(v jsonx.Value, path string) *jsonx.Object {
	o, _ := jsonx.At(v, path).(*jsonx.Object)
	return o
}

func has(v jsonx.Value, paths ...string) bool {
	for _, p := range paths {
		if jsonx.At(v, p) == nil {
			return false
		}
	}
	return true
}
