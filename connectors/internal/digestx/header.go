package digestx

import (
	"net/http"
	"strings"

	"github.com/icholy/digest"

	"jackfield/connectors"
	"jackfield/connectors/internal/challenge"
	"jackfield/connectors/internal/httpx"
)

// challenges cuts WWW-Authenticate into its challenges: a line may hold several,
// separated by the same comma as their parameters (RFC 9110 section 11.6.1). The
// names of parameters come out in lower case, as they are compared.
func challenges(h http.Header) []string {
	var out []string
	for _, line := range h.Values("Www-Authenticate") {
		if len(line) > maxChallenge {
			continue
		}
		for _, item := range challenge.Split(line) {
			scheme, rest, named := strings.Cut(item, " ")
			name, _, param := strings.Cut(item, "=")
			if param && !strings.Contains(strings.TrimSpace(name), " ") && len(out) > 0 {
				out[len(out)-1] += ", " + lowered(item)
				continue
			}
			if len(out) == maxChallenges {
				return out
			}
			out = append(out, scheme)
			if rest = strings.TrimSpace(rest); named && rest != "" {
				out[len(out)-1] += " " + lowered(rest)
			}
		}
	}
	return out
}

func lowered(param string) string {
	name, value, ok := strings.Cut(param, "=")
	if !ok {
		return param
	}
	return strings.ToLower(strings.TrimSpace(name)) + "=" + strings.TrimSpace(value)
}

// value is a parameter of a challenge, byte for byte.
func value(text, name string) string {
	_, params, _ := strings.Cut(text, " ")
	for _, p := range challenge.Split(params) {
		v, is := strings.CutPrefix(p, name+"=")
		if !is {
			continue
		}
		if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
			return v
		}
		var b strings.Builder
		for i := 1; i < len(v)-1; i++ {
			if v[i] == '\\' && i < len(v)-2 {
				i++
			}
			b.WriteByte(v[i])
		}
		return b.String()
	}
	return ""
}

// Refused says what a 401 of the origin means that New's RoundTripper has not
// been able to do anything about; nil for every other status.
func Refused(res *httpx.Response) *connectors.Error {
	if res.Status != http.StatusUnauthorized {
		return nil
	}
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "digest.auth", Op: connectors.StageSignIn, Target: res.URL.Host, Field: "password"}
	if best(res.Header, func() string { return "" }) != nil {
		return e
	}
	var schemes, kinds []string
	for _, text := range challenges(res.Header) {
		scheme, params, _ := strings.Cut(text, " ")
		schemes = append(schemes, scheme)
		for _, p := range challenge.Split(params) {
			if digest.IsDigest(text) && (strings.HasPrefix(p, "algorithm=") || strings.HasPrefix(p, "qop=")) {
				kinds = append(kinds, p)
			}
		}
	}
	e.Code, e.Reason, e.Field, e.Said = connectors.Unsupported, "digest.not_offered", "", strings.Join(schemes, ", ")
	if len(kinds) > 0 {
		e.Reason, e.Said = "digest.unsupported", strings.Join(kinds, ", ")
	}
	return e
}
