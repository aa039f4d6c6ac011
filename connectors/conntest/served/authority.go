package served

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// authority plays a service's authorization server.
type authority struct {
	c   OAuth
	key *rsa.PublicKey // whose assertions count

	mu        sync.Mutex
	mode      Mode
	way       Way
	n         int
	challenge string
	redirect  string
	access    string
	refresh   string
	revoked   int
}

func (a *authority) set(m Mode, w Way) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mode, a.way = m, w
}

func (a *authority) accepts(r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token != "" && token == a.access && a.mode != Expired
}

func (a *authority) answers(w http.ResponseWriter, r *http.Request, content []byte) bool {
	if a.c.Token == "" || a.c.Host != "" && r.Host != a.c.Host {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.URL.Path {
	case "":
		return false
	case a.c.Authorize:
		a.authorize(w, r)
	case a.c.Token:
		a.token(w, r, form(r, content))
	case a.c.Device:
		Answer{JSON: map[string]any{"device_code": "practice-device", "user_code": "WDJB-MJHT", "verification_uri": "https://" + r.Host + "/device", "interval": 1, "expires_in": 600}}.write(w, 200)
	default:
		if a.c.Revoke == "" || !strings.HasPrefix(r.URL.Path, a.c.Revoke) {
			return false
		}
		a.revoked++
		a.access, a.refresh = "", ""
		w.WriteHeader(http.StatusOK)
	}
	return true
}

func (a *authority) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case err != nil || q.Get("response_type") != "code" || q.Get("client_id") == "" || q.Get("state") == "":
		http.Error(w, "a parameter is missing", http.StatusBadRequest)
		return
	case a.c.Redirect != "" && !strings.HasPrefix(back.String(), a.c.Redirect):
		http.Error(w, "redirect_uri_mismatch", http.StatusBadRequest)
		return
	case !a.c.NoPKCE && (q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == ""):
		http.Error(w, "PKCE is needed", http.StatusBadRequest)
		return
	}
	for k, v := range a.c.Params {
		if q.Get(k) != v {
			http.Error(w, k+" is wrong", http.StatusBadRequest)
			return
		}
	}
	a.challenge, a.redirect = q.Get("code_challenge"), back.String()
	out := url.Values{"code": {"practice-code"}, "state": {q.Get("state")}}
	for k, v := range a.c.Callback {
		out.Set(k, v)
	}
	back.RawQuery = out.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (a *authority) token(w http.ResponseWriter, r *http.Request, f url.Values) {
	if user, password, ok := r.BasicAuth(); ok {
		f.Set("client_id", user)
		f.Set("client_secret", password)
	}
	if why := a.refuses(f); why != "" {
		out := a.c.Refused
		if out.JSON == nil {
			out = Answer{JSON: map[string]any{"error": why, "error_description": orElse(a.c.Said[why], "refused")}}
		}
		out.write(w, 400)
		return
	}
	a.n++
	a.access, a.refresh = "practice-access-"+strconv.Itoa(a.n), "practice-refresh-"+strconv.Itoa(a.n)
	out := map[string]any{"access_token": a.access, "token_type": "Bearer"}
	if !a.c.Silent {
		out["expires_in"] = 3600
	}
	if !a.c.NoRefresh && f.Get("grant_type") != "client_credentials" {
		out["refresh_token"] = a.refresh
	}
	for k, v := range a.c.Extra {
		out[k] = v
	}
	Answer{JSON: out}.write(w, 200)
}

// refuses is the OAuth error of a token request, "" for a good one.
func (a *authority) refuses(f url.Values) string {
	if want := a.way.Secrets["client_secret"]; want != "" && f.Get("client_secret") != "" && f.Get("client_secret") != want {
		return "invalid_client"
	}
	if a.c.Client != "" && f.Get("client_id") != a.c.Client {
		return "invalid_client"
	}
	for k, v := range a.c.Form {
		if f.Get(k) != v {
			return "invalid_request"
		}
	}
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	switch grant := f.Get("grant_type"); grant {
	case "authorization_code":
		if f.Get("code") != "practice-code" || f.Get("redirect_uri") != a.redirect || !a.c.NoPKCE && base64.RawURLEncoding.EncodeToString(sum[:]) != a.challenge {
			return "invalid_grant"
		}
	case "refresh_token":
		if a.mode == Expired || f.Get("refresh_token") != a.refresh && f.Get("refresh_token") != a.way.Secrets["refresh_token"] {
			return "invalid_grant"
		}
	case "client_credentials", a.c.Grant:
		if f.Get("client_secret") == "" && f.Get("client_assertion") == "" {
			return "invalid_client"
		}
	case "urn:ietf:params:oauth:grant-type:device_code":
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if a.mode == Expired || !a.signed(f.Get("assertion")) {
			return "invalid_grant"
		}
	default:
		return "unsupported_grant_type"
	}
	return ""
}

func (a *authority) signed(assertion string) bool {
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || a.key == nil {
		return false
	}
	var claims jwt.Claims
	return token.Claims(a.key, &claims) == nil && claims.Issuer != "" && claims.Expiry != nil && len(claims.Audience) == 1
}
