package datafile

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
)

// The bounds of a workbook's parts.
const (
	partBytes  = 16 << 20 // unpacked, of one part
	elementMax = 1 << 20  // from one "<" to the next
	maxSheets  = 1000
	maxStyles  = 64_000 // Excel's own limit of cell formats
)

const (
	workbookPart = "xl/workbook.xml"
	stringsPart  = "xl/sharedStrings.xml"
	stylesPart   = "xl/styles.xml"
)

// workbook reports whether a zip is an Excel file (ECMA-376 part 2, section 10).
func (a *archive) workbook() bool {
	return slices.Contains(a.names, "[Content_Types].xml") && (slices.Contains(a.names, workbookPart) || slices.Contains(a.names, "xl/workbook.bin"))
}

// A book is the outline of a workbook.
type book struct {
	sheets   []sheet
	date1904 bool
}

type sheet struct {
	name, id, part string
	hidden         bool
}

// A part is one XML file of a workbook. It is read by raw tokens, for which
// nesting needs no memory; Go's decoder knows no entities but the five of XML's
// own, so that none can be blown up.
type part struct {
	d     *xml.Decoder
	in    *limited
	close func()
}

// open opens a part; nil when there is none.
func (f *file) part(a *archive, name string) (*part, error) {
	m := a.find(name)
	if m == nil {
		return nil, nil
	}
	if m.Flags&1 != 0 {
		return nil, f.fail("files.zip_encrypted", "")
	}
	r, err := openMember(m)
	if err != nil {
		return nil, f.fail("files.packed", err.Error())
	}
	in := &limited{r: r, left: partBytes}
	return &part{d: xml.NewDecoder(&fence{ctx: f.ctx, r: in}), in: in, close: func() { _ = r.Close() }}, nil
}

// A fence refuses XML with an element that is longer than any real one: its
// attributes would take many times their length.
type fence struct {
	ctx context.Context // of the one call
	r   io.Reader
	run int
}

func (f *fence) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.r.Read(p)
	for _, b := range p[:n] {
		if f.run++; b == '<' {
			f.run = 0
		}
		if f.run > elementMax {
			return 0, broken{"an element of more than a megabyte"}
		}
	}
	return n, err
}

// each calls start for every element that begins, until it returns false.
func (p *part) each(start func(xml.StartElement) (bool, error)) error {
	for {
		t, err := p.d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if more, err := start(e); err != nil || !more {
				return err
			}
		}
	}
}

// text is what stands in the element whose start was just read, at most
// maxCellBytes of it; elements within it are passed over.
func (p *part) text() (string, error) {
	var b strings.Builder
	for depth := 1; depth > 0; {
		t, err := p.d.RawToken()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if left := maxCellBytes - b.Len(); left > 0 {
				b.Write(t[:min(left, len(t))])
			}
		}
	}
	return strings.ToValidUTF8(b.String(), ""), nil
}

