package fill

import (
	"net/url"
	"strings"
)

// SSH answers with one keyword of ssh_config(5); keywords are case-insensitive.
func SSH(d *Draft, key, value string) {
	switch k := strings.ToLower(key); k {
	case "hostname":
		d.Set("host", value, key)
	case "port", "user":
		if !d.Has(k) {
			d.Set(k, value, key)
		}
	case "identityfile":
		if strings.EqualFold(value, "none") {
			return
		}
		d.Choose("auth", "key")
		d.File("IdentityFile", value)
	case "certificatefile", "userknownhostsfile":
		if !strings.EqualFold(value, "none") {
			d.File(key, value)
		}
	case "proxyjump":
		if !strings.EqualFold(value, "none") {
			d.Leave("ProxyJump "+value, "Save the jump host as a connection of its own and choose it under the way to the server.")
		}
	case "proxycommand":
		if !strings.EqualFold(value, "none") {
			d.Leave("ProxyCommand", "A command cannot be the way to the server; a proxy or a jump host can.")
		}
	case "hostkeyalgorithms", "kexalgorithms", "ciphers", "macs", "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes":
		if oldAlgorithm(value) {
			d.Choose("legacy", "true")
		}
	case "preferredauthentications":
		if first, _, _ := strings.Cut(value, ","); first == "keyboard-interactive" {
			d.Choose("auth", "interactive")
		}
	case "identityagent", "include", "match", "hostkeyalias", "gssapiauthentication", "pkcs11provider":
		d.Leave(key, "")
	case "stricthostkeychecking":
		if strings.EqualFold(value, "no") || strings.EqualFold(value, "off") {
			d.Note("The host's key was not checked. This program asks once and then always checks it.")
		}
	}
}

func oldAlgorithm(list string) bool {
	for _, a := range strings.Split(strings.TrimLeft(list, "+^"), ",") {
		switch a {
		case "ssh-rsa", "ssh-dss", "diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc", "hmac-sha1", "hmac-md5":
			return !strings.HasPrefix(list, "-")
		}
	}
	return false
}

// Kafka answers with one property of the Java client or of librdkafka
// (https://kafka.apache.org/documentation/#consumerconfigs,
// https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md).
func Kafka(d *Draft, key, value string) {
	switch key {
	case "bootstrap.servers", "metadata.broker.list":
		var lines []string
		for _, s := range strings.Split(value, ",") {
			if _, after, ok := strings.Cut(s, "://"); ok {
				s = after
			}
			lines = append(lines, strings.TrimSpace(s))
		}
		d.Set("servers", strings.Join(lines, "\n"), key)
	case "security.protocol":
		v := map[string]string{"sasl_ssl": "sasl_tls", "ssl": "tls", "sasl_plaintext": "sasl_plaintext", "plaintext": "plaintext"}[strings.ToLower(value)]
		d.Set("security", v, key)
	case "sasl.mechanism", "sasl.mechanisms":
		d.Set("mechanism", strings.ToUpper(value), key)
	case "sasl.username":
		d.Set("user", value, key)
	case "sasl.password":
		d.Set("password", value, key)
	case "client.id":
		d.Set("client_id", value, key)
	case "sasl.jaas.config":
		jaas(d, value)
	case "ssl.keystore.location", "ssl.certificate.location", "ssl.key.location", "ssl.ca.location", "ssl.truststore.location":
		d.File(key, value)
		d.Choose("certificate", map[string]string{"ssl.keystore.location": "store", "ssl.certificate.location": "pem"}[key])
	case "ssl.keystore.password":
		d.Set("keystore_password", value, key)
	case "ssl.truststore.password":
		d.Set("truststore_password", value, key)
	case "ssl.key.password":
		if d.Get("certificate") == "pem" {
			d.Set("client_key_passphrase", value, key)
		} else {
			d.Leave(key, "")
		}
	case "ssl.endpoint.identification.algorithm":
		if value == "" {
			d.Note("The server's name was not checked. This program always does.")
		}
	case "group.id", "auto.offset.reset", "key.deserializer", "value.deserializer", "acks", "key.serializer", "value.serializer", "builtin.features":
	default:
		d.Leave(key, "")
	}
}

// jaas reads a login module's line: Module required name="value" …;
func jaas(d *Draft, v string) {
	for _, kv := range ConnInfo(jaasPairs(v)) {
		switch kv[0] {
		case "username":
			d.Set("user", kv[1], kv[0])
		case "password":
			d.Set("password", kv[1], kv[0])
		case "clientId", "clientSecret", "scope":
			d.Leave("sasl.jaas.config "+kv[0], "The form wants the token itself.")
		}
	}
	if strings.Contains(v, "ScramLoginModule") && !d.Has("mechanism") {
		d.Choose("mechanism", "SCRAM-SHA-512")
	}
}

// jaasPairs turns the line's double quotes into those of ConnInfo.
func jaasPairs(v string) string {
	_, pairs, ok := strings.Cut(v, " required")
	if !ok {
		return ""
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(pairs); i++ {
		switch c := pairs[i]; {
		case c == '\\' && quoted && i+1 < len(pairs):
			i++
			b.WriteByte('\\')
			b.WriteByte(pairs[i])
		case c == '"':
			quoted = !quoted
			b.WriteByte('\'')
		case c == '\'' && quoted:
			b.WriteString(`\'`)
		case c == ';' && !quoted:
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// NATS answers with a list of server addresses.
func NATS(d *Draft, list string) {
	var servers []string
	for _, s := range strings.Split(list, ",") {
		scheme, rest, ok := strings.Cut(strings.TrimSpace(s), "://")
		if !ok {
			scheme, rest = "nats", strings.TrimSpace(s)
		}
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			natsUser(d, rest[:i])
			rest = rest[i+1:]
		}
		d.Choose("transport", map[string]string{"nats": "tcp", "tls": "tls", "ws": "ws", "wss": "wss"}[scheme])
		servers = append(servers, strings.TrimRight(rest, "/"))
	}
	d.Set("servers", strings.Join(servers, "\n"), "the servers")
}

func natsUser(d *Draft, who string) {
	user, password, ok := strings.Cut(who, ":")
	if u, err := url.PathUnescape(user); err == nil {
		user = u
	}
	if p, err := url.PathUnescape(password); err == nil {
		password = p
	}
	d.Note("The password stood in the address.")
	if !ok {
		d.Choose("auth", "token")
		d.Set("token", user, "the token")
		return
	}
	d.Set("user", user, "the user")
	d.Set("password", password, "the password")
}
