package commands

import (
	"strings"
	"sync"
	"testing"

	"jackfield/connectors/all"
	"jackfield/connectors/intake/internal/configs/fill/filltest"
	"jackfield/connectors/intake/internal/part"
)

var offered = sync.OnceValue(all.All)

func read(tb testing.TB, text string) (part.Found, bool) {
	tb.Helper()
	types := offered()
	f, ok := Read(part.Input{Text: text, Data: []byte(text), Types: types}, filltest.Address)
	filltest.Sound(tb, types, f)
	return f, ok
}

var cases = []struct{ text, want string }{
	{`ssh -p 2222 -i ~/.ssh/id mira@files.example.com`, "sftp host=files.example.com port=2222 user=mira auth=key -IdentityFile ~/.ssh/id"},
	{`$ ssh -J jump@bastion.example.com -o HostKeyAlgorithms=+ssh-rsa files.example.com ls -p 3`, "sftp host=files.example.com legacy=true -ProxyJump jump@bastion.example.com"},
	{`sftp -P 2022 mira@files.example.com:reports/2026`, "sftp host=files.example.com port=2022 user=mira folder=reports/2026"},
	{`scp -P 22 report.csv mira@files.example.com:in/report.csv`, "sftp host=files.example.com port=22 user=mira folder=in"},
	{`sshpass -p practice-only-1 ssh mira@files.example.com`, "sftp host=files.example.com user=mira auth=password password*practice-only-1"},
	{`ssh -N -L 5432:db:5432 mira@bastion.example.com`, "ssh host=bastion.example.com user=mira"},
	{`PGPASSWORD=practice-only-1 psql -h db.example.com -p 5433 -U reader sales`, "postgres host=db.example.com port=5433 user=reader password*practice-only-1 database=sales"},
	{`psql "host=db.example.com user=reader password='practice only' dbname=sales sslmode=disable sslrootcert=ca.pem"`, "postgres host=db.example.com user=reader password*practice only database=sales tls=off -sslrootcert ca.pem"},
	{`psql postgres://reader:practice-only-1@db.example.com:5433/sales`, "postgres host=db.example.com port=5433 user=reader password*practice-only-1 database=sales"},
	{`PGPASSWORD=$SECRET psql -h db.example.com -U reader`, "postgres host=db.example.com user=reader -the value of $SECRET"},
	{`psql -h db.example.com -U "$(whoami)"`, "postgres host=db.example.com -the value of a command"},
	{`mysql -h db.example.com -P 3307 -u reader -ppractice-only-1 --ssl-ca=ca.pem shop`, "mysql host=db.example.com port=3307 user=reader password*practice-only-1 database=shop ---ssl-ca ca.pem"},
	{`mysql -uroot -p shop`, "mysql host=localhost user=root database=shop"},
	{`mongosh "db.example.com:27018/shop" -u reader -p practice-only-1 --authenticationDatabase admin --tls`, "mongodb host=db.example.com port=27018 user=reader password*practice-only-1 auth_source=admin database=shop security=tls"},
	{`redis-cli -h cache.example.com -p 6380 -a practice-only-1 -n 2 --tls`, "redis host=cache.example.com port=6380 password*practice-only-1 database=2 security=tls"},
	{`redis-cli -u redis://u:practice-only-1@cache.example.com:6380`, "redis host=cache.example.com port=6380 user=u password*practice-only-1 security=none"},
	{`ldapsearch -H ldap://dc1.example.com -ZZ -D "cn=reader,dc=example,dc=com" -w practice-only-1 -b dc=example,dc=com -x "(uid=*)" mail`, "ldap host=dc1.example.com security=starttls user=cn=reader,dc=example,dc=com password*practice-only-1 base_dn=dc=example,dc=com show=filter filter=(uid=*)"},
	{`ldapsearch -Y GSSAPI -H ldaps://dc1.example.com:1636`, "ldap host=dc1.example.com port=1636 security=ldaps auth=kerberos"},
	{`mosquitto_sub -h broker.example.com -p 8883 -u dash -P practice-only-1 --cafile ca.crt -t plant/# -t other -V 5`, "mqtt host=broker.example.com port=8883 transport=tls auth=password user=dash password*practice-only-1 topic=plant/#\nother protocol=5 ---cafile ca.crt"},
	{`mosquitto_sub -h broker.example.com -t x`, "mqtt host=broker.example.com transport=tcp auth=anonymous topic=x"},
	{`kcat -b b1.example.com:9093,b2.example.com:9093 -X security.protocol=SASL_SSL -X sasl.mechanisms=SCRAM-SHA-512 -X sasl.username=reader -X sasl.password=practice-only-1 -t orders -C`, "kafka servers=b1.example.com:9093\nb2.example.com:9093 security=sasl_tls mechanism=SCRAM-SHA-512 user=reader password*practice-only-1 topics=orders"},
	{`kafka-console-consumer.sh --bootstrap-server b1.example.com:9092 --topic orders --consumer.config c.properties`, "kafka servers=b1.example.com:9092 security=plaintext topics=orders ---consumer.config c.properties"},
	{`nats -s tls://nats.example.com:4222 --creds me.creds sub ">"`, "nats servers=nats.example.com:4222 transport=tls auth=creds ---creds me.creds"},
	{`smbclient //files.example.com/reports -U 'CORP\mira%practice-only-1'`, "smb host=files.example.com share=reports user=mira domain=CORP password*practice-only-1"},
	{`lftp -u mira,practice-only-1 ftp.example.com`, "ftp host=ftp.example.com user=mira password*practice-only-1"},
	{`rclone ls ":sftp,host=files.example.com,user=mira:reports"`, "sftp host=files.example.com user=mira auth=agent folder=reports"},
	{`AWS_ACCESS_KEY_ID=AKIAPRACTICEONLY0000 AWS_SECRET_ACCESS_KEY=practice-only-secret-practice-only-secre1 aws s3 ls --region eu-west-1`, "s3 access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1 region=eu-west-1"},
	{`sqlcmd -S tcp:sql.example.com\SQLEXPRESS,1433 -U reader -P practice-only-1 -d Sales`, "sqlserver host=sql.example.comSQLEXPRESS"},
	{`sqlcmd -S 'tcp:sql.example.com,1434' -U reader -P practice-only-1 -d Sales`, "sqlserver host=sql.example.com port=1434 user=reader password*practice-only-1 database=Sales"},
	{`clickhouse-client --host ch.example.com --secure --user reader --password practice-only-1`, "clickhouse host=ch.example.com security=tls user=reader password*practice-only-1"},
	{`sqlplus READER/practice-only-1@//db.example.com:1522/FREEPDB1`, "oracle host=db.example.com port=1522 service=FREEPDB1 user=READER password*practice-only-1 tls=off"},
	{`openssl s_client -connect smtp.example.com:587 -starttls smtp`, "smtp host=smtp.example.com port=587 security=starttls"},
	{`swaks --server smtp.example.com:587 --tls --auth LOGIN --auth-user mira --auth-password practice-only-1 --to a@example.com`, "smtp host=smtp.example.com port=587 security=starttls auth=login user=mira password*practice-only-1"},
	{`kinit mira@CORP.EXAMPLE.COM`, "user_password user=mira domain=CORP.EXAMPLE.COM"},
	{`curl -u AC00000000000000000000000000000000:00000000000000000000000000000000 https://api.twilio.com/2010-04-01/Accounts.json`, "twilio account_sid=AC00000000000000000000000000000000 auth_token*00000000000000000000000000000000"},
	{`curl -H "Authorization: Bearer practice-only-1" https://api.example.com/v1/me?x=1`, "http base_url=https://api.example.com auth=bearer token*practice-only-1 test_path=/v1/me?x=1 test_method=GET"},
	{`curl --digest -u mira:practice-only-1 https://api.example.com/`, "http base_url=https://api.example.com auth=digest user=mira password*practice-only-1 test_method=GET"},
	{`curl "https://api.example.com/me?api_key=practice-only-1&v=2"`, "http base_url=https://api.example.com auth=key key*practice-only-1 key_in=query key_name=api_key test_path=/me?v=2 test_method=GET"},
	{`curl -X PROPFIND -u mira:practice-only-1 https://cloud.example.com/remote.php/dav/files/mira/`, "webdav url=https://cloud.example.com/remote.php/dav/files/mira"},
	{`curl -u mira:practice-only-1 ftp://ftp.example.com/reports/`, "ftp host=ftp.example.com auth=password user=mira password*practice-only-1"},
	{`curl --cert client.pem --key key.pem https://api.example.com/x`, "http base_url=https://api.example.com auth=none certificate=pem test_path=/x test_method=GET -the file client.pem -the file key.pem"},
	{`curl -d grant_type=client_credentials -d client_id=c1 -d client_secret=practice-only-1 https://login.example.com/token`, "http auth=oauth grant=client_credentials token_url=https://login.example.com/token client_id=c1 client_auth=post client_secret*practice-only-1"},
	{"curl ^\"https://api.example.com/x^\" ^\n  -H ^\"X-API-Key: practice-only-^%^1^\" ^\n  --compressed", "http base_url=https://api.example.com auth=key key*practice-only-%1 key_in=header key_name=X-API-Key test_path=/x test_method=GET"},
	{"Invoke-RestMethod -Uri \"https://api.example.com/x\" `\n -Headers @{\n\"Authorization\"=\"Bearer practice-only-1\"\n} -Method GET", "http base_url=https://api.example.com auth=bearer token*practice-only-1 test_path=/x test_method=GET"},
	{"http -a mira:practice-only-1 GET api.example.com/x Accept-Language:en q==1", "http base_url=http://api.example.com headers=Accept-Language: en auth=basic user=mira password*practice-only-1 test_path=/x?q=1 test_method=GET"},
	{"wget --user mira --password practice-only-1 https://api.example.com/x", "http base_url=https://api.example.com auth=basic user=mira password*practice-only-1 test_path=/x test_method=GET"},
}

