package account

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jackfield/connectors"
)

type userConfig struct {
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Domain   string            `field:"domain"`
	UsedFor  string            `field:"used_for"`
}

func userPassword() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "user_password", Name: "User name and password", Tile: "UP",
		Summary:  "One sign-in that several connections use",
		Keywords: []string{"login", "credentials", "account", "service account", "password"},
		Where:    []string{"user", "domain"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "acme-upload", Split: splitUser},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Help: "Exactly as you were given it; spaces count."},
			{Key: "domain", Label: "Domain", Kind: connectors.Text, Advanced: true, Example: "CORP", Help: "Of Windows or Kerberos, where it belongs to the name."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Both come from whoever runs the service. Give each program a user of its own, so that it can be switched off alone."},
			Notes: []string{"Nothing is tried here: whether the password is right shows where it is used."},
		},
	}), offline(readUser))
}

// splitUser takes DOMAIN\user apart.
func splitUser(v string) map[string]string {
	domain, user, ok := strings.Cut(strings.TrimSpace(v), `\`)
	if !ok || domain == "" || user == "" || strings.Contains(user, `\`) {
		return nil
	}
	return map[string]string{"domain": domain, "user": user}
}

func readUser(c userConfig, _ time.Time) (*found, error) {
	password := c.Password.Reveal()
	if strings.TrimSpace(password) == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.no_password", Field: "password"}
	}
	name := c.User
	if c.Domain != "" {
		name = c.Domain + `\` + c.User
	}
	f := &found{said: "a user name and a password"}
	f.facts.add("Account", name)
	f.facts.add("Password", length(utf8.RuneCountInString(password)))
	if strings.TrimSpace(password) != password {
		f.facts.add("Note", "the password begins or ends with a space, which is often a mistake of copying")
	}
	f.facts.add("Used for", c.UsedFor)
	var inside facts
	inside.add("Domain", c.Domain)
	f.things = []*thing{branch("user", c.User, "user", inside)}
	return f, nil
}

// length tells how long a secret is, and not exactly.
func length(n int) string {
	switch {
	case n < 8:
		return "shorter than 8 characters, which is easy to guess"
	case n < 12:
		return "8 to 11 characters"
	case n < 20:
		return "12 to 19 characters"
	case n < 40:
		return "20 to 39 characters"
	}
	return "40 characters or more"
}

func digits(n int) string { return strconv.Itoa(n) }
