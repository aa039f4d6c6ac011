package mail

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	person   = "alice@example.test"
	password = "practice-only-alice"
	goodPass = "practice-only-token"
)

// A post is Postfix, with Dovecot checking its passwords.
type post struct {
	*server.Postfix
	ca, other *server.CA
	client    server.Issued
}

// The services of a post, in order.
const (
	submission = iota // STARTTLS needed
	smtps
	inClear // no encryption
	bare    // no encryption, no sign-in
	mutual  // TLS with a client's certificate
	blocked
	senders // no sender is allowed
	single  // one connection at a time
	either  // STARTTLS offered, sign-in before and after it
	expired
)

func startPost(t testing.TB) *post {
	t.Helper()
	ca := server.NewCA(t)
	p := &post{Postfix: server.NewPostfix(t, ca), ca: ca, other: server.NewCA(t)}
	p.client = ca.Issue(t, server.Cert{Name: "mailer", Client: true})
	startMailbox(t, ca, p.AuthSocket())
	cert, key := ca.Issue(t, server.Cert{Expired: true}).Write(t, t.TempDir(), "")
	clear, starttls, tls := "smtpd_tls_security_level=none", "smtpd_tls_security_level=encrypt", "smtpd_tls_wrappermode=yes"
	p.Start(t, "", []string{starttls}, []string{starttls, tls}, []string{clear}, []string{clear, "smtpd_sasl_auth_enable=no"},
		[]string{starttls, tls, "smtpd_tls_req_ccert=yes"},
		[]string{clear, "smtpd_delay_reject=no", "smtpd_client_restrictions=reject"},
		[]string{starttls, "smtpd_delay_reject=no", "smtpd_sender_restrictions=reject"},
		[]string{clear, "smtpd_client_connection_count_limit=1"},
		[]string{"smtpd_tls_security_level=may"},
		[]string{starttls, tls, "smtpd_tls_cert_file=" + cert, "smtpd_tls_key_file=" + key})
	return p
}

func (p *post) settings(service int, security string, more ...string) connectors.Settings {
	answers := []string{"host", "127.0.0.1", "port", strconv.Itoa(p.Ports[service]), "security", security, "user", person, "password", password}
	if security != secNone {
		answers = append(answers, "ca", p.ca.PEM)
	}
	return conntest.Settings(SMTP(), answers, more...)
}

func (p *post) with(service int, security string, more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return p.settings(service, security, more...) }
}

// A box is Dovecot with mailboxes.
type box struct {
	*server.Dovecot
	ca, other *server.CA
}

const folders = 5000 // of the user many

// startMailbox starts Dovecot. Tokens are checked by a service of the test.
func startMailbox(t testing.TB, ca *server.CA, authSocket string) *box {
	t.Helper()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != goodPass {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"username": person, "active": true})
	}))
	t.Cleanup(issuer.Close)
	conf := server.WriteFile(t, t.TempDir(), "oauth2.conf", "tokeninfo_url = "+issuer.URL+"/?token=\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n", 0o644)
	b := &box{ca: ca, other: server.NewCA(t)}
	b.Dovecot = server.StartDovecot(t, server.DovecotOptions{CA: ca, AuthSocket: authSocket,
		Mechanisms: "plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer",
		Users: []string{
			person + ":{PLAIN}" + password + "::::::", "many:{PLAIN}practice-only-many::::::",
			"barred:{PLAIN}practice-only-barred::::::nologin=y reason=closed_for_now",
		},
		Seed: seed(t, authSocket == ""),
		More: `
mail_plugins = acl quota
protocol imap {
  mail_plugins = acl quota imap_acl imap_quota
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ` + conf + `
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \Sent
    auto = create
  }
}
namespace public {
  type = public
  separator = /
  prefix = Public/
  location = maildir:%s/public
  subscriptions = no
  list = children
}
plugin {
  acl = vfile
  quota = maildir:User quota
  quota_rule = *:storage=10M
}
`})
	return b
}

// seed makes the mailboxes in Maildir++ form; large adds one with very many folders.
func seed(t testing.TB, large bool) func(string) {
	return func(mail string) {
		inbox := filepath.Join(mail, person)
		maildir(t, inbox, "Subject: Hello\r\nFrom: Bob <bob@example.test>\r\nTo: "+person+"\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\nGood morning.\r\n",
			"Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nFrom: =?iso-8859-1?Q?J=FCrgen?= <j@example.test>\r\nTo: a@example.test, b@example.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--x\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsch=F6n\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n")
		maildir(t, filepath.Join(inbox, ".50% off"), "Subject: sale\r\n\r\nx\r\n")
		maildir(t, filepath.Join(inbox, ".50% off.this year"))
		maildir(t, filepath.Join(inbox, ".50x off.decoy"))
		maildir(t, filepath.Join(inbox, "."+encodeName("Entwürfe & Briefe")), "Subject: draft\r\n\r\nx\r\n")
		maildir(t, filepath.Join(inbox, "."+encodeName("\u202egpj_exe")))
		maildir(t, filepath.Join(inbox, ".not &wel formed"))
		maildir(t, filepath.Join(mail, "public", ".Open"), "Subject: news\r\n\r\nx\r\n")
		maildir(t, filepath.Join(mail, "public", ".Seen only"), "Subject: secret\r\n\r\nx\r\n")
		maildir(t, filepath.Join(mail, "public", ".Hidden"))
		server.WriteFile(t, filepath.Join(mail, "public", ".Open"), "dovecot-acl", "authenticated lr\n", 0o644)
		server.WriteFile(t, filepath.Join(mail, "public", ".Seen only"), "dovecot-acl", "authenticated l\n", 0o644)
		if !large {
			return
		}
		maildir(t, filepath.Join(mail, "many"))
		for i := range folders {
			if err := os.Mkdir(filepath.Join(mail, "many", ".f"+strconv.Itoa(i)), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 450 {
			server.WriteFile(t, filepath.Join(mail, "many", "cur"), strconv.Itoa(1e9+i)+".m.x:2,", "Subject: number "+strconv.Itoa(i)+"\r\n\r\nx\r\n", 0o644)
		}
	}
}

func maildir(t testing.TB, path string, messages ...string) {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range messages {
		server.WriteFile(t, filepath.Join(path, "new"), strconv.Itoa(1e9+i)+".m.x", m, 0o644)
	}
}

func (b *box) settings(security string, more ...string) connectors.Settings {
	answers := []string{"host", "127.0.0.1", "port", strconv.Itoa(b.TLS), "security", security, "user", person, "password", password}
	if security != secTLS {
		answers = append(answers, "port", strconv.Itoa(b.Plain))
	}
	if security != secNone {
		answers = append(answers, "ca", b.ca.PEM)
	}
	return conntest.Settings(IMAP(), answers, more...)
}

func (b *box) with(security string, more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return b.settings(security, more...) }
}
