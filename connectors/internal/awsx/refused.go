package awsx

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// A fault is what AWS says, whatever form it says it in.
type fault struct {
	Code    string
	Message string
	Region  string // S3 names the right one
	Server  string // the time there, RFC 3339
}

// Refused reads the error of an AWS service (XML of the Query, EC2 and S3
// protocols, JSON of the others) and says what a person can do. It is nil for a
// success and for a body that holds no such error. now is this computer's time
// when the answer came.
func Refused(res *httpx.Response, now time.Time) *connectors.Error {
	if res.Status >= 200 && res.Status < 300 {
		return nil
	}
	f, ok := readFault(res)
	if !ok {
		return nil
	}
	e := judge(f, res, now)
	e.Target = res.URL.Host
	return e
}

// judge knows the codes that are about the sign-in itself. The names are those
// of the common errors of the Query and JSON protocols and of S3's list
// (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
func judge(f fault, res *httpx.Response, now time.Time) *connectors.Error {
	if skewed(f) {
		return &connectors.Error{Code: connectors.Refused, Reason: "aws.clock", Said: skew(f, res, now)}
	}
	if place, is := elsewhere(f, res); is {
		return &connectors.Error{Code: connectors.BadInput, Reason: "aws.region", Field: FieldRegion, Said: place}
	}
	switch f.Code {
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure":
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "aws.access_key", Field: FieldAccessKey, Said: f.said()}
	case "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature":
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "aws.secret_key", Field: FieldSecretKey, Said: f.Code}
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return &connectors.Error{Code: connectors.Expired, Reason: "aws.token_expired", Field: FieldToken}
	case "InvalidToken", "InvalidTokenException":
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "aws.token", Field: FieldToken, Said: f.said()}
	case "MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingSecurityHeader",
		"IncompleteSignature", "IncompleteSignatureException", "AuthorizationHeaderMalformed":
		// Their messages repeat the Authorization header.
		return &connectors.Error{Code: connectors.Refused, Reason: "aws.unsigned", Said: f.Code}
	case "RegionDisabledException", "OptInRequired":
		return &connectors.Error{Code: connectors.Denied, Reason: "aws.not_enabled", Field: FieldRegion, Said: f.said()}
	}
	return judgeKind(f, res)
}

// judgeKind is for the codes that each service has of its own.
func judgeKind(f fault, res *httpx.Response) *connectors.Error {
	name := strings.TrimSuffix(f.Code, "Exception")
	e := &connectors.Error{Said: f.said()}
	switch {
	case name == "AccessDenied", name == "UnauthorizedOperation", name == "NotAuthorized", name == "AllAccessDisabled",
		name == "AccountProblem", name == "Forbidden", name == "Unauthorized":
		e.Code = connectors.Denied
	case strings.HasPrefix(name, "Throttl"), strings.HasPrefix(name, "TooManyRequests"), name == "SlowDown",
		name == "RequestLimitExceeded", name == "ProvisionedThroughputExceeded", name == "RequestThrottled":
		e.Code = connectors.Throttled
	case strings.HasPrefix(name, "NoSuch"), strings.HasSuffix(name, "NotFound"):
		e.Code = connectors.NotFound
	case name == "ValidationError", name == "Validation", name == "InvalidParameterValue", name == "MalformedInput":
		e.Code, e.Reason = connectors.BadInput, "aws.value"
	default:
		if by := res.Err(f.said()); by != nil {
			return by
		}
		e.Code = connectors.Refused
	}
	return e
}

// said is the code and the message's first line: below it some services write
// what they computed, with the session token in it.
func (f fault) said() string {
	line, _, _ := strings.Cut(f.Message, "\n")
	if line == "" || strings.Contains(line, "Authorization=") {
		return f.Code
	}
	return f.Code + ": " + strings.TrimSpace(line)
}

