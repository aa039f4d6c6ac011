package awsiot

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
)

// The names that AWS signs with: the control plane's and the data plane's.
const (
	control = "iot"
	data    = "iotdata"
	gateway = "iotdevicegateway"
)

// answerBytes is more than a page of 250 things has; a shadow has at most 30 kB,
// a kept message 128 kB (https://docs.aws.amazon.com/general/latest/gr/iot-core.html).
const answerBytes = 4 << 20

// credentials are the keys themselves, or the role's.
func (s *session) credentials(ctx context.Context) (awsx.Credentials, error) {
	if s.role != nil {
		return s.role.Credentials(ctx)
	}
	return s.base, nil
}

// get asks for JSON and puts it into out. path is escaped already.
func (s *session) get(ctx context.Context, service, path string, query url.Values, out any) error {
	host := s.c.Endpoint
	if service == control {
		host = "iot." + s.region + "." + awsx.Domain(s.region)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		return &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: path}
	}
	req.URL.RawQuery = query.Encode()
	res, err := s.send(ctx, service, req)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(res.Body, out); err != nil || res.Truncated {
		return &connectors.Error{Code: connectors.Refused, Reason: "awsiot.answer", Op: connectors.StageData, Target: host}
	}
	return nil
}

// send signs and sends req, and makes an error of a refusal.
func (s *session) send(ctx context.Context, service string, req *http.Request) (*httpx.Response, error) {
	keys, err := s.credentials(ctx)
	if err != nil {
		return nil, err
	}
	now := s.env.Time()
	if err := (awsx.Signer{Region: s.region, Service: service}).Sign(ctx, req, keys, now); err != nil {
		return nil, err
	}
	res, err := httpx.Do(s.client, req, answerBytes)
	if err != nil {
		return nil, err
	}
	if e := refusal(res, awsx.Refused(res, s.env.Time())); e != nil {
		if e.Field == awsx.FieldToken && s.role == nil && s.c.Token.Empty() {
			e.Field = awsx.FieldAccessKey
		}
		return nil, e
	}
	return res, nil
}

func refusal(res *httpx.Response, e *connectors.Error) *connectors.Error {
	if e == nil {
		e = res.Err("")
	}
	if e == nil {
		return nil
	}
	if e.Op == "" {
		e.Op = connectors.StageData
	}
	if e.Code == connectors.Denied && e.Reason == "" {
		e.Reason = "awsiot.denied"
	}
	return e
}

// An identity is who the keys are
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
type identity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResponse"`
	ARN     string   `xml:"GetCallerIdentityResult>Arn"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

// whoAmI needs no right at all.
func (s *session) whoAmI(ctx context.Context) (identity, error) {
	var who identity
	place := "https://sts." + s.region + "." + awsx.Domain(s.region) + "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, place, strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	if err != nil {
		return who, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "region"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	res, err := s.send(ctx, "sts", req)
	if err != nil {
		e := *connectors.Classify(err)
		if e.Op == connectors.StageData {
			e.Op = connectors.StageSignIn
		}
		return who, &e
	}
	if err := xml.Unmarshal(res.Body, &who); err != nil || who.ARN == "" {
		return who, &connectors.Error{Code: connectors.Refused, Reason: "aws.not_sts", Op: connectors.StageSignIn, Target: req.URL.Host}
	}
	return who, nil
}

// rightPlace compares the endpoint with the account's own. Keys that may not ask
// for it are not stopped by that.
func (s *session) rightPlace(ctx context.Context) error {
	if account(s.c.Endpoint) == "" {
		return nil
	}
	var own struct{ EndpointAddress string }
	err := s.get(ctx, control, "/endpoint", url.Values{"endpointType": {"iot:Data-ATS"}}, &own)
	switch {
	case connectors.CodeOf(err) == connectors.Denied:
		return nil
	case err != nil:
		return err
	case account(own.EndpointAddress) != "" && account(own.EndpointAddress) != account(s.c.Endpoint):
		return &connectors.Error{Code: connectors.BadInput, Reason: "awsiot.other_account", Op: connectors.StageRights, Target: s.c.Endpoint, Field: "endpoint", Said: own.EndpointAddress}
	}
	return nil
}
