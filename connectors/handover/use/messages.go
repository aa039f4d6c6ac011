package use

import (
	"strings"
)

func messageFiles() []writer {
	return []writer{
		{Format: Format{ID: "mosquitto", Name: "mosquitto options file", For: "mosquitto_sub; as mosquitto_pub and mosquitto_rr beside it for those", File: "~/.config/mosquitto_sub", Mode: 0o600, Syntax: "text", Clear: true, Group: GroupFiles},
			can: "ca client", fits: (*plan).mosquittoFits, write: (*plan).mosquitto},
		{Format: Format{ID: "kafka", Name: "Kafka client properties", For: "kafka-console-consumer and Java programs", File: "client.properties", Mode: 0o600, Syntax: "properties", Clear: true, Group: GroupFiles},
			can: "ca client", fits: only("kafka"), write: (*plan).kafka},
		{Format: Format{ID: "kcat", Name: "kcat configuration", For: "kcat and programs with librdkafka", File: "~/.config/kcat.conf", Mode: 0o600, Syntax: "properties", Clear: true, Group: GroupFiles},
			can: "ca client", fits: only("kafka"), write: (*plan).kcat},
	}
}

func (p *plan) mosquittoFits() bool {
	return p.is("mqtt") && (p.v("transport") == "tls" || p.v("transport") == "tcp")
}

// mosquittoLine: the reader takes 1023 bytes of a line, cuts the option off at
// the first space, and knows no quotes (man mosquitto_sub, OPTIONS).
func mosquittoLine(v string) (string, error) {
	if len(v) > 900 {
		return v, errTooLong
	}
	return bare(v)
}

func (p *plan) mosquitto() string {
	out := "-h " + p.v("host") + "\n-p " + p.port() + "\n"
	put := func(option, key string) {
		if p.any(key) != "" {
			out += option + " " + p.q(key, mosquittoLine) + "\n"
		}
	}
	put("-u", "user")
	put("-P", "password")
	put("-i", "client_id")
	for _, topic := range p.list("topic") {
		out += "-t " + p.say("topic", topic, mosquittoLine) + "\n"
	}
	if p.v("protocol") == "5" {
		out += "-V 5\n"
	}
	if !p.secure() {
		return out
	}
	if ca := p.ca(); ca != "" {
		out += "--cafile " + ca + "\n"
	} else {
		out += "--tls-use-os-certs\n"
	}
	if cert := p.cert(); cert != "" {
		out += "--cert " + cert + "\n--key " + p.key() + "\n"
		if p.has("client_key_passphrase") {
			p.leaves("The passphrase of the client key is not in it: mosquitto asks for it.")
		}
	}
	return out
}

func (p *plan) kafkaProtocol() string {
	return map[string]string{"sasl_tls": "SASL_SSL", "tls": "SSL", "sasl_plaintext": "SASL_PLAINTEXT", "plaintext": "PLAINTEXT"}[p.v("security")]
}

// kafka: https://kafka.apache.org/documentation/#security_configclients
func (p *plan) kafka() string {
	w := pairs{sep: "\n", end: "\n"}
	text := func(name, v string) {
		if v != "" {
			out, _ := properties(v)
			w.add(name, out)
		}
	}
	text("bootstrap.servers", strings.Join(p.list("servers"), ","))
	text("security.protocol", p.kafkaProtocol())
	text("sasl.mechanism", p.v("mechanism"))
	text("client.id", p.v("client_id"))
	if p.wants("password") {
		module := "org.apache.kafka.common.security.scram.ScramLoginModule"
		if p.v("mechanism") == "PLAIN" {
			module = "org.apache.kafka.common.security.plain.PlainLoginModule"
		}
		login := module + " required username=" + p.q("user", jaas) + " password=" + p.q("password", jaas) + ";"
		w.add("sasl.jaas.config", p.say("password", login, properties))
	}
	if p.asks("token") {
		p.leaves("The token is not in it: Java programs fetch their own, see sasl.oauthbearer.token.endpoint.url.")
	}
	if ca := p.ca(); ca != "" {
		text("ssl.truststore.type", "PEM")
		text("ssl.truststore.location", ca)
	}
	if name := p.pair(); name != "" {
		text("ssl.keystore.type", "PEM")
		text("ssl.keystore.location", name)
		if p.any("client_key_passphrase") != "" {
			w.add("ssl.key.password", p.q("client_key_passphrase", properties))
		}
	}
	p.noStores()
	return w.String()
}

func (p *plan) noStores() {
	if p.has("keystore") || p.has("truststore") {
		p.leaves("The key store and trust store are not in it. Name your own files of them.")
	}
}

// kcat: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
// with kcat's rule for a file: blanks around a value are cut off.
func (p *plan) kcat() string {
	w := pairs{sep: "\n", end: "\n"}
	text := func(name, v string) {
		if v != "" {
			w.add(name, v)
		}
	}
	text("bootstrap.servers", strings.Join(p.list("servers"), ","))
	text("security.protocol", p.kafkaProtocol())
	text("sasl.mechanism", p.v("mechanism"))
	w.put(p, "client.id", "client_id", bare)
	w.put(p, "sasl.username", "user", kcatValue)
	w.put(p, "sasl.password", "password", kcatValue)
	text("ssl.ca.location", p.ca())
	if cert := p.cert(); cert != "" {
		text("ssl.certificate.location", cert)
		text("ssl.key.location", p.key())
		w.put(p, "ssl.key.password", "client_key_passphrase", bare)
	}
	if p.asks("token") {
		p.leaves("The token is not in it: librdkafka fetches its own, see sasl.oauthbearer.token.endpoint.url.")
	}
	p.noStores()
	return w.String()
}

// kcatValue: kcat takes backslashes off before a colon, and nowhere else.
func kcatValue(v string) (string, error) {
	if strings.Contains(v, `\:`) {
		return v, errBackslash
	}
	return bare(v)
}
