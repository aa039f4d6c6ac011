package practice

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"sync"
	"time"
)

const (
	askLife     = 10 * time.Minute
	codeLife    = time.Minute
	accessLife  = 5 * time.Minute // short, so that renewing is met while practising
	refreshLife = 24 * time.Hour
	maxKept     = 1000 // of each kind; more means that somebody plays
)

// An ask is a sign-in that waits for the person.
type ask struct {
	id, state, nonce, challenge string
	back                        *url.URL
	scopes                      []string
	until                       time.Time
}

// returns is the redirect URI with the answer.
func (q *ask) returns(v url.Values) string {
	u := *q.back
	out := u.Query()
	maps.Copy(out, v)
	if q.state != "" {
		out.Set("state", q.state)
	}
	u.RawQuery = out.Encode()
	return u.String()
}

func (q *ask) failed(issuer, code, said string) string {
	return q.returns(url.Values{"error": {code}, "error_description": {said}, "iss": {issuer}})
}

// A family is everything that came of one sign-in; it ends as one.
type family struct {
	scopes []string
	nonce  string
	since  time.Time
	dead   bool
}

type code struct {
	ask    *ask
	family *family // set once redeemed
	until  time.Time
}

type issued struct {
	family *family
	until  time.Time
	spent  bool
}

// granted is what a redeemed code or refresh token gives.
type granted struct {
	family          *family
	access, refresh string
}

// grants is the provider's memory.
type grants struct {
	now     func() time.Time
	mu      sync.Mutex
	asks    map[string]*ask
	codes   map[string]*code
	access  map[string]*issued
	renewal map[string]*issued
}

func newGrants(now func() time.Time) *grants {
	return &grants{now: now, asks: map[string]*ask{}, codes: map[string]*code{}, access: map[string]*issued{}, renewal: map[string]*issued{}}
}

// sweep forgets what has expired; g.mu is held.
func (g *grants) sweep() {
	now := g.now()
	maps.DeleteFunc(g.asks, func(_ string, q *ask) bool { return now.After(q.until) })
	// A used code is kept a while longer: who shows it again has stolen it.
	maps.DeleteFunc(g.codes, func(_ string, c *code) bool { return now.After(c.until.Add(askLife)) })
	old := func(_ string, t *issued) bool { return now.After(t.until) }
	maps.DeleteFunc(g.access, old)
	maps.DeleteFunc(g.renewal, old)
}

func (g *grants) begin(q *ask) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep()
	if len(g.asks) >= maxKept {
		return false
	}
	q.id, q.until = rand.Text(), g.now().Add(askLife)
	g.asks[q.id] = q
	return true
}

// pending is the sign-in with the id, nil when there is none.
func (g *grants) pending(id string) *ask {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep()
	return g.asks[id]
}

func (g *grants) end(q *ask) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.asks, q.id)
}

func (g *grants) approve(q *ask) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asks[q.id] != q || len(g.codes) >= maxKept {
		return "", false
	}
	delete(g.asks, q.id)
	c := rand.Text()
	g.codes[c] = &code{ask: q, until: g.now().Add(codeLife)}
	return c, true
}

// redeem changes a code into tokens, once. Whoever shows a used one ends what
// came of it (RFC 6749, section 4.1.2).
func (g *grants) redeem(text, back, verifier string) *granted {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.codes[text]
	if c == nil {
		return nil
	}
	if c.family != nil {
		c.family.dead = true
		return nil
	}
	sum := sha256.Sum256([]byte(verifier))
	if g.now().After(c.until) || back != c.ask.back.String() || len(verifier) < 43 ||
		!match(base64.RawURLEncoding.EncodeToString(sum[:]), c.ask.challenge) {
		delete(g.codes, text)
		return nil
	}
	c.family = &family{scopes: c.ask.scopes, nonce: c.ask.nonce, since: g.now()}
	return g.issue(c.family)
}

// refresh changes a refresh token for a new one. A spent one that comes back
// was copied: everything of its sign-in ends (RFC 9700, section 4.14.2).
func (g *grants) refresh(text string) *granted {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.renewal[text]
	if t == nil || t.family.dead || g.now().After(t.until) {
		return nil
	}
	if t.spent {
		t.family.dead = true
		return nil
	}
	out := g.issue(t.family)
	t.spent = out != nil
	return out
}

// issue makes the tokens; g.mu is held.
func (g *grants) issue(f *family) *granted {
	g.sweep()
	if len(g.access) >= maxKept || len(g.renewal) >= maxKept {
		return nil
	}
	out := &granted{family: f, access: rand.Text()}
	g.access[out.access] = &issued{family: f, until: g.now().Add(accessLife)}
	for _, s := range f.scopes {
		if s == scopeStay {
			out.refresh = rand.Text()
			g.renewal[out.refresh] = &issued{family: f, until: g.now().Add(refreshLife)}
		}
	}
	return out
}

// accepts is the sign-in that an access token belongs to, nil when it opens nothing.
func (g *grants) accepts(token string) *family {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.access[token]
	if t == nil || t.family.dead || g.now().After(t.until) {
		return nil
	}
	return t.family
}

func (g *grants) revoke(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.renewal[token]; t != nil {
		t.family.dead = true
	}
	delete(g.access, token)
}
