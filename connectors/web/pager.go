package web

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/bodyx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// pages bounds how many pages one listing or table asks for.
const pages = 1000

// noRows is an answer in which there is no list.
type noRows struct {
	cause  *connectors.Error
	answer jsonx.Value
}

func (e *noRows) Error() string { return e.cause.Error() }
func (e *noRows) Unwrap() error { return e.cause }

// items yields the rows of a list, one page after another. limit is what the
// reader wants to see, 0 for everything.
func (s *session) items(ctx context.Context, l list, vars map[string]string, limit int) iter.Seq2[jsonx.Value, error] {
	return func(yield func(jsonx.Value, error) bool) {
		size := l.Limit
		if size == 0 {
			size = 100
		}
		if limit > 0 {
			size = min(size, limit+1)
		}
		r := l.Request
		more := page(vars, size, 0)
		where := fill(r.where(), s.vars, more)
		for n := 1; n <= pages; n++ {
			res, v, err := s.askAt(ctx, where, r, more, 0)
			if err != nil && res != nil && slices.Contains(l.End, res.Status) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			rows, ok := l.found(v)
			if !ok {
				yield(nil, &noRows{&connectors.Error{Code: connectors.Refused, Reason: "web.no_rows", Op: connectors.StageData, Target: res.URL.Path}, v})
				return
			}
			for _, row := range rows {
				if l.leaves(row) {
					continue
				}
				if !yield(row, nil) {
					return
				}
			}
			if l.Most > 0 && n*size >= l.Most {
				return
			}
			more = page(vars, size, n)
			var next bool
			if r, where, next = s.next(l, r, res, v, rows, where, more); !next {
				return
			}
		}
	}
}

// found are the items of an answer. Services leave an empty list out.
func (l list) found(v jsonx.Value) ([]jsonx.Value, bool) {
	rows, ok := bodyx.Rows(v, l.Items)
	if o, object := v.(*jsonx.Object); !ok && object && l.Items != "" && jsonx.At(o, l.Items) == nil {
		rows, ok = nil, true
	}
	if first, two := jsonx.At(v, l.Before).([]jsonx.Value); two && l.Before != "" {
		rows = slices.Concat(first, rows)
	}
	return rows, ok
}

func page(vars map[string]string, size, n int) map[string]string {
	return with(vars, "limit", strconv.Itoa(size), "offset", strconv.Itoa(n*size), "page", strconv.Itoa(n+1), "index", strconv.Itoa(n), "first", strconv.Itoa(n*size+1), "cursor", "")
}

func (l list) leaves(row jsonx.Value) bool {
	for _, c := range l.Unlike {
		if c.holds(row) {
			return true
		}
	}
	return false
}

// next is the request of the following page, if there is one.
func (s *session) next(l list, r request, res *httpx.Response, v jsonx.Value, rows []jsonx.Value, where string, more map[string]string) (request, string, bool) {
	if l.More != "" && jsonx.Text(v, l.More) != "true" {
		return r, "", false
	}
	size, _ := strconv.Atoi(more["limit"])
	switch {
	case l.Next != "" || l.Link:
		to := ""
		if l.Next != "" {
			to = jsonx.Text(v, l.Next)
		}
		if to == "" && l.Link {
			to = linked8288(res.Header)
		}
		if l.guessed && !strings.ContainsAny(to, "/?") {
			to = ""
		}
		return r, s.follow(to), to != ""
	case l.Cursor != "" || l.Last != "":
		return s.cursor(l, r, v, rows, where, more)
	case l.Offset || l.Page:
		return r, fill(r.where(), s.vars, more), len(rows) >= size || l.More != "" && len(rows) > 0
	}
	return r, "", false
}

// cursor puts the mark of the next page where the service wants it.
func (s *session) cursor(l list, r request, v jsonx.Value, rows []jsonx.Value, where string, more map[string]string) (request, string, bool) {
	mark := ""
	if l.Cursor != "" {
		mark = jsonx.Text(v, l.Cursor)
	} else if len(rows) > 0 {
		mark = jsonx.Text(rows[len(rows)-1], l.Last)
	}
	if mark == "" {
		return r, "", false
	}
	more["cursor"] = mark
	if l.Then != nil {
		return *l.Then, fill(l.Then.where(), s.vars, more), true
	}
	u, err := url.Parse(where)
	if err != nil {
		return r, "", false
	}
	q := u.Query()
	q.Set(l.With, mark)
	u.RawQuery = q.Encode()
	return r, u.String(), true
}

var nextLink = regexp.MustCompile(`<([^<>]*)>([^<]*)`)

// linked8288 is the target of the Link header whose relation is next.
func linked8288(h http.Header) string {
	for _, line := range h.Values("Link") {
		for _, m := range nextLink.FindAllStringSubmatch(line, -1) {
			params := strings.ToLower(strings.ReplaceAll(m[2], " ", ""))
			if strings.Contains(params, `rel="next"`) || strings.Contains(params, "rel=next") {
				return m[1]
			}
		}
	}
	return ""
}

// follow makes a next link relative to the base: some services give the whole
// address, others a path that already has the base's own path in it.
func (s *session) follow(next string) string {
	u, err := s.base.Parse(next)
	if err != nil || httpx.Origin(u) != httpx.Origin(s.base) {
		return next
	}
	return s.base.ResolveReference(u).String()
}

// paged is a list whose paging nobody described: the usual ways are tried.
func (s *session) paged(path string) list {
	return list{Request: request{Get: path}, Link: true, guessed: true,
		Next: "@odata.nextLink|odata.nextLink|d.__next|links.next.href|links.next|_links.next.href|paging.next.link|paging.next|next_page_uri|next_page_url|next_page|nextPage|nextRecordsUrl|nextLink|meta.next|next"}
}
