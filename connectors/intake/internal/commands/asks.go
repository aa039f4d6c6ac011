package commands

import (
	"encoding/json"
	"regexp"
	"strings"
)

var (
	gqlText = regexp.MustCompile(`(?s)"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*`)
	gqlWord = regexp.MustCompile(`[A-Za-z_]\w*|[{}()\[\]]`)
)

// asks reports whether a POST is plainly a query: OData's $query
// (https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part1-protocol.html#sec_PassingQueryOptionsintheRequestBody)
// or a GraphQL document of queries alone.
func asks(path, body string) bool {
	path, _, _ = strings.Cut(path, "?")
	if strings.HasSuffix(path, "/$query") || strings.HasSuffix(path, "/%24query") {
		return true
	}
	var g map[string]any // not a struct, for which "Query" is "query" as well
	if json.Unmarshal([]byte(body), &g) != nil {
		return false
	}
	document, _ := g["query"].(string)
	return onlyQueries(document)
}

// onlyQueries goes by the words outside all brackets: those that begin
// definitions (https://spec.graphql.org/October2021/#sec-Document).
func onlyQueries(document string) bool {
	depth, starts, found := 0, true, false
	for _, w := range gqlWord.FindAllString(gqlText.ReplaceAllString(document, " "), -1) {
		switch w {
		case "{", "(", "[":
			if depth == 0 && starts && w != "{" {
				return false
			}
			found = found || w == "{"
			depth++
			starts = false
		case "}", ")", "]":
			depth--
			starts = depth == 0 && w == "}"
		default:
			if depth == 0 && starts && w != "query" && w != "fragment" {
				return false
			}
			if depth == 0 {
				starts = false
			}
		}
	}
	return found && depth == 0
}
