package datafile

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// pandasFiles writes the same table in the ways that people export tables.
const pandasFiles = `
import pandas as pd, csv, sys, os
os.chdir(sys.argv[1])
d = pd.DataFrame({'id': range(1, 301), 'name': ['Zoë %d; "x", y' % i for i in range(1, 301)], 'price': [i * 1.5 for i in range(1, 301)],
  'day': pd.date_range('2026-01-01', periods=300).astype(str), 'at': pd.date_range('2026-01-01 10:00:00', periods=300, freq='H'), 'ok': [i % 2 == 0 for i in range(300)], 'zip': ['0%04d' % i for i in range(300)]})
c = dict(index=False)
d.to_csv('plain.csv', **c)
d.to_csv('semicolon.csv', sep=';', decimal=',', **c)
d.to_csv('tab.tsv', sep='\t', **c)
d.to_csv('bar.txt', sep='|', **c)
d.to_csv('noname', sep='\t', **c)
d.to_csv('quoted.csv', quoting=csv.QUOTE_ALL, **c)
d.to_csv('single.csv', quotechar="'", quoting=csv.QUOTE_ALL, **c)
d.to_csv('escaped.csv', doublequote=False, escapechar='\\', quoting=csv.QUOTE_ALL, **c)
d.to_csv('windows.csv', lineterminator='\r\n', **c) if pd.__version__ >= '1.5' else None
d.to_csv('mark.csv', encoding='utf-8-sig', **c)
d.to_csv('u16.csv', encoding='utf-16', **c)
d.to_csv('u16le.csv', encoding='utf-16-le', **c)
d.to_csv('u32.csv', encoding='utf-32', **c)
d.to_csv('latin.csv', encoding='cp1252', **c)
d.to_csv('index.csv')
d.to_csv('nohead.csv', header=False, **c)
d.to_csv('packed.csv.gz', **c); d.to_csv('packed.csv.bz2', **c); d.to_csv('packed.csv.zip', **c)
d.to_json('records.json', orient='records'); d.to_json('lines.jsonl', orient='records', lines=True)
d.to_json('split.json', orient='split'); d.to_json('table.json', orient='table', index=False); d.to_json('noending', orient='records', lines=True)
j = pd.DataFrame({'id': range(1, 101), 'name': ['これはテスト%dです、ありがとう' % i for i in range(1, 101)]})
j.to_csv('japan.csv', encoding='shift_jis', **c)
z = pd.DataFrame({'id': range(1, 101), 'name': ['这是中文数据第%d行,我们的国家' % i for i in range(1, 101)]})
z.to_csv('china.csv', encoding='gbk', **c)
`

func TestPandas(t *testing.T) {
	python := "/usr/bin/python3"
	server.Program(t, python, "python3-pandas")
	dir := t.TempDir()
	server.Run(t, python, "-c", pandasFiles, dir)
	const types = "id:integer# name:text price:decimal# day:date at:timestamp ok:boolean zip:text"
	const first = `[1 Zoë 1; "x", y 1.5 2026-01-01 2026-01-01 10:00:00 True 00000]`
	for _, c := range []struct{ name, heads, row, note string }{
		{"plain.csv", types, first, "UTF-8, comma, quoted"},
		{"semicolon.csv", types, strings.Replace(first, "1.5", "1,5", 1), "UTF-8, semicolon, quoted"},
		{"tab.tsv", types, first, "UTF-8, tab, quoted"},
		{"bar.txt", types, first, "UTF-8, |, quoted"},
		{"noname", types, first, "UTF-8, tab, quoted"},
		{"quoted.csv", types, first, "UTF-8, comma, quoted"},
		{"single.csv", types, first, "UTF-8, comma, quoted with '"},
		{"escaped.csv", types, first, "UTF-8, comma, quoted"},
		{"windows.csv", types, first, "UTF-8, comma, quoted"},
		{"mark.csv", types, first, "UTF-8, comma, quoted"},
		{"u16.csv", types, first, "UTF-16, comma, quoted"},
		{"u16le.csv", types, first, "UTF-16, comma, quoted"},
		{"u32.csv", types, first, "UTF-32, comma, quoted"},
		{"latin.csv", types, first, "Windows-1252, comma, quoted"},
		{"index.csv", "Column 1:integer# " + types, "[0 " + first[1:], "UTF-8, comma, quoted"},
		{"nohead.csv", "Column 1:integer# Column 2:text Column 3:decimal# Column 4:date Column 5:timestamp Column 6:boolean Column 7:text", first, "UTF-8, comma, quoted, no header"},
		{"packed.csv.gz", types, first, "gzip, UTF-8, comma, quoted"},
		{"packed.csv.bz2", types, first, "bzip2, UTF-8, comma, quoted"},
		{"packed.csv.zip", types, first, "zip, UTF-8, comma, quoted"},
		{"records.json", "id:integer# name:text price:decimal# day:date at:integer# ok:boolean zip:text", `[1 Zoë 1; "x", y 1.5 2026-01-01 1767261600000 true 00000]`, "JSON, UTF-8"},
		{"lines.jsonl", "id:integer# name:text price:decimal# day:date at:integer# ok:boolean zip:text", `[1 Zoë 1; "x", y 1.5 2026-01-01 1767261600000 true 00000]`, "JSON lines, UTF-8"},
		{"noending", "id:integer# name:text price:decimal# day:date at:integer# ok:boolean zip:text", `[1 Zoë 1; "x", y 1.5 2026-01-01 1767261600000 true 00000]`, "JSON lines, UTF-8"},
		{"table.json", "", "", ""},
		{"japan.csv", "id:integer# name:text", "[1 これはテスト1です、ありがとう]", "Shift JIS, comma"},
		{"china.csv", "id:integer# name:text", "[1 这是中文数据第1行,我们的国家]", "GBK, comma, quoted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := disk(t, dir, c.name)
			got := table(t, src, c.name, Options{})
			if len(got.Rows) == 0 {
				t.Fatal("no rows")
			}
			if c.heads == "" {
				return
			}
			if shown(got) != c.heads || row(got, 0) != c.row || got.Note != c.note {
				t.Errorf("%s\n%s\n%s", shown(got), row(got, 0), got.Note)
			}
			if many := !strings.Contains(c.heads, "decimal"); !many && (len(got.Rows) != 100 || !got.Truncated) {
				t.Errorf("%d rows, truncated %v", len(got.Rows), got.Truncated)
			}
			if s, err := Sample(t.Context(), src, c.name, 200, Options{}); err != nil || !strings.Contains(string(s.Data), "id") && c.name != "nohead.csv" && !strings.HasSuffix(c.name, ".zip") {
				t.Errorf("sample %q %s %v", s.Data, s.MediaType, err)
			}
		})
	}
}

