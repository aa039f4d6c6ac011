package addresses

import (
	"net"
	"regexp"
	"strings"

	"jackfield/connectors/internal/answers"
)

// An address is a URL taken apart more forgivingly than RFC 3986 has it. User
// and password are decoded once; the rest is as it was written.
type address struct {
	scheme   string // in small letters, without the driver
	driver   string // SQLAlchemy's, such as psycopg2
	user     string
	password string
	hosts    string // all of them, with ports
	host     string // of the first, without brackets
	port     string
	more     int    // how many servers follow the first
	path     string // with its first slash
	query    string
	fragment string
	signed   bool // there was an @
	repaired bool // the password had signs in it that it should not have
	// undecoded says that a percent sign in the password begins no code.
	undecoded bool
}

var schemeShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.-]*(\+[A-Za-z0-9_+-]+)?$`)

// A manner is how the addresses of a family are to be taken apart.
type manner struct {
	// loose: no path of these has an @, so the last one before the options ends
	// the password whatever stands in it.
	loose bool
	// web: a # begins a fragment.
	web bool
}

// parseURL takes scheme://user:password@host:port/path?query apart; false when
// text is nothing like it.
func parseURL(text string, how func(scheme string) manner) (address, bool) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || !schemeShape.MatchString(scheme) || strings.ContainsAny(rest, " \t") && !strings.Contains(rest, "@") {
		return address{}, false
	}
	a := address{scheme: strings.ToLower(scheme)}
	if a.scheme != "mongodb+srv" && !strings.HasPrefix(a.scheme, "git+") {
		a.scheme, a.driver, _ = strings.Cut(a.scheme, "+")
	}
	m := how(a.scheme)
	at := userEnd(rest, m)
	if at >= 0 {
		a.signed = true
		a.credentials(rest[:at])
		rest = rest[at+1:]
	}
	if m.web {
		rest, a.fragment, _ = strings.Cut(rest, "#")
	}
	rest, a.query, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, a.path = rest[:i], rest[i:]
	}
	a.setHosts(rest)
	return a, !strings.ContainsAny(a.hosts, " \t")
}

// userEnd is where the @ stands that ends user and password; -1 when there is
// none. The last one counts, because a host has none.
func userEnd(rest string, m manner) int {
	marks := "/?"
	if m.web {
		marks = "/?#"
	}
	end := strings.IndexAny(rest, marks)
	if end < 0 {
		end = len(rest)
	}
	if i := strings.LastIndexByte(rest[:end], '@'); i >= 0 && !m.loose {
		return i
	}
	if !m.loose && hostsLookRight(rest[:end]) {
		return -1
	}
	region := len(rest)
	for i := 0; i < len(rest); i++ { // to the first ? that follows an @
		if rest[i] == '?' && strings.IndexByte(rest[:i], '@') >= 0 && !brokenBy(rest[i+1:]) {
			region = i
			break
		}
	}
	i := strings.LastIndexByte(rest[:region], '@')
	if i < 0 || optionBefore(rest[:i]) {
		return -1
	}
	return i
}

// brokenBy reports whether what follows a ? is the rest of a password: an @
// comes before any =.
func brokenBy(query string) bool {
	at := strings.IndexByte(query, '@')
	return at >= 0 && !strings.Contains(query[:at], "=")
}

// optionBefore reports whether the @ stands in an option's value: it is behind a
// ? with name=.
func optionBefore(text string) bool {
	_, query, ok := strings.Cut(text, "?")
	return ok && optionShape.MatchString(query) && hostsLookRight(strings.SplitN(text, "/", 2)[0])
}

var optionShape = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*=`)

// hostsLookRight reports whether text can be a list of hosts with ports, and not
// the beginning of user:password.
func hostsLookRight(text string) bool {
	for h := range strings.SplitSeq(text, ",") {
		if h == "" {
			continue
		}
		host, port := hostPort(h)
		if port != "" && answers.ValidPort(port) != nil || strings.ContainsAny(host, ":") && net.ParseIP(host) == nil {
			return false
		}
	}
	return true
}

func (a *address) credentials(text string) {
	user, password, both := strings.Cut(text, ":")
	a.user = decoded(user, false)
	if !both {
		return
	}
	a.password = decoded(password, false)
	a.repaired = strings.ContainsAny(password, "@/?#")
	a.undecoded = strings.Contains(codes.ReplaceAllString(password, ""), "%")
}

func (a *address) setHosts(text string) {
	if plain := decoded(text, false); !strings.ContainsAny(plain, "/?#@") {
		text = plain
	}
	a.hosts = text
	first, more, several := strings.Cut(text, ",")
	if several {
		a.more = strings.Count(more, ",") + 1
	}
	a.host, a.port = hostPort(first)
	a.host = decoded(a.host, false)
}

// hostPort takes brackets and the port off.
func hostPort(text string) (host, port string) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, rest, _ = strings.Cut(rest, "]")
		return host, strings.TrimPrefix(rest, ":")
	}
	if strings.Count(text, ":") > 1 {
		return text, "" // an IPv6 address without its brackets
	}
	host, port, _ = strings.Cut(text, ":")
	return host, port
}

// clean is the address without user and password, with another scheme where one
// is given: what a form's own Split takes.
func (a address) clean(scheme string) string {
	if scheme == "" {
		scheme = a.scheme
	}
	out := scheme + "://" + a.hosts + a.path
	if a.query != "" {
		out += "?" + a.query
	}
	return out
}

// name is the path without its slashes, decoded: the database of most addresses.
func (a address) name() string { return decoded(strings.TrimPrefix(a.path, "/"), false) }

var (
	codes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// decoded takes percent codes off, exactly once; what is no code stays. In the
// options of Java's and Python's addresses a plus stands for a space.
func decoded(text string, plus bool) string {
	if plus {
		text = strings.ReplaceAll(text, "+", " ")
	}
	if !strings.Contains(text, "%") {
		return text
	}
	return codes.ReplaceAllStringFunc(text, func(code string) string {
		return string([]byte{hex(code[1])<<4 | hex(code[2])})
	})
}

func hex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
