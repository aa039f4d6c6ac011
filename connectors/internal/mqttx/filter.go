package mqttx

import (
	"errors"
	"strings"
)

// longest is the most bytes of a topic or a filter (section 4.7.3).
const longest = 65535

// Shared reports whether a filter takes messages away from others in its group
// (MQTT 5 section 4.8.2; several brokers know it in 3.1.1, too).
func Shared(filter string) bool { return strings.HasPrefix(filter, "$share/") }

func wild(filter string) bool { return strings.ContainsAny(filter, "#+") }

// ValidFilter follows sections 4.7 and 4.8.2 of the standard. Its errors are
// sentences for the user.
func ValidFilter(v string) error {
	if len(v) > longest {
		return sentence("This is longer than a topic may be.")
	}
	if rest, shared := strings.CutPrefix(v, "$share/"); shared {
		group, filter, found := strings.Cut(rest, "/")
		if !found || group == "" || filter == "" || wild(group) {
			return sentence("A shared subscription is written $share/group/filter: $share/plant/sensors/#.")
		}
		v = filter
	}
	levels := strings.Split(v, "/")
	for i, l := range levels {
		if strings.Contains(l, "#") && (l != "#" || i != len(levels)-1) {
			return sentence("# stands alone, as the last level: plant/#.")
		}
		if strings.Contains(l, "+") && l != "+" {
			return sentence("+ stands for a whole level: plant/+/temperature.")
		}
	}
	return nil
}

// Filters are the lines of an answer, each a filter; without any it is "#".
func Filters(lines string) []string {
	var out []string
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	if out == nil {
		return []string{"#"}
	}
	return out
}

// TidyFilters takes spaces and empty lines off.
func TidyFilters(lines string) string {
	if strings.TrimSpace(lines) == "" {
		return ""
	}
	return strings.Join(Filters(lines), "\n")
}

// mostFilters is what brokers take in one SUBSCRIBE; AWS IoT takes eight
// (https://docs.aws.amazon.com/general/latest/gr/iot-core.html).
const mostFilters = 8

// ValidFilters is ValidFilter for each line.
func ValidFilters(lines string) error {
	all := Filters(lines)
	if len(all) > mostFilters {
		return sentence("Eight topic filters are the most that can be asked for at once.")
	}
	for _, f := range all {
		if err := ValidFilter(f); err != nil {
			return err
		}
	}
	return nil
}

// validTopic reports whether a message may be published there.
func validTopic(v string) error {
	if v == "" || len(v) > longest || wild(v) || strings.ContainsRune(v, 0) {
		return errors.New("no topic to publish to")
	}
	return nil
}

type sentence string

func (s sentence) Error() string { return string(s) }
