// Package nats is the connection type for NATS servers with and without
// JetStream (https://docs.nats.io). It looks and listens: it publishes nothing but
// requests for information, makes no consumer, and acknowledges no message.
package nats

import (
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// The answers to the choices.
const (
	overTLS      = "tls"
	overTLSFirst = "tls_first"
	overTCP      = "tcp"
	overWSS      = "wss"
	overWS       = "ws"

	byPassword    = "password"
	byToken       = "token"
	byNKey        = "nkey"
	byCreds       = "creds"
	byCertificate = "certificate"
	byNothing     = "anonymous"
)

type config struct {
	Servers   string            `field:"servers"`
	Transport string            `field:"transport"`
	Path      string            `field:"path"`
	Auth      string            `field:"auth"`
	User      string            `field:"user"`
	Password  connectors.Secret `field:"password"`
	Token     connectors.Secret `field:"token"`
	Seed      connectors.Secret `field:"seed"`
	Creds     connectors.Secret `field:"creds"`
	Subjects  string            `field:"subjects"`
	Streams   string            `field:"streams"`
	Domain    string            `field:"domain"`
	Inbox     string            `field:"inbox_prefix"`
	tlsx.Answers
}

func (c config) encrypted() bool {
	return c.Transport == overTLS || c.Transport == overTLSFirst || c.Transport == overWSS
}

func (c config) web() bool { return c.Transport == overWS || c.Transport == overWSS }

// credential is the field in which this sign-in's secret stands.
func (c config) credential() string {
	return map[string]string{byPassword: "password", byToken: "token", byNKey: "seed", byCreds: "creds", byCertificate: "client_cert", byNothing: "auth"}[c.Auth]
}

// Type is the NATS server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "nats", Name: "NATS", Group: connectors.GroupMessaging, Tile: "NA",
		Summary:  "JetStream streams, key-value buckets, object stores, live subjects",
		Keywords: []string{"nats", "jetstream", "synadia", "ngs", "key value", "kv", "object store", "subjects", "streams", "consumers", "messages", "publish", "subscribe"},
		Where:    []string{"servers"},
		Form:     form(),
		Guide:    guide(),
	}, open)
}

func guide() connectors.Guide {
	return connectors.Guide{
		Steps: []string{
			"The servers come from whoever runs NATS. An address such as nats://user@nats.example.com:4222 can be pasted.",
			"Accounts made with nsc or by Synadia Cloud have a .creds file: choose it in the form. It holds the user's JWT and its key.",
			"NATS itself has no list of subjects: live subjects show what is published while you look. What JetStream has stored is listed.",
		},
		Rights: "Live subjects: subscribe to them. JetStream: publish to $JS.API.INFO, $JS.API.STREAM.LIST, $JS.API.STREAM.INFO.*, $JS.API.CONSUMER.LIST.*, $JS.API.STREAM.MSG.GET.* and $JS.API.DIRECT.GET.>, and subscribe to _INBOX.> or to the inbox prefix of the form.",
		Admin:  "nsc add user reader --allow-sub 'orders.>,_INBOX.>' --allow-pub '$JS.API.INFO,$JS.API.STREAM.LIST,$JS.API.STREAM.INFO.*,$JS.API.CONSUMER.LIST.*,$JS.API.STREAM.MSG.GET.*,$JS.API.DIRECT.GET.>'; nsc generate creds -n reader",
		Notes: []string{
			"Stored messages are fetched by their number. No consumer is made and nothing is acknowledged, so nothing leaves a work queue.",
			"The live messages of a stream are heard on its subjects. A mirror has no subjects of its own: its stored messages can be read, and it is not heard live.",
			"A server that ends the connection is not connected to again and again: link again.",
		},
		Links: []connectors.Link{{Text: "Connecting", URL: "https://docs.nats.io/using-nats/developer/connecting"}, {Text: "JetStream", URL: "https://docs.nats.io/nats-concepts/jetstream"}},
	}
}

