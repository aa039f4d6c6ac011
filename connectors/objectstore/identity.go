package objectstore

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
)

// identityTime bounds the question whose keys these are.
const identityTime = 5 * time.Second

// identity is the ARN of the user or role that keys belong to, "" where that
// cannot be had: some networks let S3 through and nothing else.
func (s *s3) identity(ctx context.Context, keys awsx.Credentials) string {
	ctx, cancel := context.WithTimeout(ctx, identityTime)
	defer cancel()
	region := s.regionOf("")
	form := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://sts."+region+"."+awsx.Domain(region)+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if err := (awsx.Signer{Region: region, Service: "sts"}).Sign(ctx, req, keys, s.now()); err != nil {
		return ""
	}
	res, err := httpx.Do(s.client, req, 64<<10)
	if err != nil || res.Status != http.StatusOK {
		return ""
	}
	var answer struct {
		XMLName xml.Name `xml:"GetCallerIdentityResponse"`
		ARN     string   `xml:"GetCallerIdentityResult>Arn"`
	}
	if xml.Unmarshal(res.Body, &answer) != nil {
		return ""
	}
	return answer.ARN
}
