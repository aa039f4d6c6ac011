package awsx

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

func answered(status int, body string, header ...string) *httpx.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &httpx.Response{Status: status, Header: h, Body: []byte(body), URL: &url.URL{Scheme: "https", Host: "service.eu-central-1.amazonaws.com", Path: "/"}}
}

func query(code, message string) string {
	return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message + `</Message></Error><RequestId>1</RequestId></ErrorResponse>`
}

func s3(code, message, more string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>" + code + "</Code><Message>" + message + "</Message>" + more + "<RequestId>1</RequestId><HostId>x=</HostId></Error>"
}

func ec2(code, message string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>` + code + `</Code><Message>` + message + `</Message></Error></Errors><RequestID>1</RequestID></Response>`
}

// The shapes are those of the API references: Query ("Common errors"), S3
// ("Error responses"), EC2 ("Error codes") and the JSON protocols.
func TestRefusedDocsShaped(t *testing.T) {
	const notSigned = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
	for _, c := range []struct {
		name   string
		res    *httpx.Response
		code   connectors.Code
		reason string
		field  string
		said   string
	}{
		{"unknown key, STS", answered(403, query("InvalidClientTokenId", "The security token included in the request is invalid.")), connectors.AuthFailed, "aws.access_key", FieldAccessKey, "InvalidClientTokenId: The security token included in the request is invalid."},
		{"unknown key, JSON", answered(400, `{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}`), connectors.AuthFailed, "aws.access_key", FieldAccessKey, "UnrecognizedClientException: The security token included in the request is invalid."},
		{"unknown key, S3", answered(403, s3("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", "")), connectors.AuthFailed, "aws.access_key", FieldAccessKey, "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."},
		{"unknown key, EC2", answered(401, ec2("AuthFailure", "AWS was not able to validate the provided access credentials")), connectors.AuthFailed, "aws.access_key", FieldAccessKey, "AuthFailure: AWS was not able to validate the provided access credentials"},
		{"wrong secret, STS", answered(403, query("SignatureDoesNotMatch", notSigned)), connectors.AuthFailed, "aws.secret_key", FieldSecretKey, "SignatureDoesNotMatch"},
		{"wrong secret, JSON", answered(400, `{"__type":"InvalidSignatureException","message":"`+notSigned+`"}`), connectors.AuthFailed, "aws.secret_key", FieldSecretKey, "InvalidSignatureException"},
		{"expired, STS", answered(403, query("ExpiredToken", "The security token included in the request is expired")), connectors.Expired, "aws.token_expired", FieldToken, ""},
		{"expired, header", answered(403, `{"message":"The security token included in the request is expired"}`, "X-Amzn-Errortype", "ExpiredTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/"), connectors.Expired, "aws.token_expired", FieldToken, ""},
		{"broken token", answered(400, s3("InvalidToken", "The provided token is malformed or otherwise invalid.", "")), connectors.AuthFailed, "aws.token", FieldToken, "InvalidToken: The provided token is malformed or otherwise invalid."},
		{"denied, STS", answered(403, query("AccessDenied", "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/reader")), connectors.Denied, "", "", "AccessDenied: User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/reader"},
		{"denied, JSON", answered(400, `{"__type":"AccessDeniedException","Message":"no"}`), connectors.Denied, "", "", "AccessDeniedException: no"},
		{"denied, EC2", answered(403, ec2("UnauthorizedOperation", "You are not authorized to perform this operation.")), connectors.Denied, "", "", "UnauthorizedOperation: You are not authorized to perform this operation."},
		{"slow down, S3", answered(503, s3("SlowDown", "Please reduce your request rate.", "")), connectors.Throttled, "", "", "SlowDown: Please reduce your request rate."},
		{"throttled, JSON", answered(400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`), connectors.Throttled, "", "", "ThrottlingException: Rate exceeded"},
		{"throttled, Query", answered(400, query("Throttling", "Rate exceeded")), connectors.Throttled, "", "", "Throttling: Rate exceeded"},
		{"region, S3", answered(400, s3("AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", "<Region>eu-west-1</Region>")), connectors.BadInput, "aws.region", FieldRegion, "eu-west-1"},
		{"region in the message", answered(400, s3("AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", "")), connectors.BadInput, "aws.region", FieldRegion, "eu-west-1"},
		{"region, moved", answered(301, "", "X-Amz-Bucket-Region", "eu-west-3"), connectors.BadInput, "aws.region", FieldRegion, "eu-west-3"},
		{"region, moved with a body", answered(301, s3("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.", "<Endpoint>b.s3.amazonaws.com</Endpoint>"), "X-Amz-Bucket-Region", "eu-west-3"), connectors.BadInput, "aws.region", FieldRegion, "eu-west-3"},
		{"region, JSON", answered(400, `{"__type":"InvalidSignatureException","message":"Credential should be scoped to a valid region, not 'us-east-1'. "}`), connectors.BadInput, "aws.region", FieldRegion, ""},
		{"region, Query", answered(403, query("SignatureDoesNotMatch", "Credential should be scoped to a valid Region, not 'us-east-2'. ")), connectors.BadInput, "aws.region", FieldRegion, ""},
		{"malformed without a region", answered(400, s3("AuthorizationHeaderMalformed", "The authorization header is malformed; a non-empty Access Key (AKID) must be provided in the credential.", "")), connectors.Refused, "aws.unsigned", "", "AuthorizationHeaderMalformed"},
		{"unsigned", answered(403, `{"message":"Missing Authentication Token"}`, "X-Amzn-Errortype", "MissingAuthenticationTokenException"), connectors.Refused, "aws.unsigned", "", "MissingAuthenticationTokenException"},
		{"region switched off", answered(403, query("RegionDisabledException", "STS is not activated in this region for account:123456789012.")), connectors.Denied, "aws.not_enabled", FieldRegion, "RegionDisabledException: STS is not activated in this region for account:123456789012."},
		{"no bucket", answered(404, s3("NoSuchBucket", "The specified bucket does not exist", "")), connectors.NotFound, "", "", "NoSuchBucket: The specified bucket does not exist"},
		{"no resource", answered(400, `{"__type":"ResourceNotFoundException","message":"Requested resource not found"}`), connectors.NotFound, "", "", "ResourceNotFoundException: Requested resource not found"},
		{"a value", answered(400, query("ValidationError", "1 validation error detected")), connectors.BadInput, "aws.value", "", "ValidationError: 1 validation error detected"},
		{"down", answered(503, query("ServiceUnavailable", "Service is unable to handle request.")), connectors.Unreachable, "http.down", "", "503 ServiceUnavailable: Service is unable to handle request."},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := Refused(c.res, moment)
			if e == nil || e.Code != c.code || e.Reason != c.reason || e.Field != c.field || e.Said != c.said || e.Target == "" {
				t.Fatalf("%+v", e)
			}
			if p := connectors.Explain(e); p.Title == "" || p.Hint == "" || c.reason != "" && !connectors.English().Has(c.reason) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestRefusedIsNilForWhatIsNoAWSError(t *testing.T) {
	for _, res := range []*httpx.Response{
		answered(200, s3("InternalError", "", "")), answered(403, ""), answered(500, "<html><body>Error</body></html>"),
		answered(400, `{"code":"x","message":"y"}`), answered(400, `[1]`), answered(404, `<Error/>`), answered(403, "<Error><Code></Code></Error>"),
		answered(502, "<Response><Errors></Errors></Response>"), answered(401, "\x00\xff<"),
	} {
		if e := Refused(res, moment); e != nil {
			t.Errorf("%d %s: %v", res.Status, res.Body, e)
		}
	}
}