// attr is an attribute by its local name: prefixes differ between programs.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// book reads which sheets there are and where they lie.
func (f *file) book(a *archive) (*book, error) {
	p, err := f.part(a, workbookPart)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, f.fail("files.xls", "xlsb")
	}
	defer p.close()
	b := &book{}
	err = p.each(func(e xml.StartElement) (bool, error) {
		switch e.Name.Local {
		case "workbookPr":
			v := attr(e, "date1904")
			b.date1904 = v == "1" || v == "true"
		case "sheet":
			if len(b.sheets) == maxSheets {
				return false, nil
			}
			// The id of the relation has a prefix; sheetId is another number.
			b.sheets = append(b.sheets, sheet{name: attr(e, "name"), id: attr(e, "id"), hidden: attr(e, "state") != "" && attr(e, "state") != "visible"})
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return b, f.relations(a, b)
}

// relations finds the part of each sheet. Sheets without rows, such as charts,
// are left out.
func (f *file) relations(a *archive, b *book) error {
	p, err := f.part(a, "xl/_rels/workbook.xml.rels")
	if err != nil {
		return err
	}
	if p == nil {
		return broken{"the list of its sheets is missing"}
	}
	defer p.close()
	targets := map[string]string{}
	err = p.each(func(e xml.StartElement) (bool, error) {
		if e.Name.Local == "Relationship" && strings.HasSuffix(attr(e, "Type"), "/worksheet") && len(targets) < maxSheets {
			targets[attr(e, "Id")] = attr(e, "Target")
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	var found []sheet
	for _, s := range b.sheets {
		target, ok := targets[s.id]
		if !ok {
			continue
		}
		if strings.HasPrefix(target, "/") {
			s.part = path.Clean(target)[1:]
		} else {
			s.part = path.Join("xl", target)
		}
		found = append(found, s)
	}
	b.sheets = found
	return nil
}

func (f *file) sheets(a *archive) ([]Member, error) {
	b, err := f.book(a)
	if err != nil {
		return nil, err
	}
	var out []Member
	for _, s := range b.sheets {
		out = append(out, Member{Name: s.name, Inside: s.name, Sheet: true, Hidden: s.hidden, Size: -1})
	}
	return out, nil
}

// pick is the sheet that was asked for, else the first that is shown.
func (f *file) pick(b *book) (sheet, error) {
	for _, s := range b.sheets {
		if f.sheet != "" && s.name == f.sheet || f.sheet == "" && !s.hidden {
			return s, nil
		}
	}
	if f.sheet != "" {
		return sheet{}, f.notFound(f.sheet)
	}
	if len(b.sheets) > 0 {
		return b.sheets[0], nil
	}
	return sheet{}, f.fail("files.no_rows", "")
}

// excel reads the first rows of a sheet. Of the shared texts it reads no more
// than those rows need, and they stand in the order of their first use.
func (f *file) excel(limit int) (*connectors.Table, error) {
	a, err := f.zip()
	if err != nil {
		return nil, err
	}
	b, err := f.book(a)
	if err != nil {
		return nil, err
	}
	s, err := f.pick(b)
	if err != nil {
		return nil, err
	}
	styles, err := f.styles(a)
	if err != nil {
		return nil, err
	}
	p, err := f.part(a, s.part)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, broken{"the sheet is missing"}
	}
	defer p.close()
	r := &sheetReader{p: p, styles: styles, date1904: b.date1904, limit: limit + 1, shared: map[int]string{}}
	if err := r.rows(); err != nil {
		if !p.in.hit || len(r.records) == 0 {
			return nil, err
		}
		r.more = true
	}
	textErr := f.sharedStrings(a, r.shared)
	if f.ctx.Err() != nil {
		return nil, textErr
	}
	t := r.table(limit)
	t.Note = "Excel"
	if len(b.sheets) > 1 {
		t.Note += ", sheet " + s.name + " of " + strconv.Itoa(len(b.sheets))
	}
	if textErr != nil {
		t.Note += ", some texts could not be read"
	}
	if r.lost > 0 {
		t.Note += ", more columns were left out"
	}
	return t, nil
}

// sharedStrings fills in the texts with the numbers in want.
func (f *file) sharedStrings(a *archive, want map[int]string) error {
	if len(want) == 0 {
		return nil
	}
	last := 0
	for i := range want {
		last = max(last, i)
	}
	p, err := f.part(a, stringsPart)
	if err != nil || p == nil {
		return err
	}
	defer p.close()
	i := -1
	return p.each(func(e xml.StartElement) (bool, error) {
		switch e.Name.Local {
		case "si":
			i++
			return i <= last, nil
		case "rPh": // how a text is pronounced
			_, err := p.text()
			return true, err
		case "t":
			if _, wanted := want[i]; !wanted {
				return true, nil
			}
			s, err := p.text()
			if len(want[i]) < maxCellBytes {
				want[i] += s
			}
			return true, err
		}
		return true, nil
	})
}
