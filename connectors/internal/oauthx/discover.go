package oauthx

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// Metadata is what is used of a provider's discovery document (OpenID Connect
// Discovery 1.0 section 3, RFC 8414 section 2).
type Metadata struct {
	Issuer      string   `json:"issuer"`
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	UserInfoURL string   `json:"userinfo_endpoint"`
	RevokeURL   string   `json:"revocation_endpoint"`
	DeviceURL   string   `json:"device_authorization_endpoint"` // RFC 8628 section 4
	Grants      []string `json:"grant_types_supported"`
	Scopes      []string `json:"scopes_supported"`
	Methods     []string `json:"code_challenge_methods_supported"`
	ClientAuth  []string `json:"token_endpoint_auth_methods_supported"`
	NamesIssuer bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// maxMetadata bounds a discovery document.
const maxMetadata = 1 << 20

// Discover reads the metadata of issuer: from the OpenID Connect place, else
// from RFC 8414's. The document's issuer must be the very one asked for, and
// every endpoint https (or loopback).
func Discover(ctx context.Context, client *http.Client, issuer string) (Metadata, error) {
	var first error
	for _, place := range places(issuer) {
		m, err := fetch(ctx, client, place)
		if err == nil {
			return m, m.sound(issuer)
		}
		if first == nil {
			first = err
		}
		if connectors.CodeOf(err) != connectors.NotFound {
			break
		}
	}
	return Metadata{}, first
}

func places(issuer string) []string {
	trimmed := strings.TrimSuffix(issuer, "/")
	out := []string{trimmed + "/.well-known/openid-configuration"}
	if u, err := url.Parse(trimmed); err == nil {
		path := u.Path
		u.Path = "/.well-known/oauth-authorization-server" + path
		out = append(out, u.String())
	}
	return out
}

func fetch(ctx context.Context, client *http.Client, place string) (Metadata, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return Metadata{}, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "issuer", Err: err}
	}
	req.Header.Set("Accept", "application/json")
	res, err := httpx.Do(client, req, maxMetadata)
	if err != nil {
		return Metadata{}, err
	}
	if e := res.Err(""); e != nil {
		e.Op, e.Target = connectors.StageSignIn, req.URL.Host
		if e.Code == connectors.NotFound || e.Code == connectors.Refused {
			e.Reason, e.Field = "oauth.no_discovery", "issuer"
		}
		return Metadata{}, e
	}
	var m Metadata
	if err := json.Unmarshal(res.Body, &m); err != nil {
		return m, &connectors.Error{Code: connectors.Refused, Reason: "oauth.no_discovery", Op: connectors.StageSignIn, Target: req.URL.Host, Field: "issuer", Err: err}
	}
	return m, nil
}

// sound compares the issuer byte for byte (OpenID Connect Discovery 4.3).
func (m Metadata) sound(issuer string) error {
	if m.Issuer != issuer {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.other_issuer", Op: connectors.StageSignIn, Target: issuer, Field: "issuer", Said: m.Issuer}
	}
	for _, place := range []string{m.TokenURL, m.AuthURL, m.DeviceURL, m.RevokeURL, m.UserInfoURL} {
		if place == "" && place != m.TokenURL {
			continue // Config.Apply says what is missing for whom
		}
		if err := Secure(place); err != nil {
			return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.insecure", Op: connectors.StageSignIn, Target: place, Field: "issuer", Err: err}
		}
	}
	return nil
}

// s256 reports whether PKCE with S256 may be relied upon. A document that says
// nothing about PKCE is no proof of its absence only where it is no discovery
// at all; one that lists methods without S256, or none, is.
func (m Metadata) s256() bool { return slices.Contains(m.Methods, "S256") }

// Secure wants https, or http to this computer.
func Secure(place string) error {
	u, err := url.Parse(place)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errInsecure
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type text string

func (t text) Error() string { return string(t) }

const errInsecure = text("an https address is needed")
