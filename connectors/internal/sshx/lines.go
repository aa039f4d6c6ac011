package sshx

import (
	"net"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Lines counts the lines of a known_hosts file that can be used.
func Lines(text string) int { return strings.Count(clean(text), "\n") }

// clean drops what is no known_hosts line: one bad line would hide the others.
func clean(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(lines, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		marker, hosts, _, _, _, err := ssh.ParseKnownHosts([]byte(line))
		if err != nil || len(hosts) == 0 || marker != "" && marker != "cert-authority" && marker != "revoked" {
			continue
		}
		out.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return out.String()
}

// forPort writes patterns as the library wants them. It takes a pattern without a
// port for port 22 alone, and no * for a port; OpenSSH looks for an authority
// without the port too (hostfile.c, sshconnect.c: "checking without port
// identifier").
func forPort(lines, port string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(lines, "]:*", "]:"+port)) {
		words := strings.SplitN(line, " ", 3)
		if words[0] == "@cert-authority" && len(words) == 3 {
			words[1] = withPort(words[1], port)
		} else if words[0] == "*" {
			words[0] = withPort(words[0], port)
		}
		out.WriteString(strings.Join(words, " "))
	}
	return out.String()
}

func withPort(patterns, port string) string {
	for p := range strings.SplitSeq(patterns, ",") {
		name, not := strings.CutPrefix(p, "!")
		if strings.HasPrefix(name, "[") || strings.HasPrefix(name, "|") {
			continue
		}
		patterns += "," + map[bool]string{true: "!"}[not] + "[" + name + "]:" + port
	}
	return patterns
}

// authorityFor reports whether a @cert-authority line is about the server at
// addr: the library says so only once it has a certificate in its hands.
func authorityFor(lines, addr string) bool {
	for line := range strings.Lines(lines) {
		marker, hosts, _, _, _, err := ssh.ParseKnownHosts([]byte(strings.TrimSpace(line)))
		if err == nil && marker == "cert-authority" && listed(hosts, addr) {
			return true
		}
	}
	return false
}

// listed matches the patterns of one line (sshd(8)): * and ? are wildcards, a !
// in front excludes, [host]:port names a port other than 22.
func listed(patterns []string, addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		p = strings.ReplaceAll(p, "]:*", "]:"+port)
		name := knownhosts.Normalize(net.JoinHostPort(host, port))
		if !strings.HasPrefix(p, "[") {
			name = host
		}
		hit, err := path.Match(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(p), name)
		switch {
		case err != nil || !hit:
		case not:
			return false
		default:
			found = true
		}
	}
	return found
}
