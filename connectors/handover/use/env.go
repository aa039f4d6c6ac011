package use

import (
	"strings"

	"jackfield/connectors"
)

// vars collects environment variables.
type vars struct {
	p    *plan
	list []Var
}

func (v *vars) set(name, value string) {
	if value != "" {
		v.list = append(v.list, Var{Name: name, Value: connectors.NewSecret(value)})
	}
}

// put takes an answer as it is: an environment knows no quotes.
func (v *vars) put(name, key string) { v.set(name, v.p.q(key, verbatim)) }

// Env are the variables for one command: what the usual tools of this type read,
// and JACKFIELD_FIELD for each answer. Certificates and keys are in the latter as
// text; no file is written, so variables that name one are left out.
func Env(g Given) ([]Var, error) {
	p := newPlan(g, Options{Secrets: Reveal})
	p.format = Format{Name: "Environment variables"}
	v := &vars{p: p}
	if set := envs[p.typ.ID]; set != nil {
		set(v)
	} else if withKeys(p) {
		v.aws()
	}
	if rcloneFits(p) {
		v.rclone()
	}
	for _, key := range p.answers() {
		v.put(variable(key), key)
	}
	if p.err != nil {
		return nil, p.err
	}
	return v.list, nil
}

var envs = map[string]func(*vars){
	"postgres":   (*vars).postgres,
	"mysql":      (*vars).mysql,
	"redis":      (*vars).redis,
	"mongodb":    func(v *vars) { v.set("MONGODB_URI", v.p.plainURI()) },
	"rabbitmq":   func(v *vars) { v.set("AMQP_URL", v.p.plainURI()) },
	"mqtt":       (*vars).mqtt,
	"ldap":       (*vars).ldap,
	"nats":       (*vars).nats,
	"sqlserver":  (*vars).sqlserver,
	"clickhouse": (*vars).clickhouse,
	"s3":         (*vars).aws,
	"azure_blob": (*vars).azure,
	"gcs":        (*vars).google,
	"github":     func(v *vars) { v.put("GH_TOKEN", "token") },
	"gitlab":     func(v *vars) { v.put("GITLAB_TOKEN", "token") },
	"twilio":     (*vars).twilio,
	"sendgrid":   func(v *vars) { v.put("SENDGRID_API_KEY", "api_key") },
	"stripe":     func(v *vars) { v.put("STRIPE_API_KEY", "api_key") },
	"datadog":    (*vars).datadog,
}

// plainURI is the address without the files that it would name.
func (p *plan) plainURI() string {
	q := *p
	q.s = p.s.Clone()
	for _, key := range []string{"ca", "client_cert", "client_key"} {
		delete(q.s.Plain, key)
		delete(q.s.Secrets, key)
	}
	out := q.uri()
	if p.err == nil {
		p.err = q.err
	}
	return out
}

// postgres: https://www.postgresql.org/docs/current/libpq-envars.html
func (v *vars) postgres() {
	for _, x := range [][2]string{{"PGHOST", "host"}, {"PGPORT", "port"}, {"PGDATABASE", "database"}, {"PGUSER", "user"}, {"PGPASSWORD", "password"}} {
		v.put(x[0], x[1])
	}
	v.rds()
	switch {
	case !v.p.secure():
		v.set("PGSSLMODE", "disable")
	default:
		v.set("PGSSLMODE", "verify-full")
		if !v.p.has("ca") {
			v.set("PGSSLROOTCERT", "system")
		}
	}
}

// rds adds the keys from which the password of Amazon RDS is made.
func (v *vars) rds() {
	if v.p.v("auth") == "rds_iam" {
		v.aws()
	}
}

func (v *vars) mysql() {
	for _, x := range [][2]string{{"MYSQL_HOST", "host"}, {"MYSQL_TCP_PORT", "port"}, {"MYSQL_DATABASE", "database"}, {"MYSQL_USER", "user"}, {"MYSQL_PWD", "password"}} {
		v.put(x[0], x[1])
	}
	v.rds()
}

func (v *vars) redis() {
	v.put("REDISCLI_AUTH", "password")
	v.set("REDIS_URL", v.p.plainURI())
}

func (v *vars) mqtt() {
	v.put("MOSQUITTO_HOST", "host")
	v.set("MOSQUITTO_PORT", v.p.port())
	v.put("MOSQUITTO_USERNAME", "user")
	v.put("MOSQUITTO_PASSWORD", "password")
}

