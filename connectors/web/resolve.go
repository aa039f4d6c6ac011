package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

// resolve asks for what the later requests need and keeps it for the session.
func (s *session) resolve(ctx context.Context) error {
	for _, r := range s.spec.Resolve {
		if !answered(r.When, s.vars) {
			continue
		}
		res, v, err := s.ask(ctx, r.Request, nil, 0)
		if err != nil {
			return err
		}
		found, ok := r.choose(v, s.vars)
		if !ok {
			e := r.Missing.failure(res, "")
			if e.Code == "" {
				e.Code = connectors.NotFound
			}
			return e
		}
		for name, path := range r.Set {
			s.vars[name] = jsonx.Text(found, path)
		}
	}
	if s.rebase == nil || len(s.spec.Resolve) == 0 {
		return nil
	}
	base, err := s.rebase()
	if err == nil {
		s.base = base
	}
	return err
}

func (r resolve) choose(v jsonx.Value, vars map[string]string) (jsonx.Value, bool) {
	if r.Items == "" && r.Match == "" {
		_, list := v.([]jsonx.Value)
		if !list {
			return v, v != nil
		}
	}
	items, _ := jsonx.Items(v, r.Items)
	want := strings.TrimRight(text(r.To, vars), "/")
	if r.Prefer != nil && want == "" {
		if i := slices.IndexFunc(items, r.Prefer.holds); i >= 0 {
			return items[i], true
		}
	}
	for _, item := range items {
		if r.Match == "" || want == "" || strings.EqualFold(strings.TrimRight(jsonx.Text(item, r.Match), "/"), want) {
			return item, true
		}
	}
	return nil, false
}

// timeOf writes a time as RFC 3339, whichever of the usual ways it came in;
// what is no time stays as it is.
func timeOf(v string) string {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 1_000_000_000 {
		if n > 100_000_000_000 {
			n /= 1000
		}
		return time.Unix(n, 0).UTC().Format(time.RFC3339)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.RFC1123, time.RFC1123Z, "2006-01-02T15:04:05.000-0700", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return v
}

func utf16Of(r rune) []uint16 { return utf16.Encode([]rune{r}) }

func hex4(u uint16) string { return fmt.Sprintf("%04x", u) }
