package oauthx

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"jackfield/connectors"
)

// Key is the name under which the token is kept.
const Key = "oauth_token"

// refreshTime bounds one refresh. Its context is nobody's dialog: closing the
// window in which a refresh began must not spend the token for nothing.
const refreshTime = 45 * time.Second

// A Source gives access tokens for one connection, and renews them.
type Source struct {
	c      Config
	env    *connectors.Env
	client *http.Client

	mu      sync.Mutex
	token   Token
	running *refresh // the one refresh under way, that all wait for
}

type refresh struct {
	done chan struct{}
	err  error
}

// Start uses the kept token, renews it when it has run out, or lets the person
// sign in. The token is kept before it is used.
func Start(ctx context.Context, env *connectors.Env, client *http.Client, c Config, kept connectors.Secret) (*Source, error) {
	s := &Source{c: c, env: env, client: client, token: readToken(kept)}
	if s.token.Access != "" {
		_, err := s.Token(ctx)
		if connectors.CodeOf(err) != connectors.SignInAgain {
			return s, err
		}
		if env.Ask.OpenURL == nil {
			return nil, err
		}
	}
	t, err := c.signIn(ctx, env, client)
	if err != nil {
		return nil, err
	}
	sealed, err := t.secret()
	if err == nil {
		err = env.Keeps(ctx, Key, sealed)
	}
	if err != nil {
		return nil, err
	}
	s.token = t
	return s, nil
}

// Token is a usable access token.
func (s *Source) Token(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	t := s.token
	s.mu.Unlock()
	if t.fresh(s.env.Time()) {
		return t.oauth2(), nil
	}
	if err := s.renew(ctx, t.Access); err != nil {
		return nil, err
	}
	return s.current().oauth2(), nil
}

func (s *Source) current() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// Stale renews after a 401 that was answered to the access token used; when
// another has been had meanwhile it does nothing.
func (s *Source) Stale(ctx context.Context, used string) error { return s.renew(ctx, used) }

// renew makes one refresh at a time. Callers wait under their own context.
func (s *Source) renew(ctx context.Context, used string) error {
	s.mu.Lock()
	if s.token.Access != used {
		s.mu.Unlock()
		return nil
	}
	r := s.running
	if r == nil {
		r = &refresh{done: make(chan struct{})}
		s.running = r
		go s.run(context.WithoutCancel(ctx), r, used)
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return connectors.Classify(context.Cause(ctx))
	}
}

func (s *Source) run(ctx context.Context, r *refresh, used string) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	before := s.current()
	sealed, err := before.secret()
	if err == nil {
		sealed, err = s.env.Renews(ctx, Key, sealed, func(ctx context.Context, newest connectors.Secret) (connectors.Secret, error) {
			return s.spend(ctx, readToken(newest), before, used)
		})
	}
	s.mu.Lock()
	if err == nil {
		s.token = readToken(sealed)
	}
	r.err, s.running = err, nil
	s.mu.Unlock()
	close(r.done)
}

// spend trades the newest refresh token. Another program may have done so
// already: its token is taken over. What it returns is stored before it is used.
func (s *Source) spend(ctx context.Context, newest, before Token, used string) (connectors.Secret, error) {
	if newest.Access == "" {
		newest = before
	}
	if newest.Access != used && newest.fresh(s.env.Time()) {
		return newest.secret()
	}
	if newest.Refresh == "" {
		return connectors.Secret{}, &connectors.Error{Code: connectors.SignInAgain, Reason: "oauth.no_refresh", Op: connectors.StageSignIn}
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {newest.Refresh}}
	if len(s.c.Scopes) > 0 {
		form.Set("scope", strings.Join(s.c.Scopes, " "))
	}
	t, err := s.c.request(ctx, s.client, form, s.env.Time())
	if err != nil {
		return connectors.Secret{}, err
	}
	// A provider that does not rotate leaves these out (RFC 6749 section 6).
	if t.Refresh == "" {
		t.Refresh = newest.Refresh
	}
	if t.Scope == "" {
		t.Scope = newest.Scope
	}
	if t.IDToken == "" {
		t.IDToken = newest.IDToken
	}
	return t.secret()
}

// Facts tell what was granted, and until when.
func (s *Source) Facts() []connectors.Fact {
	t := s.current()
	var out []connectors.Fact
	if granted := s.granted(t); granted != "" {
		out = append(out, connectors.Fact{Label: "Scopes granted", Text: connectors.Clean(granted, 500)})
	}
	if missing := s.Missing(); len(missing) > 0 {
		out = append(out, connectors.Fact{Label: "Scopes asked for but not granted", Text: strings.Join(missing, " ")})
	}
	if !t.Expiry.IsZero() {
		label := "Access token until"
		if t.Refresh == "" {
			label = "Sign-in until"
		}
		out = append(out, connectors.Fact{Label: label, Text: t.Expiry.UTC().Format("2006-01-02 15:04:05 UTC")})
	}
	if t.Refresh == "" {
		out = append(out, connectors.Fact{Label: "Renewal", Text: "not granted: a person must sign in again"})
	}
	return out
}

func (s *Source) granted(t Token) string {
	if t.Scope == "" {
		return strings.Join(s.c.Scopes, " ") // RFC 6749 section 5.1: unsaid means as asked
	}
	return t.Scope
}

// Missing are the scopes asked for that were not granted. offline_access is a
// request for a refresh token, which tells of itself, and ".default" stands for
// others.
func (s *Source) Missing() []string {
	t := s.current()
	if t.Scope == "" {
		return nil
	}
	have := map[string]bool{}
	for _, g := range strings.FieldsFunc(t.Scope, func(r rune) bool { return r == ' ' || r == ',' }) {
		have[g] = true
	}
	var out []string
	for _, want := range s.c.Scopes {
		if !have[want] && want != "offline_access" && !strings.HasSuffix(want, "/.default") {
			out = append(out, want)
		}
	}
	return out
}
