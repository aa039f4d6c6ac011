package rights_test

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/awsx"
)

// asRoot sends what the administrator asks of an S3 server.
func asRoot(tb testing.TB, s *server.S3, service, method, path, query, body string) []byte {
	tb.Helper()
	req, err := http.NewRequest(method, s.URL, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.URL.Path, req.URL.RawQuery = path, query
	if service == "sts" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	keys := awsx.Credentials{AccessKey: s.Access, Secret: connectors.NewSecret(s.Secret)}
	if err := (awsx.Signer{Region: s.Region, Service: service}).Sign(context.Background(), req, keys, time.Now()); err != nil {
		tb.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	data, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		tb.Fatalf("%s %s: %s\n%s", method, path, res.Status, data)
	}
	return data
}

func fill(tb testing.TB, s *server.S3) {
	tb.Helper()
	for _, b := range []string{"/reports", "/private"} {
		asRoot(tb, s, "s3", "PUT", b, "", "")
	}
	for _, o := range []string{"/reports/2026/june*/sum.txt", "/reports/2026/june*/deep/er.txt", "/reports/2026/june1/other.txt", "/reports/top.txt", "/private/x.txt"} {
		asRoot(tb, s, "s3", "PUT", o, "", "content")
	}
}

// limited are keys of the administrator that a policy narrows: MinIO's
// AssumeRole takes one, and what it allows is what a user with it may do.
func limited(tb testing.TB, m *server.S3, policy string) connectors.Settings {
	tb.Helper()
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"}, "Policy": {policy}}
	var answer struct {
		Key    string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := xml.Unmarshal(asRoot(tb, m, "sts", "POST", "/", "", form.Encode()), &answer); err != nil || answer.Token == "" {
		tb.Fatalf("%v: no keys", err)
	}
	return settings(tb, "s3_compatible", "endpoint", m.URL, "access_key", answer.Key, "secret_key", answer.Secret, "session_token", answer.Token)
}

func awsCLI(s connectors.Settings) []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.Plain["access_key"], "AWS_SECRET_ACCESS_KEY=" + s.Secrets["secret_key"].Reveal(), "AWS_SESSION_TOKEN=" + s.Secrets["session_token"].Reveal(),
		"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
}

func TestMinIOTakesTheIAMPolicy(t *testing.T) {
	t.Parallel()
	m := server.MinIO(t, "minio.test", false)
	fill(t, m)
	for _, at := range []struct {
		name         string
		answers      []string
		sees, hidden string
	}{
		{"a folder", []string{"bucket", "reports", "folder", "2026/june"}, "", "other.txt"},
		{"a bucket", []string{"bucket", "reports"}, "top.txt", "private"},
		{"all buckets", nil, "private", "nothing like it"},
	} {
		t.Run(at.name, func(t *testing.T) {
			full := grant(t, "s3_compatible", settings(t, "s3_compatible", append([]string{"endpoint", m.URL}, at.answers...)...), 0)
			with := func(policy string) connectors.Settings {
				s := limited(t, m, policy)
				for i := 0; i+1 < len(at.answers); i += 2 {
					s.Plain[at.answers[i]] = at.answers[i+1]
				}
				return s
			}
			s := with(full)
			all := look(t, "s3_compatible", s)
			if at.sees != "" {
				wants(t, all, at.sees, "bytes: 7")
			}
			if strings.Contains(all, at.hidden) {
				t.Errorf("%s is to be seen in\n%s", at.hidden, all)
			}
			// MinIO lists what may be listed without s3:ListAllMyBuckets too; Amazon does not.
			for _, action := range []string{"s3:ListBucket", "s3:GetObject"} {
				if !strings.Contains(full, `"`+action+`"`) || at.sees == "" {
					continue
				}
				if got := look(t, "s3_compatible", with(strings.Replace(full, `"`+action+`"`, `"s3:GetBucketTagging"`, 1))); got == all {
					t.Errorf("nothing is missed without %s:\n%s", action, got)
				}
			}
			refused(t, "AccessDenied", awsCLI(s), "", server.Program(t, "aws", "awscli"), "--endpoint-url", m.URL, "s3api", "put-object", "--bucket", "reports", "--key", "2026/june/new.txt")
		})
	}
}

// The folder's name has a star, which stands for itself.
func TestMinIOTakesTheFoldersName(t *testing.T) {
	t.Parallel()
	m := server.MinIO(t, "minio.test", false)
	fill(t, m)
	asRoot(t, m, "s3", "PUT", "/reports/a b/sum.txt", "", "content")
	asRoot(t, m, "s3", "PUT", "/reports/a bc/sum.txt", "", "content")
	place := []string{"bucket", "reports", "folder", "a b"}
	full := grant(t, "s3_compatible", settings(t, "s3_compatible", append([]string{"endpoint", m.URL}, place...)...), 0)
	s := limited(t, m, full)
	s.Plain["bucket"], s.Plain["folder"] = "reports", "a b"
	wants(t, look(t, "s3_compatible", s), "sum.txt", "bytes: 7")
	s.Plain["folder"] = "a bc"
	if got := look(t, "s3_compatible", s); strings.Contains(got, "sum.txt") {
		t.Errorf("another folder is open:\n%s", got)
	}
}

func TestVersityTakesTheBucketPolicy(t *testing.T) {
	t.Parallel()
	g := server.Versity(t, "us-east-1", nil, server.S3User{Access: "practice-reader", Secret: "practice-only-reader", Role: "user"})
	fill(t, g)
	s := settings(t, "s3_compatible", "endpoint", g.URL, "access_key", "practice-reader", "secret_key", "practice-only-reader", "bucket", "reports")
	asRoot(t, g, "s3", "PUT", "/reports", "policy=", grant(t, "s3_compatible", s, 1))
	all := look(t, "s3_compatible", s)
	wants(t, all, "top.txt", "bytes: 7")
	refused(t, "AccessDenied", awsCLI(s), "", server.Program(t, "aws", "awscli"), "--endpoint-url", g.URL, "s3api", "put-object", "--bucket", "reports", "--key", "new.txt")
}
