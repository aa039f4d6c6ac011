package mail

import (
	"strconv"
	"strings"

	"jackfield/connectors"
)

func (s *imapSession) node(f *folder) connectors.Node {
	name := f.raw
	if i := strings.LastIndex(f.raw, f.delim); f.delim != "" && i >= 0 {
		name = f.raw[i+len(f.delim):]
	}
	n := connectors.Node{ID: idOf(f.raw), Name: decodeName(name), Kind: "folder", Branch: true}
	if f.selectable() {
		n.Views = []connectors.View{connectors.ViewRows}
		empty := f.counts != nil && f.counts.messages == 0
		n.Branch = !empty || !has(f.attrs, `\HasNoChildren`) && !has(f.attrs, `\Noinferiors`)
	}
	n.Access = f.access()
	if f.counts != nil {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Messages", Text: strconv.FormatInt(f.counts.messages, 10)}, connectors.Fact{Label: "Unread", Text: strconv.FormatInt(f.counts.unseen, 10)})
	}
	if use := useOf(f.attrs); use != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Use", Text: use})
	}
	if whose := s.whose(f.raw); whose != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Belongs to", Text: whose})
	}
	if f.rights != nil {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Rights", Text: rightsWords(*f.rights)})
	}
	return n
}

// access is what the rights say (RFC 4314 section 4: r is for opening), else
// what being told the counts does.
func (f *folder) access() connectors.Access {
	switch {
	case !f.selectable():
		return ""
	case f.rights != nil && strings.Contains(*f.rights, "r"), f.rights == nil && f.counts != nil:
		return connectors.AccessReadable
	case f.rights != nil && strings.Contains(*f.rights, "l"), f.rights == nil && f.denied:
		return connectors.AccessListed
	case f.rights != nil:
		return connectors.AccessDenied
	}
	return ""
}

// whose finds the namespace with the longest prefix.
func (s *imapSession) whose(raw string) string {
	best, kind := -1, ""
	for _, n := range s.spaces {
		within := strings.HasPrefix(raw, n.prefix) || n.delim != "" && raw == strings.TrimSuffix(n.prefix, n.delim)
		if within && len(n.prefix) > best {
			best, kind = len(n.prefix), n.kind
		}
	}
	return kind
}

// useOf names a special use (RFC 6154, RFC 8457).
func useOf(attrs []string) string {
	for _, a := range attrs {
		if use := map[string]string{`\all`: "all messages", `\archive`: "archive", `\drafts`: "drafts", `\flagged`: "flagged messages", `\junk`: "junk",
			`\sent`: "sent mail", `\trash`: "deleted mail", `\important`: "important messages"}[strings.ToLower(a)]; use != "" {
			return use
		}
	}
	return ""
}

// rightsWords spells out the letters of RFC 4314 section 2.1.
func rightsWords(letters string) string {
	var out []string
	for _, r := range []struct{ letter, words string }{{"l", "see"}, {"r", "read"}, {"s", "mark as read"}, {"w", "set flags"}, {"i", "add messages"}, {"p", "post"},
		{"k", "make folders"}, {"x", "delete the folder"}, {"t", "delete messages"}, {"e", "expunge"}, {"a", "administer"}} {
		if strings.Contains(letters, r.letter) {
			out = append(out, r.words)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ") + " (" + connectors.Clean(letters, 40) + ")"
}
