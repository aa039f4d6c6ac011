// Package mqtt is the connection type for MQTT 3.1.1 brokers (OASIS standard,
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html). It
// subscribes and never publishes.
package mqtt

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
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
	ClientID  string            `field:"client_id"`
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
			Rights: "Subscribing to the topic filter. Nothing is ever published.",
			Admin:  "Create a user that may subscribe to the topics that are needed, and no more.",
		},
	}, open)
}

func form() connectors.Form {
	encrypted := connectors.When("transport", "tls", "wss")
	fields := []connectors.Field{
		answers.HostField("broker.example.com", split),
		answers.PortField("", "8883"),
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
		{Key: "topic", Label: "Topic filter", Kind: connectors.Text, Default: "#", Section: "What to read", Example: "plant/+/temperature", Valid: validFilter,
			Help: "# is everything below, + is any one level."},
		{Key: "client_id", Label: "Client ID", Kind: connectors.Text, Advanced: true, Help: "Leave empty for one of its own. A client ID that is in use throws the other one out."},
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
	transports := map[string]string{"mqtt": "tcp", "tcp": "tcp", "mqtts": "tls", "ssl": "tls", "tls": "tls", "ws": "ws", "wss": "wss"}
	u, err := url.Parse(strings.TrimSpace(v))
	if err != nil {
		return nil
	}
	transport, ok := transports[strings.ToLower(u.Scheme)]
	if !ok {
		return nil
	}
	out := answers.SplitURL("", strings.ToLower(u.Scheme))(v)
	if out == nil {
		return nil
	}
	out["transport"] = transport
	if transport[0] == 'w' && u.Path != "" {
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

// validFilter follows section 4.7 of the standard.
func validFilter(v string) error {
	if len(v) > 65535 {
		return sentence("This is longer than a topic may be.")
	}
	levels := strings.Split(v, "/")
	for i, l := range levels {
		if strings.Contains(l, "#") && (l != "#" || i != len(levels)-1) {
			return sentence("# stands alone, as the last level: plant/#.")
		}
		if strings.Contains(l, "+") && l != "+" {
			return sentence("+ stands for a whole level: plant/+/temperature.")
		}
	}
	return nil
}

type sentence string

func (s sentence) Error() string { return string(s) }
