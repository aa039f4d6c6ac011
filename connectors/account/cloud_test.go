package account

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// googleDocsShaped is a key file as Google documents it, with a key of openssl's.
func googleDocsShaped(t *testing.T, change map[string]string) string {
	t.Helper()
	path := t.TempDir() + "/key"
	server.Run(t, server.Program(t, "openssl", "openssl"), "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
	file := map[string]string{
		"type": "service_account", "project_id": "practice-only", "private_key_id": "practice-only-id", "private_key": load(t, path),
		"client_email": "reader@practice-only.iam.gserviceaccount.com", "client_id": "1234567890", "token_uri": "https://oauth2.googleapis.com/token",
	}
	maps.Copy(file, change)
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGoogleKeyConformsDocsShaped(t *testing.T) {
	conform(t, "google_key", []string{"google_key", googleDocsShaped(t, nil), "subject", "alice@example.com"},
		wrong{"OAuth client", []string{"google_key", `{"installed":{"client_id":"practice-only"}}`}, connectors.BadInput, "google_key"},
		wrong{"a user's sign-in", []string{"google_key", `{"type":"authorized_user","refresh_token":"practice-only"}`}, connectors.BadInput, "google_key"},
		wrong{"lacks something", []string{"google_key", googleDocsShaped(t, map[string]string{"client_email": ""})}, connectors.BadInput, "google_key"},
		wrong{"without its key", []string{"google_key", googleDocsShaped(t, map[string]string{"private_key": ""})}, connectors.BadInput, "google_key"},
		wrong{"a damaged key", []string{"google_key", googleDocsShaped(t, map[string]string{"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"})}, connectors.BadInput, "google_key"},
		wrong{"another address", []string{"google_key", googleDocsShaped(t, map[string]string{"token_uri": "https://oauth2.googleapis.com.evil.example/token"})}, connectors.Untrusted, "google_key"},
		wrong{"other JSON", []string{"google_key", `{"a":1}`}, connectors.BadInput, "google_key"},
		wrong{"a path", []string{"google_key", `C:\Users\alice\key.json`}, connectors.BadInput, "google_key"})
	facts, _, problem := look(t, "google_key", "google_key", googleDocsShaped(t, nil))
	if facts["Account"] != "reader@practice-only.iam.gserviceaccount.com" || facts["Project"] != "practice-only" || facts["Key"] != "RSA, 2048 bits" || problem != nil {
		t.Errorf("%v, %v", facts, problem)
	}
}

// The IDs are the examples of AWS's documentation and of the pages on the algorithm.
const (
	exampleID     = "ASIAQNZGKIQY56JQ7WML"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func TestAWSKeyPairConformsDocsShaped(t *testing.T) {
	conform(t, "aws_key_pair", []string{"access_key", "AKIAIOSFODNN7EXAMPLE", "secret_key", exampleSecret, "region", "eu-central-1"},
		wrong{"temporary without its token", []string{"access_key", exampleID, "secret_key", exampleSecret}, connectors.BadInput, "session_token"},
		wrong{"the ID twice", []string{"access_key", "AKIAIOSFODNN7EXAMPLE", "secret_key", "AKIAIOSFODNN7EXAMPLE"}, connectors.BadInput, "secret_key"},
		wrong{"a short secret", []string{"access_key", "AKIAIOSFODNN7EXAMPLE", "secret_key", "practice-only"}, connectors.BadInput, "secret_key"},
		wrong{"exchanged", []string{"access_key", exampleSecret, "secret_key", "AKIAIOSFODNN7EXAMPLE"}, connectors.BadInput, "access_key"},
		wrong{"no region", []string{"access_key", "AKIAIOSFODNN7EXAMPLE", "secret_key", exampleSecret, "region", "Frankfurt"}, connectors.BadInput, "region"})
}

func TestAWSBlocksAreTakenApart(t *testing.T) {
	for name, text := range map[string]string{
		"credentials file": "[default]\naws_access_key_id = " + exampleID + "\naws_secret_access_key = " + exampleSecret + "\naws_session_token=practiceonly\nregion = eu-central-1\n",
		"export":           `export AWS_ACCESS_KEY_ID="` + exampleID + `" export AWS_SECRET_ACCESS_KEY="` + exampleSecret + `" export AWS_SESSION_TOKEN="practiceonly" export AWS_DEFAULT_REGION=eu-central-1`,
		"PowerShell":       `$Env:AWS_ACCESS_KEY_ID="` + exampleID + "\"\n$Env:AWS_SECRET_ACCESS_KEY=\"" + exampleSecret + "\"\n$Env:AWS_SESSION_TOKEN=\"practiceonly\"\n$Env:AWS_REGION=\"eu-central-1\"",
		"JSON":             `{"Credentials":{"AccessKeyId": "` + exampleID + `", "SecretAccessKey": "` + exampleSecret + `", "SessionToken": "practiceonly"}, "region": "eu-central-1"}`,
	} {
		parts := splitAWS(text)
		want := map[string]string{"access_key": exampleID, "secret_key": exampleSecret, "session_token": "practiceonly", "region": "eu-central-1"}
		if !maps.Equal(parts, want) {
			t.Errorf("%s: %v", name, parts)
		}
		// Where nothing splits a paste, linking does.
		facts, _, _ := look(t, "aws_key_pair", "access_key", text, "secret_key", text)
		if facts["Account"] != "029608264753" || facts["Kind"] != "temporary (STS)" || facts["Region"] != "eu-central-1" {
			t.Errorf("%s: %v", name, facts)
		}
	}
	for id, want := range map[string]string{exampleID: "029608264753", "ASIAY34FZKBOKMUTVV7A": "609629065308", "AKIAIOSFODNN7EXAMPLE": "", "AKIA": "", "minioadmin": ""} {
		if got := AWSAccount(id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// jwt is a token whose signature nobody checks.
func jwt(header, payload string) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
}

func TestJWTTokenConforms(t *testing.T) {
	good := jwt(`{"alg":"RS256"}`, `{"sub":"alice","iss":"https://login.practice.example","aud":["api","x"],"exp":4102444800}`)
	conform(t, "jwt_token", []string{"token", "Bearer " + good},
		wrong{"expired", []string{"token", jwt(`{"alg":"RS256"}`, `{"sub":"alice","exp":1577836800}`)}, connectors.Expired, "token"},
		wrong{"not yet", []string{"token", jwt(`{"alg":"RS256"}`, `{"sub":"alice","nbf":4102444800}`)}, connectors.Expired, "token"},
		wrong{"unsigned", []string{"token", jwt(`{"alg":"none"}`, `{"sub":"alice"}`)}, connectors.Refused, "token"},
		wrong{"opaque", []string{"token", "practice-only-token"}, connectors.BadInput, "token"},
		wrong{"encrypted", []string{"token", "eyJhbGciOiJkaXIifQ....x"}, connectors.BadInput, "token"})
	facts, session, _ := look(t, "jwt_token", "token", good)
	if facts["Account"] != "alice" || facts["Audience"] != "api" || facts["Expires"] != time.Unix(4102444800, 0).UTC().Format(time.RFC3339) {
		t.Errorf("%v", facts)
	}
	if texts := contents(t, session, ""); len(texts) != 2 {
		t.Errorf("%v", texts)
	}
}

// SECURITY 70 and 71: what a file says about itself is only shown, cleaned and capped.
func TestSecurity70_FactsAreCleaned(t *testing.T) {
	long := make([]rune, 1<<14)
	for i := range long {
		long[i] = 'ä'
	}
	facts, _, _ := look(t, "jwt_token", "token", jwt(`{"alg":"RS256"}`, `{"sub":"invoice\u202egpj.exe\u0007","iss":"`+string(long)+`"}`))
	if facts["Account"] != "invoice\ufffdgpj.exe␇" {
		t.Errorf("%q", facts["Account"])
	}
	if n := len([]rune(facts["Issuer"])); n > maxFact+1 {
		t.Errorf("%d characters", n)
	}
}

func TestSecurity71_DeepTokensAreRefused(t *testing.T) {
	typ := find(t, "jwt_token")
	deep := make([]byte, 40_000)
	for i := range deep {
		deep[i] = '['
	}
	_, err := typ.Open(t.Context(), nil, filled(typ, "token", jwt(`{"alg":"RS256"}`, `{"a":`+string(deep))))
	if connectors.CodeOf(err) != connectors.BadInput {
		t.Error(err)
	}
}
