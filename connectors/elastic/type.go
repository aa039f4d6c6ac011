// Package elastic is the connection type for Elasticsearch and OpenSearch, over
// their HTTP interface. It only reads.
package elastic

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The ways to sign in.
const (
	byPassword = "password"
	byKey      = "api_key"
	byToken    = "token"
	byNothing  = "none"
)

type config struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Security string            `field:"security"`
	Path     string            `field:"path"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Key      connectors.Secret `field:"api_key"`
	Token    connectors.Secret `field:"token"`
	Index    string            `field:"index"`
	Hidden   bool              `field:"hidden"`
	Print    string            `field:"ca_fingerprint"`
	tlsx.Answers
}

func (c config) secure() bool { return c.Security == "tls" }

func (c config) addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// at is the address of a request; path is already escaped.
func (c config) at(path string, query url.Values) string {
	scheme := "http"
	if c.secure() {
		scheme = "https"
	}
	out := scheme + "://" + c.addr() + c.Path + path
	if len(query) > 0 {
		out += "?" + query.Encode()
	}
	return out
}

// authorization is the header's value, "" for none
// (https://www.elastic.co/docs/api/doc/elasticsearch/authentication).
func (c config) authorization() string {
	switch c.Auth {
	case byPassword:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+c.Password.Reveal()))
	case byKey:
		key := c.Key.Reveal()
		if strings.Contains(key, ":") { // id:key, not encoded yet
			key = base64.StdEncoding.EncodeToString([]byte(key))
		}
		return "ApiKey " + key
	case byToken:
		return "Bearer " + c.Token.Reveal()
	}
	return ""
}

// secretField is the one with what is sent to sign in.
func (c config) secretField() string {
	if c.Auth == byNothing {
		return "auth"
	}
	return c.Auth // the keys of the secrets are the ways' own names
}

func (c config) account() string {
	return map[string]string{byPassword: c.User, byKey: "API key", byToken: "token", byNothing: "nobody"}[c.Auth]
}

// Type is the Elasticsearch or OpenSearch cluster.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "elasticsearch", Name: "Elasticsearch / OpenSearch", Group: connectors.GroupDatabases, Tile: "ES",
		Summary:  "Indices, data streams, fields and documents",
		Keywords: []string{"elastic", "opensearch", "elk", "kibana", "search", "logs", "index", "elastic cloud", "data streams"},
		Where:    []string{"host", "index"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Elastic Cloud shows the address (or a Cloud ID, which can be pasted into the host field) on the deployment's page, under Elasticsearch.",
				"An API key is made in Kibana under Stack Management, Security, API keys; copy it in the form “Encoded”.",
				"On a server of your own the port is 9200. Port 9300 is for the servers among themselves, and 5601 for Kibana.",
			},
			Rights: "The index privileges read and view_index_metadata on what should be seen. The cluster privilege monitor adds version and health.",
			Admin:  "POST /_security/role/reader {\"cluster\": [\"monitor\"], \"indices\": [{\"names\": [\"shop-*\"], \"privileges\": [\"read\", \"view_index_metadata\", \"monitor\"]}]}",
			Notes:  []string{"OpenSearch domains of AWS that want requests signed with IAM keys cannot be opened; domains with fine-grained access control and a user can."},
			Links: []connectors.Link{
				{Text: "Privileges", URL: "https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/elasticsearch-privileges"},
				{Text: "OpenSearch permissions", URL: "https://docs.opensearch.org/docs/latest/security/access-control/permissions/"},
			},
		},
	}, open)
}

func form() connectors.Form {
	secure := connectors.When("security", "tls")
	host := answers.HostField("my-deployment.es.eu-central-1.aws.cloud.es.io", split)
	host.Help = "An address or a Cloud ID can be pasted here too."
	fields := []connectors.Field{
		host,
		answers.PortField("9200", "9200"),
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: "tls", Options: []connectors.Option{
			{Value: "tls", Label: "TLS, certificate verified", Help: "The server must show a certificate that this computer trusts."},
			{Value: "none", Label: "None", Help: "Everything, also the password, can be read on the way. Only for servers on this computer or in a tunnel."},
		}},
		{Key: "path", Label: "Path", Kind: connectors.Text, Advanced: true, Example: "/elasticsearch", Tidy: tidyPath, Valid: validPath, Help: "Only where a proxy serves it below a path."},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"},
			{Value: byKey, Label: "API key", Help: "Elasticsearch only."},
			{Value: byToken, Label: "Token", Help: "A bearer token: of a service account, or a JWT."},
			{Value: byNothing, Label: "Nothing", Help: "For clusters without security, and those that a client certificate is enough for."},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Show: connectors.When("auth", byPassword), Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword)},
		{Key: "api_key", Label: "API key", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byKey), Tidy: tidyKey, Help: "In the form “Encoded”, or as id:key."},
		{Key: "token", Label: "Token", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byToken), Tidy: answers.TidySecret("Bearer ")},
		{Key: "index", Label: "Index or pattern", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "shop-*", Valid: validIndex, Help: "Leave empty to see all that the account may see. Several are parted by commas."},
		{Key: "hidden", Label: "Show hidden indices too", Kind: connectors.Toggle, Default: "false", Advanced: true},
	}
	fields = append(fields, connectors.Field{Key: "ca_fingerprint", Label: "CA fingerprint", Kind: connectors.Text, Section: "Encryption", Advanced: true, Show: secure, Valid: validPrint,
		Example: "64f2593fb1d18ee8a33c9ab7a5e8e51c5d1ca8ee48d7a07b8f6d1a06cc1b1f52",
		Help:    "The long number in hexadecimal that Elasticsearch shows when it starts for the first time. It stands for the CA certificate."})
	tls := tlsx.Fields(secure, true)
	tls[0].Section = ""
	return connectors.Form{Fields: append(fields, tls...)}
}

// split understands an address and a Cloud ID: a name, a colon and the base64 of
// "host$cluster$kibana" (https://www.elastic.co/docs/deploy-manage/deploy/elastic-cloud/find-cloud-id).
func split(v string) map[string]string {
	v = strings.TrimSpace(v)
	if out := answers.SplitURL("", "http", "https")(v); out != nil {
		out["security"] = "none"
		u, err := url.Parse(v)
		if err != nil {
			return nil
		}
		if u.Scheme == "https" {
			out["security"] = "tls"
		}
		if out["port"] == "" {
			out["port"] = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
		}
		if p := strings.TrimSuffix(u.EscapedPath(), "/"); p != "" {
			out["path"] = p
		}
		return out
	}
	i := strings.LastIndexByte(v, ':')
	data, err := base64.StdEncoding.DecodeString(v[i+1:])
	if i < 0 || err != nil {
		return nil
	}
	parts := strings.Split(string(data), "$")
	if len(parts) < 2 || parts[1] == "" {
		return nil
	}
	host, port := parts[0], "443"
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	cluster := parts[1]
	if c, p, ok := strings.Cut(cluster, ":"); ok {
		cluster, port = c, p
	}
	if answers.ValidHost(cluster+"."+host) != nil || answers.ValidPort(port) != nil {
		return nil
	}
	return map[string]string{"host": cluster + "." + host, "port": port, "security": "tls"}
}

// tidyKey also takes the whole answer with which a key is made.
func tidyKey(v string) string {
	v = answers.TidySecret("ApiKey ")(v)
	var made struct {
		ID      string `json:"id"`
		Key     string `json:"api_key"`
		Encoded string `json:"encoded"`
	}
	if !strings.HasPrefix(v, "{") || json.Unmarshal([]byte(v), &made) != nil {
		return v
	}
	if made.Encoded != "" {
		return made.Encoded
	}
	return made.ID + ":" + made.Key
}

func tidyPath(v string) string {
	v = strings.TrimSuffix(strings.TrimSpace(v), "/")
	if v != "" && !strings.HasPrefix(v, "/") {
		v = "/" + v
	}
	return v
}

func validPath(v string) error {
	if u, err := url.Parse(v); err != nil || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(v, " \\") {
		return errors.New("A path is expected here, such as /elasticsearch.")
	}
	return nil
}

func validIndex(v string) error {
	if strings.ContainsAny(v, `\/?"<>| #`) || len(v) > 1000 {
		return errors.New("Names of indices have no spaces and none of the signs \\ / ? \" < > | #.")
	}
	return nil
}

func validPrint(v string) error {
	if _, err := fingerprint(v); err != nil {
		return errors.New("A fingerprint has 64 digits from 0 to 9 and a to f.")
	}
	return nil
}

func fingerprint(v string) ([]byte, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(v, ":", ""))
	if err == nil && len(sum) != 32 {
		err = errors.New("not the length of SHA-256")
	}
	return sum, err
}