func TestSecurity69_ClockSkewIsExplainedInWords(t *testing.T) {
	const header = "Date"
	at := func(d time.Duration) string { return moment.Add(d).Format(http.TimeFormat) }
	tooFar := "The difference between the request time and the current time is too large."
	for _, c := range []struct {
		name string
		res  *httpx.Response
		said string
	}{
		{"behind", answered(403, s3("RequestTimeTooSkewed", tooFar, ""), header, at(20*time.Minute)), "20 minutes behind"},
		{"ahead", answered(403, query("SignatureDoesNotMatch", "Signature not yet current: 20260301T120000Z is still later than 20260301T113800Z (20260301T112300Z + 15 min.)"), header, at(-37*time.Minute)), "37 minutes ahead"},
		{"an hour", answered(400, `{"__type":"InvalidSignatureException","message":"Signature expired: 20260301T120000Z is now earlier than 20260301T124500Z (20260301T130000Z - 15 min.)"}`, header, at(time.Hour)), "60 minutes behind"},
		{"time zone", answered(400, ec2("RequestExpired", "Request has expired."), header, at(-9*time.Hour)), "9 hours ahead"},
		{"years", answered(403, s3("RequestTimeTooSkewed", tooFar, ""), header, at(365*24*time.Hour)), "365 days behind"},
		{"a minute", answered(403, query("SignatureDoesNotMatch", "Signature expired: x"), header, at(61*time.Second)), "1 minute behind"},
		{"without a Date, S3", answered(403, s3("RequestTimeTooSkewed", tooFar, "<ServerTime>2026-03-01T12:30:10Z</ServerTime>")), "30 minutes behind"},
		{"without a Date, message", answered(403, query("SignatureDoesNotMatch", "Signature expired: 20260301T120000Z is now earlier than 20260301T122500Z (20260301T124000Z - 15 min.)")), "40 minutes behind"},
		{"no time at all", answered(403, s3("RequestTimeTooSkewed", tooFar, "")), ""},
		{"the same time", answered(403, s3("RequestTimeTooSkewed", tooFar, ""), header, at(0)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := Refused(c.res, moment)
			if e == nil || e.Code != connectors.Refused || e.Reason != "aws.clock" || e.Said != c.said {
				t.Fatalf("%+v", e)
			}
			p := connectors.Explain(e)
			if !strings.Contains(p.Title, "clock") || !strings.HasSuffix(strings.TrimSuffix(p.Hint, "."), c.said) || strings.Contains(p.Hint, "{") {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestSecurity80_WhatAWSRepeatsOfTheRequestIsNotShown(t *testing.T) {
	canonical := "\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:" + practiceToken + "\n'"
	for _, res := range []*httpx.Response{
		answered(403, query("SignatureDoesNotMatch", "The request signature we calculated does not match."+canonical)),
		answered(403, query("AccessDenied", "No."+canonical)),
		answered(403, `{"__type":"IncompleteSignatureException","message":"'`+practiceToken+`' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer `+practiceToken+`'."}`),
		answered(403, `{"message":"Authorization header requires 'Credential' parameter. Authorization=Bearer `+practiceToken+`"}`, "X-Amzn-Errortype", "ForbiddenException"),
	} {
		e := Refused(res, moment)
		if e == nil || strings.Contains(fmt.Sprintf("%+v %v %+v", *e, e, connectors.Explain(e)), practiceToken) {
			t.Errorf("%+v", e)
		}
	}
}

func FuzzRefused(f *testing.F) {
	f.Add(403, query("AccessDenied", "x"), "", "")
	f.Add(403, s3("RequestTimeTooSkewed", "x", "<ServerTime>x</ServerTime>"), "", "x")
	f.Add(400, `{"__type":"a#b:c","code":1}`, "a:b#", "Sun, 01 Mar 2026 12:00:00 GMT")
	f.Fuzz(func(t *testing.T, status int, body, kind, date string) {
		e := Refused(answered(status, body, "X-Amzn-Errortype", kind, "Date", date), moment)
		if e == nil {
			return
		}
		if p := connectors.Explain(e); p.Title == "" || p.Hint == "" {
			t.Errorf("%+v", p)
		}
	})
}
