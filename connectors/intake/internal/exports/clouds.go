package exports

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/keys"
)

// forms fills several types at once, each from its own answers.
func (l *list) forms(name string, ids []string, fill func(f *record.Form)) {
	item := part.Item{Name: connectors.Clean(name, 120)}
	for _, id := range ids {
		t, ok := l.in.Type(id)
		if !ok {
			continue
		}
		f := record.NewForm(t)
		fill(f)
		if f.Worth() {
			item.Readings = append(item.Readings, f.R)
		}
	}
	if len(item.Readings) > 0 {
		l.found.Items = append(l.found.Items, item)
	}
}

// googleKey reads the key file of a service account,
// https://cloud.google.com/iam/docs/keys-create-delete
func googleKey(l *list, root jsonx.Value) (part.Found, bool) {
	if str(root, "type") != "service_account" || !has(root, "private_key", "client_email") {
		return part.Found{}, false
	}
	text := keys.JSONText(l.in.Text)
	l.forms(str(root, "client_email"), []string{"google_key", "gcs", "google_service_account", "google_drive", "google_sheets", "http"}, func(f *record.Form) {
		for _, k := range []string{"google_key", "key_file", "service_account"} {
			if _, ok := f.T.Form.Field(k); ok {
				f.Answer(k, text)
			}
		}
		if f.T.ID == "gcs" || f.T.ID == "google_service_account" {
			f.Answer("project", str(root, "project_id"))
		}
		if f.T.ID == "http" {
			f.Answer("base_url", "https://www.googleapis.com")
		}
	})
	return l.done("the key file of a Google service account", "")
}

// googleClient reads client_secret_….json, and a user's sign-in as gcloud keeps it.
func googleClient(l *list, root jsonx.Value) (part.Found, bool) {
	if str(root, "type") == "authorized_user" && has(root, "refresh_token") {
		l.forms("Google", []string{"http"}, func(f *record.Form) {
			f.Answer("base_url", "https://www.googleapis.com")
			f.Answer("client_id", str(root, "client_id"))
			f.Answer("client_secret", str(root, "client_secret"))
			f.Answer("token_url", "https://oauth2.googleapis.com/token")
			f.Answer("refresh_token", str(root, "refresh_token"))
		})
		return l.done("the sign-in of a Google user", "")
	}
	kind := "installed"
	if has(root, "web") {
		kind = "web"
	}
	c := jsonx.At(root, kind)
	if !has(c, "client_id") || !has(c, "token_uri") && !has(c, "auth_uri") && !has(c, "client_secret") {
		return part.Found{}, false
	}
	l.forms(first(str(c, "project_id"), "Google"), []string{"google_drive", "google_sheets", "oauth"}, func(f *record.Form) {
		f.Answer("issuer", "https://accounts.google.com")
		f.Answer("client_id", str(c, "client_id"))
		f.Answer("client_secret", str(c, "client_secret"))
		if kind == "web" {
			f.R.Note("This client is for a web site. Google refuses it here unless it lists this program's redirect address; a client for desktop apps needs none.")
		}
	})
	return l.done("the file of a Google OAuth client", "")
}

// azurePrincipal reads what `az ad sp create-for-rbac` prints, also with
// --sdk-auth, https://learn.microsoft.com/cli/azure/azure-cli-sp-tutorial-1
func azurePrincipal(l *list, root jsonx.Value) (part.Found, bool) {
	tenant, id, secret := str(root, "tenant"), str(root, "appId"), str(root, "password")
	if id == "" {
		tenant, id, secret = str(root, "tenantId"), str(root, "clientId"), str(root, "clientSecret")
	}
	if tenant == "" || id == "" || secret == "" && !has(root, "subscriptionId") {
		return part.Found{}, false
	}
	base := first(str(root, "instanceUrl"), str(root, "resource"), str(root, "url"))
	order := []string{"microsoft_graph", "dynamics365"}
	if strings.Contains(base, "dynamics.com") {
		order = []string{"dynamics365", "microsoft_graph"}
	}
	l.forms(first(str(root, "displayName"), str(root, "name"), "Microsoft app"), order, func(f *record.Form) {
		f.Answer("tenant", tenant)
		f.Answer("client_id", id)
		f.Answer("client_secret", secret)
		if f.T.ID == "dynamics365" && strings.Contains(base, "dynamics.com") {
			f.Answer("base_url", base)
		}
		if has(root, "subscriptionId") {
			f.R.Leave("subscriptionId", "This kind of connection does not ask for it.")
		}
	})
	return l.done("a Microsoft app registration", "")
}

// awsAnswer reads what the AWS command line prints for assume-role,
// get-session-token, create-access-key and credential_process.
// https://docs.aws.amazon.com/cli/latest/reference/sts/assume-role.html
func awsAnswer(l *list, root jsonx.Value) (part.Found, bool) {
	name := "AWS"
	c := root
	switch {
	case has(root, "Credentials.AccessKeyId"):
		c = jsonx.At(root, "Credentials")
		name = first(lastPart(str(root, "AssumedRoleUser.Arn")), name)
	case has(root, "AccessKey.AccessKeyId"):
		c = jsonx.At(root, "AccessKey")
		name = first(str(c, "UserName"), name)
	}
	if !has(c, "AccessKeyId", "SecretAccessKey") {
		return part.Found{}, false
	}
	l.forms(name, []string{"aws_key_pair", "s3", "aws_iot"}, func(f *record.Form) {
		f.Answer("access_key", str(c, "AccessKeyId"))
		f.Answer("secret_key", str(c, "SecretAccessKey"))
		f.Answer("session_token", str(c, "SessionToken"))
		if until := str(c, "Expiration"); until != "" {
			f.R.Note("These keys end on " + connectors.Clean(until, 40) + ".")
		}
		if status := str(c, "Status"); status == "Inactive" {
			f.R.Note("This key is switched off at Amazon.")
		}
	})
	return l.done("access keys as the AWS command line prints them", "")
}

func lastPart(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }

// kubernetes reads a Secret, or a list of them,
// https://kubernetes.io/docs/concepts/configuration/secret/
func kubernetes(l *list, root jsonx.Value) (part.Found, bool) {
	all := []jsonx.Value{root}
	if str(root, "kind") == "List" || str(root, "kind") == "SecretList" {
		all = items(root, "items")
	} else if str(root, "kind") != "Secret" {
		return part.Found{}, false
	}
	for _, s := range all {
		o := &jsonx.Object{Members: map[string]jsonx.Value{}}
		for _, member := range []string{"data", "stringData"} {
			d := object(s, member)
			if d == nil {
				continue
			}
			for _, k := range d.Keys {
				v, _ := d.Members[k].(string)
				if raw, err := base64.StdEncoding.DecodeString(v); member == "data" && err == nil && utf8.Valid(raw) {
					v = string(raw)
				}
				o.Keys = append(o.Keys, k)
				o.Members[k] = v
			}
		}
		l.secret(str(s, "metadata.name"), o)
	}
	return l.done("a Kubernetes Secret", "")
}

func (l *list) secret(name string, o *jsonx.Object) {
	if has(o, "tls.crt", "tls.key") {
		l.forms(name, []string{"certificate_chain", "http"}, func(f *record.Form) {
			f.Answer("client_cert", str(o, "tls.crt"))
			f.Answer("client_key", str(o, "tls.key"))
		})
		return
	}
	r := fromObject(l.in.Types, o, name, "")
	if r.Name == "" {
		r.Name = name
	}
	l.add(r)
}
