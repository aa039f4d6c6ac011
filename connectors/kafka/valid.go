package kafka

import (
	"errors"
	"net"
	"regexp"
	"strings"

	"jackfield/connectors/internal/answers"
)

const usualPort = "9092"

// The bounds of what a form may name.
const (
	maxServers = 50
	maxNamed   = 500
)

// list takes lines, commas and spaces apart.
func list(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' || r == '\t' || r == ';' })
}

// tidyServers takes schemes off ("SASL_SSL://broker:9093", as listeners are
// written) and adds the usual port.
func tidyServers(v string) string {
	if strings.Contains(v, "=") {
		return strings.TrimSpace(v)
	}
	out := list(v)
	for i, s := range out {
		if _, rest, ok := strings.Cut(s, "://"); ok {
			s = strings.TrimRight(rest, "/")
		}
		if _, _, err := net.SplitHostPort(s); err != nil && answers.ValidHost(strings.Trim(s, "[]")) == nil {
			s = net.JoinHostPort(strings.Trim(s, "[]"), usualPort)
		}
		out[i] = s
	}
	return strings.Join(out, "\n")
}

func validServers(v string) error {
	if strings.Contains(v, "=") {
		return errors.New("Host names with ports are expected here. Type what bootstrap.servers says, such as broker1.example.com:9092.")
	}
	servers := list(v)
	if len(servers) == 0 || len(servers) > maxServers {
		return errors.New("One to fifty servers are expected here, such as broker1.example.com:9092.")
	}
	for _, s := range servers {
		host, port, err := net.SplitHostPort(s)
		if err != nil || answers.ValidHost(host) != nil || answers.ValidPort(port) != nil {
			return errors.New("A host name and a port are expected here for each server, such as broker1.example.com:9092.")
		}
	}
	return nil
}

// topicShape is what Kafka allows as a topic's name, and * as a wildcard:
// https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/internals/Topic.java
var topicShape = regexp.MustCompile(`^[A-Za-z0-9._*-]{1,249}$`)

func validTopics(v string) error {
	names := list(v)
	if len(names) > maxNamed {
		return errors.New("At most 500 topics can be named. Use * for many.")
	}
	for _, n := range names {
		if !topicShape.MatchString(n) {
			return errors.New("A topic's name has letters, digits, dots, _ and - alone. * stands for anything.")
		}
	}
	return nil
}

// saslValue is what a token or an extension may have in it (RFC 7628 section
// 3.1): a control character would begin another field of the message.
var (
	saslValue = regexp.MustCompile(`^[\x21-\x7e]*$`)
	saslName  = regexp.MustCompile(`^[A-Za-z]{1,64}$`)
)

func validToken(v string) error {
	if !saslValue.MatchString(v) {
		return errors.New("A token has no spaces, line ends or unusual signs in it. Copy it again.")
	}
	return nil
}

func validExtensions(v string) error {
	_, err := extensions(v)
	return err
}

func extensions(v string) (map[string]string, error) {
	out := map[string]string{}
	for line := range strings.Lines(v) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "auth" || !saslName.MatchString(name) || !saslValue.MatchString(value) {
			return nil, errors.New("Each line is a name, = and a value, such as logicalCluster=lkc-1234.")
		}
		out[name] = value
	}
	return out, nil
}

var clientIDShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

func validClientID(v string) error {
	if !clientIDShape.MatchString(v) {
		return errors.New("A client ID has letters, digits, dots, _ and - alone.")
	}
	return nil
}

// matches knows * in patterns; it needs no more steps than the two are long.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, last)
}
