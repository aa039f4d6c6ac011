package datafile

import (
	"encoding/binary"

	"strconv"
	"strings"
)

// The bounds of a Parquet file's footer.
const (
	maxFooter   = 16 << 20
	maxElements = 20_000 // of the schema
	maxNesting  = 40
	maxGroups   = 64     // row groups that are looked into
	maxChunks   = 40_000 // column chunks of these
)

// The physical types (parquet.thrift of https://github.com/apache/parquet-format).
const (
	pqBoolean = iota
	pqInt32
	pqInt64
	pqInt96
	pqFloat
	pqDouble
	pqBytes
	pqFixed
)

// The converted types that change how a value is read; logical types come as the
// same numbers from readLogical.
const (
	pqUTF8            = 0
	pqMap             = 1
	pqMapKeyValue     = 2
	pqList            = 3
	pqEnum            = 4
	pqDecimal         = 5
	pqDate            = 6
	pqTimeMillis      = 7
	pqTimeMicros      = 8
	pqStampMillis     = 9
	pqStampMicros     = 10
	pqUint8           = 11
	pqUint64          = 14
	pqInt8            = 15
	pqJSON            = 19
	pqBSON            = 20
	pqInterval        = 21
	pqTimeNanos       = 100 // these have no converted type
	pqStampNanos      = 101
	pqUUID            = 102
	pqFloat16         = 103
	pqNone        int = -1
)

// An element of a schema, which is a tree written down depth first.
type element struct {
	kind, length, repetition, children int
	meaning                            int // converted or logical
	scale, precision                   int
	utc                                bool
	name                               string
}

// A leaf is a column of values.
type leaf struct {
	element
	title          string
	maxDef, maxRep int
	listDef        int // the definition level at which the innermost list has an element
}

// A chunk is one column's part of a row group.
type chunk struct {
	codec             int
	values, size      int64
	data, dictionary  int64 // offsets
	encrypted, remote bool
}

type group struct {
	rows   int64
	chunks []chunk
}

// A footer is what a preview needs of a Parquet file's metadata.
type footer struct {
	leaves  []leaf
	rows    int64
	groups  int // of the whole file
	first   []group
	creator string
}

