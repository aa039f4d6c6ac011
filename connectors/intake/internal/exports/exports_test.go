package exports_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/intake/internal/exports"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

const secret = "practice-only-secret"

func input(types []connectors.Type, text string) part.Input {
	return part.Input{Data: []byte(text), Text: text, Types: types}
}

// sound proves that every answer is of a visible field and right, and that no
// secret stands where it can be seen.
func sound(tb testing.TB, types []connectors.Type, found part.Found) {
	tb.Helper()
	if found.What == "" {
		tb.Error("it is not said what it is")
	}
	settled := record.Settle(types, found)
	for n, i := range found.Items {
		if len(i.Readings) == 0 {
			tb.Errorf("%q has no reading", i.Name)
		}
		for m, r := range i.Readings {
			s := settled.Items[n].Readings[m]
			if len(s.Settings.Plain) != len(r.Settings.Plain) || len(s.Settings.Secrets) != len(r.Settings.Secrets) {
				tb.Errorf("%s: %v became %v: %v", r.Type, r.Settings.Plain, s.Settings.Plain, s.Left)
			}
		}
	}
	if shown := fmt.Sprintf("%+v", found); strings.Contains(shown, secret) {
		tb.Errorf("a secret shows: %s", shown)
	}
}

// flat is a reading's answers in one line, the secrets by their names alone.
func flat(r part.Reading) string {
	var out []string
	for k, v := range r.Settings.Plain {
		out = append(out, k+"="+strings.ReplaceAll(v, "\n", "|"))
	}
	for k, v := range r.Settings.Secrets {
		mark := "*"
		if strings.Contains(v.Reveal(), secret) {
			mark = "**"
		}
		out = append(out, k+"="+mark)
	}
	return " " + strings.Join(out, " ") + " "
}

