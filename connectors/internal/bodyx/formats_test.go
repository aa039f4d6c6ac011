package bodyx

import (
	"strings"
	"testing"

	"jackfield/connectors/internal/jsonx"
)

const (
	bucket = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>practice</Name><KeyCount>2</KeyCount>
<Contents><Key>a.txt</Key><Size>1</Size></Contents><Contents><Key>b.txt</Key><Size>2</Size></Contents></ListBucketResult>`
	soap = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:p"><soap:Header/><soap:Body>
<p:ListResponse><p:ListResult><p:Item id="1"><p:Name>x</p:Name></p:Item><p:Item id="2"><p:Name>y</p:Name></p:Item></p:ListResult></p:ListResponse>
</soap:Body></soap:Envelope>`
	feed = `<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>One</title><category>a</category><category>b</category><category>c</category></item>
<item><title><![CDATA[Two & <b>]]></title></item></channel></rss>`
)

func TestXML(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"text alone", `<a> x </a>`, `{"a":"x"}`},
		{"empty", `<a/>`, `{"a":""}`},
		{"attributes and text", `<id type="integer">5</id>`, `{"id":{"@type":"integer","#text":"5"}}`},
		{"attributes and no text", `<a b="1"> </a>`, `{"a":{"@b":"1"}}`},
		{"children", `<a><b>1</b> <c>2</c></a>`, `{"a":{"b":"1","c":"2"}}`},
		{"repeated children", `<a><b>1</b><c/><b><d/></b><b/></a>`, `{"a":{"b":["1",{"d":""},""],"c":""}}`},
		{"mixed", `<p>one <b>two</b> three</p>`, `{"p":{"b":"two","#text":"one  three"}}`},
		{"CDATA and references", `<a><![CDATA[<x>]]>&amp;&#252;</a>`, `{"a":"<x>&ü"}`},
		{"namespaces", `<x:a xmlns:x="u" xmlns="v" x:k="1" k="2"><x:b/></x:a>`, `{"a":{"@k":"1","b":""}}`},
		{"comments and instructions", `<?xml-stylesheet href="x"?><!-- y --><a>1<!-- 2 -->3</a><!-- z -->`, `{"a":"13"}`},
		{"Latin-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a b=\"\xfc\">\xe4</a>", `{"a":{"@b":"ü","#text":"ä"}}`},
		{"Windows-1252", "<?xml version=\"1.0\" encoding=\"windows-1252\"?><a>\x80</a>", `{"a":"€"}`},
		{"Latin-9", "<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?><a>\xa4</a>", `{"a":"€"}`},
		{"UTF-8 that says UTF-16", `<?xml version="1.0" encoding="utf-16"?><a>ü</a>`, `{"a":"ü"}`},
		{"UTF-16", "\xff\xfe" + wide(`<?xml version="1.0" encoding="UTF-16"?><a>ü</a>`), `{"a":"ü"}`},
		{"UTF-8 with a mark and another name", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>ü</a>", `{"a":"ü"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, f, err := Parse("application/xml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := jsonx.Show(v); f != XML || got != strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(c.want) {
				t.Errorf("%s %s, want %s", f, got, c.want)
			}
		})
	}
}

