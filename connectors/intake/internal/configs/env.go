package configs

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// An env is a set of variables from which connections are taken out.
type env struct {
	s     *source
	names []string
	value map[string]string
	taken map[string]bool
	where string
}

// vars finds the connections in a set of variables.
func (s *source) vars(vars [][2]string, where string) {
	e := &env{s: s, value: map[string]string{}, taken: map[string]bool{}, where: where}
	for _, v := range vars {
		if _, twice := e.value[v[0]]; !twice {
			e.names = append(e.names, v[0])
		}
		e.value[v[0]] = v[1]
	}
	before := len(s.out.Items)
	e.clouds()
	e.tokens()
	e.addresses()
	e.families()
	if len(s.out.Items) == before {
		return
	}
	for _, n := range e.names {
		if !e.taken[n] && e.value[n] != "" {
			s.leave(n, "")
		}
	}
}

// take is the value of the first of names that is there.
func (e *env) take(names ...string) (value, name string) {
	for _, n := range names {
		if v := e.value[n]; v != "" && !e.taken[n] {
			e.taken[n] = true
			return v, n
		}
	}
	return "", ""
}

func (e *env) set(d *fill.Draft, key string, names ...string) {
	v, n := e.take(names...)
	d.Set(key, v, n)
}

func (e *env) place(name string) string {
	if e.where != "" {
		return e.where + ", " + name
	}
	return name
}

// addresses are the variables whose value is one.
func (e *env) addresses() {
	for _, n := range e.names {
		v := e.value[n]
		kind, _, ok := strings.Cut(v, "://")
		if e.taken[n] || !ok || kind == "" || kind == "http" || kind == "https" {
			continue
		}
		it, ok := e.s.address(e.s.Types, v)
		if !ok {
			continue
		}
		var drafts []*fill.Draft
		for _, r := range it.Readings {
			drafts = append(drafts, fill.From(e.s.Types, r))
		}
		e.taken[n] = true
		e.s.add(it.Name, e.place(n), drafts...)
	}
}

func (e *env) clouds() {
	if e.value["AWS_ACCESS_KEY_ID"] != "" {
		e.aws()
	}
	for _, n := range []string{"AZURE_STORAGE_CONNECTION_STRING", "AzureWebJobsStorage"} {
		if v, _ := e.take(n); v != "" {
			d := fill.New(e.s.Types, "azure_blob")
			d.Choose("auth", "connection")
			d.Set("connection_string", v, n)
			e.s.add("Azure storage", e.place(n), d)
		}
	}
	if account, n := e.take("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"); account != "" {
		d := fill.New(e.s.Types, "azure_blob")
		d.Set("account", account, n)
		e.set(d, "account_key", "AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY")
		if !d.Has("account_key") {
			d.Choose("auth", "sas")
			e.set(d, "sas", "AZURE_STORAGE_SAS_TOKEN")
		}
		e.set(d, "container", "AZURE_STORAGE_CONTAINER", "AZURE_STORAGE_CONTAINER_NAME")
		e.s.add(account, e.place(n), d)
	}
	if file, n := e.take("GOOGLE_APPLICATION_CREDENTIALS"); file != "" {
		d := fill.New(e.s.Types, "google_service_account")
		d.File(n, file)
		e.s.add("Google service account", e.place(n), d)
	}
	if sid, n := e.take("TWILIO_ACCOUNT_SID"); sid != "" {
		d := fill.New(e.s.Types, "twilio")
		d.Set("account_sid", sid, n)
		e.set(d, "auth_token", "TWILIO_AUTH_TOKEN")
		if key, n := e.take("TWILIO_API_KEY", "TWILIO_API_KEY_SID"); key != "" && !d.Has("auth_token") {
			d.Choose("auth", "key")
			d.Set("key_sid", key, n)
			e.set(d, "key_secret", "TWILIO_API_SECRET", "TWILIO_API_KEY_SECRET")
		}
		e.s.add("Twilio", e.place(n), d)
	}
}

