package awsx

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/httpx"
)

const (
	practiceKey    = "AKIAPRACTICEONLY0000"
	practiceSecret = "practice-only-secret-key"
	practiceToken  = "practice-only-session-token"
)

var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func keys() Credentials {
	return Credentials{AccessKey: practiceKey, Secret: connectors.NewSecret(practiceSecret)}
}

func request(t *testing.T, method, place, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, place, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// aws4 is the npm package that signs a second time.
const aws4 = "aws4@1.13.2"

func TestSecurity69_AnotherImplementationSignsTheSame(t *testing.T) {
	node, npm := server.Program(t, "node", "nodejs"), server.Program(t, "npm", "npm")
	home := server.Cached(t, aws4, func(dir string) {
		server.Run(t, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, aws4)
	})
	temporaryKeys := Credentials{AccessKey: "ASIAPRACTICEONLY0000", Secret: connectors.NewSecret(practiceSecret), Token: connectors.NewSecret(practiceToken)}
	type job struct {
		Request map[string]any    `json:"request"`
		Keys    map[string]string `json:"keys"`
	}
	var jobs []job
	var ours []string
	for _, c := range []struct {
		service, method, place, body string
		keys                         Credentials
	}{
		{"s3", http.MethodGet, "https://bucket.s3.eu-central-1.amazonaws.com/a b/%C3%A9t%C3%A9+2013/x(1)!$&'*,;=:@~.jpg", "", keys()},
		{"s3", http.MethodGet, "https://bucket.s3.eu-central-1.amazonaws.com/?list-type=2&prefix=a%2Fb+c&delimiter=%2F&empty", "", temporaryKeys},
		{"s3", http.MethodPut, "http://127.0.0.1:9000/bucket/key", "content", keys()},
		{"execute-api", http.MethodGet, "https://x.execute-api.eu-central-1.amazonaws.com/prod/a%20b/c?q=1%202&q=0", "", keys()},
		{"sqs", http.MethodPost, "https://sqs.eu-central-1.amazonaws.com/", "{\"QueueNamePrefix\":\"ü\"}", temporaryKeys},
		{"sts", http.MethodPost, "https://sts.eu-central-1.amazonaws.com:443/", "Action=GetCallerIdentity&Version=2011-06-15", keys()},
	} {
		req := request(t, c.method, c.place, c.body)
		if c.body != "" {
			req.Header.Set("Content-Type", "application/x-amz-json-1.0")
		}
		if err := (Signer{Region: "eu-central-1", Service: c.service}).Sign(t.Context(), req, c.keys, moment); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, req.Header.Get(authorization))
		headers := map[string]string{"Host": req.Host}
		for name := range req.Header {
			if name != authorization && name != tokenHeader {
				headers[name] = req.Header.Get(name)
			}
		}
		jobs = append(jobs, job{
			map[string]any{"service": c.service, "region": "eu-central-1", "method": c.method, "path": req.URL.RequestURI(), "headers": maps.Clone(headers), "body": c.body},
			map[string]string{"accessKeyId": c.keys.AccessKey, "secretAccessKey": practiceSecret, "sessionToken": c.keys.Token.Reveal()},
		})
	}
	data, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/sign.mjs")
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	said := server.Run(t, node, script, server.WriteFile(t, t.TempDir(), "requests.json", string(data), 0o600), home)
	if err := json.Unmarshal([]byte(said), &theirs); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for i := range ours {
		if ours[i] != theirs[i] {
			t.Errorf("%s\nours   %s\ntheirs %s", jobs[i].Request["path"], ours[i], theirs[i])
		}
	}
}

func TestARequestCanBeSignedAgainAndItsBodyIsSentWhole(t *testing.T) {
	req := request(t, http.MethodPost, "https://sqs.eu-central-1.amazonaws.com/", "whole")
	first := keys()
	first.Token = connectors.NewSecret(practiceToken)
	s := Signer{Region: "eu-central-1", Service: "sqs"}
	if err := errors.Join(s.Sign(t.Context(), req, first, moment), s.Sign(t.Context(), req, keys(), moment)); err != nil {
		t.Fatal(err)
	}
	once := request(t, http.MethodPost, "https://sqs.eu-central-1.amazonaws.com/", "whole")
	if err := s.Sign(t.Context(), once, keys(), moment); err != nil {
		t.Fatal(err)
	}
	if req.Header.Get(authorization) != once.Header.Get(authorization) || len(req.Header.Values(authorization)) != 1 || req.Header.Get(tokenHeader) != "" {
		t.Errorf("%v", req.Header)
	}
	if body, err := io.ReadAll(req.Body); err != nil || string(body) != "whole" {
		t.Errorf("%q %v", body, err)
	}
}