func TestWhatTextBecomes(t *testing.T) {
	long := strings.Repeat("An ordinary sentence, with commas, and words.\nAnother one\n", 20)
	for _, c := range []struct{ name, text, heads, row string }{
		{"nested.json", `{"ok":true,"data":{"count":2,"tags":["a","b"],"items":[{"id":1,"tags":["x"]},{"id":2.5,"n":null}]},"more":[{"no":1}]}`, "id:decimal# tags:text n:", "[1 [\"x\"] <nil>]"},
		{"lists.json", `[[1,"a"],[2,"b"]]`, "Column 1:integer# Column 2:text", "[1 a]"},
		{"scalars.json", `["a","b"]`, "value:text", "[a]"},
		{"object.json", `{"name":"x","size":3}`, "Name: Value:", "[name x]"},
		{"empty.json", `[]`, "", "(no row)"},
		{"sequence.json", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", "a:integer#", "[1]"},
		{"cut.json", `[{"a":1},{"a":2},{"a"`, "a:integer#", "[1]"},
		{"types.csv", "n,d,b,t,mixed\n1,2.5,true,2026-01-02T10:00:00Z,1\n2,-3,FALSE,2026-01-02 11:00,x\n,,,,\n", "n:integer# d:decimal# b:boolean t:timestamp mixed:text", "[1 2.5 true 2026-01-02T10:00:00Z 1]"},
		{"german.csv", "Betrag;Datum\n1.234,50;01.02.2026\n-2,5;31.12.2025\n", "Betrag:decimal# Datum:date", "[1.234,50 01.02.2026]"},
		{"sep.csv", "sep=;\r\na;b\r\n1;2\r\n", "a:integer# b:integer#", "[1 2]"},
		{"one.csv", "name\nAnn\nBo\n", "name:text", "[Ann]"},
		{"fixed.txt", "id    name      amount\n1     Ann         1.50\n22    Bo         22.00\n333   Cy        333.25\n", "id:integer# name:text amount:decimal#", "[1 Ann 1.50]"},
		{"old.csv", "a,b\r1,2\r3,4\r", "a:integer# b:integer#", "[1 2]"},
		{"hive", "1\x01a\n2\x01b\n3\x01c\n", "Column 1:integer# Column 2:text", "[1 a]"},
		{"empty.csv", "", "", "(no row)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := table(t, text(c.text), c.name, Options{})
			if shown(got) != c.heads || row(got, 0) != c.row {
				t.Errorf("%s\n%s\n%s", shown(got), row(got, 0), got.Note)
			}
		})
	}
	for _, c := range []struct{ name, text, reason string }{
		{"letter.txt", long, "files.text_only"},
		{"README", long, "files.text_only"},
		{"page.html", "<!doctype html>\n<p>a,b\n<p>c,d\n", "files.text_only"},
		{"script", "#!/bin/sh\na,b\nc,d\n", "files.text_only"},
		{"binary.csv", "\x00\x01\x02\x7f\x00\x00\xff", "files.no_rows"},
		{"broken.json", `{"a": nonsense}`, "files.bad_json"},
		{"document.pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "files.text_only"},
		{"old.xz", "\xfd7zXZ\x00\x00\x04", "files.packed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Table(t.Context(), text(c.text), c.name, 10, Options{})
			wants(t, err, connectors.Unsupported, c.reason, "")
		})
	}
}

