package mail

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"jackfield/connectors/internal/answers"
)

func validLine(v string) error {
	if strings.ContainsFunc(v, unicode.IsControl) {
		return errors.New("This holds a line break or another control character. Type it again.")
	}
	return nil
}

// validToken keeps out what would end the field that a token is sent in.
func validToken(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("A token has no spaces or line breaks. Copy it again.")
	}
	return nil
}

// tidyAddress takes off what mail programs put around an address.
func tidyAddress(v string) string {
	v = strings.TrimSpace(v)
	if a, err := mail.ParseAddress(v); err == nil && strings.HasSuffix(v, "<"+a.Address+">") {
		return a.Address
	}
	return v
}

func validAddress(v string) error {
	if _, err := address(v); err != nil {
		return errors.New("One mail address is expected here, such as alice@example.com.")
	}
	return nil
}

// address reads one bare address.
func address(v string) (string, error) {
	a, err := mail.ParseAddress(v)
	if err != nil {
		return "", err
	}
	if a.Address != v || strings.ContainsAny(v, "<> ") || strings.ContainsFunc(v, unicode.IsControl) || len(v) > 254 {
		return "", errors.New("no bare address")
	}
	return a.Address, nil
}

var literalShape = regexp.MustCompile(`^\[[0-9A-Za-z:.]+\]$`)

func validEHLO(v string) error {
	if literalShape.MatchString(v) || answers.ValidHost(v) == nil && net.ParseIP(v) == nil {
		return nil
	}
	return errors.New("A host name is expected here, such as app.example.com, or an address in brackets, such as [10.0.0.5].")
}

func validFolder(v string) error {
	if strings.ContainsFunc(v, unicode.IsControl) || len(v) > 1000 {
		return errors.New("The name of a folder is expected here, such as INBOX.")
	}
	return nil
}

// parseProperties reads key=value or key: value lines; # and ! begin comments.
// Of a key that stands twice, the last counts.
func parseProperties(text string) ([]property, error) {
	var out []property
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		at := strings.IndexAny(line, "=:")
		if at < 1 || len(line) > maxProperty || validLine(line) != nil || len(out) == maxProperties {
			return nil, fmt.Errorf("Line %d is no property: key=value is expected, such as mail.smtp.connectiontimeout=10000.", i+1)
		}
		p := property{strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+1:])}
		out = slices.DeleteFunc(out, func(q property) bool { return q.key == p.key })
		out = append(out, p)
	}
	return out, nil
}

func validProperties(text string) error {
	list, err := parseProperties(text)
	if err != nil {
		return err
	}
	for _, p := range list {
		last := strings.ToLower(p.key[strings.LastIndexByte(p.key, '.')+1:])
		if strings.Contains(last, "password") || strings.Contains(last, "passwd") || strings.Contains(last, "secret") || strings.Contains(last, "token") {
			return errors.New("Passwords and tokens do not belong here, because these lines are stored as plain text. Use the field for it under Sign-in.")
		}
		switch shortName(p.key) {
		case "connectiontimeout", "timeout":
			if n, err := strconv.Atoi(p.value); err != nil || n < 0 || n > 1<<30 {
				return fmt.Errorf("%s is a number of milliseconds, such as 10000.", p.key)
			}
		}
	}
	return nil
}