func TestWhatCannotBeSignedIsRefused(t *testing.T) {
	s := Signer{Region: "eu-central-1", Service: "s3"}
	noToken := Credentials{AccessKey: "ASIAPRACTICEONLY0000", Secret: connectors.NewSecret(practiceSecret)}
	for _, c := range []struct {
		name   string
		signer Signer
		keys   Credentials
		field  string
	}{
		{"no access key", s, Credentials{Secret: connectors.NewSecret(practiceSecret)}, FieldAccessKey},
		{"no secret", s, Credentials{AccessKey: practiceKey}, FieldSecretKey},
		{"no token", s, noToken, FieldToken},
		{"no region", Signer{Service: "s3"}, keys(), FieldRegion},
	} {
		req := request(t, http.MethodGet, "https://bucket.s3.amazonaws.com/", "")
		e := connectors.Classify(c.signer.Sign(t.Context(), req, c.keys, moment))
		if e == nil || e.Code != connectors.BadInput || e.Field != c.field || req.Header.Get(authorization) != "" {
			t.Errorf("%s: %v", c.name, e)
		}
	}
	stream := request(t, http.MethodPut, "https://bucket.s3.amazonaws.com/x", "body")
	stream.GetBody = nil
	odd := request(t, http.MethodGet, "https://bucket.s3.amazonaws.com/?a;b=%zz", "")
	for _, req := range []*http.Request{stream, odd} {
		if err := s.Sign(t.Context(), req, keys(), moment); err == nil || strings.Contains(err.Error(), "zz") {
			t.Errorf("%s: %v", req.Method, err)
		}
	}
}

func TestSecurity67_ARedirectElsewhereGetsNoSignatureAndNoToken(t *testing.T) {
	var there atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { there.Add(1) }))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	client, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	req := request(t, http.MethodGet, here.URL, "")
	c := keys()
	c.Token = connectors.NewSecret(practiceToken)
	if err := (Signer{Region: "eu-central-1", Service: "s3"}).Sign(t.Context(), req, c, time.Now()); err != nil {
		t.Fatal(err)
	}
	res, err := httpx.Do(client, req, 0)
	if err != nil || res.Status != http.StatusTemporaryRedirect || there.Load() != 0 {
		t.Errorf("%v %v, %d requests elsewhere", res, err, there.Load())
	}
}

func TestFormatRules(t *testing.T) {
	for _, c := range []struct {
		rule  func(string) error
		value string
		says  string // part of the sentence; "" when it is right
	}{
		{ValidAccessKey, "AKIAIOSFODNN7EXAMPLE", ""},
		{ValidAccessKey, "ASIAIOSFODNN7EXAMPLE", ""},
		{ValidAccessKey, "AROAIOSFODNN7EXAMPLE", "something else"},
		{ValidAccessKey, docSecret, "secret access key"},
		{ValidAccessKey, "AKIA", "20 capital letters"},
		{ValidAccessKey, "akiaiosfodnn7example", "20 capital letters"},
		{ValidRegion, "eu-central-1", ""},
		{ValidRegion, "us-gov-west-1", ""},
		{ValidRegion, "cn-northwest-1", ""},
		{ValidRegion, "eusc-de-east-1", ""},
		{ValidRegion, "eu-central-1b", "availability zone"},
		{ValidRegion, "Frankfurt", "eu-central-1"},
		{ValidRegion, "x.example.com/", "eu-central-1"},
		{ValidRoleARN, "arn:aws:iam::123456789012:role/reader", ""},
		{ValidRoleARN, "arn:aws-us-gov:iam::123456789012:role/team/sub/reader@x", ""},
		{ValidRoleARN, "arn:aws-cn:iam::123456789012:role/reader", ""},
		{ValidRoleARN, "arn:aws:sts::123456789012:assumed-role/reader/session", "session of a role"},
		{ValidRoleARN, "arn:aws:iam::123456789012:instance-profile/reader", "instance profile"},
		{ValidRoleARN, "arn:aws:iam::123456789012:user/me", "a user"},
		{ValidRoleARN, "arn:aws:iam::12345:role/reader", "12 digits"},
		{ValidRoleARN, "reader", "12 digits"},
	} {
		err := c.rule(c.value)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.value, err)
		}
	}
}

func TestTheDomainIsThePartitions(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "eusc-de-east-1": "amazonaws.eu",
		"us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov", "eu-isoe-west-1": "cloud.adc-e.uk", "us-isof-south-1": "csp.hci.ic.gov",
	} {
		if got := Domain(region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}