func TestSampleDecodesText(t *testing.T) {
	for _, c := range []struct{ name, data, media, want string }{
		{"a.csv", "a,b\n", "text/csv; charset=utf-8", "a,b\n"},
		{"u16.txt", "\xff\xfea\x00\xeb\x00", "text/plain; charset=utf-8", "aë"},
		{"latin.txt", "Zo\xeb", "text/plain; charset=utf-8", "Zoë"},
		{"mark.json", "\xef\xbb\xbf{}", "application/json", "{}"},
		{"noending", `{"a":1}`, "application/json", `{"a":1}`},
		{"x.bin", "\x00\x01\x02", "application/octet-stream", "\x00\x01\x02"},
		{"x.html", "<p>x", "text/html; charset=utf-8", "<p>x"},
		{"lies.png", "plain", "text/plain; charset=utf-8", "plain"},
	} {
		s, err := Sample(t.Context(), text(c.data), c.name, 100, Options{})
		if err != nil || s.MediaType != c.media || string(s.Data) != c.want || s.Truncated {
			t.Errorf("%s: %s %q %v", c.name, s.MediaType, s.Data, err)
		}
	}
	s, err := Sample(t.Context(), text("abcdef"), "x.txt", 3, Options{})
	if err != nil || string(s.Data) != "abc" || !s.Truncated || s.Size != 6 {
		t.Errorf("%+v %v", s, err)
	}
}

type failingSource struct{ err error }

func (f failingSource) ReadAt(context.Context, []byte, int64) (int, error) { return 0, f.err }
func (f failingSource) Size() int64                                        { return 1000 }

func TestTheStoresErrorIsNotTheFiles(t *testing.T) {
	denied := &connectors.Error{Code: connectors.Denied, Reason: "sftp.denied", Target: "x"}
	for _, name := range []string{"a.csv", "a.xlsx", "a.parquet", "a.csv.gz"} {
		_, err := Table(t.Context(), failingSource{denied}, name, 10, Options{})
		wants(t, err, connectors.Denied, "sftp.denied", "")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Table(ctx, text("a,b\n1,2\n"), "a.csv", 10, Options{})
	if connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("%v", err)
	}
	if _, err := Sample(t.Context(), failingSource{errors.New("x")}, "a.txt", 10, Options{}); err == nil {
		t.Error("it worked")
	}
}

// TestImageMagick reads the heads of pictures that ImageMagick made.
func TestImageMagick(t *testing.T) {
	convert := server.Program(t, "convert", "imagemagick")
	dir := t.TempDir()
	for name, media := range map[string]string{"a.png": "image/png", "a.jpg": "image/jpeg", "a.gif": "image/gif", "a.bmp": "image/bmp", "a.tiff": "image/tiff", "a.webp": "image/webp"} {
		if out, err := exec.Command(convert, "-size", "321x123", "xc:#336699", dir+"/"+name).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		got := table(t, disk(t, dir, name), name, Options{})
		if all := row(got, 1) + row(got, 2) + row(got, 3); all != "[Media type "+media+"][Width 321][Height 123]" {
			t.Errorf("%s: %s", name, all)
		}
		s, err := Sample(t.Context(), disk(t, dir, name), "picture", 1<<20, Options{})
		if err != nil || s.MediaType != media {
			t.Errorf("%s: %s %v", name, s.MediaType, err)
		}
	}
}

func TestSecurity71_DeepJSONIsBounded(t *testing.T) {
	for _, unit := range [][2]string{{"[", "]"}, {`{"a":`, "}"}, {`[{"a":`, "}]"}} {
		text := memory([]byte(strings.Repeat(unit[0], 100_000) + "1" + strings.Repeat(unit[1], 100_000)))
		for _, name := range []string{"a.json", "a.jsonl", "a"} {
			_, err := Table(t.Context(), text, name, 10, Options{})
			if e := connectors.Classify(err); e == nil || e.Code != connectors.Unsupported {
				t.Errorf("%s in %s: %v", unit[0], name, err)
			}
		}
	}
}
