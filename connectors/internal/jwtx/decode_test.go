package jwtx

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func encoded(parts ...string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = base64.RawURLEncoding.EncodeToString([]byte(p))
	}
	return strings.Join(out, ".")
}

func TestDecodeShowsWhatATokenSays(t *testing.T) {
	token := encoded(`{"alg":"RS256","kid":"k"}`, `{"z":1,"iat":1800000000,"nbf":1800000000.5,"exp":1800000300,"big":12345678901234567890}`, "no signature at all")
	for _, text := range []string{token, " Bearer " + token + "\n", `"` + token + `"`} {
		d, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if d.Alg != "RS256" || !d.Issued.Equal(noon) || !d.NotBefore.Equal(noon.Add(time.Second/2)) || !d.Expires.Equal(noon.Add(5*time.Minute)) {
			t.Errorf("%+v", d)
		}
		if want := "{\n  \"z\": 1,\n  \"iat\": 1800000000,\n  \"nbf\": 1800000000.5,\n  \"exp\": 1800000300,\n  \"big\": 12345678901234567890\n}"; d.Payload != want {
			t.Errorf("%s", d.Payload)
		}
	}
	d, err := Decode(encoded(`{}`, `{"exp":1e300,"iat":"now","nbf":null}`, ""))
	if err != nil || !d.Expires.IsZero() || !d.Issued.IsZero() || !d.NotBefore.IsZero() || d.Alg != "" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestDecodeRefusesWhatIsNoToken(t *testing.T) {
	good := encoded(`{"alg":"none"}`)
	for name, c := range map[string]struct{ token, reason string }{
		"empty": {"", "jwt.token"}, "two parts": {good + "." + good, "jwt.token"}, "no base64": {good + ".!!.x", "jwt.token"},
		"no JSON": {good + "." + encoded("text") + ".x", "jwt.token"}, "a list": {good + "." + encoded("[]") + ".x", "jwt.token"},
		"broken": {good + "." + encoded(`{"a":1,}`) + ".x", "jwt.token"}, "five parts": {good + "....", "jwt.token_encrypted"},
		"deep": {good + "." + encoded(`{"a":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`}`) + ".", "jwt.token"},
		"huge": {good + "." + strings.Repeat("A", maxToken) + ".", "jwt.token"},
	} {
		_, err := Decode(c.token)
		wants(t, name, err, c.reason, "", "")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(`{"alg":"HS256","typ":"JWT"}`, `{"iss":"joe","exp":1300819380.5}`, "x"))
	f.Add("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.")
	f.Add("a.b.c.d.e")
	f.Add(encoded("\xff{}", "{\"\xff\":1}", ""))
	f.Fuzz(func(t *testing.T, token string) {
		d, err := Decode(token)
		if err == nil && (d.Header == "" || d.Payload == "") {
			t.Error("an empty token was taken")
		}
	})
}

func FuzzSpec(f *testing.F) {
	f.Add(`{"exp":"{now+5m}","jti":"{uuid}","a":["{now}",{"b":"\"{now}"}]}`, `{"kid":"k"}`)
	f.Add("[]", "{")
	f.Fuzz(func(t *testing.T, payload, headers string) {
		token, _, err := practice(payload, headers).Sign(noon)
		if err != nil {
			return
		}
		if _, err := Decode(token); err != nil && len(token) <= maxToken {
			t.Errorf("a token that was signed cannot be read: %v", err)
		}
	})
}
