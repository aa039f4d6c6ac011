package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

// share reports how much of a file one sample reads, in percent.
func share(b *testing.B, src *counted) {
	b.Helper()
	b.ReportMetric(100*float64(src.read)/float64(b.N)/float64(src.size), "%read")
}

// BenchmarkParquet reads the first hundred rows of a large file, and lets
// parquet-go do the same in turns.
func BenchmarkParquet(b *testing.B) {
	dir := b.TempDir()
	duck(b, dir, "COPY (SELECT range AS id, md5(range::VARCHAR) AS a, md5((range + 1)::VARCHAR) AS b, random() AS c FROM range(10000000)) TO '$OUT/large.parquet' (FORMAT parquet)")
	src, theirs := disk(b, dir, "large.parquet"), disk(b, dir, "large.parquet")
	var ours, peer time.Duration
	for b.Loop() {
		start := time.Now()
		if got := table(b, src, "large.parquet", Options{}); len(got.Rows) != 100 {
			b.Fatal(len(got.Rows))
		}
		ours += time.Since(start)
		start = time.Now()
		f, err := parquet.OpenFile(readerAt{b.Context(), theirs}, theirs.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			b.Fatal(err)
		}
		rows := f.RowGroups()[0].Rows()
		if n, err := rows.ReadRows(make([]parquet.Row, 100)); n == 0 || err != nil && !errors.Is(err, io.EOF) {
			b.Fatal(n, err)
		}
		_ = rows.Close()
		peer += time.Since(start)
	}
	share(b, src)
	b.ReportMetric(float64(src.read)/float64(theirs.read), "bytes/parquet-go")
	b.ReportMetric(float64(ours)/float64(peer), "time/parquet-go")
}

// BenchmarkCSV reads the first hundred rows of a gigabyte.
func BenchmarkCSV(b *testing.B) {
	src := sparse(b, "id,name,price\n"+strings.Repeat("1,Ann,1.5\n", 100_000))
	for b.Loop() {
		table(b, src, "large.csv", Options{})
	}
	share(b, src)
}

// BenchmarkExcel reads the first hundred rows of half a million cells, and lets
// excelize do the same in turns.
func BenchmarkExcel(b *testing.B) {
	x := excelize.NewFile()
	defer func() { _ = x.Close() }()
	w, err := x.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range 50_000 {
		row := make([]any, 10)
		for k := range row {
			row[k] = fmt.Sprintf("%x", (i+1)*(k+7)*2654435761)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	var data bytes.Buffer
	if err := x.Write(&data); err != nil {
		b.Fatal(err)
	}
	src := memory(data.Bytes())
	var ours, peer time.Duration
	for b.Loop() {
		start := time.Now()
		table(b, src, "large.xlsx", Options{})
		ours += time.Since(start)
		start = time.Now()
		other, err := excelize.OpenReader(bytes.NewReader(data.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		rows, err := other.Rows("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < 100 && rows.Next(); i++ {
			if _, err := rows.Columns(); err != nil {
				b.Fatal(err)
			}
		}
		_ = rows.Close()
		_ = other.Close()
		peer += time.Since(start)
	}
	share(b, src)
	b.ReportMetric(float64(ours)/float64(peer), "time/excelize")
}