// ldap: man ldap.conf, ENVIRONMENT VARIABLES
func (v *vars) ldap() {
	at := v.p.ldapURI()
	at.path = ""
	v.set("LDAPURI", at.String())
	v.put("LDAPBASE", "base_dn")
	if v.p.has("user") {
		v.set("LDAPBINDDN", v.p.ldapName())
	}
}

// nats: https://docs.nats.io/using-nats/nats-tools/nats_cli
func (v *vars) nats() {
	v.set("NATS_URL", strings.Join(v.p.list("servers"), ","))
	v.put("NATS_USER", "user")
	v.put("NATS_PASSWORD", "password")
	v.put("NATS_TOKEN", "token")
}

// sqlserver: https://learn.microsoft.com/en-us/sql/tools/sqlcmd/sqlcmd-use-scripting-variables
func (v *vars) sqlserver() {
	v.set("SQLCMDSERVER", v.p.sqlServer())
	v.put("SQLCMDUSER", "user")
	v.put("SQLCMDPASSWORD", "password")
	v.put("SQLCMDDBNAME", "database")
}

func (v *vars) clickhouse() {
	v.put("CLICKHOUSE_HOST", "host")
	v.put("CLICKHOUSE_USER", "user")
	v.put("CLICKHOUSE_PASSWORD", "password")
}

// aws: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
func (v *vars) aws() {
	v.put("AWS_ACCESS_KEY_ID", "access_key")
	v.put("AWS_SECRET_ACCESS_KEY", "secret_key")
	v.put("AWS_SESSION_TOKEN", "session_token")
	v.put("AWS_REGION", "region")
	v.put("AWS_DEFAULT_REGION", "region")
	if v.p.is("s3_compatible") {
		v.put("AWS_ENDPOINT_URL", "endpoint")
	}
}

// azure: https://learn.microsoft.com/en-us/cli/azure/storage
func (v *vars) azure() {
	v.put("AZURE_STORAGE_CONNECTION_STRING", "connection_string")
	if v.p.v("auth") == "key" {
		text := "DefaultEndpointsProtocol=https;AccountName=" + v.p.v("account") + ";AccountKey=" + v.p.secret("account_key")
		if v.p.has("endpoint") {
			text += ";BlobEndpoint=" + v.p.v("endpoint")
		} else {
			text += ";EndpointSuffix=" + v.p.v("endpoint_suffix")
		}
		v.set("AZURE_STORAGE_CONNECTION_STRING", text)
	}
	v.put("AZURE_STORAGE_ACCOUNT", "account")
	v.put("AZURE_STORAGE_KEY", "account_key")
	v.put("AZURE_STORAGE_SAS_TOKEN", "sas")
}

func (v *vars) google() {
	v.put("GOOGLE_CREDENTIALS", "key_file")
	v.put("GOOGLE_CLOUD_PROJECT", "project")
	if v.p.v("auth") == "hmac" {
		v.aws()
	}
}

func (v *vars) twilio() {
	v.put("TWILIO_ACCOUNT_SID", "account_sid")
	v.put("TWILIO_AUTH_TOKEN", "auth_token")
	v.put("TWILIO_API_KEY", "key_sid")
	v.put("TWILIO_API_SECRET", "key_secret")
}

func (v *vars) datadog() {
	v.put("DD_SITE", "site")
	v.put("DD_API_KEY", "api_key")
	v.put("DD_APP_KEY", "app_key")
}

// rclone takes a remote from its environment
// (https://rclone.org/docs/#config-file); what names a file is left out, but a
// private key may stand there itself.
func (v *vars) rclone() {
	q := *v.p
	q.err = nil
	lead := "RCLONE_CONFIG_" + strings.ToUpper(strings.ReplaceAll(q.profile(), "-", "_")) + "_"
	_, body, _ := strings.Cut(q.rclone(), "\n")
	if q.err != nil {
		return // the remote is one of several ways; rclone's file says why
	}
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "known_hosts_file":
		case "key_file":
			v.set(lead+"KEY_PEM", strings.ReplaceAll(strings.TrimRight(q.s.Secrets["key"].Reveal(), "\n"), "\n", `\n`))
		case "service_account_file":
			v.put(lead+"SERVICE_ACCOUNT_CREDENTIALS", "key_file")
		default:
			v.set(lead+strings.ToUpper(name), value)
		}
	}
}
