package practice

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	oidcClient = "jackfield-practice"
	scopeAPI   = "api.read"
	scopeStay  = "offline_access"
	keyID      = "practice-1"
)

func scopes() []string { return []string{"openid", "profile", "email", scopeStay, scopeAPI} }

// startOIDC runs an OpenID provider (OpenID Connect Core 1.0) for one public
// client and, below /api, data that only its access tokens open.
func startOIDC(ctx context.Context, log *slog.Logger) (Connection, func() error, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("oauth: signing key: %w", err)
	}
	private := jose.JSONWebKey{Key: key, KeyID: keyID, Algorithm: string(jose.RS256), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return Connection{}, nil, fmt.Errorf("oauth: signing key: %w", err)
	}
	g, err := listen(ctx, portOIDC)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("oauth: %w", err)
	}
	b := seed()
	p := &provider{issuer: "http://" + g.Addr().String(), signer: signer, keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}},
		grants: newGrants(time.Now), api: api{base: "/api", collections: []collection{b.peopleRows(), b.customerRows(), b.orderRows()}}}
	stop := serveHTTP(g, p.issuer, log, p.routes())
	c := Connection{TypeID: "oauth", Name: "Practice sign-in (OAuth)", Description: "Signs you in at a page of " + company + ", an invented company, and opens its API.",
		Settings: settings(map[string]string{"setup": "discovery", "issuer": p.issuer, "client_id": oidcClient, "client_auth": "none",
			"scopes": strings.Join(scopes(), " "), "base_url": p.issuer + "/api", "paths": p.api.paths()}, nil)}
	return c, stop, nil
}

type provider struct {
	issuer string
	signer jose.Signer
	keys   jose.JSONWebKeySet
	grants *grants
	api    api
}

func (p *provider) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", p.welcome)
	m.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	m.HandleFunc("GET /.well-known/oauth-authorization-server", p.discovery) // RFC 8414
	m.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, p.keys) })
	m.HandleFunc("GET /authorize", p.authorize)
	m.Handle("POST /sign-in", http.NewCrossOriginProtection().Handler(http.HandlerFunc(p.signIn)))
	m.HandleFunc("POST /token", p.token)
	m.HandleFunc("POST /revoke", p.revoke)
	m.Handle("/userinfo", p.bearer("openid", http.HandlerFunc(p.userInfo)))
	m.Handle("/api/", p.bearer(scopeAPI, p.api))
	m.Handle("/api", p.bearer(scopeAPI, p.api))
	return m
}

// discovery is OpenID Connect Discovery 1.0, section 3.
func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token",
		"userinfo_endpoint": p.issuer + "/userinfo", "jwks_uri": p.issuer + "/jwks", "revocation_endpoint": p.issuer + "/revoke",
		"scopes_supported": scopes(), "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code", "refresh_token"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"}, "revocation_endpoint_auth_methods_supported": []string{"none"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported": []string{"sub", "name", "preferred_username", "email", "email_verified"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// loopbackURI tells a redirect URI of an installed program: plain HTTP to this
// computer, on whatever port was free (RFC 8252, section 7.3).
func loopbackURI(v string) (*url.URL, bool) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return nil, false
	}
	ip := net.ParseIP(u.Hostname())
	return u, u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

// once reads form values of which none may be repeated (RFC 6749, section 3.1).
func once(v url.Values) (func(string) string, bool) {
	for _, list := range v {
		if len(list) > 1 || strings.ContainsRune(list[0], 0) {
			return v.Get, false
		}
	}
	return v.Get, true
}

// authorize checks the request and shows the sign-in page. A broken client or
// redirect URI is told to the person, anything else to the client.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	get, ok := once(query)
	if err != nil || !ok || len(r.URL.RawQuery) > 8<<10 {
		p.explain(w, http.StatusBadRequest, "The sign-in request is not complete or says something twice.")
		return
	}
	back, ok := loopbackURI(get("redirect_uri"))
	if !ok || get("client_id") != oidcClient {
		p.explain(w, http.StatusBadRequest, "This sign-in page serves only the program that shows it: client "+oidcClient+", returning to this computer.")
		return
	}
	q := &ask{back: back, state: get("state"), nonce: get("nonce"), challenge: get("code_challenge")}
	for s := range strings.FieldsSeq(get("scope")) {
		if slices.Contains(scopes(), s) && !slices.Contains(q.scopes, s) {
			q.scopes = append(q.scopes, s)
		}
	}
	fail := func(code, said string) {
		http.Redirect(w, r, q.failed(p.issuer, code, said), http.StatusFound)
	}
	switch {
	case get("response_type") != "code":
		fail("unsupported_response_type", "only code is answered here")
	case get("code_challenge_method") != "S256" || len(q.challenge) != 43:
		fail("invalid_request", "PKCE with S256 is needed") // RFC 7636, section 4.4.1
	case len(q.scopes) == 0:
		fail("invalid_scope", "none of these scopes exists")
	case get("prompt") == "none":
		fail("login_required", "nobody is signed in")
	default:
		if !p.grants.begin(q) {
			fail("temporarily_unavailable", "too many sign-ins are open")
			return
		}
		p.show(w, http.StatusOK, q, "")
	}
}

