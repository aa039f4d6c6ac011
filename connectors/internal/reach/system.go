package reach

import (
	"os"
	"strings"
)

func environment(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

// windowsProxy reads the value ProxyServer of the Internet Settings: one address
// for everything, or "http=a:1;https=b:2;socks=c:3".
func windowsProxy(value string) string {
	if !strings.Contains(value, "=") {
		return value
	}
	found := map[string]string{}
	for _, part := range strings.Split(value, ";") {
		kind, addr, _ := strings.Cut(strings.TrimSpace(part), "=")
		found[strings.ToLower(kind)] = addr
	}
	switch {
	case found["https"] != "":
		return found["https"]
	case found["socks"] != "":
		return "socks5://" + found["socks"]
	}
	return found["http"]
}

// macProxy reads what scutil --proxy prints.
func macProxy(text string) string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, " : ")
		if ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	for _, kind := range []string{"HTTPS", "SOCKS", "HTTP"} {
		if values[kind+"Enable"] != "1" || values[kind+"Proxy"] == "" {
			continue
		}
		scheme := "http://"
		if kind == "SOCKS" {
			scheme = "socks5://"
		}
		return scheme + values[kind+"Proxy"] + ":" + values[kind+"Port"]
	}
	return ""
}
