// Package kafka is the connection type for Apache Kafka and for what speaks its
// protocol (https://kafka.apache.org/protocol.html). It reads: it joins no
// consumer group, commits no offset, creates no topic and sends no message.
package kafka

import (
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers to the choices.
const (
	secureNone     = "plaintext"
	secureTLS      = "tls"
	secureSASL     = "sasl_plaintext"
	secureSASLTLS  = "sasl_tls"
	mechPlain      = "PLAIN"
	mechScram256   = "SCRAM-SHA-256"
	mechScram512   = "SCRAM-SHA-512"
	mechOAuth      = "OAUTHBEARER"
	certificateNo  = "none"
	certificatePEM = "pem"
	certificateJKS = "store"
)

type config struct {
	Servers       string            `field:"servers"`
	Security      string            `field:"security"`
	Mechanism     string            `field:"mechanism"`
	User          string            `field:"user"`
	Password      connectors.Secret `field:"password"`
	Token         connectors.Secret `field:"token"`
	Extensions    string            `field:"extensions"`
	Topics        string            `field:"topics"`
	ClientID      string            `field:"client_id"`
	Certificate   string            `field:"certificate"`
	Keystore      connectors.Secret `field:"keystore"`
	KeystorePass  connectors.Secret `field:"keystore_password"`
	Truststore    connectors.Secret `field:"truststore"`
	TruststorePwd connectors.Secret `field:"truststore_password"`
	tlsx.Answers
}

func (c config) encrypted() bool { return c.Security == secureTLS || c.Security == secureSASLTLS }
func (c config) sasl() bool      { return c.Security == secureSASL || c.Security == secureSASLTLS }

// credential is the field in which this sign-in's secret stands.
func (c config) credential() string {
	switch {
	case !c.sasl():
		return "security"
	case c.Mechanism == mechOAuth:
		return "token"
	}
	return "password"
}

// Type is the Kafka cluster.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "kafka", Name: "Apache Kafka", Group: connectors.GroupMessaging, Tile: "KA",
		Summary:  "Topics and their messages, consumer groups and their lag",
		Keywords: []string{"kafka", "confluent", "redpanda", "amazon msk", "event hubs", "aiven", "warpstream", "strimzi", "topics", "partitions", "consumer group", "lag", "streaming", "broker"},
		Where:    []string{"servers"},
		Form:     form(),
		Guide:    guide(),
	}, open)
}

func guide() connectors.Guide {
	return connectors.Guide{
		Steps: []string{
			"The bootstrap servers, the security protocol and the SASL mechanism come from whoever runs the cluster. Hosted clusters show them under “Clients” or “Connection information”.",
			"A whole client.properties file can be pasted into the bootstrap servers: it fills in the rest.",
			"Confluent Cloud: security SASL over TLS, mechanism PLAIN; the user is the API key and the password its secret. Azure Event Hubs: port 9093, mechanism PLAIN, user $ConnectionString, password the connection string.",
			"Java's key store and trust store files (.jks, .p12) can be used as they are: choose them in the form, with their passwords.",
		},
		Rights:  "To see a topic: Describe on it. To read its messages: Read on it. To see a consumer group and its lag: Describe on the group. No right on any group is needed to read messages, because no group is joined.",
		Admin:   "Make a user, and allow it Read on the topics that should be seen, and Describe on the groups whose lag should be seen. Nothing else is needed.",
		Network: "Every broker has to be reachable, not the bootstrap server alone: a cluster tells its clients the addresses of its brokers (advertised.listeners), and these are then dialled.",
		Notes: []string{
			"Kafka leaves out of its lists what an account may not see, and says nothing. An empty list can mean a missing right. Topics that are named in the form are asked for by name, so that a missing right is told.",
			"Messages are read without a consumer group and nothing is marked as read: no program misses a message because of it.",
			"The number of messages is the distance between the first and the last offset. Compacted topics have fewer.",
		},
		Links: []connectors.Link{
			{Text: "Kafka security", URL: "https://kafka.apache.org/documentation/#security"},
			{Text: "Authorization and ACLs", URL: "https://kafka.apache.org/documentation/#security_authz"},
		},
	}
}