func readFault(res *httpx.Response) (fault, bool) {
	f, ok := readXML(res.Body)
	if !ok {
		f, ok = readJSON(res)
	}
	// An answer to HEAD has no body; S3 names the region in a header.
	if region := res.Header.Get("X-Amz-Bucket-Region"); region != "" && f.Region == "" {
		f.Region = region
		if !ok && res.Status == http.StatusMovedPermanently {
			return fault{Code: "PermanentRedirect", Region: region}, true
		}
	}
	return f, ok
}

// xmlFault is one error of any of the three forms.
type xmlFault struct {
	Code       string `xml:"Code"`
	Message    string `xml:"Message"`
	Region     string `xml:"Region"`
	ServerTime string `xml:"ServerTime"`
}

func readXML(body []byte) (fault, bool) {
	var doc struct {
		XMLName xml.Name
		xmlFault
		Query *xmlFault `xml:"Error"`        // <ErrorResponse><Error>
		EC2   *xmlFault `xml:"Errors>Error"` // <Response><Errors><Error>
	}
	if xml.Unmarshal(body, &doc) != nil {
		return fault{}, false
	}
	found := &doc.xmlFault // S3: <Error> itself
	switch {
	case doc.Query != nil:
		found = doc.Query
	case doc.EC2 != nil:
		found = doc.EC2
	case doc.XMLName.Local != "Error":
		return fault{}, false
	}
	return fault{Code: found.Code, Message: found.Message, Region: found.Region, Server: found.ServerTime}, found.Code != ""
}

// readJSON: the code is in a header or in the body, with a namespace before "#"
// or an address after ":"
// (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization).
func readJSON(res *httpx.Response) (fault, bool) {
	var doc struct {
		Type    string `json:"__type"`
		Code    any    `json:"code"`
		Message string `json:"message"` // also "Message": the case does not matter
	}
	_ = json.Unmarshal(res.Body, &doc)
	code := res.Header.Get("X-Amzn-Errortype")
	if code == "" {
		code = doc.Type
	}
	if text, is := doc.Code.(string); code == "" && is && res.Header.Get("X-Amzn-Requestid") != "" {
		code = text
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	return fault{Code: code, Message: doc.Message}, code != ""
}

// skewed reports whether the time of the signature is what AWS objects to.
func skewed(f fault) bool {
	return f.Code == "RequestTimeTooSkewed" || f.Code == "RequestExpired" ||
		strings.Contains(f.Message, "Signature expired") || strings.Contains(f.Message, "Signature not yet current")
}

// stamped finds AWS's own time in "… (20220127T015928Z - 15 min.)".
var stamped = regexp.MustCompile(`\((\d{8}T\d{6}Z) [+-]`)

// skew says how far this computer's clock is off, "" when that cannot be told.
func skew(f fault, res *httpx.Response, now time.Time) string {
	there, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		there, err = time.Parse(time.RFC3339, f.Server)
	}
	if m := stamped.FindStringSubmatch(f.Message); err != nil && m != nil {
		there, err = time.Parse("20060102T150405Z", m[1])
	}
	off := now.Sub(there).Round(time.Minute)
	if err != nil || off == 0 {
		return ""
	}
	side := "ahead"
	if off < 0 {
		off, side = -off, "behind"
	}
	return amount(off) + " " + side
}

func amount(d time.Duration) string {
	switch n := int(d / time.Minute); {
	case n == 1:
		return "1 minute"
	case n < 120:
		return strconv.Itoa(n) + " minutes"
	case n < 48*60:
		return strconv.Itoa((n+30)/60) + " hours"
	default:
		return strconv.Itoa((n+12*60)/(24*60)) + " days"
	}
}

// expecting finds the region that S3 and others name.
var expecting = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

// elsewhere reports whether the signature is for the wrong region, and names the
// right one where the answer does.
func elsewhere(f fault, res *httpx.Response) (string, bool) {
	place := f.Region
	if m := expecting.FindStringSubmatch(f.Message); m != nil && place == "" {
		place = m[1]
	}
	switch f.Code {
	case "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		return place, true
	case "AuthorizationHeaderMalformed":
		return place, place != "" || strings.Contains(f.Message, "region")
	}
	return place, strings.Contains(strings.ToLower(f.Message), "credential should be scoped to a valid region")
}
