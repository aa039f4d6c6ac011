package datafile

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

const small = "id,name\n1,Ann\n2,Bo\n"

func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	return server.WriteFile(tb, dir, name, text, 0o600)
}

// TestPackers reads what gzip, bzip2, zstd, xz and Info-ZIP made.
func TestPackers(t *testing.T) {
	dir := t.TempDir()
	csv := write(t, dir, "a.csv", small)
	write(t, dir, "b.txt", "a letter, no table\n\nreally\n")
	server.Run(t, server.Program(t, "gzip", "gzip"), "-k", csv)
	server.Run(t, server.Program(t, "bzip2", "bzip2"), "-k", csv)
	server.Run(t, server.Program(t, "zstd", "zstd"), "-q", csv)
	server.Run(t, server.Program(t, "xz", "xz-utils"), "-k", csv)
	infozip := server.Program(t, "zip", "zip")
	at := func(name string) string { return filepath.Join(dir, name) }
	server.Run(t, infozip, "-q", "-j", at("one.zip"), csv)
	server.Run(t, infozip, "-q", "-j", "-0", at("stored.zip"), csv)
	server.Run(t, infozip, "-q", "-j", at("two.zip"), csv, at("b.txt"), at("a.csv.gz"), at("stored.zip"))
	server.Run(t, infozip, "-q", "-j", at("three.zip"), at("two.zip"), csv)
	server.Run(t, infozip, "-q", "-j", "-P", "practice-only", at("locked.zip"), csv)
	server.Run(t, server.Program(t, "gzip", "gzip"), "-k", at("two.zip"))
	for name, note := range map[string]string{"a.csv.gz": "gzip, UTF-8, comma", "a.csv.bz2": "bzip2, UTF-8, comma", "a.csv.zst": "zstd, UTF-8, comma", "one.zip": "zip, UTF-8, comma", "stored.zip": "zip, UTF-8, comma"} {
		got := table(t, disk(t, dir, name), name, Options{})
		if shown(got) != "id:integer# name:text" || len(got.Rows) != 2 || got.Note != note {
			t.Errorf("%s: %s %d %s", name, shown(got), len(got.Rows), got.Note)
		}
	}
	for _, c := range []struct {
		name   string
		inside []string
	}{
		{"two.zip", []string{"a.csv"}}, {"two.zip", []string{"a.csv.gz"}}, {"two.zip", []string{"stored.zip"}}, {"two.zip", []string{"stored.zip", "a.csv"}},
		{"three.zip", []string{"two.zip", "stored.zip", "a.csv"}}, {"two.zip.gz", []string{"a.csv"}},
	} {
		if got := table(t, disk(t, dir, c.name), c.name, Options{Inside: c.inside}); row(got, 1) != "[2 Bo]" {
			t.Errorf("%s %v: %s", c.name, c.inside, row(got, 1))
		}
	}
	if got := table(t, disk(t, dir, "two.zip"), "two.zip", Options{}); len(got.Rows) != 4 || got.Rows[0][0] != "a.csv" || got.Rows[0][1] != int64(len(small)) {
		t.Errorf("%v", got.Rows)
	}
	var names []string
	for m, err := range Members(t.Context(), disk(t, dir, "two.zip"), "two.zip", Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, m.Name)
	}
	if fmt.Sprint(names) != "[a.csv b.txt a.csv.gz stored.zip]" {
		t.Error(names)
	}
	s, err := Sample(t.Context(), disk(t, dir, "a.csv.gz"), "a.csv.gz", 100, Options{})
	if err != nil || string(s.Data) != small || s.MediaType != "text/csv; charset=utf-8" {
		t.Errorf("%q %s %v", s.Data, s.MediaType, err)
	}
	for _, c := range []struct {
		name, reason string
		inside       []string
		code         connectors.Code
	}{
		{"a.csv.xz", "files.packed", nil, connectors.Unsupported},
		{"locked.zip", "files.zip_encrypted", nil, connectors.Unsupported},
		{"two.zip", "files.no_member", []string{"nothing.csv"}, connectors.NotFound},
		{"two.zip", "files.text_only", []string{"b.txt"}, connectors.Unsupported},
		{"three.zip", "files.depth", []string{"a", "b", "c", "d"}, connectors.Unsupported},
		{"a.csv", "files.no_member", []string{"x"}, connectors.NotFound},
	} {
		_, err := Table(t.Context(), disk(t, dir, c.name), c.name, 10, Options{Inside: c.inside})
		wants(t, err, c.code, c.reason, "")
	}
}

