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

// farLoopback is another address of this computer. Dovecot takes a connection
// whose two ends have the same address for a safe one, so that what it refuses
// without encryption can only be seen on this one.
const farLoopback = "127.0.0.2"

// DovecotOptions say how Dovecot is to be.
type DovecotOptions struct {
	CA *CA
	// Users are lines of a passwd-file: "alice:{PLAIN}practice-only::::::".
	Users []string
	// Mechanisms of sign-in; "" is all that passwords can do.
	Mechanisms string
	// AuthSocket is where Postfix asks; "" for nowhere.
	AuthSocket string
	// Seed fills the folder of the mailboxes, one folder in Maildir++ form a user.
	// What it makes belongs to Dovecot afterwards.
	Seed func(mail string)
	// More is further configuration; %s in it is the folder of the mailboxes.
	More string
	// Expired gives the server a certificate that has run out.
	Expired bool
}

// Dovecot is a running IMAP server.
type Dovecot struct {
	Plain int // STARTTLS is offered
	TLS   int // encrypted from the first byte
	// Far is an address on which passwords are refused without encryption.
	Far     string
	Mail    string // the folder of the mailboxes
	Process *Process

	dir string
}

// StartDovecot starts Dovecot with a configuration of its own. It needs root, as
// Dovecot does to change to its users.
func StartDovecot(tb testing.TB, o DovecotOptions) *Dovecot {
	tb.Helper()
	program := Program(tb, "dovecot", "dovecot-imapd")
	dir := shortDir(tb)
	d := &Dovecot{Plain: FreePort(tb), TLS: FreePort(tb), Far: farLoopback, Mail: filepath.Join(dir, "mail"), dir: dir}
	for _, sub := range []string{"run", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	if o.Seed != nil {
		o.Seed(d.Mail)
	}
	owner(tb, d.Mail, "dovecot")
	WriteFile(tb, dir, "users", strings.Join(o.Users, "\n")+"\n", 0o644)
	conf := WriteFile(tb, dir, "dovecot.conf", d.conf(tb, o), 0o644)
	d.Process = Start(tb, exec.Command(program, "-F", "-c", conf), "127.0.0.1:"+strconv.Itoa(d.Plain))
	showLog(tb, "dovecot", d.Process)
	return d
}

func (d *Dovecot) conf(tb testing.TB, o DovecotOptions) string {
	cert, key := o.CA.Issue(tb, Cert{Names: []string{"localhost"}, IPs: []string{"127.0.0.1", farLoopback}, Expired: o.Expired}).Write(tb, d.dir, "")
	if o.Mechanisms == "" {
		o.Mechanisms = "plain login cram-md5 scram-sha-1 scram-sha-256"
	}
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, `base_dir = %[1]s/run
state_dir = %[1]s/run
instance_name = practice%[2]d
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1, %[3]s
ssl = yes
ssl_cert = <%[4]s
ssl_key = <%[5]s
disable_plaintext_auth = yes
auth_mechanisms = %[6]s
auth_failure_delay = 0
auth_verbose = yes
first_valid_uid = 1
mail_uid = dovecot
mail_gid = dovecot
mail_location = maildir:%[7]s/%%u
mail_max_userip_connections = 50
mailbox_list_index = no
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%u %[1]s/users
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=%[7]s/%%u
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[2]d
  }
  inet_listener imaps {
    port = %[8]d
    ssl = yes
  }
}
`, d.dir, d.Plain, farLoopback, cert, key, o.Mechanisms, d.Mail, d.TLS)
	if o.AuthSocket != "" {
		_, _ = fmt.Fprintf(&b, "service auth {\n  unix_listener %s {\n    mode = 0666\n  }\n}\n", o.AuthSocket)
	}
	_, _ = b.WriteString(strings.ReplaceAll(o.More, "%s", d.Mail) + "\n")
	return b.String()
}

// shortDir is a folder that every user of this computer may enter, with a name
// that leaves room: a socket's path has about 100 bytes.
func shortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "jfmail")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// owner gives everything below a path to a user.
func owner(tb testing.TB, path, name string) {
	tb.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	err = filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, uid, gid)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func showLog(tb testing.TB, name string, p *Process) {
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s: %s", name, p.Output())
		}
	})
}
