package use

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

func plainFiles() []writer {
	always := func(p *plan) bool { return len(p.answers()) > 0 }
	return []writer{
		{Format: Format{ID: "http-header", Name: "HTTP header", For: "Programs that ask for a header, such as Authorization", Syntax: "http", Clear: true, Group: GroupAddresses},
			can: "client ca", fits: func(p *plan) bool { s := p.webSign(); return s != nil && p.hasHeader(s) }, write: (*plan).httpHeader},
		{Format: Format{ID: "env", Name: ".env file", For: "Docker Compose, python-dotenv, and a shell with: set -a; . ./.env", File: ".env", Mode: 0o600, Syntax: "shell", Clear: true, Group: GroupVariables},
			whole: true, fits: always, write: (*plan).envFile},
		{Format: Format{ID: "env-sh", Name: "Shell variables", For: "A shell, with: . ./file", File: "connection.sh", Mode: 0o600, Syntax: "shell", Clear: true, Group: GroupVariables},
			whole: true, fits: always, write: (*plan).envShell},
		{Format: Format{ID: "docker-env", Name: "Docker env-file", For: "docker run --env-file", File: "connection.env", Mode: 0o600, Syntax: "text", Clear: true, Group: GroupVariables},
			whole: true, fits: always, write: (*plan).envDocker},
		{Format: Format{ID: "kubernetes", Name: "Kubernetes Secret", For: "kubectl apply -f", File: "secret.yaml", Mode: 0o600, Syntax: "yaml", Clear: true, Group: GroupFiles},
			whole: true, fits: always, write: (*plan).kubernetes},
		{Format: Format{ID: "tfvars", Name: "Terraform variables", For: "terraform -var-file, OpenTofu", File: "connection.tfvars", Mode: 0o600, Syntax: "hcl", Clear: true, Group: GroupFiles},
			whole: true, fits: always, write: (*plan).tfvars},
		{Format: Format{ID: "postman", Name: "Postman environment", For: "Postman and newman", File: "environment.json", Mode: 0o600, Syntax: "json", Clear: true, Group: GroupFiles},
			whole: true, fits: always, write: (*plan).postman},
	}
}

func (p *plan) hasHeader(s *sign) bool {
	if s.user != nil {
		return true
	}
	for _, h := range s.headers {
		if h.key != "" {
			return true
		}
	}
	return false
}

// answers are the keys of all visible answers, without the way to the server and
// without references, which mean nothing elsewhere.
func (p *plan) answers() []string {
	var out []string
	for _, f := range p.form.Fields {
		if f.Kind == "reference" || f.Key == "place" || strings.HasPrefix(f.Key, "via") {
			continue
		}
		if p.has(f.Key) || p.wants(f.Key) {
			out = append(out, f.Key)
		}
	}
	return out
}

// generic writes all answers as NAME=value lines, and the address where there is
// one.
func (p *plan) generic(lead string, in quote) string {
	out := ""
	for _, key := range p.answers() {
		value := p.q(key, in)
		if p.o.Secrets == Variable && p.marked(key) {
			value = `"` + p.secret(key) + `"`
		}
		out += lead + variable(key) + "=" + value + "\n"
	}
	return out + p.addressLine(lead, in)
}

// addressLine is DATABASE_URL and the like; percent signs keep every language
// from reading anything into it.
func (p *plan) addressLine(lead string, in quote) string {
	if uris[p.typ.ID] == nil || p.o.Secrets == Variable || p.missingPlain() {
		return ""
	}
	q := *p
	value := q.uri()
	for _, f := range q.files {
		p.leaves("The address names " + f.Name + ", which has to be there.")
	}
	p.files = q.files
	if q.err != nil {
		return ""
	}
	return lead + p.urlName() + "=" + p.say("host", value, in) + "\n"
}

func (p *plan) missingPlain() bool {
	for _, key := range p.form.Missing(p.s) {
		if f, _ := p.form.Field(key); !f.Kind.Secret() {
			return true
		}
	}
	return false
}

func (p *plan) urlName() string {
	switch p.typ.ID {
	case "postgres", "mysql", "sqlserver", "oracle", "clickhouse":
		return "DATABASE_URL"
	case "mongodb":
		return "MONGODB_URI"
	}
	return strings.ToUpper(p.typ.ID) + "_URL"
}

func (p *plan) envFile() string { return p.generic("", dotenv) }

func (p *plan) envShell() string { return p.generic("export ", shellWord) }

func (p *plan) envDocker() string {
	out := ""
	for _, key := range p.answers() {
		if p.o.Secrets == Variable && p.marked(key) {
			out += variable(key) + "\n" // a name alone is taken from docker's own environment
			continue
		}
		out += variable(key) + "=" + p.q(key, envFile) + "\n"
	}
	return out
}

// kubernetes: https://kubernetes.io/docs/concepts/configuration/secret/. What is
// given stands under data, in base64; marks stand under stringData.
func (p *plan) kubernetes() string {
	type meta struct {
		Name string `yaml:"name"`
	}
	secret := struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   meta              `yaml:"metadata"`
		Type       string            `yaml:"type"`
		Data       map[string]string `yaml:"data,omitempty"`
		StringData map[string]string `yaml:"stringData,omitempty"`
	}{"v1", "Secret", meta{p.dnsName()}, "Opaque", map[string]string{}, map[string]string{}}
	for _, key := range p.answers() {
		if p.marked(key) {
			secret.StringData[key] = p.secret(key)
			continue
		}
		secret.Data[key] = p.q(key, base64Text)
	}
	out, err := yaml.Marshal(secret)
	if err != nil {
		p.refuse("", errNotText.Error())
	}
	return string(out)
}

// dnsName is a name of RFC 1123, as Kubernetes wants it.
func (p *plan) dnsName() string {
	name := strings.Trim(strings.ToLower(strings.ReplaceAll(p.profile(), "_", "-")), "-")
	if len(name) > 63 {
		name = strings.TrimRight(name[:63], "-")
	}
	return orElse(name, "jackfield")
}

func (p *plan) tfvars() string {
	out := ""
	for _, key := range p.answers() {
		out += key + " = " + p.q(key, hcl) + "\n"
	}
	p.leaves("Declare the variables that are secrets as sensitive. Terraform keeps their values in its state.")
	return out
}

// postman: as Postman exports an environment; secrets have the type that masks them
// (https://learning.postman.com/docs/sending-requests/variables/managing-environments/).
func (p *plan) postman() string {
	type value struct {
		Key     string `json:"key"`
		Value   string `json:"value"`
		Type    string `json:"type"`
		Enabled bool   `json:"enabled"`
	}
	environment := struct {
		Name   string  `json:"name"`
		Values []value `json:"values"`
		Scope  string  `json:"_postman_variable_scope"`
	}{p.name, nil, "environment"}
	for _, key := range p.answers() {
		f, _ := p.form.Field(key)
		kind := "default"
		if f.Kind.Secret() {
			kind = "secret"
		}
		environment.Values = append(environment.Values, value{key, p.q(key, verbatim), kind, true})
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(environment); err != nil {
		p.refuse("", errNotText.Error())
	}
	return b.String()
}