func (p *provider) signIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.explain(w, http.StatusBadRequest, "The form did not arrive as it was sent.")
		return
	}
	q := p.grants.pending(r.PostForm.Get("request"))
	if q == nil {
		p.explain(w, http.StatusGone, "This sign-in is over or has waited too long. Begin again in the program.")
		return
	}
	if r.PostForm.Get("decision") != "approve" {
		p.grants.end(q)
		http.Redirect(w, r, q.failed(p.issuer, "access_denied", "you pressed Deny"), http.StatusSeeOther)
		return
	}
	if !match(r.PostForm.Get("user"), demoUser) || !match(r.PostForm.Get("password"), demoPassword) {
		p.show(w, http.StatusForbidden, q, "This user and password do not belong together. The practice user is “"+demoUser+"”, the password “"+demoPassword+"”.")
		return
	}
	code, ok := p.grants.approve(q)
	if !ok {
		p.explain(w, http.StatusGone, "This sign-in is over already.")
		return
	}
	http.Redirect(w, r, q.returns(url.Values{"code": {code}, "iss": {p.issuer}}), http.StatusSeeOther)
}

type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Refresh string `json:"refresh_token,omitempty"`
	ID      string `json:"id_token,omitempty"`
	Scope   string `json:"scope"`
}

// refusal is RFC 6749, section 5.2.
type refusal struct {
	Error string `json:"error"`
	Said  string `json:"error_description,omitempty"`
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Pragma", "no-cache")
	refuse := func(code, said string) { answer(w, http.StatusBadRequest, refusal{code, said}) }
	if err := r.ParseForm(); err != nil {
		refuse("invalid_request", "the form cannot be read")
		return
	}
	get, ok := once(r.PostForm)
	if !ok {
		refuse("invalid_request", "a parameter is repeated")
		return
	}
	if get("client_id") != oidcClient || r.Header.Get("Authorization") != "" {
		answer(w, http.StatusUnauthorized, refusal{"invalid_client", "the client is " + oidcClient + ", without a secret"})
		return
	}
	var g *granted
	switch get("grant_type") {
	case "authorization_code":
		g = p.grants.redeem(get("code"), get("redirect_uri"), get("code_verifier"))
	case "refresh_token":
		g = p.grants.refresh(get("refresh_token"))
	default:
		refuse("unsupported_grant_type", "")
		return
	}
	if g == nil {
		refuse("invalid_grant", "it is unknown, used, expired, or belongs to another request")
		return
	}
	out := tokens{Access: g.access, Type: "Bearer", Expires: int(accessLife / time.Second), Refresh: g.refresh, Scope: strings.Join(g.family.scopes, " ")}
	if slices.Contains(g.family.scopes, "openid") {
		id, err := p.idToken(g)
		if err != nil {
			answer(w, http.StatusInternalServerError, refusal{"server_error", ""})
			return
		}
		out.ID = id
	}
	answer(w, http.StatusOK, out)
}

// idToken is OpenID Connect Core 1.0, sections 2 and 3.1.3.6.
func (p *provider) idToken(g *granted) (string, error) {
	now := p.grants.now()
	sum := sha256.Sum256([]byte(g.access))
	claims := p.claims(g.family.scopes)
	claims["iss"], claims["aud"], claims["iat"], claims["exp"] = p.issuer, oidcClient, now.Unix(), now.Add(accessLife).Unix()
	claims["auth_time"], claims["at_hash"] = g.family.since.Unix(), base64.RawURLEncoding.EncodeToString(sum[:16])
	if g.family.nonce != "" {
		claims["nonce"] = g.family.nonce
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := p.signer.Sign(body)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// claims are what the scopes open about the one user.
func (*provider) claims(granted []string) map[string]any {
	out := map[string]any{"sub": "practice-user-1"}
	if slices.Contains(granted, "profile") {
		out["name"], out["preferred_username"] = "Practice User", demoUser
	}
	if slices.Contains(granted, "email") {
		out["email"], out["email_verified"] = demoUser+"@"+domain, true
	}
	return out
}

func (p *provider) revoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != oidcClient {
		answer(w, http.StatusUnauthorized, refusal{"invalid_client", ""})
		return
	}
	p.grants.revoke(r.PostForm.Get("token")) // unknown ones are fine: RFC 7009, section 2.2
	w.WriteHeader(http.StatusOK)
}

type bearerKey struct{}

// bearer lets through requests with an access token of the scope (RFC 6750).
func (p *provider) bearer(scope string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(kind, "Bearer") || token == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="practice"`)
			answer(w, http.StatusUnauthorized, refusal{"no_token", "send an access token"})
			return
		}
		f := p.grants.accepts(token)
		switch {
		case f == nil:
			w.Header().Set("WWW-Authenticate", `Bearer realm="practice", error="invalid_token"`)
			answer(w, http.StatusUnauthorized, refusal{"invalid_token", "the access token is unknown, expired or revoked"})
		case !slices.Contains(f.scopes, scope):
			w.Header().Set("WWW-Authenticate", `Bearer realm="practice", error="insufficient_scope", scope="`+scope+`"`)
			answer(w, http.StatusForbidden, refusal{"insufficient_scope", "the scope " + scope + " is needed"})
		default:
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bearerKey{}, f)))
		}
	})
}

func (p *provider) userInfo(w http.ResponseWriter, r *http.Request) {
	f, _ := r.Context().Value(bearerKey{}).(*family)
	if f == nil || (r.Method != http.MethodGet && r.Method != http.MethodPost) {
		answer(w, http.StatusMethodNotAllowed, refusal{"invalid_request", ""})
		return
	}
	answer(w, http.StatusOK, p.claims(f.scopes))
}
