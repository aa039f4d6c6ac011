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