func form() connectors.Form {
	encrypted := connectors.When("security", secureTLS, secureSASLTLS)
	signed := connectors.When("security", secureSASLTLS, secureSASL)
	password := append(slices.Clone(signed), connectors.When("mechanism", mechPlain, mechScram256, mechScram512)...)
	bearer := append(slices.Clone(signed), connectors.When("mechanism", mechOAuth)...)
	fields := []connectors.Field{
		{Key: "servers", Label: "Bootstrap servers", Kind: connectors.Lines, Required: true, Section: "Cluster", Example: "broker1.example.com:9093", Tidy: tidyServers, Valid: validServers, Split: splitProperties,
			Help: "One or more, with their ports. A client.properties file can be pasted here as a whole."},
		{Key: "security", Label: "Security", Kind: connectors.Choice, Default: secureSASLTLS, Options: []connectors.Option{
			{Value: secureSASLTLS, Label: "SASL over TLS", Help: "SASL_SSL: encrypted, with a user or a token. Usual for hosted clusters."},
			{Value: secureTLS, Label: "TLS", Help: "SSL: encrypted, with a client certificate or without any sign-in."},
			{Value: secureSASL, Label: "SASL, unencrypted", Help: "SASL_PLAINTEXT: others on the way can read everything; with PLAIN and OAUTHBEARER the password or token too."},
			{Value: secureNone, Label: "Nothing", Help: "PLAINTEXT: no encryption and no sign-in. Others on the way can read everything."},
		}},
		{Key: "mechanism", Label: "SASL mechanism", Kind: connectors.Choice, Default: mechPlain, Section: "Sign-in", Show: signed, Options: []connectors.Option{
			{Value: mechPlain, Label: "PLAIN", Help: "User and password, or an API key and its secret."},
			{Value: mechScram256, Label: "SCRAM-SHA-256"},
			{Value: mechScram512, Label: "SCRAM-SHA-512"},
			{Value: mechOAuth, Label: "OAUTHBEARER", Help: "A token that an identity provider has issued."},
		}},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: password, Example: "reader", Help: "Or the API key."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: password},
		{Key: "token", Label: "Token", Kind: connectors.SecretText, Required: true, Show: bearer, Tidy: answers.TidySecret("Bearer "), Valid: validToken},
		{Key: "extensions", Label: "SASL extensions", Kind: connectors.Lines, Advanced: true, Show: bearer, Example: "logicalCluster=lkc-1234", Valid: validExtensions,
			Help: "name=value, one a line. Confluent Cloud wants logicalCluster and identityPoolId."},
		{Key: "topics", Label: "Topics", Kind: connectors.Lines, Listed: true, Section: "What to read", Example: "orders", Valid: validTopics,
			Help: "Leave empty for all. One a line; * stands for anything. Name them where the account may not list topics."},
		{Key: "client_id", Label: "Client ID", Kind: connectors.Text, Advanced: true, Default: "jackfield", Valid: validClientID, Help: "What the cluster's logs and quotas call this program."},
	}
	return connectors.Form{Fields: append(fields, tlsFields(encrypted)...)}
}

func tlsFields(encrypted []connectors.Cond) []connectors.Field {
	with := func(how string) []connectors.Cond {
		return append(slices.Clone(encrypted), connectors.Cond{Key: "certificate", Is: []string{how}})
	}
	var server, client []connectors.Field
	for _, f := range tlsx.Fields(encrypted, true) {
		if !strings.HasPrefix(f.Key, "client_") {
			server = append(server, f)
			continue
		}
		f.Show, f.Advanced, f.Section = with(certificatePEM), false, ""
		f.Required = f.Key != "client_key_passphrase"
		client = append(client, f)
	}
	server = append(server,
		connectors.Field{Key: "truststore", Label: "Trust store", Kind: connectors.SecretLines, Tidy: answers.TidyPEM, Advanced: true, Show: encrypted,
			Help: "Java's file with the authorities to trust (.jks, .p12), instead of the CA certificate."},
		connectors.Field{Key: "truststore_password", Label: "Password of the trust store", Kind: connectors.SecretText, Advanced: true, Show: encrypted})
	choice := connectors.Field{Key: "certificate", Label: "Client certificate", Kind: connectors.Choice, Default: certificateNo, Section: "Client certificate", Show: encrypted, Options: []connectors.Option{
		{Value: certificateNo, Label: "None"},
		{Value: certificatePEM, Label: "PEM certificate and key"},
		{Value: certificateJKS, Label: "Key store file (.jks, .p12)", Help: "As Java programs have it."},
	}}
	client = append([]connectors.Field{choice}, client...)
	client = append(client,
		connectors.Field{Key: "keystore", Label: "Key store", Kind: connectors.SecretLines, Tidy: answers.TidyPEM, Required: true, Show: with(certificateJKS), Help: "The file with the client's key and certificate (.jks, .p12, .pfx)."},
		connectors.Field{Key: "keystore_password", Label: "Password of the key store", Kind: connectors.SecretText, Show: with(certificateJKS)})
	return append(client, server...)
}
