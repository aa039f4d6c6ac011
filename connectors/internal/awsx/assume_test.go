package awsx

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const practiceRole = "arn:aws:iam::123456789012:role/reader"

// assumed is the sample response of the API reference, with values of our own.
func assumed(until time.Time) string {
	return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>AROAPRACTICEONLY00000:jackfield</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/reader/jackfield</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAPRACTICEONLY1111</AccessKeyId>
      <SecretAccessKey>practice-only-issued-secret</SecretAccessKey>
      <SessionToken>practice-only-issued-token</SessionToken>
      <Expiration>` + until.UTC().Format(time.RFC3339) + `</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</AssumeRoleResponse>`
}

// A sts is a token service that takes nothing but a right signature.
type sts struct {
	*httptest.Server
	calls atomic.Int32
	forms chan url.Values
}

func startSTS(t *testing.T, answer http.HandlerFunc) *sts {
	t.Helper()
	s := &sts{forms: make(chan url.Values, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		s.forms <- form
		again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), strings.NewReader(string(body)))
		if err != nil {
			t.Error(err)
			return
		}
		again.Header.Set("Content-Type", r.Header.Get("Content-Type"))
		at, err := time.Parse("20060102T150405Z", r.Header.Get(dateHeader))
		if err != nil {
			t.Error(err)
		}
		if err := (Signer{Region: "eu-central-1", Service: "sts"}).Sign(r.Context(), again, keys(), at); err != nil {
			t.Error(err)
		}
		if again.Header.Get(authorization) != r.Header.Get(authorization) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, query("SignatureDoesNotMatch", "no"))
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T) *http.Client {
	t.Helper()
	c, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{Proxy: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func gives(until time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, assumed(until)) }
}

func always(at time.Time) func() time.Time { return func() time.Time { return at } }

func TestARoleIsTakenOnDocsShaped(t *testing.T) {
	s := startSTS(t, gives(moment.Add(time.Hour)))
	role := Role{ARN: practiceRole, ExternalID: "Ext=1,@:/-+ id ", SessionName: "nightly", Duration: 30 * time.Minute, Endpoint: s.URL}
	got, err := NewAssumer(client(t), "eu-central-1", keys(), role, always(moment)).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessKey != "ASIAPRACTICEONLY1111" || got.Secret.Reveal() != "practice-only-issued-secret" || got.Token.Reveal() != "practice-only-issued-token" || !got.Expires.Equal(moment.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	want := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {practiceRole}, "RoleSessionName": {"nightly"}, "DurationSeconds": {"1800"}, "ExternalId": {"Ext=1,@:/-+ id "}}
	if form := <-s.forms; form.Encode() != want.Encode() {
		t.Errorf("got  %s\nwant %s", form.Encode(), want.Encode())
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}

func TestCredentialsAreRenewedFiveMinutesBeforeTheirEnd(t *testing.T) {
	s := startSTS(t, gives(moment.Add(time.Hour)))
	now := moment
	a := NewAssumer(client(t), "eu-central-1", keys(), Role{ARN: practiceRole, Endpoint: s.URL}, func() time.Time { return now })
	for _, c := range []struct {
		at    time.Duration
		calls int32
	}{{0, 1}, {30 * time.Minute, 1}, {55*time.Minute - time.Second, 1}, {55 * time.Minute, 2}} {
		now = moment.Add(c.at)
		if _, err := a.Credentials(t.Context()); err != nil || s.calls.Load() != c.calls {
			t.Errorf("after %s: %v, %d requests", c.at, err, s.calls.Load())
		}
	}
	if form := <-s.forms; form.Has("ExternalId") || form.Has("DurationSeconds") || form.Get("RoleSessionName") != "jackfield" {
		t.Errorf("%v", form)
	}
}

func TestManyCallersMakeOneRequest(t *testing.T) {
	entered, release := make(chan struct{}, 20), make(chan struct{})
	s := startSTS(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
		gives(moment.Add(time.Hour))(w, r)
	})
	a := NewAssumer(client(t), "eu-central-1", keys(), Role{ARN: practiceRole, Endpoint: s.URL}, always(moment))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if c, err := a.Credentials(t.Context()); err != nil || c.AccessKey == "" {
				t.Errorf("%v", err)
			}
		})
	}
	<-entered
	close(release)
	all.Wait()
	if n := s.calls.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestACallerWhoGoesAwayTakesNobodyAlong(t *testing.T) {
	entered, release := make(chan struct{}, 20), make(chan struct{})
	s := startSTS(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		gives(moment.Add(time.Hour))(w, r)
	})
	a := NewAssumer(client(t), "eu-central-1", keys(), Role{ARN: practiceRole, Endpoint: s.URL}, always(moment))
	leaving, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := a.Credentials(leaving); connectors.CodeOf(err) != connectors.Cancelled {
			t.Errorf("the one who left: %v", err)
		}
	})
	<-entered
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Credentials(gone); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("one who waits and leaves: %v", err)
	}
	all.Go(func() {
		if _, err := a.Credentials(t.Context()); err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
	})
	leave()
	<-entered
	close(release)
	all.Wait()
}

func TestAssumeRoleFailuresDocsShaped(t *testing.T) {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = fmt.Fprint(w, body) }
	}
	wrongSecret := Credentials{AccessKey: practiceKey, Secret: connectors.NewSecret("practice-only-wrong-secret")}
	for _, c := range []struct {
		name   string
		keys   Credentials
		answer http.HandlerFunc
		code   connectors.Code
		reason string
		field  string
	}{
		{"wrong secret", wrongSecret, nil, connectors.AuthFailed, "aws.secret_key", FieldSecretKey},
		{"not trusted", keys(), says(403, query("AccessDenied", "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: "+practiceRole)), connectors.Denied, "aws.assume", FieldRole},
		{"region off", keys(), says(403, query("RegionDisabledException", "off")), connectors.Denied, "aws.not_enabled", FieldRegion},
		{"no STS", keys(), says(200, "<html></html>"), connectors.Refused, "aws.not_sts", ""},
		{"without an end", keys(), says(200, strings.Replace(assumed(moment), "Expiration", "Other", 2)), connectors.Refused, "aws.not_sts", ""},
		{"another error", keys(), says(500, "oops"), connectors.Refused, "http.server", ""},
		{"a redirect", keys(), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, connectors.Refused, "http.redirect", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startSTS(t, c.answer)
			a := NewAssumer(client(t), "eu-central-1", c.keys, Role{ARN: practiceRole, ExternalID: "x", Endpoint: s.URL}, always(moment))
			_, err := a.Credentials(t.Context())
			e := connectors.Classify(err)
			if e == nil || e.Code != c.code || e.Reason != c.reason || e.Field != c.field || e.Op != connectors.StageSignIn && e.Op != "" {
				t.Errorf("%+v", e)
			}
			if s.calls.Load() != 1 {
				t.Errorf("%d requests", s.calls.Load())
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, e, connectors.Explain(err)), "practice-only") {
				t.Error("a secret is in the error")
			}
		})
	}
	for place, field := range map[string]string{"http://sts.example.com": FieldSTSEndpoint, "ftp://x": FieldSTSEndpoint, "::": FieldSTSEndpoint} {
		_, err := NewAssumer(client(t), "eu-central-1", keys(), Role{ARN: practiceRole, Endpoint: place}, always(moment)).Credentials(t.Context())
		if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != field {
			t.Errorf("%s: %v", place, err)
		}
	}
}

// recorder answers every request itself and remembers where it would have gone.
type recorder struct{ hosts []string }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.hosts = append(r.hosts, req.URL.Scheme+"://"+req.Host+req.URL.Path)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(assumed(moment.Add(time.Hour)))), Request: req}, nil
}

func TestTheRegionsOwnTokenServiceIsAsked(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1": "https://sts.eu-central-1.amazonaws.com/", "us-gov-west-1": "https://sts.us-gov-west-1.amazonaws.com/", "cn-north-1": "https://sts.cn-north-1.amazonaws.com.cn/",
	} {
		r := &recorder{}
		if _, err := NewAssumer(&http.Client{Transport: r}, region, keys(), Role{ARN: practiceRole}, always(moment)).Credentials(t.Context()); err != nil || len(r.hosts) != 1 || r.hosts[0] != want {
			t.Errorf("%s: %v %v", region, r.hosts, err)
		}
	}
	r := &recorder{}
	_, err := NewAssumer(&http.Client{Transport: r}, "evil.example.com/", keys(), Role{ARN: practiceRole}, always(moment)).Credentials(t.Context())
	if e := connectors.Classify(err); e == nil || e.Field != FieldRegion || len(r.hosts) != 0 {
		t.Errorf("%v %v", err, r.hosts)
	}
}

// Everything that AWS's SDKs look at is set to something that would show.
func TestSecurity29_TheExternalIDIsSentAndNothingAmbientIsUsed(t *testing.T) {
	var ambient atomic.Int32
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ambient.Add(1)
		_, _ = fmt.Fprint(w, `{"AccessKeyId":"ASIACANARYCANARY0000","SecretAccessKey":"canary","Token":"canary","Expiration":"2099-01-01T00:00:00Z"}`)
	}))
	defer stub.Close()
	dir := t.TempDir()
	file := server.WriteFile(t, dir, "credentials", "[default]\naws_access_key_id = AKIACANARYCANARY0000\naws_secret_access_key = canary\n", 0o600)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIACANARYCANARY0000", "AWS_SECRET_ACCESS_KEY": "canary", "AWS_SESSION_TOKEN": "canary", "AWS_PROFILE": "default",
		"AWS_REGION": "canary-north-1", "AWS_DEFAULT_REGION": "canary-north-1", "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/canary", "AWS_ROLE_SESSION_NAME": "canary",
		"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": file, "AWS_WEB_IDENTITY_TOKEN_FILE": file,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": stub.URL, "AWS_CONTAINER_CREDENTIALS_FULL_URI": stub.URL, "AWS_ENDPOINT_URL": stub.URL, "AWS_ENDPOINT_URL_STS": stub.URL,
	} {
		t.Setenv(name, value)
	}
	var seen sync.Map
	s := startSTS(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(fmt.Sprint(r.Header), true)
		gives(moment.Add(time.Hour))(w, r)
	})
	role := Role{ARN: practiceRole, ExternalID: "practice-only-external-id", Endpoint: s.URL}
	if _, err := NewAssumer(client(t), "eu-central-1", keys(), role, always(moment)).Credentials(t.Context()); err != nil {
		t.Fatal(err)
	}
	form := <-s.forms
	if form.Get("ExternalId") != "practice-only-external-id" {
		t.Errorf("%v", form)
	}
	// Without keys, and with refused ones, there is nothing to fall back to.
	for _, c := range []Credentials{{}, {AccessKey: practiceKey, Secret: connectors.NewSecret("practice-only-wrong-secret")}} {
		if _, err := NewAssumer(client(t), "eu-central-1", c, role, always(moment)).Credentials(t.Context()); err == nil {
			t.Error("credentials came from elsewhere")
		}
	}
	r := &recorder{}
	if _, err := NewAssumer(&http.Client{Transport: r}, "eu-central-1", keys(), Role{ARN: practiceRole}, always(moment)).Credentials(t.Context()); err != nil || r.hosts[0] != "https://sts.eu-central-1.amazonaws.com/" {
		t.Errorf("%v %v", r.hosts, err)
	}
	seen.Range(func(header, _ any) bool {
		if strings.Contains(strings.ToLower(header.(string)+form.Encode()), "canary") {
			t.Errorf("%v %v", header, form)
		}
		return true
	})
	if ambient.Load() != 0 {
		t.Errorf("%d requests to the metadata service", ambient.Load())
	}
}

func TestSecurity29_NothingThatReadsTheSurroundingsIsLinked(t *testing.T) {
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server.Program(t, "go", "golang"), "list", "-deps", ".")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, pkg := range strings.Fields(string(out)) {
		rest, is := strings.CutPrefix(pkg, "github.com/aws/aws-sdk-go-v2/")
		if !is {
			continue
		}
		n++
		for _, banned := range []string{"config", "credentials", "feature/ec2/imds", "service/"} {
			if strings.HasPrefix(rest, banned) {
				t.Errorf("%s is linked", pkg)
			}
		}
	}
	if n == 0 {
		t.Error("the signer is not among the packages: the search is broken")
	}
}
