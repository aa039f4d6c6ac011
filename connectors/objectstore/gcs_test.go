package objectstore

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/jwtx"
)

// A vendor stands under the names of a cloud's hosts, with TLS of its own.
type vendor struct {
	addr, ca string
	hosts    []string
}

func startVendor(tb testing.TB, handler http.HandlerFunc, hosts ...string) vendor {
	tb.Helper()
	ca := server.NewCA(tb)
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(tb, server.Cert{Names: hosts}).TLS(tb)}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	tb.Cleanup(s.Close)
	return vendor{s.Listener.Addr().String(), ca.PEM, hosts}
}

func (v vendor) world(tb testing.TB) *conntest.World {
	w := conntest.NewWorld(tb)
	v.into(w)
	return w
}

func (v vendor) into(w *conntest.World) { within(w, v.ca, v.addr, v.hosts...) }

func serviceAccount(tb testing.TB) string {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "practice", "private_key_id": "1", "token_uri": jwtx.GoogleToken,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "client_email": "reader@practice.iam.gserviceaccount.com"})
	if err != nil {
		tb.Fatal(err)
	}
	return string(file)
}

// tokens is Google's token address: it reads the assertion's claims, and refuses
// as said says, "" for none.
func tokens(tb testing.TB, said *atomic.Value) vendor {
	return startVendor(tb, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		parts := strings.Split(r.FormValue("assertion"), ".")
		claims := struct{ Iss, Aud, Scope string }{}
		if len(parts) == 3 {
			raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
			_ = json.Unmarshal(raw, &claims)
		}
		why, _ := said.Load().(string)
		if claims.Aud != jwtx.GoogleToken || claims.Scope != googleScope || !strings.HasPrefix(claims.Iss, "reader@") {
			why = "Bad claims."
		}
		if why != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, why)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"practice-only-token","expires_in":3599,"token_type":"Bearer"}`)
	}, "oauth2.googleapis.com")
}

func startGCS(tb testing.TB) string {
	tb.Helper()
	base := server.FakeGCS(tb)
	post := func(path, media, body string) {
		req, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
		if err != nil {
			tb.Fatal(err)
		}
		req.Header.Set("Content-Type", media)
		send(tb, req)
	}
	for _, b := range []string{"reports", "empty"} {
		post("/storage/v1/b?project=practice", "application/json", `{"name":"`+b+`"}`)
	}
	put := func(name, text string) {
		post("/upload/storage/v1/b/reports/o?uploadType=media&name="+url.QueryEscape(name), "text/plain", text)
	}
	put("people.csv", people)
	put("2026/june/sum.txt", "sum of june")
	put("empty.txt", "")
	put("big.bin", strings.Repeat("0123456789", 30_000))
	for _, name := range append(odd(), "/lead.txt", "two//slashes.txt", "bell\aname.txt") {
		put("odd/"+name, "content of "+name)
	}
	return base
}

func TestFakeGCS(t *testing.T) {
	ty := google()
	base := startGCS(t)
	token := tokens(t, &atomic.Value{})
	file := serviceAccount(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return settings(ty, with([]string{"key_file", file, "endpoint", base}, more...)...)
		}
	}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set(), Aim: aim, World: token.into,
		Hostile: &conntest.Place{Settings: set("bucket", "reports"), Node: "odd/"},
		Faults: []conntest.Fault{
			{Name: "no such bucket", Settings: set("bucket", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "no such folder", Settings: set("bucket", "reports", "folder", "2031"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "not the key file of a service account", Settings: set("key_file", `{"type":"authorized_user"}`), Code: connectors.BadInput, Field: "key_file"},
			{Name: "a key file whose key is damaged", Settings: set("key_file", `{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"}`), Code: connectors.BadInput, Field: "key_file"},
			{Name: "a token over HTTP elsewhere", Settings: set("endpoint", "http://storage.example.com"), Code: connectors.BadInput, Field: "endpoint"},
			{Name: "HTTPS to an HTTP port", Settings: set("endpoint", strings.Replace(base, "http:", "https:", 1)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "endpoint"},
			{Name: "another service", Settings: func(tb testing.TB) connectors.Settings {
				other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome") }))
				tb.Cleanup(other.Close)
				return set("endpoint", other.URL)(tb)
			}, Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "endpoint"},
		}})
}