type expected struct {
	name, text string
	types      string   // of the first item's readings
	answers    []string // of its first reading
	left       string   // a name in it
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func fileZillaText(protocol, pass, more string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><FileZilla3 version="3.66.5" platform="*nix"><Servers><Folder expanded="1">Work<Server><Host>files.example.com</Host><Port>2222</Port><Protocol>` + protocol +
		`</Protocol><Type>0</Type><User>alice</User>` + pass + more + `<Name>Files</Name><RemoteDir>1 0 4 home 5 alice</RemoteDir></Server></Folder></Servers></FileZilla3>`
}

const plist = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict>`

func cases() []expected {
	pass64 := `<Pass encoding="base64">` + b64(secret) + `</Pass><Logontype>1</Logontype>`
	return []expected{
		{"FileZilla FTP", fileZillaText("0", pass64, ""), "ftp", []string{"host=files.example.com", "port=2222", "user=alice", "password=**", "folder=/home/alice"}, ""},
		{"FileZilla SFTP", fileZillaText("1", pass64, ""), "sftp", []string{"host=files.example.com", "password=**"}, ""},
		{"FileZilla implicit", fileZillaText("3", pass64, ""), "ftp", []string{"tls=implicit"}, ""},
		{"FileZilla explicit", fileZillaText("4", pass64, ""), "ftp", []string{"tls=explicit"}, ""},
		{"FileZilla plain", fileZillaText("6", pass64, ""), "ftp", []string{"tls=none"}, ""},
		{"FileZilla master password", fileZillaText("1", `<Pass encoding="crypt" pubkey="x">AAAA</Pass>`, ""), "sftp", []string{"user=alice"}, "Pass"},
		{"FileZilla key", fileZillaText("1", "", `<Logontype>5</Logontype><Keyfile>/home/a/k.ppk</Keyfile>`), "sftp", []string{"auth=key"}, "Keyfile"},
		{"Cyberduck", plist + `<key>Protocol</key><string>sftp</string><key>Nickname</key><string>Mine</string><key>Hostname</key><string>files.example.com</string><key>Port</key><string>22</string><key>Username</key><string>alice</string></dict></plist>`, "sftp", []string{"host=files.example.com", "user=alice", "port=22"}, ""},
		{"Cyberduck WebDAV", plist + `<key>Protocol</key><string>davs</string><key>Hostname</key><string>cloud.example.com</string><key>Port</key><string>443</string><key>Username</key><string>alice</string><key>Path</key><string>/dav</string></dict></plist>`, "webdav", []string{"url=https://cloud.example.com/dav", "user=alice"}, ""},
		{"Cyberduck S3", plist + `<key>Protocol</key><string>s3</string><key>Hostname</key><string>s3.amazonaws.com</string><key>Username</key><string>AKIAIOSFODNN7EXAMPLE</string></dict></plist>`, "s3", []string{"access_key=AKIAIOSFODNN7EXAMPLE"}, ""},
		{"DataGrip", `<project version="4"><component name="DataSourceManagerImpl"><data-source source="LOCAL" name="shop"><driver-ref>postgresql</driver-ref><jdbc-url>jdbc:postgresql://db.example.com:5433/shop</jdbc-url><user-name>alice</user-name></data-source></component></project>`, "postgres", []string{"host=db.example.com", "port=5433", "database=shop", "user=alice"}, "password"},
		{"Workbench", `<?xml version="1.0"?><data grt_format="2.0"><value type="list" content-type="object"><value type="object" struct-name="db.mgmt.Connection" id="1"><value type="dict" key="parameterValues"><value type="string" key="hostName">db.example.com</value><value type="int" key="port">3307</value><value type="string" key="userName">alice</value><value type="string" key="schema">shop</value></value><value type="string" key="name">Shop</value></value></value></data>`, "mysql", []string{"host=db.example.com", "port=3307", "user=alice", "database=shop"}, "password"},
		{"Navicat", `<?xml version="1.0" encoding="UTF-8"?><Connections Ver="1.5"><Connection ConnectionName="Shop" ConnType="MYSQL" Host="db.example.com" Port="3306" UserName="alice" Password="0102AF" /></Connections>`, "mysql", []string{"host=db.example.com", "user=alice"}, "Password"},
		{"mRemoteNG", `<?xml version="1.0" encoding="utf-8"?><mrng:Connections xmlns:mrng="http://mremoteng.org" Name="Connections"><Node Name="jump" Type="Connection" Protocol="SSH2" Hostname="jump.example.com" Port="22" Username="alice" Password="AAAA" /><Node Name="rdp" Type="Connection" Protocol="RDP" Hostname="x" /></mrng:Connections>`, "ssh sftp", []string{"host=jump.example.com", "user=alice"}, "Password"},
		{"pgAdmin", `{"Servers":{"1":{"Name":"Shop","Group":"Servers","Host":"db.example.com","Port":5432,"MaintenanceDB":"shop","Username":"alice","SSLMode":"disable"}}}`, "postgres", []string{"host=db.example.com", "database=shop", "tls=off"}, "password"},
		{"VS Code", `{"mssql.connections":[{"server":"db.example.com,1434","database":"shop","user":"sa","password":"` + secret + `","profileName":"Shop"}]}`, "sqlserver", []string{"host=db.example.com", "port=1434", "password=**"}, ""},
		{"Azure Data Studio", `{"datasource.connections":[{"options":{"server":"db\\SQLEXPRESS","database":"shop","user":"sa"},"providerName":"MSSQL"}]}`, "sqlserver", []string{"host=db", "instance=SQLEXPRESS"}, "password"},
		{"DBeaver", dbeaverSources, "postgres", []string{"host=db.example.com", "database=shop"}, "password"},
		{"DBeaver passwords", `{"postgres-jdbc-1":{"#connection":{"user":"alice","password":"` + secret + `"}}}`, "user_password", []string{"user=alice", "password=**"}, ""},
		{"MQTTX", `[{"clientId":"mqttx_1","name":"plant","host":"broker.example.com","port":8883,"protocol":"mqtts","ssl":true,"username":"alice","password":"` + secret + `","mqttVersion":"5.0","subscriptions":[{"topic":"plant/#"}]}]`, "mqtt", []string{"transport=tls", "protocol=5", "topic=plant/#", "password=**", "client_id=mqttx_1"}, ""},
		{"MQTT Explorer", `{"ConnectionManager_connections":{"a":{"name":"plant","host":"broker.example.com","port":1883,"protocol":"mqtt","encryption":false,"subscriptions":[{"topic":"#","qos":0}]}}}`, "mqtt", []string{"transport=tcp", "auth=anonymous"}, ""},
		{"Remmina", "[remmina]\nname=Files\nprotocol=SFTP\nserver=files.example.com:2222\nusername=alice\npassword=AAAA\n", "sftp", []string{"host=files.example.com", "port=2222", "user=alice"}, "password"},
		{"Google key", `{"type":"service_account","project_id":"practice-1","private_key":"x","client_email":"a@practice-1.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"}`, "google_key gcs google_service_account google_drive google_sheets http", []string{"google_key=*"}, ""},
		{"Google client", `{"installed":{"client_id":"1-a.apps.googleusercontent.com","project_id":"practice-1","auth_uri":"https://accounts.google.com/o/oauth2/auth","token_uri":"https://oauth2.googleapis.com/token","client_secret":"` + secret + `"}}`, "google_drive google_sheets oauth", []string{"client_id=1-a.apps.googleusercontent.com", "client_secret=**"}, ""},
		{"Google user", `{"type":"authorized_user","client_id":"1-a.apps.googleusercontent.com","client_secret":"x","refresh_token":"` + secret + `"}`, "http", []string{"auth=oauth", "grant=refresh_token", "refresh_token=**"}, ""},
		{"az ad sp", `{"appId":"11111111-2222-3333-4444-555555555555","displayName":"jackfield","password":"` + secret + `","tenant":"66666666-2222-3333-4444-555555555555"}`, "microsoft_graph dynamics365", []string{"auth=app", "client_secret=**", "tenant=66666666-2222-3333-4444-555555555555"}, ""},
		{"az sdk-auth", `{"clientId":"11111111-2222-3333-4444-555555555555","clientSecret":"` + secret + `","subscriptionId":"1","tenantId":"66666666-2222-3333-4444-555555555555"}`, "microsoft_graph dynamics365", []string{"auth=app"}, "subscriptionId"},
		{"Dynamics", `{"clientId":"11111111-2222-3333-4444-555555555555","clientSecret":"` + secret + `","tenantId":"66666666-2222-3333-4444-555555555555","instanceUrl":"https://acme.crm4.dynamics.com"}`, "dynamics365 microsoft_graph", []string{"base_url=https://acme.crm4.dynamics.com", "client_secret=**"}, ""},
		{"assume-role", `{"Credentials":{"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"practice-only-secretpractice-only-secret","SessionToken":"` + secret + `","Expiration":"2026-01-01T00:00:00+00:00"},"AssumedRoleUser":{"Arn":"arn:aws:sts::1:assumed-role/r/s"}}`, "aws_key_pair s3 aws_iot", []string{"access_key=ASIAIOSFODNN7EXAMPLE", "session_token=**"}, ""},
		{"create-access-key", `{"AccessKey":{"UserName":"alice","Status":"Active","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"practice-only-secretpractice-only-secret"}}`, "aws_key_pair s3 aws_iot", []string{"secret_key=**"}, ""},
		{"Kubernetes", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"host":"` + b64("db.example.com") + `","username":"` + b64("alice") + `","password":"` + b64(secret) + `","port":"` + b64("5432") + `"}}`, "postgres", []string{"host=db.example.com", "user=alice", "password=**"}, ""},
		{"Postman environment", `{"id":"1","name":"Acme","values":[{"key":"baseUrl","value":"https://api.example.com/v1","enabled":true},{"key":"apiKey","value":"` + secret + `","type":"secret","enabled":true}],"_postman_variable_scope":"environment"}`, "http", []string{"base_url=https://api.example.com/v1", "key=**"}, ""},
		{"Postman collection", `{"info":{"name":"Acme","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"auth":{"type":"bearer","bearer":[{"key":"token","value":"{{t}}","type":"string"}]},"variable":[{"key":"t","value":"` + secret + `"}],"item":[{"name":"x","request":{"url":{"raw":"https://api.example.com/v1/x"}}}]}`, "http", []string{"auth=bearer", "token=**", "base_url=https://api.example.com"}, ""},
		{"Postman collection, no variable", `{"info":{"name":"Acme","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"auth":{"type":"basic","basic":[{"key":"username","value":"alice"},{"key":"password","value":"{{p}}"}]},"item":[]}`, "http", []string{"auth=basic", "user=alice"}, "password"},
		{"Insomnia", `{"_type":"export","__export_format":4,"resources":[{"_type":"environment","data":{"h":"https://api.example.com"}},{"_type":"request","name":"x","url":"{{ _.h }}/v1","authentication":{"type":"basic","username":"alice","password":"` + secret + `"}}]}`, "http", []string{"auth=basic", "user=alice", "password=**", "base_url=https://api.example.com"}, ""},
		{"Bruno", "vars {\n  baseUrl: https://api.example.com\n  token: " + secret + "\n}\nvars:secret [\n  other\n]\n", "http", []string{"base_url=https://api.example.com", "token=**"}, "other"},
		{"Bitwarden", `{"encrypted":false,"folders":[],"items":[{"type":1,"name":"Now","login":{"uris":[{"match":null,"uri":"https://acme.service-now.com/login.do"}],"username":"alice","password":"` + secret + `"}}]}`, "servicenow http user_password", []string{"user=alice", "password=**"}, ""},
		{"1Password", `{"id":"a","title":"Shop","category":"DATABASE","vault":{"id":"v"},"fields":[{"label":"type","value":"postgresql"},{"label":"server","value":"db.example.com"},{"label":"username","value":"alice"},{"label":"password","value":"` + secret + `"}]}`, "postgres", []string{"host=db.example.com", "password=**"}, ""},
		{"profile", "jackfield: profile/1\ntype: sftp\nname: Files\nanswers:\n  host: files.example.com\n  user: alice\n  auth: key\n  nonsense: x\nsecrets:\n  key: missing\n", "sftp", []string{"host=files.example.com", "auth=key"}, "nonsense"},
	}
}

const dbeaverSources = `{"folders":{},"connections":{"postgres-jdbc-1":{"provider":"postgresql","driver":"postgres-jdbc","name":"Shop","save-password":true,"configuration":{"host":"db.example.com","port":"5432","database":"shop","url":"jdbc:postgresql://db.example.com:5432/shop","type":"dev"}}}}`

func check(t *testing.T, types []connectors.Type, c expected, found part.Found) {
	t.Helper()
	sound(t, types, found)
	if len(found.Items) == 0 {
		t.Fatalf("nothing: %+v", found)
	}
	var ids []string
	for _, r := range found.Items[0].Readings {
		ids = append(ids, r.Type)
	}
	if got := strings.Join(ids, " "); got != c.types {
		t.Errorf("read as %s, want %s", got, c.types)
	}
	first := found.Items[0].Readings[0]
	for _, a := range c.answers {
		if !strings.Contains(flat(first), " "+a+" ") {
			t.Errorf("no %s in%s(left %v)", a, flat(first), first.Left)
		}
	}
	left := fmt.Sprint(first.Left)
	if c.left != "" && !strings.Contains(left, "{"+c.left+" ") {
		t.Errorf("%q is not in what is left: %s", c.left, left)
	}
}

func TestExportsDocsShaped(t *testing.T) {
	types := all.All()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			found, ok := exports.Read(input(types, c.text), nil)
			if !ok {
				t.Fatal("not recognized")
			}
			check(t, types, c, found)
		})
	}
}

