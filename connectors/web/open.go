package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/internal/oauthx"
)

type httpClient = *http.Client

// open opens a service of the catalogue.
func (s service) open(ctx context.Context, env *connectors.Env, form connectors.Form, a connectors.Settings) (connectors.Session, error) {
	o := s.opening(env, form, a)
	way, ok := s.way(form, a)
	if !ok {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "no way to sign in fits these answers"}
	}
	s.Base = orElse(way.Base, s.Base)
	var err error
	if o.base, err = s.base(o, true); err != nil {
		return nil, err
	}
	spec := connectors.HTTP{}
	if spec.TLS, err = s.certificate(o); err != nil {
		return nil, err
	}
	return s.connect(ctx, o, spec, way)
}

// connect signs in with a client of its own and proves the sign-in.
func (s service) connect(ctx context.Context, o *opening, spec connectors.HTTP, way signIn) (connectors.Session, error) {
	out, err := s.session(ctx, o, spec, way)
	if err != nil {
		return nil, err
	}
	return ready(ctx, o.env, out)
}

func (s service) session(ctx context.Context, o *opening, spec connectors.HTTP, way signIn) (*session, error) {
	var err error
	spec.HTTP1 = way.Kind == "ntlm"
	if o.client, err = o.env.HTTP(spec); err != nil {
		return nil, err
	}
	bare := spec
	bare.Cert, bare.Key, bare.HTTP1 = "", connectors.Secret{}, false
	plain, err := o.env.HTTP(bare)
	if err != nil {
		return nil, err
	}
	rules := s.Spec
	if way.Check != nil {
		rules.Check = *way.Check
	}
	if rules.Blame == "" {
		rules.Blame = way.blame()
	}
	rules.Errors = slices.DeleteFunc(slices.Clone(rules.Errors), func(r rule) bool { return !answered(r.When, o.vars) })
	rules.Tree = slices.DeleteFunc(slices.Clone(rules.Tree), func(n node) bool { return !answered(n.When, o.vars) })
	out := &session{client: o.client, plain: plain, proxy: spec.Proxy, hosts: s.Hosts, vars: o.vars, headers: s.Headers, spec: &rules, now: o.env.Time, gate: newGate(rules.Limits, o.env.Time)}
	out.shut = func() {
		for _, end := range o.closers {
			end()
		}
	}
	if err = s.beforehand(ctx, o, plain); err == nil {
		out.cred, err = way.credential(ctx, o)
	}
	if err != nil {
		_ = out.Close()
		return nil, addressed(err, s.Spec.Address)
	}
	if out.base, err = s.base(o, false); err != nil {
		_ = out.Close()
		return nil, err
	}
	out.client, out.facts, out.partial = o.client, o.facts, o.partial
	out.rebase = func() (*url.URL, error) { return s.base(o, false) }
	return out, nil
}

// answered reports whether the form's answers are these.
func answered(when map[string][]string, vars map[string]string) bool {
	for k, is := range when {
		if !slices.Contains(is, vars[k]) {
			return false
		}
	}
	return true
}

// blame is the field to look at after a 401.
func (w signIn) blame() string {
	if w.Secret != "" {
		return w.Secret
	}
	return w.Key
}

func (s service) opening(env *connectors.Env, form connectors.Form, a connectors.Settings) *opening {
	o := &opening{env: env, vars: map[string]string{}, secrets: maps.Clone(a.Secrets), address: s.Spec.Address}
	for _, f := range form.Fields {
		switch {
		case form.Visible(f.Key, a) && !f.Kind.Secret():
			o.vars[f.Key] = form.Answer(f.Key, a)
		case !form.Visible(f.Key, a):
			delete(o.secrets, f.Key)
		}
	}
	return o
}

// base is where requests go. Before the sign-in a part may still be missing
// that its answer brings; then the sign-in's own address stands in.
func (s service) base(o *opening, before bool) (*url.URL, error) {
	where := fill(s.Base, o.vars, nil)
	lead := names(s.Base)
	brought := strings.HasPrefix(s.Base, "{") && !slices.Contains(s.fieldKeys(), lead[0])
	if brought && before && o.vars[lead[0]] == "" {
		return &url.URL{Scheme: "https", Host: "localhost"}, nil
	}
	base, err := url.Parse(where)
	if err != nil || base.Host == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: s.Spec.Address, Said: "this is no address", Err: err}
	}
	if brought && !(&session{hosts: s.Hosts}).known(base) {
		return nil, &connectors.Error{Code: connectors.Untrusted, Reason: "web.other_host", Op: connectors.StageSignIn, Target: base.Host}
	}
	return base, nil
}

func (s service) fieldKeys() []string {
	var out []string
	for _, f := range s.Fields {
		out = append(out, f.Key)
	}
	return out
}

// certificate is what this side presents, from PEM fields or from one bundle.
func (s service) certificate(o *opening) (connectors.TLS, error) {
	c := s.TLS
	out := connectors.TLS{Cert: o.vars[c.Cert], Key: o.secret(c.Key), Passphrase: o.secret(c.Passphrase)}
	bundle := o.secret(c.Bundle)
	if bundle.Empty() {
		return out, nil
	}
	chain, key, err := jwtx.Chain(bundle.Reveal(), o.secret(c.Passphrase))
	if err != nil {
		return out, inField(err, c.Bundle, c.Passphrase)
	}
	out.Cert, out.Key, out.Passphrase = chain, key, connectors.Secret{}
	return out, nil
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

func (s service) revocable() bool {
	return slices.ContainsFunc(s.SignIn, func(w signIn) bool { return w.OAuth.Revoke.Post != "" || w.OAuth.Revoke.Delete != "" })
}

// revoke takes back what was issued, as the service wants it.
func (s service) revoke(ctx context.Context, env *connectors.Env, form connectors.Form, a connectors.Settings) error {
	way, ok := s.way(form, a)
	kept := a.Secrets[oauthx.Key]
	r := way.OAuth.Revoke
	if !ok || kept.Empty() || r.Post == "" && r.Delete == "" {
		return nil
	}
	client, err := env.HTTP(connectors.HTTP{})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	o := s.opening(env, form, a)
	for name, v := range oauthx.Captured(kept) {
		o.vars[name] = v
	}
	switch {
	case r.Delete != "":
		return oauthx.RevokeByDelete(ctx, client, fill(r.Delete, o.vars, nil), kept)
	case r.Bearer:
		return oauthx.RevokeBearer(ctx, client, fill(r.Post, o.vars, nil), kept)
	}
	return oauthx.Revoke(ctx, client, way.config(o), fill(r.Post, o.vars, nil), kept)
}
