package bodyx

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

// wide is UTF-16, little-endian, without a mark.
func wide(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, media, body string
		format            Format
		want              string
	}{
		{"JSON", "application/json", `{"a":[1,null,true]}`, JSON, `{"a":[1,null,true]}`},
		{"big numbers stay exact", "application/json", `123456789012345678901`, JSON, `123456789012345678901`},
		{"JSON with a suffix", "application/vnd.api+json; charset=utf-8", `{"a":1}`, JSON, `{"a":1}`},
		{"text/json in capitals", "Text/JSON", `"x"`, JSON, `x`},
		{"a broken media type", "application/json; charset", `{"a":1}`, JSON, `{"a":1}`},
		{"no media type", "", ` {"a":1} `, JSON, `{"a":1}`},
		{"plain text", "text/plain", `[1]`, JSON, `[1]`},
		{"a plain word", "text/plain", `true`, JSON, `true`},
		{"bytes", "application/octet-stream", `{"a":1}`, JSON, `{"a":1}`},
		{"JSON called a web page", "text/html; charset=UTF-8", `{"a":1}`, JSON, `{"a":1}`},
		{"JSON called XML", "application/xml", `{"error":"no"}`, JSON, `{"error":"no"}`},
		{"byte order mark", "application/json", "\xef\xbb\xbf{\"a\":1}", JSON, `{"a":1}`},
		{"UTF-16 with a mark", "application/json", "\xff\xfe" + wide(`{"a":"ü"}`), JSON, `{"a":"ü"}`},
		{"UTF-16 by name", "application/json; charset=utf-16le", wide(`{"a":"ü"}`), JSON, `{"a":"ü"}`},
		{"Latin-1 by name", "application/json; charset=iso-8859-1", "{\"a\":\"\xfc\"}", JSON, `{"a":"ü"}`},
		{"Latin-1 in name only", "application/json; charset=iso-8859-1", `{"a":"ü"}`, JSON, `{"a":"ü"}`},
		{"guarded against scripts", "application/json", ")]}'\n{\"a\":1}", JSON, `{"a":1}`},
		{"guarded, with a comma", "text/javascript", ")]}',\n[1]", JSON, `[1]`},
		{"lines", "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n", Lines, `[{"a":1},{"a":2}]`},
		{"one line", "application/jsonl", "{\"a\":1}", Lines, `[{"a":1}]`},
		{"lines called JSON", "application/json", "{\"a\":1}\r\n\r\n{\"a\":2}", Lines, `[{"a":1},{"a":2}]`},
		{"lines called text", "text/plain", "[1]\n[2]", Lines, `[[1],[2]]`},
		{"a text sequence", "application/json-seq", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", Lines, `[{"a":1},{"a":2}]`},
		{"form", "application/x-www-form-urlencoded", "b=1+2&a=%C3%BC&b=3&c", Form, `{"b":["1 2","3"],"a":"ü","c":""}`},
		{"CSV", "text/csv", "id,name\n007,Ann\n", CSV, `[{"id":"007","name":"Ann"}]`},
		{"XML", "text/xml", `<a>1</a>`, XML, `{"a":"1"}`},
		{"XML called text", "text/plain", `<?xml version="1.0"?><a>1</a>`, XML, `{"a":"1"}`},
		{"XML without a name", "", `<?xml version="1.0"?><a>1</a>`, XML, `{"a":"1"}`},
		{"XML called JSON", "application/json", `<?xml version="1.0"?><a>1</a>`, XML, `{"a":"1"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, format, err := Parse(c.media, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := jsonx.Show(v); format != c.format || got != c.want {
				t.Errorf("%s %s, want %s %s", format, got, c.format, c.want)
			}
		})
	}
}

func TestWhatIsNoDataIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, media, body string
		format            Format
		want              error // nil for any
	}{
		{"web page", "text/html", "<p>Sign in</p>", HTML, ErrHTML},
		{"web page called JSON", "application/json", "\n<!DOCTYPE html><title>x</title>", HTML, ErrHTML},
		{"web page called CSV", "text/csv", "<html lang=en>", HTML, ErrHTML},
		{"web page called XML", "application/xml", "<!-- x --><html></html>", HTML, ErrHTML},
		{"XHTML", "application/xhtml+xml", `<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html></html>`, HTML, ErrHTML},
		{"XHTML without DOCTYPE", "", `<?xml version="1.0"?><html xmlns="x"></html>`, HTML, ErrHTML},
		{"words", "text/plain", "OK", Text, ErrNotData},
		{"lines of numbers", "text/plain", "1\n2\n3\n", Text, ErrNotData},
		{"a template", "text/plain", "{name} is here", Text, ErrNotData},
		{"a picture", "image/png", "\x89PNG\r\n", Text, ErrNotData},
		{"nothing", "application/json", " \n", Text, ErrNotData},
		{"nothing at all", "", "", Text, ErrNotData},
		{"bytes called CSV", "text/csv", "a\x00b", Text, ErrNotData},
		{"JSON with text after it", "application/json", `{} <html>`, JSON, jsonx.ErrAfter},
		{"two values on a line", "application/x-ndjson", `{} {}`, Lines, jsonx.ErrLine},
		{"words called JSON", "application/json", `OK`, JSON, nil},
		{"a wrong escape", "application/x-www-form-urlencoded", "a=%zz", Form, nil},
		{"crossed elements", "text/xml", "<a><b></a></b>", XML, nil},
		{"two roots", "text/xml", "<a/><b/>", XML, nil},
		{"text around the root", "text/xml", "<a/>x", XML, nil},
		{"no root", "text/xml", "<!-- x -->", XML, ErrCut},
		{"an unknown charset", "text/xml", `<?xml version="1.0" encoding="klingon"?><a/>`, XML, nil},
		{"an unknown entity", "text/xml", `<a>&nbsp;</a>`, XML, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, format, err := Parse(c.media, []byte(c.body))
			if err == nil || v != nil || format != c.format || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, %s, %v; want %s, %v", jsonx.Show(v), format, err, c.format, c.want)
			}
		})
	}
}

// A body that ends at its cap must not look like a connection that broke, which
// would blame the port.
func TestSecurity68_ABodyThatIsCutIsNoBrokenConnection(t *testing.T) {
	for media, body := range map[string]string{
		"application/json":     `{"a":[1,{"b":"c`,
		"application/x-ndjson": "{\"a\":1}\n{\"a\":",
		"text/json":            `[1,`,
		"text/xml":             `<a><b>1</b><b>2`,
	} {
		_, _, err := Parse(media, []byte(body))
		if e := connectors.Classify(err); !errors.Is(err, ErrCut) || e.Reason != "" || e.Field != "" {
			t.Errorf("%s: %v, %+v", media, err, e)
		}
	}
}

func TestSecurity71_DeepAnswersAreRefused(t *testing.T) {
	const levels = 100_000
	nested := func(open, shut string) string {
		return strings.Repeat(open, levels) + "1" + strings.Repeat(shut, levels)
	}
	for _, c := range []struct{ media, body string }{
		{"application/json", nested("[", "]")},
		{"application/json", nested(`{"a":`, "}")},
		{"application/json", strings.Repeat("[", levels)},
		{"text/plain", nested("[", "]")},
		{"", nested(`{"a":`, "}")},
		{"text/html", nested("[", "]")},
		{"application/x-ndjson", "{}\n" + nested("[", "]")},
		{"application/json", "{}\n" + nested("[", "]")},
		{"text/xml", nested("<a>", "</a>")},
		{"", "<?xml version='1.0'?>" + nested("<a b='c'>", "</a>")},
	} {
		v, f, err := Parse(c.media, []byte(c.body))
		if !errors.Is(err, jsonx.ErrDeep) || v != nil {
			t.Errorf("%q %q…: %s, %v", c.media, c.body[:20], f, err)
		}
	}
}

func TestSecurity71_WhatHasTooManyPartsIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ media, body string }{
		"elements":   {"text/xml", "<a>" + strings.Repeat("<b/>", maxXMLNodes) + "</a>"},
		"attributes": {"text/xml", "<a" + strings.Repeat(" b=''", maxXMLNodes) + "/>"},
		"objects":    {"application/json", "[" + strings.Repeat("{},", 500_000) + "{}]"},
		"lines":      {"application/x-ndjson", strings.Repeat("{}\n", 500_001)},
		"records":    {"text/csv", strings.Repeat("a\n", maxRecords+2)},
		"columns":    {"text/csv", strings.Repeat(",", maxColumns) + "\n"},
		"pairs":      {"application/x-www-form-urlencoded", strings.Repeat("a=b&", maxPairs+1)},
	} {
		if _, f, err := Parse(c.media, []byte(c.body)); !errors.Is(err, ErrMany) {
			t.Errorf("%s: %s, %v", name, f, err)
		}
	}
}

// Errors are logged and shown; answers may hold secrets.
func TestErrorsDoNotQuoteValues(t *testing.T) {
	const canary = "practice-only-canary"
	for media, body := range map[string]string{
		"application/json":                  `{"token":"` + canary + `" oops`,
		"application/x-ndjson":              `{"token":"` + canary + `"} oops`,
		"text/xml":                          `<a token="` + canary + `"><b>` + canary + `</c>`,
		"application/x-www-form-urlencoded": "token=" + canary + "%zz",
		"text/plain":                        canary,
	} {
		if _, _, err := Parse(media, []byte(body)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", media, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"application/json; charset=utf-8", `{"data":[{"id":1,"name":"Ann"}],"links":{"next":null},"meta":{"links":[{"url":null}]}}`},
		{"application/json", `{"data":{"viewer":{"repositories":{"edges":[{"cursor":"x","node":{"id":"1"}}]}}}}`},
		{"text/plain", ")]}'\n[{\"a/b\":{\"~\":[1]}}]"},
		{"application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"},
		{"application/json-seq", "\x1e{\"a\":1}\n"},
		{"application/xml", bucket},
		{"text/xml; charset=utf-8", soap},
		{"application/rss+xml", feed},
		{"text/xml", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a b=\"\xfc\">\xfc</a>"},
		{"text/xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"},
		{"text/csv; header=absent", "id;name\n1;\"Ann; \"\"Bo\"\"\"\n"},
		{"text/tab-separated-values", "\ta\ta\n1\t2\t3\t4\n"},
		{"application/x-www-form-urlencoded", "access_token=practice-only-token&scope=a+b&scope=%C3%BC"},
		{"text/html", "<!doctype html><title>Sign in</title>"},
		{"application/json; charset=utf-16le", wide(`{"a":1}`)},
		{"", "\xff\xfe[\x00]\x00"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		v, format, err := Parse(media, body)
		if err != nil {
			if v != nil || format == "" {
				t.Errorf("%v, %q with %v", v, format, err)
			}
			return
		}
		list, _ := Rows(v, "")
		jsonx.Table(list, 10)
		_, _ = Rows(v, "a.b")
		walk(t, v, "", 3)
	})
}

// walk proves that pointers lead to what they were made of.
func walk(t *testing.T, v jsonx.Value, pointer string, depth int) {
	for i, c := range Children(v, pointer) {
		if i == 20 || depth == 0 {
			return
		}
		if c.Pointer == "" {
			continue
		}
		at, ok := At(v, c.Pointer)
		if !ok {
			t.Fatalf("nothing at %q", c.Pointer)
		}
		if scalar := c.Kind != "object" && c.Kind != "list"; scalar && jsonx.Cut(jsonx.Show(at), maxText) != c.Text {
			t.Fatalf("%q at %q, not %q", jsonx.Show(at), c.Pointer, c.Text)
		}
		if c.Branch {
			walk(t, v, c.Pointer, depth-1)
		}
	}
}