func TestPlainJSON(t *testing.T) {
	types := all.All()
	for _, c := range []expected{
		{"database", `{"host":"db.example.com","port":3306,"user":"alice","password":"` + secret + `","database":"shop"}`, "mysql", []string{"host=db.example.com", "database=shop", "password=**"}, ""},
		{"no port", `{"hostname":"db.example.com","username":"alice","password":"` + secret + `","dbname":"shop"}`, "postgres mysql sqlserver oracle clickhouse", []string{"database=shop"}, ""},
		{"engine", `{"engine":"mariadb","host":"db.example.com","username":"alice","password":"` + secret + `"}`, "mysql", []string{"user=alice"}, ""},
		{"OAuth", `{"clientId":"abc","clientSecret":"` + secret + `","tokenUrl":"https://login.example.com/token","baseUrl":"https://api.example.com"}`, "http oauth", []string{"auth=oauth", "grant=client_credentials", "client_secret=**", "base_url=https://api.example.com"}, ""},
		{"list", `[{"name":"a","type":"sftp","host":"a.example.com","user":"alice","password":"` + secret + `"},{"type":"ftp","host":"b.example.com","user":"x","password":"y"}]`, "sftp", []string{"host=a.example.com"}, ""},
		{"by name", `{"prod":{"type":"redis","host":"r.example.com","port":6379,"password":"` + secret + `"}}`, "redis", []string{"password=**"}, ""},
		{"a URL", `{"url":"sftp://alice@files.example.com:2222/in","password":"` + secret + `"}`, "sftp", []string{"host=files.example.com", "port=2222", "user=alice", "folder=/in"}, ""},
		{"S3", `{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"practice-only-secretpractice-only-secret","endpoint":"https://minio.example.com","bucket":"data"}`, "s3_compatible s3 aws_key_pair", []string{"endpoint=https://minio.example.com", "bucket=data"}, ""},
		{"Twilio", `{"accountSid":"AC00000000000000000000000000000001","authToken":"` + "0123456789abcdef0123456789abcdef" + `"}`, "twilio", []string{"account_sid=AC00000000000000000000000000000001", "auth_token=*"}, ""},
		{"Zendesk", `{"url":"https://acme.zendesk.com","email":"a@example.com","apiToken":"` + secret + `"}`, "zendesk http", []string{"subdomain=acme", "email=a@example.com"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, ok := exports.Plain(input(types, c.text), nil)
			if !ok {
				t.Fatal("not recognized")
			}
			check(t, types, c, found)
		})
	}
	for _, text := range []string{`{"a":1}`, `[]`, `{}`, `[1,2]`, `{"name":"x","version":"1","type":"module"}`, `{"user":"x"}`, "{", "hello"} {
		if found, ok := exports.Plain(input(types, text), nil); ok {
			t.Errorf("%s is taken for %+v", text, found)
		}
	}
}

