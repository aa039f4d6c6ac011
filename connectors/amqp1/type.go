// Package amqp1 has the connection types that speak AMQP 1.0 (OASIS standard,
// http://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html):
// message brokers such as ActiveMQ, Artemis and Qpid.
// They never send to a queue, and take no message out of one.
package amqp1

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	byNothing     = "anonymous"
)

// The bounds of what a person types.
const (
	maxName      = 1000
	maxAddresses = 100
)

type config struct {
	Host            string            `field:"host"`
	Port            int               `field:"port"`
	Security        string            `field:"security"`
	Auth            string            `field:"auth"`
	User            string            `field:"user"`
	Password        connectors.Secret `field:"password"`
	Addresses       string            `field:"addresses"`
	Console         string            `field:"console_url"`
	ConsoleUser     string            `field:"console_user"`
	ConsolePassword connectors.Secret `field:"console_password"`
	Hostname        string            `field:"hostname"`
	tlsx.Answers
}

func (c config) port() string {
	switch {
	case c.Port != 0:
		return strconv.Itoa(c.Port)
	case c.Security == secureTLS:
		return "5671"
	}
	return "5672"
}

// Type is an AMQP 1.0 broker.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "amqp1", Name: "AMQP 1.0 (ActiveMQ, Artemis, Qpid)", Group: connectors.GroupMessaging, Tile: "A1",
		Summary:  "Queues and topics by name; a look at their messages",
		Keywords: []string{"amqp", "amqp 1.0", "activemq", "artemis", "amazon mq", "qpid", "solace", "ibm mq", "message broker", "queue", "topic", "messages"},
		Where:    []string{"host"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Host and port come from whoever runs the broker; an address such as amqps://user@host:5671 can be pasted into the host.",
				"AMQP 1.0 has no way to list queues, so write down the names of those that you want to see, or the address of ActiveMQ's or Artemis' web console.",
			},
			Rights: "To connect, and to browse (or to receive from) the queues that are named. Nothing is sent.",
			Admin:  "Create a user with the browse permission (Artemis: browse; ActiveMQ: read) for the queues that are needed.",
			Notes: []string{
				"Messages are browsed: the broker hands out copies. A broker that does not promise copies is not asked for messages, unless somebody presses “Look at messages”.",
				"ActiveMQ and Artemis make a queue that does not exist when somebody asks for it, unless their administrator switched that off. Check the spelling of names.",
				"For RabbitMQ with its AMQP 1.0 plugin write /amq/queue/NAME; /queue/NAME would make the queue. The connection type RabbitMQ shows more.",
			},
			Links: []connectors.Link{
				{Text: "ActiveMQ: AMQP", URL: "https://activemq.apache.org/components/classic/documentation/amqp"},
				{Text: "Artemis: AMQP", URL: "https://activemq.apache.org/components/artemis/documentation/latest/amqp.html"},
			},
		},
	}, open)
}

func form() connectors.Form {
	fields := []connectors.Field{
		amqpx.HostField("broker.example.com", "addresses"),
		answers.PortField("", "5671"),
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: secureTLS, Options: []connectors.Option{
			{Value: secureTLS, Label: "TLS", Help: "Usually port 5671."},
			{Value: secureNone, Label: "None", Help: "Usually port 5672. Others on the way can read everything, the password too."},
		}},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"},
			{Value: byCertificate, Label: "Client certificate", Help: "SASL EXTERNAL. It needs TLS, and the certificate under Advanced."},
			{Value: byNothing, Label: "Nothing"},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: connectors.When("auth", byPassword), Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword)},
		{Key: "addresses", Label: "Queues and topics", Kind: connectors.Lines, Section: "What to look at", Example: "orders\ntopic://news", Valid: validAddresses,
			Help: "One address a line, as the broker writes it: orders; for ActiveMQ also queue://orders or topic://news."},
		{Key: "console_url", Label: "Address of the web console", Kind: connectors.URL, Advanced: true, Example: "https://broker.example.com:8161", Valid: validConsole,
			Help: "ActiveMQ and Artemis list their queues there (Jolokia). Usually port 8161."},
		{Key: "console_user", Label: "Console user", Kind: connectors.Text, Advanced: true, Help: "When it is another than the one above."},
		{Key: "console_password", Label: "Console password", Kind: connectors.SecretText, Advanced: true},
		{Key: "hostname", Label: "Virtual host", Kind: connectors.Text, Advanced: true, Example: "production", Help: "For brokers that have several. Empty: the host above."},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("security", secureTLS), true)...)}
}

// addresses are the lines of an answer, each once.
func addresses(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func validAddresses(v string) error {
	all := addresses(v)
	if len(all) > maxAddresses {
		return errors.New("These are too many addresses: 100 can be looked at.")
	}
	for _, a := range all {
		if len(a) > maxName || !utf8.ValidString(a) {
			return errors.New("An address has at most 1000 letters.")
		}
	}
	return nil
}

func validConsole(v string) error {
	if u, err := url.Parse(v); err != nil || u.User != nil || u.RawQuery != "" {
		return errors.New("An address without user, password and question mark is expected here, for example https://broker.example.com:8161.")
	}
	return nil
}
