package readiness

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
)

// hostKeys are the fields that say where a server is.
func hostKeys() []string {
	return []string{"host", "endpoint", "servers", "members", "namespace", "url", "base_url", "domain", "login_url", "kdc", "management_url", "console_url", "shop", "site", "subdomain"}
}

// plainWays are the answers that mean that nothing is encrypted, by field.
func plainWays() map[string][]string {
	return map[string][]string{"security": {"none", "plaintext", "sasl_plaintext"}, "tls": {"off", "none"}, "transport": {"tcp", "ws", "emulator"}}
}

// encrypted reports whether the form has anything to say about encryption, and
// whether there is some.
func (l *look) encrypted() (asked, yes bool) {
	for key, none := range plainWays() {
		if v := l.answer(key); v != "" {
			return true, !slices.Contains(none, v)
		}
	}
	for _, key := range []string{"url", "base_url", "endpoint", "domain"} {
		if v := l.answer(key); strings.Contains(v, "://") {
			return true, !strings.HasPrefix(strings.ToLower(v), "http://")
		}
	}
	return false, false
}

// place looks at addresses, ports and encryption.
func (l *look) place() {
	for _, key := range hostKeys() {
		f, ok := l.t.Form.Field(key)
		if !ok || f.Kind.Secret() || l.t.Offline || l.answer(key) == "" || f.Verify(l.answer(key)) != nil {
			continue
		}
		if f.Kind == connectors.Choice || key == "domain" && f.Kind != connectors.URL {
			continue
		}
		for line := range strings.Lines(l.answer(key)) {
			l.host(f, hostOf(strings.TrimSpace(line)))
		}
	}
	l.port()
	if asked, yes := l.encrypted(); asked && !yes && !l.t.Offline {
		i := Item{ID: "place.plain", State: Warning, Title: "Nothing is encrypted on the way", Text: "Everybody on the way can read what is shown here"}
		if l.signsIn() {
			i.Text += ", and may read the password too"
		}
		i.Text += ". Choose encryption unless the way is your own."
		l.add(i)
	}
}

// signsIn reports whether a secret is asked for.
func (l *look) signsIn() bool {
	return slices.ContainsFunc(l.t.Form.Fields, func(f connectors.Field) bool {
		return f.Kind.Secret() && f.Required && l.t.Form.Visible(f.Key, l.s)
	})
}

// hostOf takes scheme, path and port off.
func hostOf(v string) string {
	if u, err := url.Parse(v); err == nil && u.Host != "" {
		return strings.ToLower(u.Hostname())
	}
	if at, err := netip.ParseAddr(v); err == nil {
		return at.String()
	}
	v, _, _ = strings.Cut(v, "/")
	if i := strings.LastIndexByte(v, ':'); i >= 0 {
		v = v[:i]
	}
	return strings.ToLower(strings.Trim(v, "[]"))
}

