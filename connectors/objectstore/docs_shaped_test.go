package objectstore

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
)

func answer(status int, body string, header http.Header) *httpx.Response {
	if header == nil {
		header = http.Header{}
	}
	return &httpx.Response{Status: status, Body: []byte(body), Header: header, URL: &url.URL{Scheme: "https", Host: "store.example.com", Path: "/"}}
}

const (
	practiceKey    = "AKIAPRACTICEONLY0000"
	practiceSecret = "practice-only-secret-practice-only-00000"
	practiceRole   = "arn:aws:iam::123456789012:role/reader"
)

// An aws is what the documentation says of S3 and STS: signatures are verified
// for the region of the host, and the bucket "far" is in eu-central-1.
type aws struct {
	vendor
	mu    sync.Mutex
	asked []string
	forms []url.Values
	keys  map[string]awsx.Credentials
}

func startAWS(tb testing.TB) *aws {
	a := &aws{keys: map[string]awsx.Credentials{
		practiceKey:            {AccessKey: practiceKey, Secret: connectors.NewSecret(practiceSecret)},
		"ASIAPRACTICEONLY1111": {AccessKey: "ASIAPRACTICEONLY1111", Secret: connectors.NewSecret("practice-only-issued"), Token: connectors.NewSecret("practice-only-issued-token")},
	}}
	a.vendor = startVendor(tb, a.serve, "*.amazonaws.com", "*.s3.us-east-1.amazonaws.com", "*.s3.eu-central-1.amazonaws.com", "*.us-east-1.amazonaws.com", "*.eu-central-1.amazonaws.com")
	return a
}

func (a *aws) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.asked...)
}

func (a *aws) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.Host+r.URL.EscapedPath())
	a.mu.Unlock()
	labels := strings.Split(strings.TrimSuffix(r.Host, ".amazonaws.com"), ".")
	region := labels[len(labels)-1]
	if labels[0] == "sts" {
		a.sts(w, r, region, body)
		return
	}
	bucket := ""
	if labels[0] != "s3" {
		bucket = labels[0]
	}
	if !a.verified(r, region, "s3", body) {
		refuse(w, 403, "SignatureDoesNotMatch", "")
		return
	}
	switch {
	case bucket == "":
		_, _ = io.WriteString(w, `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets><Bucket><Name>far</Name><CreationDate>2024-05-01T10:00:00.000Z</CreationDate><BucketRegion>eu-central-1</BucketRegion></Bucket></Buckets><Owner><ID>1</ID></Owner></ListAllMyBucketsResult>`)
	case bucket == "far" && region != "eu-central-1":
		w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
		refuse(w, 301, "PermanentRedirect", "<Endpoint>far.s3.eu-central-1.amazonaws.com</Endpoint>")
	case bucket == "evil" && region != "x":
		w.Header().Set("X-Amz-Bucket-Region", "evil.example.com/")
		refuse(w, 301, "PermanentRedirect", "")
	case bucket == "far" && r.URL.Query().Has("versioning"):
		_, _ = io.WriteString(w, `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`)
	case bucket == "far" && r.URL.Path == "/":
		a.list(w, r)
	case bucket == "far" && r.URL.Path == "/old/glacier.csv" && r.Method == http.MethodGet:
		refuse(w, 403, "InvalidObjectState", "<StorageClass>GLACIER</StorageClass>")
	case bucket == "far":
		_, _ = io.WriteString(w, "content of "+r.URL.Path[1:])
	default:
		refuse(w, 404, "NoSuchBucket", "")
	}
}

