package mail

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers of the choices.
const (
	secTLS      = "tls"
	secStartTLS = "starttls"
	secNone     = "none"

	authAuto   = "auto"
	authPlain  = "plain"
	authLogin  = "login"
	authCRAM   = "cram-md5"
	authSCRAM1 = "scram-sha-1"
	authSCRAM2 = "scram-sha-256"
	authX      = "xoauth2"
	authBearer = "oauthbearer"
	authNone   = "none"
)

// account is what both types ask for.
type account struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Security string            `field:"security"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Token    connectors.Secret `field:"token"`
	tlsx.Answers
}

// ports are the usual ones for each kind of encryption (RFC 8314 section 7.3).
type ports struct{ starttls, tls, none int }

// Both are read only.
var (
	smtpPorts = ports{starttls: 587, tls: 465, none: 25}
	imapPorts = ports{starttls: 143, tls: 993, none: 143}
)

func (p ports) of(security string) int {
	switch security {
	case secTLS:
		return p.tls
	case secStartTLS:
		return p.starttls
	}
	return p.none
}

func (a account) addr(p ports) string {
	port := a.Port
	if port == 0 {
		port = p.of(a.Security)
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(port))
}

// tokens reports whether an access token takes the password's place.
func (a account) tokens() bool { return a.Auth == authX || a.Auth == authBearer }

// secretField is the answer that was refused when a sign-in is.
func (a account) secretField() string {
	switch {
	case a.tokens():
		return "token"
	case a.Auth == authNone:
		return "auth"
	}
	return "password"
}

// usualPorts says which port stands for an empty answer.
func usualPorts(p ports, securities []connectors.Option) string {
	var each []string
	for _, o := range securities {
		each = append(each, fmt.Sprintf("%d for %s", p.of(o.Value), o.Label))
	}
	return "Empty for the usual one: " + strings.Join(each, ", ") + "."
}

func accountFields(p ports, example string, securities []connectors.Option, more ...connectors.Option) []connectors.Field {
	port := answers.PortField("", strconv.Itoa(p.of(securities[0].Value)))
	port.Help = usualPorts(p, securities)
	ways := append([]connectors.Option{
		{Value: authAuto, Label: "User and password", Help: "In the best way that the server offers. Without encryption only in ways that do not show the password."},
		{Value: authX, Label: "Access token (XOAUTH2)", Help: "For Microsoft 365, Gmail and others that issue tokens."},
		{Value: authBearer, Label: "Access token (OAUTHBEARER)", Help: "The standard form of the same (RFC 7628)."},
		{Value: authPlain, Label: "User and password: PLAIN"},
		{Value: authLogin, Label: "User and password: LOGIN"},
		{Value: authCRAM, Label: "User and password: CRAM-MD5"},
		{Value: authSCRAM2, Label: "User and password: SCRAM-SHA-256"},
		{Value: authSCRAM1, Label: "User and password: SCRAM-SHA-1"},
	}, more...)
	var named []string
	for _, w := range ways {
		if w.Value != authNone {
			named = append(named, w.Value)
		}
	}
	schemes := map[string]string{"smtps": secTLS, "smtp": secStartTLS, "submission": secStartTLS}
	if p == imapPorts {
		schemes = map[string]string{"imaps": secTLS, "imap": secStartTLS}
	}
	return []connectors.Field{
		answers.HostField(example, splitURL(p, schemes)),
		port,
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: securities[0].Value, Options: securities,
			Help: "Without encryption, anybody in between can read the password and the mail."},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: authAuto, Section: "Sign-in", Options: ways},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Example: "alice@example.com", Show: connectors.When("auth", named...), Valid: validLine,
			Help: "Often the whole address."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", without(named, authX, authBearer)...),
			Help: "With two-step sign-in this is an app password."},
		{Key: "token", Label: "Access token", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", authX, authBearer), Tidy: answers.TidySecret("Bearer "), Valid: validToken,
			Help: "As it was issued. It usually works for an hour."},
	}
}

// splitURL understands smtp(s):// and imap(s):// and host:port pasted into the
// host. A URL without the s says nothing about encryption, so it never leads to a
// sign-in in the clear. A well known port decides too.
func splitURL(p ports, schemes map[string]string) func(string) map[string]string {
	return func(v string) map[string]string {
		out := answers.SplitScheme("", "security", schemes)(v)
		if v = strings.TrimSpace(v); !strings.Contains(v, "://") {
			out = answers.SplitPort(v)
		}
		if user, _, more := strings.Cut(out["user"], ";"); more { // imap://user;AUTH=*@host (RFC 5092)
			delete(out, "user")
			if user != "" {
				out["user"] = user
			}
		}
		if out["port"] == strconv.Itoa(p.tls) {
			out["security"] = secTLS
		}
		return out
	}
}

func has(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
