package objectstore

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// Codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
// of stores that speak like it.
func TestWhatS3RefusesDocsShaped(t *testing.T) {
	for _, c := range []struct {
		vendor string
		q      question
		status int
		code   string
		want   connectors.Code
		reason string
		field  string
		op     connectors.Stage
	}{
		{vendorAmazon, question{act: listBuckets}, 403, "InvalidAccessKeyId", connectors.AuthFailed, "aws.access_key", "access_key", connectors.StageSignIn},
		{vendorOther, question{act: listBuckets}, 403, "InvalidAccessKeyId", connectors.AuthFailed, "objectstore.s3.access_key", "access_key", connectors.StageSignIn},
		{vendorAmazon, question{act: listBuckets}, 403, "SignatureDoesNotMatch", connectors.AuthFailed, "aws.secret_key", "secret_key", connectors.StageSignIn},
		{vendorOther, question{act: listBuckets}, 400, "ExpiredToken", connectors.Expired, "objectstore.s3.token_expired", "session_token", connectors.StageSignIn},
		{vendorAmazon, question{act: listBuckets}, 400, "InvalidToken", connectors.AuthFailed, "aws.token", "session_token", connectors.StageSignIn},
		{vendorGoogle, question{act: listBuckets}, 403, "InvalidSecurity", connectors.AuthFailed, "objectstore.s3.access_key", "access_key", connectors.StageSignIn},
		{vendorGoogle, question{act: listObjects, bucket: "b"}, 400, "UserProjectMissing", connectors.Unsupported, "objectstore.requester_pays", "", connectors.StageSignIn},
		{vendorAmazon, question{act: listBuckets}, 403, "AccessDenied", connectors.Denied, "objectstore.denied.buckets", "bucket", connectors.StageRights},
		{vendorAmazon, question{act: listObjects, bucket: "b"}, 403, "AccessDenied", connectors.Denied, "objectstore.denied.list", "bucket", connectors.StageRights},
		{vendorAmazon, question{act: readObject, bucket: "b", key: "k"}, 403, "AccessDenied", connectors.Denied, "objectstore.denied.read", "", connectors.StageData},
		{vendorAmazon, question{act: readObject, bucket: "b", key: "k"}, 403, "InvalidObjectState", connectors.Denied, "objectstore.archived", "", connectors.StageData},
		{vendorAmazon, question{act: readObject, bucket: "b", key: "k"}, 404, "NoSuchKey", connectors.NotFound, "objectstore.no_object", "", connectors.StageData},
		{vendorAmazon, question{act: listObjects, bucket: "b"}, 404, "NoSuchBucket", connectors.NotFound, "objectstore.no_bucket", "bucket", connectors.StageRights},
		{vendorAmazon, question{act: listObjects, bucket: "b"}, 400, "InvalidBucketName", connectors.BadInput, "objectstore.bucket_name", "bucket", connectors.StageSignIn},
		{vendorAmazon, question{act: listObjects, bucket: "b"}, 503, "SlowDown", connectors.Throttled, "objectstore.busy", "", connectors.StageRights},
		{vendorAmazon, question{act: listObjects, bucket: "b"}, 403, "RequestTimeTooSkewed", connectors.Refused, "aws.clock", "", connectors.StageSignIn},
		{vendorOther, question{act: listObjects, bucket: "b"}, 400, "AuthorizationHeaderMalformed", connectors.Refused, "objectstore.s3.unsigned", "", connectors.StageSignIn},
		{vendorOther, question{act: listObjects, bucket: "b"}, 301, "PermanentRedirect", connectors.BadInput, "objectstore.s3.region", "region", connectors.StageSignIn},
		{vendorOther, question{act: listObjects, bucket: "b"}, 403, "SecondLevelDomainForbidden", connectors.Refused, "objectstore.virtual_only", "addressing", connectors.StageSignIn},
		{vendorOther, question{act: listObjects, bucket: "b"}, 503, "XMinioServerNotInitialized", connectors.Unreachable, "http.down", "", connectors.StageSignIn},
	} {
		s := &s3{vendor: c.vendor, now: time.Now}
		res := answer(c.status, "<Error><Code>"+c.code+"</Code><Message>practice</Message></Error>", nil)
		e := connectors.Classify(s.explain(c.q, s.refusal(c.q, res)))
		if e.Code != c.want || e.Reason != c.reason || e.Field != c.field || e.Op != c.op || !connectors.English().Has(e.Reason) {
			t.Errorf("%s %s: %s %s %q at %s", c.vendor, c.code, e.Code, e.Reason, e.Field, e.Op)
		}
	}
}

