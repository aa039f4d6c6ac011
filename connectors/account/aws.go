package account

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/awsx"
)

type awsConfig struct {
	AccessKey string            `field:"access_key"`
	Secret    connectors.Secret `field:"secret_key"`
	Token     connectors.Secret `field:"session_token"`
	Region    string            `field:"region"`
	UsedFor   string            `field:"used_for"`
}

func awsKeyPair() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "aws_key_pair", Name: "AWS access keys", Tile: "AW",
		Summary:  "An access key of Amazon Web Services: whose it is, and whether it is complete",
		Keywords: []string{"amazon", "iam", "access key", "secret access key", "s3", "credentials", "session token", "sts"},
		Where:    []string{"access_key", "region"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: awsx.FieldAccessKey, Label: "Access key ID", Kind: connectors.Text, Required: true, Section: "Access key", Example: "AKIAIOSFODNN7EXAMPLE",
				Split: splitAWS, Valid: validAccessKey, Help: "A block of ~/.aws/credentials, or the export lines of the sign-in page, can be pasted here as a whole."},
			{Key: awsx.FieldSecretKey, Label: "Secret access key", Kind: connectors.SecretText, Required: true, Tidy: answers.TidySecret(), Split: splitAWS},
			{Key: awsx.FieldToken, Label: "Session token", Kind: connectors.SecretText, Tidy: answers.TidySecret(), Help: "Only for temporary keys, whose ID begins with ASIA."},
			{Key: awsx.FieldRegion, Label: "Region", Kind: connectors.Text, Example: "eu-central-1", Valid: validRegion},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"IAM console, Users, the user, Security credentials, Create access key. The secret is shown once."},
			Admin: "Create a user for this program alone, with the least rights that it needs.",
			Notes: []string{"Keys that begin with AKIA last until they are deleted; those with ASIA end after some hours."},
			Links: []connectors.Link{{Text: "Access keys (AWS)", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"}},
		},
	}), offline(readAWS))
}

var (
	awsLine   = regexp.MustCompile(`(?i)\b(aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token|aws_default_region|aws_region|region)["']?\s*[=:]\s*["']?([A-Za-z0-9+/=._-]+)`)
	accessKey = regexp.MustCompile(`^[A-Z0-9]{16,128}$`)
	awsSecret = regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`)
	regionKey = regexp.MustCompile(`^[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}$`)
)

// splitAWS reads a block of a credentials file, lines of export, set or $Env:,
// and the JSON with which the sign-in page and the command line answer.
func splitAWS(v string) map[string]string {
	names := map[string]string{
		"aws_access_key_id": awsx.FieldAccessKey, "aws_secret_access_key": awsx.FieldSecretKey, "aws_session_token": awsx.FieldToken,
		"aws_security_token": awsx.FieldToken, "aws_default_region": awsx.FieldRegion, "aws_region": awsx.FieldRegion, "region": awsx.FieldRegion,
	}
	v = strings.NewReplacer(`"AccessKeyId"`, "aws_access_key_id", `"SecretAccessKey"`, "aws_secret_access_key", `"SessionToken"`, "aws_session_token").Replace(v[:min(len(v), 16<<10)])
	out := map[string]string{}
	for _, m := range awsLine.FindAllStringSubmatch(v, 50) {
		if key := names[strings.ToLower(m[1])]; out[key] == "" {
			out[key] = m[2]
		}
	}
	if out[awsx.FieldAccessKey] == "" && out[awsx.FieldSecretKey] == "" {
		return nil
	}
	return out
}

func validAccessKey(v string) error {
	if splitAWS(v) != nil || accessKey.MatchString(v) {
		return nil
	}
	if awsSecret.MatchString(v) {
		return sentence("This looks like the secret access key. The ID is shorter, in capital letters, and begins with AKIA or ASIA.")
	}
	return sentence("An access key ID has 20 capital letters and digits, such as AKIAIOSFODNN7EXAMPLE.")
}

func validRegion(v string) error {
	if !regionKey.MatchString(v) {
		return sentence("A region is expected here, such as eu-central-1.")
	}
	return nil
}

// pasted takes a block apart that came in one of the fields.
func (c awsConfig) pasted() awsConfig {
	for _, text := range []string{c.AccessKey, c.Secret.Reveal()} {
		parts := splitAWS(text)
		if parts == nil {
			continue
		}
		if v := parts[awsx.FieldAccessKey]; v != "" {
			c.AccessKey = v
		}
		if v := parts[awsx.FieldSecretKey]; v != "" {
			c.Secret = connectors.NewSecret(v)
		}
		if v := parts[awsx.FieldToken]; v != "" {
			c.Token = connectors.NewSecret(v)
		}
		c.Region = firstOf(c.Region, parts[awsx.FieldRegion])
	}
	return c
}

func readAWS(c awsConfig, _ time.Time) (*found, error) {
	c = c.pasted()
	if err := (awsx.Credentials{AccessKey: c.AccessKey, Secret: c.Secret, Token: c.Token}).Check(); err != nil {
		return nil, awsError(err)
	}
	secret := c.Secret.Reveal()
	switch {
	case accessKey.MatchString(secret) && len(secret) == 20:
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.aws_id_as_secret", Field: awsx.FieldSecretKey}
	case !awsSecret.MatchString(secret):
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.aws_secret", Field: awsx.FieldSecretKey}
	}
	f := &found{said: c.AccessKey}
	kind := accessKind(c.AccessKey)
	id := AWSAccount(c.AccessKey)
	f.facts.add("Account", firstOf(id, c.AccessKey))
	f.facts.add("Access key ID", c.AccessKey)
	f.facts.add("Kind", kind)
	f.facts.add("Secret", "40 characters, as it should have")
	if !c.Token.Empty() {
		f.facts.add("Session token", "present; it ends by itself")
	}
	f.facts.add("Region", c.Region)
	f.facts.add("Used for", c.UsedFor)
	var inside facts
	inside.add("AWS account", id)
	inside.add("Kind", kind)
	f.things = []*thing{branch("access-key", c.AccessKey, "access key", inside)}
	return f, nil
}

// awsError gives the shared check's words a reason of this package's.
func awsError(err error) error {
	e := *connectors.Classify(err)
	e.Reason = "account.aws_incomplete"
	if e.Field == awsx.FieldToken {
		e.Reason = "account.aws_token"
	}
	return &e
}

// accessKind goes by the prefixes in
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html.
func accessKind(id string) string {
	switch id[:4] {
	case "AKIA":
		return "of a user, lasting"
	case "ASIA":
		return "temporary (STS)"
	case "ABIA":
		return "an STS service bearer token"
	case "ACCA":
		return "context-specific"
	}
	return "of a service that is compatible with AWS"
}

// AWSAccount is the account ID, 12 digits, that an access key ID holds: the 40
// bits after the first one of its base32. AWS does not document this; it was
// found out and is described in
// https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489.
// It is "" for IDs that are of another form, or older than it.
func AWSAccount(id string) string {
	if len(id) != 20 || !strings.HasPrefix(id, "AKIA") && !strings.HasPrefix(id, "ASIA") {
		return ""
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil {
		return ""
	}
	// IDs from before 2019 begin with I or J in this place and hold no account.
	if id[4] < 'Q' {
		return ""
	}
	bits := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...))
	return fmt.Sprintf("%012d", bits&0x7fffffffff80>>7)
}
