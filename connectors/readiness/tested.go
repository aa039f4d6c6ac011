package readiness

import (
	"net/netip"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// tested says when a connection was linked, or what only a test can tell.
func (l *look) tested() {
	if l.linked() {
		l.wasLinked()
		return
	}
	text := "Nobody has tried yet."
	switch {
	case l.c.State == link.Failed && l.c.Problem != nil:
		text = "The last attempt failed: " + l.c.Problem.Title
	case !l.c.Checked.IsZero():
		text = "It last worked on " + l.day() + ", with other answers or before something failed."
	}
	l.add(Item{ID: "test.link", State: Untested, Title: "Whether it works", Text: text})
	if l.t.Offline {
		l.add(Item{ID: "test.open", State: Untested, Title: "Whether it can be opened"})
		return
	}
	if name := l.name(); name != "" {
		l.add(Item{ID: "test.resolve", State: Untested, Title: "Whether the name " + name + " is found"})
	}
	l.add(Item{ID: "test.connect", State: Untested, Title: "Whether the server can be reached", Text: "A firewall on either side may be in the way."})
	asked, yes := l.encrypted()
	switch _, ssh := l.t.Form.Field("host_key"); {
	case ssh:
		l.add(Item{ID: "test.secure", State: Untested, Title: "Whether the server's host key is the right one", Text: "Have its fingerprint told to you, to compare."})
	case yes || !asked && l.t.ID != "smb" && l.name() != "":
		l.add(Item{ID: "test.secure", State: Untested, Title: "Whether the server's certificate is trusted"})
	}
	l.add(Item{ID: "test.signin", State: Untested, Title: "Whether the sign-in is accepted"})
	l.add(Item{ID: "test.rights", State: Untested, Title: "Whether the account may see what it should"})
}

func (l *look) day() string { return l.c.Checked.UTC().Format("2 January 2006, 15:04 UTC") }

func (l *look) wasLinked() {
	title := "Linked on " + l.day()
	if l.c.Account != "" {
		title += " as " + connectors.Clean(l.c.Account, 200)
	}
	i := Item{ID: "test.link", State: Done, Title: title, Text: "The answers have not changed since."}
	if l.c.State == link.Partial {
		i.State, i.Text = Warning, "Not everything could be seen."
		if l.c.Problem != nil {
			i.Text = l.c.Problem.Title
		}
	}
	l.add(i)
}

// name is the host's name, "" for an address or none.
func (l *look) name() string {
	for _, key := range []string{"host", "endpoint", "url", "base_url", "servers"} {
		first, _, _ := strings.Cut(l.answer(key), "\n")
		host := hostOf(strings.TrimSpace(first))
		if _, err := netip.ParseAddr(host); host != "" && err != nil {
			return connectors.Clean(host, 200)
		}
	}
	return ""
}
