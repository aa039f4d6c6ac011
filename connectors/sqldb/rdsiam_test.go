package sqldb

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/tlsx"
)

const (
	practiceKey    = "AKIAPRACTICEONLY0000"
	practiceSecret = "practice-only-secret-of-the-key"
)

func moment() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// at is an Env whose clock stands still, so that a token can be known beforehand.
func at(t testing.TB, now time.Time) *connectors.Env {
	env := conntest.NewWorld(t).Env
	env.Now = func() time.Time { return now }
	return env
}

func keyed(c host) host {
	c.Auth, c.TLS = rdsIAM, verify
	c.AccessKey, c.SecretKey = practiceKey, connectors.NewSecret(practiceSecret)
	return c
}

func password(t testing.TB, env *connectors.Env, c host) string {
	t.Helper()
	source, err := newIAM(env, c)
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.password(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// signature is made anew from a token's own parts
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func signature(t testing.TB, token, secret string) (want, got string, query url.Values) {
	t.Helper()
	where, raw, _ := strings.Cut(token, "/?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	got = query.Get("X-Amz-Signature")
	rest := url.Values{}
	for k, v := range query {
		if k != "X-Amz-Signature" {
			rest[k] = v
		}
	}
	canonical := strings.Join([]string{"GET", "/", strings.ReplaceAll(rest.Encode(), "+", "%20"), "host:" + where, "", "host", hexSum("")}, "\n")
	scope := strings.SplitN(query.Get("X-Amz-Credential"), "/", 2)[1]
	text := strings.Join([]string{"AWS4-HMAC-SHA256", query.Get("X-Amz-Date"), scope, hexSum(canonical)}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text)), got, query
}

func hexSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func TestARDSTokenIsASignedURLDocsShaped(t *testing.T) {
	token := password(t, at(t, moment()), keyed(host{Host: "Shop.cluster-abc.eu-central-1.rds.amazonaws.com", Port: 5432, User: "jane doe&x=1"}))
	if !strings.HasPrefix(token, "shop.cluster-abc.eu-central-1.rds.amazonaws.com:5432/?") {
		t.Errorf("it is for %s", strings.SplitN(token, "?", 2)[0])
	}
	want, got, query := signature(t, token, practiceSecret)
	if got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
	for key, v := range map[string]string{"Action": "connect", "DBUser": "jane doe&x=1", "X-Amz-Expires": "900", "X-Amz-Date": "20261121T120000Z", "X-Amz-Credential": practiceKey + "/20261121/eu-central-1/rds-db/aws4_request"} {
		if query.Get(key) != v {
			t.Errorf("%s is %q, want %q", key, query.Get(key), v)
		}
	}
}

func TestTheRegionIsReadFromTheHost(t *testing.T) {
	for name, c := range map[string]struct{ host, answer, want string }{
		"instance":      {"shop.abc123.us-east-1.rds.amazonaws.com", "", "us-east-1"},
		"China":         {"shop.abc.cn-north-1.rds.amazonaws.com.cn", "", "cn-north-1"},
		"capitals, dot": {"Shop.ABC.EU-West-1.RDS.amazonaws.com.", "", "eu-west-1"},
		"alias":         {"db.example.com", "eu-west-3", "eu-west-3"},
		"answer first":  {"shop.abc123.us-east-1.rds.amazonaws.com", "eu-west-3", "eu-west-3"},
		"unknown":       {"db.example.com", "", ""},
		"deceiving":     {"shop.us-east-1.rds.amazonaws.com.evil.example", "", ""},
	} {
		a := keyed(host{Host: c.host})
		a.Region = c.answer
		i, err := newIAM(conntest.NewWorld(t).Env, a)
		if c.want == "" {
			if e := connectors.Classify(err); e == nil || e.Field != "region" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || i.region != c.want {
			t.Errorf("%s: %+v %v", name, i, err)
		}
	}
}

// roles is AWS STS, as its reference describes it.
type roles struct{ t *testing.T }

func (r roles) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(body))
	if req.URL.Host != "sts.eu-central-1.amazonaws.com" || form.Get("RoleArn") != "arn:aws:iam::123456789012:role/reader" || form.Get("ExternalId") != "from-them" {
		r.t.Errorf("%s %v", req.URL, form)
	}
	answer := `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAPRACTICEONLY1111</AccessKeyId><SecretAccessKey>practice-only-issued</SecretAccessKey><SessionToken>practice-only-token+/=</SessionToken><Expiration>` + moment().Add(time.Hour).Format(time.RFC3339) + `</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

func TestARoleSignsTheTokenDocsShaped(t *testing.T) {
	env := at(t, moment())
	env.HTTP = func(connectors.HTTP) (*http.Client, error) { return &http.Client{Transport: roles{t}}, nil }
	c := keyed(host{Host: "shop.abc.eu-central-1.rds.amazonaws.com", Port: 3306, User: "reader"})
	c.Role, c.ExternalID = "arn:aws:iam::123456789012:role/reader", "from-them"
	want, got, query := signature(t, password(t, env, c), "practice-only-issued")
	if got != want || query.Get("X-Amz-Security-Token") != "practice-only-token+/=" || !strings.HasPrefix(query.Get("X-Amz-Credential"), "ASIAPRACTICEONLY1111/") {
		t.Errorf("%s, want %s: %v", got, want, query)
	}
}

// TestATokenIsThePasswordDocsShaped signs in to real servers with a token for a
// password, as RDS has it; RDS itself was not asked.
func TestATokenIsThePasswordDocsShaped(t *testing.T) {
	maria, postgres := server.MariaDB(t), server.Postgres(t, "hostssl all reader 127.0.0.1/32 password")
	for _, db := range []struct {
		ty     connectors.Type
		d      *server.Database
		create string
	}{
		{mysqlType(), maria, "CREATE USER reader IDENTIFIED BY '%s' REQUIRE SSL; GRANT SELECT ON *.* TO reader;"},
		{postgresType(), postgres, "CREATE ROLE reader LOGIN PASSWORD '%s';"},
	} {
		s := settings(db.d, "reader", "", "auth", "rds_iam", "access_key", practiceKey, "region", "eu-central-1")
		s.Secrets["secret_key"] = connectors.NewSecret(practiceSecret)
		token := password(t, at(t, moment()), keyed(host{Host: "127.0.0.1", Port: db.d.Port, User: "reader", iamAnswers: iamAnswers{Region: "eu-central-1"}}))
		db.d.SQL(t, fmt.Sprintf(db.create, token))
		session, err := db.ty.Open(t.Context(), at(t, moment()), s)
		if err != nil {
			t.Errorf("%s: %v", db.ty.ID, err)
			continue
		}
		if facts, err := session.Check(t.Context()); err != nil || !strings.HasPrefix(facts[0].Text, "reader") {
			t.Errorf("%s: %v %v", db.ty.ID, facts, err)
		}
		_ = session.Close()
		_, err = db.ty.Open(t.Context(), at(t, moment().Add(time.Minute)), s)
		if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || e.Reason != "sql.iam_refused" || e.Field != "access_key" {
			t.Errorf("%s: another token: %v", db.ty.ID, err)
		}
		s.Plain["tls"] = "off"
		_, err = db.ty.Open(t.Context(), at(t, moment()), s)
		if e := connectors.Classify(err); e == nil || e.Field != "tls" || e.Op != connectors.StageForm {
			t.Errorf("%s: without encryption: %v", db.ty.ID, err)
		}
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), practiceSecret) {
			t.Error("the secret is in the error")
		}
	}
}

func TestSecurity62_PasswordsGoInTheClearOnlyAsTokensWithinTLS(t *testing.T) {
	env := conntest.NewWorld(t).Env
	for name, c := range map[string]struct {
		host
		want bool
	}{
		"password":        {host{Host: "db.example.com", Auth: byPassword, TLS: verify}, false},
		"password, plain": {host{Host: "db.example.com", Auth: byPassword, TLS: off}, false},
		"certificate":     {host{Host: "db.example.com", Auth: certificate, TLS: verify, Answers: tlsx.Answers{}}, false},
		"token":           {keyed(host{Host: "a.b.eu-west-1.rds.amazonaws.com"}), true},
	} {
		c.Port = 3306
		cfg, err := mysqlConfig(env, c.host, &overheard{})
		if err != nil {
			t.Fatal(err)
		}
		if cfg.AllowCleartextPasswords != c.want || cfg.AllowCleartextPasswords && cfg.TLS == nil || cfg.AllowOldPasswords || cfg.AllowAllFiles || cfg.AllowFallbackToPlaintext {
			t.Errorf("%s: %+v", name, cfg.AllowCleartextPasswords)
		}
	}
}
