package use

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

func TestEnvironmentFiles(t *testing.T) {
	t.Parallel()
	const dump = `
import sys, json, os
from dotenv import dotenv_values
print(json.dumps([dict(dotenv_values(n)) for n in sys.argv[1:]]))`
	dir := t.TempDir()
	var names []string
	var want []string
	for i, password := range nasty {
		g := as(t, "postgres", "host", "db.example.test", "user", "ann", "password", password, "database", "shop")
		shell, ok := held(t, "env-sh", g, Options{})
		if !ok {
			t.Fatalf("password %d is not held", i)
		}
		text, both := held(t, "env", g, Options{}, "password")
		for _, x := range []struct {
			text Text
			ok   bool
			run  string
		}{{shell, true, `. "$1"`}, {text, both, `set -a; . "$1"`}} {
			if !x.ok {
				continue
			}
			out, err := tool(t, dir, nil, "", "sh", "-c", x.run+`; env -0 | tr '\0' '\001'`, "sh", saved(t, dir, "e"+strconv.Itoa(i), x.text))
			if err != nil || !strings.Contains(out, "JACKFIELD_PASSWORD="+password+"\x01") || !strings.Contains(out, "DATABASE_URL=postgresql://ann:") {
				t.Errorf("sh, password %d: %v %q", i, err, out)
			}
		}
		if both {
			names, want = append(names, filepath.Join(dir, "e"+strconv.Itoa(i))), append(want, password)
		}
		if docker, ok := held(t, "docker-env", g, Options{}, "password"); ok != !strings.Contains(password, "\n") || ok && !strings.Contains(docker.Body.Reveal(), "\nJACKFIELD_PASSWORD="+password+"\n") {
			t.Errorf("docker, password %d: held %t", i, ok)
		}
	}
	out, err := python(t, dir, nil, dump, names...)
	var got []map[string]string
	if err != nil || json.Unmarshal([]byte(out), &got) != nil {
		t.Fatalf("%v %s", err, out)
	}
	for i := range want {
		if got[i]["JACKFIELD_PASSWORD"] != want[i] {
			t.Errorf("dotenv: %q became %q", want[i], got[i]["JACKFIELD_PASSWORD"])
		}
	}
	if len(want) < len(nasty)*2/3 {
		t.Errorf("only %d are held", len(want))
	}
}

func TestKubernetesSecret(t *testing.T) {
	t.Parallel()
	const dump = `
import sys, json, yaml, base64
print(json.dumps([[d["kind"], d["metadata"]["name"], base64.b64decode(d["data"]["password"]).decode()] for d in map(lambda n: yaml.safe_load(open(n)), sys.argv[1:])]))`
	dir := t.TempDir()
	var names []string
	for i, password := range nasty {
		text, ok := held(t, "kubernetes", as(t, "mysql", "host", "db.example.test", "user", "ann", "password", password), Options{})
		if !ok {
			t.Fatal(i)
		}
		names = append(names, saved(t, dir, strconv.Itoa(i), text))
	}
	out, err := python(t, dir, nil, dump, names...)
	var got [][]string
	if err != nil || json.Unmarshal([]byte(out), &got) != nil {
		t.Fatalf("%v %s", err, out)
	}
	for i, d := range got {
		if d[0] != "Secret" || d[1] != "shop-of-ann" || d[2] != nasty[i] {
			t.Errorf("%q", d)
		}
	}
}

// What Postman and Terraform read is tested against their documentation: neither
// is in Debian.
func TestDocsShapedPostmanAndTerraform(t *testing.T) {
	t.Parallel()
	for _, password := range nasty {
		g := as(t, "mysql", "host", "db.example.test", "user", "ann", "password", password)
		text, _ := held(t, "postman", g, Options{})
		var got struct {
			Name   string
			Values []struct{ Key, Value, Type string }
			Scope  string `json:"_postman_variable_scope"`
		}
		if err := json.Unmarshal([]byte(text.Body.Reveal()), &got); err != nil || got.Scope != "environment" || got.Name != "Shop of Ann" {
			t.Fatalf("%v %+v", err, got)
		}
		found := false
		for _, v := range got.Values {
			found = found || v.Key == "password" && v.Value == password && v.Type == "secret"
		}
		vars, _ := held(t, "tfvars", g, Options{})
		for line := range strings.Lines(vars.Body.Reveal()) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), "password = "); ok {
				back, err := readHCL(value)
				found = found && err == nil && back == password
			}
		}
		if !found {
			t.Errorf("%q is lost", password)
		}
	}
}

