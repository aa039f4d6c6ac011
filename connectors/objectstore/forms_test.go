package objectstore

import (
	"encoding/xml"
	"maps"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

func TestTypesAreSound(t *testing.T) {
	for _, ty := range Types() {
		if err := ty.Check(); err != nil {
			t.Error(err)
		}
		if ty.Guide.Rights == "" || len(ty.Guide.Links) == 0 || len(ty.Tile) != 2 {
			t.Errorf("%s: the guide or the tile is not whole", ty.ID)
		}
	}
}

func TestPastesAreTakenApart(t *testing.T) {
	key := strings.Repeat("cHJhY3RpY2U", 8)
	for _, c := range []struct {
		split func(string) map[string]string
		paste string
		want  string // "key=value key=value", "" for not understood
	}{
		{splitS3, "s3://acme-reports/2026/june/", "bucket=acme-reports folder=2026/june"},
		{splitS3, "s3://acme-reports", "bucket=acme-reports"},
		{splitS3, "arn:aws:s3:::acme-reports/2026/*", "bucket=acme-reports folder=2026"},
		{splitS3, "https://acme-reports.s3.eu-central-1.amazonaws.com/2026/", "bucket=acme-reports folder=2026 region=eu-central-1"},
		{splitS3, "https://s3.eu-central-1.amazonaws.com/acme-reports", "bucket=acme-reports region=eu-central-1"},
		{splitS3, "https://my.dotted.bucket.s3.amazonaws.com/", "bucket=my.dotted.bucket"},
		{splitS3, "https://eu-west-1.console.aws.amazon.com/s3/buckets/acme-reports?region=eu-west-1&prefix=2026/&showversions=false", "bucket=acme-reports folder=2026 region=eu-west-1"},
		{splitS3, "acme-reports", ""},
		{splitS3, "https://example.com/x", ""},
		{splitS3, "https://s3.amazonaws.com/", ""},
		{splitGoogle, "gs://acme-reports/june/", "bucket=acme-reports folder=june"},
		{splitGoogle, "https://storage.googleapis.com/acme-reports/june", "bucket=acme-reports folder=june"},
		{splitGoogle, "https://console.cloud.google.com/storage/browser/acme-reports;tab=objects?project=acme", "bucket=acme-reports project=acme"},
		{splitGoogle, "https://acme-reports.storage.googleapis.com/june/", "bucket=acme-reports folder=june"},
		{splitGoogle, "acme-reports", ""},
		{splitEndpoint, "https://abc.r2.cloudflarestorage.com/reports", "bucket=reports endpoint=https://abc.r2.cloudflarestorage.com region=auto"},
		{splitEndpoint, "https://minio.example.com:9000/s3", ""},
		{splitAzure, "DefaultEndpointsProtocol=https;AccountName=acmereports;AccountKey=" + key + ";EndpointSuffix=core.windows.net", "account=acmereports account_key=" + key + " auth=key endpoint=https://acmereports.blob.core.windows.net"},
		{splitAzure, "BlobEndpoint=https://acmereports.blob.core.windows.net/;SharedAccessSignature=sv=2022&sp=r&sig=abc", "account=acmereports auth=sas endpoint=https://acmereports.blob.core.windows.net sas=sv=2022&sp=r&sig=abc"},
		{splitAzure, "https://acmereports.blob.core.chinacloudapi.cn/reports/june?sv=2022&sig=abc", "account=acmereports auth=sas container=reports endpoint_suffix=core.chinacloudapi.cn folder=june sas=sv=2022&sig=abc"},
		{splitAzure, "https://acmereports.blob.core.windows.net", "account=acmereports endpoint_suffix=core.windows.net"},
		{splitAzure, "acmereports", ""},
	} {
		got := c.split(c.paste)
		var parts []string
		for _, k := range sorted(got) {
			parts = append(parts, k+"="+got[k])
		}
		if text := strings.Join(parts, " "); text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.paste, text, c.want)
		}
	}
}

