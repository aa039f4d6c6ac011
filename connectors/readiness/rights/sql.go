package rights

import (
	"slices"
	"strings"
)

const (
	readOnly  = "Nothing here lets the account write."
	ownSecret = "Write a new password in place of " + Placeholder + ", and hand it over apart from this."
)

func postgres(a answers) []Grant {
	user, db := double(a.or("user", "reader")), double(a.or("database", "postgres"))
	auth := a.of("auth")
	create := "CREATE ROLE " + user + " LOGIN;"
	if auth == "password" {
		create = "CREATE ROLE " + user + " LOGIN PASSWORD '" + Placeholder + "';"
	}
	common := []string{create, when(auth == "rds_iam", "GRANT rds_iam TO "+user+";"), "GRANT CONNECT ON DATABASE " + db + " TO " + user + ";", "GRANT USAGE ON SCHEMA \"public\" TO " + user + ";"}
	where := "Run in the database " + a.or("database", "postgres") + ", as the owner of the schema and with the right to create roles."
	notes := []string{when(auth == "password", ownSecret), "Repeat the lines with SCHEMA for every schema that should be seen, and the first lines for every database.",
		"The last line is for tables that are made later by whoever runs it."}
	if auth == "certificate" {
		notes = append(notes, "In pg_hba.conf a line has to let the role in with its certificate: hostssl "+db+" "+user+" all cert.")
	}
	out := []Grant{
		{Title: "Read the rows of one schema", Where: where, Language: SQL, Notes: some(notes...),
			Text: text(append(common, "GRANT SELECT ON ALL TABLES IN SCHEMA \"public\" TO "+user+";", "ALTER DEFAULT PRIVILEGES IN SCHEMA \"public\" GRANT SELECT ON TABLES TO "+user+";")...)},
		{Title: "Variant: names of tables and columns, no rows", Where: where, Language: SQL, Text: text(common...),
			Notes: some(when(auth == "password", ownSecret), "The tables are listed and marked as not readable.")},
	}
	return append(out, rds(a, auth)...)
}

func mysql(a answers) []Grant {
	user, db := back(a.or("user", "reader"))+"@`%`", whole(a.or("database", "<database>"))+".*"
	auth := a.of("auth")
	create := "CREATE USER " + user + " IDENTIFIED BY '" + Placeholder + "';"
	switch auth {
	case "certificate":
		create = "CREATE USER " + user + " REQUIRE X509;"
	case "rds_iam":
		create = "CREATE USER " + user + " IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS';"
	}
	notes := some(when(auth == "password", ownSecret), "Write an address in place of % to let the account in from there alone.", when(a.of("database") == "", "Write the database's name in place of <database>, and repeat that line for others."))
	where := "Run as an administrator of the server."
	out := []Grant{
		{Title: "Read the rows of one database", Where: where, Language: SQL, Notes: notes, Text: text(create, "GRANT SELECT ON "+db+" TO "+user+";")},
		{Title: "Variant: names of tables and columns, no rows", Where: where, Language: SQL, Notes: append(slices.Clone(notes), "REFERENCES shows names and opens no rows; without CREATE it does nothing else."), Text: text(create, "GRANT REFERENCES ON "+db+" TO "+user+";")},
	}
	return append(out, rds(a, auth)...)
}

// rds is the policy for signing in with IAM; the role or user that signs the
// token needs it: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
func rds(a answers, auth string) []Grant {
	if auth != "rds_iam" {
		return nil
	}
	region, arn := a.of("region"), a.of("role_arn")
	user := a.or("user", "reader")
	out := []Grant{{Title: "Sign in to the database with IAM", Where: "Attach to the IAM user or role that signs in.", Language: JSON,
		Text:  policy(statement{Effect: "Allow", Action: []string{"rds-db:connect"}, Resource: []string{"arn:" + partition(region) + ":rds-db:" + orStar(region) + ":" + orStar(accountOf(arn)) + ":dbuser:*/" + literal(user)}}),
		Notes: []string{"Write the instance's resource ID (db-…) in place of the star before the user's name to name this one database."}}}
	return append(out, role(a, arn, region)...)
}

