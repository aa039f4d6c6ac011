package use

import (
	"encoding/json"
	"net/url"
	"strings"

	"jackfield/connectors"
)

// withKeys reports whether the answers have an AWS access key.
func withKeys(p *plan) bool {
	return p.asks("access_key") && p.asks("secret_key") && !p.is("azure_service_bus", "gcs")
}

func awsFiles() []writer {
	return []writer{
		{Format: Format{ID: "aws-profile", Name: "AWS profile", For: "aws and all programs with an AWS SDK", File: "~/.aws/credentials", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			fits: withKeys, write: (*plan).awsProfile},
		{Format: Format{ID: "aws-process", Name: "AWS profile that asks Jackfield", For: "aws and all programs with an AWS SDK; the secret stays in Jackfield", File: "~/.aws/config", Mode: 0o600, Syntax: "ini", Group: GroupFiles},
			public: true, fits: withKeys, write: (*plan).awsProcess},
		{Format: Format{ID: "aws-credential-process", Name: "AWS credential_process answer", For: "AWS SDKs, when they run jf use", Syntax: "json", Clear: true, Group: GroupVariables},
			fits: withKeys, write: (*plan).awsAnswer},
		{Format: Format{ID: "s3cfg", Name: "s3cmd configuration", For: "s3cmd", File: "~/.s3cfg", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			fits: only("s3", "s3_compatible"), write: (*plan).s3cfg},
	}
}

// awsKeys are the lines of a section in the credentials file
// (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html).
func (p *plan) awsKeys() string {
	w := pairs{sep: "\n", end: "\n"}
	w.sep = "\n"
	w.put(p, "aws_access_key_id", "access_key", bare)
	w.put(p, "aws_secret_access_key", "secret_key", bare)
	w.put(p, "aws_session_token", "session_token", bare)
	return w.String()
}

// awsConfig are the lines of a profile in the configuration file.
func (p *plan) awsConfig() string {
	w := pairs{sep: "\n", end: "\n"}
	w.put(p, "region", "region", bare)
	if p.is("s3_compatible") {
		w.put(p, "endpoint_url", "endpoint", bare)
		if a := p.v("addressing"); a == "path" || a == "virtual" {
			w.add("s3", "\n  addressing_style = "+a)
		}
		if p.has("ca") {
			w.add("ca_bundle", p.ca())
		}
	}
	if w.b.Len() == 0 {
		return ""
	}
	return w.String()
}

// awsProfile writes the keys; what is no secret goes into ~/.aws/config. A role
// is a profile of its own whose source is the keys'.
func (p *plan) awsProfile() string {
	name := p.profile()
	source, config := name, ""
	if p.has("role_arn") {
		source = name + "-keys"
		config = "[profile " + name + "]\nrole_arn=" + p.q("role_arn", bare) + "\nsource_profile=" + source + "\n"
		if p.has("external_id") {
			config += "external_id=" + p.q("external_id", bare) + "\n"
		}
		config += p.awsConfig()
	} else if more := p.awsConfig(); more != "" {
		config = "[profile " + name + "]\n" + more
	}
	if config != "" {
		p.files = append(p.files, File{Name: "config", Mode: 0o600, Body: connectors.NewSecret(config)})
		p.warns("Region, role and address belong into the other file, ~/.aws/config.")
	}
	return "[" + source + "]\n" + p.awsKeys()
}

// awsProcess runs this program for the keys
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).
// Some SDKs split the line themselves, others hand it to a shell.
func (p *plan) awsProcess() string {
	name, profile := p.name, p.profile()
	quoted, err := shellWord(name)
	if _, bad := bare(name); bad != nil {
		err = bad
	}
	if !strings.ContainsAny(name, "\"\\$`%!") {
		quoted = `"` + name + `"`
	}
	if err != nil {
		p.refuse("", err.Error())
	}
	line := "credential_process = jf use " + quoted + " --as aws-credential-process\n"
	if !p.has("role_arn") {
		return "[profile " + profile + "]\n" + line + p.awsConfig()
	}
	out := "[profile " + profile + "-keys]\n" + line + "\n[profile " + profile + "]\nrole_arn=" + p.q("role_arn", bare) + "\nsource_profile=" + profile + "-keys\n"
	if p.has("external_id") {
		out += "external_id=" + p.q("external_id", bare) + "\n"
	}
	return out + p.awsConfig()
}

func (p *plan) awsAnswer() string {
	answer := struct {
		Version         int
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string `json:",omitempty"`
	}{1, p.v("access_key"), p.secret("secret_key"), p.secret("session_token")}
	out, err := json.Marshal(answer)
	if err != nil {
		p.refuse("secret_key", errNotText.Error())
	}
	if p.has("role_arn") {
		p.leaves("The role is not in it: the profile's role_arn and source_profile have to name it.")
	}
	return string(out) + "\n"
}

// CredentialProcess is what an AWS SDK wants of a credential_process, version 1
// of its answer.
func CredentialProcess(g Given) (connectors.Secret, error) {
	text, err := Write("aws-credential-process", g, Options{Secrets: Reveal})
	return text.Body, err
}

// s3Place is where an S3 service is.
func (p *plan) s3Place() *url.URL {
	if p.is("s3_compatible") {
		if u, err := url.Parse(p.v("endpoint")); err == nil {
			return u
		}
	}
	host := "s3.amazonaws.com"
	if r := p.v("region"); r != "" {
		host = "s3." + r + ".amazonaws.com"
	}
	return &url.URL{Scheme: "https", Host: host}
}

// s3cfg: https://s3tools.org/kb/item14.htm; a value is as it is.
func (p *plan) s3cfg() string {
	at := p.s3Place()
	w := pairs{sep: "\n", end: "\n"}
	in := notFirst(`"'`)
	w.put(p, "access_key", "access_key", in)
	w.put(p, "secret_key", "secret_key", in)
	w.put(p, "access_token", "session_token", in)
	w.put(p, "bucket_location", "region", in)
	w.add("host_base", at.Host)
	bucket := "%(bucket)s." + at.Host
	if p.is("s3_compatible") && p.v("addressing") != "virtual" {
		bucket = at.Host
	}
	w.add("host_bucket", bucket)
	w.add("use_https", map[bool]string{true: "True", false: "False"}[at.Scheme == "https"])
	if p.has("role_arn") {
		p.leaves("The role is not in it: s3cmd signs in with the keys alone.")
	}
	return "[default]\n" + w.String()
}