func refuse(w http.ResponseWriter, status int, code, more string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>practice</Message>%s</Error>`, code, more)
}

// verified signs the request once more and compares.
func (a *aws) verified(r *http.Request, region, service string, body []byte) bool {
	auth := r.Header.Get("Authorization")
	key, _, _ := strings.Cut(strings.TrimPrefix(auth, "AWS4-HMAC-SHA256 Credential="), "/")
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "https://"+r.Host+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		return false
	}
	if len(body) == 0 {
		again.Body, again.GetBody, again.ContentLength = nil, nil, 0
	}
	again.URL.Path = r.URL.Path
	_, signed, _ := strings.Cut(auth, "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for _, name := range strings.Split(signed, ";") {
		if v := r.Header.Get(name); v != "" && name != "host" && name != "content-length" {
			again.Header.Set(name, v)
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	return (awsx.Signer{Region: region, Service: service}).Sign(r.Context(), again, a.keys[key], at) == nil && again.Header.Get("Authorization") == auth
}

func (a *aws) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("list-type") != "2" || q.Get("encoding-type") != "url" {
		refuse(w, 400, "InvalidArgument", "")
		return
	}
	body := ""
	switch q.Get("prefix") {
	case "":
		body = `<CommonPrefixes><Prefix>old%2F</Prefix></CommonPrefixes><CommonPrefixes><Prefix>%2F</Prefix></CommonPrefixes><Contents><Key>a+b%2Bc%07.txt</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"e1"</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>`
	case "/":
		body = `<Contents><Key>%2Flead.txt</Key><Size>5</Size></Contents>`
	case "old/":
		body = `<Contents><Key>old%2F</Key><Size>0</Size></Contents><Contents><Key>old%2Fglacier.csv</Key><Size>5</Size><StorageClass>GLACIER</StorageClass></Contents>` +
			`<Contents><Key>old%2Frestored.csv</Key><Size>5</Size><StorageClass>DEEP_ARCHIVE</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate></RestoreStatus></Contents>`
	}
	_, _ = io.WriteString(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>`+body+`</ListBucketResult>`)
}

// sts gives credentials for the role to who sends its external ID, as
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html has it.
func (a *aws) sts(w http.ResponseWriter, r *http.Request, region string, body []byte) {
	form, _ := url.ParseQuery(string(body))
	a.mu.Lock()
	a.forms = append(a.forms, form)
	a.mu.Unlock()
	switch {
	case !a.verified(r, region, "sts", body):
		w.WriteHeader(403)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>practice</Message></Error></ErrorResponse>`)
	case form.Get("Action") == "GetCallerIdentity":
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/reader/jackfield</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case form.Get("ExternalId") != "practice-external" || form.Get("RoleArn") != practiceRole:
		w.WriteHeader(403)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`)
	default:
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAPRACTICEONLY1111</AccessKeyId><SecretAccessKey>practice-only-issued</SecretAccessKey><SessionToken>practice-only-issued-token</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}
}

