package awsx

import (
	"errors"
	"regexp"
	"strings"
)

var (
	keyShape    = regexp.MustCompile(`^(AKIA|ASIA)[A-Z0-9]{16}$`)
	idShape     = regexp.MustCompile(`^A(BIA|CCA|GPA|IDA|IPA|NPA|NVA|PKA|ROA|SCA)[A-Z0-9]{16,}$`)
	secretShape = regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`)
	regionShape = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$`)
	zoneShape   = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}[a-z]$`)
	roleShape   = regexp.MustCompile(`^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([!-~]+/)?[A-Za-z0-9+=,.@_-]{1,64}$`)
)

// ValidAccessKey wants the 20 characters of an access key ID
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
func ValidAccessKey(v string) error {
	switch {
	case keyShape.MatchString(v):
		return nil
	case idShape.MatchString(v):
		return errors.New("This is the ID of something else in AWS, not of an access key: those begin with AKIA or ASIA.")
	case secretShape.MatchString(v):
		return errors.New("This looks like the secret access key. The access key ID has 20 characters and begins with AKIA or ASIA.")
	}
	return errors.New("An access key ID has 20 capital letters and digits and begins with AKIA or ASIA.")
}

// temporary reports whether a key has no meaning without its session token.
func temporary(key string) bool { return keyShape.MatchString(key) && strings.HasPrefix(key, "ASIA") }

// ValidRegion wants the code of a region, such as eu-central-1. Which regions
// exist only AWS knows.
func ValidRegion(v string) error {
	switch {
	case regionShape.MatchString(v):
		return nil
	case zoneShape.MatchString(v):
		return errors.New("This is an availability zone. The region is the same without the letter at the end.")
	}
	return errors.New("A region's code is expected here, such as eu-central-1 or us-east-1.")
}

// ValidRoleARN wants the name of an IAM role.
func ValidRoleARN(v string) error {
	switch {
	case roleShape.MatchString(v):
		return nil
	case strings.Contains(v, ":assumed-role/"):
		return errors.New("This names a session of a role. The role itself is written like arn:aws:iam::123456789012:role/name.")
	case strings.Contains(v, ":instance-profile/"):
		return errors.New("This names an instance profile. The role in it is written like arn:aws:iam::123456789012:role/name.")
	case strings.Contains(v, ":user/"):
		return errors.New("This names a user. A role is written like arn:aws:iam::123456789012:role/name.")
	}
	return errors.New("A role is written like arn:aws:iam::123456789012:role/name, with the 12 digits of its account.")
}
