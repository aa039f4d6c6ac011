package datafile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// twoSheets is a spreadsheet as LibreOffice reads it (flat OpenDocument).
const twoSheets = `<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
<number:date-style style:name="D1"><number:day number:style="long"/><number:text>.</number:text><number:month number:style="long"/><number:text>.</number:text><number:year number:style="long"/></number:date-style>
<number:date-style style:name="D2"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/><number:text> </number:text><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/><number:text>:</number:text><number:seconds number:style="long"/></number:date-style>
<number:time-style style:name="D3"><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/></number:time-style>
<number:boolean-style style:name="B1"><number:boolean/></number:boolean-style><style:style style:name="yes" style:family="table-cell" style:data-style-name="B1"/><style:style style:name="day" style:family="table-cell" style:data-style-name="D1"/><style:style style:name="at" style:family="table-cell" style:data-style-name="D2"/><style:style style:name="clock" style:family="table-cell" style:data-style-name="D3"/>
</office:automatic-styles>
<office:body><office:spreadsheet>
<table:table table:name="Orders &amp; more">
<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>name</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>price</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>day</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>at</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>clock</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>ok</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>twice</text:p></table:table-cell></table:table-row>
%s</table:table>
<table:table table:name="Second"><table:table-row><table:table-cell office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell><table:table-cell/><table:table-cell office:value-type="string"><text:p>gap</text:p></table:table-cell></table:table-row></table:table>
</office:spreadsheet></office:body></office:document>`

