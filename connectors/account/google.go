package account

import (
	"encoding/json"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

type googleConfig struct {
	Key     connectors.Secret `field:"google_key"`
	Subject string            `field:"subject"`
	UsedFor string            `field:"used_for"`
}

func googleKey() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "google_key", Name: "Google service-account key", Tile: "GK",
		Summary:  "The JSON key of a Google Cloud service account: its project, address and key",
		Where:    []string{"used_for"},
		Keywords: []string{"gcp", "google cloud", "json", "service account", "workspace", "domain-wide delegation"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "google_key", Label: "Key file", Kind: connectors.SecretLines, Required: true, Section: "Key", Help: "The whole JSON file, from { to }."},
			{Key: "subject", Label: "Act for", Kind: connectors.Text, Advanced: true, Example: "alice@example.com", Valid: validAddress,
				Help: "A user of your Google Workspace, where the service account has domain-wide delegation."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Google Cloud console: IAM & Admin, Service Accounts, the account, Keys, Add key, Create new key, JSON.", "Give the service account access to what it is to read, such as by sharing a folder with its address."},
			Admin: "For “Act for”: Google Admin console, Security, API controls, Domain-wide delegation, with the client ID that is shown after linking.",
			Links: []connectors.Link{{Text: "Service account keys (Google)", URL: "https://cloud.google.com/iam/docs/keys-create-delete"}},
		},
	}), offline(readGoogle))
}

func validAddress(v string) error {
	at := strings.IndexByte(v, '@')
	if at < 1 || at == len(v)-1 || strings.ContainsAny(v, " \t\n") {
		return sentence("An e-mail address is expected here, such as alice@example.com.")
	}
	return nil
}

// googleFile is the file as https://cloud.google.com/iam/docs/keys-create-delete shows it.
type googleFile struct {
	Type     string `json:"type"`
	Project  string `json:"project_id"`
	KeyID    string `json:"private_key_id"`
	Email    string `json:"client_email"`
	ClientID string `json:"client_id"`
	TokenURI string `json:"token_uri"`
	Universe string `json:"universe_domain"`
	Key      string `json:"private_key"`
}

func (g googleFile) missing() string {
	var out []string
	for _, m := range []struct{ name, value string }{{"type", g.Type}, {"client_email", g.Email}, {"private_key", g.Key}, {"token_uri", g.TokenURI}} {
		if m.value == "" {
			out = append(out, m.name)
		}
	}
	return strings.Join(out, ", ")
}

func readGoogle(c googleConfig, _ time.Time) (*found, error) {
	const field = "google_key"
	text := c.Key.Reveal()
	if kind := keys.Identify([]byte(text)); kind != keys.ServiceAccount {
		return nil, kindError(field, kind)
	}
	// keys.Read comes first: it bounds the size, and repairs what it reads.
	items, repairs, err := read(field, text, connectors.Secret{})
	var file googleFile
	if json.Unmarshal([]byte(keys.JSONText(text)), &file) != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.google_json", Field: field}
	}
	if missing := file.missing(); missing != "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.google_missing", Field: field, Said: missing}
	}
	if err != nil {
		return nil, instead(err, field, text)
	}
	private := pick(items, keys.PrivateKey)
	if len(private) == 0 || private[0].Err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.google_private", Field: field}
	}
	f := &found{said: file.Email}
	f.facts.add("Account", file.Email)
	f.facts.add("Acts for", c.Subject)
	f.facts.add("Project", file.Project)
	f.facts.add("Client ID", file.ClientID)
	f.facts.add("Key ID", file.KeyID)
	f.facts.add("Key", algorithm(private[0]))
	f.facts.add("Token address", file.TokenURI)
	f.facts.add("Universe", file.Universe)
	repaired(&f.facts, repairs)
	f.facts.add("Used for", c.UsedFor)
	if !strings.HasPrefix(file.TokenURI, "https://") || !strings.HasSuffix(strings.SplitN(strings.TrimPrefix(file.TokenURI, "https://"), "/", 2)[0], ".googleapis.com") {
		f.warn(&connectors.Error{Code: connectors.Untrusted, Reason: "account.google_uri", Field: field, Said: file.TokenURI})
	}
	weakKey(f, field, keys.KeyStrength(private[0].Public))
	f.things = []*thing{itemThing(0, private[0])}
	return f, nil
}
