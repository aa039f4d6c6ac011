// Package servicebus has the connection type of Azure Service Bus: queues, topics
// and subscriptions through the management interface, and a look at messages
// through AMQP 1.0 that neither locks nor takes any
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response).
package servicebus

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers to the choices.
const (
	byKey = "access_key"
	bySAS = "sas"

	overTLS       = "tls"
	overWebSocket = "websocket"
	toEmulator    = "emulator"
)

// publicCloud is where namespaces are unless a sovereign cloud has them.
const publicCloud = "servicebus.windows.net"

// emulatorManagement is the emulator's port for the management interface
// (https://learn.microsoft.com/azure/service-bus-messaging/test-locally-with-service-bus-emulator).
const emulatorManagement = "5300"

type config struct {
	Namespace  string            `field:"namespace"`
	Auth       string            `field:"auth"`
	KeyName    string            `field:"key_name"`
	AccessKey  connectors.Secret `field:"access_key"`
	SAS        connectors.Secret `field:"sas"`
	Entity     string            `field:"entity"`
	Transport  string            `field:"transport"`
	Port       int               `field:"port"`
	Suffix     string            `field:"endpoint_suffix"`
	Management string            `field:"management"`
	tlsx.ServerAnswers
}

// host is the namespace's full name.
func (c config) host() string {
	if strings.ContainsAny(c.Namespace, ".:") || c.Transport == toEmulator {
		return c.Namespace
	}
	return c.Namespace + "." + c.Suffix
}

func (c config) port() string {
	switch {
	case c.Port != 0:
		return strconv.Itoa(c.Port)
	case c.Transport == overWebSocket:
		return "443"
	case c.Transport == toEmulator:
		return "5672"
	}
	return "5671"
}

// base is the address of the management interface, without a slash at its end.
func (c config) base() (*url.URL, error) {
	text := "https://" + hostPart(c.host())
	switch {
	case c.Management != "":
		text = c.Management
	case c.Transport == toEmulator:
		text = "http://" + net.JoinHostPort(c.host(), emulatorManagement)
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "namespace", Err: err}
	}
	if u.Scheme != "https" && c.Transport != toEmulator {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "servicebus.management_open", Op: connectors.StageForm, Target: u.Host, Field: "management"}
	}
	return u, nil
}

// hostPart is a host as a URL has it.
func hostPart(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// Type is a namespace of Azure Service Bus.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "azure_service_bus", Name: "Azure Service Bus", Group: connectors.GroupMessaging, Tile: "SB",
		Summary:  "Queues, topics and subscriptions, their counts and messages",
		Keywords: []string{"azure", "microsoft", "service bus", "servicebus", "queue", "topic", "subscription", "dead letter", "dlq", "messages", "amqp", "shared access key", "sas", "connection string"},
		Where:    []string{"namespace", "entity"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"In the Azure portal open the Service Bus namespace, then Settings, Shared access policies.",
				"Open a policy and copy its primary connection string. Pasted into the namespace here, it fills in the rest.",
				"A single queue or topic has policies of its own, under its Settings. Their connection strings end with EntityPath=.",
			},
			Rights: "Listen on what is to be looked at. To list queues, topics and subscriptions, the policy needs Manage; Azure knows no right that only lists.",
			Admin:  "Add a policy with Listen alone on the one queue or topic, if that is all that is needed. The policy RootManageSharedAccessKey can do everything in the namespace.",
			Network: "AMQP needs port 5671 to the namespace, WebSocket port 443; the list of queues always comes over port 443. " +
				"Where the namespace has a firewall, this computer's public address has to be allowed under Networking.",
			Notes: []string{
				"Messages are peeked at: they are not locked or taken, and their delivery count stays as it is.",
				"A SAS token ends at the time that it was made for. Tokens that this program makes from a key are good for twenty minutes and are made anew when needed.",
				"Where an administrator has switched off local authentication, neither keys nor SAS tokens work.",
			},
			Links: []connectors.Link{
				{Text: "Shared access signatures", URL: "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas"},
				{Text: "Firewall of a namespace", URL: "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-ip-filtering"},
			},
		},
	}, open)
}

func form() connectors.Form {
	fields := []connectors.Field{
		{Key: "namespace", Label: "Namespace", Kind: connectors.Text, Required: true, Section: "Server", Example: "contoso", Tidy: tidyNamespace, Valid: answers.ValidHost, Split: splitConnection,
			Help: "The name, or a whole connection string (Endpoint=sb://…): it fills in the rest."},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byKey, Section: "Sign-in", Options: []connectors.Option{
			{Value: byKey, Label: "Shared access key", Help: "A policy's name and one of its two keys."},
			{Value: bySAS, Label: "SAS token", Help: "Somebody made it from a key, for a while."},
		}},
		{Key: "key_name", Label: "Policy", Kind: connectors.Text, Required: true, Show: connectors.When("auth", byKey), Example: "RootManageSharedAccessKey", Valid: validPolicy,
			Help: "SharedAccessKeyName in the connection string."},
		{Key: "access_key", Label: "Key", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byKey), Tidy: tidyKey, Valid: validKey, Split: splitConnection,
			Help: "The primary or the secondary key of the policy, SharedAccessKey in the connection string."},
		{Key: "sas", Label: "SAS token", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", bySAS), Tidy: tidySAS, Valid: validSAS, Split: splitConnection,
			Help: "It begins with SharedAccessSignature sr=."},
		{Key: "entity", Label: "Queue, topic or subscription", Kind: connectors.Text, Section: "What to look at", Example: "news/Subscriptions/audit", Tidy: tidyEntity, Valid: validEntity,
			Help: "Needed where the policy may not list: a queue's name, or topic/Subscriptions/subscription."},
		{Key: "transport", Label: "Connect by", Kind: connectors.Choice, Default: overTLS, Section: "Connection", Advanced: true, Options: []connectors.Option{
			{Value: overTLS, Label: "AMQP over TLS", Help: "Port 5671."},
			{Value: overWebSocket, Label: "WebSocket", Help: "Port 443, where a firewall lets nothing else out."},
			{Value: toEmulator, Label: "The Service Bus emulator", Help: "Port 5672 of this computer, without encryption."},
		}},
		answers.PortField("", "5671"),
		{Key: "endpoint_suffix", Label: "Cloud", Kind: connectors.Text, Default: publicCloud, Advanced: true, Example: "servicebus.chinacloudapi.cn", Tidy: tidyNamespace, Valid: answers.ValidHost,
			Help: "What follows the namespace in its full name. Sovereign clouds have another."},
		{Key: "management", Label: "Address of the management interface", Kind: connectors.URL, Advanced: true, Example: "https://contoso.servicebus.windows.net", Valid: validManagement,
			Help: "Only where it is not the namespace itself, such as behind a gateway."},
	}
	for i := range fields {
		if fields[i].Key == "port" {
			fields[i].Advanced = true
		}
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("transport", overTLS, overWebSocket), false)...)}
}
