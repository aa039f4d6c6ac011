package tokens

import (
	"net/url"
	"strings"
	"time"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/keys"
)

// token reads a JWT (RFC 7519). Its issuer tells for which service it is.
func token(in part.Input) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	if len(text) > 7 && strings.EqualFold(text[:7], "bearer ") {
		text = strings.TrimSpace(text[7:])
	}
	text = strings.Trim(text, `"'`)
	d, err := jwtx.Decode(text)
	if err != nil {
		return part.Found{What: keys.Token.Name(), Left: []part.Left{{Name: "the token", Why: "It is encrypted or damaged: nothing in it can be read."}}}, true
	}
	claims, _ := jsonx.Parse([]byte(d.Payload))
	issuer, _ := jsonx.At(claims, "iss").(string)
	audience := jsonx.Text(claims, "aud.0|aud")
	host := hostOf(issuer)
	ids := []string{"jwt_token", "http"}
	if strings.HasSuffix(host, ".auth0.com") && strings.HasSuffix(audience, "/api/v2/") {
		ids = []string{"auth0", "jwt_token", "http"}
	}
	base := ""
	if u, err := url.Parse(audience); err == nil && u.Scheme == "https" && u.Host != "" {
		base = "https://" + u.Host
	}
	what := keys.Token.Name()
	if s := service(host); s != "" {
		what = "a token (JWT) of " + s
	}
	found := fill(in, what, host, ids, func(f *record.Form) {
		switch f.T.ID {
		case "http":
			f.Answer("base_url", base)
			f.Answer("auth", "bearer")
		case "auth0":
			f.Answer("domain", "https://"+host)
			f.Answer("auth", "token")
		}
		f.Answer("token", text)
		f.R.Note(expiry(d))
	})
	return found, true
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func service(host string) string {
	switch {
	case host == "login.microsoftonline.com", host == "sts.windows.net":
		return "Microsoft"
	case host == "accounts.google.com":
		return "Google"
	case strings.HasSuffix(host, ".okta.com"), strings.HasSuffix(host, ".oktapreview.com"):
		return "Okta"
	case strings.HasSuffix(host, ".auth0.com"):
		return "Auth0"
	case strings.HasPrefix(host, "cognito-idp."):
		return "Amazon Cognito"
	}
	return ""
}

func expiry(d jwtx.Decoded) string {
	if d.Expires.IsZero() {
		return "The token does not say when it ends."
	}
	return "The token is valid until " + d.Expires.UTC().Format(time.DateTime) + " UTC. After that a new one is needed."
}
