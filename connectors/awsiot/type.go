// Package awsiot is the connection type for AWS IoT Core: its things, their
// shadows, kept messages and live topics. It signs REST requests itself (see
// https://docs.aws.amazon.com/iot/latest/apireference/Welcome.html) and listens
// over MQTT (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html).
package awsiot

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/mqttx"
	"jackfield/connectors/internal/tlsx"
)

type config struct {
	Endpoint   string            `field:"endpoint"`
	Auth       string            `field:"auth"`
	AccessKey  string            `field:"access_key"`
	SecretKey  connectors.Secret `field:"secret_key"`
	KeyName    string            `field:"key_name"`
	Token      connectors.Secret `field:"session_token"`
	Role       string            `field:"role_arn"`
	ExternalID string            `field:"external_id"`
	Way        string            `field:"way"`
	Topic      string            `field:"topic"`
	Protocol   string            `field:"protocol"`
	ClientID   string            `field:"client_id"`
	ExactID    bool              `field:"exact_id"`
	Region     string            `field:"region"`
	tlsx.Answers
}

func (c config) keys() bool { return c.Auth == "keys" }

// named is an endpoint of AWS's own: "a1b2c3-ats.iot.eu-west-1.amazonaws.com". The
// part before "-ats" is the account's.
var named = regexp.MustCompile(`^([a-z0-9]+)(-ats)?\.iot\.([a-z0-9-]+)\.amazonaws\.(com|com\.cn|eu)$`)

// account is the endpoint's first part, "" for a domain of one's own.
func account(endpoint string) string {
	if m := named.FindStringSubmatch(endpoint); m != nil {
		return m[1]
	}
	return ""
}

// region is the endpoint's, or the answer where the endpoint has a name of its own.
func (c config) region() (string, error) {
	wrong := func(reason, said string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: "region", Said: said}
	}
	m := named.FindStringSubmatch(c.Endpoint)
	switch {
	case m == nil && c.Region == "":
		return "", wrong("awsiot.region_needed", "")
	case m == nil:
		return c.Region, nil
	case c.Region != "" && c.Region != m[3]:
		return "", wrong("awsiot.region_differs", m[3])
	}
	return m[3], nil
}

// id is one that nobody uses, except where the person wants exactly theirs: AWS
// ends the session that has the same ID.
func (c config) id() string {
	switch {
	case c.ClientID == "":
		return mqttx.ClientID()
	case c.ExactID:
		return c.ClientID
	}
	return mqttx.Beside(c.ClientID)
}

// Type is AWS IoT Core.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "aws_iot", Name: "AWS IoT Core", Group: connectors.GroupMessaging, Tile: "AI",
		Summary:  "Things, their shadows, and live topics",
		Keywords: []string{"amazon", "iot", "mqtt", "sensors", "devices", "things", "shadow", "aws", "telemetry"},
		Where:    []string{"endpoint"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"In the AWS console open IoT Core, then Connect, Domain configurations: the endpoint stands there, such as a1b2c3-ats.iot.eu-west-1.amazonaws.com.",
				"An access key is made in IAM: Users, the user, Security credentials, Create access key. AWS shows the secret only once.",
				"A device certificate is made in IoT Core: Security, Certificates. It must be active and have a policy. With it only live topics can be read, not the list of things.",
			},
			Rights:  "iot:ListThings, iot:ListThingTypes, iot:ListThingGroups, iot:ListThingsInThingGroup, iot:DescribeEndpoint, iot:ListNamedShadowsForThing, iot:GetThingShadow, iot:ListRetainedMessages and iot:GetRetainedMessage; for live topics iot:Connect on client/…, iot:Subscribe on topicfilter/… and iot:Receive on topic/…. Each may be missing: the rest is shown. iot:Publish only if you want to publish.",
			Admin:   "Create an IAM user with a policy of these actions alone, and an access key for it.",
			Account: "Two connections with one client ID throw each other out. One that you type gets letters added, unless you say that it must be used exactly.",
			Network: "iot.REGION.amazonaws.com and sts.REGION.amazonaws.com on port 443, and the endpoint on port 443 (or 8883 with a certificate).",
			Notes:   []string{"Live topics begin with $aws only where you ask for them: # leaves them out. Each thing has its own below it."},
			Links: []connectors.Link{
				{Text: "Endpoints", URL: "https://docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html"},
				{Text: "Policy actions", URL: "https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-actions.html"},
			},
		},
	}, open)
}

