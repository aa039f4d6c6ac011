package health

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/reach"
	"jackfield/connectors/link"
)

// A sign-in is told apart by keys: the account whose answers are used, and the
// user at the server. Two connections that have one in common may lock the same
// account. way are those of the jump host or proxy before the server.
type signIn struct {
	own, way []string
	lender   string // the id of the connection whose sign-in is used, or ""
}

func (s signIn) all() []string { return append(slices.Clone(s.own), s.way...) }

// signIns tells the sign-ins of all connections.
func (b *Board) signIns(all []link.Connection) map[string]signIn {
	at := make(map[string]link.Connection, len(all))
	for _, c := range all {
		at[c.ID] = c
	}
	types := map[string]connectors.Type{}
	out := make(map[string]signIn, len(all))
	for _, c := range all {
		t, ok := types[c.Type]
		if !ok {
			t, _ = b.book.Type(c.Type) // an unknown type has no fields, and so no lender
			types[c.Type] = t
		}
		out[c.ID] = signInOf(c, t, at)
	}
	return out
}

func signInOf(c link.Connection, t connectors.Type, all map[string]link.Connection) signIn {
	s := signIn{lender: lenderOf(c, t)}
	user, who := userOf(c), c.ID
	if s.lender != "" {
		who = s.lender
		if user == "" {
			user = userOf(all[s.lender])
		}
	}
	s.own = append(s.own, "who:"+who)
	if server := serverOf(c, t); server != "" && user != "" {
		s.own = append(s.own, "at:"+server+"|"+user)
	}
	way := reach.Of(connectors.Settings{Plain: c.Plain})
	if jump := way.JumpHost(); jump != "" {
		s.way = append(s.way, "who:"+jump)
	}
	if user := c.Plain["via_user"]; user != "" && way.Chosen() {
		s.way = append(s.way, "proxy:"+strings.ToLower(c.Plain["via_proxy"]+"|"+user))
	}
	return s
}

func lenderOf(c link.Connection, t connectors.Type) string {
	for _, f := range t.Form.Fields {
		if f.Kind == connectors.Reference && f.Lends == connectors.LendsSignIn && c.Plain[f.Key] != "" {
			return c.Plain[f.Key]
		}
	}
	return ""
}

func userOf(c link.Connection) string {
	for _, key := range []string{"user", "username", "principal", "bind_dn", "email", "access_key", "access_key_id", "client_id"} {
		if v := strings.ToLower(strings.TrimSpace(c.Plain[key])); v != "" {
			return v
		}
	}
	return ""
}

// serverOf is the host, without a port: one account opens several services of a
// server. On this computer itself ports are tunnels to any servers, and count.
func serverOf(c link.Connection, t connectors.Type) string {
	for _, key := range append([]string{"host", "server"}, t.Where...) {
		v := strings.ToLower(strings.TrimSpace(c.Plain[key]))
		if v == "" {
			continue
		}
		port := c.Plain["port"]
		if u, err := url.Parse(v); err == nil && u.Host != "" {
			v, port = u.Hostname(), u.Port()
		} else if host, p, err := net.SplitHostPort(v); err == nil {
			v, port = host, p
		}
		if ip := net.ParseIP(strings.Trim(v, "[]")); v == "localhost" || ip != nil && ip.IsLoopback() {
			v += ":" + port
		}
		return v
	}
	return ""
}

// queues puts connections that share a key into one queue each, in the order of
// the list: a queue is worked through one by one.
func queues(list []link.Connection, keys map[string]signIn) [][]link.Connection {
	parent := make([]int, len(list))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{}
	for i, c := range list {
		for _, k := range keys[c.ID].all() {
			j, seen := first[k]
			if !seen {
				first[k] = i
				continue
			}
			x, y := root(i), root(j)
			parent[max(x, y)] = min(x, y)
		}
	}
	at := map[int]int{}
	var out [][]link.Connection
	for i, c := range list {
		n, seen := at[root(i)]
		if !seen {
			n = len(out)
			at[root(i)] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], c)
	}
	return out
}
