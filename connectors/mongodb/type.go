// Package mongodb is the connection type for MongoDB and for services that speak
// its protocol (Atlas, Amazon DocumentDB, Azure Cosmos DB for MongoDB, FerretDB).
// It only reads.
package mongodb

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// What the host is the name of.
const (
	oneServer = "direct"
	aSet      = "set"
	aName     = "srv"
)

// The ways to sign in.
const (
	byPassword    = "password"
	byCertificate = "certificate"
	byDirectory   = "ldap"
	byNothing     = "none"
)

type config struct {
	Topology   string            `field:"topology"`
	Host       string            `field:"host"`
	Port       int               `field:"port"`
	Members    string            `field:"members"`
	ReplicaSet string            `field:"replica_set"`
	Auth       string            `field:"auth"`
	User       string            `field:"user"`
	Password   connectors.Secret `field:"password"`
	AuthSource string            `field:"auth_source"`
	Mechanism  string            `field:"mechanism"`
	Database   string            `field:"database"`
	Security   string            `field:"security"`
	tlsx.Answers
}

func (c config) secure() bool { return c.Security == "tls" }

// seeds are the servers that the form names.
func (c config) seeds() []string {
	out := []string{net.JoinHostPort(c.Host, strconv.Itoa(c.Port))}
	for line := range strings.Lines(c.Members) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, withPort(line))
		}
	}
	return out
}

func withPort(v string) string {
	if _, _, err := net.SplitHostPort(v); err == nil {
		return v
	}
	return net.JoinHostPort(strings.Trim(v, "[]"), "27017")
}

// target is where the connection leads, in words.
func (c config) target() string {
	if c.Topology == aName {
		return c.Host
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}

func (c config) account() string {
	switch c.Auth {
	case byNothing:
		return "nobody"
	case byCertificate:
		if pair, err := tlsx.Pair(c.Spec()); err == nil {
			return pair.Leaf.Subject.String()
		}
		return "client certificate"
	}
	return c.User
}

// Type is the MongoDB server or cluster.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "mongodb", Name: "MongoDB", Group: connectors.GroupDatabases, Tile: "MO",
		Summary:  "Databases, collections, indexes and documents",
		Keywords: []string{"atlas", "documentdb", "cosmos", "ferretdb", "nosql", "documents", "collections", "mongo"},
		Where:    []string{"host", "database"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"In Atlas, “Connect” then “Drivers” shows an address that begins with mongodb+srv://. Paste it into the host field; type the password in its own field.",
				"The user is a database user (Atlas: “Database Access”), not the one you sign in to the website with.",
			},
			Rights:  "The actions find, listCollections, listIndexes and collStats on the databases that should be seen. The role read has them, and a few more.",
			Admin:   "use admin; db.createUser({user: \"reader\", pwd: passwordPrompt(), roles: [{role: \"read\", db: \"shop\"}]})",
			Network: "Atlas lets in only the addresses of its “Network Access” list. Add the address from which this computer reaches the internet.",
			Notes: []string{
				"A name with an SRV record is looked up by this computer, also where a proxy or a jump host leads to the servers.",
				"Counts come from the collection's statistics and may be a little off.",
			},
			Links: []connectors.Link{{Text: "Roles", URL: "https://www.mongodb.com/docs/manual/reference/built-in-roles/"}, {Text: "Connection strings", URL: "https://www.mongodb.com/docs/manual/reference/connection-string/"}},
		},
	}, open)
}