func TestCommandLines(t *testing.T) {
	types := offered()
	for _, c := range cases {
		f, ok := read(t, c.text)
		if !ok {
			t.Errorf("%s\nis not read", c.text)
			continue
		}
		if got := filltest.Flat(types, f.Items[0].Readings[0]); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestSeveralCommands(t *testing.T) {
	f, ok := read(t, "cd /tmp && curl https://a.example.com/ | jq .\n$ ssh mira@b.example.com\n")
	if !ok || len(f.Items) != 2 || f.What != "2 command lines" {
		t.Errorf("%+v", f.What)
	}
}

func TestOtherTextIsNotMine(t *testing.T) {
	for _, text := range []string{"", "hello", "curl", "HOST=x", "curl is a program", "ssh", "{\"a\": 1}", "[default]\ncurl = 1"} {
		if f, ok := read(t, text); ok && len(f.Items[0].Readings[0].Settings.Plain) == 0 {
			t.Errorf("%q is taken for %s", text, f.What)
		}
	}
}

func TestHostileCommandsAreBounded(t *testing.T) {
	for _, s := range []string{"$(", "(", "{ ", "if ", "! ", "`", "${a", "[[ ( ", "$((", "a && ", "\\\n", "'", "<<a\n", "((", "while ", "a | ", "\"$(", "&& ", "function f ", "x() ", "time ", "coproc "} {
		read(t, "curl "+strings.Repeat(s, maxText/len(s)-10))
		read(t, strings.Repeat(s, 2900)+" curl https://x")
	}
}

func FuzzCommand(f *testing.F) {
	for _, c := range cases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) { read(t, text) })
}
