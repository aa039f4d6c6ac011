package configs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/configs/fill/filltest"
	"jackfield/connectors/intake/internal/part"
)

var offered = sync.OnceValue(all.All)

func read(tb testing.TB, name, text string) (part.Found, bool) {
	tb.Helper()
	f, ok := Read(part.Input{Name: name, Text: text, Data: []byte(text), Types: offered()}, filltest.Address)
	filltest.Sound(tb, offered(), f)
	return f, ok
}

var cases = []struct{ name, text, want string }{
	{".pgpass", "# c\ndb.example.com:5433:sales:reader:practice\\:only\\\\1\n*:*:*:mira:practice-only-2\n", "postgres host=db.example.com port=5433 user=reader password*practice:only\\1 database=sales"},
	{"pg_service.conf", "[sales]\nhost=db.example.com\nport=5433\nuser=reader\ndbname=sales\npassword=practice-only-1\n", "postgres host=db.example.com port=5433 user=reader password*practice-only-1 database=sales"},
	{".my.cnf", "[client]\nuser=reader\npassword=\"practice#only\"\nhost = db.example.com\nssl-ca=/x/ca.pem\n", "mysql host=db.example.com user=reader password*practice#only -ssl-ca /x/ca.pem"},
	{"odbc.ini", "[ODBC Data Sources]\nsales=PostgreSQL\n[sales]\nDriver = PostgreSQL Unicode\nServername = db.example.com\nPort=5433\nUserName=reader\nPassword=practice-only-1\nDatabase=sales\n", "postgres host=db.example.com port=5433 user=reader password*practice-only-1 database=sales"},
	{"client.properties", "bootstrap.servers=b1.example.com:9093,b2.example.com:9093\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username=\"reader\" password=\"practice-only-${HOME}\";\nssl.truststore.location=/x/t.jks\n",
		"kafka servers=b1.example.com:9093\nb2.example.com:9093 security=sasl_tls mechanism=PLAIN user=reader -the value of $HOME -ssl.truststore.location /x/t.jks"},
	{"application.properties", "spring.datasource.url=jdbc:postgresql://db.example.com:5433/sales\nspring.datasource.username=reader\nspring.datasource.password=practice-only-1\n", "postgres host=db.example.com port=5433 user=reader password*practice-only-1 database=sales"},
	{"application.yml", "spring:\n  datasource:\n    url: jdbc:mysql://db.example.com/shop\n    username: reader\n    password: practice-only-1\n", "mysql host=db.example.com user=reader password*practice-only-1 database=shop"},
	{".env", "DB_CONNECTION=pgsql\nDB_HOST=db.example.com\nDB_PORT=5433\nDB_DATABASE=sales\nDB_USERNAME=reader\nDB_PASSWORD='practice#only'\n", "postgres host=db.example.com port=5433 user=reader password*practice#only database=sales"},
	{".env", "export DATABASE_URL=\"postgres://reader:practice-only-1@db.example.com/sales\"\nDEBUG=1\n", "postgres host=db.example.com user=reader password*practice-only-1 database=sales"},
	{".env", "MAIL_HOST=smtp.example.com\nMAIL_PORT=587\nMAIL_USERNAME=mira\nMAIL_PASSWORD=practice-only-1\nMAIL_ENCRYPTION=tls\n", "smtp host=smtp.example.com port=587 security=starttls user=mira password*practice-only-1"},
	{"", "$env:AWS_ACCESS_KEY_ID=\"AKIAPRACTICEONLY0000\"\n$env:AWS_SECRET_ACCESS_KEY=\"practice-only-secret-practice-only-secre1\"\n", "s3 access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1"},
	{"", "set AWS_ACCESS_KEY_ID=AKIAPRACTICEONLY0000\nset AWS_SECRET_ACCESS_KEY=practice-only-secret-practice-only-secre1\n", "s3 access_key=AKIAPRACTICEONLY0000"},
	{"compose.yml", "services:\n  app:\n    environment:\n      - REDIS_URL=redis://:practice-only-1@cache.example.com:6380\n      - X=${Y}\n", "redis host=cache.example.com port=6380 password*practice-only-1"},
	{"secret.yaml", "kind: Secret\nmetadata: {name: db}\ndata:\n  DB_HOST: ZGIuZXhhbXBsZS5jb20=\n  DB_PORT: NTQzMg==\n  DB_PASSWORD: cHJhY3RpY2Utb25seS0x\n", "postgres host=db.example.com port=5432 password*practice-only-1"},
	{"accessKeys.csv", "Access key ID,Secret access key\nAKIAPRACTICEONLY0000,practice-only-secret-practice-only-secre1\n", "s3 access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1"},
	{"rootkey.csv", "AWSAccessKeyId=AKIAPRACTICEONLY0000\nAWSSecretKey=practice-only-secret-practice-only-secre1\n", "s3 access_key=AKIAPRACTICEONLY0000"},
	{".s3cfg", "[default]\naccess_key = reader\nsecret_key = practice-only-1\nhost_base = minio.example.com:9000\nhost_bucket = minio.example.com:9000\nuse_https = True\n", "s3_compatible endpoint=https://minio.example.com:9000 access_key=reader secret_key*practice-only-1 addressing=path"},
	{".boto", "[Credentials]\ngs_access_key_id = GOOG1EXAMPLEEXAMPLEEXAMPLE\ngs_secret_access_key = practice-only-1\n", "gcs auth=hmac access_key=GOOG1EXAMPLEEXAMPLEEXAMPLE"},
	{".netrc", "machine api.example.com login mira password practice-only-1\n", "http base_url=https://api.example.com auth=basic user=mira password*practice-only-1"},
	{"mosquitto.conf", "connection plant\naddress broker.example.com:8883\nbridge_cafile /x/ca.crt\nremote_username dash\nremote_password practice-only-1\ntopic plant/# in 1\n", "mqtt host=broker.example.com port=8883 user=dash password*practice-only-1 topic=plant/# -bridge_cafile /x/ca.crt"},
	{"tnsnames.ora", "SALES =\n (DESCRIPTION = (ADDRESS = (PROTOCOL = TCPS)(HOST = db.example.com)(PORT = 2484))\n (CONNECT_DATA = (SERVICE_NAME = sales.example.com)))\n", "oracle host=db.example.com port=2484 service=sales.example.com tls=tcps"},
	{"p.reg", "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\my%20box]\n\"HostName\"=\"files.example.com\"\n\"Protocol\"=\"ssh\"\n\"PortNumber\"=dword:000008ae\n\"UserName\"=\"mira\"\n\"PublicKeyFile\"=\"C:\\\\keys\\\\id.ppk\"\n", `sftp host=files.example.com port=2222 user=mira auth=key -PublicKeyFile C:\keys\id.ppk`},
	{"WinSCP.ini", "[Sessions\\my%20box]\nHostName=files.example.com\nUserName=mira\nPassword=" + scramble("mirafiles.example.compractice-only-1") + "\n", "sftp host=files.example.com user=mira password*practice-only-1"},
	{"config", "[profile dev]\nrole_arn=arn:aws:iam::123456789012:role/reader\nsource_profile=base\n[base]\naws_access_key_id=AKIAPRACTICEONLY0000\naws_secret_access_key=practice-only-secret-practice-only-secre1\n[profile s]\nsso_start_url=https://x.example.com\n", "s3 auth=role access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1 role_arn=arn:aws:iam::123456789012:role/reader"},
}