func form() connectors.Form {
	encrypted := connectors.When("transport", overTLS, overTLSFirst, overWSS)
	with := func(how string) []connectors.Cond { return connectors.When("auth", how) }
	fields := []connectors.Field{
		{Key: "servers", Label: "Servers", Kind: connectors.Lines, Required: true, Section: "Server", Example: "nats.example.com:4222", Tidy: tidyServers, Valid: validServers, Split: split,
			Help: "One a line; the first that can be reached is used. 4222 is the usual port."},
		{Key: "transport", Label: "Connect over", Kind: connectors.Choice, Default: overTLS, Options: []connectors.Option{
			{Value: overTLS, Label: "TLS"},
			{Value: overTLSFirst, Label: "TLS from the first byte", Help: "For servers with handshake_first, and behind proxies that end TLS."},
			{Value: overTCP, Label: "TCP, unencrypted", Help: "Others on the way can read everything, a password or token too."},
			{Value: overWSS, Label: "WebSocket over TLS"},
			{Value: overWS, Label: "WebSocket, unencrypted", Help: "Others on the way can read everything, a password or token too."},
		}},
		{Key: "path", Label: "WebSocket path", Kind: connectors.Text, Advanced: true, Show: connectors.When("transport", overWSS, overWS), Example: "/nats", Help: "Only where a proxy in front of the server wants one."},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"}, {Value: byCreds, Label: ".creds file (JWT)"}, {Value: byNKey, Label: "NKey"}, {Value: byToken, Label: "Token"},
			{Value: byCertificate, Label: "Client certificate"}, {Value: byNothing, Label: "Nothing"},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: with(byPassword), Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: with(byPassword)},
		{Key: "token", Label: "Token", Kind: connectors.SecretText, Required: true, Show: with(byToken)},
		{Key: "seed", Label: "NKey seed", Kind: connectors.SecretText, Required: true, Show: with(byNKey), Tidy: strings.TrimSpace, Valid: validSeed, Help: "It begins with SU. The public key, which begins with U, is what the server knows."},
		{Key: "creds", Label: ".creds file", Kind: connectors.SecretLines, Required: true, Show: with(byCreds), Tidy: tidyCreds, Valid: validCreds, Help: "The whole file, with both of its blocks."},
		{Key: "subjects", Label: "Live subjects", Kind: connectors.Lines, Default: ">", Section: "What to read", Example: "orders.>", Tidy: tidyLines, Valid: validSubjects,
			Help: "What is listened to where live subjects are chosen, one a line. * is one part, > is everything that follows."},
		{Key: "streams", Label: "Streams", Kind: connectors.Lines, Listed: true, Advanced: true, Example: "ORDERS", Tidy: tidyLines, Valid: validStreams,
			Help: "Only where the account may not list them. Key-value buckets are streams named KV_ and the bucket, object stores OBJ_ and the store."},
		{Key: "domain", Label: "JetStream domain", Kind: connectors.Text, Advanced: true, Example: "hub", Valid: validDomain, Help: "Where JetStream is reached through a leaf node."},
		{Key: "inbox_prefix", Label: "Inbox prefix", Kind: connectors.Text, Advanced: true, Example: "_INBOX_reader", Valid: validInbox, Help: "Where the account may not subscribe to _INBOX.>. Ask whoever gave you the account."},
	}
	for _, f := range tlsx.Fields(encrypted, true) {
		if strings.HasPrefix(f.Key, "client_") {
			f.Show = append(slices.Clone(f.Show), connectors.Cond{Key: "auth", Is: []string{byCertificate}})
			f.Advanced, f.Required = false, f.Key != "client_key_passphrase"
		}
		fields = append(fields, f)
	}
	return connectors.Form{Fields: fields}
}

// split understands addresses as NATS writes them, also several with commas.
func split(v string) map[string]string {
	first, _, _ := strings.Cut(strings.TrimSpace(v), ",")
	u, err := url.Parse(strings.TrimSpace(first))
	if err != nil || u.Hostname() == "" {
		return nil
	}
	transport, ok := map[string]string{"nats": "", "tls": overTLS, "ws": overWS, "wss": overWSS}[strings.ToLower(u.Scheme)]
	if !ok {
		return nil
	}
	out := map[string]string{"servers": tidyServers(v)}
	if transport != "" {
		out["transport"] = transport
	}
	if user := u.User.Username(); user != "" {
		if password, both := u.User.Password(); both {
			out["auth"], out["user"], out["password"] = byPassword, user, password
		} else {
			out["user"] = user
		}
	}
	if p := strings.Trim(u.Path, "/"); p != "" {
		out["path"] = u.Path
	}
	return out
}
