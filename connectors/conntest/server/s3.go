package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The servers for objects, as Go builds them.
const (
	versityModule = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
	minioModule   = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
)

// GoProgram returns the path of a program that is built once from a module at
// a version, "example.com/mod/cmd/name@v1.2.3", and kept between runs.
func GoProgram(tb testing.TB, module string) string {
	tb.Helper()
	base := filepath.Base(module) // name@version
	name, _, _ := strings.Cut(base, "@")
	dir := Cached(tb, base, func(dir string) {
		cmd := exec.Command(Program(tb, "go", "golang-go"), "install", module)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-buildvcs=false")
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("go install %s: %v\n%s", module, err, out)
		}
	})
	return filepath.Join(dir, name)
}

// An S3User may do what its role at Versity's gateway allows.
type S3User struct{ Access, Secret, Role string }

// An S3 is a running server that speaks S3.
type S3 struct {
	URL            string
	Access, Secret string // of the administrator
	Region         string
	Dir            string // its buckets are folders in it
	Console        string // URL of MinIO's web console
}

// Versity starts Versity's S3 gateway over a folder. It is strict about
// signatures, regions and times. With a ca it speaks TLS with a certificate for
// localhost and 127.0.0.1.
func Versity(tb testing.TB, region string, ca *CA, users ...S3User) *S3 {
	tb.Helper()
	program := GoProgram(tb, versityModule)
	dir := tb.TempDir()
	data := filepath.Join(dir, "data")
	for _, d := range []string{data, filepath.Join(dir, "iam")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	addr, admin := "127.0.0.1:"+strconv.Itoa(FreePort(tb)), "127.0.0.1:"+strconv.Itoa(FreePort(tb))
	s := &S3{URL: "http://" + addr, Access: "practice-root", Secret: "practice-only-root-secret", Region: region, Dir: data}
	args := []string{"--port", addr, "--admin-port", admin, "--iam-dir", filepath.Join(dir, "iam"), "--region", region, "--quiet"}
	if ca != nil {
		cert, key := ca.Issue(tb, Cert{}).Write(tb, dir, "server-")
		args = append(args, "--cert", cert, "--key", key)
		s.URL = "https://" + addr
	}
	cmd := exec.Command(program, append(args, "posix", data)...)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.Access, "ROOT_SECRET_KEY="+s.Secret)
	p := Start(tb, cmd, addr)
	showOutput(tb, p)
	for _, u := range users {
		Run(tb, program, "admin", "--access", s.Access, "--secret", s.Secret, "--region", region, "--endpoint-url", "http://"+admin,
			"create-user", "--access", u.Access, "--secret", u.Secret, "--role", u.Role)
	}
	return s
}

// MinIO starts MinIO over a folder. domain, where it is not empty, is the name
// before which it takes the bucket's in the host ("bucket.domain").
func MinIO(tb testing.TB, domain string, console bool) *S3 {
	tb.Helper()
	program := GoProgram(tb, minioModule)
	dir := tb.TempDir()
	addr, web := "127.0.0.1:"+strconv.Itoa(FreePort(tb)), "127.0.0.1:"+strconv.Itoa(FreePort(tb))
	s := &S3{URL: "http://" + addr, Access: "practice-root", Secret: "practice-only-root-secret", Region: "us-east-1", Dir: dir, Console: "http://" + web}
	cmd := exec.Command(program, "server", "--quiet", "--config-dir", filepath.Join(dir, ".config"), "--address", addr, "--console-address", web, filepath.Join(dir, "data"))
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+s.Access, "MINIO_ROOT_PASSWORD="+s.Secret, "MINIO_UPDATE=off", "MINIO_DOMAIN="+domain, "HOME="+dir)
	if !console {
		cmd.Env = append(cmd.Env, "MINIO_BROWSER=off")
	}
	p := Start(tb, cmd, addr)
	showOutput(tb, p)
	AwaitOK(tb, s.URL+"/minio/health/cluster")
	if console {
		AwaitOK(tb, s.Console+"/")
	}
	return s
}

// AwaitOK waits until a page can be had.
func AwaitOK(tb testing.TB, page string) {
	tb.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(page)
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	tb.Fatalf("%s does not answer after a minute", page)
}

func showOutput(tb testing.TB, p *Process) {
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s: %s", filepath.Base(p.Cmd.Path), p.Output())
		}
	})
}

// Policy is a JSON policy document that allows actions on resources.
func Policy(actions, resources []string) string {
	data, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": resources}}})
	if err != nil {
		panic(fmt.Sprint(err)) // strings always marshal
	}
	return string(data)
}
