// Package jsonx reads JSON from strangers: bounded in depth, with the order of
// an object's members kept, because that is the order of a table's columns.
package jsonx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The bounds are far above what any service answers, and far below what hurts:
// an object of seven bytes takes some 400 in memory.
const (
	maxDepth   = 200
	maxObjects = 500_000
)

// The ways in which an answer is refused.
var (
	ErrDeep  = errors.New("nested too deeply")
	ErrMany  = errors.New("too many objects")
	ErrAfter = errors.New("there is text after the JSON value")
)

// A Value is nil, bool, string, json.Number, []Value or *Object.
type Value any

// An Object keeps the order of its members.
type Object struct {
	Keys    []string
	Members map[string]Value
}

// Parse reads one value. Text after it is ErrAfter.
func Parse(data []byte) (Value, error) {
	r := newReader(data)
	v, err := r.next(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrAfter
	}
	return v, nil
}

// A reader counts the objects of everything that it reads.
type reader struct {
	d       *json.Decoder
	objects int
}

func newReader(data []byte) *reader {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return &reader{d: d}
}

func (r *reader) next(depth int) (Value, error) {
	if depth > maxDepth {
		return nil, ErrDeep
	}
	t, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	switch delim, _ := t.(json.Delim); delim {
	case '[':
		list := []Value{}
		for r.d.More() {
			v, err := r.next(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := r.d.Token()
		return list, err
	case '{':
		return r.object(depth)
	}
	return t, nil
}

func (r *reader) object(depth int) (Value, error) {
	if r.objects++; r.objects > maxObjects {
		return nil, ErrMany
	}
	o := &Object{Members: map[string]Value{}}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, errors.New("an object's key is no string")
		}
		v, err := r.next(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, twice := o.Members[key]; !twice {
			o.Keys = append(o.Keys, key)
		}
		o.Members[key] = v
	}
	_, err := r.d.Token()
	return o, err
}

// At follows a dotted path: "data.items.0.name"; "" is v itself. A member whose
// own name has dots is found too ("@odata.nextLink"). Missing gives nil.
func At(v Value, path string) Value {
	if path == "" {
		return v
	}
	switch x := v.(type) {
	case *Object:
		for i := len(path); i > 0; i = strings.LastIndexByte(path[:i], '.') {
			if m, ok := x.Members[path[:i]]; ok {
				return At(m, strings.TrimPrefix(path[i:], "."))
			}
		}
	case []Value:
		head, rest, _ := strings.Cut(path, ".")
		if n, err := strconv.Atoi(head); err == nil && n >= 0 && n < len(x) {
			return At(x[n], rest)
		}
	}
	return nil
}

// Text is the value at the first of several paths ("a.b|c") that has one, as
// text; "" when none has. A part "*" of a path is every element of a list or
// member of an object, one text after the other ("parts.*.text"), and "," all of
// them with commas between ("tags.,.name").
func Text(v Value, paths string) string {
	for p := range strings.SplitSeq(paths, "|") {
		if s := joined(v, p); s != "" {
			return s
		}
	}
	return ""
}

// joined goes on below every element or member at the first "*" or "," of path.
func joined(v Value, path string) string {
	parts := strings.Split(path, ".")
	i := slices.IndexFunc(parts, func(p string) bool { return p == "*" || p == "," })
	if i < 0 {
		return Show(At(v, path))
	}
	between := ""
	if parts[i] == "," {
		between = ", "
	}
	var all []string
	for _, item := range members(At(v, strings.Join(parts[:i], "."))) {
		if s := joined(item, strings.Join(parts[i+1:], ".")); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, between)
}

func members(v Value) []Value {
	o, ok := v.(*Object)
	if !ok {
		list, _ := v.([]Value)
		return list
	}
	out := make([]Value, 0, len(o.Keys))
	for _, k := range o.Keys {
		out = append(out, o.Members[k])
	}
	return out
}

// Show is a scalar as text, and anything else as compact JSON.
func Show(v Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	var b bytes.Buffer
	compact(&b, v)
	return b.String()
}

func compact(b *bytes.Buffer, v Value) {
	switch x := v.(type) {
	case []Value:
		b.WriteByte('[')
		for i, e := range x {
			if i > 0 {
				b.WriteByte(',')
			}
			compact(b, e)
		}
		b.WriteByte(']')
	case *Object:
		b.WriteByte('{')
		for i, k := range x.Keys {
			if i > 0 {
				b.WriteByte(',')
			}
			scalar(b, k)
			b.WriteByte(':')
			compact(b, x.Members[k])
		}
		b.WriteByte('}')
	default:
		scalar(b, v)
	}
}

func scalar(b *bytes.Buffer, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		data = fmt.Appendf(nil, "%q", fmt.Sprint(v))
	}
	b.Write(data)
}

// Items finds the rows of an answer: the array at path, or for path "" v itself
// when it is an array, else the longest array of objects one level down.
func Items(v Value, path string) ([]Value, bool) {
	if list, ok := At(v, path).([]Value); ok {
		return list, true
	}
	o, ok := v.(*Object)
	if !ok || path != "" {
		return nil, false
	}
	var best []Value
	found := false
	for _, k := range o.Keys {
		list, ok := o.Members[k].([]Value)
		if ok && (!found || len(list) > len(best)) {
			best, found = list, true
		}
	}
	return best, found
}
