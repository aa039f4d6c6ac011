package objectstore

import (
	"context"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/tlsx"
)

func openAmazon(ctx context.Context, env *connectors.Env, c amazonConfig) (connectors.Session, error) {
	s := &s3{vendor: vendorAmazon, region: c.Region, now: env.Time, regions: map[string]string{}}
	role := awsx.Role{ARN: c.RoleARN, ExternalID: c.ExternalID}
	if err := s.connect(env, connectors.TLS{}, c.credentials(), c.Auth == wayRole, role); err != nil {
		return nil, err
	}
	st := &store{cloud: s, kind: "bucket", bucket: c.Bucket, folder: c.Folder}
	region := s.regionOf(c.Bucket)
	return begin(ctx, env, &session{store: st, client: s.client, place: "s3." + region + "." + awsx.Domain(region)}, c.Answers)
}

func openCompatible(ctx context.Context, env *connectors.Env, c compatibleConfig) (connectors.Session, error) {
	base, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "endpoint", Said: "this is no web address"}
	}
	s := &s3{vendor: vendorOther, base: base, region: c.Region, now: env.Time, regions: map[string]string{}, virtual: c.Addressing == styleVirtual}
	role := awsx.Role{ARN: c.RoleARN, ExternalID: c.ExternalID, Endpoint: c.Endpoint + "/"}
	if role.ARN == "" {
		role.ARN = "arn:aws:iam:::role/jackfield" // has to be there; MinIO does not look at it
	}
	if err := s.connect(env, c.Spec(), c.credentials(), c.Auth == wayRole, role); err != nil {
		return nil, err
	}
	st := &store{cloud: s, kind: "bucket", bucket: c.Bucket, folder: c.Folder}
	return begin(ctx, env, &session{store: st, client: s.client, place: base.Host}, c.Answers)
}

// Spec is ambiguous otherwise.
func (c compatibleConfig) Spec() connectors.TLS { return tlsx.Answers(c.secured).Spec() }

// connect makes the client and decides whose keys sign.
func (s *s3) connect(env *connectors.Env, spec connectors.TLS, keys awsx.Credentials, assume bool, role awsx.Role) error {
	if err := keys.Check(); err != nil {
		return err
	}
	client, err := env.HTTP(connectors.HTTP{TLS: spec})
	if err != nil {
		return err
	}
	s.client = httpx.WithoutRedirects(client)
	s.keys = func(context.Context) (awsx.Credentials, error) { return keys, nil }
	if !assume {
		return nil
	}
	region := s.region
	if region == "" {
		region = firstRegion
	}
	assumer := awsx.NewAssumer(client, region, keys, role, s.now)
	s.keys = assumer.Credentials
	if s.vendor != vendorAmazon {
		s.keys = func(ctx context.Context) (awsx.Credentials, error) {
			got, err := assumer.Credentials(ctx)
			return got, s.unassumed(err)
		}
	}
	return nil
}

// unassumed puts what a server of one's own says about a role into its words.
func (s *s3) unassumed(err error) error {
	e := connectors.Classify(err)
	if e == nil {
		return nil
	}
	out := *e
	switch {
	case out.Code == connectors.Denied:
		out.Code, out.Reason, out.Field = judged(out.Said)
	case out.Code == connectors.BadInput && out.Field == awsx.FieldSTSEndpoint:
		out.Reason = "objectstore.sts_plain"
	case out.Reason == "aws.not_sts", out.Reason == "aws.unsigned", out.Code == connectors.NotFound,
		out.Code == connectors.Refused && (out.Reason == "" || strings.HasPrefix(out.Reason, "http.")):
		out.Code, out.Reason, out.Field = connectors.Unsupported, "objectstore.no_sts", "auth"
	}
	return s.explain(question{}, &out)
}

// judged tells apart what MinIO says with one code, AccessDenied, in the words
// that it has for the others elsewhere.
func judged(said string) (connectors.Code, string, string) {
	switch {
	case strings.Contains(said, "Access Key Id you provided does not exist"):
		return connectors.AuthFailed, "aws.access_key", awsx.FieldAccessKey
	case strings.Contains(said, "signature we calculated does not match"):
		return connectors.AuthFailed, "aws.secret_key", awsx.FieldSecretKey
	}
	return connectors.Denied, "aws.assume", "auth"
}

// about asks AWS whose keys these are, for which no right is needed
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
// What an ACL says is left out: at buckets that enforce their owner it names the
// account's full control, whatever the user may do.
func (s *s3) about(ctx context.Context, bucket string, some []item) []connectors.Fact {
	keys, err := s.keys(ctx)
	if err != nil {
		return nil
	}
	facts := []connectors.Fact{{Label: "Account", Text: keys.AccessKey}}
	if s.vendor == vendorAmazon {
		if arn := s.identity(ctx, keys); arn != "" {
			facts = []connectors.Fact{{Label: "Account", Text: arn}, {Label: "Access key", Text: keys.AccessKey}}
		}
	}
	region := s.regionOf(bucket)
	if u, err := s.address(question{bucket: bucket}, region); err == nil {
		facts = append(facts, connectors.Fact{Label: "Endpoint", Text: u.Scheme + "://" + u.Host})
	}
	if s.vendor != vendorGoogle {
		facts = append(facts, connectors.Fact{Label: "Region", Text: s.regionText(bucket, region)})
	}
	if bucket == "" {
		return append(facts, connectors.Fact{Label: "Rights", Text: "list buckets"})
	}
	facts = append(facts, connectors.Fact{Label: "Bucket", Text: bucket})
	if v := s.versioned(ctx, bucket); v != "" {
		facts = append(facts, connectors.Fact{Label: "Versioning", Text: v})
	}
	return append(facts, connectors.Fact{Label: "Rights", Text: s.rights(ctx, bucket, some)})
}

func (s *s3) regionText(bucket, region string) string {
	s.mu.Lock()
	found := s.regions[bucket] != ""
	s.mu.Unlock()
	switch {
	case found && s.region != "" && s.region != region:
		return region + " (found out; the form says " + s.region + ")"
	case found:
		return region + " (found out)"
	}
	return region
}

// rights tries an object's head.
func (s *s3) rights(ctx context.Context, bucket string, some []item) string {
	for _, i := range some {
		if i.folder || i.size == 0 {
			continue
		}
		may, err := s.may(ctx, bucket, i.name)
		switch {
		case err != nil:
			return "list"
		case may:
			return "list and read"
		}
		return "list; reading " + i.name + " is refused"
	}
	return "list"
}
