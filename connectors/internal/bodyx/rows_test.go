package bodyx

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, media, body, path string
		want                    string // "none" where there are no rows
	}{
		{"a list", "", `[{"a":1}]`, "", `[{"a":1}]`},
		{"one level down", "", `{"total":1,"items":[{"a":1}]}`, "", `[{"a":1}]`},
		{"a path", "", `{"x":{"y":[1,2]},"z":[{"a":1}]}`, "x.y", `[1,2]`},
		{"a path to one object", "", `{"x":{"y":{"a":1}}}`, "x.y", `[{"a":1}]`},
		{"a path to nothing", "", `{"x":{"y":[1]}}`, "x.z", "none"},
		{"a path to a word", "", `{"x":"y"}`, "x", "none"},
		{"OData 2", "", `{"d":{"results":[{"a":1},{"a":2}],"__count":"2"}}`, "", `[{"a":1},{"a":2}]`},
		{"GraphQL nodes", "", `{"data":{"x":{"nodes":[{"a":1}],"pageInfo":{"hasNextPage":false}}}}`, "", `[{"a":1}]`},
		{"GraphQL edges", "", `{"data":{"me":{"x":{"edges":[{"cursor":"c","node":{"a":1}}]}}},"extensions":{}}`, "", `[{"a":1}]`},
		{"GraphQL edges with more", "", `{"data":{"edges":[{"role":"x","node":{"a":1}}]}}`, "", `[{"role":"x","node":{"a":1}}]`},
		{"GraphQL without any", "", `{"data":{"x":{"nodes":[]}}}`, "", `[]`},
		{"GraphQL beside an empty list", "", `{"errors":[],"data":{"x":{"nodes":[{"a":1}]}}}`, "", `[{"a":1}]`},
		{"edges that a path names stay", "", `{"edges":[{"node":{"a":1}}]}`, "edges", `[{"node":{"a":1}}]`},
		{"no rows beside links of the pages", "", `{"data":[],"meta":{"links":[{"url":null},{"url":"x"}]}}`, "", `[]`},
		{"words under a telling name", "", `{"data":["a"],"meta":{"links":[{"url":null}]}}`, "", `["a"]`},
		{"words beside objects further down", "", `{"scopes":["a"],"x":{"users":[{"a":1}]}}`, "", `[{"a":1}]`},
		{"words alone", "", `{"scopes":["a"],"x":{"tags":["b"]}}`, "", `["a"]`},
		{"one object", "", `{"a":1,"b":{"tags":[],"c":["x"]}}`, "", "none"},
		{"the longest", "", `{"a":{"b":[{"n":1}],"c":{"d":[{"n":2},{"n":3}]}}}`, "", `[{"n":2},{"n":3}]`},
		{"too far down", "", `{"x":1,"a":{"b":{"c":{"d":[{"n":1}]}}}}`, "", `[{"n":1}]`},
		{"further than that", "", `{"x":1,"a":{"b":{"c":{"d":{"e":[{"n":1}]}}}}}`, "", "none"},
		{"a bucket", "text/xml", bucket, "", `[{"Key":"a.txt","Size":"1"},{"Key":"b.txt","Size":"2"}]`},
		{"SOAP", "text/xml", soap, "", `[{"@id":"1","Name":"x"},{"@id":"2","Name":"y"}]`},
		{"a feed, not its categories", "text/xml", feed, "", `[{"title":"One","category":["a","b","c"]},{"title":"Two \u0026 \u003cb\u003e"}]`},
		{"XML by path", "text/xml", bucket, "ListBucketResult.Contents", `[{"Key":"a.txt","Size":"1"},{"Key":"b.txt","Size":"2"}]`},
		{"an XML list of one", "text/xml", `<r><users><user><id>1</id></user></users></r>`, "r.users.user", `[{"id":"1"}]`},
		{"an XML list of none", "text/xml", `<r><users/></r>`, "r.users.user", `[]`},
		{"an XML list that is not there", "text/xml", `<r><users><n>1</n></users></r>`, "r.users.user", "none"},
		{"CSV", "text/csv", "a,b\n1,2\n", "", `[{"a":"1","b":"2"}]`},
		{"lines", "", "{\"a\":1}\n{\"a\":2}", "", `[{"a":1},{"a":2}]`},
		{"a word", "", `"x"`, "", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, _, err := Parse(c.media, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			got := "none"
			if list, ok := Rows(v, c.path); ok {
				got = jsonx.Show(list)
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func parse(t *testing.T, media, body string) jsonx.Value {
	t.Helper()
	v, _, err := Parse(media, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChildren(t *testing.T) {
	v := parse(t, "", `{"users":[{"id":7},{"name":"Ann","id":8},{"title":"T"},{"name":" ","x":1},5,null],"a/b~c":{"":true},"n":1.50,"none":[],"z":null,"o":{}}`)
	for pointer, want := range map[string][]Child{
		"": {
			{Name: "users", Pointer: "/users", Kind: "list", Branch: true, Rows: true},
			{Name: "a/b~c", Pointer: "/a~1b~0c", Kind: "object", Branch: true},
			{Name: "n", Pointer: "/n", Kind: "number", Text: "1.50"},
			{Name: "none", Pointer: "/none", Kind: "list"},
			{Name: "z", Pointer: "/z", Kind: "null"},
			{Name: "o", Pointer: "/o", Kind: "object"},
		},
		"/users": {
			{Name: "7", Pointer: "/users/0", Kind: "object", Branch: true},
			{Name: "Ann", Pointer: "/users/1", Kind: "object", Branch: true},
			{Name: "T", Pointer: "/users/2", Kind: "object", Branch: true},
			{Name: "#4", Pointer: "/users/3", Kind: "object", Branch: true},
			{Name: "#5", Pointer: "/users/4", Kind: "number", Text: "5"},
			{Name: "#6", Pointer: "/users/5", Kind: "null"},
		},
		"/a~1b~0c":  {{Name: "", Pointer: "/a~1b~0c/", Kind: "boolean", Text: "true"}},
		"/n":        nil,
		"/none":     nil,
		"/nowhere":  nil,
		"/users/99": nil,
	} {
		if got := Children(v, pointer); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%q:\n%+v, want\n%+v", pointer, got, want)
		}
	}
	got := Children(parse(t, "text/xml", soap), "/Envelope/Body/ListResponse/ListResult/Item")
	if len(got) != 2 || got[0].Name != "x" || got[1].Pointer != "/Envelope/Body/ListResponse/ListResult/Item/1" {
		t.Errorf("%+v", got)
	}
}

// The examples of RFC 6901 section 5.
func TestAtFollowsTheRFC(t *testing.T) {
	v := parse(t, "application/json", `{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"~1":9}`)
	for pointer, want := range map[string]string{
		"/foo": `["bar","baz"]`, "/foo/0": "bar", "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3",
		"/g|h": "4", `/i\j`: "5", `/k"l`: "6", "/ ": "7", "/m~0n": "8", "/~01": "9",
	} {
		if got, ok := At(v, pointer); !ok || jsonx.Show(got) != want {
			t.Errorf("%s: %v %v, want %s", pointer, got, ok, want)
		}
	}
	if got, ok := At(v, ""); !ok || got != v {
		t.Error("the empty pointer is not the whole")
	}
	for _, pointer := range []string{"foo", "/foo/2", "/foo/-", "/foo/-1", "/foo/00", "/foo/+1", "/foo/0/0", "/nothing", "/a/b", "/foo/99999999999999999999"} {
		if got, ok := At(v, pointer); ok {
			t.Errorf("%s: %v", pointer, got)
		}
	}
}

func TestSecurity70_NamesAreKeptRawAndCut(t *testing.T) {
	const evil = "gpj.\u202eexe\x1b[2J"
	long := strings.Repeat("ü", 500_000)
	body, err := json.Marshal(map[string]any{"list": []any{map[string]any{"name": evil}, map[string]any{"name": long}, map[string]any{"x": long}}, long: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	v := parse(t, "application/json", string(body))
	list := Children(v, "/list")
	if list[0].Name != evil || connectors.Clean(list[0].Name, 0) == evil {
		t.Errorf("%q", list[0].Name)
	}
	if n := list[1].Name; len(n) > maxName+len("…") || !strings.HasSuffix(n, "ü…") {
		t.Errorf("%d bytes: %.20q", len(n), n)
	}
	if text := Children(v, "/list/2")[0].Text; len(text) > maxText+len("…") {
		t.Errorf("%d bytes of text", len(text))
	}
	if c := Children(v, "")[1]; c.Pointer != "" || c.Branch || c.Rows || len(c.Name) > maxName+len("…") {
		t.Errorf("a name of 1 MB is a branch: %+v", c)
	}
}

func TestSecurity71_ATreeIsBounded(t *testing.T) {
	v := parse(t, "", `{"list":[`+strings.Repeat("1,", 20_000)+`1]}`)
	if got := Children(v, "/list"); len(got) != maxChildren {
		t.Errorf("%d elements", len(got))
	}
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	if got := Children(parse(t, "", "{"+b.String()+`"z":1}`), ""); len(got) != maxChildren {
		t.Errorf("%d members", len(got))
	}
	// Names that are long each, one within the other, and much at the end.
	name := strings.Repeat("~", 500)
	v = parse(t, "", strings.Repeat(`{"`+name+`":`, 50)+"[1]"+strings.Repeat("}", 50))
	pointer, levels := "", 0
	for {
		c := Children(v, pointer)
		if len(c) == 0 {
			t.Fatalf("nothing at level %d", levels)
		}
		if !c[0].Branch {
			break
		}
		pointer, levels = c[0].Pointer, levels+1
	}
	if len(pointer) > 2*maxPointer || levels < 2 {
		t.Errorf("%d levels, %d bytes", levels, len(pointer))
	}
}
