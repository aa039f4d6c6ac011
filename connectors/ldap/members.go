package ldap

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

const (
	// valueRange is how many members are asked for at a time: Active Directory
	// gives no more (MaxValRange of MS-ADTS 3.1.1.3.4.6).
	valueRange = 1500
	// lookupSize is how many of them are looked up with one search.
	lookupSize = 100
	// maxMembers ends a listing of a server that always promises more.
	maxMembers = 1_000_000
)

// members lists who is in a group: those that it names, then those whose primary
// group it is, whom Active Directory does not name there. What is no group has none.
func (s *session) members(ctx context.Context, group string, yield func(connectors.Node, error) bool) {
	listed := 0
	for from := 0; from < maxMembers; from += valueRange {
		part, err := s.memberPart(ctx, group, from)
		if err != nil {
			if from == 0 && refusedOnly(err) { // it could be listed, and that was all
				return
			}
			yield(connectors.Node{}, err)
			return
		}
		if part.kind != kindGroup {
			return
		}
		for names := range slices.Chunk(part.names, lookupSize) {
			nodes, err := s.named(ctx, group, names)
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			for _, n := range nodes {
				if listed++; !yield(n, nil) {
					return
				}
			}
		}
		if !part.more || len(part.names) == 0 {
			s.primaries(ctx, part.rid, yield)
			return
		}
	}
}

// A memberPart is some of a group's members.
type memberPart struct {
	kind  string
	names []string
	rid   string // the group's number within its domain
	more  bool
}

func (s *session) memberPart(ctx context.Context, group string, from int) (memberPart, error) {
	wanted := []string{"objectClass", "member", "uniqueMember"}
	if s.dse.isAD() {
		wanted = []string{"objectClass", "objectSid", fmt.Sprintf("member;range=%d-%d", from, from+valueRange-1)}
	}
	var out memberPart
	err := s.with(ctx, func(k *link) error {
		out = memberPart{}
		found, _, err := k.search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", wanted, nil))
		if r, ok := found.first(); ok {
			out = readMembers(r)
		}
		return err
	})
	return out, s.explain(group, err)
}

func readMembers(r record) memberPart {
	out := memberPart{kind: kindOf(r)}
	for name, values := range r.each() {
		base, options, _ := bytes.Cut(name, []byte(";"))
		switch strings.ToLower(string(base)) {
		case "member", "uniquemember":
			for v := range octetsOf(values) {
				out.names = append(out.names, string(v))
			}
			// "range=0-1499" has a next part, "range=1500-*" has none.
			out.more = bytes.HasPrefix(options, []byte("range=")) && !bytes.HasSuffix(options, []byte("-*"))
		case "objectsid":
			_, raw, _, _ := split(values)
			if text, ok := sid(raw); ok {
				out.rid = text[strings.LastIndexByte(text, '-')+1:]
			}
		}
	}
	return out
}

// named are the nodes of members. One search finds many; whom it does not find,
// because they are of another domain or may not be seen, are named alone.
func (s *session) named(ctx context.Context, group string, names []string) ([]connectors.Node, error) {
	key := "entryDN" // RFC 5020
	if s.dse.isAD() {
		key = "distinguishedName"
	}
	var filter strings.Builder
	filter.WriteString("(|")
	for _, name := range names {
		filter.WriteString("(" + key + "=" + ldap.EscapeFilter(name) + ")")
	}
	filter.WriteString(")")
	views := []connectors.View{connectors.ViewRows}
	seen := map[string]connectors.Node{}
	for f, err := range s.search(ctx, s.contextOf(group), ldap.ScopeWholeSubtree, filter.String(), listed()) {
		if err != nil {
			if ctx.Err() != nil || !refusedOnly(err) {
				return nil, err
			}
			break
		}
		if f.referral == "" {
			seen[strings.ToLower(string(f.dn))] = node(f.copied(), views)
		}
	}
	out := make([]connectors.Node, 0, len(names))
	for _, name := range names {
		n, ok := seen[strings.ToLower(name)]
		if !ok {
			n = connectors.Node{ID: connectors.NodeID(name), Name: rdnValue(name), Kind: kindEntry, Access: connectors.AccessListed}
		}
		if n.Name == "" {
			continue
		}
		// A member is shown, and opened where it stands.
		n.Branch = n.Branch && n.Kind == kindGroup && !strings.EqualFold(name, group)
		out = append(out, n)
	}
	return out, nil
}

// refusedOnly reports whether the connection and the rest of the listing stand.
func refusedOnly(err error) bool {
	switch connectors.CodeOf(err) {
	case connectors.Denied, connectors.NotFound, connectors.Unsupported:
		return true
	}
	e := connectors.Classify(err)
	return e.Reason == "ldap.other"
}

// primaries are those whose primary group has the number.
func (s *session) primaries(ctx context.Context, rid string, yield func(connectors.Node, error) bool) {
	if _, err := strconv.ParseUint(rid, 10, 32); err != nil {
		return
	}
	views := []connectors.View{connectors.ViewRows}
	for f, err := range s.search(ctx, s.dse.text("defaultNamingContext"), ldap.ScopeWholeSubtree, "(primaryGroupID="+rid+")", listed()) {
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		if f.referral != "" {
			continue
		}
		n := node(f.record, views)
		n.Branch = false
		n.Facts = append(n.Facts, connectors.Fact{Label: "Member", Text: "it is the primary group"})
		if !yield(n, nil) {
			return
		}
	}
}

// contextOf is the naming context that an entry is in.
func (s *session) contextOf(dn string) string {
	best := ""
	for _, c := range append(s.dse.texts("namingContexts"), s.bases...) {
		if below(dn, c) && (best == "" || len(c) < len(best)) {
			best = c
		}
	}
	if best == "" {
		best = s.bases[0]
	}
	return best
}