// scramble is what WinSCP writes for a password, owner included.
func scramble(clear string) string {
	raw := append([]byte{0xFF, 0, byte(len(clear)), 3, 9, 9, 9}, clear...)
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range raw {
		c = ^c ^ 0xA3
		b.WriteString(string(digits[c>>4]) + string(digits[c&15]))
	}
	return b.String()
}

func TestFiles(t *testing.T) {
	for _, c := range cases {
		f, ok := read(t, c.name, c.text)
		if !ok {
			t.Errorf("%s is not read:\n%s", c.name, c.text)
			continue
		}
		if got := filltest.Flat(offered(), f.Items[0].Readings[0]); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s (%s)\n got %q\nwant %q", c.name, f.What, got, c.want)
		}
	}
}

// Files that rclone itself writes, with passwords that it obscured.
func TestRcloneWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rclone.conf")
	for _, args := range [][]string{
		{"one", "sftp", "host=files.example.com", "user=mira", "port=2222", "pass=practice=only 1ä"},
		{"two", "ftp", "host=ftp.example.com", "user=mira", "pass=practice-only-2", "explicit_tls=true"},
		{"three", "webdav", "url=https://cloud.example.com/dav", "vendor=other", "user=mira", "pass=practice-only-3"},
		{"four", "s3", "provider=AWS", "access_key_id=AKIAPRACTICEONLY0000", "secret_access_key=practice-only-secret-practice-only-secre1", "region=eu-west-1"},
		{"five", "s3", "provider=Minio", "access_key_id=reader", "secret_access_key=practice-only-5", "endpoint=http://minio.example.com:9000"},
		{"six", "smb", "host=files.example.com", "user=mira", "pass=practice-only-6", "domain=CORP"},
		{"seven", "azureblob", "account=acmereports", "key=cHJhY3RpY2Utb25seS1wcmFjdGljZS1vbmx5LXByYWN0aWNlLW9ubHktcHJhY3RpY2Utb25seS1wcmFjdGk="},
	} {
		out, err := exec.CommandContext(t.Context(), "rclone", append([]string{"--config", file, "config", "create", "--obscure", "--non-interactive"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, ok := read(t, "rclone.conf", string(text))
	want := []string{"sftp host=files.example.com port=2222 user=mira password*practice=only 1ä", "ftp host=ftp.example.com tls=explicit user=mira password*practice-only-2",
		"webdav url=https://cloud.example.com/dav user=mira password*practice-only-3", "s3 access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1 region=eu-west-1",
		"s3_compatible endpoint=http://minio.example.com:9000 access_key=reader secret_key*practice-only-5", "smb host=files.example.com user=mira domain=CORP password*practice-only-6", "azure_blob account=acmereports account_key*"}
	if !ok || len(f.Items) != len(want) {
		t.Fatalf("%d items", len(f.Items))
	}
	got := ""
	for _, it := range f.Items {
		got += filltest.Flat(offered(), it.Readings[0]) + "\n"
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in\n%s", w, got)
		}
	}
}

const sshFile = `User everybody
Include ~/.ssh/other
Host a b bas*tion
  HostName %h.example.com
  Port 2222
Host c1.example.com c2.example.com c3.example.com c4.example.com c5.example.com c6.example.com
  User cee
Host "q1" q2 q3 q4
  HostName=q.example.com
  IdentityFile ~/.ssh/q
  IdentityFile ~/.ssh/q2
Host *.example.com !c2.example.com
  Port 2022
  ProxyJump a
Host d? !d2
  Port 77
Host d1 d2 d3 d4 d5 d6 d7 d8 d9
	hostname 10.0.0.1 # the lab
	USER   dee
Host e1 e2 e3 e4 e5 e6 e7 e8 e9
  Port	9
Host *
  User last
  Port 1
`

// What ssh itself makes of the file is what is read out of it.
func TestSSHAgreement(t *testing.T) {
	text := strings.Replace(sshFile, "User everybody\nInclude ~/.ssh/other\n", "", 1)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, ok := read(t, "config", text)
	if !ok || len(f.Items) < 30 {
		t.Fatalf("%d hosts", len(f.Items))
	}
	for _, it := range f.Items {
		out, err := exec.CommandContext(t.Context(), "ssh", "-G", "-F", file, it.Name).Output()
		if err != nil {
			t.Fatal(err)
		}
		plain := it.Readings[0].Settings.Plain
		for _, kv := range [][2]string{{"hostname", plain["host"]}, {"port", plain["port"]}, {"user", plain["user"]}} {
			if kv[1] == "" {
				kv[1] = "22"
			}
			if !strings.Contains("\n"+string(out), "\n"+kv[0]+" "+kv[1]+"\n") {
				t.Errorf("%s: %s is read as %q", it.Name, kv[0], kv[1])
			}
		}
	}
}

func TestSSHIncludeIsNotFollowed(t *testing.T) {
	f, ok := read(t, "config", sshFile)
	if !ok || len(f.Left) != 1 || f.Left[0].Name != "Include" || f.Items[0].Readings[0].Settings.Plain["user"] != "everybody" {
		t.Errorf("%+v", f.Left)
	}
}

func TestDotenvAgreement(t *testing.T) {
	text := "A=1\nB='x y'\nC=\"x\\ny\"\nD=x # c\nE=x#y\nexport F=z\nG='it\\'s'\nH=\"a\\\"b\"\nI=\"two\nlines\"\nJ=\nK= spaced  \nL=${A}2\nM='${A}'\nN=\"${A} b\"\nO=${NOPE_X:-def}\nP=\"tab\\t\\\\x\"\nQ='a\\nb'\nR = r\nS=a\\nb\n"
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys,json,dotenv;print(json.dumps(dotenv.dotenv_values(sys.argv[1])))", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	vars, _ := variables(text)
	if len(vars) != len(want) {
		t.Errorf("%d variables, python has %d", len(vars), len(want))
	}
	for _, v := range vars {
		if v[0] != "M" && want[v[0]] != v[1] { // M: python puts values into '…' too, shells and Docker do not
			t.Errorf("%s: %q, python %q", v[0], v[1], want[v[0]])
		}
	}
}

func TestAWSConfigureWrites(t *testing.T) {
	dir := t.TempDir()
	for _, kv := range [][2]string{{"aws_access_key_id", "AKIAPRACTICEONLY0000"}, {"aws_secret_access_key", "practice-only-secret-practice-only-secre1"}} {
		cmd := exec.CommandContext(t.Context(), "aws", "configure", "set", kv[0], kv[1], "--profile", "reader")
		cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "credentials"), "AWS_CONFIG_FILE="+filepath.Join(dir, "config"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	f, ok := read(t, "credentials", string(text))
	if !ok || filltest.Flat(offered(), f.Items[0].Readings[0]) != "s3 access_key=AKIAPRACTICEONLY0000 secret_key*practice-only-secret-practice-only-secre1" || f.Items[0].Name != "reader" {
		t.Errorf("%+v", f.What)
	}
}

func TestLockedRclone(t *testing.T) {
	f, ok := read(t, "rclone.conf", "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n")
	if !ok || f.Locked || len(f.Left) != 1 {
		t.Errorf("%+v", f)
	}
}

func TestOtherTextIsNotMine(t *testing.T) {
	for _, text := range []string{"", "hello", "a=b", "[x]\ny=z", "{\"a\":1}", "x: y", "a:b:c:d:e", "Host", "data: {}", "DEBUG=1\nX=2"} {
		if f, ok := read(t, "", text); ok {
			t.Errorf("%q is taken for %s", text, f.What)
		}
	}
}

// Lines that double each other are worth no more than the largest file.
func TestVariablesThatDoubleEachOther(t *testing.T) {
	vars, _ := variables("A=b\n" + strings.Repeat("A=${A}${A}\n", 40) + strings.Repeat("A=b${A}\n", 20_000) + "DB_HOST=db.example.com\n")
	total := 0
	for _, v := range vars {
		total += len(v[1])
	}
	if total > 3*maxText || vars[len(vars)-1][1] != "db.example.com" {
		t.Errorf("%d lines have %d bytes, the last is %q", len(vars), total, vars[len(vars)-1])
	}
}

func TestHostileFilesAreBounded(t *testing.T) {
	for _, line := range []string{"Host a*a*a*a*b x\n User u\n", "[a]\ntype=sftp\nhost=h\n", "A=\"\nDB_HOST=h\n", "a:\n ", "environment: [", "machine h login l\n", "X = (DESCRIPTION=\n", "a:1:b:c:d\n", "A_DB_HOST=${A_DB_HOST}${A_DB_HOST}x\n", "connection x\naddress h\n", "spring.datasource.url=x\n"} {
		read(t, "", strings.Repeat(line, 200_000/len(line)))
	}
	read(t, "", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e]\nenv: [*f,*f,*f,*f,*f,*f,*f,*f]\n")
}

func FuzzConfig(f *testing.F) {
	for _, c := range cases {
		f.Add(c.name, c.text)
	}
	f.Add("config", sshFile)
	rclone, file := server.Program(f, "rclone", "rclone"), filepath.Join(f.TempDir(), "rclone.conf")
	server.Run(f, rclone, "--config", file, "config", "create", "--obscure", "--non-interactive", "one", "sftp", "host=files.example.com", "user=mira", "pass=practice-only-1")
	server.Run(f, rclone, "--config", file, "config", "create", "--non-interactive", "two", "s3", "provider=AWS", "access_key_id=AKIAPRACTICEONLY0000", "region=eu-west-1")
	written, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("rclone.conf", string(written))
	f.Fuzz(func(t *testing.T, name, text string) { read(t, name, text) })
}

func FuzzReveal(f *testing.F) {
	f.Add(strings.TrimSpace(server.Run(f, server.Program(f, "rclone", "rclone"), "obscure", "practice-only-1")), "")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAA", "owner")
	f.Add(scramble("ownerx"), "owner")
	f.Fuzz(func(t *testing.T, text, owner string) {
		if clear, err := fill.RcloneReveal(text); err == nil && len(clear) > len(text) {
			t.Error("more came out than went in")
		}
		if clear, ok := WinSCPReveal(text, owner); ok && len(clear) > len(text) {
			t.Error("more came out than went in")
		}
	})
}
