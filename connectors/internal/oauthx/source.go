package oauthx

import (
	"context"
	"math/rand/v2"
	"net/http"
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

// After a failed renewal the next one waits, twice as long each time. Callers
// get the error of the last one meanwhile.
const (
	firstPause = time.Second
	usualPause = time.Minute
	maxPause   = 5 * time.Minute // where the server asks for it
)

// A Source gives access tokens for one connection, and renews them.
type Source struct {
	c      Config
	env    *connectors.Env
	client *http.Client

	mu      sync.Mutex
	token   Token
	running *refresh // the one refresh under way, that all wait for
	fails   int
	failed  error
	again   time.Time // not before
}

type refresh struct {
	done chan struct{}
	err  error
}

// Start uses the kept token, renews it when it has run out, or lets the person
// sign in. Grants that need nobody ask for a token instead. A token is kept
// before it is used.
func Start(ctx context.Context, env *connectors.Env, client *http.Client, c Config, kept connectors.Secret) (*Source, error) {
	if err := c.sound(); err != nil {
		return nil, err
	}
	s := &Source{c: c, env: env, client: client, token: readToken(kept)}
	if !s.ours(s.token) {
		s.token = Token{}
	}
	if c.silent() || c.Grant == GrantRefresh {
		return s.alone(ctx)
	}
	if s.token.Access != "" && (!s.token.other(c) || !c.attended(env)) {
		_, err := s.Token(ctx)
		if err == nil {
			return s, nil
		}
		if connectors.CodeOf(err) != connectors.SignInAgain || !c.attended(env) {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = t
	s.judge(nil)
	return s, nil
}

// alone starts without anybody.
func (s *Source) alone(ctx context.Context) (*Source, error) {
	if s.token.Access != "" || s.c.Grant == GrantRefresh {
		if _, err := s.Token(ctx); err != nil {
			return nil, err
		}
		return s, nil
	}
	// Nothing is spent by these: they end with the dialog.
	sealed, err := s.env.Renews(ctx, Key, connectors.Secret{}, func(ctx context.Context, newest connectors.Secret) (connectors.Secret, error) {
		return s.spend(ctx, readToken(newest), Token{}, "")
	})
	if err != nil {
		return nil, err
	}
	s.token = readToken(sealed)
	return s, nil
}

// ours reports whether t was had with the answers that the form has now.
func (s *Source) ours(t Token) bool { return t.Made == s.c.made() }

// Token is a usable access token.
func (s *Source) Token(ctx context.Context) (*oauth2.Token, error) {
	t := s.current()
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
	if r == nil && s.failed != nil && time.Now().Before(s.again) {
		defer s.mu.Unlock()
		return s.failed
	}
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
	s.judge(err)
	if err == nil {
		s.token = readToken(sealed)
	}
	r.err, s.running = err, nil
	s.mu.Unlock()
	close(r.done)
}

// judge decides when the next renewal may begin; the lock is held.
func (s *Source) judge(err error) {
	s.failed = err
	if err == nil {
		s.fails = 0
		return
	}
	pause := min(firstPause<<min(s.fails, 10), usualPause)
	s.fails++
	pause += rand.N(pause/2 + 1)
	s.again = time.Now().Add(max(pause, asksToWait(err)))
}

// spend trades the newest refresh token, or asks anew where the grant needs
// nobody. Another program may have done so already: its token is taken over.
// What it returns is stored before it is used.
func (s *Source) spend(ctx context.Context, newest, before Token, used string) (connectors.Secret, error) {
	if newest.Access == "" {
		newest = before
	}
	if !s.ours(newest) {
		newest = Token{}
	}
	if newest.Access != used && newest.fresh(s.env.Time()) {
		return newest.secret()
	}
	if s.c.Grant == GrantRefresh && newest.Refresh == "" {
		newest = s.c.pastedToken()
	}
	var t Token
	var err error
	switch {
	case s.c.silent():
		if t, err = s.c.obtain(ctx, s.env, s.client); err == nil {
			t.Captured = merged(newest.Captured, t.Captured)
		}
	case newest.Refresh == "":
		err = &connectors.Error{Code: connectors.SignInAgain, Reason: "oauth.no_refresh", Op: connectors.StageSignIn}
	default:
		t, err = s.c.refresh(ctx, s.env, s.client, newest)
	}
	if err != nil {
		return connectors.Secret{}, err
	}
	return t.secret()
}
