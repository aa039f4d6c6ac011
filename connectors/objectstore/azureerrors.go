package objectstore

import (
	"encoding/xml"
	"net/http"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// verdicts are the codes that do not depend on how one signs in
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes,
// https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
func verdicts() map[string]verdict {
	gone := verdict{connectors.NotFound, "objectstore.no_container", "container"}
	blob := verdict{connectors.NotFound, "objectstore.no_object", ""}
	slow := verdict{connectors.Throttled, "objectstore.busy", ""}
	return map[string]verdict{
		"ContainerNotFound": gone, "ContainerBeingDeleted": gone, "ContainerDisabled": gone,
		"BlobNotFound": blob, "ResourceNotFound": blob,
		"ServerBusy": slow, "OperationTimedOut": slow,
		"InvalidResourceName":                {connectors.BadInput, "objectstore.bucket_name", "container"},
		"KeyBasedAuthenticationNotPermitted": {connectors.Denied, "objectstore.azure.no_keys", "auth"},
		"PublicAccessNotPermitted":           {connectors.Denied, "objectstore.azure.no_public", "auth"},
		"NoAuthenticationInformation":        {connectors.Denied, "objectstore.azure.no_public", "auth"},
		"AccountIsDisabled":                  {connectors.Denied, "objectstore.azure.disabled", ""},
		"AccountBeingCreated":                {connectors.Throttled, "objectstore.busy", ""},
		"AccountRequiresHttps":               {connectors.Refused, "objectstore.needs_tls", "endpoint"},
		"BlobArchived":                       {connectors.Denied, "objectstore.archived", ""},
		"AuthorizationSourceIPMismatch":      {connectors.Denied, "objectstore.azure.address", "secret"},
		"AuthorizationProtocolMismatch":      {connectors.Denied, "objectstore.azure.protocol", "secret"},
		"AuthorizationServiceMismatch":       {connectors.Denied, "objectstore.azure.service", "secret"},
		"AuthorizationResourceTypeMismatch":  {connectors.Denied, "objectstore.azure.resource", "container"},
		"InsufficientAccountPermissions":     {connectors.Denied, "objectstore.azure.permission", "secret"},
		"AuthorizationPermissionMismatch":    {connectors.Denied, "objectstore.azure.permission", "secret"},
		"AuthorizationFailure":               {connectors.Denied, "objectstore.azure.network", ""},
		"InvalidHeaderValue":                 {connectors.Unsupported, "objectstore.azure.version", "endpoint"},
	}
}

// refused reads Azure's error: its code is in the body and in a header.
func (b *blobs) refused(q question, res *httpx.Response) error {
	var body struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
		Detail  string   `xml:"AuthenticationErrorDetail"`
	}
	_ = xml.Unmarshal(res.Body, &body)
	code := firstOf(res.Header.Get("X-Ms-Error-Code"), body.Code)
	said, _, _ := strings.Cut(body.Message, "\n")
	e := &connectors.Error{Target: res.URL.Host, Said: strings.TrimSpace(code + ": " + said), Op: connectors.StageRights}
	if q.key != "" {
		e.Op = connectors.StageData
	}
	if code == "AuthorizationFailure" && strings.HasPrefix(said, "Server failed to authenticate") {
		code = "AuthenticationFailed" // Azurite has one code for both
	}
	v, known := verdicts()[code]
	switch {
	case known:
		e.Code, e.Reason, e.Field = v.code, v.reason, v.field
		if v.field == "secret" {
			e.Field = b.secret
		}
		b.target(q, e)
	case code == "AuthenticationFailed" || code == "InvalidAuthenticationInfo":
		b.unauthentic(e, body.Detail, res)
	case code == "" && res.Status == http.StatusBadRequest && plainToTLS(res.Body):
		e.Code, e.Reason, e.Op = connectors.Refused, "objectstore.needs_tls", connectors.StageSecure
		e.Field, e.Said = b.endpointField(), ""
	case code == "" && len(res.Body) > 0:
		e.Code, e.Reason, e.Op, e.Field, e.Said = connectors.Refused, "objectstore.not_azure", connectors.StageSignIn, b.endpointField(), ""
	default:
		by := res.Err(e.Said)
		by.Op = e.Op
		e = by
	}
	if e.Field == "endpoint" {
		e.Field = b.endpointField()
	}
	return e
}

func (b *blobs) target(q question, e *connectors.Error) {
	switch e.Reason {
	case "objectstore.no_container", "objectstore.bucket_name":
		e.Target = q.bucket
		e.Op = connectors.StageRights
	case "objectstore.no_object", "objectstore.archived":
		e.Target = q.key
	case "objectstore.needs_tls", "objectstore.azure.version":
		e.Op = connectors.StageSignIn
	}
}

// unauthentic finds out why a signature is not taken: Azure gives one code for
// a wrong key, for a SAS whose time is over, and for a wrong clock.
func (b *blobs) unauthentic(e *connectors.Error, detail string, res *httpx.Response) {
	e.Op, e.Field, e.Said = connectors.StageSignIn, b.secret, ""
	now := b.now()
	there, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		there = now
	}
	lower := strings.ToLower(detail)
	switch {
	case b.key == nil && !b.sas.ends.IsZero() && there.After(b.sas.ends):
		e.Code, e.Reason, e.Said = connectors.Expired, "objectstore.azure.sas_expired", stamp(b.sas.ends)+" UTC"
	case b.key == nil && there.Before(b.sas.starts):
		e.Code, e.Reason, e.Said = connectors.AuthFailed, "objectstore.azure.sas_early", stamp(b.sas.starts)+" UTC"
	case b.key == nil:
		e.Code, e.Reason = connectors.AuthFailed, "objectstore.azure.sas"
	case strings.Contains(lower, "date header") && strings.Contains(lower, "old"), tooFar(now.Sub(there)):
		e.Code, e.Reason, e.Field, e.Said = connectors.Refused, "objectstore.s3.clock", "", offBy(now.Sub(there))
	default:
		e.Code, e.Reason = connectors.AuthFailed, "objectstore.azure.key"
	}
}

// endpointField is the form's question about where the account is, "" where
// that stands in the connection string.
func (b *blobs) endpointField() string {
	if b.secret == "connection_string" {
		return b.secret
	}
	return "endpoint"
}

func (b *blobs) unsent(err error) error {
	out := *connectors.Classify(err)
	switch {
	case out.Reason == "dns.not_found" && strings.Contains(out.Target, ".blob."):
		out.Reason, out.Field = "objectstore.azure.no_account", "account"
		if b.secret == "connection_string" {
			out.Field = b.secret
		}
	case out.Reason == "tls.unknown_ca":
		out.Field = "ca"
	case out.Reason == "tls.wrong_host":
		out.Field = "tls_name"
	case (out.Reason == "connect.closed" || out.Reason == "http.protocol") && b.base.Scheme == "http":
		out.Reason, out.Field = "objectstore.needs_tls", b.endpointField()
	case out.Field == "host" || out.Field == "port":
		out.Field = b.endpointField()
	}
	return &out
}
