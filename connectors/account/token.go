package account

import (
	"encoding/json"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/jwtx"
)

type tokenConfig struct {
	Token   connectors.Secret `field:"token"`
	UsedFor string            `field:"used_for"`
}

func jwtToken() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "jwt_token", Name: "Token (JWT)", Tile: "JW",
		Summary:  "What a bearer token says: for whom it is, from whom, and until when",
		Where:    []string{"used_for"},
		Keywords: []string{"bearer", "access token", "id token", "jwt", "oauth", "claims"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "token", Label: "Token", Kind: connectors.SecretLines, Required: true, Section: "Token", Tidy: answers.TidySecret("Authorization:", "Bearer "), Help: "Three parts with dots between them; it begins with eyJ."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Paste the token as you got it. “Bearer” before it does no harm."},
			Notes: []string{"Its signature is not checked: only the service that it is meant for can say whether it is accepted."},
		},
	}), offline(readToken))
}

func readToken(c tokenConfig, now time.Time) (*found, error) {
	const field = "token"
	d, err := jwtx.Decode(c.Token.Reveal())
	if err != nil {
		e := *connectors.Classify(err)
		e.Field, e.Op = field, ""
		return nil, &e
	}
	var claims map[string]any
	if json.Unmarshal([]byte(d.Payload), &claims) != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "account.token", Field: field}
	}
	text := func(name string) string {
		s, _ := claims[name].(string)
		return s
	}
	who := firstOf(text("preferred_username"), text("email"), text("upn"), text("unique_name"), text("name"), text("sub"), text("client_id"), text("azp"), text("appid"), "Token")
	f := &found{said: who}
	f.facts.add("Account", who)
	f.facts.add("Issuer", text("iss"))
	f.facts.add("Audience", audience(claims["aud"]))
	f.facts.add("Scope", firstOf(text("scope"), text("scp")))
	f.facts.add("Signed with", d.Alg)
	f.facts.time("Issued", d.Issued)
	f.facts.time("Valid from", d.NotBefore)
	f.facts.time("Expires", d.Expires)
	f.facts.add("Used for", c.UsedFor)
	validity(f, field, who, d.NotBefore, d.Expires, now)
	if d.Alg == "none" || d.Alg == "" {
		f.warn(&connectors.Error{Code: connectors.Refused, Reason: "account.unsigned", Field: field})
	}
	f.things = []*thing{
		document("header", "Header", "part", mediaJSON, d.Header),
		document("payload", "Payload", "part", mediaJSON, d.Payload),
	}
	return f, nil
}

// audience is one text, or the first of several (RFC 7519 section 4.1.3).
func audience(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	s, _ := v.(string)
	return s
}
