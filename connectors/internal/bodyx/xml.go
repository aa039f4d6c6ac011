package bodyx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"jackfield/connectors/internal/jsonx"
)

// The bounds of an XML answer: elements within elements, and elements and
// attributes in all.
const (
	maxXMLDepth = 200
	maxXMLNodes = 200_000
)

// An element is one that is still open.
type element struct {
	name   string
	object *jsonx.Object // nil while it has neither attributes nor children
	text   strings.Builder
}

type xmlReader struct {
	open  []*element
	root  *jsonx.Object
	nodes int
}

// parseXML reads one document. sure says that text is UTF-8 already, whatever
// its declaration says.
func parseXML(text []byte, sure bool) (jsonx.Value, error) {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimSpace(text)))
	d.CharsetReader = declared
	if sure {
		d.CharsetReader = asDeclared
	}
	var r xmlReader
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, cutShort(err)
		}
		if err := r.take(t); err != nil {
			return nil, err
		}
	}
	if r.root == nil {
		return nil, ErrCut
	}
	return r.root, nil
}

// cutShort tells a document that ends too early from a wrong one.
func cutShort(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) && syntax.Msg == "unexpected EOF" {
		return ErrCut
	}
	return err
}

func (r *xmlReader) take(t xml.Token) error {
	switch x := t.(type) {
	case xml.StartElement:
		return r.start(x)
	case xml.EndElement:
		r.end()
	case xml.CharData:
		if len(r.open) > 0 {
			r.open[len(r.open)-1].text.Write(x)
		} else if len(bytes.TrimSpace(x)) > 0 {
			return errors.New("there is text outside the root element")
		}
	case xml.Directive:
		if looksHTML([]byte("<!" + string(x[:min(len(x), 30)]))) {
			return ErrHTML
		}
		return ErrDoctype
	}
	return nil
}

func (r *xmlReader) start(x xml.StartElement) error {
	if len(r.open) == 0 && r.root != nil {
		return errors.New("there is a second root element")
	}
	if len(r.open) == 0 && strings.EqualFold(x.Name.Local, "html") {
		return ErrHTML
	}
	if len(r.open) == maxXMLDepth {
		return jsonx.ErrDeep
	}
	if r.nodes += 1 + len(x.Attr); r.nodes > maxXMLNodes {
		return ErrMany
	}
	e := &element{name: x.Name.Local}
	for _, a := range x.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if o, name := e.members(), "@"+a.Name.Local; !has(o, name) {
			add(o, name, a.Value)
		}
	}
	r.open = append(r.open, e)
	return nil
}

func (r *xmlReader) end() {
	last := len(r.open) - 1
	e := r.open[last]
	r.open = r.open[:last]
	if last > 0 {
		add(r.open[last-1].members(), e.name, e.value())
		return
	}
	r.root = &jsonx.Object{Members: map[string]jsonx.Value{}}
	add(r.root, e.name, e.value())
}

func (e *element) members() *jsonx.Object {
	if e.object == nil {
		e.object = &jsonx.Object{Members: map[string]jsonx.Value{}}
	}
	return e.object
}

func (e *element) value() jsonx.Value {
	text := strings.TrimSpace(e.text.String())
	if e.object == nil {
		return text
	}
	if text != "" {
		add(e.object, "#text", text)
	}
	return e.object
}

func has(o *jsonx.Object, name string) bool {
	_, ok := o.Members[name]
	return ok
}

// add makes a list of what has the same name. v is no list itself.
func add(o *jsonx.Object, name string, v jsonx.Value) {
	before, again := o.Members[name]
	if !again {
		o.Keys = append(o.Keys, name)
		o.Members[name] = v
		return
	}
	list, ok := before.([]jsonx.Value)
	if !ok {
		list = []jsonx.Value{before}
	}
	o.Members[name] = append(list, v)
}
