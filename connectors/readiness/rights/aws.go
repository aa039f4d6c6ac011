package rights

import (
	"slices"
	"strings"
)

// A statement of an IAM policy:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type statement struct {
	Effect    string                         `json:"Effect"`
	Principal map[string]string              `json:"Principal,omitempty"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource,omitempty"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

func policy(all ...statement) string {
	return pretty(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", all})
}

// partition is the first part of the ARNs of a region's resources:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func accountOf(arn string) string {
	if p := strings.Split(arn, ":"); len(p) > 5 {
		return p[4]
	}
	return ""
}

func orStar(v string) string {
	if v == "" {
		return "*"
	}
	return v
}

// literal writes a name in a resource or a StringLike, where *, ? and $ have a
// meaning: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
func literal(v string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(v)
}

// storage is the policy for what the preview of buckets asks: ListBuckets where
// no bucket is named, ListObjectsV2 and GetObject (HEAD needs the same right). The
// region is told to whoever asks, and GetCallerIdentity needs no right.
func storage(a answers) []statement {
	bucket, folder, part := a.of("bucket"), strings.Trim(a.of("folder"), "/"), partition(a.of("region"))
	at := "arn:" + part + ":s3:::" + orStar(literal(bucket))
	list := statement{Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{at}}
	under := "/*"
	if bucket != "" && folder != "" {
		list.Condition = map[string]map[string][]string{"StringLike": {"s3:prefix": {literal(folder) + "/*"}}}
		under = "/" + literal(folder) + "/*"
	}
	out := []statement{list, {Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{at + under}}}
	if bucket == "" {
		out = append([]statement{{Effect: "Allow", Action: []string{"s3:ListAllMyBuckets"}, Resource: []string{"*"}}}, out...)
	}
	return out
}

func amazon(a answers) []Grant {
	to := "the IAM user of the access key"
	arn := a.of("role_arn")
	if arn != "" {
		to = "the role"
	}
	notes := []string{readOnly, "Objects under a KMS key also need kms:Decrypt on that key.", "Whose keys these are is asked of sts:GetCallerIdentity, which needs no right."}
	if a.of("bucket") == "" {
		notes = append(notes, "No bucket is named in the form, so this opens all of the account. Name one to narrow it.")
	}
	out := []Grant{{Title: "List and read the files", Where: "Attach to " + to + " (IAM, Add permissions, Create inline policy, JSON).", Language: JSON, Text: policy(storage(a)...), Notes: notes}}
	return append(out, role(a, arn, a.of("region"))...)
}

// role is what taking on a role needs, on both sides:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
func role(a answers, arn, region string) []Grant {
	if arn == "" {
		return nil
	}
	part := partition(region)
	trust := statement{Effect: "Allow", Principal: map[string]string{"AWS": "arn:" + part + ":iam::<account of the access key>:user/<its user>"}, Action: []string{"sts:AssumeRole"}}
	if id := a.of("external_id"); id != "" {
		trust.Condition = map[string]map[string][]string{"StringEquals": {"sts:ExternalId": {id}}}
	}
	return []Grant{
		{Title: "Who may take on the role", Where: "The trust policy of the role " + arn + ".", Language: JSON, Text: policy(trust),
			Notes: []string{"Write the account and the user of the access key " + a.or("access_key", "of the form") + " in place of the words in brackets."}},
		{Title: "Take on the role", Where: "Attach to the IAM user of the access key.", Language: JSON, Text: policy(statement{Effect: "Allow", Action: []string{"sts:AssumeRole"}, Resource: []string{arn}})},
	}
}

func compatible(a answers) []Grant {
	bucket := a.or("bucket", "<bucket>")
	s := storage(a)
	for i := range s {
		if s[i].Action[0] != "s3:ListAllMyBuckets" {
			continue
		}
		s[i].Resource = []string{"arn:aws:s3:::*"}
	}
	out := []Grant{{Title: "List and read the files (MinIO and others with IAM policies)", Where: "Attach to the user of the access key (MinIO: mc admin policy create, then mc admin policy attach).", Language: JSON,
		Text: policy(s...), Notes: some(readOnly, when(a.of("bucket") == "", "No bucket is named in the form, so this opens all of them. Name one to narrow it."))}}
	with := slices.Clone(s)
	with = slices.DeleteFunc(with, func(x statement) bool { return x.Action[0] == "s3:ListAllMyBuckets" })
	type bucketStatement struct {
		Effect    string
		Principal []string
		Action    []string
		Resource  []string
	}
	var list []bucketStatement
	for _, x := range with {
		list = append(list, bucketStatement{x.Effect, []string{a.or("access_key", "<access key ID>")}, x.Action, x.Resource})
	}
	return append(out, Grant{Title: "Variant: a policy of the bucket (Versity and others without policies of users)", Where: "aws s3api put-bucket-policy --bucket " + shell(bucket) + " --policy file://policy.json", Language: JSON,
		Text: pretty(struct {
			Version   string
			Statement []bucketStatement
		}{"2012-10-17", list}), Notes: []string{"Listing is not narrowed to the folder here: such servers do not look at conditions."}})
}
