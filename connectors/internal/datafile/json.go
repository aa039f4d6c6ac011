package datafile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/rows"
)

// jsonNesting is how deep the list of rows may lie: {"data":{"items":[…]}}.
const jsonNesting = 6

// itemBytes bounds one row: objects take fifty times their length in memory.
const itemBytes = 1 << 20

// jsonLike reports whether text begins as JSON does.
func jsonLike(head string) bool {
	head = strings.TrimLeft(head, " \t\r\n\x1e")
	if head == "" {
		return false
	}
	if head[0] == '{' || head[0] == '[' {
		rest := strings.TrimLeft(head[1:], " \t\r\n")
		return rest == "" || strings.IndexByte(`"{[]}-0123456789tfn`, rest[0]) >= 0
	}
	return false
}

// jsonTable finds the rows of JSON: one value a line, the elements of a list, or
// the first list of objects in an object. It reads no more than those rows.
func (f *file) jsonTable(in *limited, head string, encoding string, limit int) (*connectors.Table, error) {
	w := &jsonWalk{limit: max(limit, 0), left: tableBytes}
	var err error
	form := "JSON"
	if lines(head) {
		form = "JSON lines"
		w.d = json.NewDecoder(&unseparated{r: in})
		w.d.UseNumber()
		err = w.sequence()
	} else {
		w.d = json.NewDecoder(in)
		w.d.UseNumber()
		err = w.value("", 0)
	}
	if err != nil && !errors.Is(err, errEnough) && len(w.items) == 0 {
		return nil, jsonError(f, in, err)
	}
	if !w.found {
		return f.jsonObject(in, head, encoding, limit)
	}
	more := len(w.items) > w.limit || err != nil && !errors.Is(err, errEnough)
	t := jsonx.Table(spread(w.items), w.limit)
	typed(t)
	t.Truncated = t.Truncated || more || in.hit
	t.Note = join(form, encoding, w.where, t.Note)
	return t, nil
}

func jsonError(f *file, in *limited, err error) error {
	if in.hit {
		return errBudget
	}
	var bad *json.SyntaxError
	if errors.As(err, &bad) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return f.fail("files.bad_json", err.Error())
	}
	return err
}

// jsonObject shows an object without any list of rows by its members.
func (f *file) jsonObject(in *limited, head, encoding string, limit int) (*connectors.Table, error) {
	if in.hit || !in.whole(head) {
		return nil, f.fail("files.no_list", "")
	}
	v, err := jsonx.Parse([]byte(head))
	if err != nil {
		return nil, f.fail("files.bad_json", err.Error())
	}
	o, ok := v.(*jsonx.Object)
	if !ok {
		return nil, f.fail("files.no_rows", "")
	}
	t := jsonx.Members(o)
	if len(t.Rows) > limit {
		t.Rows, t.Truncated = t.Rows[:max(limit, 0)], true
	}
	t.Note = join("JSON", encoding)
	return t, nil
}

// lines reports whether every line is a value of its own (NDJSON, RFC 7464).
func lines(head string) bool {
	if strings.HasPrefix(head, "\x1e") {
		return true
	}
	line, rest, found := strings.Cut(strings.TrimLeft(head, " \t\r\n"), "\n")
	return found && strings.TrimSpace(rest) != "" && json.Valid([]byte(line))
}

// unseparated makes spaces of the separators of RFC 7464.
type unseparated struct{ r io.Reader }

func (u *unseparated) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	for i, b := range p[:n] {
		if b == 0x1e {
			p[i] = ' '
		}
	}
	return n, err
}

var errEnough = errors.New("these rows are enough")

type jsonWalk struct {
	d     *json.Decoder
	limit int
	left  int // bytes of rows that may still be kept
	items []jsonx.Value
	where string // the path of the list
	found bool
}

// item reads one row.
func (w *jsonWalk) item() error {
	var b json.RawMessage
	if err := w.d.Decode(&b); err != nil {
		return err
	}
	if w.left -= len(b); w.left < 0 && len(w.items) > 0 {
		return errEnough
	}
	return w.add(b)
}

// add parses one row; one that is no row of any table is kept as its text.
func (w *jsonWalk) add(b []byte) error {
	var v jsonx.Value = string(b[:min(len(b), 2*maxCellBytes)])
	if len(b) <= itemBytes {
		var err error
		if v, err = jsonx.Parse(b); err != nil {
			return err
		}
	}
	if w.items = append(w.items, v); len(w.items) > w.limit {
		return errEnough
	}
	return nil
}

func (w *jsonWalk) sequence() error {
	w.found = true
	for {
		if err := w.item(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// value looks for the list of rows in the value that comes next.
func (w *jsonWalk) value(path string, depth int) error {
	t, err := w.d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return w.list(path, depth)
	case json.Delim('{'):
		return w.object(path, depth)
	}
	return nil
}

// list takes the elements as rows; below the top only if they are objects.
func (w *jsonWalk) list(path string, depth int) error {
	for first := true; w.d.More(); first = false {
		if !first || depth == 0 {
			w.found, w.where = true, path
			if err := w.item(); err != nil {
				return err
			}
			continue
		}
		var b json.RawMessage
		if err := w.d.Decode(&b); err != nil {
			return err
		}
		if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
			return w.skip()
		}
		w.found, w.where = true, path
		if err := w.add(b); err != nil {
			return err
		}
	}
	w.found = w.found || depth == 0
	if w.found {
		return errEnough
	}
	_, err := w.d.Token()
	return err
}

// skip passes over the rest of a list.
func (w *jsonWalk) skip() error {
	for w.d.More() {
		var b json.RawMessage
		if err := w.d.Decode(&b); err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	return err
}

func (w *jsonWalk) object(path string, depth int) error {
	for w.d.More() {
		key, err := w.d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if path != "" {
			name = path + "." + name
		}
		if depth >= jsonNesting {
			var b json.RawMessage
			err = w.d.Decode(&b)
		} else {
			err = w.value(name[:min(len(name), 200)], depth+1)
		}
		if err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	return err
}

// spread names the elements of rows that are lists.
func spread(items []jsonx.Value) []jsonx.Value {
	for i, item := range items {
		list, ok := item.([]jsonx.Value)
		if !ok {
			continue
		}
		o := &jsonx.Object{Members: map[string]jsonx.Value{}}
		for n, v := range list[:min(len(list), maxColumns)] {
			k := "Column " + strconv.Itoa(n+1)
			o.Keys = append(o.Keys, k)
			o.Members[k] = v
		}
		items[i] = o
	}
	return items
}

// typed tells the types of the cells that a table has.
func typed(t *connectors.Table) {
	for i := range t.Columns {
		kind := ""
		var texts []string
		for _, row := range t.Rows {
			kind = widen(kind, kindOfCell(row[i]))
			if text, ok := row[i].(string); ok {
				texts = append(texts, text)
			}
		}
		if kind == "text" {
			if inferred, numeric := rows.Infer(texts); !numeric && inferred != "boolean" && inferred != "" {
				kind = inferred
			}
		}
		t.Columns[i].Type, t.Columns[i].Numeric = kind, kind == "integer" || kind == "decimal"
	}
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}
