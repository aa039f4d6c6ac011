package keys

import (
	"strings"

	"golang.org/x/crypto/ssh"
)

// A Host says for which servers a line of known_hosts is (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
type Host struct {
	Patterns []string // names with * and ?, "!" before what is left out, "[name]:port"; of a hashed one "|1|salt|hash"
	Hashed   bool     // the name itself cannot be told
	Marker   string   // "cert-authority", "revoked", "" for none
}

// hostItems are the lines of known_hosts.
func hostItems(text string) []Item {
	var out []Item
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || !isHostLine(line) {
			continue
		}
		marker, patterns, key, comment, _, err := ssh.ParseKnownHosts([]byte(line))
		if err != nil || len(patterns) == 0 || marker != "" && marker != "cert-authority" && marker != "revoked" {
			continue
		}
		i := sshItem(key, comment, "OpenSSH")
		i.Kind = KnownHosts
		i.Host = &Host{Patterns: patterns, Hashed: strings.HasPrefix(patterns[0], "|1|"), Marker: marker}
		if i.Name = strings.Join(patterns, ", "); i.Host.Hashed {
			i.Name = "a server whose name is hashed"
		}
		out = append(out, i)
	}
	return out
}