func sorted(m map[string]string) []string {
	var keys []string
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

func TestWrongAnswersAreSentences(t *testing.T) {
	for _, c := range []struct {
		ty         connectors.Type
		key, value string
		has        string
	}{
		{amazon(), "access_key", "AROAPRACTICEONLY0000", "something else"},
		{amazon(), "secret_key", practiceKey, "access key's ID"},
		{amazon(), "secret_key", "practice only", "space"},
		{amazon(), "bucket", "Acme_Reports", "small letters"},
		{amazon(), "bucket", "arn:aws:s3:eu-west-1:123456789012:accesspoint/x", "alias"},
		{amazon(), "region", "eu-central-1a", "availability zone"},
		{amazon(), "role_arn", "arn:aws:iam::123456789012:user/x", "names a user"},
		{compatible(), "endpoint", "https://user:practice@minio.example.com", "do not belong"},
		{compatible(), "endpoint", "https://minio.example.com/?x=1", "without ?"},
		{compatible(), "bucket", "a/b", "Folder"},
		{compatible(), "region", "EU West", "small letters"},
		{google(), "access_key", "reader@practice.iam.gserviceaccount.com", "email"},
		{google(), "access_key", "AKIAPRACTICEONLY0000", "GOOG"},
		{google(), "project", "reader@practice.iam.gserviceaccount.com", "email"},
		{google(), "project", "Acme", "not the project's name"},
		{google(), "bucket", "gs://x", "gs://"},
		{google(), "key_file", "-----BEGIN PRIVATE KEY-----", "whole JSON"},
		{google(), "key_file", `{"type":"authorized_user"}`, "gcloud"},
		{google(), "key_file", `{"type":"service_account","client_email":"a","private_key":"k","token_uri":"https://evil.example/token"}`, "Nothing is sent"},
		{google(), "endpoint", "http://storage.example.com", "https://"},
		{azure(), "account", "Acme Reports", "3 to 24"},
		{azure(), "account_key", "AccountKey=x", "connection string"},
		{azure(), "account_key", "sv=1&sig=2", "shared access"},
		{azure(), "account_key", "short", "88"},
		{azure(), "connection_string", "AccountName=a", "AccountName"},
		{azure(), "connection_string", "AccountName=acmereports", "AccountKey="},
		{azure(), "connection_string", "AccountKey=x", "AccountName="},
		{azure(), "connection_string", "AccountName=acmereports;AccountKey=short", "not whole"},
		{azure(), "connection_string", "AccountName=acmereports;AccountKey=short;BlobEndpoint=https://a?b", "no web address"},
		{azure(), "sas", "https://acme.blob.core.windows.net/x", "sig="},
		{azure(), "sas", "ftp://acme/x?sig=1&sv=1", "no link"},
		{azure(), "container", "Reports", "3 to 63"},
		{azure(), "container", "a--b", "3 to 63"},
	} {
		f, ok := c.ty.Form.Field(c.key)
		if !ok {
			t.Fatal(c.key)
		}
		err := f.Verify(c.value)
		if err == nil || !strings.Contains(err.Error(), c.has) || !strings.HasSuffix(err.Error(), ".") {
			t.Errorf("%s.%s %q: %v, want %q in it", c.ty.ID, c.key, c.value, err, c.has)
		}
	}
}

func TestTidiedAnswers(t *testing.T) {
	for in, want := range map[string]string{" minio.local:9000/ ": "https://minio.local:9000", "http://10.0.0.5:9000": "http://10.0.0.5:9000", "": ""} {
		if got := tidyEndpoint(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{"/reports/2026/": "reports/2026", " a//b ": "a//b", "/": ""} {
		if got := tidyFolder(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{".Core.Windows.net/": "core.windows.net", "blob.core.chinacloudapi.cn": "core.chinacloudapi.cn"} {
		if got := tidySuffix(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestTheTimesOfASignature(t *testing.T) {
	for in, want := range map[string]string{"2026-11-21T10:20:30Z": "2026-11-21 10:20:30", "2026-11-21T10:20Z": "2026-11-21 10:20:00", "2026-11-21": "2026-11-21 00:00:00"} {
		if got := stamp(sasTime(in)); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
	if !sasTime("soon").IsZero() {
		t.Error("soon is a time")
	}
	if s, err := readSAS("https://acme.blob.core.windows.net/reports?restype=container&comp=list&sv=1&sig=a+b/c=&se=x"); err != nil || s.query != "sv=1&sig=a%2Bb/c=&se=x" || s.container != "reports" || s.values.Get("sig") != "a+b/c=" {
		t.Errorf("%+v %v", s, err)
	}
	if a, err := readConnection("UseDevelopmentStorage=true"); err != nil || a.name != emulated {
		t.Errorf("%+v %v", a, err)
	}
	if got := offBy(-3 * time.Hour); got != "3 hours behind" || offBy(time.Second) != "" {
		t.Error(got)
	}
}

// What Azure and S3 send as names, where XML has no place for the characters.
func TestEncodedNamesDocsShaped(t *testing.T) {
	var e enumeration
	if err := xml.Unmarshal([]byte(`<EnumerationResults><Blobs><BlobPrefix><Name Encoded="true">dir%EF%BF%BE/</Name></BlobPrefix><Blob><Name Encoded="true">bell%07+x.txt</Name></Blob><Blob><Name>plain%07.txt</Name></Blob></Blobs></EnumerationResults>`), &e); err != nil {
		t.Fatal(err)
	}
	if e.Folders[0].Name.plain() != "dir\ufffe/" || e.Blobs[0].Name.plain() != "bell\a+x.txt" || e.Blobs[1].Name.plain() != "plain%07.txt" {
		t.Errorf("%+v", e)
	}
	for in, want := range map[string]string{
		`<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+b%2B%07</Key></Contents></ListBucketResult>`:                                            "a b+\a ",
		`<ListBucketResult><Contents><Key>a+b%2B</Key></Contents></ListBucketResult>`:                                                                               "a+b%2B ",
		`<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>bad%zz</Key></Contents></ListBucketResult>`:                                               "bad%zz ",
		`<ListBucketResult><IsTruncated>true</IsTruncated><NextMarker>m1</NextMarker></ListBucketResult>`:                                                           "marker:m1",
		`<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>b</Key></Contents><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListBucketResult>`: "c/ b marker:c/",
		`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>`:                                      "t",
	} {
		var in1 inBucket
		if err := xml.Unmarshal([]byte(in), &in1); err != nil {
			t.Fatal(err)
		}
		p := in1.page()
		got := ""
		for _, i := range p.items {
			got += i.name + " "
		}
		if got+p.next != want {
			t.Errorf("%s: %q", in, got+p.next)
		}
	}
}

// FuzzAnswers: whatever is pasted, nothing panics, and no rule's words repeat a
// secret.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"", "s3://a/b", "https://[", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b==", "https://a.blob.b/c?sv=1&sig=2&se=x", `{"type":"service_account"}`, "arn:aws:s3:::", "?sv=%zz&sig=1", "https://s3-.amazonaws.com/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		for _, ty := range Types() {
			for _, x := range ty.Form.Fields {
				text := v
				if x.Tidy != nil {
					text = x.Tidy(v)
				}
				if err := x.Verify(text); err != nil && x.Kind.Secret() && len(v) > 40 && strings.Contains(err.Error(), v) {
					t.Errorf("%s repeats what was typed", x.Key)
				}
				if x.Split != nil {
					x.Split(v)
				}
			}
		}
		var e enumeration
		_ = xml.Unmarshal([]byte(v), &e)
		var b inBucket
		if xml.Unmarshal([]byte(v), &b) == nil {
			b.page()
		}
		if s, err := readSAS(v); err == nil {
			s.facts()
		}
	})
}
