package objectstore

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/awsx"
)

func startMinIO(tb testing.TB, console bool) *server.S3 {
	tb.Helper()
	m := server.MinIO(tb, "minio.test", console)
	seed := seederOf(m)
	seed.put(tb, "/reports", "", "")
	seed.put(tb, "/private", "", "")
	seed.put(tb, "/reports/people.csv", "", people)
	seed.put(tb, "/reports/2026/sum.txt", "", "sum of 2026")
	for _, name := range odd() {
		if !strings.ContainsAny(name, "\t") { // MinIO keeps none of these
			seed.put(tb, "/reports/odd/"+name, "", "content of "+name)
		}
	}
	return m
}

// temporary asks MinIO for keys that may do less than the administrator's.
func temporary(tb testing.TB, m *server.S3, policy string) (access, secret, token string) {
	tb.Helper()
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"}, "Policy": {policy}}
	req, err := http.NewRequest(http.MethodPost, m.URL+"/", strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := (awsx.Signer{Region: m.Region, Service: "sts"}).Sign(context.Background(), req, seederOf(m).keys, time.Now()); err != nil {
		tb.Fatal(err)
	}
	var answer struct {
		Key    string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := xml.Unmarshal(send(tb, req), &answer); err != nil || answer.Token == "" {
		tb.Fatalf("%+v %v", answer, err)
	}
	return answer.Key, answer.Secret, answer.Token
}

func TestMinIO(t *testing.T) {
	ty := compatible()
	m := startMinIO(t, true)
	base := []string{"endpoint", m.URL, "access_key", m.Access, "secret_key", m.Secret}
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, with(base, more...)...) }
	}
	access, secret, token := temporary(t, m, server.Policy([]string{"s3:ListBucket"}, []string{"arn:aws:s3:::reports"}))
	some := []string{"access_key", access, "secret_key", secret, "session_token", token}
	access, secret, token = temporary(t, m, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::reports"],"Condition":{"StringLike":{"s3:prefix":["2026/*"]}}}]}`)
	narrow := []string{"access_key", access, "secret_key", secret, "session_token", token}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set("auth", "role"), Aim: aim,
		Hostile: &conntest.Place{Settings: set(), Node: "reports/odd/"},
		Faults: []conntest.Fault{
			{Name: "unknown access key", Settings: set("access_key", "practice-none"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "wrong secret", Settings: set("secret_key", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "STS: unknown access key", Settings: set("auth", "role", "access_key", "practice-none"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "STS: wrong secret", Settings: set("auth", "role", "secret_key", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "STS with temporary keys", Settings: set(append(some, "auth", "role")...), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "temporary keys without their token", Settings: set("access_key", access, "secret_key", secret), Code: connectors.AuthFailed, Stage: connectors.StageSignIn},
			{Name: "temporary keys with another token", Settings: set(with(some, "session_token", "practice-only-token")...), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "session_token"},
			{Name: "no such bucket", Settings: set("bucket", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "may not list the bucket", Settings: set(append(some, "bucket", "private")...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "only the named bucket", Settings: set(append(narrow, "bucket", "reports", "folder", "2026")...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "-"},
			{Name: "the console's port", Settings: set("endpoint", m.Console), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "endpoint"},
			{Name: "the bucket in a host that is none", Settings: set("endpoint", strings.Replace(m.URL, "127.0.0.1", "no-such-host.invalid", 1), "addressing", "virtual", "bucket", "reports"),
				Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "addressing"},
		}})
	t.Run("only the named bucket", func(t *testing.T) {
		s := conntest.Open(t, ty, settings(ty, with(base, append(narrow, "bucket", "reports", "folder", "2026")...)...))
		facts, err := conntest.Facts(t, s)
		if e := connectors.Classify(err); e == nil || !e.Partial || e.Reason != "objectstore.only" {
			t.Errorf("%+v", err)
		}
		if facts["Rights"] != "list; reading 2026/sum.txt is refused" || names(conntest.List(t, s, "")) != "sum.txt" {
			t.Errorf("%v %s", facts, names(conntest.List(t, s, "")))
		}
	})
	t.Run("no bucket may be listed", func(t *testing.T) {
		a, b, c := temporary(t, m, server.Policy([]string{"s3:GetObject"}, []string{"arn:aws:s3:::reports/*"}))
		e := fails(t, conntest.NewWorld(t), ty, settings(ty, with(base, "access_key", a, "secret_key", b, "session_token", c)...))
		if e.Code != connectors.Denied || e.Reason != "objectstore.denied.buckets" || e.Field != "bucket" || e.Op != connectors.StageRights {
			t.Errorf("%+v", e)
		}
	})
}

// The bucket's name is in the host name: one that only this test's network has.
func TestNamesInTheHost(t *testing.T) {
	ty := compatible()
	m := startMinIO(t, false)
	addr := hostOf(t, m.URL)
	_, port, _ := strings.Cut(addr, ":")
	w := conntest.NewWorld(t)
	within(w, "", addr, "minio.test", "*.minio.test")
	s := conntest.OpenIn(t, w, ty, settings(ty, "endpoint", "http://minio.test:"+port, "access_key", m.Access, "secret_key", m.Secret, "addressing", "virtual"))
	if got := names(conntest.List(t, s, "")); got != "private/|reports/" {
		t.Error(got)
	}
	if got := names(conntest.List(t, s, "reports")); got != "2026/|odd/|people.csv" {
		t.Error(got)
	}
	if got := content(t, s, "reports/2026/sum.txt"); got != "sum of 2026" {
		t.Error(got)
	}
	facts, err := conntest.Facts(t, conntest.OpenIn(t, w, ty, settings(ty, "endpoint", "http://minio.test:"+port, "access_key", m.Access, "secret_key", m.Secret, "addressing", "virtual", "bucket", "reports")))
	if err != nil || facts["Endpoint"] != "http://reports.minio.test:"+port {
		t.Errorf("%v %v", facts, err)
	}
}