func TestAmazonDocsShaped(t *testing.T) {
	ty := amazon()
	a := startAWS(t)
	base := []string{"access_key", practiceKey, "secret_key", practiceSecret}
	role := with(base, "auth", "role", "role_arn", practiceRole, "external_id", "practice-external")
	set := func(answers []string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, with(answers, more...)...) }
	}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set(role, "bucket", "far"), World: a.into,
		Hostile: &conntest.Place{Settings: set(base, "bucket", "far")},
		Faults: []conntest.Fault{
			{Name: "wrong secret", Settings: set(base, "secret_key", "practice-only-wrong-practice-only-000000"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "no such bucket", Settings: set(base, "bucket", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "temporary key without its token", Settings: set(base, "access_key", "ASIAPRACTICEONLY1111"), Code: connectors.BadInput, Field: "session_token"},
			{Name: "wrong external ID", Settings: set(role, "external_id", "other"), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "role_arn"},
			{Name: "a region that is none", Settings: set(base, "region", "Frankfurt"), Code: connectors.BadInput, Field: "region"},
			{Name: "a region that names a host", Settings: set(base, "bucket", "evil"), Code: connectors.BadInput, Field: "region"},
		}})
	t.Run("a bucket in another region is followed to", func(t *testing.T) {
		for _, region := range []string{"", "us-east-1", "eu-central-1"} {
			s := conntest.OpenIn(t, a.world(t), ty, settings(ty, with(base, "bucket", "far", "region", region)...))
			facts, err := conntest.Facts(t, s)
			want := map[string]string{"": "eu-central-1 (found out)", "us-east-1": "eu-central-1 (found out; the form says us-east-1)", "eu-central-1": "eu-central-1"}[region]
			if err != nil || facts["Region"] != want || facts["Account"] != "arn:aws:sts::123456789012:assumed-role/reader/jackfield" || facts["Versioning"] != "on; the newest versions are shown" || facts["Rights"] != "list and read" {
				t.Errorf("%q: %v %v", region, facts, err)
			}
		}
	})
	t.Run("buckets tell their region", func(t *testing.T) {
		w := a.world(t)
		s := conntest.OpenIn(t, w, ty, settings(ty, base...))
		nodes := conntest.List(t, s, "")
		if len(nodes) != 1 || !hasFact(nodes[0], "Region", "eu-central-1") || !hasFact(nodes[0], "Created", "2024-05-01 10:00:00") {
			t.Fatalf("%+v", nodes)
		}
		before := len(a.requests())
		conntest.List(t, s, "far")
		if asked := a.requests()[before:]; len(asked) != 1 || !strings.Contains(asked[0], "far.s3.eu-central-1.amazonaws.com") {
			t.Errorf("%v", asked)
		}
	})
	t.Run("names and archives", func(t *testing.T) {
		s := conntest.OpenIn(t, a.world(t), ty, settings(ty, with(base, "bucket", "far")...))
		nodes := conntest.List(t, s, "")
		if got := names(nodes); got != "//|a b+c\a.txt|old/" {
			t.Errorf("%q", got)
		}
		if got := content(t, s, "a b+c\a.txt"); got != "content of a b+c\a.txt" {
			t.Error(got)
		}
		if lead := conntest.List(t, s, "/"); len(lead) != 1 || content(t, s, lead[0].ID) != "content of /lead.txt" {
			t.Errorf("%+v", lead)
		}
		old := conntest.List(t, s, "old/")
		if len(old) != 2 || old[0].Access != connectors.AccessListed || old[1].Access != connectors.AccessReadable || !hasFact(old[1], "State", "restored until 2026-12-01T00:00:00Z") {
			t.Fatalf("%+v", old)
		}
		_, err := s.(connectors.Sampler).Sample(t.Context(), "old/glacier.csv", 10)
		if e := connectors.Classify(err); e == nil || e.Reason != "objectstore.archived" || e.Code != connectors.Denied {
			t.Errorf("%+v", err)
		}
	})
}

func hasFact(n connectors.Node, label, text string) bool {
	return slices.Contains(n.Facts, connectors.Fact{Label: label, Text: text})
}

func TestSecurity29_TheExternalIDIsSentAndNothingAmbientIsUsed(t *testing.T) {
	ty := amazon()
	a := startAWS(t)
	for name, v := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIACANARYCANARY0000", "AWS_SECRET_ACCESS_KEY": "canary-secret", "AWS_SESSION_TOKEN": "canary-token", "AWS_REGION": "ap-canary-1",
		"AWS_PROFILE": "canary", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/canary", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/canary"} {
		t.Setenv(name, v)
	}
	w := a.world(t)
	s := conntest.OpenIn(t, w, ty, settings(ty, "access_key", practiceKey, "secret_key", practiceSecret, "auth", "role", "role_arn", practiceRole, "external_id", "practice-external", "bucket", "far"))
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	forms := a.forms
	a.mu.Unlock()
	if len(forms) == 0 || forms[0].Get("ExternalId") != "practice-external" {
		t.Errorf("%v", forms)
	}
	for _, asked := range a.requests() {
		if strings.Contains(asked, "canary") || strings.Contains(asked, "169.254") {
			t.Error(asked)
		}
	}
	for _, step := range w.Steps() {
		if strings.Contains(step.Text, "169.254") {
			t.Error(step.Text)
		}
	}
}

