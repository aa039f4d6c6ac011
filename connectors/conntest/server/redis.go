package server

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A RedisConf says what server to start. The zero value takes everybody from
// this computer, without a password and without TLS.
type RedisConf struct {
	Conf  string   // further lines of redis.conf
	Users []string // lines of the ACL file: "user default on >practice-only ~* +@all"
	// CA, where given, opens a TLS port that lets in only who presents a
	// certificate of this authority, unless Conf says "tls-auth-clients no".
	CA       *CA
	Sentinel bool
	// Admin and Password are whom Feed signs in as; both empty for nobody.
	Admin, Password string
}

// A Redis is a running Redis server that keeps nothing.
type Redis struct {
	Port int
	TLS  int // 0 without RedisConf.CA

	conf RedisConf
}

// StartRedis starts a server and returns once it takes connections.
func StartRedis(tb testing.TB, conf RedisConf) *Redis {
	tb.Helper()
	program := Program(tb, "redis-server", "redis-server")
	dir := tb.TempDir()
	r := &Redis{Port: FreePort(tb), conf: conf}
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "bind 127.0.0.1\nport %d\ndir %s\n", r.Port, dir)
	if !conf.Sentinel {
		b.WriteString("save \"\"\nappendonly no\n")
	}
	if len(conf.Users) > 0 {
		_, _ = fmt.Fprintf(&b, "aclfile %s\n", WriteFile(tb, dir, "users.acl", strings.Join(conf.Users, "\n")+"\n", 0o600))
	}
	if conf.CA != nil {
		r.TLS = FreePort(tb)
		cert, key := conf.CA.Issue(tb, Cert{}).Write(tb, dir, "server-")
		_, _ = fmt.Fprintf(&b, "tls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n", r.TLS, cert, key, WriteFile(tb, dir, "ca.pem", conf.CA.PEM, 0o644))
	}
	b.WriteString(conf.Conf + "\n")
	args := []string{WriteFile(tb, dir, "redis.conf", b.String(), 0o600)}
	if conf.Sentinel {
		args = append(args, "--sentinel")
	}
	p := Start(tb, exec.Command(program, args...), "127.0.0.1:"+strconv.Itoa(r.Port))
	showLog(tb, "redis-server", p)
	return r
}

// Feed runs commands, one a line, as redis-cli reads them, and returns what it
// prints; it fails the test when one of them fails.
func (r *Redis) Feed(tb testing.TB, commands string) string {
	tb.Helper()
	cmd := exec.Command(Program(tb, "redis-cli", "redis-tools"), "-p", strconv.Itoa(r.Port))
	if r.conf.Admin != "" {
		cmd.Args = append(cmd.Args, "--user", r.conf.Admin)
	}
	cmd.Env = os.Environ()
	if r.conf.Password != "" {
		cmd.Env = append(cmd.Env, "REDISCLI_AUTH="+r.conf.Password)
	}
	cmd.Stdin = strings.NewReader(commands + "\n")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if word, _, _ := strings.Cut(line, " "); err != nil || word == "ERR" || word == "WRONGTYPE" || word == "NOAUTH" || word == "NOPERM" {
			tb.Fatalf("redis-cli: %v\n%s", err, out)
		}
	}
	return string(out)
}
