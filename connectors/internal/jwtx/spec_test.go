package jwtx

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// part of a token, as the bytes that were signed.
func partOf(t *testing.T, token string, i int) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func practice(payload, headers string) Spec {
	return Spec{Method: "HS256", Secret: connectors.NewSecret(strings.Repeat("practice", 4)), Payload: payload, Headers: headers}
}

func TestPayloadAndHeadersKeepWhatWasTyped(t *testing.T) {
	token, expires, err := practice(
		"\ufeff{ \"z\": 1,\n\"big\": 12345678901234567890.10, \"iat\":\"{now}\", \"exp\": \"{now+5m}\",\n \"nested\": [\"{now-60}\", {\"a\": \"{now+1h}\", \"{now}\": \"x {now}\"}], \"d\": \"{now+2d}\", \"t\": \"{tenant}\", \"q\": \"\\\"{now}\\\"\", \"<\": \"&\" }",
		`{"kid": "k1", "typ": "at+jwt", "alg": "HS256", "n": 1.0}`).Sign(noon)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := partOf(t, token, 1), `{"z":1,"big":12345678901234567890.10,"iat":1800000000,"exp":1800000300,"nested":[1799999940,{"a":1800003600,"{now}":"x {now}"}],"d":1800172800,"t":"{tenant}","q":"\"{now}\"","<":"&"}`; got != want {
		t.Errorf("payload\n%s, want\n%s", got, want)
	}
	if got, want := partOf(t, token, 0), `{"alg":"HS256","typ":"at+jwt","kid":"k1","n":1.0}`; got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	if !expires.Equal(noon.Add(5 * time.Minute)) {
		t.Errorf("expires %v", expires)
	}
}

func TestNothingIsAddedToAPayload(t *testing.T) {
	token, expires, err := practice("{}", "").Sign(noon)
	if err != nil || !expires.IsZero() || partOf(t, token, 1) != "{}" || partOf(t, token, 0) != `{"alg":"HS256","typ":"JWT"}` {
		t.Errorf("%s, %v, %v", token, expires, err)
	}
}