func TestDocsShapedFileZilla(t *testing.T) {
	t.Parallel()
	text, _ := held(t, "filezilla", as(t, "ftp", "host", "ftp.example.test", "tls", "explicit", "user", `a<n&"n`, "password", nasty[2]), Options{})
	var got struct {
		Server struct{ Host, Port, Protocol, User, Pass, Logontype string } `xml:"Servers>Server"`
	}
	if err := xml.Unmarshal([]byte(text.Body.Reveal()), &got); err != nil {
		t.Fatal(err)
	}
	if s := got.Server; s.Host != "ftp.example.test" || s.Port != "21" || s.Protocol != "4" || s.User != `a<n&"n` || s.Logontype != "1" || s.Pass == "" {
		t.Errorf("%+v", s)
	}
}

func TestCurlSignsIn(t *testing.T) {
	t.Parallel()
	var got *http.Request
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Clone(r.Context()); _, _ = w.Write([]byte("{}")) }))
	defer web.Close()
	curl := func(t *testing.T, g Given, env []string, o Options) {
		t.Helper()
		text, err := Write("curl", g, o)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if out, err := tool(t, dir, env, "", "sh", saved(t, dir, "run.sh", text)); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, text.Body.Reveal())
		}
	}
	for _, password := range nasty {
		g := as(t, "http", "base_url", web.URL, "auth", "basic", "user", "ann", "password", password)
		curl(t, g, nil, Options{Secrets: Reveal})
		if user, pw, _ := got.BasicAuth(); user != "ann" || pw != password {
			t.Errorf("%q came as %q", password, pw)
		}
		if strings.ContainsAny(password, "\n\t") || strings.TrimSpace(password) != password || len(password) != len([]rune(password)) {
			continue // no header can have it
		}
		keyed := as(t, "http", "base_url", web.URL, "auth", "key", "key", password, "key_name", "X-Key")
		want := keyed.Type.Form.Tidied(keyed.Settings).Secrets["key"].Reveal() // a key's own quotes are taken off
		if want == "" {
			continue
		}
		if curl(t, keyed, nil, Options{Secrets: Reveal}); got.Header.Get("X-Key") != want {
			t.Errorf("%q came as %q", want, got.Header.Get("X-Key"))
		}
	}
	t.Run("query", func(t *testing.T) {
		curl(t, as(t, "http", "base_url", web.URL, "auth", "key", "key", "a&b=c d", "key_in", "query", "key_name", "k"), nil, Options{Secrets: Reveal})
		if got.URL.Query().Get("k") != "a&b=c d" {
			t.Error(got.URL)
		}
	})
	t.Run("variable", func(t *testing.T) {
		curl(t, as(t, "http", "base_url", web.URL, "auth", "bearer", "token", "practice-only-token"), []string{"JACKFIELD_TOKEN=another-practice"}, Options{Secrets: Variable})
		if got.Header.Get("Authorization") != "Bearer another-practice" {
			t.Error(got.Header)
		}
	})
	t.Run("service", func(t *testing.T) {
		curl(t, as(t, "github", "token", "github_pat_practiceonly0000", "base_url", web.URL+"/api/v3"), nil, Options{Secrets: Reveal})
		if got.Header.Get("Authorization") != "Bearer github_pat_practiceonly0000" || got.URL.Path != "/api/v3/user" {
			t.Error(got.URL, got.Header)
		}
	})
	t.Run("netrc", func(t *testing.T) {
		for _, password := range nasty {
			text, ok := held(t, "netrc", as(t, "webdav", "url", web.URL, "user", "ann", "password", password), Options{}, "password")
			if !ok {
				continue
			}
			dir := t.TempDir()
			out, err := tool(t, dir, nil, "", "curl", "-sS", "--netrc-file", saved(t, dir, "netrc", text), web.URL)
			if _, pw, _ := got.BasicAuth(); err != nil || pw != password {
				t.Errorf("%q came as %q: %v %s", password, pw, err, out)
			}
		}
	})
	text, err := Write("http-header", as(t, "mailchimp", "server", "us6", "api_key", "0123456789abcdef0123456789abcdef-us6"), Options{Secrets: Reveal})
	if err != nil || !strings.HasPrefix(text.Body.Reveal(), "Authorization: ") {
		t.Error(err)
	}
}