// What stands for nothing is not taken.
func TestOtherTextIsLeftAlone(t *testing.T) {
	types := all.All()
	for _, text := range []string{"", "hello", "<html><body>Sign in</body></html>", "<a/>", "<a><b></a>", `{"a":1}`, `{"items":[]}`, `[{"x":1}]`, "[default]\nx=1", "vars", `{"kind":"Deployment"}`, `{"connections":{"a":1}}`} {
		if found, ok := exports.Read(input(types, text), nil); ok {
			t.Errorf("%s is taken for %+v", text, found)
		}
		if found, ok := exports.Table(input(types, text), nil); ok {
			t.Errorf("%s is taken for the table %+v", text, found)
		}
	}
}

func TestEncryptedBitwardenIsSaid(t *testing.T) {
	found, ok := exports.Read(input(all.All(), `{"encrypted":true,"data":"2.AAAA"}`), nil)
	if !ok || len(found.Items) != 0 || len(found.Left) != 1 {
		t.Errorf("%+v", found)
	}
}

func FuzzExports(f *testing.F) {
	types := all.All()
	for _, c := range cases() {
		f.Add(c.text)
	}
	f.Add(`{"host":"db.example.com","port":3306,"user":"alice","password":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			return
		}
		for _, read := range []func(part.Input, exports.Address) (part.Found, bool){exports.Read, exports.Plain} {
			if found, ok := read(input(types, text), nil); ok {
				settled := record.Settle(types, found)
				for _, i := range settled.Items {
					for _, r := range i.Readings {
						ty, _ := connectors.Find(types, r.Type)
						for _, e := range ty.Form.Validate(r.Settings) {
							if !e.Missing {
								t.Errorf("%s: %v", r.Type, e)
							}
						}
					}
				}
			}
		}
		exports.DBeaverSecrets(input(types, text))
	})
}
