package datafile

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

// parquet reads the first rows column by column, so that only one page is in
// memory at a time.
func (f *file) parquet(limit int) (*connectors.Table, error) {
	limit = max(limit, 0)
	meta, err := f.footer(int64(limit))
	if err != nil {
		return nil, err
	}
	n := int(min(int64(limit), max(meta.rows, 0)))
	t := &connectors.Table{Truncated: meta.rows > int64(n), Rows: make([][]any, n)}
	show := meta.leaves[:min(len(meta.leaves), maxColumns)]
	left := tableBytes
	for i, l := range show {
		column, err := f.column(meta, i, n, &left)
		if errors.Is(err, errBudget) && i > 0 {
			show = show[:i]
			break
		}
		if err != nil {
			return nil, err
		}
		c := connectors.Column{Name: l.title}
		c.Type, c.Numeric = l.typeName()
		t.Columns = append(t.Columns, c)
		for row := range t.Rows {
			t.Rows[row] = append(t.Rows[row], column[row])
		}
	}
	t.Note = meta.note()
	if n := len(meta.leaves) - len(show); n > 0 {
		t.Note += fmt.Sprintf(", %d more columns were left out", n)
	}
	return t, nil
}

func (m *footer) note() string {
	codec := ""
	for _, g := range m.first {
		for _, c := range g.chunks {
			if name := codecName(c.codec); codec == "" {
				codec = name
			} else if !strings.Contains(codec, name) && len(codec) < 40 {
				codec += " and " + name
			}
		}
	}
	note := fmt.Sprintf("Parquet, %d rows in %d row groups", m.rows, m.groups)
	if m.groups == 1 {
		note = fmt.Sprintf("Parquet, %d rows in 1 row group", m.rows)
	}
	if codec != "" {
		note += ", " + codec
	}
	if m.creator != "" {
		note += ", written by " + m.creator
	}
	return note
}

// column reads the first n cells of a column.
func (f *file) column(m *footer, i, n int, left *int) ([]any, error) {
	l := m.leaves[i]
	b := &cells{l: l, most: n, left: left}
	for _, g := range m.first {
		if b.full() || n == 0 {
			break
		}
		if i >= len(g.chunks) {
			return nil, errThrift
		}
		p, err := f.pages(l, g.chunks[i])
		if err != nil {
			return nil, err
		}
		for !b.full() {
			page, err := p.next()
			if err != nil {
				return nil, err
			}
			if page == nil {
				break
			}
			if err := b.through(p, page); err != nil {
				return nil, err
			}
		}
	}
	b.end()
	for len(b.out) < n {
		b.out = append(b.out, nil)
	}
	return b.out[:n], nil
}

// cells puts rows together of values and their levels.
type cells struct {
	l     leaf
	most  int
	left  *int // bytes that the table may still take
	out   []any
	list  []any // the open row of a repeated column
	open  bool
	empty bool // the open row's list is there but has no element
	done  bool // a row after the last one has begun
}

func (c *cells) full() bool { return c.done || c.l.maxRep == 0 && len(c.out) >= c.most }

// through reads a page, and where its beginning is not enough, more of it.
func (c *cells) through(in *pages, p *page) error {
	for {
		before := *c
		before.list = slices.Clone(c.list)
		left := *c.left
		err := c.page(p)
		if err == nil || !p.short || errors.Is(err, errBudget) {
			return err
		}
		*c = before
		*c.left = left
		if p, err = in.again(); err != nil {
			return err
		}
	}
}

func (c *cells) page(p *page) error {
	for range p.count {
		if c.full() {
			return nil
		}
		rep, err := p.reps.next()
		if err != nil {
			return err
		}
		def, err := p.defs.next()
		if err != nil {
			return err
		}
		var v any
		if int(def) == c.l.maxDef {
			r, err := p.values.next()
			if err != nil {
				return err
			}
			v = c.l.cell(r)
		}
		if *c.left -= 16; *c.left < 0 {
			return errBudget
		}
		if s, ok := v.(string); ok {
			*c.left -= len(s)
		}
		c.add(int(rep), int(def), v)
	}
	return nil
}

func (c *cells) add(rep, def int, v any) {
	if c.l.maxRep == 0 {
		c.out = append(c.out, v)
		return
	}
	if rep == 0 {
		c.end()
		if len(c.out) >= c.most {
			c.done = true
			return
		}
		c.open, c.empty, c.list = true, def == c.l.listDef-1, nil
	}
	if def >= c.l.listDef && len(c.list) < maxColumns {
		c.list = append(c.list, v)
	}
}