func form() connectors.Form {
	servers := connectors.When("topology", oneServer, aSet)
	typed := connectors.When("auth", byPassword, byDirectory)
	host := answers.HostField("cluster0.ab1cd.mongodb.net", split)
	fields := []connectors.Field{
		host,
		{Key: "topology", Label: "The host is", Kind: connectors.Choice, Default: oneServer, Options: []connectors.Option{
			{Value: oneServer, Label: "One server", Help: "Only this one is asked, also when it is part of a set. Also right for mongos."},
			{Value: aName, Label: "A cluster's name (mongodb+srv)", Help: "As Atlas uses it: the name's SRV record lists the servers."},
			{Value: aSet, Label: "A member of a replica set", Help: "The other members are found and used too; their names must be known here."},
		}},
		answers.PortField("27017", "27017"),
		{Key: "members", Label: "Further members", Kind: connectors.Lines, Advanced: true, Show: connectors.When("topology", aSet), Example: "db2.example.com:27017", Help: "One a line, for when the first one is down."},
		{Key: "replica_set", Label: "Name of the replica set", Kind: connectors.Text, Advanced: true, Show: connectors.When("topology", aSet), Example: "rs0"},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"},
			{Value: byCertificate, Label: "Client certificate (X.509)", Help: "Only with TLS."},
			{Value: byDirectory, Label: "Company account (LDAP)", Help: "Only with TLS: the server gets the password itself to pass it on."},
			{Value: byNothing, Label: "Nothing"},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Show: typed, Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: typed},
		{Key: "auth_source", Label: "The user is kept in the database", Kind: connectors.Text, Default: "admin", Advanced: true, Show: connectors.When("auth", byPassword), Help: "Usually admin. It is authSource in an address."},
		{Key: "mechanism", Label: "Kind of password check", Kind: connectors.Choice, Default: "auto", Advanced: true, Show: connectors.When("auth", byPassword), Options: []connectors.Option{
			{Value: "auto", Label: "As the server prefers"}, {Value: "SCRAM-SHA-256", Label: "SCRAM-SHA-256"}, {Value: "SCRAM-SHA-1", Label: "SCRAM-SHA-1"},
		}},
		{Key: "database", Label: "Database", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "shop", Valid: validDatabase, Help: "Leave empty to see every database that the account may see."},
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: "tls", Section: "Security", Options: []connectors.Option{
			{Value: "tls", Label: "TLS, certificate verified", Help: "What Atlas and other services use. The server must show a certificate that this computer trusts."},
			{Value: "none", Label: "None", Help: "Everything that is read can be seen on the way. Only for servers on this computer or in a tunnel."},
		}},
	}
	for i, f := range fields {
		if f.Key == "port" {
			fields[i].Show = servers
		}
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("security", "tls"), true)...)}
}

// validDatabase follows
// https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions.
func validDatabase(v string) error {
	if len(v) > 63 || strings.ContainsAny(v, "/\\. \"$*<>:|?") {
		return errors.New("This cannot be a database's name: it has at most 63 letters, and no dot, slash or space.")
	}
	return nil
}

// split understands mongodb://user:password@one:27017,two:27017/shop?authSource=admin
// and mongodb+srv://…, pasted into the host. Passwords in it often have signs that
// no address may have, so it is taken apart from its ends; the password is left out.
func split(v string) map[string]string {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(v), "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "mongodb" && scheme != "mongodb+srv" {
		return nil
	}
	rest, query, _ := strings.Cut(rest, "?")
	out := map[string]string{}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, _, _ := strings.Cut(rest[:i], ":")
		if user, err := url.PathUnescape(user); err == nil && user != "" {
			out["user"] = user
		}
		rest = rest[i+1:]
	}
	hosts, database, _ := strings.Cut(rest, "/")
	first, more, several := strings.Cut(hosts, ",")
	if first == "" {
		return nil
	}
	out["host"], out["topology"], out["security"] = first, oneServer, "none"
	if h, p, err := net.SplitHostPort(first); err == nil {
		out["host"], out["port"] = h, p
	}
	if several {
		out["topology"], out["members"] = aSet, strings.ReplaceAll(more, ",", "\n")
	}
	if scheme == "mongodb+srv" {
		out["topology"], out["security"] = aName, "tls"
	}
	if database != "" && validDatabase(database) == nil {
		out["database"] = database
	}
	fromQuery(out, query)
	return out
}

// fromQuery reads the options of a connection string that the form asks for. The
// database in the address is where the user is kept, unless authSource says so.
func fromQuery(out map[string]string, query string) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return
	}
	if v := q.Get("authSource"); v != "" && v != "$external" {
		out["auth_source"] = v
	} else if out["database"] != "" && out["topology"] != aName {
		out["auth_source"] = out["database"]
	}
	if v := q.Get("replicaSet"); v != "" && out["topology"] != aName && q.Get("directConnection") != "true" {
		out["topology"], out["replica_set"] = aSet, v
	}
	if q.Get("tls") == "true" || q.Get("ssl") == "true" {
		out["security"] = "tls"
	}
	if how := map[string]string{"MONGODB-X509": byCertificate, "PLAIN": byDirectory}[q.Get("authMechanism")]; how != "" {
		out["auth"] = how
	}
}
