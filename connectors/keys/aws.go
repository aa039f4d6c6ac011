package keys

import (
	"encoding/csv"
	"regexp"
	"strings"

	"jackfield/connectors"
)

// An AWSKey is an access key, without its secret half, which Item.Private has as
// a connectors.Secret.
type AWSKey struct {
	Profile      string
	AccessKeyID  string
	SessionToken bool // it is a temporary one
}

var (
	awsSetting = regexp.MustCompile(`(?i)^(?:export +|set +|setx +|\$env:)?(aws_(?:access_key_id|secret_access_key|session_token|security_token))\s*(?:=|:|\s)\s*(.*)$`)
	awsSection = regexp.MustCompile(`^\[(?:profile +)?([^\]]{1,128})\]$`)
)

// awsItems reads the credentials file, the block of environment variables and the
// console's accessKeys.csv. See
// https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-files.html.
func awsItems(text string) []Item {
	if items := awsTable(text); len(items) > 0 {
		return items
	}
	var out []Item
	now := awsPart{format: "AWS environment variables"}
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		line = strings.TrimSpace(line)
		if m := awsSection.FindStringSubmatch(line); m != nil {
			out = now.done(out)
			now = awsPart{profile: m[1], format: "AWS credentials file"}
			continue
		}
		if m := awsSetting.FindStringSubmatch(line); m != nil {
			name := strings.ToLower(m[1])
			if name == "aws_access_key_id" && now.id != "" {
				out = now.done(out)
				now = awsPart{profile: now.profile, format: now.format}
			}
			now.set(name, strings.Trim(strings.TrimSpace(strings.TrimSuffix(m[2], ";")), `"'`))
		}
	}
	return now.done(out)
}

type awsPart struct{ profile, format, id, secret, token string }

func (p *awsPart) set(name, value string) {
	switch name {
	case "aws_access_key_id":
		p.id = value
	case "aws_secret_access_key":
		p.secret = value
	default:
		p.token = value
	}
}

func (p *awsPart) done(out []Item) []Item {
	if p.id == "" || len(p.id) > 128 {
		return out
	}
	i := Item{Kind: AWS, Format: p.format, Name: p.id, Algorithm: "access key", AWS: &AWSKey{Profile: p.profile, AccessKeyID: p.id, SessionToken: p.token != ""}}
	if p.secret != "" {
		i.Private = &Private{connectors.NewSecret(p.secret)}
	} else {
		i.Err = fault("keys.aws_half", p.id)
	}
	return append(out, i)
}

// awsTable is what the console offers to download once, when a key is made.
func awsTable(text string) []Item {
	head, _, _ := strings.Cut(text, "\n")
	if !isAWSHead(head) {
		return nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	columns, err := r.Read()
	if err != nil {
		return nil
	}
	var out []Item
	for range maxLines {
		row, err := r.Read()
		if err != nil {
			break
		}
		p := awsPart{format: "AWS access keys (CSV)"}
		for n, name := range columns[:min(len(columns), len(row))] {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "access key id":
				p.id = strings.TrimSpace(row[n])
			case "secret access key":
				p.secret = strings.TrimSpace(row[n])
			case "user name":
				p.profile = strings.TrimSpace(row[n])
			}
		}
		out = p.done(out)
	}
	return out
}

func isAWSHead(line string) bool {
	line = strings.ToLower(line)
	return strings.Contains(line, "access key id") && strings.Contains(line, "secret access key") && strings.Contains(line, ",")
}
