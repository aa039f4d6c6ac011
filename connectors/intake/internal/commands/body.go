package commands

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// basic reads the value of a Basic authorization (RFC 7617).
func basic(value string) (user, password string, ok bool) {
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(data), ":")
}

// bodyHides reports whether a body names something secret; what cannot be read
// is taken for one.
func bodyHides(body, media string) bool {
	if body == "" {
		return false
	}
	if strings.Contains(media, "json") || strings.HasPrefix(strings.TrimSpace(body), "{") || strings.HasPrefix(strings.TrimSpace(body), "[") {
		var v any
		return json.Unmarshal([]byte(body), &v) != nil || names(v, 0)
	}
	form, err := url.ParseQuery(body)
	if err != nil || strings.ContainsAny(body, "<\n") {
		return true
	}
	for k := range form {
		if fill.SecretName(k) {
			return true
		}
	}
	return false
}

// names reports whether a secret's name stands anywhere in JSON.
func names(v any, depth int) bool {
	if depth > 50 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if fill.SecretName(k) || names(x, depth+1) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if names(x, depth+1) {
				return true
			}
		}
	}
	return false
}

// grant reads a request for a token (RFC 6749, section 4).
func (r *request) grant(d *fill.Draft, u *url.URL) bool {
	form, err := url.ParseQuery(r.body)
	kind := form.Get("grant_type")
	if err != nil || r.method != "POST" || kind != "client_credentials" && kind != "password" && kind != "refresh_token" {
		return false
	}
	d.Drop("base_url")
	d.Choose("auth", "oauth")
	d.Choose("grant", kind)
	d.Set("token_url", u.Scheme+"://"+u.Host+u.EscapedPath(), "the address")
	d.Leave("the address of the service", "The command asks for a token only.")
	d.Choose("client_auth", "none")
	if form.Get("client_secret") != "" {
		d.Choose("client_auth", "post")
	}
	keys := map[string]string{"client_id": "client_id", "client_secret": "client_secret", "scope": "scopes", "audience": "audience",
		"resource": "resource", "refresh_token": "refresh_token", "username": "owner", "password": "owner_password"}
	for name := range form {
		if key, ok := keys[name]; ok {
			d.Set(key, form.Get(name), name)
		} else if name != "grant_type" {
			d.Leave(name, fill.WhyNoField)
		}
	}
	return true
}

// login reads a request that hands over a user's password and gets a token.
func (r *request) login(d *fill.Draft, u *url.URL) bool {
	low := strings.ToLower(r.body)
	if r.method != "POST" || !strings.Contains(low, "passw") || !bodyHides(r.body, r.header("Content-Type")) || len(r.secretHeaders()) > 0 {
		return false
	}
	d.Choose("auth", "token")
	d.Set("ask_url", u.Scheme+"://"+u.Host+u.EscapedPath(), "the address")
	media := "application/x-www-form-urlencoded"
	if strings.HasPrefix(strings.TrimSpace(r.body), "{") {
		media = "application/json"
	}
	d.Choose("ask_type", media)
	d.Set("ask_body", r.body, "the body of the request")
	return true
}
