package datafile

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"jackfield/connectors"
)

// FuzzTable: whatever a file holds, it becomes rows within the bounds or an
// error with words.
func FuzzTable(f *testing.F) {
	for _, seed := range [][]byte{
		[]byte(small), []byte("a;b\n1;\"x\"\"y\"\n"), []byte(`{"items":[{"a":1}]}`), []byte("{\"a\":1}\n{\"a\":2}\n"), []byte("\xff\xfea\x00,\x00b\x00"),
		ours(f, &parquet.Snappy, 20), ours(f, &parquet.Uncompressed, 5), packed(f, small, 200), sheetOf(f, `<row r="1"><c r="B1" t="inlineStr"><is><t>x</t></is></c></row>`),
		{0xc3, 13, 4, 9, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96, 0xd2, 3, 1, 2, 3}, []byte(armorBegin + "\n\nww0ECQMI\n=aaaa\n-----END PGP MESSAGE-----\n"), []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
	} {
		f.Add(seed, "a.csv")
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		var o Options // a password would take all the time
		got, err := Table(t.Context(), memory(data), name, 20, o)
		if err == nil && (len(got.Rows) > 20 || len(got.Columns) > maxColumns) {
			t.Errorf("%d rows of %d columns", len(got.Rows), len(got.Columns))
		}
		if err != nil && (connectors.Explain(err).Title == "" || connectors.Classify(err).Code == "") {
			t.Errorf("no words: %v", err)
		}
		if _, err := Sample(t.Context(), memory(data), name, 64, o); err != nil && connectors.Explain(err).Title == "" {
			t.Errorf("no words: %v", err)
		}
		for _, err := range Members(t.Context(), memory(data), name, o) {
			if err != nil {
				break
			}
		}
	})
}

func FuzzFooter(f *testing.F) {
	b := ours(f, &parquet.Snappy, 20)
	f.Add(b[len(b)-600 : len(b)-8])
	f.Add([]byte{0xc3, 0})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readFooter(data, 100)
		_, _, _ = readPageHead(data)
		_, _ = unsnap(data, 1<<16)
		_ = recipientsOf(data)
		_ = codeKind(string(data))
	})
}
