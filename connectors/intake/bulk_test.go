package intake

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

func zipped(tb testing.TB, files ...File) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func some() []File {
	return []File{
		{"a/github.txt", []byte("ghp_" + strings.Repeat("aB3d", 10))},
		{"a/list.csv", []byte("type,host,user,password\nsftp,a.example.com,alice," + secret + "\nftp,b.example.com,bob," + secret + "\n")},
		{"readme.txt", []byte("Dear all, here are the files.")},
	}
}

func TestManyFiles(t *testing.T) {
	types := offered()
	for name, files := range map[string][]File{"a folder": some(), "a ZIP file": {{"all.zip", zipped(t, some()...)}}} {
		found, err := ReadAll(types, files, connectors.Secret{})
		if err != nil || len(found.Items) != 3 || len(found.Left) != 1 || found.Left[0].Name != "readme.txt" || found.Items[1].Where != "a/list.csv, row 2" || found.What != "3 files with 3 connections" {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		sound(t, types, found)
	}
	found, err := Read(types, File{"all.zip", zipped(t, some()...)}, connectors.Secret{})
	if err != nil || len(found.Items) != 3 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestDBeaversTwoFiles(t *testing.T) {
	sources := `{"connections":{"mysql8-1":{"provider":"mysql","driver":"mysql8","name":"Shop","configuration":{"host":"db.example.com","port":"3306"}}}}`
	files := []File{{".dbeaver/credentials-config.json", []byte("0123456789abcdef0123456789abcdef")}, {".dbeaver/data-sources.json", []byte(sources)}}
	found, err := ReadAll(offered(), files, connectors.Secret{})
	if err != nil || len(found.Items) != 1 || found.Items[0].Readings[0].Type != "mysql" {
		t.Errorf("%+v, %v", found, err)
	}
	// The same as a project export.
	found, err = Read(offered(), File{"x.dbp", zipped(t, File{"projects/General/.dbeaver/data-sources.json", []byte(sources)})}, connectors.Secret{})
	if err != nil || found.What != "a project export of DBeaver" || len(found.Items) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTooManyFiles(t *testing.T) {
	types := offered()
	inner := zipped(t, some()...)
	found, err := ReadAll(types, []File{{"outer.zip", zipped(t, File{"inner.zip", inner}, some()[0])}}, connectors.Secret{})
	if err != nil || len(found.Items) != 1 || len(found.Left) != 1 || found.Left[0].Name != "inner.zip" {
		t.Errorf("%+v, %v", found, err)
	}
	var many []File
	for i := range MaxFiles + 1 {
		many = append(many, File{fmt.Sprint(i), []byte("x")})
	}
	for want, files := range map[string][]File{
		"intake.many": many, "intake.none": {{"a", []byte("hello")}, {"b", []byte("world")}}, "intake.empty": nil, "intake.unknown": {{"a", []byte("hello")}}, "intake.zip": {{"a.zip", []byte("PK\x03\x04xx")}},
	} {
		if _, err := ReadAll(types, files, connectors.Secret{}); reasonOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		} else if x := connectors.Explain(err); x.Title == "" || x.Hint == "" {
			t.Errorf("%s has no words", want)
		}
	}
	if _, err := Read(types, File{"x.xlsx", zipped(t, File{"[Content_Types].xml", []byte("<a/>")})}, connectors.Secret{}); reasonOf(err) != "intake.workbook" {
		t.Error(err)
	}
}

func hostile(t testing.TB) map[string][]byte {
	zeros := make([]byte, 100<<20)
	random := make([]byte, MaxSize)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	laughs := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><FileZilla3><Servers><Server><Host>&b;</Host></Server></Servers></FileZilla3>`
	outside := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><FileZilla3><Servers><Server><Host>&x;</Host></Server></Servers></FileZilla3>`
	vars := strings.Repeat(`{"key":"a","value":"{{a}}{{a}}{{a}}"},`, 50_000)
	return map[string][]byte{
		"100 MB": zeros, "bomb": zipped(t, File{"a", zeros}), "laughs": []byte(laughs), "outside": []byte(outside), "random": random,
		"deep JSON": []byte(strings.Repeat("[", 100_000)), "deep objects": []byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)), "deep XML": []byte(strings.Repeat("<a>", 100_000)),
		"wide XML": []byte("<FileZilla3>" + strings.Repeat("<Server/>", 400_000) + "</FileZilla3>"), "broken text": []byte("<a>" + strings.Repeat("x<!---->", 500_000) + "</a>"),
		"variables":    []byte(`{"info":{"schema":"collection"},"variable":[` + strings.TrimSuffix(vars, ",") + `],"item":[],"auth":{"type":"bearer","bearer":[{"key":"token","value":"{{a}}"}]}}`),
		"an open cell": []byte("host,user\n\"" + strings.Repeat("a", 4_000_000)), "wide table": []byte("host,user" + strings.Repeat(",x", 2_000_000)), "many rows": []byte("host;user;password\n" + strings.Repeat("a;b;c\n", 600_000)),
		"lines": []byte(strings.Repeat("a=b\n", 1_000_000)), "dashes": []byte(strings.Repeat("-----BEGIN ", 300_000)), "one line": []byte(strings.Repeat("a", MaxSize)), "quotes": []byte(strings.Repeat(`"`, MaxSize)), "addresses": []byte(strings.Repeat("://@:", 800_000)),
	}
}

// Every hostile file ends in a sentence, or in what could be read of it. What
// is logged is the memory that was taken in all.
func TestSecurity71_HostileFilesEnd(t *testing.T) {
	types := offered()
	for name, data := range hostile(t) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		found, err := Read(types, File{Name: name, Data: data}, connectors.Secret{})
		took := time.Since(start)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 100<<20 {
			t.Errorf("%s: %d MB are held", name, held>>20)
		}
		t.Logf("%s: %s, %d MB in all, %d items, %v", name, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, len(found.Items), err)
		if err == nil && found.What == "" || err != nil && connectors.Explain(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
		if (name == "laughs" || name == "outside") && (err == nil || strings.Contains(fmt.Sprintf("%+v %v", found, err), "root:")) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	types := offered()
	for _, p := range corpus() {
		f.Add([]byte(p.text), "")
	}
	f.Add(zipped(f, some()...), "")
	f.Fuzz(func(t *testing.T, data []byte, pass string) {
		if len(data) > 64<<10 {
			return
		}
		found, err := Read(types, File{Data: data}, connectors.NewSecret(pass))
		if err != nil {
			if reasonOf(err) == "" {
				t.Errorf("%v has no reason", err)
			}
			return
		}
		for _, i := range found.Items {
			for _, r := range i.Readings {
				ty, _ := connectors.Find(types, r.Type)
				answered(t, ty, r)
			}
		}
	})
}
