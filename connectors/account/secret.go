package account

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

type secretConfig struct {
	Name    string            `field:"name"`
	Secret  connectors.Secret `field:"secret_key"`
	UsedFor string            `field:"used_for"`
}

func secretKey() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "secret_key", Name: "Secret key / API secret", Tile: "SK",
		Summary:  "An API key, webhook secret or shared key: its form and strength",
		Keywords: []string{"api key", "token", "client secret", "webhook", "hmac", "shared secret", "base64", "hex"},
		Where:    []string{"name"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "name", Label: "Name", Kind: connectors.Text, Section: "Secret", Example: "Shop webhook", Help: "What it is called where it was issued: a key's name or a client ID."},
			{Key: "secret_key", Label: "Secret", Kind: connectors.SecretText, Required: true, Help: "As it was shown when it was made."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Services show a secret once, when it is made. Make a new one if it is lost, and delete the old one."},
			Notes: []string{"Nothing is tried here: whether the secret is right shows where it is used."},
		},
	}), offline(readSecret))
}

func readSecret(c secretConfig, _ time.Time) (*found, error) {
	const field = "secret_key"
	text := strings.TrimSpace(c.Secret.Reveal())
	switch kind := keys.Identify([]byte(text)); kind {
	case keys.Empty:
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.no_password", Field: field}
	case keys.Text, keys.Binary, keys.JSON, keys.Address, keys.SharedKey, keys.Token, keys.PGP, keys.Archive, keys.Keytab, keys.JavaStore:
	default:
		return nil, kindError(field, kind)
	}
	if placeholder(text) {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.placeholder", Field: field}
	}
	vendor := vendorOf(text)
	f := &found{said: "a secret"}
	f.facts.add("Account", firstOf(c.Name, vendor, "Secret key"))
	f.facts.add("Looks like", vendor)
	f.facts.add("Written as", written(text))
	f.facts.add("Length", length(utf8.RuneCountInString(text)))
	s, words := entropy(text)
	f.facts.add("Strength", words)
	if text != c.Secret.Reveal() {
		f.facts.add("Note", "there are spaces or line ends around it, which is often a mistake of copying")
	}
	f.facts.add("Used for", c.UsedFor)
	if s == keys.Weak {
		f.warn(&connectors.Error{Code: connectors.Refused, Reason: "account.weak_secret", Field: field})
	}
	var inside facts
	inside.add("Looks like", vendor)
	f.things = []*thing{branch("secret", firstOf(c.Name, vendor, "Secret key"), "secret", inside)}
	return f, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

var placeholderShape = regexp.MustCompile(`(?i)^(?:[<\[{(].*[>\]})]|\$\{?\w+\}?|(?:your|my|insert|enter|paste|add)[-_ ].*|(?:x{4,}|\*{3,}|\.{3,}|•+|0+)|change_?me.*|todo|secret|password|api[-_ ]?key|.*(?:_here|-here| here)|none|null|undefined|n/a)$`)

// placeholder knows what documentation has in a secret's place, and what a web
// page shows instead of it.
func placeholder(text string) bool {
	return placeholderShape.MatchString(text) || strings.Count(text, string([]rune(text)[0])) == len([]rune(text)) && len(text) > 3
}

// vendorOf goes by the beginnings that vendors document for scanners of secrets:
// https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
func vendorOf(text string) string {
	for _, v := range []struct{ prefix, name string }{
		{"ghp_", "a GitHub personal access token"}, {"github_pat_", "a GitHub personal access token (fine-grained)"}, {"gho_", "a GitHub OAuth token"},
		{"ghs_", "a GitHub App token"}, {"glpat-", "a GitLab personal access token"}, {"xoxb-", "a Slack bot token"}, {"xoxp-", "a Slack user token"},
		{"sk_live_", "a Stripe secret key"}, {"sk_test_", "a Stripe secret key for tests"}, {"rk_live_", "a Stripe restricted key"}, {"whsec_", "a webhook's signing secret"},
		{"pk_live_", "a Stripe publishable key, which is not secret"}, {"sk-ant-", "an Anthropic API key"}, {"sk-", "an OpenAI API key, or one of its kind"},
		{"AIza", "a Google API key"}, {"GOCSPX-", "the secret of a Google OAuth client"}, {"ya29.", "a Google access token, which lasts an hour"}, {"SG.", "a SendGrid API key"},
		{"shpat_", "a Shopify Admin API token"}, {"shpss_", "a Shopify app's secret"}, {"npm_", "an npm token"}, {"dckr_pat_", "a Docker Hub token"}, {"hf_", "a Hugging Face token"},
		{"AKIA", "an AWS access key ID, which is not the secret"}, {"ASIA", "a temporary AWS access key ID, which is not the secret"}, {"pat-", "a HubSpot private app's token"},
		{"AccountKey=", "part of an Azure connection string"}, {"Endpoint=sb://", "a connection string of Azure Service Bus"}, {"eyJ", "a token (JWT)"},
	} {
		if strings.HasPrefix(text, v.prefix) {
			return v.name
		}
	}
	return ""
}

// written tells the alphabet, and how many bytes it stands for.
func written(text string) string {
	if b, err := hex.DecodeString(text); err == nil && len(b) >= 8 {
		return "hexadecimal, " + digits(len(b)) + " bytes"
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(text); err == nil && len(b) >= 15 && mixed(text) {
			return "base64, " + digits(len(b)) + " bytes"
		}
	}
	return "text"
}

// mixed tells base64 from a word: it has capital and small letters.
func mixed(text string) bool {
	return strings.ToLower(text) != text && strings.ToUpper(text) != text
}

// entropy estimates bits by Shannon's formula over the text's own characters: it
// sees repetition, and not that something is a word.
func entropy(text string) (keys.Level, string) {
	counts, n := map[rune]float64{}, 0.0
	for _, r := range text {
		counts[r]++
		n++
	}
	bits := 0.0
	for _, c := range counts {
		bits -= c * math.Log2(c/n)
	}
	switch {
	case bits < 40:
		return keys.Weak, "weak: short, or with much repetition"
	case bits < 100:
		return keys.Fair, "fair: good for a password, short for a key"
	}
	return keys.Strong, "strong: looks random and is long enough"
}
