// Package redis is the connection type for Redis and for Valkey, KeyDB, Dragonfly
// and the like, which speak its protocol. It only reads: no command that it sends
// writes, consumes or blocks.
package redis

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The ways to sign in.
const (
	byPassword = "password"
	byNothing  = "none"
)

type config struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Database string            `field:"database"`
	Prefix   string            `field:"prefix"`
	Known    string            `field:"known"`
	Security string            `field:"security"`
	tlsx.Answers
}

func (c config) addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (c config) secure() bool { return c.Security == "tls" }

// account is who signs in, before the server has said it.
func (c config) account() string {
	if c.Auth == byNothing || c.User == "" {
		return "default"
	}
	return c.User
}

// number is the database that the form names; ok is false where it names none.
func (c config) number() (n int, ok bool) {
	n, err := strconv.Atoi(c.Database)
	return n, err == nil
}

// known are the keys that the form names.
func (c config) known() []string {
	var out []string
	for line := range strings.Lines(c.Known) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

// Type is the Redis server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "redis", Name: "Redis / Valkey", Group: connectors.GroupDatabases, Tile: "RE",
		Summary:  "Keys, their types, lifetimes and values",
		Keywords: []string{"valkey", "keydb", "dragonfly", "elasticache", "memorystore", "azure cache", "cache", "keys", "streams", "hash"},
		Where:    []string{"host", "database"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"Host, port and whether TLS is used come from the service's overview page or from whoever runs the server.",
				"User and password: managed services show them under “Access” or “Connection”; in redis.conf they are requirepass and the user lines (or the ACL file).",
			},
			Rights: "A user with the commands that look at keys, and with no others, on the key patterns that should be seen: SELECT, INFO, DBSIZE, SCAN, TYPE, PTTL, and for each kind of key its length and its beginning. SCAN lists the names of all keys, also of those that may not be read.",
			Admin:  "Make a user that begins with no right at all (reset -@all), and allow the key pattern and these commands alone: select, info, dbsize, scan, type, pttl, strlen, hlen, llen, scard, zcard, xlen, getrange, hscan, sscan, zrange, lrange and xrevrange. A whole category such as @read would allow more.",
			Notes: []string{
				"Nothing is written, no stream is consumed, and KEYS is never used: listing goes through SCAN in small steps.",
				"In a cluster only the keys of the node that is named are seen. Type another node's address to see its keys.",
			},
			Links: []connectors.Link{
				{Text: "Users and rights (ACL)", URL: "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/"},
				{Text: "TLS", URL: "https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/"},
			},
		},
	}, open)
}

func form() connectors.Form {
	fields := []connectors.Field{
		answers.HostField("cache.example.com", split),
		answers.PortField("6379", "6379"),
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "Password", Help: "With a user name where the server has users (Redis 6 and newer)."},
			{Value: byNothing, Label: "Nothing", Help: "For servers without a password, and for those that a client certificate is enough for."},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Show: connectors.When("auth", byPassword), Example: "reader", Help: "Leave empty where there is only a password."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword)},
		{Key: "database", Label: "Database number", Kind: connectors.Integer, Listed: true, Section: "What to read", Example: "0", Valid: validNumber,
			Help: "Leave empty to see every database that has keys."},
		{Key: "prefix", Label: "Only keys that begin with", Kind: connectors.Text, Advanced: true, Example: "app:"},
		{Key: "known", Label: "Keys", Kind: connectors.Lines, Advanced: true, Example: "app:settings",
			Help: "One a line. Only needed where the account may not list keys (SCAN)."},
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: "tls", Section: "Security", Options: []connectors.Option{
			{Value: "tls", Label: "TLS, certificate verified", Help: "What managed services use. The server must show a certificate that this computer trusts."},
			{Value: "none", Label: "None", Help: "Everything, also the password, can be read on the way. Only for servers on this computer or in a tunnel."},
		}},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("security", "tls"), true)...)}
}

// split understands rediss://user@host:6380/2 and the like, pasted into the host.
func split(v string) map[string]string {
	out := answers.SplitScheme("database", "security", map[string]string{"redis": "none", "rediss": "tls", "valkey": "none", "valkeys": "tls"})(v)
	if validNumber(out["database"]) != nil {
		delete(out, "database")
	}
	return out
}

func validNumber(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > 1<<20 {
		return errors.New("Databases have numbers, and the first one is 0.")
	}
	return nil
}