func (e *env) aws() {
	id, _ := e.take("AWS_ACCESS_KEY_ID")
	secret, _ := e.take("AWS_SECRET_ACCESS_KEY")
	session, _ := e.take("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
	region, _ := e.take("AWS_REGION", "AWS_DEFAULT_REGION")
	e.take("AWS_DEFAULT_REGION")
	endpoint, _ := e.take("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_S3_ENDPOINT_URL")
	bucket, _ := e.take("AWS_BUCKET", "S3_BUCKET", "AWS_S3_BUCKET", "AWS_STORAGE_BUCKET_NAME", "AWS_BUCKET_NAME")
	kinds := []string{"s3", "aws_key_pair"}
	if endpoint != "" {
		kinds = []string{"s3_compatible", "aws_key_pair"}
	}
	var drafts []*fill.Draft
	for _, k := range kinds {
		d := fill.New(e.s.Types, k)
		d.Set("access_key", id, "AWS_ACCESS_KEY_ID")
		d.Set("secret_key", secret, "AWS_SECRET_ACCESS_KEY")
		d.Set("session_token", session, "AWS_SESSION_TOKEN")
		d.Set("region", region, "AWS_REGION")
		if k != "aws_key_pair" {
			d.Set("bucket", bucket, "AWS_BUCKET")
			if k != "s3" {
				d.Set("endpoint", endpoint, "AWS_ENDPOINT_URL")
			}
		}
		drafts = append(drafts, d)
	}
	e.s.add("", e.place("AWS_ACCESS_KEY_ID"), drafts...)
}

// tokens are the services that are reached with one key alone.
func (e *env) tokens() {
	for _, t := range [][]string{
		{"stripe", "api_key", "STRIPE_SECRET_KEY", "STRIPE_API_KEY", "STRIPE_SECRET", "STRIPE_KEY"},
		{"github", "token", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_PAT"},
		{"gitlab", "token", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN", "GITLAB_ACCESS_TOKEN"},
		{"slack", "token", "SLACK_BOT_TOKEN", "SLACK_TOKEN", "SLACK_API_TOKEN", "SLACK_OAUTH_TOKEN"},
		{"sendgrid", "api_key", "SENDGRID_API_KEY"},
		{"notion", "token", "NOTION_TOKEN", "NOTION_API_KEY", "NOTION_KEY"},
		{"airtable", "token", "AIRTABLE_TOKEN", "AIRTABLE_API_KEY", "AIRTABLE_PAT"},
		{"hubspot", "token", "HUBSPOT_ACCESS_TOKEN", "HUBSPOT_TOKEN", "HUBSPOT_API_KEY"},
		{"asana", "token", "ASANA_TOKEN", "ASANA_ACCESS_TOKEN", "ASANA_PAT"},
		{"pagerduty", "api_key", "PAGERDUTY_API_KEY", "PAGERDUTY_TOKEN"},
		{"dropbox", "access_token", "DROPBOX_ACCESS_TOKEN", "DROPBOX_TOKEN"},
	} {
		v, n := e.take(t[2:]...)
		if v == "" {
			continue
		}
		d := fill.New(e.s.Types, t[0])
		if t[0] == "dropbox" {
			d.Choose("auth", "token")
		}
		d.Set(t[1], v, n)
		e.s.add(t[0], e.place(n), d)
	}
	if v, n := e.take("DD_API_KEY", "DATADOG_API_KEY"); v != "" {
		d := fill.New(e.s.Types, "datadog")
		d.Set("api_key", v, n)
		e.set(d, "app_key", "DD_APP_KEY", "DD_APPLICATION_KEY", "DATADOG_APP_KEY")
		e.set(d, "site", "DD_SITE", "DATADOG_SITE")
		e.s.add("Datadog", e.place(n), d)
	}
	if v, n := e.take("MAILCHIMP_API_KEY"); v != "" {
		d := fill.New(e.s.Types, "mailchimp")
		d.Set("api_key", v, n)
		e.set(d, "server", "MAILCHIMP_SERVER_PREFIX", "MAILCHIMP_SERVER")
		e.s.add("Mailchimp", e.place(n), d)
	}
	if v, n := e.take("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS", "KAFKA_BROKER"); v != "" {
		d := fill.New(e.s.Types, "kafka")
		fill.Kafka(d, "bootstrap.servers", v)
		for _, p := range [][]string{{"security.protocol", "KAFKA_SECURITY_PROTOCOL"}, {"sasl.mechanism", "KAFKA_SASL_MECHANISM", "KAFKA_SASL_MECHANISMS"},
			{"sasl.username", "KAFKA_SASL_USERNAME", "KAFKA_USERNAME", "KAFKA_USER"}, {"sasl.password", "KAFKA_SASL_PASSWORD", "KAFKA_PASSWORD"}} {
			if v, _ := e.take(p[1:]...); v != "" {
				fill.Kafka(d, p[0], v)
			}
		}
		if !d.Has("security") && !d.Has("user") {
			d.Choose("security", "plaintext")
		}
		e.s.add("", e.place(n), d)
	}
}
