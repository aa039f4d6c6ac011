// Package rabbitmq is the connection type for RabbitMQ and other AMQP 0-9-1
// brokers (https://www.rabbitmq.com/amqp-0-9-1-reference). It looks through the
// management plugin's HTTP API where there is one, and never publishes; messages
// in queues are left alone unless a person asks to peek.
package rabbitmq

import (
	"strconv"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers to the choices.
const (
	secureTLS  = "tls"
	secureNone = "none"

	byPassword    = "password"
	byCertificate = "certificate"

	manageAuto = "auto"
	manageURL  = "url"
	manageNone = "none"
)

type config struct {
	Host           string            `field:"host"`
	Port           int               `field:"port"`
	Vhost          string            `field:"vhost"`
	Security       string            `field:"security"`
	Auth           string            `field:"auth"`
	User           string            `field:"user"`
	Password       connectors.Secret `field:"password"`
	Management     string            `field:"management"`
	ManagementURL  string            `field:"management_url"`
	ManageUser     string            `field:"management_user"`
	ManagePassword connectors.Secret `field:"management_password"`
	Known          string            `field:"known"`
	Listen         string            `field:"listen"`
	tlsx.Answers
}

func (c config) secure() bool { return c.Security == secureTLS }

// port is the answer, or the usual one.
func (c config) port() string {
	switch {
	case c.Port != 0:
		return strconv.Itoa(c.Port)
	case c.secure():
		return "5671"
	}
	return "5672"
}

// manager is who signs in to the management API.
func (c config) manager() (user string, password connectors.Secret) {
	if c.ManageUser != "" {
		return c.ManageUser, c.ManagePassword
	}
	if !c.ManagePassword.Empty() {
		return c.User, c.ManagePassword
	}
	return c.User, c.Password
}

// Type is the RabbitMQ broker.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "rabbitmq", Name: "RabbitMQ", Group: connectors.GroupMessaging, Tile: "RQ",
		Summary:  "Queues, exchanges and bindings; live messages",
		Keywords: []string{"amqp", "amqp 0-9-1", "message broker", "queue", "exchange", "vhost", "virtual host", "cloudamqp", "amazon mq", "lavinmq", "messages"},
		Where:    []string{"host", "vhost"},
		Form:     form(),
		Guide:    guide(),
	}, open)
}

func guide() connectors.Guide {
	return connectors.Guide{
		Steps: []string{
			"Host, port, virtual host, user and password come from whoever runs the broker. An address such as amqps://user@host:5671/vhost can be pasted into the host.",
			"The management web page, usually on port 15672 (15671 with TLS), uses the same user and password where the user has the tag “management”. It is what lists queues and exchanges.",
			"Hosted brokers (CloudAMQP, Amazon MQ) have the management page at an https address of its own: choose “At this address” and paste it.",
		},
		Rights: "To link: access to the virtual host. To list: the tag “management”. To see live messages of an exchange: configure, write and read for names that begin with amq.gen, and read for the exchange. To read a stream: read for it.",
		Admin:  "Make a user with the tag management and with no permissions in the virtual host (three empty expressions, ^$): that is enough to list. To see live messages, allow configure, write and read for names that begin with amq.gen, and read for the exchanges that should be seen and no others: who may read a queue may also take its messages away.",
		Notes: []string{
			"Messages in queues are not touched. Looking into one needs a click of its own, because RabbitMQ then marks the messages as redelivered.",
			"While an exchange is watched, its messages have one more receiver: what nobody else wants counts as delivered then. Exchanges that share messages out instead of copying them cannot be watched.",
			"The user guest may connect from the broker's own computer only, unless its administrator changed that.",
		},
		Links: []connectors.Link{
			{Text: "RabbitMQ: access control", URL: "https://www.rabbitmq.com/docs/access-control"},
			{Text: "RabbitMQ: management plugin", URL: "https://www.rabbitmq.com/docs/management"},
		},
	}
}

func form() connectors.Form {
	managed := connectors.When("management", manageAuto, manageURL)
	fields := []connectors.Field{
		amqpx.HostField("rabbit.example.com", "vhost"),
		answers.PortField("", "5671"),
		{Key: "vhost", Label: "Virtual host", Kind: connectors.Text, Listed: true, Default: "/", Example: "production", Tidy: tidyVhost, Valid: validVhost,
			Help: "As its name is written; / is the usual one."},
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: secureTLS, Options: []connectors.Option{
			{Value: secureTLS, Label: "TLS", Help: "Usually port 5671."},
			{Value: secureNone, Label: "None", Help: "Usually port 5672. Others on the way can read everything, the password too."},
		}},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"},
			{Value: byCertificate, Label: "Client certificate", Help: "The broker takes the user from the certificate (SASL EXTERNAL). It needs TLS."},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: connectors.When("auth", byPassword), Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword)},
		{Key: "management", Label: "Management page", Kind: connectors.Choice, Default: manageAuto, Section: "What to list", Options: []connectors.Option{
			{Value: manageAuto, Label: "On its usual port", Help: "Port 15671 with TLS, else 15672, on the same host."},
			{Value: manageURL, Label: "At this address"},
			{Value: manageNone, Label: "There is none", Help: "Queues and exchanges cannot be listed then, only those looked at that are named below."},
		}},
		{Key: "management_url", Label: "Address of the management page", Kind: connectors.URL, Required: true, Show: connectors.When("management", manageURL),
			Example: "https://rabbit.example.com:15671", Tidy: tidyManagement, Valid: validManagement},
		{Key: "known", Label: "Known queues and exchanges", Kind: connectors.Lines, Example: "orders\ntopic exchange: events", Valid: validKnown,
			Help: "One name a line, for brokers without a management page. Write “exchange: ” before the name of an exchange, and its type before that (“topic exchange: events”) to see its messages."},
		{Key: "management_user", Label: "Management user", Kind: connectors.Text, Advanced: true, Show: managed, Help: "When it is another than the one above."},
		{Key: "management_password", Label: "Management password", Kind: connectors.SecretText, Advanced: true, Show: managed},
		{Key: "listen", Label: "Exchanges to listen to at once", Kind: connectors.Lines, Advanced: true, Example: "events",
			Help: "One name a line. A temporary queue of our own gets copies of their messages as long as the preview is open. Empty: only the one that is looked at."},
	}
	return connectors.Form{Fields: append(fields, certificateFields()...)}
}

// certificateFields are the questions about TLS; those for a client certificate
// stand out where it is what signs in, and are hidden elsewhere only without TLS:
// a broker may want one besides the password.
func certificateFields() []connectors.Field {
	fields := tlsx.Fields(connectors.When("security", secureTLS), true)
	for i := range fields {
		if f := &fields[i]; f.Key == "client_cert" || f.Key == "client_key" {
			f.Help += " Needed where the certificate is what signs in."
		}
	}
	return fields
}