func orders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<table:table-row><table:table-cell office:value-type="float" office:value="%d"/><table:table-cell office:value-type="string"><text:p>Zoë %d</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="%d.25"/><table:table-cell table:style-name="day" office:value-type="date" office:date-value="2026-02-%02d"/><table:table-cell table:style-name="at" office:value-type="date" office:date-value="2026-02-01T10:11:%02d"/><table:table-cell table:style-name="clock" office:value-type="time" office:time-value="PT10H11M00S"/><table:table-cell table:style-name="yes" office:value-type="boolean" office:boolean-value="true"/><table:table-cell table:formula="of:=[.A%d]*2" office:value-type="float" office:value="%d"/></table:table-row>`+"\n", i+1, i+1, i, i%28+1, i%60, i+2, 2*(i+1))
	}
	return b.String()
}

// libreOffice converts a file, in a profile of its own.
func libreOffice(tb testing.TB, dir, name string, formats ...string) {
	tb.Helper()
	soffice := server.Program(tb, "soffice", "libreoffice-calc")
	for _, format := range formats {
		server.Run(tb, soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", format, "--outdir", dir, filepath.Join(dir, name))
	}
}

func TestLibreOffice(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "book.fods", fmt.Sprintf(twoSheets, orders(300)))
	libreOffice(t, dir, "book.fods", "xlsx", "xls")
	got := table(t, disk(t, dir, "book.xlsx"), "book.xlsx", Options{})
	if s := shown(got); s != "id:integer# name:text price:decimal# day:date at:timestamp clock:time ok:boolean twice:integer#" {
		t.Error(s)
	}
	if s := row(got, 1); s != "[2 Zoë 2 1.25 2026-02-02 2026-02-01 10:11:01 10:11:00 true 4]" {
		t.Error(s)
	}
	if len(got.Rows) != 100 || !got.Truncated || got.Note != "Excel, sheet Orders & more of 2" {
		t.Errorf("%d rows, %v, %s", len(got.Rows), got.Truncated, got.Note)
	}
	second := table(t, disk(t, dir, "book.xlsx"), "book.xlsx", Options{Inside: []string{"Second"}})
	if row(second, 0) != "[1 <nil> gap]" || shown(second) != "Column 1:integer# Column 2: Column 3:text" {
		t.Errorf("%s %s", row(second, 0), shown(second))
	}
	var sheets []string
	for m, err := range Members(t.Context(), disk(t, dir, "book.xlsx"), "book.xlsx", Options{}) {
		if err != nil || !m.Sheet {
			t.Fatal(m, err)
		}
		sheets = append(sheets, m.Inside)
	}
	if fmt.Sprint(sheets) != "[Orders & more Second]" {
		t.Error(sheets)
	}
	_, err := Table(t.Context(), disk(t, dir, "book.xls"), "book.xls", 10, Options{})
	wants(t, err, connectors.Unsupported, "files.xls", "")
	_, err = Table(t.Context(), disk(t, dir, "book.xlsx"), "book.xlsx", 10, Options{Inside: []string{"Third"}})
	wants(t, err, connectors.NotFound, "files.no_member", "")
	_, err = Sample(t.Context(), disk(t, dir, "book.xlsx"), "book.xlsx", 10, Options{Inside: []string{"Second"}})
	wants(t, err, connectors.Unsupported, "files.rows_only", "")
	s, err := Sample(t.Context(), disk(t, dir, "book.xlsx"), "book.xlsx", 10, Options{})
	if err != nil || s.MediaType != "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" {
		t.Errorf("%s %v", s.MediaType, err)
	}
	server.Run(t, server.Program(t, "zip", "zip"), "-q", "-j", filepath.Join(dir, "z.zip"), filepath.Join(dir, "book.xlsx"), filepath.Join(dir, "book.fods"))
	if got := table(t, disk(t, dir, "z.zip"), "z.zip", Options{Inside: []string{"book.xlsx", "Second"}}); row(got, 0) != "[1 <nil> gap]" {
		t.Error(row(got, 0))
	}
	peer(t, dir, got)
}

// peer compares with what excelize reads of the same file.
func peer(t *testing.T, dir string, got *connectors.Table) {
	t.Helper()
	x, err := excelize.OpenFile(filepath.Join(dir, "book.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	all, err := x.GetRows("Orders & more", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got.Rows {
		for _, c := range []int{0, 1, 2, 7} {
			if fmt.Sprint(r[c]) != all[i+1][c] {
				t.Errorf("row %d column %d: %v, excelize has %s", i, c, r[c], all[i+1][c])
			}
		}
	}
}

// TestExcelize reads what excelize writes: inline and rich texts, formats,
// hidden sheets, 1904 dates, and a password.
func TestExcelize(t *testing.T) {
	x := excelize.NewFile()
	defer func() { _ = x.Close() }()
	set := func(cell string, v any, format string) {
		t.Helper()
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
		if format == "" {
			return
		}
		id, err := x.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.SetCellStyle("Sheet1", cell, cell, id); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []struct {
		v            any
		format, want string
	}{
		{61.0, "yyyy-mm-dd", "1900-03-01"}, {1.0, "d/m/yy", "1900-01-01"}, {45000.5, `[$-407]dd"."mm"."yyyy hh:mm;@`, "2023-03-15 12:00:00"},
		{0.75, "hh:mm:ss", "18:00:00"}, {1.5, "[h]:mm", "36:00:00"}, {12.5, `0.00" days"`, "12.5"}, {1234567.891, `#,##0.00 "m"`, "1.234567891e+06"},
		{0.5, "0%", "0.5"}, {3, "General", "3"}, {true, "", "true"}, {"=SUM(A1)", "", "=SUM(A1)"}, {" keep ", "", " keep "},
	} {
		set("A"+fmt.Sprint(i+1), c.v, c.format)
		set("B"+fmt.Sprint(i+1), c.want, "")
	}
	if err := x.SetCellRichText("Sheet1", "C1", []excelize.RichTextRun{{Text: "rich "}, {Text: "text", Font: &excelize.Font{Bold: true}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.NewSheet("Hidden"); err != nil {
		t.Fatal(err)
	}
	if err := x.SetSheetVisible("Hidden", false); err != nil {
		t.Fatal(err)
	}
	var b, locked bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	got := table(t, memory(b.Bytes()), "a.xlsm", Options{})
	for _, r := range got.Rows {
		if fmt.Sprint(r[0]) != fmt.Sprint(r[1]) {
			t.Errorf("%v, want %v", r[0], r[1])
		}
	}
	if len(got.Rows) != 12 || got.Rows[0][2] != "rich text" {
		t.Errorf("%v", got.Rows)
	}
	for m := range Members(t.Context(), memory(b.Bytes()), "a.xlsm", Options{}) {
		if m.Hidden != (m.Name == "Hidden") {
			t.Errorf("%+v", m)
		}
	}
	if err := x.Write(&locked, excelize.Options{Password: "practice-only"}); err != nil {
		t.Fatal(err)
	}
	_, err := Table(t.Context(), memory(locked.Bytes()), "a.xlsx", 10, Options{})
	wants(t, err, connectors.Unsupported, "files.excel_encrypted", "")
}

// TestALargeWorkbookIsReadFromItsBeginning counts the bytes that a sample of a
// workbook with three hundred thousand cells takes.
func TestALargeWorkbookIsReadFromItsBeginning(t *testing.T) {
	x := excelize.NewFile()
	defer func() { _ = x.Close() }()
	w, err := x.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30_000 {
		row := make([]any, 10)
		for k := range row {
			row[k] = fmt.Sprintf("%x", (i+1)*(k+7)*2654435761)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	src := memory(b.Bytes())
	if got := table(t, src, "large.xlsx", Options{}); len(got.Rows) != 100 {
		t.Fatal(len(got.Rows))
	}
	if src.read*10 > src.size {
		t.Errorf("%d of %d bytes were read", src.read, src.size)
	}
}

func TestBrokenWorkbooks(t *testing.T) {
	good := sheetOf(t, `<row r="1"><c r="A1"><v>1</v></c></row>`)
	for n := 0; n < len(good); n += 7 {
		_, _ = Table(t.Context(), memory(good[:n]), "a.xlsx", 10, Options{})
	}
	for name, text := range map[string]string{
		"far column":   `<row><c r="ZZZ1"><v>1</v></c><c r="A1"><v>2</v></c></row>`,
		"no number":    `<row><c r="A1" s="x"><v>1e999</v></c></row>`,
		"negative":     `<row><c t="s"><v>-1</v></c><c t="s"><v>99999999999</v></c><c t="s"><v>5</v></c></row>`,
		"late row":     `<row r="1048576"><c r="A1048576"><v>1</v></c></row>`,
		"no rows":      ``,
		"cell alone":   `<c><v>1</v></c>`,
		"blank rows":   strings.Repeat("<row/>", 100_000) + `<row><c><v>7</v></c></row>`,
		"unknown type": `<row><c t="q"><v>x</v></c></row>`,
	} {
		got, err := Table(t.Context(), memory(sheetOf(t, text)), "a.xlsx", 10, Options{})
		if err != nil || len(got.Rows) > 1 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.bin"} {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	_ = z.Close()
	_, err := Table(t.Context(), memory(b.Bytes()), "a.xlsb", 10, Options{})
	wants(t, err, connectors.Unsupported, "files.xls", "")
}
