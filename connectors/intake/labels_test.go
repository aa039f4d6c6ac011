package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
)

// shown is what a found thing would fill in: name, type and answers in order;
// a secret shows as its key with “*”.
func shown(found Found) string {
	var out []string
	for _, i := range found.Items {
		r := i.Readings[0]
		line := i.Name + ": " + r.Type
		for _, k := range slices.Sorted(maps.Keys(r.Settings.Plain)) {
			line += " " + k + "=" + strings.ReplaceAll(r.Settings.Plain[k], "\n", "|")
		}
		for _, k := range slices.Sorted(maps.Keys(r.Settings.Secrets)) {
			line += " " + k + "*"
			if v := r.Settings.Secrets[k].Reveal(); !strings.Contains(v, secret) && !strings.Contains(v, "practiceonly") {
				line += v
			}
		}
		for _, l := range r.Left {
			line += " -" + l.Name
		}
		out = append(out, line)
	}
	for _, l := range found.Left {
		out = append(out, "-"+l.Name)
	}
	return strings.Join(out, "\n")
}

const around = "-the sentences around it"

// sent is what people send each other, § for the secret.
var sent = [][2]string{
	{"Host: db.example.com\nPort: 5432\nUser: reporting\nPassword: §", "db.example.com: postgres host=db.example.com port=5432 user=reporting password*"},
	{"Hi Mira,\n\nhere are the credentials for the reporting database:\n\nHost: db.example.com\nPort: 5432\nDatabase: sales\nUser: reporting\nPassword: §\n\nCheers, Tom", "db.example.com / sales: postgres database=sales host=db.example.com port=5432 user=reporting password*\n" + around},
	{"Hallo Frau Weber,\n\nanbei die Zugangsdaten für unseren SFTP-Server:\n\nServer: sftp.example.de\nPort: 22\nBenutzername: weber\nPasswort: §\nVerzeichnis: /ausgang\n", "sftp.example.de: sftp folder=/ausgang host=sftp.example.de port=22 user=weber password*\n" + around},
	{"MySQL Datenbank\nServername: mysql.example.de\nDatenbankname: shop\nBenutzer: shop_ro\nKennwort: §\nPort: 3306", "mysql.example.de / shop: mysql database=shop host=mysql.example.de port=3306 user=shop_ro password*"},
	{"*MySQL (read only)*\n• Host: mysql.example.com\n• Username: ro\n• Password: `§`\n• DB: shop", "mysql.example.com / shop: mysql database=shop host=mysql.example.com user=ro password*"},
	{"**SFTP access**\n- **Host:** sftp.example.com\n- **Username:** partner7\n- **Password:** §\n- **Path:** /inbox", "sftp.example.com: sftp folder=/inbox host=sftp.example.com user=partner7 password*"},
	{"Server name: sql.example.com,1433\nAuthentication: SQL Server Authentication\nLogin: sa_ro\nPassword: §\nDatabase: ERP", "sql.example.com / ERP: sqlserver database=ERP host=sql.example.com port=1433 user=sa_ro password*"},
	{"Posteingangsserver (IMAP): imap.example.de\nPort: 993\nPostausgangsserver (SMTP): smtp.example.de\nPort: 587\nBenutzername: robot@example.de\nPasswort: §", "imap.example.de: imap host=imap.example.de port=993 user=robot@example.de password*\nsmtp.example.de: smtp host=smtp.example.de port=587 user=robot@example.de password*"},
	{"LDAP server: ldap.example.com\nPort: 636\nSSL: yes\nBind DN: cn=reader,dc=example,dc=com\nBind password: §\nBase DN: dc=example,dc=com", "ldap.example.com: ldap base_dn=dc=example,dc=com host=ldap.example.com port=636 security=ldaps user=cn=reader,dc=example,dc=com password*"},
	{"Bootstrap servers: b1.example.com:9092,b2.example.com:9092\nSecurity protocol: SASL_SSL\nSASL mechanism: SCRAM-SHA-512\nUsername: app\nPassword: §", "b1.example.com:9092: kafka mechanism=SCRAM-SHA-512 security=sasl_tls servers=b1.example.com:9092|b2.example.com:9092 user=app password*"},
	{"Display name\n:\nReader\nApplication (client) ID\n:\n11111111-2222-3333-4444-555555555555\nObject ID\n:\n99999999-2222-3333-4444-555555555555\nDirectory (tenant) ID\n:\naaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "Reader: microsoft_graph client_id=11111111-2222-3333-4444-555555555555 tenant=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"},
	{"Environment URL: https://acme.crm4.dynamics.com\nApplication (client) ID: 11111111-2222-3333-4444-555555555555\nDirectory (tenant) ID: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\nSecret value: §\nSecret ID: 77777777-2222-3333-4444-555555555555", "acme.crm4.dynamics.com: dynamics365 auth=app base_url=https://acme.crm4.dynamics.com client_id=11111111-2222-3333-4444-555555555555 tenant=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee client_secret* -Secret ID"},
	{"Instance URL: https://acme.service-now.com\nClient ID: 0123456789abcdef0123456789abcdef\nClient Secret: §", "acme.service-now.com: servicenow auth=oauth base_url=https://acme.service-now.com client_id=0123456789abcdef0123456789abcdef client_secret*"},
	{"Coupa instance: https://acme.coupahost.com\nClient ID: 0123456789abcdef\nClient secret: §\nScope: core.invoice.read", "acme.coupahost.com: coupa base_url=https://acme.coupahost.com client_id=0123456789abcdef scopes=core.invoice.read client_secret*"},
	{"1. Protocol: SFTP\n2. Host: filetransfer.bank.example\n3. Port: 2222\n4. User ID: ACME001\n5. Authentication: SSH public key (RSA 4096)\n6. Directories: /in and /out", "filetransfer.bank.example: sftp auth=key host=filetransfer.bank.example port=2222 user=ACME001 -Directories"},
	{"Protokoll: SFTP\nAdresse: sftp.bank.example\nBenutzerkennung: F0001\nInitialpasswort: §", "sftp.bank.example: sftp host=sftp.bank.example user=F0001 password*"},
	{"mira: can you get me into the staging db?\ntom: sure: postgres://reporting:§@db.example.com/sales", "db.example.com / sales: postgres database=sales host=db.example.com user=reporting password*\n" + around},
	{"staging: postgres://app:§@db-stg.example.com/sales\nprod: postgres://app:§@db.example.com/sales", "staging: postgres database=sales host=db-stg.example.com user=app password*\nprod: postgres database=sales host=db.example.com user=app password*"},
	{"Parameter\tValue\nHost\tdb.example.com\nPort\t5432\nDatabase\tsales\nUsername\treporting\nPassword\t§", "db.example.com / sales: postgres database=sales host=db.example.com port=5432 user=reporting password*"},
	{"||Field||Value||\n|Host|sftp.example.com|\n|User|partner7|\n|Password|§|\n|Port|22|", "sftp.example.com: sftp host=sftp.example.com port=22 user=partner7 password*"},
	{"Access key\nAKIAIOSFODNN7EXAMPLE\nSecret access key\npracticeonlyEXAMPLEKEYpracticeonlyEXAMPL", "AWS access keys: aws_key_pair access_key=AKIAIOSFODNN7EXAMPLE secret_key*"},
	{"=== shop Config Vars\nDATABASE_URL:     postgres://abc:§@ec2.example.com:5432/d123\nREDIS_TLS_URL:    rediss://:§@ec2-5.example.com:6380", "ec2.example.com / d123: postgres database=d123 host=ec2.example.com port=5432 user=abc password*\nec2-5.example.com: redis host=ec2-5.example.com port=6380 security=tls password*\n" + around},
	{"apiVersion: v1\nkind: Secret\nmetadata:\n  name: sales-db\ndata:\n  host: ZGIuZXhhbXBsZS5jb20=\n  port: NTQzMg==\n  username: cmVwb3J0aW5n\n  password: cHJhY3RpY2Utb25seS1zZWNyZXQ=\n", "sales-db: postgres host=db.example.com port=5432 user=reporting password*"},
	{`{"db_host":{"sensitive":false,"type":"string","value":"db.example.com"},"db_password":{"sensitive":true,"type":"string","value":"§"},"db_port":{"type":"number","value":5432}}`, "db.example.com: postgres host=db.example.com port=5432 password*"},
	{`{"ConnectionStrings":{"Default":"Server=tcp:acme.example.com,1433;Initial Catalog=erp;User ID=reader;Password=§;Encrypt=True;"}}`, "acme.example.com / erp: sqlserver database=erp host=acme.example.com port=1433 tls=verify user=reader password*"},
	{"The server is db.example.com, port 5432, user reporting, password §, database sales.", "db.example.com / sales: postgres database=sales host=db.example.com port=5432 user=reporting password*"},
	{"Host db.example.com\nPort 5432\nUser reporting\nPassword §", "db.example.com: postgres host=db.example.com port=5432 user=reporting password*"},
	{"define( 'DB_NAME', 'wp' );\ndefine( 'DB_USER', 'wp' );\ndefine( 'DB_PASSWORD', '§' );\ndefine( 'DB_HOST', 'db.example.com' );", "db.example.com / wp: mysql database=wp host=db.example.com user=wp password*"},
	{"DEV\nHost: db-dev.example.com\nPort: 5432\nUser: app\nPassword: §\n\nPROD\nHost: db.example.com\nPort: 5432\nUser: app\nPassword: §", "DEV db-dev.example.com: postgres host=db-dev.example.com port=5432 user=app password*\nPROD db.example.com: postgres host=db.example.com port=5432 user=app password*"},
	{"mongodb+srv://app:<db_password>@cluster0.example.net/", "cluster0.example.net: mongodb host=cluster0.example.net security=tls topology=srv user=app -Password"},
	{"postgresql://postgres.abc:[YOUR-PASSWORD]@pooler.example.com:6543/postgres", "pooler.example.com / postgres: postgres database=postgres host=pooler.example.com port=6543 user=postgres.abc -Password"},
	{"Snowflake\nAccount: xy12345\nUser: READER\nPassword: §", "-Snowflake"},
	{"A=postgres://one:§@db.example.com/x\nB=postgres://two:§@db.example.com/x\n", "db.example.com / x (one): postgres database=x host=db.example.com user=one password*\ndb.example.com / x (two): postgres database=x host=db.example.com user=two password*"},
	{"Host: db.example.com\nPort: 5432\nUser: a\nPassword: § a:b=c#d,", "db.example.com: postgres host=db.example.com port=5432 user=a password*"},
}

func TestWhatPeopleSend(t *testing.T) {
	types := offered()
	for n, row := range sent {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			found, err := Read(types, File{Data: []byte(strings.ReplaceAll(row[0], "§", secret))}, connectors.Secret{})
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(found); got != row[1] {
				t.Errorf("\n got %s\nwant %s", got, row[1])
			}
			sound(t, types, found)
		})
	}
}

// Text without a place or without who signs in is not taken for a connection,
// and what another reader knows better is left to it.
func TestWhatIsNotSent(t *testing.T) {
	for _, text := range []string{"Please ask Tom for the login, he has the spreadsheet.", "Host: see below\nRegards", "Subject: password\nFrom: a@example.com\nTo: b@example.com", "user: a\npassword: b", "see file:///etc/passwd for the user"} {
		if found, err := Read(offered(), File{Data: []byte(text)}, connectors.Secret{}); err == nil && len(found.Items) > 0 && found.Items[0].Readings[0].Type != "user_password" {
			t.Errorf("%q is taken for %s", text, shown(found))
		}
	}
}

func FuzzWhatPeopleSend(f *testing.F) {
	types := offered()
	for _, row := range sent {
		f.Add(strings.ReplaceAll(row[0], "§", secret))
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := Read(types, File{Data: []byte(text)}, connectors.Secret{})
		if err == nil {
			for _, i := range found.Items {
				for _, r := range i.Readings {
					ty, ok := connectors.Find(types, r.Type)
					if !ok {
						t.Fatalf("%s is not offered", r.Type)
					}
					answered(t, ty, r)
				}
			}
		}
	})
}
