// Package amqpx has what the connections to AMQP brokers share, whichever
// version of the protocol they speak.
package amqpx

import (
	"net"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

// An Address is an amqp or amqps URL, taken apart.
type Address struct {
	Secure           bool
	Host, Port, User string
	Path             string // without its first slash, decoded
}

// Parse takes an AMQP URL apart (https://www.rabbitmq.com/docs/uri-spec). Unlike
// net/url it allows for a password that was pasted as it is: the host begins
// after the last "@", because a host has none. The password itself is left out.
func Parse(v string) (Address, bool) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(v), "://")
	scheme = strings.ToLower(scheme)
	if !found || scheme != "amqp" && scheme != "amqps" {
		return Address{}, false
	}
	out := Address{Secure: scheme == "amqps"}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, _, _ := strings.Cut(rest[:i], ":")
		out.User, rest = unescaped(user), rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	where, path, _ := strings.Cut(rest, "/")
	out.Path = unescaped(path)
	out.Host = where
	if h, p, err := net.SplitHostPort(where); err == nil {
		out.Host, out.Port = h, p
	}
	out.Host = strings.Trim(out.Host, "[]")
	return out, out.Host != ""
}

func unescaped(v string) string {
	if out, err := url.PathUnescape(v); err == nil {
		return out
	}
	return v
}

// HostField asks for the host; a pasted AMQP URL also answers port, user,
// security ("tls" or "none"), and pathKey with its path.
func HostField(example, pathKey string) connectors.Field {
	f := answers.HostField(example, func(v string) map[string]string { return split(v, pathKey) })
	f.Tidy = TidyHost
	return f
}

func split(v, pathKey string) map[string]string {
	a, ok := Parse(v)
	if !ok {
		return nil
	}
	out := map[string]string{"host": a.Host, "security": "none"}
	if a.Secure {
		out["security"] = "tls"
	}
	for key, v := range map[string]string{"port": a.Port, "user": a.User, pathKey: a.Path} {
		if v != "" {
			out[key] = v
		}
	}
	return out
}

// TidyHost is answers.TidyHost for AMQP's URLs too.
func TidyHost(v string) string {
	if a, ok := Parse(v); ok {
		return a.Host
	}
	return answers.TidyHost(v)
}