func TestRcloneAndAWSTools(t *testing.T) {
	t.Parallel()
	rclone, dir := server.Program(t, "rclone", "rclone"), t.TempDir()
	shared := t.TempDir()
	server.WriteFile(t, shared, "notes.txt", "hello", 0o644)
	remote := func(g Given) string {
		text, ok := held(t, "rclone", g, Options{Profile: "there", Folder: dir})
		if !ok {
			t.Fatal("not held")
		}
		out, err := tool(t, dir, nil, "", rclone, "lsf", "--config", saved(t, dir, "rclone.conf", text), "there:")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return out
	}
	for _, password := range nasty {
		out, err := obscured(password)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tool(t, dir, nil, "", rclone, "reveal", "--", out)
		if err != nil || got != password+"\n" {
			t.Errorf("%q came as %q", password, got)
		}
	}
	for _, i := range []int{0, 2, 4, 5} {
		at := server.RcloneDAV(t, shared, "--user", "ann", "--pass", nasty[i])
		if out := remote(as(t, "webdav", "url", "http://"+at, "user", "ann", "password", nasty[i])); out != "notes.txt\n" {
			t.Errorf("WebDAV: %q", out)
		}
		g := as(t, "webdav", "url", "http://"+at, "user", "ann", "password", nasty[i])
		vars, err := Env(g)
		if err != nil {
			t.Fatal(err)
		}
		var env []string
		for _, v := range vars {
			env = append(env, v.Name+"="+v.Value.Reveal())
		}
		if out, err := tool(t, dir, env, "", rclone, "lsf", "--config", "/dev/null", "SHOP_OF_ANN:"); err != nil || out != "notes.txt\n" {
			t.Errorf("WebDAV by environment: %v %q", err, out)
		}
	}
	s3 := server.Versity(t, "eu-west-1", nil)
	if err := os.MkdirAll(filepath.Join(s3.Dir, "reports"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := as(t, "s3_compatible", "endpoint", s3.URL, "access_key", s3.Access, "secret_key", s3.Secret, "region", "eu-west-1", "addressing", "path")
	if out := remote(g); out != "reports/\n" {
		t.Errorf("S3: %q", out)
	}
	aws := "/usr/bin/aws"
	text, _ := held(t, "aws-profile", g, Options{Profile: "shop"})
	credentials := saved(t, dir, "credentials", text)
	env := []string{"AWS_SHARED_CREDENTIALS_FILE=" + credentials, "AWS_CONFIG_FILE=" + filepath.Join(dir, "config"), "AWS_PROFILE=shop", "AWS_EC2_METADATA_DISABLED=true"}
	if out, err := tool(t, dir, env, "", aws, "s3", "ls", "--endpoint-url", s3.URL); err != nil || !strings.Contains(out, "reports") {
		t.Errorf("aws by profile: %v\n%s", err, out)
	}
	answer, err := CredentialProcess(g)
	if err != nil {
		t.Fatal(err)
	}
	g.Name = `An'n "b`
	process, err := Write("aws-process", g, Options{Profile: "shop"})
	if err != nil || strings.Contains(process.Body.Reveal(), s3.Secret) {
		t.Fatal(err)
	}
	saved(t, dir, "config", process)
	bin := filepath.Join(dir, "bin")
	server.Run(t, "mkdir", bin)
	server.WriteFile(t, bin, "jf", "#!/bin/sh\n[ \"$2\" = 'An'\\''n \"b' ] && exec cat "+server.WriteFile(t, dir, "answer", answer.Reveal(), 0o600)+"\n", 0o755)
	env = []string{"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_CONFIG_FILE=" + filepath.Join(dir, "config"), "AWS_PROFILE=shop", "AWS_EC2_METADATA_DISABLED=true", "PATH=" + bin + ":/usr/bin:/bin"}
	if out, err := tool(t, dir, env, "", aws, "s3", "ls", "--endpoint-url", s3.URL); err != nil || !strings.Contains(out, "reports") {
		t.Errorf("aws by credential_process: %v\n%s", err, out)
	}
	curl, _ := held(t, "curl", g, Options{})
	if out, err := tool(t, dir, nil, "", "sh", saved(t, dir, "run.sh", curl)); err != nil || !strings.Contains(out, "<Name>reports</Name>") {
		t.Errorf("curl: %v\n%s", err, out)
	}
}

func TestOpenSSHTools(t *testing.T) {
	t.Parallel()
	const phrase = "practice-only-home"
	account := server.NewAccount(t, "jf-use", phrase)
	dir, home := filepath.Dir(account.Home), t.TempDir()
	server.Run(t, "mkdir", "-p", account.Home, "/run/sshd")
	server.WriteFile(t, account.Home, "notes.txt", "hello", 0o644)
	for _, name := range []string{"host", "user"} {
		server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name))
	}
	port := server.FreePort(t)
	conf := server.WriteFile(t, dir, "sshd.conf", "Port "+strconv.Itoa(port)+"\nListenAddress 127.0.0.1\nPidFile none\nHostKey "+dir+"/host\nStrictModes no\nAuthorizedKeysFile "+dir+"/user.pub\nUseDNS no\nUsePAM no\nSubsystem sftp internal-sftp\n", 0o644)
	server.Start(t, exec.Command(server.Program(t, "sshd", "openssh-server"), "-D", "-e", "-f", conf), "127.0.0.1:"+strconv.Itoa(port))
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	known := "[127.0.0.1]:" + strconv.Itoa(port) + " " + read("host.pub")
	g := as(t, "sftp", "host", "127.0.0.1", "port", strconv.Itoa(port), "user", "jf-use", "auth", "key", "key", read("user"), "known_hosts_file", known)
	server.Run(t, server.Program(t, "puttygen", "putty-tools"), filepath.Join(dir, "user"), "-O", "private", "-o", filepath.Join(dir, "user.ppk"))
	putty := g
	putty.Settings = g.Settings.Clone()
	putty.Settings.Secrets["key"] = connectors.NewSecret(read("user.ppk"))
	for name, g := range map[string]Given{"OpenSSH": g, "PuTTY": putty} {
		text, _ := held(t, "ssh-config", g, Options{Profile: "shop", Folder: home})
		file := saved(t, home, "ssh_config", text)
		if out, err := tool(t, home, nil, "", "ssh", "-F", file, "-o", "BatchMode=yes", "shop", "echo signed in"); err != nil || out != "signed in\n" {
			t.Errorf("ssh with a key of %s: %v %s", name, err, out)
		}
		if said := strings.Contains(strings.Join(text.Warnings, " "), "was converted"); said != (name == "PuTTY") {
			t.Errorf("a key of %s: %q", name, text.Warnings)
		}
	}
	remote, _ := held(t, "rclone", g, Options{Profile: "there", Folder: home})
	if out, err := tool(t, home, nil, "", "rclone", "lsf", "--config", saved(t, home, "rclone.conf", remote), "there:"); err != nil || !strings.Contains(out, "notes.txt\n") {
		t.Errorf("rclone: %v %s", err, out)
	}
	withPassword := as(t, "sftp", "host", "127.0.0.1", "port", strconv.Itoa(port), "user", "jf-use", "password", phrase, "known_hosts_file", known)
	remote, _ = held(t, "rclone", withPassword, Options{Profile: "there", Folder: home})
	if out, err := tool(t, home, nil, "", "rclone", "lsf", "--config", saved(t, home, "rclone.conf", remote), "there:"); err != nil || !strings.Contains(out, "notes.txt\n") {
		t.Errorf("rclone with a password: %v %s", err, out)
	}
	for _, user := range []string{`a n'n`, `a"n`, `a\b`, "a#b", "ünal", "a$b{c}:d/e@f?"} {
		g := as(t, "ssh", "host", "db.example.test", "user", user, "password", phrase)
		text, ok := held(t, "ssh-config", g, Options{Profile: "shop"})
		if !ok {
			t.Errorf("%q is not held", user)
			continue
		}
		out, err := tool(t, home, nil, "", "ssh", "-G", "-F", saved(t, home, "ssh_config", text), "shop")
		if err != nil || !strings.Contains(out, "\nuser "+user+"\n") && !strings.HasPrefix(out, "user "+user+"\n") {
			t.Errorf("%q: %v %.200s", user, err, out)
		}
	}
	if _, ok := held(t, "ssh-config", as(t, "ssh", "host", "db.example.test", "user", "50%h", "password", phrase), Options{}, "user"); ok {
		t.Error("a user with % is written")
	}
}
