package jwtx

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/conntest/server"
)

func signers(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	out := map[string]crypto.Signer{}
	for _, method := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		key, err := ReadKey(read(t, keyFor(t, openssl, dir, method)), none)
		if err != nil {
			t.Fatal(err)
		}
		out[method] = key
	}
	return out
}

func TestSecurity14_AssertionsNameEveryoneAndAreShortLived(t *testing.T) {
	for method, key := range signers(t) {
		seen := map[any]bool{}
		for _, sub := range []string{"", "somebody"} {
			token, err := Assertion{Key: key, Issuer: "client", Subject: sub, Audience: "https://login.example/token", KeyID: "k"}.Sign(noon)
			if err != nil {
				t.Fatalf("%s: %v", method, err)
			}
			verified(t, method, token, method, key.Public())
			var claims map[string]any
			if err := json.Unmarshal([]byte(partOf(t, token, 1)), &claims); err != nil {
				t.Fatal(err)
			}
			want := sub
			if sub == "" {
				want = "client"
			}
			if claims["iss"] != "client" || claims["sub"] != want || claims["aud"] != "https://login.example/token" || claims["iat"] != 1.8e9 || claims["exp"] != 1.8e9+300 || seen[claims["jti"]] || len(fmt.Sprint(claims["jti"])) != 36 || len(claims) != 6 {
				t.Errorf("%s: %v", method, claims)
			}
			seen[claims["jti"]] = true
			if want := `{"alg":"` + method + `","typ":"JWT","kid":"k"}`; partOf(t, token, 0) != want {
				t.Errorf("%s", partOf(t, token, 0))
			}
		}
	}
	key := signers(t)["ES256"]
	for name, a := range map[string]Assertion{
		"six minutes": {Lifetime: 6 * time.Minute}, "two hours": {Lifetime: 2 * time.Hour, Long: true}, "negative": {Lifetime: -time.Second},
		"another exp": {Extra: map[string]any{"exp": 9e9}}, "another nbf": {Extra: map[string]any{"nbf": 0}}, "another jti": {Extra: map[string]any{"jti": "x"}}, "no JSON": {Extra: map[string]any{"x": make(chan int)}},
	} {
		a.Key, a.Issuer, a.Audience = key, "i", "a"
		if _, err := a.Sign(noon); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	if _, err := (Assertion{Key: key, Issuer: "i"}).Sign(noon); err == nil {
		t.Error("an assertion without audience was signed")
	}
	if _, err := (Assertion{Key: key, Audience: "a"}).Sign(noon); err == nil {
		t.Error("an assertion without issuer was signed")
	}
}

func TestAssertionsHaveWhatProvidersAskFor(t *testing.T) {
	token, err := Assertion{Key: signers(t)["RS256"], Method: "PS384", Issuer: "i", Audience: "a", Scope: "read write", Long: true, Lifetime: time.Hour, NBF: true,
		Extra: map[string]any{"b": 2, "a": "<x>"}}.Sign(noon)
	if err != nil {
		t.Fatal(err)
	}
	claims := partOf(t, token, 1)
	if !strings.Contains(claims, `"iat":1800000000,"nbf":1800000000,"exp":1800003600,"jti":"`) || !strings.HasSuffix(claims, `","scope":"read write","a":"\u003cx\u003e","b":2}`) {
		t.Error(claims)
	}
}

func TestAssertionsNameTheirCertificate(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	path := keyFor(t, openssl, dir, "RS256")
	server.Run(t, openssl, "req", "-x509", "-key", path, "-subj", "/CN=practice-only", "-out", dir+"/cert")
	key, err := ReadKey(read(t, path), none)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := Certificates(read(t, dir+"/cert"), none)
	if err != nil {
		t.Fatal(err)
	}
	print := strings.ReplaceAll(strings.TrimSpace(strings.SplitN(server.Run(t, openssl, "x509", "-in", dir+"/cert", "-noout", "-fingerprint", "-sha1"), "=", 2)[1]), ":", "")
	var sha1 []byte
	if _, err := fmt.Sscanf(print, "%X", &sha1); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(certs[0].Raw)
	for method, want := range map[string]string{
		"":      `{"alg":"RS256","typ":"JWT","x5t":"` + base64.RawURLEncoding.EncodeToString(sha1) + `"}`,
		"PS256": `{"alg":"PS256","typ":"JWT","x5t#S256":"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"}`,
	} {
		token, err := Assertion{Key: key, Method: method, Issuer: "i", Audience: "a", X5T: true, Certificate: certs[0]}.Sign(noon)
		if err != nil || partOf(t, token, 0) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := (Assertion{Key: key, Issuer: "i", Audience: "a", X5T: true}).Sign(noon); err == nil {
		t.Error("signed without the certificate")
	}
	_, err = Assertion{Key: signers(t)["RS256"], Issuer: "i", Audience: "a", X5T: true, Certificate: certs[0]}.Sign(noon)
	wants(t, "another's certificate", err, "jwt.key_mismatch", fieldKey, "")
}

func TestAssertionsRefuseKeysThatDoNotFit(t *testing.T) {
	keys := signers(t)
	_, err := Assertion{Issuer: "i", Audience: "a"}.Sign(noon)
	wants(t, "no key", err, "jwt.key_needed", fieldKey, "")
	for _, method := range []string{"HS256", "none"} {
		_, err = Assertion{Key: keys["RS256"], Method: method, Issuer: "i", Audience: "a"}.Sign(noon)
		wants(t, method, err, "jwt.method", fieldMethod, method)
	}
	_, err = Assertion{Key: keys["RS256"], Method: "ES256", Issuer: "i", Audience: "a"}.Sign(noon)
	wants(t, "RSA for ES256", err, "jwt.key_type", fieldKey, "RSA")
}

func TestAssertionsPrintNoKey(t *testing.T) {
	key := signers(t)["EdDSA"]
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a := Assertion{Key: key, Issuer: "client"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, a); got != "assertion of client" || strings.Contains(got, string(der)) {
			t.Errorf("%s: %s", format, got)
		}
	}
	if a.LogValue().String() != "assertion of client" {
		t.Error("the log shows more")
	}
}
