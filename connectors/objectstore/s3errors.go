package objectstore

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
)

// An act is what was tried; it names the words of a refusal.
type act string

const (
	listBuckets act = "buckets"
	listObjects act = "list"
	readObject  act = "read"
)

// s3Code is the code in an error answer, "" for none.
func s3Code(res *httpx.Response) string {
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
	}
	if xml.Unmarshal(res.Body, &e) != nil {
		return ""
	}
	return e.Code
}

// refusal reads the codes of S3
// (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and those
// that Google has beside them; nil for a success. Its reasons are awsx's until
// explain has put them right.
func (s *s3) refusal(q question, res *httpx.Response) *connectors.Error {
	if res.Status < 300 || q.act == readObject && q.key != "" && readable(res.Status) {
		return nil
	}
	if e := wrongDoor(res); e != nil {
		return e
	}
	e := awsx.Refused(res, s.now())
	if e == nil {
		return s.bare(q, res)
	}
	out := *e
	code := s3Code(res)
	v, known := s3Verdicts()[code]
	switch {
	case strings.HasPrefix(code, "AccessDenied"), code == "AllAccessDisabled", code == "AccessForbidden":
		out.Code, out.Reason = connectors.Denied, "objectstore.denied."+string(q.act)
	case known:
		out.Code, out.Reason, out.Field = v.code, v.reason, v.field
		switch out.Reason {
		case "objectstore.no_bucket":
			out.Target = q.bucket
			if q.bucket == "" { // nobody named one: the endpoint's path was taken for it
				out.Reason, out.Field = "objectstore.endpoint_path", "endpoint"
			}
		case "objectstore.no_object", "objectstore.archived":
			out.Target = q.key
		}
	}
	return &out
}

// A verdict is what a code means here.
type verdict struct {
	code   connectors.Code
	reason string
	field  string
}

// s3Verdicts are the codes about buckets and objects, and those of single vendors.
func s3Verdicts() map[string]verdict {
	name := verdict{connectors.BadInput, "objectstore.bucket_name", "bucket"}
	busy := verdict{connectors.Throttled, "objectstore.busy", ""}
	host := verdict{connectors.Refused, "objectstore.virtual_only", "addressing"}
	unknown := verdict{connectors.AuthFailed, "aws.access_key", awsx.FieldAccessKey}
	return map[string]verdict{
		"NoSuchBucket":       {connectors.NotFound, "objectstore.no_bucket", "bucket"},
		"NoSuchKey":          {connectors.NotFound, "objectstore.no_object", ""},
		"InvalidObjectState": {connectors.Denied, "objectstore.archived", ""},
		"InvalidBucketName":  name, "InvalidURI": name,
		"SlowDown": busy, "ServiceUnavailable": busy, "TooManyRequests": busy,
		// MinIO's for a token that is missing or not its own
		"InvalidTokenId":             {connectors.AuthFailed, "aws.token", awsx.FieldToken},
		"XMinioServerNotInitialized": {connectors.Unreachable, "http.down", ""},
		// Google's for an unknown HMAC key
		"InvalidSecurity": unknown, "NotSignedUp": unknown,
		"UserProjectMissing": {connectors.Unsupported, "objectstore.requester_pays", ""},
		// Alibaba's, Tencent's, Volcengine's
		"SecondLevelDomainForbidden": host, "PathStyleDomainForbidden": host, "InvalidPathAccess": host, "VirtualHostStyleRequired": host,
	}
}

// wrongDoor recognizes servers that are something else on the same host.
func wrongDoor(res *httpx.Response) *connectors.Error {
	e := &connectors.Error{Code: connectors.Refused, Op: connectors.StageSignIn, Target: res.URL.Host, Field: "endpoint"}
	switch {
	case bytes.Contains(res.Body, []byte("S3 API Requests must be made to API port")),
		strings.Contains(res.Header.Get("Server"), "MinIO Console"), res.Media() == "text/html" && bytes.Contains(res.Body, []byte("MinIO Console")):
		e.Reason = "objectstore.console"
	case res.Status == http.StatusBadRequest && plainToTLS(res.Body):
		e.Reason = "objectstore.needs_tls"
	case res.Media() == "text/html":
		e.Reason = "objectstore.not_s3"
	default:
		return nil
	}
	return e
}

