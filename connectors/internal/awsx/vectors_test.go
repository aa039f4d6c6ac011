package awsx

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

// The key pairs are the ones that AWS's own documentation and test suite use.
const (
	suiteKey    = "AKIDEXAMPLE"
	suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	docKey      = "AKIAIOSFODNN7EXAMPLE"
	docSecret   = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	suiteToken  = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
	unreserved  = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	formHash    = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
)

type vector struct {
	name, method, path, query, body string
	header                          []string // name, value, …
	token                           string
	signed, signature               string
	unsized                         bool // the length is not among the signed headers
}

// suite is of aws-sig-v4-test-suite, as awslabs/aws-c-auth has it in
// tests/aws-signing-test-suite/v4 (commit 495329c2): header-signature.txt of
// each folder, for region us-east-1 and service "service" at 2015-08-30T12:36:00Z.
var suite = []vector{
	{name: "get-vanilla", path: "/", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-vanilla-query-order-key-case", path: "/", query: "Param2=value2&Param1=value1", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	{name: "get-vanilla-query-order-encoded", path: "/", query: "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
	{name: "get-vanilla-query-unreserved", path: "/", query: unreserved + "=" + unreserved, signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
	{name: "get-vanilla-utf8-query", path: "/", query: "ሴ=bar", signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
	{name: "get-vanilla-with-session-token", path: "/", token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", signed: "host;x-amz-date;x-amz-security-token", signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
	{name: "get-unreserved", path: "/" + unreserved, signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
	{name: "get-utf8", path: "/ሴ", signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
	{name: "get-space-normalized", path: "/example space/", signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
	{name: "get-slash-normalized", path: "//", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-slashes-normalized", path: "//example//", signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
	{name: "get-slash-dot-slash-normalized", path: "/./", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-slash-pointless-dot-normalized", path: "/./example", signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
	{name: "get-relative-relative-normalized", path: "/example1/example2/../..", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-header-key-duplicate", path: "/", header: []string{"My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1"}, signed: "host;my-header1;x-amz-date", signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
	{name: "get-header-value-order", path: "/", header: []string{"My-Header1", "value4", "My-Header1", "value1", "My-Header1", "value3", "My-Header1", "value2"}, signed: "host;my-header1;x-amz-date", signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
	{name: "get-header-value-trim", path: "/", header: []string{"My-Header1", " value1", "My-Header2", ` "a   b   c"`}, signed: "host;my-header1;my-header2;x-amz-date", signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	{name: "post-vanilla", method: http.MethodPost, path: "/", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{name: "post-vanilla-query", method: http.MethodPost, path: "/", query: "Param1=value1", signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
	{name: "post-header-key-case", method: http.MethodPost, path: "/", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{name: "post-header-key-sort", method: http.MethodPost, path: "/", header: []string{"My-Header1", "value1"}, signed: "host;my-header1;x-amz-date", signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
	{name: "post-header-value-case", method: http.MethodPost, path: "/", header: []string{"My-Header1", "VALUE1"}, signed: "host;my-header1;x-amz-date", signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
	{name: "post-sts-header-before", method: http.MethodPost, path: "/", token: suiteToken, signed: "host;x-amz-date;x-amz-security-token", signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
	{name: "post-x-www-form-urlencoded", method: http.MethodPost, path: "/", body: "Param1=value1", header: []string{"Content-Type", "application/x-www-form-urlencoded", hashHeader, formHash}, signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date", signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
	{name: "post-x-www-form-urlencoded-parameters", method: http.MethodPost, path: "/", body: "Param1=value1", header: []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", hashHeader, formHash}, signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date", signature: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
}

// storage is of the S3 API reference, "Signature Calculations for the
// Authorization Header: Transferring Payload in a Single Chunk", for
// examplebucket.s3.amazonaws.com in us-east-1 at 2013-05-24T00:00:00Z
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
var storage = []vector{
	{name: "GET Object", path: "/test.txt", header: []string{"Range", "bytes=0-9"}, signed: "host;range;x-amz-content-sha256;x-amz-date", signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{name: "PUT Object", method: http.MethodPut, path: "/test$file.text", body: "Welcome to Amazon S3.", unsized: true, header: []string{"Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY"}, signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	{name: "GET Bucket Lifecycle", path: "/", query: "lifecycle", signed: "host;x-amz-content-sha256;x-amz-date", signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{name: "GET Bucket (List Objects)", path: "/", query: "max-keys=2&prefix=J", signed: "host;x-amz-content-sha256;x-amz-date", signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
}

func (v vector) sign(t *testing.T, s Signer, host string, c Credentials, at time.Time) *http.Request {
	t.Helper()
	method := v.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+host, strings.NewReader(v.body))
	if err != nil {
		t.Fatal(err)
	}
	if v.unsized {
		req.ContentLength = -1
	}
	// The suite's paths are not escaped; as such they can only be sent opaque.
	req.URL = &url.URL{Scheme: "https", Host: host, Path: v.path, Opaque: "//" + host + v.path, RawQuery: v.query}
	for i := 0; i < len(v.header); i += 2 {
		req.Header.Add(v.header[i], v.header[i+1])
	}
	c.Token = connectors.NewSecret(v.token)
	if err := s.Sign(t.Context(), req, c, at); err != nil {
		t.Fatal(err)
	}
	return req
}

func (v vector) check(t *testing.T, req *http.Request, scope string) {
	t.Helper()
	signed := v.signed
	if signed == "" {
		signed = "host;x-amz-date"
	}
	want := "AWS4-HMAC-SHA256 Credential=" + scope + "/aws4_request, SignedHeaders=" + signed + ", Signature=" + v.signature
	if got := req.Header.Get(authorization); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if req.Header.Get(tokenHeader) != v.token {
		t.Error("the session token is not sent")
	}
}

func TestSecurity69_SignaturesAreThoseOfTheTestSuite(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	c := Credentials{AccessKey: suiteKey, Secret: connectors.NewSecret(suiteSecret)}
	for _, v := range suite {
		t.Run(v.name, func(t *testing.T) {
			req := v.sign(t, Signer{Region: "us-east-1", Service: "service"}, "example.amazonaws.com", c, at)
			v.check(t, req, suiteKey+"/20150830/us-east-1/service")
		})
	}
}

func TestSecurity69_SignaturesAreThoseOfTheS3Reference(t *testing.T) {
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	c := Credentials{AccessKey: docKey, Secret: connectors.NewSecret(docSecret)}
	for _, v := range storage {
		t.Run(v.name, func(t *testing.T) {
			req := v.sign(t, Signer{Region: "us-east-1", Service: "s3"}, "examplebucket.s3.amazonaws.com", c, at)
			v.check(t, req, docKey+"/20130524/us-east-1/s3")
			if got := req.Header.Get(hashHeader); v.body == "" && got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
				t.Errorf("the empty body has the hash %s", got)
			}
		})
	}
}

// The worked example of "Create a signed AWS API request" in the IAM user guide.
func TestSecurity69_TheSignatureOfListUsersIsTheDocumentations(t *testing.T) {
	v := vector{path: "/", query: "Action=ListUsers&Version=2010-05-08", header: []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
		signed: "content-type;host;x-amz-date", signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}
	at := time.Date(2015, 8, 30, 14, 36, 0, 0, time.FixedZone("two hours ahead", 7200))
	c := Credentials{AccessKey: suiteKey, Secret: connectors.NewSecret(suiteSecret)}
	v.check(t, v.sign(t, Signer{Region: "us-east-1", Service: "iam"}, "iam.amazonaws.com", c, at), suiteKey+"/20150830/us-east-1/iam")
}
