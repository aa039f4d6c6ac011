package exports

import (
	"net/url"
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
)

// postmanEnvironment reads an exported environment,
// https://learning.postman.com/docs/sending-requests/variables/managing-environments/
func postmanEnvironment(l *list, root jsonx.Value) (part.Found, bool) {
	if !has(root, "values") || !has(root, "_postman_variable_scope") && !has(root, "name", "values.0.key") {
		return part.Found{}, false
	}
	o := &jsonx.Object{Members: map[string]jsonx.Value{}}
	for _, v := range items(root, "values") {
		if k := str(v, "key"); k != "" && str(v, "enabled") != "false" {
			o.Keys = append(o.Keys, k)
			o.Members[k] = str(v, "value")
		}
	}
	l.add(fromObject(l.in.Types, o, str(root, "name"), ""))
	return l.done("a Postman environment", "")
}

// A variables resolves {{name}} within one file.
type variables map[string]string

var variable = regexp.MustCompile(`\{\{\s*([^{}\s]{1,100})\s*\}\}`)

func (v variables) in(text string) string {
	for range 5 {
		if len(text) > 16<<10 || !strings.Contains(text, "{{") {
			break
		}
		text = variable.ReplaceAllStringFunc(text, func(m string) string {
			value, ok := v[variable.FindStringSubmatch(m)[1]]
			if !ok || len(value) > 4<<10 {
				return m
			}
			return value
		})
	}
	return text
}

const maxRequests = 200

// postmanCollection reads the sign-ins of a collection, v2.1 and v2.0,
// https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
func postmanCollection(l *list, root jsonx.Value) (part.Found, bool) {
	if !has(root, "info", "item") || !strings.Contains(str(root, "info.schema"), "collection") {
		return part.Found{}, false
	}
	vars := variables{}
	for _, v := range items(root, "variable") {
		vars[first(str(v, "key"), str(v, "id"))] = str(v, "value")
	}
	p := &postman{l: l, vars: vars}
	p.walk(items(root, "item"), 0)
	name := str(root, "info.name")
	if auth := object(root, "auth"); auth != nil {
		p.sign(name, auth, p.base)
	}
	for _, o := range p.own {
		p.sign(o.name, o.auth, first(o.base, p.base))
	}
	return l.done("a Postman collection", "sign-in")
}

type postman struct {
	l    *list
	vars variables
	base string
	own  []ownAuth
}

type ownAuth struct {
	name, base string
	auth       *jsonx.Object
}

func (p *postman) walk(list []jsonx.Value, depth int) {
	for _, i := range list {
		if depth > 20 || len(p.own) >= maxRequests {
			return
		}
		base := origin(p.vars.in(first(str(i, "request.url.raw"), str(i, "request.url"))))
		p.base = first(p.base, base)
		for _, path := range []string{"auth", "request.auth"} {
			if auth := object(i, path); auth != nil && str(auth, "type") != "noauth" {
				p.own = append(p.own, ownAuth{str(i, "name"), base, auth})
			}
		}
		p.walk(items(i, "item"), depth+1)
	}
}

// origin is scheme and host of an address, "" where variables are left in it.
func origin(text string) string {
	if text != "" && !strings.Contains(text, "://") && !strings.HasPrefix(text, "{{") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.Contains(u.Host, "{{") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// sign makes a web service of one sign-in.
func (p *postman) sign(name string, auth *jsonx.Object, base string) {
	kind := str(auth, "type")
	get := func(key string) string {
		v := ""
		if o := object(auth, kind); o != nil { // v2.0
			v = str(o, key)
		}
		for _, i := range items(auth, kind) {
			if str(i, "key") == key {
				v = str(i, "value")
			}
		}
		return p.vars.in(v)
	}
	p.l.web(name, kind, base, get)
}

// web fills the form of a web service from a named way to sign in.
func (l *list) web(name, kind, base string, get func(string) string) {
	l.forms(name, []string{"http"}, func(f *record.Form) {
		put := func(key, name string) {
			v := get(name)
			if strings.Contains(v, "{{") {
				f.R.Leave(name, "Its value is a variable that is not in this file.")
				return
			}
			f.Answer(key, v)
		}
		if base != "" {
			f.Answer("base_url", base)
		}
		for _, row := range webAnswers(strings.ToLower(kind), get) {
			if row[1] == "=" {
				f.Answer(row[0], row[2])
			} else {
				put(row[0], row[1])
			}
		}
		if len(f.R.Settings.Secrets) == 0 && len(f.R.Settings.Plain) < 2 {
			f.R.Leave(connectors.Clean(kind, 40), "This way to sign in is not understood here, or its values are not in this file.")
		}
	})
}

// webAnswers are the fields for each way to sign in, and what Postman and
// Insomnia call their values; "=" stands before a fixed answer.
func webAnswers(kind string, get func(string) string) [][3]string {
	switch kind {
	case "basic":
		return [][3]string{{"auth", "=", "basic"}, {"user", "username"}, {"password", "password"}}
	case "digest":
		return [][3]string{{"auth", "=", "digest"}, {"user", "username"}, {"password", "password"}}
	case "ntlm":
		return [][3]string{{"auth", "=", "ntlm"}, {"user", "username"}, {"password", "password"}, {"domain", "domain"}}
	case "bearer":
		return [][3]string{{"auth", "=", "bearer"}, {"token", "token"}}
	case "apikey":
		in := "header"
		if strings.HasPrefix(first(get("in"), get("addTo")), "query") {
			in = "query"
		}
		return [][3]string{{"auth", "=", "key"}, {"key_in", "=", in}, {"key_name", "key"}, {"key", "value"}}
	case "awsv4", "iam":
		return [][3]string{{"auth", "=", "aws"}, {"access_key", "accessKey"}, {"access_key", "accessKeyId"}, {"secret_key", "secretKey"}, {"secret_key", "secretAccessKey"},
			{"session_token", "sessionToken"}, {"region", "region"}, {"aws_service", "service"}}
	case "oauth2":
		grant := map[string]string{"client_credentials": "client_credentials", "password_credentials": "password", "password": "password"}[first(get("grant_type"), get("grantType"))]
		return [][3]string{{"auth", "=", "oauth"}, {"grant", "=", first(grant, "code")}, {"auth_url", "authUrl"}, {"auth_url", "authorizationUrl"}, {"token_url", "accessTokenUrl"},
			{"client_id", "clientId"}, {"client_secret", "clientSecret"}, {"scopes", "scope"}, {"owner", "username"}, {"owner_password", "password"}}
	}
	return nil
}

// insomnia reads an export of version 4, https://docs.insomnia.rest/insomnia/import-export-data
func insomnia(l *list, root jsonx.Value) (part.Found, bool) {
	if str(root, "_type") != "export" || !has(root, "resources") {
		return part.Found{}, false
	}
	vars := variables{}
	for _, r := range items(root, "resources") {
		if d := object(r, "data"); d != nil && str(r, "_type") == "environment" {
			for _, k := range d.Keys {
				v := str(d, k)
				vars[k], vars["_."+k] = v, v
			}
		}
	}
	n := 0
	for _, r := range items(root, "resources") {
		a := object(r, "authentication")
		if a == nil || str(a, "type") == "" || n >= maxRequests {
			continue
		}
		n++
		l.web(str(r, "name"), str(a, "type"), origin(vars.in(str(r, "url"))), func(k string) string { return vars.in(str(a, k)) })
	}
	return l.done("an Insomnia export", "sign-in")
}
