// Package awsx signs requests for Amazon Web Services (Signature Version 4),
// takes on roles, and reads what AWS says when it refuses. It knows only what it
// is given: it looks at no environment variable, no file in ~/.aws and no
// instance metadata.
package awsx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"jackfield/connectors"
)

// The form fields that errors name. Forms that ask for these use the same keys.
const (
	FieldAccessKey   = "access_key"
	FieldSecretKey   = "secret_key"
	FieldToken       = "session_token"
	FieldRegion      = "region"
	FieldRole        = "role_arn"
	FieldSTSEndpoint = "sts_endpoint"
)

const (
	authorization = "Authorization"
	dateHeader    = "X-Amz-Date"
	tokenHeader   = "X-Amz-Security-Token"
	hashHeader    = "X-Amz-Content-Sha256"
)

// Credentials are an access key. Token is empty for long-lived keys, and
// Expires is zero where it is not known.
type Credentials struct {
	AccessKey string
	Secret    connectors.Secret
	Token     connectors.Secret
	Expires   time.Time
}

// Check says what is missing, without asking AWS. Errors are *connectors.Error
// with a Field.
func (c Credentials) Check() error {
	switch {
	case c.AccessKey == "":
		return wrong(FieldAccessKey, "an access key is needed")
	case c.Secret.Empty():
		return wrong(FieldSecretKey, "a secret access key is needed")
	case c.Token.Empty() && temporary(c.AccessKey):
		return wrong(FieldToken, "an access key that begins with ASIA is temporary and needs its session token")
	}
	return nil
}

// A Signer signs for one service in one region. Service is the name that AWS
// signs with, such as "s3", "sts" or "execute-api".
type Signer struct{ Region, Service string }

// Sign puts a signature on req that is good for 15 minutes around now. It signs
// the host, the headers that are set and the body, which it reads through
// req.GetBody; the query, and for S3 the path, are rewritten into the form that
// was signed. A request may be signed again. It must not be changed afterwards,
// and must go through a client that follows no redirect to another origin: the
// session token is a header that net/http would take along.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
func (s Signer) Sign(ctx context.Context, req *http.Request, c Credentials, now time.Time) error {
	if err := c.Check(); err != nil {
		return err
	}
	if s.Region == "" {
		return wrong(FieldRegion, "a region is needed")
	}
	// The signer would leave out what it cannot read, and so would the request.
	if _, err := url.ParseQuery(req.URL.RawQuery); err != nil {
		return fmt.Errorf("the query of the request to %s cannot be signed", req.URL.Host)
	}
	hash, err := bodyHash(req)
	if err != nil {
		return err
	}
	req.Header.Del(tokenHeader)
	if s.storage() {
		req.Header.Set(hashHeader, hash)
	}
	signed := req.Clone(ctx)
	signed.URL.Opaque = "//" + req.URL.Host + s.path(req.URL)
	keys := aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret.Reveal(), SessionToken: c.Token.Reveal()}
	err = v4.NewSigner().SignHTTP(ctx, keys, signed, hash, s.Service, s.Region, now, func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = s.storage()
	})
	if err != nil {
		return fmt.Errorf("sign for %s: %w", s.Service, err)
	}
	for _, name := range []string{authorization, dateHeader, tokenHeader} {
		if v := signed.Header.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	req.Host, req.URL.RawQuery = signed.Host, signed.URL.RawQuery
	if s.storage() && req.URL.Path != "" {
		// S3 takes a plus sign that is not escaped for a space.
		req.URL.RawPath = s.path(req.URL)
	}
	return nil
}

// storage reports whether this is S3, whose keys may hold "//" and "..": its
// paths are escaped once and not normalized, and the hash of the body is a header.
func (s Signer) storage() bool { return strings.HasPrefix(s.Service, "s3") }

// path is what the signer takes for the path. S3 verifies the decoded one with
// everything escaped that is not unreserved (RFC 3986 section 2.3), however it
// came; the others what came, normalized, which the signer escapes once more.
func (s Signer) path(u *url.URL) string {
	if s.storage() {
		return "/" + escaped(strings.TrimPrefix(u.Path, "/"))
	}
	return normalized(rawPath(u))
}

func escaped(p string) string {
	var b strings.Builder
	for i := range len(p) {
		switch c := p[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			_, _ = fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// rawPath is the path as it is sent. A URL with an opaque part ("//host/path")
// is sent as it stands there.
func rawPath(u *url.URL) string {
	if rest, opaque := strings.CutPrefix(u.Opaque, "//"); opaque {
		_, p, _ := strings.Cut(rest, "/")
		return "/" + p
	}
	return u.EscapedPath()
}

// normalized takes out empty, "." and ".." segments (RFC 3986 section 6.2.2.3),
// as AWS does before it verifies.
func normalized(p string) string {
	out := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && out != "/" {
		out += "/"
	}
	return out
}

func bodyHash(req *http.Request) (string, error) {
	h := sha256.New()
	if req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return "", fmt.Errorf("the request to %s has a body that cannot be read twice, so it cannot be signed", req.URL.Host)
		}
		body, err := req.GetBody()
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, body)
		_ = body.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Domain is the name under which a region's services are: "amazonaws.com" and
// those of the partitions apart (partitions.json of the AWS SDKs).
func Domain(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu"
	case strings.HasPrefix(region, "us-isob-"):
		return "sc2s.sgov.gov"
	case strings.HasPrefix(region, "us-isof-"):
		return "csp.hci.ic.gov"
	case strings.HasPrefix(region, "us-iso-"):
		return "c2s.ic.gov"
	case strings.HasPrefix(region, "eu-isoe-"):
		return "cloud.adc-e.uk"
	}
	return "amazonaws.com" // GovCloud too
}

func wrong(field, said string) *connectors.Error {
	return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field, Said: said}
}