// plainToTLS knows what Go, nginx and Apache answer to HTTP on a port for HTTPS.
func plainToTLS(body []byte) bool {
	for _, said := range []string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port"} {
		if bytes.Contains(body, []byte(said)) {
			return true
		}
	}
	return false
}

// bare judges an answer without an S3 error in it, as those to HEAD are.
func (s *s3) bare(q question, res *httpx.Response) *connectors.Error {
	e := res.Err("")
	if q.method == http.MethodHead || len(res.Body) == 0 {
		switch {
		case e.Code == connectors.Denied && q.key != "":
			e.Reason = "objectstore.denied." + string(q.act)
		case e.Code == connectors.NotFound && q.key != "":
			e.Reason, e.Target = "objectstore.no_object", q.key
		}
		return e
	}
	if e.Code == connectors.Unreachable || e.Code == connectors.Throttled {
		return e
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "objectstore.not_s3", Op: connectors.StageSignIn, Target: res.URL.Host, Field: "endpoint", Said: e.Said}
}

// notS3 is for a success whose body is none.
func (s *s3) notS3(q question, res *httpx.Response) error {
	e := wrongDoor(res)
	if e == nil {
		e = &connectors.Error{Code: connectors.Refused, Reason: "objectstore.not_s3", Op: connectors.StageSignIn, Target: res.URL.Host, Field: "endpoint"}
	}
	return s.explain(q, e)
}

// explain gives a refusal its rung, this vendor's words and a field that its
// form has.
func (s *s3) explain(q question, e *connectors.Error) error {
	out := *e
	if out.Op == "" {
		out.Op = connectors.StageSignIn
		switch out.Code {
		case connectors.Denied, connectors.NotFound, connectors.Throttled:
			out.Op = connectors.StageRights
		}
		if q.key != "" {
			out.Op = connectors.StageData
		}
	}
	if s.vendor != vendorAmazon {
		out.Reason = strings.Replace(out.Reason, "aws.", "objectstore.s3.", 1)
	}
	if strings.HasPrefix(out.Reason, "objectstore.denied.") {
		out.Target = q.bucket
		if q.act == readObject {
			out.Target = q.key
		} else {
			out.Field = "bucket"
		}
	}
	return s.fields(&out)
}

// unsent is for a request that got no answer.
func (s *s3) unsent(q question, err error) error {
	out := *connectors.Classify(err)
	switch {
	case s.base == nil:
		if out.Reason == "dns.not_found" {
			out.Reason, out.Field = "objectstore.no_region", awsx.FieldRegion
		}
	case q.bucket != "" && strings.HasPrefix(out.Target, q.bucket+".") && s.inHost(&out):
	case s.base.Scheme == "http" && (out.Reason == "connect.closed" || out.Reason == "http.protocol" && tlsBytes(err)):
		out.Reason, out.Field = "objectstore.needs_tls", "endpoint"
	case s.vendor == vendorOther && out.Reason == "tls.not_tls":
		out.Reason, out.Field = "tls.not_tls_url", "endpoint"
	case s.vendor == vendorOther && out.Reason == "tls.unknown_ca":
		out.Field = "ca"
	case s.vendor == vendorOther && out.Reason == "tls.wrong_host":
		out.Field = "tls_name"
	}
	return s.fields(&out)
}

// inHost reports whether the bucket's name in the host is what went wrong.
func (s *s3) inHost(e *connectors.Error) bool {
	switch e.Reason {
	case "dns.not_found":
		e.Reason = "objectstore.virtual_host"
	case "tls.wrong_host":
		e.Reason = "objectstore.virtual_cert"
	default:
		return false
	}
	e.Field = "addressing"
	return true
}

// tlsBytes recognizes the alert that a TLS server answers to HTTP.
func tlsBytes(err error) bool {
	var e *connectors.Error
	return errors.As(err, &e) && e.Err != nil && strings.Contains(e.Err.Error(), "malformed HTTP")
}

// fields puts the form's own field in the place of one that it does not have.
func (s *s3) fields(e *connectors.Error) error {
	switch {
	case e.Field == "host" || e.Field == "port" || e.Field == awsx.FieldSTSEndpoint:
		e.Field = "endpoint"
	case s.vendor == vendorGoogle && (e.Field == awsx.FieldToken || e.Field == awsx.FieldRegion || e.Field == "addressing"):
		e.Field = "" // it asks for none of these
	}
	if s.vendor == vendorAmazon && (e.Field == "endpoint" || e.Field == "addressing") {
		e.Field = ""
	}
	return e
}
