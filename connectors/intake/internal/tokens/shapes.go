package tokens

import (
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

// A shape is a token that its issuer made recognizable.
type shape struct {
	like  *regexp.Regexp
	what  string
	ids   []string
	field string      // of the first type
	also  [][2]string // answers beside it
}

func known(pattern, what, id, field string, also ...[2]string) shape {
	return shape{regexp.MustCompile(`^(?:` + pattern + `)$`), what, []string{id}, field, also}
}

// web is for services that have no form of their own here.
func web(pattern, what, base string) shape {
	return known(pattern, what, "http", "token", [2]string{"base_url", base}, [2]string{"auth", "bearer"})
}

// shapes are by the issuers' own pages:
// https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
// https://docs.gitlab.com/security/tokens/#token-prefixes
// https://api.slack.com/concepts/token-types https://docs.stripe.com/keys
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
// https://www.twilio.com/docs/glossary/what-is-a-sid
var shapes = []shape{
	known(`gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}`, "a GitHub token", "github", "token"),
	known(`glpat-[A-Za-z0-9_.-]{16,}`, "a GitLab access token", "gitlab", "token"),
	known(`xox[bpare]-[A-Za-z0-9-]{10,}`, "a Slack token", "slack", "token"),
	known(`(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}`, "a Stripe key", "stripe", "api_key"),
	known(`SG\.[A-Za-z0-9_-]{10,40}\.[A-Za-z0-9_-]{20,80}`, "a SendGrid API key", "sendgrid", "api_key"),
	known(`shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,80}`, "a Shopify token", "shopify", "token"),
	known(`pat-[a-z]{2}[0-9]-[0-9a-fA-F-]{20,60}`, "a HubSpot token", "hubspot", "token"),
	known(`ATATT[A-Za-z0-9_=-]{20,}`, "an Atlassian API token", "jira", "api_token"),
	known(`pat[A-Za-z0-9]{14}\.[0-9a-f]{64}`, "an Airtable token", "airtable", "token"),
	known(`ntn_[A-Za-z0-9]{20,80}|secret_[A-Za-z0-9]{43}`, "a Notion token", "notion", "token"),
	known(`[12]/[0-9]{10,20}(?:/[0-9]{10,20})?:[0-9a-f]{32}`, "an Asana token", "asana", "token"),
	known(`AC[0-9a-f]{32}`, "a Twilio account SID", "twilio", "account_sid"),
	known(`SK[0-9a-f]{32}`, "a Twilio API key SID", "twilio", "key_sid"),
	{regexp.MustCompile(`^(?:AKIA|ASIA)[A-Z0-9]{16}$`), "an AWS access key ID", []string{"aws_key_pair", "s3", "aws_iot"}, "access_key", nil},
	{regexp.MustCompile(`^S[UAO][A-Z2-7]{56}$`), "an NKey seed of NATS", []string{"nats"}, "seed", nil},
	web(`ya29\.[A-Za-z0-9_.-]{20,}`, "a Google access token", "https://www.googleapis.com"),
	web(`EAA[A-Za-z0-9]{30,}`, "a Meta (Facebook) access token", "https://graph.facebook.com"),
	web(`do[opr]_v1_[0-9a-f]{40,80}`, "a DigitalOcean token", "https://api.digitalocean.com"),
	web(`npm_[A-Za-z0-9]{30,60}`, "an npm token", "https://registry.npmjs.org"),
	web(`lin_api_[A-Za-z0-9]{30,60}`, "a Linear key", "https://api.linear.app"),
	web(`hf_[A-Za-z0-9]{30,60}`, "a Hugging Face token", "https://huggingface.co"),
	web(`sk-(?:proj-|svcacct-)[A-Za-z0-9_-]{20,}`, "an OpenAI key", "https://api.openai.com"),
	web(`dapi[0-9a-f]{32}(?:-[0-9])?`, "a Databricks token", ""),
}

var (
	mailchimp = regexp.MustCompile(`^[0-9a-f]{32}-(us[0-9]{1,2})$`)
	awsPair   = regexp.MustCompile(`^((?:AKIA|ASIA)[A-Z0-9]{16})[\s,:;]+([A-Za-z0-9/+=]{40})$`)
)

// shaped reads the tokens that tell by their first letters whose they are.
func shaped(in part.Input, text string) (part.Found, bool) {
	if len(text) > 16<<10 {
		return part.Found{}, false
	}
	if strings.HasPrefix(text, "-----BEGIN NATS USER JWT-----") {
		return fill(in, "a credentials file of NATS", "NATS", []string{"nats"}, func(f *record.Form) { f.Answer("creds", text) }), true
	}
	if m := awsPair.FindStringSubmatch(text); m != nil {
		return fill(in, "an AWS access key", "AWS", []string{"aws_key_pair", "s3", "aws_iot"}, func(f *record.Form) {
			f.Answer("access_key", m[1])
			f.Answer("secret_key", m[2])
		}), true
	}
	bare := strings.Trim(text, `"'`)
	if len(bare) > 7 && strings.EqualFold(bare[:7], "bearer ") {
		bare = bare[7:]
	}
	if strings.ContainsAny(bare, " \t\n") {
		return part.Found{}, false
	}
	if m := mailchimp.FindStringSubmatch(bare); m != nil {
		return fill(in, "a Mailchimp key", "Mailchimp", []string{"mailchimp"}, func(f *record.Form) {
			f.Answer("server", m[1])
			f.Answer("api_key", bare)
		}), true
	}
	for _, s := range shapes {
		if s.like.MatchString(bare) {
			return s.found(in, bare), true
		}
	}
	return part.Found{}, false
}

func (s shape) found(in part.Input, text string) part.Found {
	name := s.what
	for _, article := range []string{"a ", "an "} {
		name = strings.TrimPrefix(name, article)
	}
	return fill(in, s.what, name, append(s.ids, "secret_key"), func(f *record.Form) {
		if f.T.ID == "secret_key" {
			if s.field != "access_key" && !strings.HasSuffix(s.field, "_sid") {
				f.Answer("secret_key", text)
			}
			return
		}
		for _, a := range s.also {
			f.Answer(a[0], a[1])
		}
		f.Answer(s.field, text)
		switch {
		case strings.HasPrefix(text, "ASIA"):
			f.R.Note("This is a temporary key: it works with its session token alone.")
		case s.field == "access_key", strings.HasSuffix(s.field, "_sid"):
			f.R.Note("The secret half is not in it.")
		}
	})
}

// ageKey keeps a key of age; it opens files, and no server.
func ageKey(in part.Input) (part.Found, bool) {
	found := part.Found{What: "a key or file of age"}
	for line := range strings.Lines(in.Text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "AGE-SECRET-KEY-") {
			found = fill(in, "a secret key of age", "age key", []string{"secret_key"}, func(f *record.Form) {
				f.Answer("name", "age")
				f.Answer("secret_key", line)
			})
			return found, true
		}
	}
	found.Left = []part.Left{{Name: "age", Why: "This is a public key of age or a file that age locked. Neither opens a connection."}}
	return found, true
}

var (
	random = regexp.MustCompile(`^[A-Za-z0-9+/_~=-]{24,512}$`)
	uuid   = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// Guess reads one long word that looks drawn at random: a secret of which
// nothing tells whose it is. It goes after all other readers.
func Guess(in part.Input) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	digits := strings.Count(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0'
		}
		return -1
	}, text), "0")
	if !random.MatchString(text) || uuid.MatchString(text) || digits < 2 || digits == len(text) || strings.HasPrefix(text, "/") || strings.Count(text, "/") > 3 {
		return part.Found{}, false
	}
	return fill(in, "a key or token of which nothing tells whose it is", "Secret key", []string{"secret_key", "http"}, func(f *record.Form) {
		if f.T.ID == "http" {
			f.Answer("auth", "key")
			f.Answer("key", text)
			return
		}
		f.Answer("secret_key", text)
	}), true
}
