package server

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// postfixPrograms is where Debian keeps Postfix's daemons.
const postfixPrograms = "/usr/lib/postfix/sbin"

// Postfix is a running mail server that takes mail and keeps it in its queue:
// nothing ever leaves this computer.
type Postfix struct {
	Ports   []int // in the order of the services that were asked for
	CA      *CA
	Process *Process

	dir string
}

// NewPostfix makes the folders of a Postfix, so that Dovecot can put its socket
// there before Postfix starts.
func NewPostfix(tb testing.TB, ca *CA) *Postfix {
	tb.Helper()
	p := &Postfix{CA: ca, dir: shortDir(tb)}
	for _, sub := range []string{"conf", "data", "queue"} {
		p.mkdir(tb, sub, 0o755)
	}
	owner(tb, filepath.Join(p.dir, "data"), "postfix")
	for _, sub := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace", "maildrop", "public"} {
		p.mkdir(tb, "queue/"+sub, 0o700)
		owner(tb, filepath.Join(p.dir, "queue", sub), "postfix")
	}
	p.mkdir(tb, "queue/pid", 0o755)
	p.group(tb, "queue/maildrop", 0o730|os.ModeSticky)
	p.group(tb, "queue/public", 0o710|os.ModeSetgid)
	return p
}

func (p *Postfix) mkdir(tb testing.TB, sub string, mode os.FileMode) {
	if err := os.Mkdir(filepath.Join(p.dir, sub), mode); err != nil {
		tb.Fatal(err)
	}
}

func (p *Postfix) group(tb testing.TB, sub string, mode os.FileMode) {
	g, err := user.LookupGroup("postdrop")
	if err != nil {
		tb.Fatalf("postfix is needed: apt-get install postfix: %v", err)
	}
	gid, _ := strconv.Atoi(g.Gid)
	path := filepath.Join(p.dir, sub)
	if err := os.Chown(path, -1, gid); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		tb.Fatal(err)
	}
}

// AuthSocket is where Dovecot has to listen for Postfix to check passwords.
func (p *Postfix) AuthSocket() string { return filepath.Join(p.dir, "queue", "private", "auth") }

// Start starts the services, each with main.cf settings of its own, such as
// "smtpd_tls_security_level=encrypt". main are further lines of main.cf.
func (p *Postfix) Start(tb testing.TB, main string, services ...[]string) {
	tb.Helper()
	cert, key := p.CA.Issue(tb, Cert{}).Write(tb, p.dir, "")
	ca := WriteFile(tb, p.dir, "ca.pem", p.CA.PEM, 0o644)
	conf := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
daemon_directory = %[2]s
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/queue/mail.log
maillog_file_prefixes = %[1]s
myhostname = mail.example.test
mydestination = example.test
mynetworks = 192.0.2.0/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
defer_transports = local smtp relay
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_event_limit_exceptions =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_tls_cert_file = %[3]s
smtpd_tls_key_file = %[4]s
smtpd_tls_CAfile = %[5]s
smtpd_tls_security_level = none
tls_random_source = dev:/dev/urandom
%[6]s
`, p.dir, postfixPrograms, cert, key, ca, main)
	var master strings.Builder
	p.Ports = nil
	for _, options := range services {
		port := FreePort(tb)
		p.Ports = append(p.Ports, port)
		_, _ = fmt.Fprintf(&master, "127.0.0.1:%d inet n - n - - smtpd\n", port)
		for _, o := range options {
			_, _ = fmt.Fprintf(&master, "  -o { %s }\n", o)
		}
	}
	_, _ = master.WriteString(`pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
local unix - n n - - local
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`)
	WriteFile(tb, filepath.Join(p.dir, "conf"), "main.cf", conf, 0o644)
	WriteFile(tb, filepath.Join(p.dir, "conf"), "master.cf", master.String(), 0o644)
	p.Process = Start(tb, exec.Command(filepath.Join(postfixPrograms, "master"), "-c", filepath.Join(p.dir, "conf"), "-s"), "127.0.0.1:"+strconv.Itoa(p.Ports[0]))
	tb.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(p.dir, "queue", "mail.log")); tb.Failed() && err == nil {
			tb.Logf("postfix: %s", log)
		}
	})
}

// Queue is what waits to be delivered, one JSON document a message; "" is nothing.
func (p *Postfix) Queue(tb testing.TB) string {
	tb.Helper()
	return Run(tb, Program(tb, "postqueue", "postfix"), "-c", filepath.Join(p.dir, "conf"), "-j")
}

// Message is the message in the queue with the id that the server told.
func (p *Postfix) Message(tb testing.TB, id string) string {
	tb.Helper()
	return Run(tb, Program(tb, "postcat", "postfix"), "-c", filepath.Join(p.dir, "conf"), "-q", id)
}

// Log is what Postfix has logged so far.
func (p *Postfix) Log(tb testing.TB) string {
	tb.Helper()
	log, err := os.ReadFile(filepath.Join(p.dir, "queue", "mail.log"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(log)
}
