package rows

import (
	"fmt"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name, text, columns, first string
		rows                       int
		cut                        bool
	}{
		{"comma", "id,name\n1,Ann\n2,Bo\n", "id name", "[1 Ann]", 2, false},
		{"semicolon and quotes", "id;note\n1;\"a;b\"\n", "id note", "[1 a;b]", 1, false},
		{"tab", "a\tb\nx\ty\n", "a b", "[x y]", 1, false},
		{"no header", "1,2\n3,4\n", "Column 1 Column 2", "[1 2]", 2, false},
		{"UTF-8 mark", "\xef\xbb\xbfname,x\nZoë,1\n", "name x", "[Zoë 1]", 1, false},
		{"UTF-16", "\xff\xfea\x00,\x00b\x00\n\x00c\x00,\x00d\x00\n\x00", "a b", "[c d]", 1, false},
		{"Windows-1252", "name,x\nZo\xeb,1\n", "name x", "[Zoë 1]", 1, false},
		{"cut", "a,b\n1,2\n3", "a b", "[1 2]", 1, true},
		{"ragged", "a,b,c\n1\n", "a b c", "[1 <nil> <nil>]", 1, false},
		{"empty", "", "", "", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Table([]byte(c.text), !c.cut, 100)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, col := range got.Columns {
				names = append(names, col.Name)
			}
			if strings.Join(names, " ") != c.columns || len(got.Rows) != c.rows {
				t.Errorf("%v, %d rows", names, len(got.Rows))
			}
			if c.rows > 0 && fmt.Sprint(got.Rows[0]) != c.first {
				t.Errorf("first row %v", got.Rows[0])
			}
			if got.Truncated != c.cut {
				t.Errorf("truncated %v", got.Truncated)
			}
		})
	}
	if _, err := Table([]byte("a\x00b"), true, 10); err == nil {
		t.Error("binary content became rows")
	}
	if got, _ := Table([]byte("a,b\n"+strings.Repeat("1,2\n", 50)), true, 10); len(got.Rows) != 10 || !got.Truncated {
		t.Errorf("%d rows", len(got.Rows))
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), true)
	f.Add([]byte("\xff\xfea"), false)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		got, err := Table(data, whole, 20)
		if err == nil && len(got.Rows) > 20 {
			t.Errorf("%d rows", len(got.Rows))
		}
	})
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, data string
		cut        bool
		want       string
	}{
		{"ASCII", "abc", false, "UTF-8"},
		{"mark of 32 bits", "\xff\xfe\x00\x00a\x00\x00\x00", false, "UTF-32"},
		{"16 bits without a mark", "a\x00b\x00,\x00c\x00\n\x00", false, "UTF-16"},
		{"big-endian without a mark", "\x00a\x00b\x00,\x00c\x00\n", false, "UTF-16"},
		{"cut within a character", "abc\xc3", true, "UTF-8"},
		{"the same, but whole", "abc\xc3", false, "Windows-1252"},
		{"Shift JIS", "\x82\xb1\x82\xcc\x83\x65\x83\x58\x83\x67", false, "Shift JIS"},
		{"umlauts are no Chinese", "\xd6\xc4\xdc m\xfc\xdfte", false, "Windows-1252"},
		{"zeros", "\x00\x01\x00\x02abc", false, ""},
		{"controls", "\x03\x04\x05\x06\x07", false, ""},
		{"what Windows-1252 lacks", "a\x81\xffb", false, ""},
	} {
		set, ok := Detect([]byte(c.data), c.cut)
		if set.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q %v", c.name, set.Name, ok)
		}
	}
}

func TestInfer(t *testing.T) {
	for want, cells := range map[string][]string{
		"integer": {"1", "-20", "", "NULL"}, "decimal": {"1", "2.5", "1.234,50", "-.5", "1e-7"}, "boolean": {"true", "No"}, "date": {"2026-02-28", "28.02.2026", "2/28/2026"},
		"timestamp": {"2026-02-28T10:00:00Z", "2026-02-28 10:00", "28.02.2026 10:00:01.5"}, "text": {"00123", "1"}, "": {"", "n/a"},
	} {
		if got, numeric := Infer(cells); got != want || numeric != (want == "integer" || want == "decimal") {
			t.Errorf("%v: %s %v", cells, got, numeric)
		}
	}
	for _, v := range []string{"2026-13-45", "1.2.3", "10:00", "2026-02-28 later", "007", "1,2,3", "+", "."} {
		if got, _ := Infer([]string{v}); got != "text" {
			t.Errorf("%q: %s", v, got)
		}
	}
}

func TestSecurity71_ALineWithoutEndIsBounded(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 3<<20), `a,"` + strings.Repeat("x\n", 2<<20), strings.Repeat(",", 3<<20)} {
		if _, err := Table([]byte(text), true, 10); err == nil {
			t.Error("it became rows")
		}
	}
	got, err := Table([]byte("a,b\n1,"+strings.Repeat("é", 100_000)+"\n"), true, 10)
	if err != nil || len(got.Rows[0][1].(string)) > maxCell+len("…") || !strings.HasSuffix(got.Rows[0][1].(string), "é…") {
		t.Errorf("%v", err)
	}
}
