package clickhouse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// The bounds of one query.
const (
	maxAnswer = 8 << 20
	maxRows   = 10_000
	seconds   = 20
)

// A freedom is which settings the server lets a query have. The session finds it
// out once: a user whose profile is readonly=1 may set none, and an older server
// knows fewer.
type freedom int32

const (
	all freedom = iota
	older
	none
)

// settings bound a query at the server
// (https://clickhouse.com/docs/operations/settings/settings). readonly=2 forbids
// writing and allows the other settings.
func (f freedom) settings() url.Values {
	v := url.Values{}
	if f == none {
		return v
	}
	v.Set("readonly", "2")
	v.Set("max_execution_time", strconv.Itoa(seconds))
	v.Set("max_result_rows", strconv.Itoa(maxRows+1))
	v.Set("max_result_bytes", strconv.Itoa(maxAnswer))
	v.Set("result_overflow_mode", "break")
	if f == all {
		v.Set("cancel_http_readonly_queries_on_client_close", "1")
	}
	return v
}

// An answer is a result in the format JSONCompact.
type answer struct {
	columns []column
	rows    []json.RawMessage // each a list of cells
	cut     bool              // more came than is read
}

type column struct{ Name, Type string }

// query runs one statement. What is refused because of a setting is asked again
// with fewer of them.
func (s *session) query(ctx context.Context, statement, target string) (*answer, error) {
	for {
		f := freedom(s.freedom.Load())
		res, err := s.send(ctx, f, statement)
		if err != nil {
			return nil, s.unreached(err)
		}
		a, err := s.read(res, target)
		var said *exception
		if f < none && errors.As(err, &said) && (said.code == unknownSetting || said.code == readonlyMode || said.code == constraint) {
			next := f + 1
			if said.code != unknownSetting {
				next = none
			}
			s.freedom.CompareAndSwap(int32(f), int32(next))
			continue
		}
		return a, err
	}
}

// send posts a statement. Where no setting is taken it goes into the address: a
// GET never writes.
func (s *session) send(ctx context.Context, f freedom, statement string) (*httpx.Response, error) {
	u := s.c.origin()
	q := f.settings()
	q.Set("default_format", "JSONCompact")
	q.Set("wait_end_of_query", "1") // an error comes as a status, and not within the rows
	if s.c.Database != "" {
		q.Set("database", s.c.Database)
	}
	method, body := http.MethodPost, []byte(statement)
	if f == none {
		method, body = http.MethodGet, nil
		q.Set("query", statement)
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: errors.New("this makes no address")}
	}
	s.c.sign(req)
	return httpx.Do(s.client, req, maxAnswer)
}

// sign says who asks. The headers of ClickHouse's own are taken as they stand; what
// a header would lose (blanks at the ends, line ends) goes as Basic.
func (c config) sign(req *http.Request) {
	password := c.Password.Reveal()
	switch {
	case c.Auth == byCertificate:
		req.Header.Set("X-ClickHouse-User", c.User)
		req.Header.Set("X-ClickHouse-SSL-Certificate-Auth", "on")
	case strings.TrimSpace(password) != password || strings.ContainsFunc(password+c.User, unicode.IsControl):
		req.SetBasicAuth(c.User, password)
	default:
		req.Header.Set("X-ClickHouse-User", c.User)
		req.Header.Set("X-ClickHouse-Key", password)
	}
}

// An exception is what ClickHouse answers instead of a result.
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return "exception " + strconv.Itoa(e.code) }

var (
	codeShape = regexp.MustCompile(`Code: ?(\d{1,6})[.,]`)
	tailShape = regexp.MustCompile(`(?s)(, e\.what\(\) = .*|\. \([A-Z_]+\).*| \(version .*)$`)
)

// exceptionOf finds the code in a header, and on servers that send none in the
// text: "Code: 60, e.displayText() = DB::Exception: Table …" or, since 20.12,
// "Code: 60. DB::Exception: Table … (UNKNOWN_TABLE) (version …)".
func exceptionOf(res *httpx.Response) *exception {
	text := string(res.Body[max(0, len(res.Body)-16<<10):])
	code := res.Header.Get("X-ClickHouse-Exception-Code")
	if code == "" {
		m := codeShape.FindStringSubmatch(text)
		if m == nil {
			return nil
		}
		code = m[1]
	}
	n, err := strconv.Atoi(code)
	if err != nil {
		return nil
	}
	if _, after, ok := strings.Cut(text, "DB::Exception: "); ok {
		text = after
	}
	return &exception{code: n, text: connectors.Clean(strings.TrimSpace(tailShape.ReplaceAllString(text, "")), 300)}
}

// read takes an answer apart. One that is cut keeps its whole rows.
func (s *session) read(res *httpx.Response, target string) (*answer, error) {
	if res.Status != http.StatusOK {
		return nil, s.refused(res, target)
	}
	a := &answer{cut: res.Truncated}
	err := a.parse(json.NewDecoder(bytes.NewReader(res.Body)))
	if err == nil || a.cut && len(a.columns) > 0 {
		return a, nil
	}
	return nil, s.refused(res, target)
}

var errNoResult = errors.New("this is no result of ClickHouse")

func (a *answer) parse(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errNoResult
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		switch key {
		case "meta":
			err = d.Decode(&a.columns)
		case "data":
			err = a.data(d)
		case "exception":
			return errNoResult
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	if a.columns == nil {
		return errNoResult
	}
	_, err := d.Token()
	return err
}

func (a *answer) data(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errNoResult
	}
	for d.More() {
		var row json.RawMessage
		if err := d.Decode(&row); err != nil {
			return err
		}
		a.rows = append(a.rows, row)
	}
	_, err := d.Token()
	return err
}

// texts are the rows of a result whose cells are shown as text; NULL is "".
func (a *answer) texts() [][]string {
	out := make([][]string, 0, len(a.rows))
	for _, raw := range a.rows {
		var cells []any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&cells) != nil {
			continue
		}
		row := make([]string, len(a.columns))
		for i := range min(len(cells), len(row)) {
			switch x := cells[i].(type) {
			case string:
				row[i] = x
			case json.Number:
				row[i] = x.String()
			}
		}
		out = append(out, row)
	}
	return out
}

// quoted is a text as a literal, and named an identifier
// (https://clickhouse.com/docs/sql-reference/syntax).
func quoted(text string) string { return "'" + escapes.Replace(text) + "'" }

func named(name string) string { return "`" + escapes.Replace(name) + "`" }

var escapes = strings.NewReplacer(`\`, `\\`, "'", `\'`, "`", "\\`", "\x00", `\0`)
