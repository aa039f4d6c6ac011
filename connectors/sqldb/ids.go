package sqldb

import (
	"strings"

	"jackfield/connectors"
)

// A node's id is its name as SQL writes it, so that a person can type it:
// shop.orders, and with quotes where a part has a dot or a quote in it:
// shop."order.lines" (ISO/IEC 9075-2, delimited identifier).

func join(parent connectors.NodeID, name string) connectors.NodeID {
	if name == "" || strings.ContainsAny(name, `."`) {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	if parent == "" {
		return connectors.NodeID(name)
	}
	return parent + "." + connectors.NodeID(name)
}

func split(id connectors.NodeID) []string {
	if id == "" {
		return nil
	}
	var parts []string
	for rest, more := string(id), true; more; {
		var part string
		part, rest, more = first(rest)
		parts = append(parts, part)
	}
	return parts
}

// first cuts the first part off; more says whether another follows.
func first(id string) (part, rest string, more bool) {
	if !strings.HasPrefix(id, `"`) {
		return strings.Cut(id, ".")
	}
	var b strings.Builder
	for i := 1; i < len(id); i++ {
		switch {
		case id[i] != '"':
			b.WriteByte(id[i])
		case strings.HasPrefix(id[i+1:], `"`):
			b.WriteByte('"')
			i++
		case strings.HasPrefix(id[i+1:], "."):
			return b.String(), id[i+2:], true
		case i == len(id)-1:
			return b.String(), "", false
		default:
			return strings.Cut(id, ".") // quoted wrongly: taken as it stands
		}
	}
	return strings.Cut(id, ".")
}
