package addresses

import (
	"strings"
)

// amqp understands RabbitMQ's URIs, which other brokers use as well
// (https://www.rabbitmq.com/docs/uri-spec, https://www.rabbitmq.com/docs/uri-query-parameters).
func (r *reader) amqp(a address) (outcome, bool) {
	if strings.Contains(strings.ToLower(a.host), ".servicebus.") {
		return r.serviceBus(a)
	}
	o := queryOptions(a.query, false)
	a.query = ""
	rabbit, one := r.draft("rabbitmq"), r.draft("amqp1")
	for _, d := range []*draft{rabbit, one} {
		d.split("host", a.clean(""))
		d.credentials(a)
		if folded(o.take("auth_mechanism")) == "external" {
			d.set("auth", "certificate")
		}
		if o.take("verify") == "verify_none" {
			d.r.Note(noteChecked)
		}
		d.files(o, "cacertfile", "certfile", "keyfile")
		d.first(a)
		d.rest(o)
	}
	if a.path == "/" && a.host != "" { // RabbitMQ: the virtual host without a name
		rabbit.r.Leave("Empty virtual host", whyNoPlace)
	}
	return r.made("address", rabbit, one)
}

// serviceBus is a namespace of Azure Service Bus by its address alone.
func (r *reader) serviceBus(a address) (outcome, bool) {
	d := r.draft("azure_service_bus")
	if host, ok := strings.CutSuffix(strings.ToLower(a.host), ".servicebus.windows.net"); ok {
		d.set("namespace", host)
	} else {
		name, suffix, _ := strings.Cut(a.host, ".")
		d.set("namespace", name)
		d.set("endpoint_suffix", suffix)
	}
	d.set("entity", a.name())
	if a.port != "5671" && a.port != "443" {
		d.set("port", a.port)
	}
	d.set("key_name", a.user)
	d.secret("access_key", a.password)
	d.remarks(a)
	return r.made("address", d)
}

// mqtt understands the schemes that MQTT's clients use. tcp, tls and WebSocket
// addresses are other services' too, which their ports tell
// (https://github.com/mqtt/mqtt.org/wiki/URI-Scheme).
func (r *reader) mqtt(a address) (outcome, bool) {
	if out, ok := r.byPort(a); ok {
		return out, true
	}
	o := queryOptions(a.query, false)
	a.query = ""
	if strings.Contains(a.host, ".iot.") && strings.Contains(a.host, ".amazonaws.com") {
		d := r.draft("aws_iot")
		d.set("endpoint", a.host)
		d.set("client_id", o.take("clientid", "client_id"))
		d.rest(o)
		return r.made("address", d)
	}
	d := r.draft("mqtt")
	d.split("host", a.clean(""))
	d.first(a)
	d.set("client_id", o.take("clientid", "client_id"))
	d.credentials(a)
	if strings.HasPrefix(a.scheme, "mqtt") || a.scheme == "tcp" || a.scheme == "ssl" {
		d.set("topic", strings.Trim(a.name(), "/")) // as mosquitto's -L has it
	}
	d.rest(o)
	drafts := []*draft{d}
	if a.scheme == "tls" || a.scheme == "ws" || a.scheme == "wss" {
		drafts = append(drafts, r.natsDraft(a))
	}
	return r.made("address", drafts...)
}

func (r *reader) byPort(a address) (outcome, bool) {
	if strings.HasPrefix(a.scheme, "mqtt") {
		return outcome{}, false
	}
	switch a.port {
	case "4222", "4443":
		return r.nats(a)
	case "61616", "61617":
		return unknown("ActiveMQ (OpenWire)", "address")
	case "61613":
		return unknown("STOMP", "address")
	}
	if a.scheme != "tcp" {
		return outcome{}, false
	}
	switch a.port { // as Docker's links and Heroku's add-ons write them
	case "6379":
		a.scheme = "redis"
		return r.redis(a)
	case "5432":
		a.scheme = "postgres"
		return r.postgres(a)
	case "3306":
		a.scheme = "mysql"
		return r.mysql(a)
	case "9000", "8123":
		a.scheme = "clickhouse"
		return r.clickhouse(a)
	case "9092":
		return r.kafkaURL(a)
	}
	return outcome{}, false
}

func (r *reader) nats(a address) (outcome, bool) { return r.made("address", r.natsDraft(a)) }

// natsDraft: a user without a password is a token
// (https://docs.nats.io/using-nats/developer/connecting/token).
func (r *reader) natsDraft(a address) *draft {
	d := r.draft("nats")
	d.split("servers", a.clean(""))
	if usual := map[string]string{"ws": "80", "wss": "443"}[a.scheme]; usual != "" && a.port == "" && a.more == 0 {
		d.set("servers", a.hosts+":"+usual)
	}
	switch {
	case a.user != "" && a.password == "" && a.signed:
		d.set("auth", "token")
		d.r.SetSecret("token", a.user)
		d.r.Note(noteToken)
		d.remarks(a)
	default:
		d.credentials(a)
	}
	d.rest(queryOptions(a.query, false))
	return d
}

// kafkaURL is a list of brokers with the security protocol as its scheme, as
// listeners are written
// (https://kafka.apache.org/documentation/#brokerconfigs_listeners); kafka+ssl is
// Heroku's.
func (r *reader) kafkaURL(a address) (outcome, bool) {
	d := r.draft("kafka")
	d.set("servers", strings.ReplaceAll(a.hosts, ",", "\n"))
	security := map[string]string{"sasl-ssl": "sasl_tls", "sasl-plaintext": "sasl_plaintext", "plaintext": "plaintext", "ssl": "tls", "kafkas": "sasl_tls"}[a.scheme]
	if a.driver == "ssl" {
		security = "tls"
	}
	d.set("security", security)
	d.credentials(a)
	if topic := strings.Trim(a.name(), "/"); topic != "" && !strings.Contains(topic, ",") {
		d.set("topics", topic)
	}
	d.rest(queryOptions(a.query, false))
	return r.made("address", d)
}

// mail understands smtp, smtps, imap and imaps (RFC 5092); imap's user may name
// the way to sign in, and its path a mailbox.
func (r *reader) mail(a address) (outcome, bool) {
	id := "smtp"
	if strings.HasPrefix(a.scheme, "imap") {
		id = "imap"
	}
	d := r.draft(id)
	o := queryOptions(a.query, false)
	a.query = ""
	d.split("host", a.clean(""))
	user, params, _ := strings.Cut(a.user, ";")
	a.user = user
	if _, way, ok := strings.Cut(strings.ToUpper(params), "AUTH="); ok && way != "*" {
		d.mechanism(way)
	}
	d.mechanism(o.take("auth", "auth_mechanism"))
	if id == "imap" {
		box, _, _ := strings.Cut(a.name(), ";")
		d.set("folder", strings.TrimSuffix(box, "/"))
	}
	if !a.signed && id == "smtp" && a.port == "25" {
		d.set("auth", none)
	}
	switch folded(o.take("encryption", "tls", "secure")) {
	case "ssl", "smtps", "implicit":
		d.set("security", tlsOn)
	case "tls", "starttls":
		d.set("security", "starttls")
	}
	d.credentials(a)
	d.rest(o)
	return r.made("address", d)
}

func (d *draft) mechanism(way string) {
	if way = strings.ToLower(way); way == "" {
		return
	}
	f, _ := d.t.Form.Field("auth")
	if d.t.ID != "" && f.Verify(way) != nil {
		d.r.Leave("AUTH", whyAuth)
		return
	}
	d.set("auth", way)
}
