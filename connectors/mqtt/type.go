// Package mqtt is the connection type for brokers of MQTT 3.1.1 and MQTT 5 (OASIS
// standards). It subscribes, and publishes only what a person asks for.
package mqtt

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/mqttx"
	"jackfield/connectors/internal/tlsx"
)

type config struct {
	Host      string            `field:"host"`
	Port      int               `field:"port"`
	Transport string            `field:"transport"`
	Path      string            `field:"path"`
	Auth      string            `field:"auth"`
	User      string            `field:"user"`
	Password  connectors.Secret `field:"password"`
	Topic     string            `field:"topic"`
	Protocol  string            `field:"protocol"`
	Figures   bool              `field:"sys"`
	Shared    bool              `field:"shared"`
	ClientID  string            `field:"client_id"`
	ExactID   bool              `field:"exact_id"`
	tlsx.Answers
}

func (c config) secure() bool { return c.Transport == "tls" || c.Transport == "wss" }
func (c config) web() bool    { return c.Transport == "ws" || c.Transport == "wss" }

// port is the answer, or the transport's usual one.
func (c config) port() string {
	if c.Port != 0 {
		return strconv.Itoa(c.Port)
	}
	return map[string]string{"tcp": "1883", "tls": "8883", "ws": "80", "wss": "443"}[c.Transport]
}

func (c config) addr() string { return net.JoinHostPort(c.Host, c.port()) }

func (c config) filters() []string { return mqttx.Filters(c.Topic) }

// id is one that nobody uses, except where the person wants exactly theirs: a
// broker ends the session that has the same ID (MQTT 3.1.1 section 3.1.4, MQTT 5
// section 3.1.4), and there is no way to ask whether there is one.
func (c config) id() string {
	switch {
	case c.ClientID == "":
		return mqttx.ClientID()
	case c.ExactID:
		return c.ClientID
	}
	return mqttx.Beside(c.ClientID)
}

// check finds answers that do not go together.
func (c config) check() error {
	wrong := func(reason, field string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field}
	}
	switch {
	case c.Auth == "certificate" && !c.secure():
		return wrong("mqtt.certificate_needs_tls", "transport")
	case !c.Shared && slices.ContainsFunc(c.filters(), mqttx.Shared):
		return wrong("mqtt.shared", "shared")
	}
	return nil
}

// Type is the MQTT broker.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "mqtt", Name: "MQTT broker", Group: connectors.GroupMessaging, Tile: "MQ",
		Summary:  "Topics and their messages, live",
		Keywords: []string{"iot", "mosquitto", "hivemq", "emqx", "topics", "sensors", "messages", "publish", "subscribe"},
		Where:    []string{"host"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps:  []string{"Host, port and kind of connection come from whoever runs the broker.", "Brokers tell no list of topics: what is seen is what is published while you look, and what was kept (retained)."},
			Rights: "Subscribing to the topic filter. Nothing is published unless you choose it at a topic.",
			Admin:  "Create a user that may subscribe to the topics that are needed, and no more.",
			Notes: []string{
				"Many brokers leave out what an account may not read, and say nothing. An empty tree can mean a missing right.",
				"Two programs with one client ID throw each other out. A client ID that you type gets letters added, unless you say that it must be used exactly.",
				"MQTT 5 says more than 3.1.1: why something was refused, and what kind of content a message has. Not every broker speaks it.",
			},
			Links: []connectors.Link{{Text: "MQTT 3.1.1", URL: "https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html"}, {Text: "MQTT 5", URL: "https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html"}},
		},
	}, open)
}

func form() connectors.Form {
	encrypted := connectors.When("transport", "tls", "wss")
	fields := []connectors.Field{
		answers.HostField("broker.example.com", split),
		portField(),
		{Key: "transport", Label: "Connect over", Kind: connectors.Choice, Default: "tls", Options: []connectors.Option{
			{Value: "tls", Label: "TLS", Help: "Usually port 8883."},
			{Value: "tcp", Label: "TCP, unencrypted", Help: "Usually port 1883. Others on the way can read everything, the password too."},
			{Value: "wss", Label: "WebSocket over TLS", Help: "Usually port 443."},
			{Value: "ws", Label: "WebSocket, unencrypted", Help: "Others on the way can read everything, the password too."},
		}},
		{Key: "path", Label: "WebSocket path", Kind: connectors.Text, Default: "/mqtt", Show: connectors.When("transport", "ws", "wss"), Tidy: tidyPath},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "password", Section: "Sign-in", Options: []connectors.Option{
			{Value: "password", Label: "User and password"}, {Value: "certificate", Label: "Client certificate"}, {Value: "anonymous", Label: "Nothing"},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: connectors.When("auth", "password"), Example: "dashboard"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Show: connectors.When("auth", "password")},
		{Key: "topic", Label: "Topic filters", Kind: connectors.Lines, Default: "#", Section: "What to read", Example: "plant/+/temperature", Tidy: mqttx.TidyFilters, Valid: mqttx.ValidFilters,
			Help: "One a line. # is everything below, + is any one level."},
		{Key: "protocol", Label: "MQTT version", Kind: connectors.Choice, Default: "3.1.1", Options: []connectors.Option{
			{Value: "3.1.1", Label: "3.1.1 (every broker)"},
			{Value: "5", Label: "5", Help: "Tells more about messages and refusals."},
		}},
		{Key: "sys", Label: "Show the broker's own figures ($SYS)", Kind: connectors.Toggle, Default: "true", Advanced: true,
			Help: "Asked for together with #, and shown where the broker gives them."},
		{Key: "shared", Label: "Take part in shared subscriptions ($share)", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "Each message of a shared subscription goes to one member of its group alone: what is shown here, the programs in the group do not get."},
		{Key: "client_id", Label: "Client ID", Kind: connectors.Text, Advanced: true, Example: "dashboard-7", Valid: validID,
			Help: "Leave empty for one of its own. What you type gets some letters added, so that a program with the same client ID stays connected."},
		{Key: "exact_id", Label: "Use exactly this client ID", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "For brokers that let in only client IDs that they know. Whoever is connected with it is thrown out, and messages that the broker keeps for it are lost."},
	}
	for _, f := range tlsx.Fields(encrypted, true) {
		if strings.HasPrefix(f.Key, "client_") {
			f.Show = append(slices.Clone(f.Show), connectors.Cond{Key: "auth", Is: []string{"certificate"}})
			f.Advanced = false
			f.Required = f.Key != "client_key_passphrase"
		}
		fields = append(fields, f)
	}
	return connectors.Form{Fields: fields}
}

// split understands mqtts://user@host:8883 and the like, pasted into the host.
func split(v string) map[string]string {
	out := answers.SplitScheme("", "transport", map[string]string{"mqtt": "tcp", "tcp": "tcp", "mqtts": "tls", "ssl": "tls", "tls": "tls", "ws": "ws", "wss": "wss"})(v)
	if u, err := url.Parse(strings.TrimSpace(v)); err == nil && u.Path != "" && strings.HasPrefix(out["transport"], "ws") {
		out["path"] = u.Path
	}
	return out
}

func tidyPath(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.HasPrefix(v, "/") {
		v = "/" + v
	}
	return v
}

// validID wants what every broker can take (section 1.5.3: no control characters).
func validID(v string) error {
	if len(v) > 256 || connectors.Clean(v, 0) != v {
		return errors.New("A client ID has letters, digits and signs, at most 256 of them.")
	}
	return nil
}

func portField() connectors.Field {
	f := answers.PortField("", "8883")
	f.Help = "Empty for the usual one: 8883 with TLS, 1883 without, 443 and 80 for WebSocket."
	return f
}