func form() connectors.Form {
	keys, cert := connectors.When("auth", "keys"), connectors.When("auth", "certificate")
	fields := []connectors.Field{
		{Key: "endpoint", Label: "Endpoint", Kind: connectors.Text, Required: true, Section: "Server", Example: "a1b2c3-ats.iot.eu-west-1.amazonaws.com",
			Help: "Of IoT Core, the device data endpoint. The region is read from it.", Tidy: tidyEndpoint, Valid: validEndpoint},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "keys", Section: "Sign-in", Options: []connectors.Option{
			{Value: "keys", Label: "Access key", Help: "Shows things, shadows, kept messages and live topics."},
			{Value: "certificate", Label: "Device certificate", Help: "Shows live topics alone."},
		}},
		{Key: "access_key", Label: "Access key ID", Kind: connectors.Text, Required: true, Show: keys, Example: "AKIAPRACTICEONLY0000", Valid: awsx.ValidAccessKey},
		{Key: "secret_key", Label: "Secret access key", Kind: connectors.SecretText, Required: true, Show: keys, Tidy: answers.TidySecret()},
		{Key: "key_name", Label: "Access key name", Kind: connectors.Text, Show: keys, Example: "Plant dashboard", Help: "For yourself, to tell keys apart. AWS does not need it."},
		{Key: "session_token", Label: "Session token", Kind: connectors.SecretText, Show: keys, Tidy: answers.TidySecret(), Help: "Belongs to temporary keys, which begin with ASIA."},
		{Key: "role_arn", Label: "Role ARN", Kind: connectors.Text, Advanced: true, Show: keys, Example: "arn:aws:iam::123456789012:role/reader", Valid: awsx.ValidRoleARN, Help: "A role to take on with these keys."},
		{Key: "external_id", Label: "External ID", Kind: connectors.Text, Advanced: true, Show: keys, Help: "Where the role asks for one."},
		{Key: "way", Label: "Connect over", Kind: connectors.Choice, Default: "8883", Show: cert, Options: []connectors.Option{
			{Value: "8883", Label: "Port 8883"}, {Value: "443", Label: "Port 443", Help: "Where a firewall lets out nothing else."},
		}},
	}
	var rest []connectors.Field
	for _, f := range tlsx.Fields(nil, true) {
		if strings.HasPrefix(f.Key, "client_") {
			f.Show, f.Advanced, f.Required = cert, false, f.Key != "client_key_passphrase"
			fields = append(fields, f)
			continue
		}
		rest = append(rest, f)
	}
	fields = append(fields,
		connectors.Field{Key: "topic", Label: "Topic filters", Kind: connectors.Lines, Default: "#", Section: "What to read", Example: "plant/+/temperature", Tidy: mqttx.TidyFilters, Valid: validFilters,
			Help: "For live topics, one a line. # is everything below, + is any one level."},
		connectors.Field{Key: "protocol", Label: "MQTT version", Kind: connectors.Choice, Default: "5", Advanced: true, Options: []connectors.Option{
			{Value: "5", Label: "5", Help: "AWS says why it refuses something."}, {Value: "3.1.1", Label: "3.1.1"},
		}},
		connectors.Field{Key: "client_id", Label: "Client ID", Kind: connectors.Text, Advanced: true, Example: "dashboard-7", Valid: validID,
			Help: "Leave empty for one of its own. What you type gets some letters added, so that a device with the same client ID stays connected."},
		connectors.Field{Key: "exact_id", Label: "Use exactly this client ID", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "Where the policy names the client ID. Whoever is connected with it is thrown out."},
		connectors.Field{Key: "region", Label: "Region", Kind: connectors.Text, Advanced: true, Example: "eu-west-1", Valid: awsx.ValidRegion,
			Help: "Only needed where the endpoint has a name of your own."},
	)
	return connectors.Form{Fields: slices.Concat(fields, rest)}
}

// tidyEndpoint takes scheme, port and path off.
func tidyEndpoint(v string) string {
	v = strings.ToLower(answers.TidyHost(v))
	v, _, _ = strings.Cut(v, "/")
	host, _, _ := strings.Cut(v, ":")
	return host
}

func validEndpoint(v string) error {
	switch {
	case strings.Contains(v, ".credentials.iot.") || strings.Contains(v, ".jobs.iot."):
		return errors.New("This is another endpoint of IoT Core. The one for device data is needed, such as a1b2c3-ats.iot.eu-west-1.amazonaws.com.")
	case strings.Contains(v, ".amazonaws.") && (strings.HasPrefix(v, "iot.") || strings.HasPrefix(v, "data-ats.iot.")):
		return errors.New("The endpoint of your own account is needed, such as a1b2c3-ats.iot.eu-west-1.amazonaws.com.")
	case !strings.Contains(v, "."):
		return errors.New("The whole endpoint is needed, such as a1b2c3-ats.iot.eu-west-1.amazonaws.com.")
	}
	return answers.ValidHost(v)
}

func validFilters(v string) error {
	for _, f := range mqttx.Filters(v) {
		if mqttx.Shared(f) {
			return errors.New("A shared subscription takes messages away from others. Type the filter without $share and the group.")
		}
	}
	return mqttx.ValidFilters(v)
}

// validID wants what AWS takes: at most 128 bytes, no control characters.
func validID(v string) error {
	if len(v) > 120 || connectors.Clean(v, 0) != v {
		return errors.New("A client ID has letters, digits and signs, at most 120 of them.")
	}
	return nil
}
