package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"jackfield/connectors"
)

// signIn is a way to sign in; the first whose When holds is used. What is
// written as {placeholder} is a plain answer; secrets are named by their field.
type signIn struct {
	When   map[string][]string `yaml:"when"`
	Kind   string              `yaml:"kind"`  // see kinds
	Base   string              `yaml:"base"`  // instead of the service's, where this way goes through another door
	Check  *check              `yaml:"check"` // instead of the service's, where what this way signs in with may not ask that
	User   string              `yaml:"user"`
	Secret string              `yaml:"secret"`
	In     string              `yaml:"in"` // of a key: header, query, cookie
	Name   string              `yaml:"name"`
	Prefix string              `yaml:"prefix"`
	Also   []keyPart           `yaml:"also"` // of a key: what else is sent

	OAuth oauthWay `yaml:",inline"`

	// of jwt and of assertions
	Method     string `yaml:"method"`
	Key        string `yaml:"key"` // the field of the private key
	Passphrase string `yaml:"passphrase"`
	KeyID      string `yaml:"key_id"`
	Payload    string `yaml:"payload"`
	Header     string `yaml:"jwt_headers"`
	Encoded    string `yaml:"secret_base64"`
	Subject    string `yaml:"subject"`
	IssuedBy   string `yaml:"iss"`
	Audience   string `yaml:"audience"`

	// of aws
	AccessKey  string `yaml:"access_key"`
	Session    string `yaml:"session"` // the field of the session token
	Region     string `yaml:"region"`
	Service    string `yaml:"service"`
	Role       string `yaml:"role"`
	ExternalID string `yaml:"external_id"`
	STS        string `yaml:"sts"`

	// of ntlm and kerberos
	Domain string `yaml:"domain"`
	Realm  string `yaml:"realm"`
	KDC    string `yaml:"kdc"`
	SPN    string `yaml:"spn"`
	Keytab string `yaml:"keytab"`

	// of token: a token request of the vendor's own
	Ask    request `yaml:"ask"`
	Answer string  `yaml:"answer"` // where the token is
	Lives  string  `yaml:"lives"`  // where its seconds are
}

type keyPart struct {
	In     string `yaml:"in"`
	Name   string `yaml:"name"`
	Prefix string `yaml:"prefix"`
	Secret string `yaml:"secret"`
	Value  string `yaml:"value"` // of what is no secret
}

// kinds are the ways to sign in over HTTP.
func kinds() []string {
	return []string{"none", "basic", "bearer", "key", "headers", "digest", "jwt", "oauth", "google", "token", "aws", "ntlm", "kerberos"}
}

// secrets lists the secret fields that a way names.
func (w signIn) secrets() []string {
	out := []string{w.Secret, w.Key, w.Passphrase, w.Session, w.Keytab, w.OAuth.PastedRefresh}
	for _, k := range w.Also {
		out = append(out, k.Secret)
	}
	return slices.DeleteFunc(out, func(k string) bool { return k == "" })
}

// templates lists what may hold placeholders of plain fields.
func (w signIn) templates() []string {
	out := []string{w.Base, w.User, w.Name, w.In, w.Prefix, w.Method, w.KeyID, w.Header, w.Encoded, w.Subject, w.IssuedBy, w.Audience, w.AccessKey, w.Region, w.Service, w.Role, w.ExternalID, w.STS,
		w.Domain, w.Realm, w.KDC, w.SPN, w.Answer, w.Lives, w.Payload, w.Ask.Get, w.Ask.Post, w.Ask.Type}
	for _, k := range w.Also {
		out = append(out, k.Value)
	}
	return append(out, w.OAuth.templates()...)
}

// An opening is what a way to sign in is made from.
type opening struct {
	env     *connectors.Env
	client  *http.Client
	base    *url.URL
	vars    map[string]string
	secrets map[string]connectors.Secret
	address string // the field of the host
	closers []func()
	facts   func() []connectors.Fact
	partial func() error
	retold  func(error) error // a refusal in the words of the service's file
}

func (o *opening) secret(key string) connectors.Secret { return o.secrets[key] }

func (o *opening) text(template string) string { return text(template, o.vars) }

func (o *opening) number(template string) int {
	n, _ := strconv.Atoi(o.text(template))
	return n
}

// credential makes what signs the requests. Ways that answer a server's
// challenge wrap the client's transport instead, for this origin only.
func (w signIn) credential(ctx context.Context, o *opening) (credential, error) {
	secret := o.secret(w.Secret)
	switch w.Kind {
	case "basic":
		return basic{user: o.text(w.User), password: secret}, nil
	case "bearer":
		return key{parts: []part{{name: "Authorization", prefix: "Bearer ", secret: secret}}}, nil
	case "key":
		return w.key(o), nil
	case "headers":
		return headersOf(secret, w.Secret)
	case "digest", "ntlm", "kerberos":
		return w.challenged(ctx, o)
	case "jwt":
		return w.selfSigned(o)
	case "aws":
		return w.aws(o)
	case "oauth", "google":
		return w.oauth(ctx, o)
	case "token":
		return w.vendor(ctx, o)
	}
	return nothing{}, nil
}

func (w signIn) key(o *opening) credential {
	prefix := o.text(w.Prefix)
	if field1(w.Prefix) != "" && prefix != "" {
		prefix += " " // a form's answer ends without one
	}
	out := key{parts: []part{{in: o.text(w.In), name: o.text(w.Name), prefix: prefix, secret: o.secret(w.Secret)}}}
	for _, k := range w.Also {
		p := part{in: k.In, name: k.Name, prefix: k.Prefix, secret: o.secret(k.Secret)}
		if k.Value != "" {
			p.secret = connectors.NewSecret(o.text(k.Value))
		}
		out.parts = append(out.parts, p)
	}
	return out
}

// skew is how far this computer's clock may be from the server's before a
// refused signature is put down to it.
const skew = 2 * time.Minute

// clockOff is how far the server's clock is from ours, by its Date header.
func clockOff(h http.Header, now time.Time) (time.Duration, bool) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	off := now.Sub(at)
	return off, off > skew || off < -skew
}