func sqlserver(a answers) []Grant {
	user, db := a.or("user", "reader"), bracketed(a.or("database", "<database>"))
	login, source := "CREATE LOGIN "+bracketed(user)+" WITH PASSWORD = N'"+Placeholder+"';", "FOR LOGIN "+bracketed(user)
	notes := []string{ownSecret}
	switch a.of("auth") {
	case "ntlm", "kerberos":
		login, notes = "CREATE LOGIN "+bracketed(user)+" FROM WINDOWS;", []string{`The name has to be DOMAIN\user here.`}
	case "token":
		user = a.or("user", "<name of the application or person in Entra ID>")
		login, source, notes = "", "FROM EXTERNAL PROVIDER", []string{"Write the name that Entra ID knows in place of the one in brackets."}
	}
	name := bracketed(user)
	notes = append(notes, "Repeat the last line for every schema that should be seen. The role db_datareader would open all of them.", readOnly)
	return []Grant{
		{Title: "Read the rows of one schema", Where: "Run as an administrator of the server.", Language: SQL, Notes: notes,
			Text: text(login, "USE "+db+";", "CREATE USER "+name+" "+source+";", "GRANT SELECT ON SCHEMA::[dbo] TO "+name+";")},
		{Title: "Variant: names of tables and columns, no rows", Where: "Run as an administrator of the server.", Language: SQL, Notes: notes[:1],
			Text: text(login, "USE "+db+";", "CREATE USER "+name+" "+source+";", "GRANT VIEW DEFINITION ON SCHEMA::[dbo] TO "+name+";")},
	}
}

func oracle(a answers) []Grant {
	user := oracleName(a.or("user", "READER"))
	return []Grant{{Title: "Read the rows of single tables", Where: "Run as an administrator, in the pluggable database " + a.or("service", a.of("sid")) + ".", Language: SQL,
		Text: text("CREATE USER "+user+` IDENTIFIED BY "`+Placeholder+`";`, "GRANT CREATE SESSION TO "+user+";", `GRANT READ ON "<OWNER>"."<TABLE>" TO `+user+";"),
		Notes: []string{ownSecret, "Repeat the last line for every table and view. From 23ai on, GRANT SELECT ANY TABLE ON SCHEMA … opens a whole schema.",
			"READ, unlike SELECT, cannot lock rows. Before 12.1 there is SELECT alone."}}}
}

func clickhouse(a answers) []Grant {
	name, db := a.or("user", "reader"), a.or("database", "default")
	identified := " IDENTIFIED WITH sha256_password BY '" + Placeholder + "'"
	if a.of("auth") == "certificate" {
		identified = " IDENTIFIED WITH ssl_certificate CN '" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(name) + "'"
	}
	out := []Grant{{Title: "Read the rows of one database", Where: "Run as an administrator (ClickHouse 20.4 or later, with access management).", Language: SQL,
		Text:  text("CREATE USER "+slashed(name)+identified+" SETTINGS readonly = 1;", "GRANT SELECT ON "+slashed(db)+".* TO "+slashed(name)+";"),
		Notes: some(when(a.of("auth") == "password", ownSecret), "Tables and columns are listed as far as they may be read.")}}
	if !xmlName.MatchString(name) || a.of("auth") == "certificate" {
		return out
	}
	return append(out, Grant{Title: "Variant: the same in users.xml", Where: "Put among <users> of users.xml, for a server without access management.", Language: Plain,
		Text: text("<"+name+">", "  <password_sha256_hex>"+"&lt;sha256 of the password&gt;"+"</password_sha256_hex>", "  <networks><ip>::/0</ip></networks>", "  <profile>readonly</profile>", "  <quota>default</quota>",
			"  <allow_databases><database>"+escapeXML(db)+"</database></allow_databases>", "</"+name+">"),
		Notes: []string{"The hash of a new password goes where the text in brackets stands.", "The profile readonly has to be there: <readonly><readonly>1</readonly></readonly> among <profiles>."}})
}
