package handover

import (
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/internal/reach"
	"jackfield/connectors/link"
)

// Ask asks for the rest of c, a connection of the requester's own: what it has
// goes along as known, but for their own way to the server; what is missing is
// asked for. note says where the colleague finds the answers.
func Ask(t connectors.Type, c link.Connection, note string) Asked {
	out := Asked{Type: c.Type, Name: c.Name, Description: c.Description, Plain: map[string]string{}, Note: note}
	for _, f := range t.Form.Fields {
		v := c.Plain[f.Key]
		own := f.Kind.Secret() || f.Kind == connectors.Reference || way(f.Key)
		if v != "" && v != f.Default && !own {
			out.Plain[f.Key] = v
		}
	}
	return out
}

// way reports whether a field is about the requester's own way to the server.
func way(key string) bool {
	return slices.ContainsFunc(reach.Fields(), func(f connectors.Field) bool { return f.Key == key })
}
