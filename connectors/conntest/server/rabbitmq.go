package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rabbitScripts lies where Debian's rabbitmq-server puts the scripts that
// /usr/sbin wraps with a change of user.
const rabbitScripts = "/usr/lib/rabbitmq/bin/"

// A RabbitConf says what broker to start. The zero value has one listener
// without encryption and no plugin.
type RabbitConf struct {
	Plugins []string // "rabbitmq_management" …
	Conf    string   // further lines of rabbitmq.conf
	// Definitions are imported while it starts; see
	// https://www.rabbitmq.com/docs/definitions. Without users the broker has
	// guest/guest alone.
	Definitions map[string]any
	// CA, where given, opens a TLS listener whose certificate it issues, and which
	// asks for, but does not insist on, a client certificate.
	CA *CA
	// Anywhere lets the listener without encryption take connections to all of
	// this computer's addresses.
	Anywhere bool
}

// A Rabbit is a running RabbitMQ broker, with node name, Erlang port mapper and
// folders of its own.
type Rabbit struct {
	Port       int // AMQP without encryption
	TLS        int // 0 without RabbitConf.CA
	Management int // 0 without the plugin

	env []string
}

// RabbitMQ starts a broker and returns once it takes connections.
func RabbitMQ(tb testing.TB, conf RabbitConf) *Rabbit {
	tb.Helper()
	Program(tb, "rabbitmq-server", "rabbitmq-server")
	epmd := Program(tb, "epmd", "erlang-base")
	dir := tb.TempDir()
	r := &Rabbit{Port: FreePort(tb)}
	mapper := strconv.Itoa(FreePort(tb))
	file := WriteFile(tb, dir, "rabbitmq.conf", r.conf(tb, dir, conf), 0o600)
	plugins := WriteFile(tb, dir, "plugins", "["+strings.Join(conf.Plugins, ",")+"].\n", 0o600)
	r.env = append(os.Environ(),
		"HOME="+dir, "RUNNING_UNDER_SYSTEMD=true", // the script becomes the broker instead of waiting for it
		"RABBITMQ_NODENAME=jackfield"+mapper+"@localhost",
		"RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "data"), "RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"),
		"RABBITMQ_CONFIG_FILE="+strings.TrimSuffix(file, ".conf"), "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins,
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_GENERATED_CONFIG_DIR="+filepath.Join(dir, "generated"),
		"RABBITMQ_DIST_PORT="+strconv.Itoa(FreePort(tb)), "RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
		"ERL_EPMD_PORT="+mapper, "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none")
	Start(tb, exec.Command(epmd, "-port", mapper, "-address", "127.0.0.1"), "127.0.0.1:"+mapper)
	cmd := exec.Command(rabbitScripts + "rabbitmq-server")
	cmd.Env, cmd.Dir = r.env, dir
	p := Start(tb, cmd, "127.0.0.1:"+strconv.Itoa(r.Port))
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("rabbitmq-server: %s", p.Output())
		}
		_ = p.Cmd.Process.Kill() // it does not go on an interrupt, and nothing of it is kept
	})
	for _, port := range []int{r.TLS, r.Management} {
		if port == 0 {
			continue
		}
		if err := p.await("127.0.0.1:" + strconv.Itoa(port)); err != nil {
			tb.Fatalf("rabbitmq-server: %v\n%s", err, p.Output())
		}
	}
	return r
}

// Ctl runs one command of rabbitmqctl, which takes a second or two.
func (r *Rabbit) Ctl(tb testing.TB, args ...string) string {
	tb.Helper()
	cmd := exec.Command(rabbitScripts+"rabbitmqctl", append([]string{"-q"}, args...)...)
	cmd.Env = r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("rabbitmqctl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// RabbitUser is a user for RabbitConf.Definitions; tags are "administrator",
// "management" … and none for a user that may only send and receive.
func RabbitUser(name, password string, tags ...string) map[string]any {
	salt := []byte("salt")
	sum := sha256.Sum256(append(salt, password...)) // https://www.rabbitmq.com/docs/passwords#computing-password-hash
	return map[string]any{
		"name": name, "tags": strings.Join(tags, ","), "limits": map[string]any{},
		"password_hash":     base64.StdEncoding.EncodeToString(append(salt, sum[:]...)),
		"hashing_algorithm": "rabbit_password_hashing_sha256",
	}
}

func (r *Rabbit) conf(tb testing.TB, dir string, c RabbitConf) string {
	tb.Helper()
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	host := "127.0.0.1"
	if c.Anywhere {
		host = "0.0.0.0"
	}
	line("listeners.tcp.1 = %s:%d", host, r.Port)
	line("log.file = false\nlog.console = true\nlog.console.level = warning")
	for _, plugin := range c.Plugins {
		if plugin == "rabbitmq_management" {
			r.Management = FreePort(tb)
			line("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %d", r.Management)
		}
	}
	if c.CA != nil {
		r.TLS = FreePort(tb)
		cert, key := c.CA.Issue(tb, Cert{}).Write(tb, dir, "server-")
		line("listeners.ssl.1 = 127.0.0.1:%d", r.TLS)
		line("ssl_options.cacertfile = %s\nssl_options.certfile = %s\nssl_options.keyfile = %s", WriteFile(tb, dir, "ca.pem", c.CA.PEM, 0o644), cert, key)
		line("ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false")
	}
	if c.Definitions != nil {
		data, err := json.Marshal(c.Definitions)
		if err != nil {
			tb.Fatal(err)
		}
		line("load_definitions = %s", WriteFile(tb, dir, "definitions.json", string(data), 0o600))
	}
	b.WriteString(c.Conf + "\n")
	return b.String()
}