// footer reads the metadata at the file's end: its length, and "PAR1".
func (f *file) footer(enough int64) (*footer, error) {
	r, size, err := f.random()
	if err != nil {
		return nil, err
	}
	if size < 12 {
		return nil, errShort
	}
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	if string(tail[4:]) == "PARE" {
		return nil, f.fail("files.parquet_encrypted", "")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != "PAR1" || n > size-12 {
		return nil, broken{"the file is not whole: what describes its columns is missing"}
	}
	if n > maxFooter {
		return nil, errBudget
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-8-n); err != nil {
		return nil, err
	}
	return readFooter(b, enough)
}

// readFooter reads a FileMetaData, and of the row groups as many as hold enough rows.
func readFooter(b []byte, enough int64) (*footer, error) {
	r := &thrift{b: b}
	out := &footer{}
	var schema []element
	have, chunks := int64(0), 0
	err := r.fields(func(id int, t byte) (err error) {
		switch id {
		case 2:
			schema, err = r.schema(t)
		case 3:
			out.rows, err = r.whole(t)
		case 4:
			err = r.list(t, func(_ int, t byte) error {
				out.groups++
				if have >= enough || len(out.first) >= maxGroups || chunks > maxChunks {
					return r.skipItem(t)
				}
				g, err := r.group()
				have, chunks = have+g.rows, chunks+len(g.chunks)
				out.first = append(out.first, g)
				return err
			})
		case 6:
			var name []byte
			name, err = r.bytes(t)
			out.creator = string(name[:min(len(name), 100)])
		default:
			err = r.skip(t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out.leaves, err = leaves(schema)
	return out, err
}

func (r *thrift) schema(t byte) ([]element, error) {
	var out []element
	err := r.list(t, func(i int, t byte) error {
		if i >= maxElements || t != thriftStruct {
			return errThrift
		}
		e, err := r.element()
		out = append(out, e)
		return err
	})
	return out, err
}

func (r *thrift) element() (element, error) {
	e := element{kind: pqNone, meaning: pqNone}
	converted := pqNone
	err := r.fields(func(id int, t byte) error {
		to := map[int]*int{1: &e.kind, 2: &e.length, 3: &e.repetition, 5: &e.children, 6: &converted, 7: &e.scale, 8: &e.precision}[id]
		switch {
		case to != nil:
			v, err := r.whole(t)
			*to = int(v)
			return err
		case id == 4:
			b, err := r.bytes(t)
			e.name = strings.ToValidUTF8(string(b[:min(len(b), 1000)]), "\ufffd")
			return err
		case id == 10 && t == thriftStruct:
			return r.logical(&e)
		}
		return r.skip(t)
	})
	if e.meaning == pqNone {
		e.meaning = converted
		e.utc = converted == pqStampMillis || converted == pqStampMicros
	}
	if e.length < 0 || e.length > maxCellBytes*16 || e.children < 0 || e.scale < 0 || e.scale > 200 {
		return e, errThrift
	}
	return e, err
}

// logical reads the union LogicalType.
func (r *thrift) logical(e *element) error {
	plain := map[int]int{1: pqUTF8, 2: pqMap, 3: pqList, 4: pqEnum, 6: pqDate, 12: pqJSON, 13: pqBSON, 14: pqUUID, 15: pqFloat16}
	return r.fields(func(id int, t byte) error {
		if v, ok := plain[id]; ok {
			e.meaning = v
			return r.skip(t)
		}
		switch {
		case t != thriftStruct:
			return r.skip(t)
		case id == 5:
			e.meaning = pqDecimal
			return r.fields(func(id int, t byte) error {
				to := map[int]*int{1: &e.scale, 2: &e.precision}[id]
				if to == nil {
					return r.skip(t)
				}
				v, err := r.whole(t)
				*to = int(v)
				return err
			})
		case id == 7:
			return r.timeUnit(e, pqTimeMillis, pqTimeMicros, pqTimeNanos)
		case id == 8:
			return r.timeUnit(e, pqStampMillis, pqStampMicros, pqStampNanos)
		case id == 10:
			return r.intType(e)
		}
		return r.skip(t)
	})
}

func (r *thrift) timeUnit(e *element, units ...int) error {
	return r.fields(func(id int, t byte) error {
		switch {
		case id == 1:
			e.utc = t == thriftTrue
			return r.skip(t)
		case id == 2 && t == thriftStruct:
			return r.fields(func(id int, t byte) error {
				if id >= 1 && id <= len(units) {
					e.meaning = units[id-1]
				}
				return r.skip(t)
			})
		}
		return r.skip(t)
	})
}

func (r *thrift) intType(e *element) error {
	width, signed := int64(0), true
	err := r.fields(func(id int, t byte) (err error) {
		switch id {
		case 1:
			width, err = r.whole(t)
		case 2:
			signed = t == thriftTrue
		default:
			err = r.skip(t)
		}
		return err
	})
	e.meaning = pqInt8
	if !signed {
		e.meaning = pqUint8
		if width == 64 {
			e.meaning = pqUint64
		}
	}
	return err
}

func (r *thrift) group() (group, error) {
	var g group
	err := r.fields(func(id int, t byte) (err error) {
		switch id {
		case 1:
			err = r.list(t, func(i int, _ byte) error {
				if i >= maxElements {
					return errThrift
				}
				c, err := r.chunk()
				g.chunks = append(g.chunks, c)
				return err
			})
		case 3:
			g.rows, err = r.whole(t)
		default:
			err = r.skip(t)
		}
		return err
	})
	if g.rows < 0 {
		return g, errThrift
	}
	return g, err
}

func (r *thrift) chunk() (chunk, error) {
	c := chunk{codec: pqNone}
	err := r.fields(func(id int, t byte) error {
		switch {
		case id == 1:
			c.remote = true
		case id == 8 || id == 9:
			c.encrypted = true
		case id == 3 && t == thriftStruct:
			return r.fields(func(id int, t byte) error {
				codec := int64(c.codec)
				to := map[int]*int64{4: &codec, 5: &c.values, 7: &c.size, 9: &c.data, 11: &c.dictionary}[id]
				if to == nil {
					return r.skip(t)
				}
				v, err := r.whole(t)
				*to = v
				c.codec = int(codec)
				return err
			})
		}
		return r.skip(t)
	})
	return c, err
}

// leaves goes through the tree of the schema.
func leaves(schema []element) ([]leaf, error) {
	if len(schema) == 0 {
		return nil, errShort
	}
	w := &schemaWalk{rest: schema[1:]}
	for range schema[0].children {
		if err := w.node(leaf{}, schema[0], 0); err != nil {
			return nil, err
		}
	}
	return w.out, nil
}

type schemaWalk struct {
	rest []element
	out  []leaf
}

// node adds what is below the next element. The levels follow the paper "Dremel":
// what may be missing counts for definition, what may come often for both.
func (w *schemaWalk) node(up leaf, parent element, depth int) error {
	if len(w.rest) == 0 || depth > maxNesting {
		return errThrift
	}
	e := w.rest[0]
	w.rest = w.rest[1:]
	l := up
	l.element = e
	if e.repetition != 0 {
		l.maxDef++
	}
	if e.repetition == 2 {
		l.maxRep++
		l.listDef = l.maxDef
	}
	if !padding(e, parent, up) {
		if l.title != "" {
			l.title += "."
		}
		l.title += e.name
		l.title = l.title[:min(len(l.title), 1000)]
	}
	if e.children == 0 {
		w.out = append(w.out, l)
		return nil
	}
	for range e.children {
		if err := w.node(l, e, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// padding reports whether a name is only there because lists and maps are three
// levels deep (LogicalTypes.md): my_list.list.element.
func padding(e, parent element, up leaf) bool {
	switch {
	case up.title == "":
		return false
	case parent.meaning == pqList || parent.meaning == pqMap || parent.meaning == pqMapKeyValue:
		return e.repetition == 2
	}
	return parent.repetition == 2 && parent.children == 1 && (e.name == "element" || e.name == "item" || e.name == "array_element" || e.name == "array")
}

// typeName is a column's type as people call it.
func (l leaf) typeName() (name string, numeric bool) {
	switch l.meaning {
	case pqUTF8, pqEnum:
		name = "text"
	case pqJSON:
		name = "json"
	case pqDecimal:
		name, numeric = "decimal("+strconv.Itoa(l.precision)+","+strconv.Itoa(l.scale)+")", true
	case pqDate:
		name = "date"
	case pqTimeMillis, pqTimeMicros, pqTimeNanos:
		name = "time"
	case pqStampMillis, pqStampMicros, pqStampNanos:
		name = "timestamp"
	case pqUUID:
		name = "uuid"
	case pqFloat16:
		name, numeric = "float", true
	default:
		name, numeric = physicalName(l.kind)
	}
	if l.maxRep > 0 {
		return "list of " + name, false
	}
	return name, numeric
}

func physicalName(kind int) (name string, numeric bool) {
	switch kind {
	case pqBoolean:
		return "boolean", false
	case pqInt32, pqInt64:
		return "integer", true
	case pqInt96:
		return "timestamp", false
	case pqFloat:
		return "float", true
	case pqDouble:
		return "double", true
	}
	return "binary", false
}

// codecName names a compression.
func codecName(codec int) string {
	names := []string{"uncompressed", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "zstd", "LZ4"}
	if codec < 0 || codec >= len(names) {
		return "compression " + strconv.Itoa(codec)
	}
	return names[codec]
}
