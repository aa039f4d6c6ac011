package jsonx

import (
	"errors"
	"strings"
	"testing"
)

func TestSecurity71_DeepJSONIsRefused(t *testing.T) {
	for _, unit := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		text := strings.Repeat(unit[0], 100_000) + "1" + strings.Repeat(unit[1], 100_000)
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrDeep) {
			t.Errorf("%s: %v", unit[0], err)
		}
	}
}

func TestAt(t *testing.T) {
	v, err := Parse([]byte(`{"a":{"b":[{"name":"x"},2]},"@odata.nextLink":"n","e":{"f.g":1},"z":null}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a.b.0.name": "x", "a.b.1": "2", "@odata.nextLink": "n", "e.f.g": "1", "z": "", "a.b.7": "", "nothing|a.b.1": "2", "a.b": `[{"name":"x"},2]`} {
		if got := Text(v, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestTextJoinsWhatEveryElementHas(t *testing.T) {
	v, err := Parse([]byte(`{"tags":[{"name":"x"},{},{"name":"y"}],"cell":{"A":{"n":1},"B":{"title":[{"t":"one "},{"t":"two"}]}},"list":["a",2],"text":"plain","empty":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"tags.,.name": "x, y", "tags.*.name": "xy", "list.,": "a, 2", "cell.,.title.*.t": "one two", "cell.*.n": "1", "text.*": "", "empty.*.t|text": "plain", "nothing.*.t": "",
	} {
		if got := Text(v, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestTableKeepsTheOrderOfMembers(t *testing.T) {
	v, err := Parse([]byte(`{"total":2,"rows":[{"id":1,"name":"a","big":123456789012345678901},{"id":2,"extra":{"x":[1]},"ok":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	items, ok := Items(v, "")
	if !ok {
		t.Fatal("no items")
	}
	table := Table(items, 10)
	var names []string
	for _, c := range table.Columns {
		names = append(names, c.Name)
	}
	if strings.Join(names, " ") != "id name big extra ok" || !table.Columns[0].Numeric || table.Columns[1].Numeric {
		t.Errorf("%+v", table.Columns)
	}
	if table.Rows[0][0] != int64(1) || table.Rows[1][3] != `{"x":[1]}` || table.Rows[0][4] != nil || table.Rows[1][4] != true {
		t.Errorf("%+v", table.Rows)
	}
}

func TestTrailingTextIsNoJSON(t *testing.T) {
	if _, err := Parse([]byte(`{} <html>`)); err == nil {
		t.Error("it parsed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		items, _ := Items(v, "")
		Table(items, 10)
		_ = Text(v, "a.b|c.0")
	})
}
