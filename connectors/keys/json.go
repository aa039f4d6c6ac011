package keys

import (
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"jackfield/connectors/internal/pemx"
)

// The bounds of keys in JSON. A JWK of the largest RSA key has 14 KB.
const (
	maxWebKey  = 16 << 10
	maxWebKeys = 100
)

// jsonItems reads a JWK, a set of them (RFC 7517), or the file of a Google service account.
func jsonItems(text string, pass attempt) ([]Item, error) {
	var file struct {
		PrivateKey string            `json:"private_key"`
		Email      string            `json:"client_email"`
		Kty        string            `json:"kty"`
		Keys       []json.RawMessage `json:"keys"`
		Type       string            `json:"type"`
		Client     string            `json:"client_id"`
		Installed  *googleClient     `json:"installed"`
		Web        *googleClient     `json:"web"`
	}
	if json.Unmarshal([]byte(text), &file) != nil {
		text = pemx.Escaped(text)
		if json.Unmarshal([]byte(text), &file) != nil {
			return nil, damaged("the JSON")
		}
	}
	switch {
	case file.PrivateKey != "":
		items, err := open([]byte(file.PrivateKey)).items(pass)
		for n := range items {
			items[n].Format, items[n].Name = "Google service account", file.Email
		}
		return items, err
	case file.Kty != "":
		return single(webKey([]byte(text)))
	case file.Installed != nil && file.Installed.ID != "":
		return []Item{{Kind: OAuthClient, Format: "Google OAuth client (desktop)", Name: file.Installed.ID}}, nil
	case file.Web != nil && file.Web.ID != "":
		return []Item{{Kind: OAuthClient, Format: "Google OAuth client (web)", Name: file.Web.ID}}, nil
	case file.Type == "authorized_user" && file.Client != "":
		return []Item{{Kind: AuthorizedUser, Format: "Google sign-in", Name: file.Client}}, nil
	case len(file.Keys) > maxWebKeys:
		return nil, fault("keys.large", "")
	}
	var out []Item
	for _, raw := range file.Keys {
		i, err := webKey(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

type googleClient struct {
	ID string `json:"client_id"`
}

func webKey(raw []byte) (Item, error) {
	if len(raw) > maxWebKey {
		return Item{}, fault("keys.large", "")
	}
	var head struct {
		Kty string `json:"kty"`
		Crv string `json:"crv"`
		Kid string `json:"kid"`
		D   string `json:"d"`
	}
	if json.Unmarshal(raw, &head) != nil {
		return Item{}, damaged("the JWK")
	}
	i := Item{Kind: webKeyHead{head.Kty, head.D}.kind(), Format: "JWK", Name: head.Kid}
	switch i.Kind {
	case SharedKey:
		i.Algorithm = "shared secret"
	default:
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || key.IsPublic() != (i.Kind == PublicKey) {
			return i, damaged("the JWK")
		}
		if i.Kind == PublicKey {
			i.own(key.Key)
		} else {
			i.have(key.Key)
		}
	}
	return i, nil
}

// JSONText is JSON with what pasting does to it repaired, for readers of the
// members that an Item does not have.
func JSONText(text string) string {
	if len(text) > MaxSize {
		return ""
	}
	c := open([]byte(text))
	if !c.isJSON() || json.Valid([]byte(c.text)) {
		return c.text
	}
	return pemx.Escaped(c.text)
}