func (l *look) host(f connectors.Field, host string) {
	say := func(id, title, text string) {
		l.add(Item{ID: "place." + id + "." + f.Key, State: Warning, Field: f.Key, Title: title, Text: text})
	}
	shown := connectors.Clean(host, 200)
	if at, err := netip.ParseAddr(host); err == nil {
		switch {
		case at.IsLoopback():
			say("loopback", shown+" is the computer itself", "It leads to whatever runs on the computer from which it is linked, on every computer to another one.")
		case at.IsPrivate() || at.IsLinkLocalUnicast():
			say("internal", shown+" is an internal address", "It is reached from inside that network only, or over a VPN or a jump host.")
		}
		return
	}
	_, last, dotted := strings.Cut(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	switch {
	case host == "localhost":
		say("loopback", shown+" is the computer itself", "It leads to whatever runs on the computer from which it is linked, on every computer to another one.")
	case strings.ContainsAny(host, " \t") || strings.Contains(host, "..") || strings.Contains(host, "://"):
		say("typo", shown+" has a sign that no name has", "Look for a space, two dots or a part of a web address in it.")
	case slices.Contains([]string{"local", "lan", "internal", "intranet", "corp", "home", "test"}, last):
		say("internal", shown+" is a name of an internal network", "It is known inside that network only, or over a VPN or a jump host.")
	case host == "example.com" || strings.HasSuffix(host, ".example.com") || strings.HasSuffix(host, ".example.org") || last == "example" || last == "invalid":
		say("example", shown+" is an example", "No real server has such a name. Ask for the real one.")
	case !dotted && host != "" && wholeNames(f.Key):
		say("short", shown+" is a short name", "It is known inside one network only. The whole name, with its dots, works in more places.")
	}
}

// wholeNames are fields whose answer is a host's whole name.
func wholeNames(key string) bool { return slices.Contains([]string{"host", "servers", "members"}, key) }

// usual are the ports of each type, by the answer about encryption; "" is for all.
func usual() map[string]map[string][]int {
	return map[string]map[string][]int{
		"ldap":     {"ldaps": {636, 3269}, "starttls": {389, 3268}, "none": {389, 3268}},
		"mqtt":     {"tls": {8883}, "tcp": {1883}, "wss": {443, 8084, 9001}, "ws": {80, 8083, 9001}},
		"rabbitmq": {"tls": {5671}, "none": {5672}}, "amqp1": {"tls": {5671}, "none": {5672}},
		"ftp":  {"explicit": {21}, "none": {21}, "implicit": {990}},
		"smtp": {"tls": {465}, "starttls": {587, 25, 2525}, "none": {25, 587, 2525}},
		"imap": {"tls": {993}, "starttls": {143}, "none": {143}},
		"sftp": {"": {22, 2222}}, "ssh": {"": {22, 2222}}, "smb": {"": {445}},
		"clickhouse": {"tls": {8443}, "none": {8123}},
		"oracle":     {"tcps": {2484}, "off": {1521}},
		"postgres":   {"": {5432, 5433, 6432}}, "mysql": {"": {3306, 3307}}, "sqlserver": {"": {1433}},
		"redis": {"": {6379, 6380}}, "mongodb": {"": {27017, 27018}}, "elasticsearch": {"": {9200, 443, 9243}},
	}
}

// port warns of a port that is usual for something else; one that is usual for
// nothing is anybody's choice.
func (l *look) port() {
	n, err := strconv.Atoi(l.answer("port"))
	ways, ok := usual()[l.t.ID]
	if err != nil || !ok {
		return
	}
	way := ""
	for key := range plainWays() {
		if v := l.answer(key); v != "" {
			way = v
		}
	}
	own := append(slices.Clone(ways[way]), ways[""]...)
	if slices.Contains(own, n) || len(own) == 0 {
		return
	}
	var numbers []string
	for _, p := range own {
		numbers = append(numbers, strconv.Itoa(p))
	}
	text := "Usual here: " + strings.Join(numbers, ", ") + ". Compare with what you were told."
	for other, ports := range ways {
		if other != way && slices.Contains(ports, n) {
			l.add(Item{ID: "place.port", State: Warning, Field: "port", Title: "Port " + strconv.Itoa(n) + " is usual for another kind of encryption", Text: text})
			return
		}
	}
	if what := foreign(n); what != "" {
		l.add(Item{ID: "place.port", State: Warning, Field: "port", Title: "Port " + strconv.Itoa(n) + " is usual for " + what, Text: text})
	}
}

// foreign names what else a port is known for
// (https://www.iana.org/assignments/service-names-port-numbers).
func foreign(port int) string {
	return map[int]string{21: "FTP", 22: "SSH and SFTP", 23: "Telnet", 25: "mail", 80: "web pages", 143: "IMAP", 389: "LDAP", 443: "web pages", 445: "Windows shares", 636: "LDAP with TLS", 993: "IMAP", 1433: "SQL Server", 1521: "Oracle",
		1883: "MQTT", 3306: "MySQL", 3389: "remote desktops", 5432: "PostgreSQL", 5671: "AMQP with TLS", 5672: "AMQP", 6379: "Redis", 8080: "web pages", 8883: "MQTT with TLS", 9092: "Kafka", 15672: "RabbitMQ's management page", 27017: "MongoDB"}[port]
}
