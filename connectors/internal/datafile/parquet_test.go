package datafile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// The npm packages that write Parquet: DuckDB, and Apache Arrow's Rust
// implementation.
const (
	duckdb = "@duckdb/node-api@1.5.6-r.1"
	wasm   = "parquet-wasm@0.8.0"
	arrow  = "apache-arrow@21.2.0"
)

func npm(tb testing.TB, name string, packages ...string) (node, home string) {
	tb.Helper()
	node, npm := server.Program(tb, "node", "nodejs"), server.Program(tb, "npm", "npm")
	return node, server.Cached(tb, name, func(dir string) {
		server.Run(tb, npm, append([]string{"install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir}, packages...)...)
	})
}

// duck runs SQL in DuckDB; $OUT in it is dir.
func duck(tb testing.TB, dir string, sql ...string) {
	tb.Helper()
	node, home := npm(tb, "duckdb-1.5.6", duckdb)
	const run = `const { DuckDBInstance } = require(process.argv[1] + '/node_modules/@duckdb/node-api');
(async () => { const c = await (await DuckDBInstance.create(':memory:')).connect(); for (const q of process.argv.slice(2)) await c.run(q); })();`
	args := []string{"-e", run, home}
	for _, q := range sql {
		args = append(args, strings.ReplaceAll(q, "$OUT", dir))
	}
	server.Run(tb, node, args...)
}

const everyType = `SELECT range AS id, 'name ' || range AS name, (range % 7)::TINYINT AS wd, DATE '2026-01-01' + (range % 365)::INT AS day, TIMESTAMP '2026-01-01 10:00:00' + INTERVAL (range) SECOND AS at,
 (range * 1.25)::DECIMAL(12,2) AS money, (-range)::DECIMAL(30,4) AS debt, range % 3 = 0 AS ok, CASE WHEN range % 4 = 1 THEN NULL ELSE md5(range::VARCHAR) END AS hash, CASE WHEN range = 2 THEN NULL WHEN range = 3 THEN [] ELSE [range, NULL, range + 1] END AS list,
 {'a': range, 'b': {'c': 'x' || range}} AS rec, MAP {'k': range} AS m, '12345678-1234-1234-1234-123456789abc'::UUID AS u, TIMESTAMPTZ '2026-01-01 10:00:00+00' AS tz, TIME '10:11:12.5' AS tm, 18446744073709551615::UBIGINT AS ub, '\xFF\x00'::BLOB AS bl,
 range::FLOAT / 3 AS fl, 'nan'::DOUBLE AS odd, TIMESTAMP_NS '2026-01-01 10:00:00.123456789' AS ns FROM range(20000)`

func TestDuckDB(t *testing.T) {
	dir := t.TempDir()
	var sql []string
	codecs := map[string]string{"uncompressed": "uncompressed", "snappy": "Snappy", "gzip": "gzip", "zstd": "zstd", "brotli": "Brotli", "lz4_raw": "LZ4"}
	for codec := range codecs {
		for _, v := range []string{"V1", "V2"} {
			sql = append(sql, fmt.Sprintf("COPY (%s) TO '$OUT/%s.%s.parquet' (FORMAT parquet, COMPRESSION %s, PARQUET_VERSION %s, ROW_GROUP_SIZE 5000)", everyType, codec, v, codec, v))
		}
	}
	sql = append(sql,
		"COPY (SELECT range AS id FROM range(0)) TO '$OUT/empty.parquet' (FORMAT parquet)",
		"COPY (SELECT range AS id, NULL::INT AS none FROM range(5000)) TO '$OUT/groups.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)",
		"SET force_mbedtls_unsafe = 'true'",
		"PRAGMA add_parquet_key('k', '0123456789112345')",
		"COPY (SELECT 1 AS id) TO '$OUT/secret.parquet' (FORMAT parquet, ENCRYPTION_CONFIG {footer_key: 'k'})")
	duck(t, dir, sql...)
	for codec, name := range codecs {
		for _, v := range []string{"V1", "V2"} {
			got := table(t, disk(t, dir, codec+"."+v+".parquet"), "x.parquet", Options{})
			if s := shown(got); s != "id:integer# name:text wd:integer# day:date at:timestamp money:decimal(12,2)# debt:decimal(30,4)# ok:boolean hash:text list:list of integer rec.a:integer# rec.b.c:text m.key:list of text m.value:list of integer u:uuid tz:timestamp tm:time ub:integer# bl:binary fl:float# odd:double# ns:timestamp" && !strings.Contains(s, "debt:double") {
				t.Errorf("%s %s: %s", codec, v, s)
			}
			for i, want := range map[int]string{
				1: `1 name 1 1 2026-01-02 2026-01-01 10:00:01 1.25 -1.0000 false <nil> [1,null,2] 1 x1 ["k"] [1] 12345678-1234-1234-1234-123456789abc 2026-01-01 10:00:00Z 10:11:12.5 18446744073709551615 0xff00 0.33333334 NaN 2026-01-01 10:00:00.123456789`,
				2: `2 name 2 2 2026-01-03 2026-01-01 10:00:02 2.50 -2.0000 false c81e728d9d4c2f636f067f89cc14862c <nil> 2 x2 ["k"] [2] 12345678-1234-1234-1234-123456789abc 2026-01-01 10:00:00Z 10:11:12.5 18446744073709551615 0xff00 0.6666667 NaN 2026-01-01 10:00:00.123456789`,
				3: `3 name 3 3 2026-01-04 2026-01-01 10:00:03 3.75 -3.0000 true eccbc87e4b5ce2fe28308fd9f2a7baf3 [] 3 x3 ["k"] [3] 12345678-1234-1234-1234-123456789abc 2026-01-01 10:00:00Z 10:11:12.5 18446744073709551615 0xff00 1 NaN 2026-01-01 10:00:00.123456789`,
			} {
				if s := row(got, i); s != "["+want+"]" {
					t.Errorf("%s %s: %s", codec, v, s)
				}
			}
			if !strings.HasPrefix(got.Note, "Parquet, 20000 rows in 4 row groups, "+name+", written by DuckDB") || !got.Truncated || len(got.Rows) != 100 {
				t.Errorf("%s %d", got.Note, len(got.Rows))
			}
		}
	}
	if got := table(t, disk(t, dir, "empty.parquet"), "x.parquet", Options{}); len(got.Rows) != 0 || shown(got) != "id:integer#" || got.Truncated {
		t.Errorf("%+v", got)
	}
	got, err := Table(t.Context(), disk(t, dir, "groups.parquet"), "x.parquet", 4999, Options{})
	if err != nil || row(got, 4998) != "[4998 <nil>]" || !got.Truncated {
		t.Errorf("over several row groups: %v %s", err, row(got, 4998))
	}
	_, err = Table(t.Context(), disk(t, dir, "secret.parquet"), "x.parquet", 10, Options{})
	wants(t, err, connectors.Unsupported, "files.parquet_encrypted", "")
}

// arrowFiles writes every encoding of values in both versions of pages.
const arrowFiles = `
const [home, out] = process.argv.slice(1);
const arrow = require(home + '/node_modules/apache-arrow'), wasm = require(home + '/node_modules/parquet-wasm/node/parquet_wasm.js'), fs = require('fs');
const n = 20000, ids = Int32Array.from({length: n}, (_, i) => i);
const t = arrow.tableFromArrays({ id: ids, big: BigInt64Array.from(ids, i => BigInt(i * i) * 1000000007n * (i % 2 ? -1n : 1n)), score: Float64Array.from(ids, i => i / 4), name: arrow.vectorFromArray(Array.from(ids, i => i % 5 == 3 ? null : 'name ' + (i >> 3) + '/' + i), new arrow.Utf8()), ok: arrow.vectorFromArray(Array.from(ids, i => i % 3 == 0), new arrow.Bool()) });
const w = wasm.Table.fromIPCStream(arrow.tableToIPC(t, 'stream')), E = wasm.Encoding;
for (const v of ['V1', 'V2']) for (const [k, cols] of Object.entries({
  plain: {}, dictionary: null,
  delta: { id: E.DELTA_BINARY_PACKED, big: E.DELTA_BINARY_PACKED, name: E.DELTA_BYTE_ARRAY, ok: E.RLE },
  split: { id: E.BYTE_STREAM_SPLIT, big: E.BYTE_STREAM_SPLIT, score: E.BYTE_STREAM_SPLIT, name: E.DELTA_LENGTH_BYTE_ARRAY } })) {
  let p = new wasm.WriterPropertiesBuilder().setWriterVersion(wasm.WriterVersion[v]).setCompression(wasm.Compression.ZSTD).setDictionaryEnabled(cols === null);
  for (const [c, e] of Object.entries(cols || {})) p = p.setColumnEncoding(c, e);
  fs.writeFileSync(out + '/' + k + '.' + v + '.parquet', wasm.writeParquet(wasm.Table.fromIPCStream(arrow.tableToIPC(t, 'stream')), p.build()));
}`

func TestArrowRust(t *testing.T) {
	node, home := npm(t, "parquet-wasm-0.8.0", wasm, arrow)
	dir := t.TempDir()
	server.Run(t, node, "-e", arrowFiles, home, dir)
	for _, name := range []string{"plain", "dictionary", "delta", "split"} {
		for _, v := range []string{"V1", "V2"} {
			got, err := Table(t.Context(), disk(t, dir, name+"."+v+".parquet"), "x.parquet", 3000, Options{})
			if err != nil {
				t.Errorf("%s %s: %v %v", name, v, err, connectors.Classify(err).Err)
				continue
			}
			for i := range 3000 {
				name := any(fmt.Sprintf("name %d/%d", i>>3, i))
				if i%5 == 3 {
					name = nil
				}
				big := int64(i) * int64(i) * 1000000007
				if i%2 == 1 {
					big = -big
				}
				if want := fmt.Sprint([]any{int64(i), big, float64(i) / 4, name, i%3 == 0}); row(got, i) != want {
					t.Fatalf("%s %s: %s, want %s", name, v, row(got, i), want)
				}
			}
		}
	}
}

type inner struct {
	N int32   `parquet:"n"`
	M []int32 `parquet:"m,list"`
}

type nested struct {
	ID    int64             `parquet:"id,delta"`
	Tags  []string          `parquet:"tags,list"`
	Deep  []inner           `parquet:"deep,list"`
	Map   map[string]string `parquet:"map"`
	Maybe *float32          `parquet:"maybe,optional"`
	In    struct {
		Fixed [4]byte `parquet:"fixed"`
	} `parquet:"in"`
}

// ours writes a file with parquet-go.
func ours(tb testing.TB, codec compress.Codec, n int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[nested](&b, parquet.Compression(codec), parquet.PageBufferSize(2000))
	for i := range n {
		r := nested{ID: int64(i), Map: map[string]string{"k": fmt.Sprint(i)}}
		for k := range i % 4 {
			r.Tags = append(r.Tags, fmt.Sprint("t", k))
			r.Deep = append(r.Deep, inner{int32(k), []int32{7, 8}})
		}
		if _, err := w.Write([]nested{r}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestParquetGo(t *testing.T) {
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd, &parquet.Gzip, &parquet.Brotli, &parquet.Lz4Raw} {
		got := table(t, memory(ours(t, codec, 1000)), "x.parquet", Options{})
		if s := shown(got); s != "id:integer# tags:list of text deep.n:list of integer deep.m:list of integer map.key:list of text map.value:list of text maybe:float# in.fixed:binary" {
			t.Error(s)
		}
		if s := row(got, 3); s != `[3 ["t0","t1","t2"] [0,1,2] [7,8,7,8,7,8] ["k"] ["3"] <nil> 0x00000000]` {
			t.Errorf("%s: %s", codec, s)
		}
		if s := row(got, 0); s != `[0 [] [] <nil> ["k"] ["0"] <nil> 0x00000000]` {
			t.Errorf("%s: %s", codec, s)
		}
	}
}

// TestParquetTouchesOnePercent counts what the first rows of a large file take.
func TestParquetTouchesOnePercent(t *testing.T) {
	dir := t.TempDir()
	for _, codec := range []string{"snappy", "zstd"} {
		duck(t, dir, "COPY (SELECT range AS id, md5(range::VARCHAR) AS a, md5((range + 1)::VARCHAR) AS b FROM range(1500000)) TO '$OUT/large.parquet' (FORMAT parquet, COMPRESSION "+codec+")")
		src := disk(t, dir, "large.parquet")
		if got := table(t, src, "large.parquet", Options{}); len(got.Rows) != 100 || got.Rows[1][1] != "c4ca4238a0b923820dcc509a6f75849b" {
			t.Fatal(len(got.Rows))
		}
		t.Logf("%s: %d of %d bytes", codec, src.read, src.size)
		if src.read*100 > src.size {
			t.Errorf("%s: %d of %d bytes were read", codec, src.read, src.size)
		}
		if err := os.Remove(filepath.Join(dir, "large.parquet")); err != nil {
			t.Fatal(err)
		}
	}
}

// sparse is a file of a gigabyte that begins with text.
func sparse(tb testing.TB, begin string) *counted {
	tb.Helper()
	name := server.WriteFile(tb, tb.TempDir(), "large.csv", begin, 0o600)
	if err := os.Truncate(name, 1<<30); err != nil {
		tb.Fatal(err)
	}
	return disk(tb, name)
}

func TestAGigabyteOfCSVTouchesOnePercent(t *testing.T) {
	src := sparse(t, "id,name\n"+strings.Repeat("1,Ann\n", 100_000))
	if got := table(t, src, "large.csv", Options{}); len(got.Rows) != 100 || !got.Truncated {
		t.Fatal(len(got.Rows))
	}
	if src.read*1000 > src.size {
		t.Errorf("%d of %d bytes were read", src.read, src.size)
	}
}

// TestSecurity68_HostileParquet breaks good files at random places, and says
// what no file should.
func TestSecurity68_HostileParquet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd} {
		good := ours(t, codec, 300)
		for range 1500 {
			bad := bytes.Clone(good)
			for range 1 + r.IntN(8) {
				at := r.IntN(len(bad))
				if r.IntN(2) == 0 {
					at = len(bad) - 1 - r.IntN(min(len(bad), 1500)) // the footer
				}
				bad[at] = byte(r.Uint32())
			}
			got, err := Table(t.Context(), memory(bad), "x.parquet", 50, Options{})
			if err != nil && connectors.Explain(err).Title == "" || err == nil && len(got.Rows) > 50 {
				t.Fatalf("%v", err)
			}
		}
	}
	footer := func(b ...byte) []byte {
		out := append([]byte("PAR1"), b...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(b)))
		return append(out, "PAR1"...)
	}
	many := []byte{0x29, 0xfc} // field 2, a list of structures
	many = binary.AppendUvarint(many, 2_000_000_000)
	deep := bytes.Repeat([]byte{0x1c}, 1<<20)
	lists := bytes.Repeat([]byte{0x19, 0x19}, 1<<20)
	wide := append([]byte{0x29, 0xfc}, binary.AppendUvarint(nil, 15<<20)...)
	wide = append(wide, make([]byte, 15<<20)...)
	for name, data := range map[string][]byte{
		"two billion columns": footer(many...), "deep structures": footer(deep...), "deep lists": footer(lists...), "fifteen million columns": footer(wide...),
		"a length of 4 GB": append([]byte("PAR1aaaa"), 0xff, 0xff, 0xff, 0xff, 'P', 'A', 'R', '1'), "nothing": []byte("PAR1"), "a footer of 0 bytes": footer(),
	} {
		grew := heap(func() {
			_, err := Table(t.Context(), memory(data), "x.parquet", 50, Options{})
			if e := connectors.Classify(err); e == nil || e.Code != connectors.Unsupported {
				t.Errorf("%s: %v", name, err)
			}
		})
		if grew > 100 {
			t.Errorf("%s: %.0f MiB", name, grew)
		}
	}
}