func TestTheMediaTypesCharsetGoesBeforeTheDeclaration(t *testing.T) {
	body := "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xfc</a>"
	v, _, err := Parse("text/xml; charset=ISO-8859-1", []byte(body))
	if got := jsonx.Show(v); err != nil || got != `{"a":"ü"}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, _, err := Parse("text/xml", []byte(body)); err == nil {
		t.Error("invalid UTF-8 was read")
	}
}

func TestSecurity71_NoEntityIsExpanded(t *testing.T) {
	for name, doctype := range map[string]string{
		"laughs":   `<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;">]>`,
		"file":     `<!DOCTYPE a [<!ENTITY m SYSTEM "file:///etc/passwd">]>`,
		"outside":  `<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">`,
		"element":  `<!ELEMENT a ANY>`,
		"lonesome": `<!DOCTYPE a>`,
	} {
		if v, f, err := Parse("text/xml", []byte(doctype+"<a>&m;</a>")); v != nil || err == nil || f != XML {
			t.Errorf("%s: %s, %v", name, jsonx.Show(v), err)
		}
		if _, _, err := Parse("text/xml", []byte(doctype+"<a/>")); err == nil || !strings.Contains(err.Error(), ErrDoctype.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCSV(t *testing.T) {
	for _, c := range []struct{ name, media, text, want string }{
		{"comma", "text/csv", "id,name\r\n1,Ann\r\n2,Bo\r\n", `[{"id":"1","name":"Ann"},{"id":"2","name":"Bo"}]`},
		{"semicolon and decimal commas", "text/csv", "id;price\n1;2,5\n2;3,5\n", `[{"id":"1","price":"2,5"},{"id":"2","price":"3,5"}]`},
		{"bar", "application/csv", "a|b\n1|2\n", `[{"a":"1","b":"2"}]`},
		{"tab", "text/tab-separated-values", "a\tb\n1\t2\n", `[{"a":"1","b":"2"}]`},
		{"a first name that is empty", "text/csv", "\tb\nx\ty\n", `[{"Column 1":"x","b":"y"}]`},
		{"quotes, delimiters and line ends", "text/csv", "a,b\n\"x,\"\"y\"\"\",\"1\n2;;;;\"\n", `[{"a":"x,\"y\"","b":"1\n2;;;;"}]`},
		{"numbers as names", "text/csv", "name,2023,2024\nx,1,2\n", `[{"name":"x","2023":"1","2024":"2"}]`},
		{"names that repeat or are missing", "text/csv", "a,,a\n1,2,3,4\n", `[{"a":"1","Column 2":"2","a (column 3)":"3","Column 4":"4"}]`},
		{"short records and empty lines", "text/csv", "a,b\n1\n\n2,3\n", `[{"a":"1"},{"a":"2","b":"3"}]`},
		{"one column", "text/csv", "name\nAnn\nBo\n", `[{"name":"Ann"},{"name":"Bo"}]`},
		{"no header", "text/csv; header=absent", "1,2\n3,4\n", `[{"Column 1":"1","Column 2":"2"},{"Column 1":"3","Column 2":"4"}]`},
		{"a header alone", "text/csv", "a,b\n", `[]`},
		{"Windows-1252", "text/csv", "name,x\nZo\xeb,1\n", `[{"name":"Zoë","x":"1"}]`},
		{"UTF-16", "text/csv", "\xff\xfe" + wide("a,b\nü,1\n"), `[{"a":"ü","b":"1"}]`},
		{"a mark", "text/csv", "\xef\xbb\xbfa,b\n1,2\n", `[{"a":"1","b":"2"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, f, err := Parse(c.media, []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := jsonx.Show(v); f != CSV || got != c.want {
				t.Errorf("%s %s, want %s", f, got, c.want)
			}
		})
	}
}

// What guards formulas is the export; it can only do so when nothing before it
// turned the cell into something else.
func TestSecurity72_CellsThatBeginAFormulaReachTheTableAsTheyAre(t *testing.T) {
	cells := []string{`=HYPERLINK("http://x","y")`, "+1", "-2", "@SUM(A1)", "\t=1", "\r=1"}
	var csv strings.Builder
	csv.WriteString("a;b\n")
	for _, c := range cells {
		csv.WriteString(`"` + strings.ReplaceAll(c, `"`, `""`) + "\";x\n")
	}
	v, _, err := Parse("text/csv", []byte(csv.String()))
	if err != nil {
		t.Fatal(err)
	}
	list, ok := Rows(v, "")
	table := jsonx.Table(list, 100)
	if !ok || len(table.Rows) != len(cells) {
		t.Fatalf("%+v", table)
	}
	for i, want := range cells {
		if table.Rows[i][0] != want {
			t.Errorf("%q became %q", want, table.Rows[i][0])
		}
	}
}
