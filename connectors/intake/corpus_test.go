package intake

import (
	"encoding/base64"
	"strings"
)

const secret = "practice-only-secret"

// A pasted is something that people paste: who reads it, and as what.
type pasted struct {
	reader, types, text string // types that the first reading may have
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func jwt(payload string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"RS256"}`)) + "." + e([]byte(payload)) + "." + e([]byte("practice-only"))
}

// corpus has what all readers read.
func corpus() []pasted {
	var out []pasted
	for _, more := range [][]pasted{addressCorpus(), commandCorpus(), configCorpus(), exportCorpus(), tokenCorpus(), tableCorpus()} {
		out = append(out, more...)
	}
	return out
}

func addressCorpus() []pasted {
	var out []pasted
	for _, row := range [][2]string{
		{"postgres", "postgres://alice:S@db.example.com:5432/shop"}, {"postgres", "postgresql://alice:S@db.example.com/shop?sslmode=require"}, {"postgres", "jdbc:postgresql://db.example.com:5432/shop?user=alice&password=S"},
		{"postgres", "postgresql+psycopg2://alice:S@db.example.com/shop"}, {"mysql", "mysql://alice:S@db.example.com:3306/shop"}, {"mysql", "jdbc:mysql://db.example.com:3306/shop"}, {"mysql", "jdbc:mariadb://db.example.com/shop?user=alice&password=S"},
		{"mysql", "mysql+pymysql://alice:S@db.example.com/shop"}, {"sqlserver", "Server=tcp:db.example.com,1433;Database=shop;User Id=alice;Password=S;"}, {"sqlserver", "jdbc:sqlserver://db.example.com:1433;databaseName=shop;user=alice;password=S"},
		{"sqlserver", "sqlserver://alice:S@db.example.com:1433?database=shop"}, {"sqlserver", "Driver={ODBC Driver 18 for SQL Server};Server=db.example.com;Database=shop;Uid=alice;Pwd=S;"}, {"oracle", "jdbc:oracle:thin:@//db.example.com:1521/SHOP"},
		{"oracle", "jdbc:oracle:thin:alice/S@db.example.com:1521:SHOP"}, {"mongodb", "mongodb://alice:S@db.example.com:27017/shop?authSource=admin"}, {"mongodb", "mongodb+srv://alice:S@cluster.example.net/shop"}, {"redis", "redis://:S@cache.example.com:6379/0"},
		{"redis", "rediss://alice:S@cache.example.com:6380"}, {"rabbitmq", "amqp://alice:S@mq.example.com:5672/vh"}, {"rabbitmq", "amqps://alice:S@mq.example.com/vh"}, {"mqtt", "mqtt://alice:S@broker.example.com:1883"}, {"mqtt", "mqtts://alice:S@broker.example.com:8883"},
		{"ldap", "ldap://dc.example.com:389/dc=example,dc=com"}, {"ldap", "ldaps://dc.example.com"}, {"sftp", "sftp://alice@files.example.com:2222/in"}, {"ftp", "ftp://alice:S@files.example.com/in"}, {"ftp", "ftps://alice:S@files.example.com"},
		{"smb", "smb://alice:S@fs.example.com/data"}, {"smb", `\\fs.example.com\data`}, {"s3", "s3://bucket-practice/folder"}, {"nats", "nats://alice:S@nats.example.com:4222"}, {"clickhouse", "clickhouse://alice:S@ch.example.com:9000/shop"},
		{"azure_blob", "DefaultEndpointsProtocol=https;AccountName=practice;AccountKey=" + b64(strings.Repeat("practice", 8)) + ";EndpointSuffix=core.windows.net"}, {"azure_service_bus", "Endpoint=sb://practice.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=" + b64(strings.Repeat("practice", 4))},
		{"http", "https://alice:S@api.example.com/v1"}, {"postgres", "host=db.example.com port=5432 dbname=shop user=alice password=S"},
	} {
		out = append(out, pasted{"addresses", row[0], strings.ReplaceAll(row[1], "S@", secret+"@")})
	}
	return out
}

func commandCorpus() []pasted {
	return []pasted{
		{"commands", "http", "curl -u alice:" + secret + " https://api.example.com/v1/x"}, {"commands", "http", "curl -H 'Authorization: Bearer " + secret + "' https://api.example.com/v1/x"},
		{"commands", "http", "curl -X POST https://api.example.com/v1 -H 'X-API-Key: " + secret + "' -d '{}'"}, {"commands", "sftp ssh", "ssh -p 2222 alice@files.example.com"}, {"commands", "sftp", "sftp -P 2222 alice@files.example.com"},
		{"commands", "postgres", "psql -h db.example.com -p 5432 -U alice shop"}, {"commands", "mysql", "mysql -h db.example.com -u alice -p" + secret + " shop"}, {"commands", "mqtt", "mosquitto_sub -h broker.example.com -p 1883 -u alice -P " + secret + " -t '#'"},
		{"commands", "ldap", "ldapsearch -H ldaps://dc.example.com -D cn=alice,dc=example,dc=com -w " + secret + " -b dc=example,dc=com"}, {"commands", "redis", "redis-cli -h cache.example.com -a " + secret}, {"commands", "mongodb", "mongosh 'mongodb://alice:" + secret + "@db.example.com/shop'"},
		{"commands", "sqlserver", "sqlcmd -S db.example.com -U alice -P " + secret + " -d shop"},
	}
}

func configCorpus() []pasted {
	return []pasted{
		{"configs", "aws_key_pair s3", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = practiceonlypracticeonlypracticeonlypra1\n"},
		{"configs", "sftp", "[files]\ntype = sftp\nhost = files.example.com\nuser = alice\n"}, {"configs", "postgres", "DB_HOST=db.example.com\nDB_PORT=5432\nDB_USER=alice\nDB_PASSWORD=" + secret + "\nDB_NAME=shop\n"},
		{"configs", "postgres", "db.example.com:5432:shop:alice:" + secret + "\n"}, {"configs", "mysql", "[client]\nhost=db.example.com\nuser=alice\npassword=" + secret + "\n"},
		{"configs", "sftp ssh", "Host files\n  HostName files.example.com\n  User alice\n  Port 2222\n"},
		{"configs", "kafka", "bootstrap.servers=k.example.com:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"" + secret + "\";\n"},
	}
}

const zipless = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict>`

func exportCorpus() []pasted {
	out := []pasted{
		{"exports", "google_drive", `{"installed":{"client_id":"1-a.apps.googleusercontent.com","auth_uri":"https://accounts.google.com/o/oauth2/auth","token_uri":"https://oauth2.googleapis.com/token","client_secret":"` + secret + `"}}`},
		{"exports", "google_key", `{"type":"service_account","project_id":"practice-1","private_key":"x","client_email":"a@practice-1.iam.gserviceaccount.com"}`},
		{"exports", "microsoft_graph", `{"appId":"11111111-2222-3333-4444-555555555555","displayName":"x","password":"` + secret + `","tenant":"66666666-2222-3333-4444-555555555555"}`},
		{"exports", "aws_key_pair", `{"AccessKey":{"UserName":"alice","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"practiceonlypracticeonlypracticeonlypra1"}}`},
		{"exports", "aws_key_pair", `{"Credentials":{"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"practiceonlypracticeonlypracticeonlypra1","SessionToken":"` + secret + `"}}`},
		{"exports", "postgres", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"host":"` + b64("db.example.com") + `","port":"` + b64("5432") + `","username":"` + b64("alice") + `","password":"` + b64(secret) + `"}}`},
		{"exports", "http", `{"name":"Acme","values":[{"key":"baseUrl","value":"https://api.example.com"},{"key":"token","value":"` + secret + `"}],"_postman_variable_scope":"environment"}`},
		{"exports", "http", `{"info":{"name":"Acme","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"auth":{"type":"apikey","apikey":[{"key":"key","value":"X-Key"},{"key":"value","value":"` + secret + `"}]},"item":[]}`},
		{"exports", "http", `{"_type":"export","resources":[{"_type":"request","name":"x","url":"https://api.example.com/v1","authentication":{"type":"bearer","token":"` + secret + `"}}]}`},
		{"exports", "http", "vars {\n  baseUrl: https://api.example.com\n  token: " + secret + "\n}\n"},
		{"exports", "postgres", `{"Servers":{"1":{"Name":"Shop","Host":"db.example.com","Port":5432,"MaintenanceDB":"shop","Username":"alice","SSLMode":"prefer"}}}`},
		{"exports", "sqlserver", `{"mssql.connections":[{"server":"db.example.com","database":"shop","user":"sa","password":"` + secret + `"}]}`},
		{"exports", "mysql", `{"connections":{"mysql8-1":{"provider":"mysql","driver":"mysql8","name":"Shop","configuration":{"host":"db.example.com","port":"3306","database":"shop","url":"jdbc:mysql://db.example.com:3306/shop"}}}}`},
		{"exports", "mqtt", `[{"clientId":"m1","name":"plant","host":"broker.example.com","port":1883,"protocol":"mqtt","ssl":false,"username":"","password":"","mqttVersion":"3.1.1"}]`},
		{"exports", "mqtt", `{"ConnectionManager_connections":{"a":{"name":"plant","host":"broker.example.com","port":8883,"protocol":"mqtt","encryption":true,"username":"alice","password":"` + secret + `"}}}`},
		{"exports", "http", `{"encrypted":false,"items":[{"type":1,"name":"x","login":{"uris":[{"uri":"https://www.example.com"}],"username":"alice","password":"` + secret + `"}}]}`},
		{"exports", "sftp", "[remmina]\nname=x\nprotocol=SFTP\nserver=files.example.com\nusername=alice\n"},
		{"exports", "mysql", "jackfield: profile/1\ntype: mysql\nname: Shop\nanswers:\n  host: db.example.com\n  user: alice\n"},
		{"exports", "sftp", zipless + `<key>Protocol</key><string>sftp</string><key>Hostname</key><string>files.example.com</string><key>Username</key><string>alice</string></dict></plist>`},
		{"exports", "postgres", `<project version="4"><component name="DataSourceManagerImpl"><data-source name="shop"><driver-ref>postgresql</driver-ref><jdbc-url>jdbc:postgresql://db.example.com/shop</jdbc-url></data-source></component></project>`},
		{"exports", "mysql", `<data><value type="list"><value type="object" struct-name="db.mgmt.Connection"><value type="dict" key="parameterValues"><value type="string" key="hostName">db.example.com</value><value type="string" key="userName">alice</value></value></value></value></data>`},
		{"exports", "postgres", `<Connections Ver="1.5"><Connection ConnectionName="Shop" ConnType="POSTGRESQL" Host="db.example.com" Port="5432" UserName="alice"/></Connections>`},
		{"exports", "ssh", `<mrng:Connections xmlns:mrng="http://mremoteng.org"><Node Name="j" Type="Connection" Protocol="SSH2" Hostname="jump.example.com" Port="22" Username="alice"/></mrng:Connections>`},
		{"json", "postgres", `{"host":"db.example.com","port":5432,"user":"alice","password":"` + secret + `","database":"shop"}`},
		{"json", "sftp", `{"name":"x","type":"sftp","host":"files.example.com","user":"alice","password":"` + secret + `"}`},
		{"json", "http", `{"clientId":"abc","clientSecret":"` + secret + `","tokenUrl":"https://login.example.com/token"}`},
		{"json", "redis", `[{"type":"redis","host":"r.example.com","password":"` + secret + `"}]`},
	}
	for protocol, id := range map[string]string{"0": "ftp", "1": "sftp", "3": "ftp", "4": "ftp", "6": "ftp"} {
		out = append(out, pasted{"exports", id, `<FileZilla3><Servers><Server><Host>files.example.com</Host><Port>2222</Port><Protocol>` + protocol + `</Protocol><User>alice</User><Pass encoding="base64">` + b64(secret) + `</Pass><Logontype>1</Logontype></Server></Servers></FileZilla3>`})
	}
	return out
}

func tokenCorpus() []pasted {
	a32, a40 := strings.Repeat("0a", 16), strings.Repeat("aB3d", 10)
	out := []pasted{}
	for text, id := range map[string]string{
		"ghp_" + a40: "github", "gho_" + a40: "github", "github_pat_" + a40: "github", "glpat-" + a40[:20]: "gitlab", "xoxb-1-" + a40: "slack", "xoxp-1-" + a40: "slack", "sk_" + "live_" + a40: "stripe", "sk_" + "test_" + a40: "stripe", "rk_" + "live_" + a40: "stripe",
		"SG." + a40[:22] + "." + a40: "sendgrid", "shpat_" + a32: "shopify", "pat-na1-" + a32: "hubspot", "pat-eu1-" + a32: "hubspot", "ATATT" + a40: "jira", "AKIAIOSFODNN7EXAMPLE": "aws_key_pair", "ASIAIOSFODNN7EXAMPLE": "aws_key_pair", "AC" + a32: "twilio",
		"EAA" + a40: "http", "ya29." + a40: "http", "dop_v1_" + a32 + a32: "http", "npm_" + a40[:36]: "http", "ntn_" + a40: "notion", a32 + "-us6": "mailchimp", "Bearer ghp_" + a40: "github", "pat" + a40[:14] + "." + a32 + a32: "airtable", "sk-proj-" + a40: "http",
		jwt(`{"iss":"https://accounts.google.com","exp":1790000000}`): "jwt_token", "Bearer " + jwt(`{"sub":"x"}`): "jwt_token", jwt(`{"iss":"https://acme.okta.com"}`): "jwt_token", jwt(`{"iss":"https://acme.eu.auth0.com/","aud":["https://acme.eu.auth0.com/api/v2/"]}`): "auth0",
		"AGE-SECRET-KEY-1" + strings.ToUpper(a40): "secret_key", `{"kty":"oct","k":"cHJhY3RpY2Utb25seQ"}`: "secret_key",
	} {
		out = append(out, pasted{"tokens", id, text})
	}
	return append(out, pasted{"guess", "secret_key", strings.Repeat("Zx9w", 10)})
}

func tableCorpus() []pasted {
	return []pasted{
		{"table", "sftp", "type,host,user,password\nsftp,files.example.com,alice," + secret + "\n"},
		{"table", "postgres", "Typ;Rechnername;Port;Benutzername;Passwort;Datenbank\nPostgreSQL;db.example.com;5432;alice;" + secret + ";shop\n"},
		{"table", "mysql", "Type\tHôte\tUtilisateur\tMot de passe\nMySQL\tdb.example.com\talice\t" + secret + "\n"},
		{"table", "sqlserver", "protocolo;servidor;usuario;contraseña\nmssql;db.example.com;alice;" + secret + "\n"},
		{"table", "http", "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nShop,https://shop.example.com,alice," + secret + ",,false,false,,\n"},
		{"table", "servicenow", "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,Now,,,0,https://acme.service-now.com,alice," + secret + ",\n"},
		{"table", "http", "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\"\n\"Root\",\"Shop\",\"alice\",\"" + secret + "\",\"https://www.example.com\",\"\"\n"},
		{"table", "user_password", "username,password\nalice," + secret + "\n"},
	}
}
