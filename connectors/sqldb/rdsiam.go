package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
)

// tokenLife is how long Amazon RDS takes a token for a password. A connection
// that is open by then goes on.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
const tokenLife = "900"

// rdsHost is the endpoint of an instance, cluster or proxy:
// "shop.cluster-abc.eu-central-1.rds.amazonaws.com".
var rdsHost = regexp.MustCompile(`(?i)\.([a-z0-9-]+)\.rds\.(amazonaws\.com(\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov)\.?$`)

// iamAnswers are the answers about an access key.
type iamAnswers struct {
	AccessKey  string            `field:"access_key"`
	SecretKey  connectors.Secret `field:"secret_key"`
	Token      connectors.Secret `field:"session_token"`
	Region     string            `field:"region"`
	Role       string            `field:"role_arn"`
	ExternalID string            `field:"external_id"`
}

// iam makes the passwords of an account that signs in through AWS.
type iam struct {
	c      host
	env    *connectors.Env
	region string
	base   awsx.Credentials
	role   *awsx.Assumer // nil without a role
}

func newIAM(env *connectors.Env, c host) (*iam, error) {
	i := &iam{c: c, env: env, region: c.Region, base: awsx.Credentials{AccessKey: c.AccessKey, Secret: c.SecretKey, Token: c.Token}}
	if m := rdsHost.FindStringSubmatch(c.Host); m != nil && c.Region == "" {
		i.region = strings.ToLower(m[1])
	}
	if i.region == "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "sql.iam_region", Op: connectors.StageForm, Field: "region"}
	}
	if err := i.base.Check(); err != nil {
		return nil, err
	}
	if c.Role != "" {
		client, err := env.HTTP(connectors.HTTP{NoRedirects: true})
		if err != nil {
			return nil, err
		}
		i.role = awsx.NewAssumer(client, i.region, i.base, awsx.Role{ARN: c.Role, ExternalID: c.ExternalID}, env.Time)
	}
	return i, nil
}

// password is a presigned request "connect" of the service rds-db without its
// scheme. Who has it can sign in for 15 minutes.
func (i *iam) password(ctx context.Context) (connectors.Secret, error) {
	keys := i.base
	if i.role != nil {
		var err error
		if keys, err = i.role.Credentials(ctx); err != nil {
			return connectors.Secret{}, err
		}
	}
	u := url.URL{Scheme: "https", Host: net.JoinHostPort(strings.TrimSuffix(strings.ToLower(i.c.Host), "."), strconv.Itoa(i.c.Port)), Path: "/",
		RawQuery: url.Values{"Action": {"connect"}, "DBUser": {i.c.User}, "X-Amz-Expires": {tokenLife}}.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return connectors.Secret{}, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: err}
	}
	nothing := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, aws.Credentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret.Reveal(), SessionToken: keys.Token.Reveal()},
		req, hex.EncodeToString(nothing[:]), "rds-db", i.region, i.env.Time())
	if err != nil {
		return connectors.Secret{}, err
	}
	return connectors.NewSecret(strings.TrimPrefix(signed, "https://")), nil
}