func TestEveryUUIDIsFresh(t *testing.T) {
	token, _, err := practice(`{"jti":"{uuid}","other":"{uuid}"}`, `{"nonce":"{uuid}"}`).Sign(noon)
	if err != nil {
		t.Fatal(err)
	}
	ids := regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`).FindAllString(partOf(t, token, 0)+partOf(t, token, 1), -1)
	if len(ids) != 3 || ids[0] == ids[1] || ids[1] == ids[2] {
		t.Errorf("%q", ids)
	}
}

func TestSecretsInBase64(t *testing.T) {
	raw := strings.Repeat("\xfb\xef\xff?", 8)
	plain := practice("{}", "")
	plain.Secret = connectors.NewSecret(raw)
	want, _, err := plain.Sign(noon)
	if err != nil {
		t.Fatal(err)
	}
	std := base64.StdEncoding.EncodeToString([]byte(raw))
	for _, text := range []string{std, base64.RawURLEncoding.EncodeToString([]byte(raw)), " " + std[:9] + "\n" + std[9:] + "\n"} {
		s := Spec{Method: "HS256", Secret: connectors.NewSecret(text), SecretBase64: true, Payload: "{}"}
		if got, _, err := s.Sign(noon); err != nil || got != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// wants checks the whole of what a person would see.
func wants(t *testing.T, name string, err error, reason, field, said string) {
	t.Helper()
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.BadInput || e.Op != connectors.StageForm || e.Reason != reason || e.Field != field || !strings.Contains(e.Said, said) {
		t.Errorf("%s: %+v %s, want %s on %s saying %q", name, e, e.Reason, reason, field, said)
		return
	}
	if words := connectors.English(); !words.Has(reason) {
		t.Errorf("%s: no words for %s", name, reason)
	}
	if p := connectors.Explain(err); strings.Contains(p.Title+p.Hint, "practice") {
		t.Errorf("%s: a secret is shown: %+v", name, p)
	}
}

func TestWrongAnswersNameTheirField(t *testing.T) {
	openssl := server.Program(t, "openssl", "openssl")
	dir := t.TempDir()
	keys := map[string]string{}
	for _, method := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		keys[method] = read(t, keyFor(t, openssl, dir, method))
	}
	server.Run(t, openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", dir+"/weak")
	server.Run(t, openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224", "-out", dir+"/p224")
	server.Run(t, openssl, "genpkey", "-algorithm", "X25519", "-out", dir+"/x25519")
	server.Run(t, openssl, "pkey", "-in", dir+"/RS256.pem", "-pubout", "-out", dir+"/public")
	server.Run(t, openssl, "req", "-x509", "-key", dir+"/RS256.pem", "-subj", "/CN=practice-only", "-out", dir+"/cert")
	long := strings.Repeat("practice", 8)
	for _, c := range []struct{ name, method, secret, key, payload, headers, reason, field, said string }{
		{"no method", "", long, "", "{}", "", "jwt.method", fieldMethod, ""},
		{"none as method", "none", long, "", "{}", "", "jwt.method", fieldMethod, "none"},
		{"no secret", "HS256", "", "", "{}", "", "jwt.secret_needed", fieldSecret, ""},
		{"a short secret", "HS256", long[:31], "", "{}", "", "jwt.secret_short", fieldSecret, "31 bytes, and HS256 needs 32"},
		{"a secret too short for 384", "HS384", long[:47], "", "{}", "", "jwt.secret_short", fieldSecret, "needs 48"},
		{"a secret too short for 512", "HS512", long[:63], "", "{}", "", "jwt.secret_short", fieldSecret, "needs 64"},
		{"no key", "RS256", "", " \n", "{}", "", "jwt.key_needed", fieldKey, ""},
		{"no key at all", "RS256", "", "a practice note", "{}", "", "jwt.not_a_key", fieldKey, ""},
		{"a public key", "RS256", "", read(t, dir+"/public"), "{}", "", "jwt.public_key", fieldKey, ""},
		{"a certificate", "RS256", "", read(t, dir+"/cert"), "{}", "", "jwt.certificate", fieldKey, ""},
		{"EC for RS256", "RS256", "", keys["ES256"], "{}", "", "jwt.key_type", fieldKey, "EC on the curve P-256, for ES256."},
		{"RSA for ES256", "ES256", "", keys["RS256"], "{}", "", "jwt.key_type", fieldKey, "RSA with 2048 bits, for RS256, RS384"},
		{"RSA for EdDSA", "EdDSA", "", keys["RS256"], "{}", "", "jwt.key_type", fieldKey, "RSA"},
		{"Ed25519 for PS256", "PS256", "", keys["EdDSA"], "{}", "", "jwt.key_type", fieldKey, "Ed25519, for EdDSA"},
		{"a weak key", "RS256", "", read(t, dir+"/weak"), "{}", "", "jwt.key_weak", fieldKey, "1024 bits"},
		{"P-384 for ES256", "ES256", "", keys["ES384"], "{}", "", "jwt.key_curve", fieldKey, "for ES384"},
		{"P-521 for ES384", "ES384", "", keys["ES512"], "{}", "", "jwt.key_curve", fieldKey, "for ES512"},
		{"P-256 for ES512", "ES512", "", keys["ES256"], "{}", "", "jwt.key_curve", fieldKey, "for ES256"},
		{"P-224", "ES256", "", read(t, dir+"/p224"), "{}", "", "jwt.key_kind", fieldKey, "P-224"},
		{"X25519", "EdDSA", "", read(t, dir+"/x25519"), "{}", "", "jwt.key_kind", fieldKey, "ECDH"},
		{"an empty payload", "HS256", long, "", "", "", "jwt.payload", fieldPayload, "line 1"},
		{"a broken payload", "HS256", long, "", "{\n\"a\": 1,\n}", "", "jwt.payload", fieldPayload, "line 3"},
		{"a cut payload", "HS256", long, "", "{\n\"a\": 1", "", "jwt.payload", fieldPayload, "line 2"},
		{"text after the payload", "HS256", long, "", "{}\n\nx", "", "jwt.payload", fieldPayload, "line 3"},
		{"a list", "HS256", long, "", "[1]", "", "jwt.payload_object", fieldPayload, ""},
		{"a text", "HS256", long, "", `"x"`, "", "jwt.payload_object", fieldPayload, ""},
		{"a deep payload", "HS256", long, "", `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "", "jwt.payload", fieldPayload, "deep"},
		{"no UTF-8", "HS256", long, "", "{\"a\":\"\xff\"}", "", "jwt.payload", fieldPayload, "UTF-8"},
		{"a huge payload", "HS256", long, "", `{"a":"` + strings.Repeat("a", maxObject) + `"}`, "", "jwt.payload_large", fieldPayload, ""},
		{"a claim twice", "HS256", long, "", `{"exp":1,"a":2,"exp":3}`, "", "jwt.twice", fieldPayload, "exp"},
		{"exp as text", "HS256", long, "", `{"exp":"1800000000"}`, "", "jwt.payload_time", fieldPayload, "exp"},
		{"exp in milliseconds", "HS256", long, "", `{"exp":1800000000000}`, "", "jwt.payload_time", fieldPayload, "exp"},
		{"nbf negative", "HS256", long, "", `{"nbf":-1}`, "", "jwt.payload_time", fieldPayload, "nbf"},
		{"a wrong unit", "HS256", long, "", `{"exp":"{now+5min}"}`, "", "jwt.placeholder", fieldPayload, "{now+5min}"},
		{"a huge offset", "HS256", long, "", `{"exp":"{now+1234567890}"}`, "", "jwt.placeholder", fieldPayload, ""},
		{"capitals", "HS256", long, "", `{"exp":"{NOW}"}`, "", "jwt.placeholder", fieldPayload, "{NOW}"},
		{"broken headers", "HS256", long, "", "{}", "{\"kid\"}", "jwt.headers", fieldHeaders, "line 1"},
		{"headers as a list", "HS256", long, "", "{}", "[]", "jwt.headers_object", fieldHeaders, ""},
		{"huge headers", "HS256", long, "", "{}", strings.Repeat(" ", maxObject) + "{}", "jwt.headers_large", fieldHeaders, ""},
		{"another alg", "HS256", long, "", "{}", `{"alg":"none"}`, "jwt.headers_alg", fieldHeaders, "none"},
		{"b64", "HS256", long, "", "{}", `{"b64":false}`, "jwt.headers_b64", fieldHeaders, ""},
		{"a header twice", "HS256", long, "", "{}", `{"kid":"a","kid":"b"}`, "jwt.twice", fieldHeaders, "kid"},
	} {
		s := Spec{Method: c.method, Secret: connectors.NewSecret(c.secret), Key: connectors.NewSecret(c.key), Payload: c.payload, Headers: c.headers}
		token, _, err := s.Sign(noon)
		wants(t, c.name, err, c.reason, c.field, c.said)
		if token != "" {
			t.Errorf("%s: there is a token", c.name)
		}
	}
	s := practice("{}", "")
	s.SecretBase64, s.Secret = true, connectors.NewSecret("practice only, no base64!")
	_, _, err := s.Sign(noon)
	wants(t, "bad base64", err, "jwt.secret_base64", fieldSecret, "")
}

func TestErrorsCarryTheFormsOwnNames(t *testing.T) {
	s := practice("[]", "")
	s.Fields = Fields{Payload: "claims"}
	_, _, err := s.Sign(noon)
	wants(t, "renamed", err, "jwt.payload_object", "claims", "")
	s.Payload, s.Headers = "{}", "[]"
	_, _, err = s.Sign(noon)
	wants(t, "left", err, "jwt.headers_object", fieldHeaders, "")
	if other := fmt.Errorf("other"); (Fields{Key: "k"}).Rename(other) != other || (Fields{}).Rename(nil) != nil {
		t.Error("another error was changed")
	}
}
