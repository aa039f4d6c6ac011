package kafka

import (
	"regexp"
	"strings"
)

// maxProperties bounds a pasted file.
const maxProperties = 1 << 20

// splitProperties understands a client's configuration file that was pasted into
// the bootstrap servers: Java's client.properties, with the names of librdkafka
// and with Spring's prefixes too. Secrets go into secret fields alone.
// The names: https://kafka.apache.org/documentation/#consumerconfigs and
// https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
func splitProperties(v string) map[string]string {
	if len(v) > maxProperties || !strings.Contains(v, "=") {
		return nil
	}
	p := properties(v)
	out := map[string]string{}
	put := func(key string, names ...string) {
		for _, n := range names {
			if p[n] != "" {
				out[key] = p[n]
				return
			}
		}
	}
	put("servers", "bootstrap.servers", "bootstrap-servers", "metadata.broker.list")
	put("client_id", "client.id", "client-id")
	put("user", "sasl.username")
	put("password", "sasl.password")
	put("ca", "ssl.truststore.certificates", "ssl.ca.pem")
	put("client_cert", "ssl.keystore.certificate.chain", "ssl.certificate.pem")
	put("client_key", "ssl.keystore.key", "ssl.key.pem")
	put("client_key_passphrase", "ssl.key.password")
	put("truststore_password", "ssl.truststore.password")
	put("keystore_password", "ssl.keystore.password")
	switch {
	case out["client_cert"] != "":
		out["certificate"] = certificatePEM
	case p["ssl.keystore.location"] != "":
		out["certificate"] = certificateJKS
	}
	if s := securityOf(p["security.protocol"]); s != "" {
		out["security"] = s
	}
	mechanism := strings.ToUpper(p["sasl.mechanism"] + p["sasl.mechanisms"])
	switch mechanism {
	case mechPlain, mechScram256, mechScram512, mechOAuth:
		out["mechanism"] = mechanism
	}
	jaas(p["sasl.jaas.config"], out)
	if len(out) == 0 {
		return nil
	}
	if _, ok := out["servers"]; !ok {
		out["servers"] = "" // what was pasted may hold secrets: it does not stay
	}
	out["servers"] = tidyServers(out["servers"])
	return out
}

func securityOf(protocol string) string {
	return map[string]string{"PLAINTEXT": secureNone, "SSL": secureTLS, "SASL_PLAINTEXT": secureSASL, "SASL_SSL": secureSASLTLS}[strings.ToUpper(protocol)]
}

// jaasOption is one option of a login module: name="value", with \" in it.
var jaasOption = regexp.MustCompile(`([A-Za-z_.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;"']+))`)

func jaas(text string, out map[string]string) {
	for _, m := range jaasOption.FindAllStringSubmatch(text, 20) {
		value := unescape(m[2] + m[3] + m[4])
		switch m[1] {
		case "username":
			out["user"] = value
		case "password":
			out["password"] = value
		}
	}
	if strings.Contains(text, "OAuthBearerLoginModule") {
		out["mechanism"] = mechOAuth
	}
}

var prefixes = regexp.MustCompile(`^(spring\.(cloud\.stream\.)?kafka\.(binder\.)?(properties\.|consumer\.properties\.|producer\.properties\.|consumer\.|admin\.)?|consumer\.|producer\.|admin\.)`)

// properties reads the format of java.util.Properties, as far as such files use
// it: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
func properties(text string) map[string]string {
	out := map[string]string{}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	var line string
	for part := range strings.SplitSeq(text, "\n") {
		part = strings.TrimLeft(part, " \t\f")
		if line == "" && (part == "" || part[0] == '#' || part[0] == '!') {
			continue
		}
		line += part
		if continues(line) {
			line = line[:len(line)-1]
			continue
		}
		if key, value, ok := property(line); ok {
			out[prefixes.ReplaceAllString(key, "")] = value
		}
		line = ""
	}
	if key, value, ok := property(line); ok {
		out[prefixes.ReplaceAllString(key, "")] = value
	}
	return out
}

// continues reports whether an odd number of backslashes ends the line.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

func property(line string) (key, value string, ok bool) {
	i := strings.IndexAny(line, "=:")
	if i < 1 {
		return "", "", false
	}
	key = strings.ToLower(strings.TrimSpace(line[:i]))
	return key, unescape(strings.TrimSpace(line[i+1:])), key != ""
}

// unescape takes backslashes off; \n, \t and \r are what they stand for.
func unescape(v string) string {
	if !strings.Contains(v, `\`) {
		return v
	}
	var b strings.Builder
	escaped := false
	for _, r := range v {
		switch {
		case escaped:
			escaped = false
			switch r {
			case 'n':
				r = '\n'
			case 't':
				r = '\t'
			case 'r':
				r = '\r'
			}
			b.WriteRune(r)
		case r == '\\':
			escaped = true
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
