// Package exports reads what other programs export or keep: the bookmarks of
// file clients, the connections of database tools, the key files of cloud
// services, password managers, tables, and plain JSON.
package exports

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/keys"
)

// MaxItems is how many connections are taken from one input; a sentence says
// when there were more.
const MaxItems = 10_000

const (
	// maxReadings bounds what items are offered as, all together: one that fits
	// many types takes as much memory as many that fit one.
	maxReadings = 20_000
	maxLeft     = 100     // things that are named as not understood
	maxValues   = 400_000 // of a JSON text, less one for each list and object
)

// Why things are left out.
const (
	encrypted = "It is encrypted there with a key that only that program has. Type it again."
	elsewhere = "That program keeps it in another place. Type it here."
	aPath     = "It names a file on the computer it comes from. Drop that file on the form."
)

// Address reads a connection's address.
type Address = func(types []connectors.Type, text string) (part.Item, bool)

// Read reads an export that tells by its own marks what it is; false for
// everything else. It never fails: what cannot be read is in what is left.
func Read(in part.Input, address Address) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	switch {
	case text == "":
		return part.Found{}, false
	case strings.HasPrefix(text, "<"):
		return readXML(in, address)
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		if root, ok := parseJSON(text); ok {
			return readJSON(in, root, address)
		}
	}
	if secretYAML.MatchString(text) {
		if root, ok := yamlRoot(text); ok {
			return kubernetes(newList(in, address), root)
		}
	}
	return readText(in)
}

var secretYAML = regexp.MustCompile(`(?m)^kind: *["']?Secret["']? *$`)

// yamlRoot is one small YAML document as JSON.
func yamlRoot(text string) (jsonx.Value, bool) {
	var v map[string]any
	if len(text) > 256<<10 || strings.Contains(text, "\n---") || strings.ContainsAny(text, "&*") || yaml.Unmarshal([]byte(text), &v) != nil {
		return nil, false
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	return parseJSON(string(data))
}

// Plain reads JSON that has telling names: an object, or a list of them.
func Plain(in part.Input, address Address) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return part.Found{}, false
	}
	root, ok := parseJSON(text)
	if !ok {
		return part.Found{}, false
	}
	return plainJSON(in, root, address)
}

func parseJSON(text string) (jsonx.Value, bool) {
	if strings.Count(text, ",") > maxValues {
		return nil, false
	}
	v, err := jsonx.Parse([]byte(text))
	if err != nil && len(text) <= keys.MaxSize {
		v, err = jsonx.Parse([]byte(keys.JSONText(text)))
	}
	return v, err == nil
}

// A list gathers the connections of an export.
type list struct {
	in      part.Input
	address Address
	found   part.Found
	offers  int // readings of all items
	cut     bool
}

func newList(in part.Input, address Address) *list { return &list{in: in, address: address} }

// add takes a record; without a type for it, it is named in what is left.
func (l *list) add(r *record.Record) {
	if len(l.found.Items) >= MaxItems || l.offers >= maxReadings {
		l.cut = true
		return
	}
	item, ok := r.Item(l.in.Types, l.address)
	if !ok {
		if len(l.found.Left) < maxLeft {
			l.found.Left = append(l.found.Left, part.Left{Name: nameOf(r), Why: "There is no connection type for it here, or too little was said about it."})
		}
		return
	}
	l.found.Items = append(l.found.Items, item)
	l.offers += len(item.Readings)
}

func nameOf(r *record.Record) string {
	for _, s := range []string{r.Name, r.Where} {
		if s != "" {
			return connectors.Clean(s, 120)
		}
	}
	return "an entry without a name"
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// done says what it was: what is "FileZilla's sites", of is "site".
func (l *list) done(what, of string) (part.Found, bool) {
	n := len(l.found.Items)
	plural := of + "s"
	if strings.HasSuffix(of, "y") {
		plural = strings.TrimSuffix(of, "y") + "ies"
	}
	switch {
	case of == "":
		l.found.What = what
	case n == 1:
		l.found.What = what + " with one " + of
	default:
		l.found.What = fmt.Sprintf("%s with %d %s", what, n, plural)
	}
	if l.cut {
		l.found.Left = append(l.found.Left, part.Left{Name: "everything after the first " + thousands(n), Why: "More than that is not read at once. Split the file."})
	}
	return l.found, true
}
