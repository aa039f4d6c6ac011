package rabbitmq

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The bounds of AMQP's short strings, and of what a form is for.
const (
	maxName  = 255
	maxKnown = 200
)

// tidyVhost undoes the encoding that AMQP URLs need for "/".
func tidyVhost(v string) string {
	v = strings.TrimSpace(v)
	if strings.EqualFold(v, "%2f") {
		return "/"
	}
	return v
}

func validVhost(v string) error {
	if len(v) > maxName || !utf8.ValidString(v) {
		return errors.New("A virtual host's name has at most 255 letters.")
	}
	return nil
}

// tidyManagement takes off what the address bar of the management page shows
// besides the address.
func tidyManagement(v string) string {
	v, _, _ = strings.Cut(strings.TrimSpace(v), "#")
	v = strings.TrimRight(v, "/")
	return strings.TrimSuffix(v, "/api")
}

func validManagement(v string) error {
	if u, err := url.Parse(v); err != nil || u.User != nil || u.RawQuery != "" {
		return errors.New("An address without user, password and question mark is expected here, for example https://rabbit.example.com:15671.")
	}
	return nil
}

// A known is a name that the person typed.
type known struct {
	exchange bool
	kind     string // the exchange's type, where the person told it
	name     string
}

// parseKnown reads one name a line: "orders", "queue: orders", "exchange: events",
// "topic exchange: events".
func parseKnown(text string) []known {
	var out []known
	for line := range strings.Lines(text) {
		k := known{name: strings.TrimSpace(line)}
		words, name, ok := strings.Cut(k.name, ": ")
		switch kind, what, typed := strings.Cut(strings.ToLower(words), " "); {
		case ok && !typed && (kind == "exchange" || kind == "queue"):
			k = known{exchange: kind == "exchange", name: strings.TrimSpace(name)}
		case ok && typed && what == "exchange":
			k = known{exchange: true, kind: kind, name: strings.TrimSpace(name)}
		}
		if k.name != "" {
			out = append(out, k)
		}
	}
	return out
}

func validKnown(v string) error {
	all := parseKnown(v)
	if len(all) > maxKnown {
		return errors.New("These are too many names: 200 can be looked at.")
	}
	for _, k := range all {
		if len(k.name) > maxName || !utf8.ValidString(k.name) {
			return errors.New("A name has at most 255 letters.")
		}
	}
	return nil
}

// lines are the names of an answer with one a line.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" && len(name) <= maxName && len(out) < maxKnown {
			out = append(out, name)
		}
	}
	return out
}
