package web

import (
	"context"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

type httpConfig struct {
	Base     string            `field:"base_url"`
	Auth     string            `field:"auth"`
	Key      connectors.Secret `field:"key"`
	KeyIn    string            `field:"key_in"`
	KeyName  string            `field:"key_name"`
	Token    connectors.Secret `field:"token"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Test     string            `field:"test_path"`
	Paths    string            `field:"paths"`
	tlsx.ServerAnswers
}

// HTTP is any web service that takes a key, a token or a password.
func HTTP() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "http", Name: "Web service (HTTP)", Group: connectors.GroupWeb, Tile: "HT",
		Summary:  "Any REST service with an API key, a token or a password",
		Keywords: []string{"rest", "api", "json", "api key", "token", "bearer", "basic", "webhook"},
		Where:    []string{"base_url"},
		Form:     httpForm(),
		Guide: connectors.Guide{
			Steps:  []string{"The service's documentation names its base address and how to sign in; keys are usually made in the service's settings, under API or Developers."},
			Rights: "Reading only: nothing but GET requests is ever sent.",
			Admin:  "Create a key that may only read.",
		},
	}, openHTTP)
}

func httpForm() connectors.Form {
	in := func(v ...string) []connectors.Cond { return connectors.When("auth", v...) }
	fields := []connectors.Field{
		{Key: "base_url", Label: "Base address", Kind: connectors.URL, Required: true, Section: "Service", Example: "https://api.example.com/v1", Tidy: tidyURL, Valid: validURL},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "key", Section: "Sign-in", Options: []connectors.Option{
			{Value: "key", Label: "API key"}, {Value: "bearer", Label: "Bearer token"}, {Value: "basic", Label: "User and password"}, {Value: "none", Label: "Nothing"},
		}},
		{Key: "key", Label: "API key", Kind: connectors.SecretText, Required: true, Show: in("key"), Tidy: answers.TidySecret(), Valid: validHeaderValue},
		{Key: "key_in", Label: "The key goes into", Kind: connectors.Choice, Default: "header", Show: in("key"), Options: []connectors.Option{
			{Value: "header", Label: "A header"}, {Value: "query", Label: "The query", Help: "It may end up in the service's logs."}, {Value: "cookie", Label: "A cookie"},
		}},
		{Key: "key_name", Label: "Name of the header or parameter", Kind: connectors.Text, Default: "X-API-Key", Show: in("key"), Valid: validHeaderName},
		{Key: "token", Label: "Token", Kind: connectors.SecretText, Required: true, Show: in("bearer"), Tidy: answers.TidySecret("Bearer "), Valid: validHeaderValue},
		{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Show: in("basic"), Valid: validHeaderValue},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Show: in("basic")},
		{Key: "test_path", Label: "Path to test with", Kind: connectors.Text, Section: "What to read", Example: "/me",
			Help: "A path below the base address that answers only when the sign-in is right."},
		{Key: "paths", Label: "Paths to show", Kind: connectors.Lines, Example: "/customers", Help: "One a line. Each becomes an entry of the preview."},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(nil, false)...)}
}

func openHTTP(ctx context.Context, env *connectors.Env, c httpConfig) (connectors.Session, error) {
	client, err := env.HTTP(c.Spec())
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.Base)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "base_url", Err: err}
	}
	s := &session{client: client, base: base, cred: nothing{}, free: true}
	s.spec = &spec{Lenient: true, Said: messages, Address: "base_url", Check: check{Get: path(c.Test), Facts: people()}}
	switch c.Auth {
	case "key":
		s.cred, s.spec.Blame = key{in: c.KeyIn, name: c.KeyName, secret: c.Key}, "key"
	case "bearer":
		s.cred, s.spec.Blame = key{name: "Authorization", prefix: "Bearer ", secret: c.Token}, "token"
	case "basic":
		s.cred, s.spec.Blame = basic{user: c.User, password: c.Password}, "password"
	}
	s.spec.Tree = append(s.spec.Tree, entry(path(c.Test)))
	s.spec.Tree = append(s.spec.Tree, entries(c.Paths)...)
	return ready(ctx, env, s)
}

// messages are the places where services put what went wrong.
const messages = "error.message|error_description|message|error.detail|detail|errors.0.message|title|error"

// people are the places where services put who one is.
func people() []fact {
	return []fact{{Label: "Account", Path: "preferred_username|email|login|username|user.name|user.email|account.name|name|sub"}}
}

// path makes what was typed a path below the base address.
func path(typed string) string {
	typed = strings.TrimSpace(typed)
	if typed == "" || !strings.HasPrefix(typed, "/") {
		typed = "/" + typed
	}
	return literal(typed)
}

func entry(p string) node {
	return node{ID: p, Name: p, Kind: "resource", Rows: &list{Get: p}}
}

func entries(lines string) []node {
	var out []node
	for l := range strings.Lines(lines) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, entry(path(l)))
		}
	}
	return out
}