// Codes of https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes.
func TestWhatAzureRefusesDocsShaped(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	date := func(d time.Duration) http.Header { return http.Header{"Date": {now.Add(d).Format(http.TimeFormat)}} }
	sas := func(st, se time.Duration) *blobs {
		return &blobs{secret: "sas", sas: signature{starts: now.Add(st), ends: now.Add(se)}}
	}
	key := &blobs{secret: "account_key", key: []byte("x")}
	for _, c := range []struct {
		b      *blobs
		status int
		code   string
		header http.Header
		want   connectors.Code
		reason string
		field  string
		op     connectors.Stage
	}{
		{key, 403, "AuthenticationFailed", date(0), connectors.AuthFailed, "objectstore.azure.key", "account_key", connectors.StageSignIn},
		{key, 403, "AuthenticationFailed", date(-time.Hour), connectors.Refused, "objectstore.s3.clock", "", connectors.StageSignIn},
		{sas(-time.Hour, -time.Minute), 403, "AuthenticationFailed", date(0), connectors.Expired, "objectstore.azure.sas_expired", "sas", connectors.StageSignIn},
		{sas(time.Hour, 2*time.Hour), 403, "AuthenticationFailed", date(0), connectors.AuthFailed, "objectstore.azure.sas_early", "sas", connectors.StageSignIn},
		{sas(-time.Hour, time.Hour), 403, "AuthenticationFailed", date(0), connectors.AuthFailed, "objectstore.azure.sas", "sas", connectors.StageSignIn},
		{sas(-time.Hour, time.Hour), 403, "AuthorizationPermissionMismatch", nil, connectors.Denied, "objectstore.azure.permission", "sas", connectors.StageRights},
		{sas(-time.Hour, time.Hour), 403, "AuthorizationResourceTypeMismatch", nil, connectors.Denied, "objectstore.azure.resource", "container", connectors.StageRights},
		{sas(-time.Hour, time.Hour), 403, "AuthorizationServiceMismatch", nil, connectors.Denied, "objectstore.azure.service", "sas", connectors.StageRights},
		{sas(-time.Hour, time.Hour), 403, "AuthorizationSourceIPMismatch", nil, connectors.Denied, "objectstore.azure.address", "sas", connectors.StageRights},
		{sas(-time.Hour, time.Hour), 403, "AuthorizationProtocolMismatch", nil, connectors.Denied, "objectstore.azure.protocol", "sas", connectors.StageRights},
		{key, 403, "AuthorizationFailure", nil, connectors.Denied, "objectstore.azure.network", "", connectors.StageRights},
		{key, 403, "KeyBasedAuthenticationNotPermitted", nil, connectors.Denied, "objectstore.azure.no_keys", "auth", connectors.StageRights},
		{key, 409, "PublicAccessNotPermitted", nil, connectors.Denied, "objectstore.azure.no_public", "auth", connectors.StageRights},
		{key, 403, "AccountIsDisabled", nil, connectors.Denied, "objectstore.azure.disabled", "", connectors.StageRights},
		{key, 400, "AccountRequiresHttps", nil, connectors.Refused, "objectstore.needs_tls", "endpoint", connectors.StageSignIn},
		{key, 404, "ContainerNotFound", nil, connectors.NotFound, "objectstore.no_container", "container", connectors.StageRights},
		{key, 409, "ContainerBeingDeleted", nil, connectors.NotFound, "objectstore.no_container", "container", connectors.StageRights},
		{key, 409, "BlobArchived", nil, connectors.Denied, "objectstore.archived", "", connectors.StageRights},
		{key, 503, "ServerBusy", nil, connectors.Throttled, "objectstore.busy", "", connectors.StageRights},
		{key, 400, "InvalidHeaderValue", nil, connectors.Unsupported, "objectstore.azure.version", "endpoint", connectors.StageSignIn},
	} {
		c.b.now = func() time.Time { return now }
		e := connectors.Classify(c.b.refused(question{act: listObjects, bucket: "reports"}, answer(c.status, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>"+c.code+"</Code><Message>practice\nRequestId:1</Message></Error>", with403(c.header, c.code))))
		if e.Code != c.want || e.Reason != c.reason || e.Field != c.field || e.Op != c.op || !connectors.English().Has(e.Reason) {
			t.Errorf("%s: %s %s %q at %s", c.code, e.Code, e.Reason, e.Field, e.Op)
		}
	}
}

func with403(h http.Header, code string) http.Header {
	out := http.Header{"X-Ms-Error-Code": {code}}
	for k, v := range h {
		out[k] = v
	}
	return out
}

// standIn is an S3 server that answers as handler does; signatures are not
// looked at.
func standIn(tb testing.TB, handler http.HandlerFunc) (connectors.Type, connectors.Settings) {
	tb.Helper()
	s := httptest.NewServer(handler)
	tb.Cleanup(s.Close)
	return compatible(), settings(compatible(), "endpoint", s.URL, "access_key", "reader", "secret_key", "practice-only", "bucket", "reports")
}

func TestABusyStandInIsAskedAgain(t *testing.T) {
	var n atomic.Int32
	ty, s := standIn(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 3 {
			refuse(w, 503, "SlowDown", "")
			return
		}
		_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`)
	})
	if got := names(conntest.List(t, conntest.Open(t, ty, s), "")); got != "a" {
		t.Error(got)
	}
	n.Store(-1000)
	e := fails(t, conntest.NewWorld(t), ty, s)
	if e.Code != connectors.Throttled || e.Reason != "objectstore.busy" {
		t.Errorf("%+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := ty.Open(ctx, conntest.NewWorld(t).Env, s); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("%v", err)
	}
}

func TestAStandInThatTakesHostNamesAloneIsUnderstood(t *testing.T) {
	v := startVendor(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "reports.") {
			refuse(w, 403, "SecondLevelDomainForbidden", "")
			return
		}
		_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`)
	}, "oss.example.com", "reports.oss.example.com")
	ty := compatible()
	base := []string{"endpoint", "https://oss.example.com", "access_key", "reader", "secret_key", "practice-only", "bucket", "reports"}
	if got := names(conntest.List(t, conntest.OpenIn(t, v.world(t), ty, settings(ty, base...)), "")); got != "a" {
		t.Error(got)
	}
	// A certificate for the server's own name alone.
	own := startVendor(t, func(http.ResponseWriter, *http.Request) {}, "oss.example.com")
	w := conntest.NewWorld(t)
	within(w, own.ca, own.addr, "oss.example.com", "*.oss.example.com")
	if e := fails(t, w, ty, settings(ty, with(base, "addressing", "virtual")...)); e.Reason != "objectstore.virtual_cert" || e.Field != "addressing" {
		t.Errorf("%+v", e)
	}
}

func TestHostileStandInsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		reason  string
	}{
		"the same page again and again": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>`)
		}, "objectstore.pages"},
		"not XML": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }, "objectstore.not_s3"},
		"HTML":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html><title>Sign in") }, "objectstore.not_s3"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 20_000 {
				if _, err := io.WriteString(w, strings.Repeat("<ListBucketResult>", 100)); err != nil {
					return
				}
			}
		}, "objectstore.not_s3"},
		"XML of depth": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("<a>", 100_000)) }, "objectstore.not_s3"},
		"a 404 without a word of S3": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "404 page not found")
		}, "objectstore.not_s3"},
	} {
		t.Run(name, func(t *testing.T) {
			ty, s := standIn(t, c.handler)
			session, err := ty.Open(t.Context(), conntest.NewWorld(t).Env, s)
			if err == nil {
				defer func() { _ = session.Close() }()
				for _, e := range session.(connectors.Browser).Children(t.Context(), "") {
					err = e
				}
			}
			if e := connectors.Classify(err); e == nil || e.Reason != c.reason {
				t.Errorf("%+v", e)
			}
		})
	}
}

// Servers that mind no ranges, or get them wrong.
func TestRangesOfStandIns(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		data    string
		code    connectors.Code
	}{
		"no ranges": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") }, "whole", ""},
		"another range": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "other")
		}, "", connectors.Refused},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }, "", ""},
	} {
		ty, s := standIn(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("list-type") {
				_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`)
				return
			}
			c.handler(w, r)
		})
		sample, err := conntest.Open(t, ty, s).(connectors.Sampler).Sample(t.Context(), "a", 100)
		if string(sample.Data) != c.data || connectors.CodeOf(err) != c.code {
			t.Errorf("%s: %q %v", name, sample.Data, err)
		}
	}
}

