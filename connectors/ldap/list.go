package ldap

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// The sizes of pages: a small first one shows something at once, and Active
// Directory gives no more than 1,000 (MaxPageSize).
const (
	firstPage = 100
	nextPage  = 1000
	// unpaged is how much of a listing is asked for where the server cannot page.
	unpaged = 5000
	// emptyPages is how many pages without an entry may follow one another.
	emptyPages = 100
)

// goodbye bounds telling the server that the rest of a listing is not wanted.
const goodbye = time.Second

// Children lists one level, page by page, in the server's order; below a group
// its members.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, ended(ctx, string(parent)))
			return
		}
		base := string(parent)
		switch {
		case parent == "" && len(s.bases) > 1:
			for _, dn := range s.bases {
				n := connectors.Node{ID: connectors.NodeID(dn), Name: dn, Kind: kindDomain, Branch: true, Views: []connectors.View{connectors.ViewRows}}
				if !yield(n, nil) {
					return
				}
			}
			return
		case parent == "":
			base = s.bases[0]
		case isReferral(parent):
			yield(connectors.Node{}, &connectors.Error{Code: connectors.NotFound, Reason: "ldap.referral", Op: connectors.StageData, Target: base, Said: base})
			return
		}
		views := []connectors.View{connectors.ViewRows}
		empty := true
		for f, err := range s.level(ctx, base, listed()) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			empty = false
			n := referralNode("", f.referral)
			if f.referral == "" {
				n = node(f.record, views)
			}
			if !yield(n, nil) {
				return
			}
		}
		if empty {
			s.members(ctx, base, yield)
		}
	}
}

// found is an entry, or where a part of the tree is that is not here. The
// record stands only until the next one.
type found struct {
	record
	referral string
}

// level lists what is to be shown directly below base, with the wanted attributes. Errors
// are classified.
func (s *session) level(ctx context.Context, base string, attributes []string) iter.Seq2[found, error] {
	return s.search(ctx, base, ldap.ScopeSingleLevel, s.door.c.wanted(), attributes)
}

// search lists what a filter finds, page by page. Errors are classified.
func (s *session) search(ctx context.Context, base string, scope int, filter string, attributes []string) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		q := s.query(base, scope, filter, attributes)
		k, err := s.begin(ctx, q.next)
		if k == nil {
			yield(found{}, s.explain(base, err))
			return
		}
		for empty := 0; ; {
			for f := range q.results() {
				if ctx.Err() != nil {
					s.give(k, false)
					yield(found{}, ended(ctx, base))
					return
				}
				empty = -1
				if !yield(f, nil) {
					s.give(k, q.abandon(ctx, k))
					return
				}
			}
			if empty++; err == nil && empty > emptyPages {
				err = errNotLDAP
			}
			if err != nil || !q.more() {
				s.give(k, err == nil || answered(err))
				if err != nil {
					yield(found{}, s.explain(base, err))
				}
				return
			}
			if err = k.do(ctx, q.next); err != nil && !answered(err) {
				err = s.lost(ctx, err)
			}
			if ctx.Err() != nil {
				s.give(k, false)
				yield(found{}, ended(ctx, base))
				return
			}
		}
	}
}

// A query is a search and its place in the pages (RFC 2696).
type query struct {
	request *ldap.SearchRequest
	page    *ldap.ControlPaging // nil where the server cannot page
	begun   bool                // a page has come
	found   entries
	result  *ldap.SearchResult
}

func (s *session) query(base string, scope int, filter string, attributes []string) *query {
	q := &query{request: ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)}
	if s.dse.told() && !s.dse.has("supportedControl", ldap.ControlTypePaging) {
		q.request.SizeLimit = unpaged
		return q
	}
	q.page = ldap.NewControlPaging(firstPage)
	q.request.Controls = []ldap.Control{q.page}
	return q
}

// next fetches one page; what came before an error is kept.
func (q *query) next(k *link) (err error) {
	q.found, q.result = nil, nil
	q.found, q.result, err = k.search(q.request)
	var refused *ldap.Error
	// Some name the control among what they can do, and refuse it where they hold
	// nothing of their own.
	if !q.begun && q.page != nil && errors.As(err, &refused) && refused.ResultCode == ldap.LDAPResultUnavailableCriticalExtension {
		q.page, q.request.Controls, q.request.SizeLimit = nil, nil, unpaged
		q.found, q.result, err = k.search(q.request)
	}
	q.begun = true
	if q.page == nil {
		return err
	}
	q.page.SetCookie(nil)
	if q.result == nil || err != nil {
		return err
	}
	if answer, ok := ldap.FindControl(q.result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging); ok {
		q.page.SetCookie(answer.Cookie)
	}
	q.page.PagingSize = nextPage
	return nil
}

func (q *query) more() bool { return q.page != nil && len(q.page.Cookie) > 0 }

func (q *query) results() iter.Seq[found] {
	return func(yield func(found) bool) {
		for r := range q.found.all() {
			if !yield(found{record: r}) {
				return
			}
		}
		if q.result == nil {
			return
		}
		for _, to := range q.result.Referrals {
			if to != "" && !yield(found{referral: to}) {
				return
			}
		}
	}
}

// abandon tells the server to forget the rest, and reports whether the
// connection can be used again.
func (q *query) abandon(ctx context.Context, k *link) bool {
	if !q.more() {
		return true
	}
	ctx, cancel := context.WithTimeoutCause(ctx, goodbye, errors.New("the server is busy"))
	defer cancel()
	q.page.PagingSize = 0
	return k.do(ctx, q.next) == nil
}
