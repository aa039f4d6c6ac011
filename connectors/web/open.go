package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

// open opens a service of the catalogue.
func (s service) open(ctx context.Context, env *connectors.Env, form connectors.Form, a connectors.Settings) (connectors.Session, error) {
	vars := map[string]string{}
	for _, f := range form.Fields {
		if !f.Kind.Secret() && form.Visible(f.Key, a) {
			vars[f.Key] = form.Answer(f.Key, a)
		}
	}
	base, err := url.Parse(fill(s.Base, vars, nil))
	if err != nil || base.Host == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: s.Spec.Address, Err: err}
	}
	client, err := env.HTTP(connectors.TLS{})
	if err != nil {
		return nil, err
	}
	rules := s.Spec
	out := &session{client: client, base: base, vars: vars, headers: map[string]string{}, spec: &rules}
	for k, v := range s.Headers {
		out.headers[k] = text(v, vars)
	}
	way, ok := s.way(form, a)
	if !ok {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "no way to sign in fits these answers"}
	}
	if rules.Blame == "" {
		rules.Blame = way.Secret
	}
	if way.Kind == "oauth" {
		return s.openOAuth(ctx, env, client, out, way, a)
	}
	out.cred = way.credential(vars, a)
	return ready(ctx, env, out)
}

func (s service) way(form connectors.Form, a connectors.Settings) (signIn, bool) {
	i := slices.IndexFunc(s.SignIn, func(w signIn) bool {
		for k, is := range w.When {
			if !form.Visible(k, a) || !slices.Contains(is, form.Answer(k, a)) {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return signIn{}, false
	}
	return s.SignIn[i], true
}

func (w signIn) credential(vars map[string]string, a connectors.Settings) credential {
	secret := a.Secrets[w.Secret]
	switch w.Kind {
	case "basic":
		return basic{user: text(w.User, vars), password: secret}
	case "bearer":
		return key{name: "Authorization", prefix: "Bearer ", secret: secret}
	case "key":
		return key{in: w.In, name: w.Name, prefix: w.Prefix, secret: secret}
	}
	return nothing{}
}

func (s service) openOAuth(ctx context.Context, env *connectors.Env, client *http.Client, out *session, w signIn, a connectors.Settings) (connectors.Session, error) {
	conf := oauthx.Config{
		AuthURL: fill(w.AuthURL, out.vars, nil), TokenURL: fill(w.TokenURL, out.vars, nil), Issuer: fill(w.Issuer, out.vars, nil),
		ClientID: text(w.ClientID, out.vars), Scopes: strings.Fields(text(w.Scopes, out.vars)),
		RedirectHost: w.Redirect, RedirectPath: w.Path, AuthParams: w.Params,
		ClientAuth: oauthx.ClientNone, SecretField: w.Secret, ClientField: "client_id",
	}
	if !a.Secrets[w.Secret].Empty() {
		conf.ClientAuth, conf.ClientSecret = oauthx.ClientPost, a.Secrets[w.Secret]
	}
	source, err := linked(ctx, env, client, conf, a.Secrets[oauthx.Key])
	if err != nil {
		client.CloseIdleConnections()
		return nil, addressed(err, s.Spec.Address)
	}
	out.cred, out.facts = bearer{source}, source.Facts
	out.partial = func() error { return narrower(source, "") }
	return out, nil
}