// A huge object of a server that minds no ranges is not read to its end.
func TestSecurity68_AHugeObjectIsCut(t *testing.T) {
	var sent atomic.Int64
	ty, s := standIn(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("list-type") {
			_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(int64(1)<<40))
		block := make([]byte, 64<<10)
		for {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	f, err := conntest.Open(t, ty, s).(*session).store.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if f.Size() != 1<<40 {
		t.Errorf("size %d", f.Size())
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

// The example of the documentation: its string to sign and its parts.
func TestSharedKeySignsWhatIsSentDocsShaped(t *testing.T) {
	base, err := url.Parse("https://practice.blob.core.windows.net")
	if err != nil {
		t.Fatal(err)
	}
	b := &blobs{base: base, name: "practice", key: []byte("practice-only"), now: func() time.Time { return time.Unix(0, 0) }}
	req, err := b.request(t.Context(), question{bucket: "reports", key: "a b/ü+%.txt", query: url.Values{"comp": {"x"}, "a": {"1 2"}}, header: http.Header{"X-Ms-Range": {"bytes=0-9"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := req.URL.String(); got != "https://practice.blob.core.windows.net/reports/a%20b/%C3%BC%2B%25.txt?a=1%202&comp=x" {
		t.Error(got)
	}
	if auth := req.Header.Get("Authorization"); !strings.HasPrefix(auth, "SharedKey practice:") || req.Header.Get("X-Ms-Date") != "Thu, 01 Jan 1970 00:00:00 GMT" {
		t.Error(auth)
	}
}