func TestWhatIsInAGoogleBucket(t *testing.T) {
	ty := google()
	token := tokens(t, &atomic.Value{})
	answers := []string{"key_file", serviceAccount(t), "endpoint", startGCS(t)}
	s := conntest.OpenIn(t, token.world(t), ty, settings(ty, answers...))
	if got := names(conntest.List(t, s, "")); got != "empty/|reports/" {
		t.Error(got)
	}
	facts, err := conntest.Facts(t, s)
	if err != nil || facts["Account"] != "reader@practice.iam.gserviceaccount.com" || facts["Project"] != "practice" {
		t.Errorf("%v %v", facts, err)
	}
	if got := names(conntest.List(t, s, "reports")); got != "2026/|big.bin|empty.txt|odd/|people.csv" {
		t.Error(got)
	}
	table, err := s.(connectors.Tabler).Table(t.Context(), "reports/people.csv", 10)
	if err != nil || len(table.Rows) != 2 {
		t.Errorf("%+v %v", table, err)
	}
	if got := content(t, s, "reports/empty.txt"); got != "" {
		t.Error(got)
	}
	found := 0
	for _, dir := range []connectors.NodeID{"reports/odd/", "reports/odd//", "reports/odd/two/", "reports/odd/two//"} {
		for _, n := range conntest.List(t, s, dir) {
			if n.Branch {
				continue
			}
			found++
			if got := content(t, s, n.ID); got != "content of "+strings.TrimPrefix(string(n.ID), "reports/odd/") {
				t.Errorf("%q has %q", n.ID, got)
			}
		}
	}
	if found != len(odd())+3 {
		t.Errorf("%d odd names", found)
	}
	f, err := s.(*session).store.Open(t.Context(), "reports/big.bin")
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100_000)
	if n, err := f.ReadAt(t.Context(), p, 150_005); n != len(p) || err != nil || p[0] != '5' || f.Size() != 300_000 {
		t.Errorf("%d %v %d", n, err, f.Size())
	}
}

func TestWhyGoogleRefusesTheKeyDocsShaped(t *testing.T) {
	ty := google()
	var said atomic.Value
	token := tokens(t, &said)
	file := serviceAccount(t)
	for why, want := range map[string][2]string{
		"Invalid JWT Signature.":           {"google.deleted", "key_file"},
		"Invalid grant: account not found": {"google.account", "key_file"},
		"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.": {"oauth.clock", ""},
	} {
		said.Store(why)
		e := fails(t, token.world(t), ty, settings(ty, "key_file", file, "bucket", "reports"))
		if e.Reason != want[0] || e.Field != want[1] || e.Op != connectors.StageSignIn {
			t.Errorf("%s: %+v", why, e)
		}
	}
}

// The bodies are those of the JSON interface's documentation.
func TestWhatGoogleRefusesDocsShaped(t *testing.T) {
	for _, c := range []struct {
		act    act
		key    string
		status int
		body   string
		code   connectors.Code
		reason string
		field  string
	}{
		{listBuckets, "", 403, `{"error":{"code":403,"message":"reader@practice.iam.gserviceaccount.com does not have storage.buckets.list access to the Google Cloud project.","errors":[{"reason":"forbidden"}]}}`, connectors.Denied, "objectstore.denied.buckets", "bucket"},
		{listObjects, "", 403, `{"error":{"code":403,"message":"does not have storage.objects.list access","errors":[{"reason":"forbidden"}]}}`, connectors.Denied, "objectstore.denied.list", "bucket"},
		{readObject, "a", 403, `{"error":{"code":403,"message":"does not have storage.objects.get access","errors":[{"reason":"forbidden"}]}}`, connectors.Denied, "objectstore.denied.read", ""},
		{listBuckets, "", 403, `{"error":{"code":403,"message":"Cloud Storage JSON API has not been used in project 1 before or it is disabled.","errors":[{"reason":"accessNotConfigured"}]}}`, connectors.Denied, "objectstore.google.api", ""},
		{listObjects, "", 403, `{"error":{"code":403,"message":"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x"}}`, connectors.Denied, "objectstore.google.perimeter", ""},
		{listObjects, "", 403, `{"error":{"code":403,"message":"The billing account for the owning project is disabled in state absent"}}`, connectors.Denied, "objectstore.google.billing", ""},
		{listObjects, "", 400, `{"error":{"code":400,"message":"Bucket is requester pays bucket but no user project provided."}}`, connectors.Unsupported, "objectstore.requester_pays", ""},
		{listBuckets, "", 400, `{"error":{"code":400,"message":"Unknown project id: practice"}}`, connectors.NotFound, "objectstore.google.project", "project"},
		{listObjects, "", 404, `{"error":{"code":404,"message":"The specified bucket does not exist."}}`, connectors.NotFound, "objectstore.no_bucket", "bucket"},
		{readObject, "a", 404, `No such object: reports/a`, connectors.NotFound, "objectstore.no_object", ""},
		{listObjects, "", 401, `{"error":{"code":401,"message":"Invalid Credentials"}}`, connectors.AuthFailed, "google.deleted", "key_file"},
		{listObjects, "", 429, `{"error":{"code":429,"message":"rateLimitExceeded"}}`, connectors.Throttled, "objectstore.busy", ""},
		{listObjects, "", 404, `<html>not here`, connectors.NotFound, "objectstore.no_bucket", "bucket"},
		{listObjects, "", 418, `<html>not here`, connectors.Refused, "objectstore.not_google", "endpoint"},
	} {
		q := question{act: c.act, key: c.key, bucket: "reports", query: url.Values{}}
		e := connectors.Classify(googleRefused(q, answer(c.status, c.body, nil)))
		if e.Code != c.code || e.Reason != c.reason || e.Field != c.field || !connectors.English().Has(e.Reason) {
			t.Errorf("%s: %s %s %q", c.body, e.Code, e.Reason, e.Field)
		}
	}
}
