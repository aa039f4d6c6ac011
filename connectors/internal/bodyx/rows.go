package bodyx

import (
	"slices"

	"jackfield/connectors/internal/jsonx"
)

// rowsDepth is how many members below the root Rows looks at. An XML root
// element, or whatever else stands there alone, does not count: a SOAP answer's
// rows are its Body's Response's Result's.
const rowsDepth = 4

// Rows finds the rows of an answer. With a path it is jsonx.Items, except that
// what XML cannot tell from a list is one too: an object is a list of one, and a
// child of an empty element a list of none.
//
// Without a path it is jsonx.Items wherever that finds objects, or a list whose
// name says that the rows are there. Else it is the longest list of objects at
// most rowsDepth members below the root and in no other list; of equally long
// ones the first. An empty list counts only under such a name. The edges of a
// GraphQL connection give way to their nodes.
func Rows(v jsonx.Value, path string) ([]jsonx.Value, bool) {
	list, ok := jsonx.Items(v, path)
	if path != "" {
		if !ok {
			return lone(v, path)
		}
		return list, true
	}
	root, isObject := v.(*jsonx.Object)
	if isObject && !settled(root, list) {
		if deep, found := deepest(root); found && (len(deep) > 0 || !ok) {
			list, ok = deep, true
		}
	}
	return nodes(list), ok
}

func lone(v jsonx.Value, path string) ([]jsonx.Value, bool) {
	if o, ok := jsonx.At(v, path).(*jsonx.Object); ok {
		return []jsonx.Value{o}, true
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' && jsonx.At(v, path[:i]) == "" {
			return nil, true
		}
	}
	return nil, false
}

// settled reports whether what jsonx.Items found one level down is what is
// looked for.
func settled(root *jsonx.Object, list []jsonx.Value) bool {
	return hasObject(list) || slices.ContainsFunc(root.Keys, func(k string) bool {
		_, isList := root.Members[k].([]jsonx.Value)
		return isList && promising(k)
	})
}

func hasObject(list []jsonx.Value) bool {
	return slices.ContainsFunc(list, func(v jsonx.Value) bool {
		_, ok := v.(*jsonx.Object)
		return ok
	})
}

// promising names are those under which services put their rows.
func promising(name string) bool {
	switch name {
	case "results", "result", "items", "data", "value", "values", "records", "entries", "rows", "nodes", "edges", "list":
		return true
	}
	return false
}

// deepest looks level by level, so that the first of equally long lists is the
// least deep.
func deepest(root *jsonx.Object) (best []jsonx.Value, found bool) {
	level := []*jsonx.Object{root}
	if len(root.Keys) == 1 {
		if only, ok := root.Members[root.Keys[0]].(*jsonx.Object); ok {
			level = []*jsonx.Object{only}
		}
	}
	for range rowsDepth {
		var below []*jsonx.Object
		for _, o := range level {
			for _, k := range o.Keys {
				switch x := o.Members[k].(type) {
				case *jsonx.Object:
					below = append(below, x)
				case []jsonx.Value:
					if (hasObject(x) || len(x) == 0 && promising(k)) && (!found || len(x) > len(best)) {
						best, found = x, true
					}
				}
			}
		}
		level = below
	}
	return best, found
}

// nodes replaces the edges of a GraphQL connection by what they lead to; see
// relay.dev/graphql/connections.htm. Any other list stays as it is.
func nodes(list []jsonx.Value) []jsonx.Value {
	out := make([]jsonx.Value, 0, len(list))
	for _, v := range list {
		edge, ok := v.(*jsonx.Object)
		if !ok {
			return list
		}
		node, ok := edge.Members["node"].(*jsonx.Object)
		if !ok || slices.ContainsFunc(edge.Keys, notOfEdge) {
			return list
		}
		out = append(out, node)
	}
	return out
}

func notOfEdge(key string) bool {
	return key != "node" && key != "cursor" && key != "__typename"
}
