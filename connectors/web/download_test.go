package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

const shelf = `id: shelf
name: Shelf
summary: For tests.
group: files
fields:
  - {key: base_url, label: Address, kind: url, required: true}
base: "{base_url}"
sign_in: [{kind: none}]
check: {get: /me, facts: [{label: Account, path: name}]}
tree:
  - id: files
    name: Files
    kind: folder
    list: {get: /files, items: items}
    each:
      id: id
      name: id
      kinds:
        - {kind: table file, content: {get: "/file/{id}", rows: true, range: %t}}
`

// A service's data files are read by ranges, whatever they are.
func TestDataFilesOfAServiceAreReadByRanges(t *testing.T) {
	big := []byte("region,amount\n" + strings.Repeat("North,12\n", 4<<20))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(strings.Repeat(`{"city":"Oslo","people":7}`+"\n", 3))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{"big.csv": big, "towns.jsonl.gz": packed.Bytes(), "list.json": []byte(`[{"a":1,"b":"x"},{"a":2,"b":"y"}]`)}
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprintf("ranges %t", ranges), func(t *testing.T) {
			var sent atomic.Int64
			mux := http.NewServeMux()
			mux.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"name":"mira"}`) })
			mux.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"items":[{"id":"big.csv"},{"id":"towns.jsonl.gz"},{"id":"list.json"}]}`)
			})
			mux.HandleFunc("/file/", func(w http.ResponseWriter, r *http.Request) {
				if !ranges {
					r.Header.Del("Range")
				}
				http.ServeContent(&counted{w, &sent}, r, "", time.Time{}, bytes.NewReader(contents[filepath.Base(r.URL.Path)]))
			})
			base := serve(t, mux)
			ty, err := parse([]byte(fmt.Sprintf(shelf, ranges)))
			if err != nil {
				t.Fatal(err)
			}
			settings := connectors.NewSettings()
			settings.Plain["base_url"] = base
			w := conntest.NewWorld(t)
			s, err := ty.Open(t.Context(), w.Env, settings)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			tabler := s.(connectors.Tabler)
			for n, err := range s.(connectors.Browser).Children(t.Context(), "files") {
				if err != nil {
					t.Fatal(err)
				}
				table, err := tabler.Table(t.Context(), n.ID, 2)
				if err != nil {
					t.Fatalf("%s: %v", n.Name, err)
				}
				if len(table.Columns) != 2 || len(table.Rows) != 2 {
					t.Errorf("%s: %+v", n.Name, table)
				}
			}
			if ranges && sent.Load() > int64(len(big))/100 {
				t.Errorf("%d bytes were sent of %d", sent.Load(), len(big))
			}
		})
	}
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}