// end closes the open row of a repeated column: its values as JSON.
func (c *cells) end() {
	if !c.open {
		return
	}
	c.open = false
	if len(c.list) == 0 && !c.empty {
		c.out = append(c.out, nil)
		return
	}
	text, err := json.Marshal(c.list)
	if err != nil || len(c.list) == 0 {
		text = []byte("[]")
	}
	c.out = append(c.out, rows.Cut(string(text)))
}

// cell is a value as people read it.
func (l leaf) cell(v raw) any {
	switch l.kind {
	case pqBoolean:
		return v.n != 0
	case pqInt32, pqInt64:
		return l.number(v.n)
	case pqFloat:
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(math.Float32frombits(uint32(v.n))), 'g', -1, 32), 64)
		return finite(f)
	case pqDouble:
		return finite(math.Float64frombits(uint64(v.n)))
	case pqInt96:
		return impala(v.b)
	}
	return l.binary(v.b)
}

// finite keeps what JSON and others have no number for as text.
func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}

func (l leaf) number(n int64) any {
	switch l.meaning {
	case pqDate:
		if n < -1<<31 || n > 1<<31 {
			return n
		}
		return time.Unix(n*86400, 0).UTC().Format("2006-01-02")
	case pqStampMillis:
		return l.stamp(time.UnixMilli(n))
	case pqStampMicros:
		return l.stamp(time.UnixMicro(n))
	case pqStampNanos:
		return l.stamp(time.Unix(0, n))
	case pqTimeMillis:
		return time.UnixMilli(n).UTC().Format("15:04:05.999")
	case pqTimeMicros:
		return time.UnixMicro(n).UTC().Format("15:04:05.999999")
	case pqTimeNanos:
		return time.Unix(0, n).UTC().Format("15:04:05.999999999")
	case pqDecimal:
		return scaled(big.NewInt(n), l.scale)
	case pqUint64:
		if n < 0 {
			return strconv.FormatUint(uint64(n), 10)
		}
	case pqUint8, pqUint8 + 1, pqUint8 + 2:
		if l.kind == pqInt32 {
			return int64(uint32(n))
		}
	}
	return n
}

func (l leaf) stamp(t time.Time) string {
	s := t.UTC().Format("2006-01-02 15:04:05.999999999")
	if l.utc {
		s += "Z"
	}
	return s
}

// impala reads the twelve bytes of old timestamps: nanoseconds of the day, and
// the Julian day, of which 2440588 is 1 January 1970.
func impala(b []byte) any {
	if len(b) != 12 {
		return nil
	}
	nanos := int64(binary.LittleEndian.Uint64(b))
	day := int64(binary.LittleEndian.Uint32(b[8:])) - 2440588
	return time.Unix(day*86400, nanos).UTC().Format("2006-01-02 15:04:05.999999999")
}

func scaled(n *big.Int, scale int) string {
	s := n.String()
	if scale == 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

func (l leaf) binary(b []byte) any {
	if v := l.meant(b); v != nil {
		return v
	}
	// Much text is written by programs that do not say that it is text.
	text := b[:min(len(b), maxCellBytes+utf8.UTFMax)]
	if l.text() || l.kind == pqBytes && l.meaning != pqBSON && utf8.Valid(text[:len(text)-tail(text)]) {
		return rows.Cut(strings.ToValidUTF8(string(b[:min(len(b), 2*maxCellBytes)]), "\ufffd"))
	}
	s := "0x" + hex.EncodeToString(b[:min(len(b), maxCellBytes/2)])
	if len(b) > maxCellBytes/2 {
		s += "…"
	}
	return s
}

func (l leaf) text() bool { return l.meaning == pqUTF8 || l.meaning == pqJSON || l.meaning == pqEnum }

// meant reads bytes that are a number or an id; nil for others.
func (l leaf) meant(b []byte) any {
	switch {
	case l.meaning == pqDecimal && len(b) <= 64:
		n := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
		}
		return scaled(n, l.scale)
	case l.meaning == pqUUID && len(b) == 16:
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	case l.meaning == pqFloat16 && len(b) == 2:
		return finite(half(binary.LittleEndian.Uint16(b)))
	case l.meaning == pqInterval && len(b) == 12:
		return fmt.Sprintf("%d months %d days %d ms", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]))
	}
	return nil
}

// tail is how many bytes at the end belong to a character that is cut.
func tail(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if utf8.FullRune(b[len(b)-i:]) {
				return 0
			}
			return i
		}
	}
	return 0
}

// half is a number of IEEE 754's 16 bits.
func half(u uint16) float64 {
	sign, exp, frac := 1.0, int(u>>10&31), float64(u&1023)
	if u&0x8000 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * frac * math.Pow(2, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * (1 + frac/1024) * math.Pow(2, float64(exp-15))
}