// Another host may be named in a redirect; nothing goes there.
func TestSecurity67_ARedirectElsewhereGetsNothing(t *testing.T) {
	hits := 0
	elsewhere := startVendor(t, func(http.ResponseWriter, *http.Request) { hits++ }, "elsewhere.example.com")
	first := startVendor(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example.com"+r.URL.Path, http.StatusTemporaryRedirect)
	}, "store.example.com", "storage.googleapis.com", "practice.blob.core.windows.net", "oauth2.googleapis.com")
	key := strings.Repeat("cHJhY3RpY2U", 8)
	for _, c := range []struct {
		ty      connectors.Type
		answers []string
	}{
		{compatible(), []string{"endpoint", "https://store.example.com", "access_key", "reader", "secret_key", "practice-only", "session_token", "practice-only-token"}},
		{google(), []string{"auth", "hmac", "access_key", "GOOGPRACTICEONLY0000", "secret_key", "practice-only-secret"}},
		{google(), []string{"key_file", serviceAccount(t)}},
		{azure(), []string{"account", "practice", "account_key", key}},
		{azure(), []string{"auth", "sas", "account", "practice", "sas", "sv=2020-08-04&sp=rl&sig=practice-only", "container", "reports"}},
	} {
		w := first.world(t)
		elsewhere.into(w)
		e := fails(t, w, c.ty, settings(c.ty, c.answers...))
		if e.Code != connectors.Refused && e.Code != connectors.Untrusted {
			t.Errorf("%s: %+v", c.ty.ID, e)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", e, connectors.Explain(e)), "practice-only") {
			t.Errorf("%s: a secret is in %v", c.ty.ID, e)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests went elsewhere", hits)
	}
}

// Google's XML interface takes the same signatures, for the region "auto"
// (https://cloud.google.com/storage/docs/authentication/signatures).
func TestGoogleHMACDocsShaped(t *testing.T) {
	ty := google()
	a := &aws{keys: map[string]awsx.Credentials{"GOOGPRACTICEONLY0000": {AccessKey: "GOOGPRACTICEONLY0000", Secret: connectors.NewSecret("practice-only-hmac")}}}
	v := startVendor(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.Header.Get("Authorization"), "/auto/s3/aws4_request"):
			refuse(w, 400, "InvalidArgument", "")
		case !strings.Contains(r.Header.Get("Authorization"), "GOOGPRACTICEONLY0000"):
			refuse(w, 403, "InvalidSecurity", "")
		case !a.verified(r, "auto", "s3", nil):
			refuse(w, 403, "SignatureDoesNotMatch", "")
		case r.URL.Path == "/" && r.Header.Get("X-Amz-Project-Id") == "":
			refuse(w, 403, "AccessDenied", "")
		case r.URL.Path == "/":
			_, _ = io.WriteString(w, `<ListAllMyBucketsResult xmlns="http://doc.s3.amazonaws.com/2006-03-01"><Buckets><Bucket><Name>reports</Name><CreationDate>2024-05-01T10:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>`)
		case r.URL.Path == "/reports/":
			_, _ = io.WriteString(w, `<ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01"><IsTruncated>false</IsTruncated><Contents><Key>a b.txt</Key><Size>3</Size></Contents></ListBucketResult>`)
		case r.URL.Path == "/reports/a b.txt" && r.Header.Get("Accept-Encoding") == "gzip":
			_, _ = io.WriteString(w, "abc")
		default:
			refuse(w, 404, "NoSuchBucket", "")
		}
	}, "storage.googleapis.com")
	base := []string{"auth", "hmac", "access_key", "GOOGPRACTICEONLY0000", "secret_key", "practice-only-hmac"}
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, with(base, more...)...) }
	}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set("bucket", "reports", "project", "practice"), World: v.into,
		Faults: []conntest.Fault{
			{Name: "unknown key", Settings: set("access_key", "GOOGPRACTICEONLY1111"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "wrong secret", Settings: set("secret_key", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "no such bucket", Settings: set("bucket", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "may not list buckets", Settings: set(), Code: connectors.Denied, Stage: connectors.StageRights, Field: "bucket"},
			{Name: "only the named bucket", Settings: set("bucket", "reports"), Code: connectors.Denied, Stage: connectors.StageRights},
		}})
	s := conntest.OpenIn(t, v.world(t), ty, set("bucket", "reports")(t))
	if got := content(t, s, "a b.txt"); got != "abc" {
		t.Error(got)
	}
}
