package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"jackfield/connectors"
)

// mostRead is how large a report may be that is read back.
const mostRead = 256 << 20

// JSON is the report as a document that Read takes back.
func (r *Report) JSON() ([]byte, error) { return document(r) }

// JSON is the comparison as a document.
func (d *Difference) JSON() ([]byte, error) { return document(d) }

func document(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// Read reads what Report.JSON wrote, also an older or a newer one of the same
// Format. It trusts nothing in it: totals are counted anew.
func Read(data []byte) (*Report, error) {
	wrong := func(said string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: "report.file", Said: said}
	}
	if len(data) > mostRead {
		return nil, wrong("it is too large")
	}
	r := &Report{}
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), r); err != nil {
		return nil, wrong(err.Error())
	}
	if !strings.HasPrefix(r.Format, Format) {
		return nil, wrong(fmt.Sprintf("its format is %q", r.Format))
	}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		if len(n.Path) == 0 {
			return nil, wrong(fmt.Sprintf("node %d has no path", i+1))
		}
		switch n.Access {
		case "", connectors.AccessReadable, connectors.AccessListed, connectors.AccessDenied:
		default:
			n.Access = ""
		}
	}
	r.sum()
	return r, nil
}