func TestFoldersInAZip(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a/", "a/b/c.csv", "a/d.csv", "top.csv", "../../escape.csv", `win\dows.csv`, "/abs.csv", "a/d.csv"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			_, _ = w.Write([]byte(small))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	list := func(inside ...string) string {
		var out []string
		for m, err := range Members(t.Context(), memory(b.Bytes()), "x.zip", Options{Inside: inside}) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(m.Inside, " ", m.Folder))
		}
		return strings.Join(out, ", ")
	}
	if got := list(); got != "a/ true, top.csv false, ../ true, win/ true, /abs.csv false" {
		t.Error(got)
	}
	if got := list("a/"); got != "a/b/ true, a/d.csv false" {
		t.Error(got)
	}
	if got := table(t, memory(b.Bytes()), "x.zip", Options{Inside: []string{"../../escape.csv"}}); len(got.Rows) != 2 {
		t.Error("a member is only a name")
	}
}

// packed is gzip of n bytes that repeat unit.
func packed(tb testing.TB, unit string, n int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	unit = strings.Repeat(unit, max(1, 1<<16/len(unit)))
	for range max(1, n/len(unit)) {
		if _, err := w.Write([]byte(unit)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// heap runs do and returns by how much the memory that the program took from the
// system grew, in MiB.
func heap(do func()) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return (float64(after.HeapSys) - float64(before.HeapSys)) / (1 << 20)
}

func TestSecurity68_BombsEndInASentence(t *testing.T) {
	many := strings.Repeat("x", 1<<16)
	var nested []byte
	for range 8 {
		if nested == nil {
			nested = packed(t, small, 1<<20)
			continue
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(nested)
		_ = w.Close()
		nested = b.Bytes()
	}
	bomb := packed(t, strings.Repeat("\x00", 1<<16), 44<<20)
	line := packed(t, many, 44<<20)
	excel := sheetOf(t, "<row>"+strings.Repeat(`<c><v>1</v></c>`, 1_300_000)+"</row>")
	deep := sheetOf(t, strings.Repeat("<row>", 3_000_000))
	attrs := sheetOf(t, `<row `+strings.Repeat(`a="" `, 3_000_000)+">")
	laughs := sheetOf(t, `<row><c t="str"><v>&lol9;</v></c></row>`)
	for _, c := range []struct {
		name, as string
		data     []byte
		reason   string
	}{
		{"zeros", "a.csv.gz", bomb, "files.no_rows"},
		{"one line", "a.csv.gz", line, "files.too_large"},
		{"Parquet behind zeros", "a.parquet.gz", append(packed(t, "PAR1", 44<<20), 0), "files.too_large"},
		{"a zip in a bomb", "a.zip.gz", packed(t, "PK\x03\x04", 44<<20), "files.too_large"},
		{"gzip in gzip", "a.gz", nested, "files.layers"},
		{"an endless number", "a.json", []byte(`[` + strings.Repeat("1", 30<<20)), ""},
		{"deep JSON", "a.json", []byte(strings.Repeat(`[`, 5<<20)), "files.bad_json"},
		{"deep objects", "a.json", []byte(strings.Repeat(`{"a":`, 5<<20)), "files.bad_json"},
		{"attributes", "a.xlsx", attrs, "files.broken"},
		{"entities", "a.xlsx", laughs, "files.broken"},
		{"cells", "a.xlsx", excel, ""},
		{"rows in rows", "a.xlsx", deep, ""},
		{"a table of commas", "a.csv", []byte(strings.Repeat(strings.Repeat(",", 900_000)+"\n", 20)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			grew := heap(func() {
				got, err := Table(t.Context(), memory(c.data), c.as, 100, Options{})
				if c.reason == "" {
					if err != nil {
						t.Error(err)
					} else if len(got.Columns) > maxColumns {
						t.Errorf("%d columns", len(got.Columns))
					}
					return
				}
				if e := connectors.Classify(err); e == nil || e.Reason != c.reason {
					t.Errorf("%v, want %s", err, c.reason)
				}
			})
			if grew > 100 {
				t.Errorf("it took %.0f MiB", grew)
			}
		})
	}
}

// sheetOf is a workbook of one sheet with the given rows.
func sheetOf(tb testing.TB, rows string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"[Content_Types].xml", "<Types/>"},
		{"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="s.xml"/></Relationships>`},
		{"xl/s.xml", "<!DOCTYPE lolz [<!ENTITY lol9 \"lol\">]><worksheet><sheetData>" + rows + "</sheetData></worksheet>"},
	} {
		w, err := z.Create(part[0])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(part[1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestSecurity68_ALongZipDirectory has members without end: the count at the
// end says one, because it is kept in 16 bits.
func TestSecurity68_ALongZipDirectory(t *testing.T) {
	entry := make([]byte, 46+4)
	copy(entry, "PK\x01\x02")
	binary.LittleEndian.PutUint16(entry[28:], 4)
	copy(entry[46:], "name")
	directory := bytes.Repeat(entry, 65536*8+1)
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], 1)
	binary.LittleEndian.PutUint16(end[10:], 1)
	for _, size := range []uint32{uint32(len(directory)), 50} {
		binary.LittleEndian.PutUint32(end[12:], size)
		binary.LittleEndian.PutUint32(end[16:], 4)
		data := append(append([]byte("PK\x03\x04"), directory...), end...)
		grew := heap(func() {
			if _, err := Table(t.Context(), memory(data), "a.zip", 10, Options{}); connectors.CodeOf(err) != connectors.Unsupported {
				t.Errorf("%v", err)
			}
		})
		if grew > 100 {
			t.Errorf("it took %.0f MiB", grew)
		}
	}
}

// gpg runs GnuPG in a home of its own.
func gpg(tb testing.TB, home string, args ...string) string {
	tb.Helper()
	return server.Run(tb, server.Program(tb, "gpg", "gnupg"), append([]string{"--homedir", home, "--batch", "--yes", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--trust-model", "always"}, args...)...)
}

func TestGnuPG(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgp") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Run(t, server.Program(t, "gpgconf", "gnupg"), "--homedir", dir, "--kill", "all")
		_ = os.RemoveAll(dir)
	})
	csv := write(t, dir, "a.csv", small)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, k := range [][4]string{{"ann@example.com", "rsa2048", "encrypt,sign", ""}, {"bo@example.com", "future-default", "default", "practice-only"}, {"cy@example.com", "future-default", "default", ""}} {
		gpg(t, dir, "--passphrase", k[3], "--quick-generate-key", k[0], k[1], k[2], "never")
	}
	export := func(who, phrase string) connectors.Secret {
		return connectors.NewSecret(gpg(t, dir, "--passphrase", phrase, "--armor", "--export-secret-keys", who))
	}
	ann, cy := export("ann@example.com", ""), export("cy@example.com", "")
	bo := export("bo@example.com", "practice-only")
	binary := gpgBinary(t, dir)
	gpg(t, dir, "-r", "ann@example.com", "-o", at("a.csv.gpg"), "-e", csv)
	gpg(t, dir, "-r", "ann@example.com", "--armor", "-o", at("a.csv.asc"), "-e", csv)
	gpg(t, dir, "-r", "ann@example.com", "-r", "bo@example.com", "-o", at("both.csv.pgp"), "-e", csv)
	gpg(t, dir, "-r", "bo@example.com", "-o", at("bo.csv.pgp"), "-e", csv)
	gpg(t, dir, "--hidden-recipient", "ann@example.com", "-o", at("hidden.csv.pgp"), "-e", csv)
	gpg(t, dir, "--passphrase", "practice-only", "-o", at("sym.csv.gpg"), "-c", csv)
	server.Run(t, server.Program(t, "gzip", "gzip"), "-k", csv)
	gpg(t, dir, "-r", "ann@example.com", "-o", at("a.csv.gz.gpg"), "-e", at("a.csv.gz"))
	gpg(t, dir, "--hidden-recipient", "bo@example.com", "-o", at("hidden2.csv.pgp"), "-e", csv)
	phrase, wrong := connectors.NewSecret("practice-only"), connectors.NewSecret("practice-other")
	for _, c := range []struct {
		name, note string
		o          Options
	}{
		{"a.csv.gpg", "PGP, UTF-8, comma", Options{PGPKey: ann}},
		{"a.csv.asc", "PGP, UTF-8, comma", Options{PGPKey: ann}},
		{"a.csv.gpg", "PGP, UTF-8, comma", Options{PGPKey: binary}},
		{"both.csv.pgp", "PGP, UTF-8, comma", Options{PGPKey: ann}},
		{"both.csv.pgp", "PGP, UTF-8, comma", Options{PGPKey: bo, PGPPassphrase: phrase}},
		{"hidden.csv.pgp", "PGP, UTF-8, comma", Options{PGPKey: ann}},
		{"hidden2.csv.pgp", "PGP, UTF-8, comma", Options{PGPKey: bo, PGPPassphrase: phrase}},
		{"sym.csv.gpg", "PGP, UTF-8, comma", Options{PGPPassphrase: phrase}},
		{"sym.csv.gpg", "PGP, UTF-8, comma", Options{PGPKey: ann, PGPPassphrase: phrase}},
		{"a.csv.gz.gpg", "PGP, gzip, UTF-8, comma", Options{PGPKey: ann}},
	} {
		got := table(t, disk(t, dir, c.name), c.name, c.o)
		if row(got, 1) != "[2 Bo]" || got.Note != c.note {
			t.Errorf("%s: %s %s", c.name, row(got, 1), got.Note)
		}
		if s, err := Sample(t.Context(), disk(t, dir, c.name), c.name, 100, c.o); err != nil || string(s.Data) != small {
			t.Errorf("%s: %q %v", c.name, s.Data, err)
		}
	}
	for _, c := range []struct {
		name          string
		o             Options
		code          connectors.Code
		reason, field string
	}{
		{"a.csv.gpg", Options{}, connectors.Denied, "files.pgp_needs_key", "pgp_key"},
		{"a.csv.asc", Options{}, connectors.Denied, "files.pgp_needs_key", "pgp_key"},
		{"sym.csv.gpg", Options{}, connectors.Denied, "files.pgp_needs_password", "pgp_passphrase"},
		{"sym.csv.gpg", Options{PGPPassphrase: wrong}, connectors.AuthFailed, "files.pgp_password", "pgp_passphrase"},
		{"a.csv.gpg", Options{PGPKey: cy}, connectors.AuthFailed, "files.pgp_wrong_key", "pgp_key"},
		{"bo.csv.pgp", Options{PGPKey: bo}, connectors.BadInput, "files.pgp_locked", "pgp_passphrase"},
		{"bo.csv.pgp", Options{PGPKey: bo, PGPPassphrase: wrong}, connectors.BadInput, "files.pgp_passphrase", "pgp_passphrase"},
		{"a.csv.gpg", Options{PGPKey: connectors.NewSecret("no key at all")}, connectors.BadInput, "files.pgp_no_key", "pgp_key"},
	} {
		_, err := Table(t.Context(), disk(t, dir, c.name), c.name, 10, c.o)
		wants(t, err, c.code, c.reason, c.field)
		if c.reason == "files.pgp_wrong_key" || c.reason == "files.pgp_needs_key" {
			said := connectors.Classify(err).Said
			if list := strings.ReplaceAll(gpg(t, dir, "--keyid-format", "long", "--list-keys", "ann@example.com"), "\n", " "); len(said) != 16 || !strings.Contains(list, said) {
				t.Errorf("said %q of %s", said, list)
			}
		}
	}
	if s, err := Sample(t.Context(), disk(t, dir, "a.csv.asc"), "a.csv.asc", 100, Options{}); err != nil || !strings.HasPrefix(string(s.Data), armorBegin) {
		t.Errorf("without a key: %q %v", s.Data, err)
	}
	gpg(t, dir, "--passphrase", "practice-only", "--s2k-mode", "1", "-o", at("fast.csv.gpg"), "-c", csv)
	for i := range 60 { // some look right at first
		_, err := Table(t.Context(), disk(t, dir, "fast.csv.gpg"), "fast.csv.gpg", 10, Options{PGPPassphrase: connectors.NewSecret(fmt.Sprint("practice-", i))})
		wants(t, err, connectors.AuthFailed, "files.pgp_password", "pgp_passphrase")
	}
	cut, err := os.ReadFile(at("a.csv.gpg"))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(cut); n += 23 {
		if got, err := Table(t.Context(), memory(cut[:n]), "a.csv.gpg", 10, Options{PGPKey: ann}); err == nil && n > 0 && row(got, 1) == "[2 Bo]" && n < len(cut)/2 {
			t.Errorf("%d of %d bytes opened", n, len(cut))
		}
	}
	if err := ValidKey(ann.Reveal()); err != nil {
		t.Error(err)
	}
	if err := ValidKey(gpg(t, dir, "--armor", "--export", "ann@example.com")); err == nil {
		t.Error("a public key passed for a private one")
	}
}

// gpgBinary is a private key as a form has it that was read from a binary file.
func gpgBinary(tb testing.TB, dir string) connectors.Secret {
	tb.Helper()
	name := filepath.Join(dir, "ann.bin")
	gpg(tb, dir, "--passphrase", "", "-o", name, "--export-secret-keys", "ann@example.com")
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	text := connectors.FileText(data)
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		tb.Fatal(err)
	}
	return connectors.NewSecret(text)
}

// TestSecurity68_APasswordThatWantsAllMemory is a message whose password would be
// derived with two terabytes (RFC 9580 section 3.7.1.4).
func TestSecurity68_APasswordThatWantsAllMemory(t *testing.T) {
	body := append([]byte{5, 9, 2, 4}, make([]byte, 16)...)
	body = append(body, 1, 1, 31)
	body = append(body, make([]byte, 40)...)
	data := append([]byte{0xc3, byte(len(body))}, body...)
	data = append(data, 0xd2, 40, 2, 9, 2, 6)
	data = append(data, make([]byte, 36)...)
	_, err := Table(t.Context(), memory(data), "a.gpg", 10, Options{PGPPassphrase: connectors.NewSecret("practice-only")})
	wants(t, err, connectors.Unsupported, "files.pgp_heavy", "")
}
