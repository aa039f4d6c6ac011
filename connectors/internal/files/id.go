package files

import "strings"

// between stands in a node's id between a file and what is in it.
const between = "!/"

// A node's id is a path of the store, and for what is in a file also the way on
// from there: "a.zip!/b.csv". So that a path that has "!/" in itself is not mistaken
// for that, the marks before a slash of a path are doubled, and those at its end
// where something follows.

// escape makes the id of a path.
func escape(path string) string {
	if !strings.Contains(path, between) {
		return path
	}
	var b strings.Builder
	run := 0
	for i := range len(path) {
		switch path[i] {
		case '!':
			run++
			continue
		case '/':
			run *= 2
		}
		b.WriteString(strings.Repeat("!", run))
		b.WriteByte(path[i])
		run = 0
	}
	b.WriteString(strings.Repeat("!", run))
	return b.String()
}

// inner makes the id of what is in the node id.
func inner(id, member string) string {
	end := len(id) - len(strings.TrimRight(id, "!"))
	return id + strings.Repeat("!", end) + between + escape(member)
}

// split takes an id apart: the store's path and what leads on from there.
func split(id string) (path string, inside []string) {
	var parts []string
	var b strings.Builder
	run := 0
	flush := func(n int) { b.WriteString(strings.Repeat("!", n)) }
	for i := range len(id) {
		switch {
		case id[i] == '!':
			run++
			continue
		case id[i] == '/' && run%2 == 1:
			flush(run / 2)
			parts = append(parts, b.String())
			b.Reset()
		case id[i] == '/':
			flush(run / 2)
			b.WriteByte('/')
		default:
			flush(run)
			b.WriteByte(id[i])
		}
		run = 0
	}
	flush(run)
	parts = append(parts, b.String())
	return parts[0], parts[1:]
}
