// Package answers has the tidy and format rules that many forms share.
package answers

import (
	"errors"
	"net"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"jackfield/connectors"
)

var hostShape = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// TidyHost takes spaces, a scheme, user, port and path off a pasted host.
func TidyHost(v string) string {
	v = strings.TrimSpace(v)
	if _, rest, ok := strings.Cut(v, "://"); ok {
		v = rest
		v, _, _ = strings.Cut(v, "/")
		v, _, _ = strings.Cut(v, "?")
		if i := strings.LastIndexByte(v, '@'); i >= 0 {
			v = v[i+1:]
		}
		if h, _, err := net.SplitHostPort(v); err == nil {
			v = h
		}
	}
	v = strings.TrimSuffix(v, "/")
	if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") {
		v = v[1 : len(v)-1]
	}
	return v
}

// ValidHost wants a DNS name or an IP address.
func ValidHost(v string) error {
	ip, _, _ := strings.Cut(v, "%")
	if net.ParseIP(ip) != nil || (len(v) <= 253 && hostShape.MatchString(v)) {
		return nil
	}
	return errors.New("A host name or address is expected here, such as files.example.com or 10.0.0.5.")
}

// ValidPort wants 1 to 65535.
func ValidPort(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 65535 {
		return errors.New("A port is a number from 1 to 65535.")
	}
	return nil
}

// HostField asks for the host; a pasted URL with one of the schemes also
// answers port, user and what path names.
func HostField(example string, split func(string) map[string]string) connectors.Field {
	return connectors.Field{Key: "host", Label: "Host", Kind: connectors.Text, Required: true, Section: "Server",
		Example: example, Tidy: TidyHost, Valid: ValidHost, Split: split}
}

// PortField asks for the port; def "" leaves the default to the connector.
func PortField(def, example string) connectors.Field {
	return connectors.Field{Key: "port", Label: "Port", Kind: connectors.Integer, Default: def, Example: example, Short: true, Valid: ValidPort}
}

// SplitURL understands a URL with one of the schemes that was pasted into the
// host field: keys host, port and user, and pathKey for the path without its
// first slash ("" to ignore it). A password in the URL is left out on purpose:
// plain answers may not hold one. The result is nil when v is no such URL.
func SplitURL(pathKey string, schemes ...string) func(string) map[string]string {
	return func(v string) map[string]string {
		u, err := url.Parse(strings.TrimSpace(v))
		if err != nil || u.Hostname() == "" {
			return nil
		}
		for _, s := range schemes {
			if !strings.EqualFold(u.Scheme, s) {
				continue
			}
			out := map[string]string{"host": u.Hostname()}
			put(out, "port", u.Port())
			put(out, "user", u.User.Username())
			if pathKey != "" {
				put(out, pathKey, strings.TrimPrefix(u.Path, "/"))
			}
			return out
		}
		return nil
	}
}

// SplitScheme is SplitURL where the scheme answers key too: schemes has the answer
// of each, "" for none.
func SplitScheme(pathKey, key string, schemes map[string]string) func(string) map[string]string {
	return func(v string) map[string]string {
		for scheme, answer := range schemes {
			if out := SplitURL(pathKey, scheme)(v); out != nil {
				put(out, key, answer)
				return out
			}
		}
		return nil
	}
}

// SplitPort understands host:port; the result is nil when v is something else.
func SplitPort(v string) map[string]string {
	host, port, err := net.SplitHostPort(v)
	if err != nil || ValidPort(port) != nil {
		return nil
	}
	return map[string]string{"host": host, "port": port}
}

func put(m map[string]string, k, v string) {
	if v != "" {
		m[k] = v
	}
}

// TidyFolder takes either separator, also before and after, and is "" for where
// folders begin.
func TidyFolder(v string) string {
	v = strings.Trim(strings.ReplaceAll(strings.TrimSpace(v), `\`, "/"), "/")
	if v == "" {
		return ""
	}
	if v = path.Clean(v); v == "." {
		return ""
	}
	return v
}

// ValidLine keeps line ends out of what is sent within a line.
func ValidLine(v string) error {
	if strings.ContainsAny(v, "\r\n") {
		return errors.New("This has more than one line. Copy it again.")
	}
	return nil
}

// TidySecret takes quotes and white space off a pasted key or token, and a
// prefix such as "Bearer ". It is never meant for passwords.
func TidySecret(prefixes ...string) func(string) string {
	return func(v string) string {
		v = strings.Trim(strings.TrimSpace(v), `"'`)
		for _, p := range prefixes {
			if len(v) > len(p) && strings.EqualFold(v[:len(p)], p) {
				v = strings.TrimSpace(v[len(p):])
			}
		}
		return v
	}
}
