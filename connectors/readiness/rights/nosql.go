package rights

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
)

var xmlName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

func escapeXML(v string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(v)) // a Builder takes everything
	return b.String()
}

// some are the notes that say something.
func some(notes ...string) []string {
	return slices.DeleteFunc(notes, func(n string) bool { return n == "" })
}

// mongodb makes a role of exactly the actions of find, listCollections,
// listIndexes and the statistics:
// https://www.mongodb.com/docs/manual/reference/privilege-actions/
func mongodb(a answers) []Grant {
	user, db, home := a.or("user", "reader"), a.or("database", "<database>"), a.or("auth_source", "admin")
	identified := ", pwd: passwordPrompt()"
	notes := []string{"mongosh asks for the new password; hand it over apart from this."}
	if auth := a.of("auth"); auth == "certificate" || auth == "ldap" {
		home, identified, notes = "$external", "", []string{"With a certificate, the user's name is the certificate's subject as RFC 2253 writes it."}
	}
	return []Grant{{Title: "Read one database", Where: "Run in mongosh as a user administrator.", Language: Plain,
		Text: text(
			"use admin",
			"db.createRole({role: "+quoted("jackfield-"+db)+", roles: [], privileges: [{resource: {db: "+quoted(db)+`, collection: ""}, actions: ["find", "listCollections", "listIndexes", "collStats"]}]})`,
			"db.getSiblingDB("+quoted(home)+").createUser({user: "+quoted(user)+identified+", roles: [{role: "+quoted("jackfield-"+db)+`, db: "admin"}]})`),
		Notes: append(notes, when(a.of("database") == "", "Write the database's name in place of <database>. The built-in role read would do too, and a little more."), readOnly)[:len(notes)+2]}}
}

// redisCommands are what the preview sends; AUTH needs no right.
func redisCommands() []string {
	return []string{"select", "info", "dbsize", "scan", "type", "pttl",
		"strlen", "hlen", "llen", "scard", "zcard", "xlen", "getrange", "hscan", "sscan", "zrange", "lrange", "xrevrange"}
}

// redis writes a rule of https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
func redis(a answers) []Grant {
	if a.of("auth") == "none" {
		return nil
	}
	name := a.or("user", "default")
	pattern := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(a.of("prefix")) + "*"
	words := []string{"ACL", "SETUSER", redisWord(name), "reset", "on", `">` + Placeholder + `"`, redisWord("~" + pattern), "resetchannels", "-@all"}
	for _, c := range redisCommands() {
		words = append(words, "+"+c)
	}
	notes := []string{ownSecret, "SCAN lists the names of all keys, also of those that may not be read.", "From Redis 7.2.4 on, +client|no-touch keeps what is looked at from seeming used.", "With ACL SAVE it outlasts a restart where the server has an ACL file.", readOnly}
	if name == "default" {
		notes = append(notes, "The user default is who every program without a user name is; better make one of its own and type its name in the form.")
	}
	return []Grant{{Title: "Read keys", Where: "Run in redis-cli as an administrator.", Language: Plain, Text: text(strings.Join(words, " ")), Notes: notes}}
}

// redisWord is a word for redis-cli, which reads escapes between double quotes.
func redisWord(v string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_.~*:@-]+$`).MatchString(v) {
		return v
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
}

func elastic(a answers) []Grant {
	names := []string{}
	for n := range strings.SplitSeq(a.or("index", "*"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	type indices struct {
		Names      []string `json:"names"`
		Privileges []string `json:"privileges"`
	}
	body := pretty(struct {
		Cluster []string  `json:"cluster"`
		Indices []indices `json:"indices"`
	}{[]string{"monitor"}, []indices{{names, []string{"read", "view_index_metadata", "monitor"}}}})
	type patterns struct {
		Patterns []string `json:"index_patterns"`
		Actions  []string `json:"allowed_actions"`
	}
	open := pretty(struct {
		Cluster []string   `json:"cluster_permissions"`
		Indices []patterns `json:"index_permissions"`
	}{[]string{"cluster_monitor"}, []patterns{{names, []string{"read", "indices_monitor", "indices:admin/get", "indices:admin/mappings/get", "indices:admin/resolve/index"}}}})
	return []Grant{
		{Title: "Read the indices (Elasticsearch)", Where: "PUT /_security/role/jackfield, as an administrator; then give the role to the user " + a.or("user", "of the form") + ".", Language: JSON, Text: body,
			Notes: []string{"An API key takes the same, as the value of role_descriptors.", readOnly}},
		{Title: "Variant: the same for OpenSearch", Where: "PUT /_plugins/_security/api/roles/jackfield, as an administrator; then map the user to the role.", Language: JSON, Text: open},
	}
}
