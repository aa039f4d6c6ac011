package mail

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestDovecot(t *testing.T) {
	b := startMailbox(t, server.NewCA(t), "")
	sshHost, sshPort := conntest.Speaks(t, "SSH-2.0-OpenSSH_9.2\r\n")
	expired := server.StartDovecot(t, server.DovecotOptions{CA: b.ca, Expired: true})
	before := b.state(t)
	conntest.Run(t, conntest.Suite{Type: IMAP(), Good: b.with(secTLS),
		Hostile: &conntest.Place{Settings: b.with(secTLS)},
		Big:     &conntest.Big{Settings: b.with(secTLS, "user", "many", "password", "practice-only-many"), Count: folders},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: b.with(secTLS, "password", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user with PLAIN", Settings: b.with(secTLS, "user", "nobody@example.test", "auth", authPlain), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "wrong token", Settings: b.with(secTLS, "auth", authX, "token", "practice-only-old"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
			{Name: "wrong bearer token", Settings: b.with(secStartTLS, "auth", authBearer, "token", "practice-only-old"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
			{Name: "password in the clear refused", Settings: b.with(secNone, "host", b.Far, "auth", authPlain), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "no such folder", Settings: b.with(secTLS, "folder", "Nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder may not be read", Settings: b.with(secTLS, "folder", "Public/Seen only"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder may not be seen", Settings: b.with(secTLS, "folder", "Public/Hidden"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "TLS port in the clear", Settings: b.with(secNone, "port", strconv.Itoa(b.TLS)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "plain port with TLS", Settings: b.with(secTLS, "port", strconv.Itoa(b.Plain)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "unknown authority", Settings: b.with(secTLS, "ca", b.other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "unknown authority with STARTTLS", Settings: b.with(secStartTLS, "ca", b.other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: b.with(secTLS, "tls_name", "imap.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "tls_name"},
			{Name: "expired certificate", Settings: b.with(secTLS, "port", strconv.Itoa(expired.TLS)), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "another protocol", Settings: b.with(secStartTLS, "host", sshHost, "port", sshPort), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "empty password", Settings: b.with(secTLS, "password", ""), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "password"},
			{Name: "empty token", Settings: b.with(secTLS, "auth", authX), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "token"},
			{Name: "no such host", Settings: b.with(secTLS, "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		}})
	t.Run("mechanisms", func(t *testing.T) { imapMechanisms(t, b) })
	t.Run("tree", func(t *testing.T) { imapTree(t, b) })
	t.Run("messages", func(t *testing.T) { imapMessages(t, b) })
	t.Run("paging", func(t *testing.T) { imapPaging(t, b) })
	t.Run("comes back", func(t *testing.T) {
		s := conntest.Open(t, IMAP(), b.settings(secTLS)).(*imapSession)
		for _, k := range s.links.idle {
			_ = k.tcp.Close()
			k.used = k.used.Add(-2 * stale)
		}
		if _, err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if after := b.state(t); !maps.Equal(before, after) {
		t.Errorf("looking changed the mailbox:\n%v\n%v", before, after)
	}
}

// state is what another program's client sees of every message: its flags, and on
// the disk its file's name, which holds the flags too.
func (b *box) state(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	_ = filepath.WalkDir(filepath.Join(b.Mail, person), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), ".m.x") {
			name, flags, _ := strings.Cut(d.Name(), ":2,")
			name, _, _ = strings.Cut(name, ",")
			out["file "+filepath.Base(filepath.Dir(filepath.Dir(path)))+"/"+name] = flags
		}
		return nil
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(b.ca.PEM))
	c, err := imapclient.DialTLS(net.JoinHostPort("127.0.0.1", strconv.Itoa(b.TLS)), &imapclient.Options{TLSConfig: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(person, password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	list, err := c.Fetch(imap.SeqSetNum(1, 2), &imap.FetchOptions{UID: true, Flags: true}).Collect()
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	for _, m := range list {
		flags := slices.DeleteFunc(m.Flags, func(f imap.Flag) bool { return f == `\Recent` })
		out["message "+strconv.Itoa(int(m.UID))] = strings.Join(strings.Fields(strings.Trim(strings.ReplaceAll(strings.Join(texts(flags), " "), ",", ""), " ")), " ")
	}
	if _, err := c.Logout(), error(nil); err != nil {
		t.Fatal(err)
	}
	return out
}

func texts(flags []imap.Flag) []string {
	var out []string
	for _, f := range flags {
		out = append(out, string(f))
	}
	return out
}

func imapMechanisms(t *testing.T, b *box) {
	for auth, want := range map[string]string{authAuto: "SCRAM-SHA-256", authPlain: "PLAIN", authLogin: "LOGIN", authCRAM: "CRAM-MD5",
		authSCRAM1: "SCRAM-SHA-1", authSCRAM2: "SCRAM-SHA-256", authX: "XOAUTH2", authBearer: "OAUTHBEARER"} {
		for _, security := range []string{secTLS, secStartTLS} {
			s := conntest.Open(t, IMAP(), b.settings(security, "auth", auth, "token", goodPass)).(*imapSession)
			facts, err := s.Check(t.Context())
			if err != nil || conntest.Fact(facts, "Signed in with") != want || conntest.Fact(facts, "INBOX") != "2 messages, 2 unread" ||
				conntest.Fact(facts, "Storage") == "" || conntest.Fact(facts, "Server") != "Dovecot" || conntest.Fact(facts, "Also") != "shared folders" {
				t.Errorf("%s: %+v %v", auth, facts, err)
			}
			if got := facts[0]; got.Label != "Account" || got.Text != person {
				t.Errorf("%+v", got)
			}
		}
	}
	// Even where passwords in the clear are refused, one that does not show works.
	s := conntest.Open(t, IMAP(), b.settings(secNone, "host", b.Far)).(*imapSession)
	if facts, err := s.Check(t.Context()); err != nil || conntest.Fact(facts, "Signed in with") != "SCRAM-SHA-256" || conntest.Fact(facts, "Encryption") != "none" {
		t.Errorf("%+v %v", facts, err)
	}
	barred, err := IMAP().Open(t.Context(), conntest.NewWorld(t).Env, b.settings(secTLS, "user", "barred", "password", "practice-only-barred"))
	if err == nil {
		_ = barred.Close()
		t.Fatal("an account that is closed got in")
	}
	if e := connectors.Classify(err); e.Op != connectors.StageSignIn || e.Said == "" {
		t.Errorf("%+v", e)
	}
	only := server.StartDovecot(t, server.DovecotOptions{CA: b.ca, Mechanisms: "plain", Users: []string{`old:{PLAIN}practice-only-"\ä::::::`}})
	old := b.settings(secTLS, "port", strconv.Itoa(only.TLS), "user", "old", "password", `practice-only-"\ä`, "auth", authLogin)
	if facts, err := conntest.Open(t, IMAP(), old).(*imapSession).Check(t.Context()); err != nil || conntest.Fact(facts, "Signed in with") != "LOGIN command" {
		t.Errorf("%+v %v", facts, err)
	}
	_, err = IMAP().Open(t.Context(), conntest.NewWorld(t).Env, b.settings(secTLS, "port", strconv.Itoa(only.TLS), "auth", authSCRAM2))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Unsupported || e.Reason != "mail.mechanism" || e.Field != "auth" || !strings.Contains(e.Said, "PLAIN") {
		t.Errorf("%+v", e)
	}
}

func imapTree(t *testing.T, b *box) {
	s := conntest.Open(t, IMAP(), b.settings(secTLS)).(*imapSession)
	top := conntest.Below(t, s, "")
	for _, name := range []string{"INBOX", "50% off", "Entwürfe & Briefe", "\u202egpj_exe", "not &wel formed", "Public", "Sent"} {
		if _, ok := top[name]; !ok {
			t.Errorf("%q is missing: %v", name, slices.Collect(maps.Keys(top)))
		}
	}
	inbox := top["INBOX"]
	if inbox.Access != connectors.AccessReadable || conntest.Fact(inbox.Facts, "Messages") != "2" || conntest.Fact(inbox.Facts, "Unread") != "2" || !inbox.Branch || inbox.Views[0] != connectors.ViewRows {
		t.Errorf("%+v", inbox)
	}
	if got := conntest.Fact(top["Sent"].Facts, "Use"); got != "sent mail" {
		t.Error(got)
	}
	if top["Sent"].Branch {
		t.Error("an empty folder opens")
	}
	if id := top["Entwürfe & Briefe"].ID; id != "Entwürfe & Briefe" {
		t.Errorf("%q", id)
	}
	// A % in a name is a wildcard in LIST, and would bring its neighbour's folders.
	below := conntest.Below(t, s, top["50% off"].ID)
	if _, ok := below["this year"]; !ok || len(below) != 2 {
		t.Errorf("%v", below)
	}
	for _, err := range s.Children(t.Context(), top["not &wel formed"].ID) {
		if e := connectors.Classify(err); e == nil || e.Reason != "mail.folder_refused" { // Dovecot lists it and does not open it
			t.Errorf("%v", err)
		}
	}
	public := conntest.Below(t, s, top["Public"].ID)
	open, seen := public["Open"], public["Seen only"]
	if open.Access != connectors.AccessReadable || seen.Access != connectors.AccessListed || conntest.Fact(open.Facts, "Belongs to") != "shared folders" || conntest.Fact(open.Facts, "Rights") != "see, read (lr)" {
		t.Errorf("%+v\n%+v", open, seen)
	}
	if _, ok := public["Hidden"]; ok {
		t.Error("a hidden folder is listed")
	}
	_, err := s.Table(t.Context(), seen.ID, 10)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "mail.folder_denied" {
		t.Errorf("%+v", e)
	}
	for _, id := range []connectors.NodeID{"Nowhere", "%=x%0d%0ay", "INBOX;UIDVALIDITY=x/;UID=1", "%zz"} {
		var last error
		for _, err := range s.Children(t.Context(), id) {
			last = err
		}
		if connectors.CodeOf(last) != connectors.NotFound {
			t.Errorf("%s: %v", id, last)
		}
	}
	under := conntest.Open(t, IMAP(), b.settings(secTLS, "folder", "Entwürfe & Briefe")).(*imapSession)
	if list := conntest.Below(t, under, ""); len(list) != 1 || list["draft"].Kind != "message" {
		t.Errorf("%v", list)
	}
}

func imapMessages(t *testing.T, b *box) {
	s := conntest.Open(t, IMAP(), b.settings(secTLS)).(*imapSession)
	rows, err := s.Table(t.Context(), "INBOX", 1)
	if err != nil || len(rows.Rows) != 1 || !rows.Truncated {
		t.Fatalf("%+v %v", rows, err)
	}
	if rows, err = s.Table(t.Context(), "INBOX", 100); err != nil || len(rows.Rows) != 2 || rows.Truncated {
		t.Fatalf("%+v %v", rows, err)
	}
	newest := rows.Rows[0]
	if newest[1] != "Jürgen <j@example.test>" || newest[2] != "a@example.test, b@example.test" || newest[3] != "Grüße" || newest[5] != false {
		t.Errorf("%v", newest)
	}
	list := conntest.Below(t, s, "INBOX")
	hello, ok := list["Hello"]
	if !ok || conntest.Fact(hello.Facts, "State") != "unread" || conntest.Fact(hello.Facts, "From") != "Bob <bob@example.test>" {
		t.Fatalf("%+v", list)
	}
	sample, err := s.Sample(t.Context(), hello.ID, 1000)
	if err != nil || !strings.Contains(string(sample.Data), "Subject: Hello\n") || !strings.Contains(string(sample.Data), "Good morning.") || sample.Truncated {
		t.Errorf("%s %v", sample.Data, err)
	}
	if sample, err = s.Sample(t.Context(), list["Grüße"].ID, 1000); err != nil {
		t.Fatal(err)
	}
	text := string(sample.Data)
	if !strings.Contains(text, "schön") || strings.Contains(text, "<p>") || !strings.Contains(text, "- bill.pdf (application/pdf)") || !strings.Contains(text, "From: Jürgen") {
		t.Errorf("%s", text)
	}
	if sample, err = s.Sample(t.Context(), hello.ID, 10); err != nil || len(sample.Data) != 10 || !sample.Truncated {
		t.Errorf("%+v %v", sample, err)
	}
	if _, err := s.Sample(t.Context(), "INBOX;UIDVALIDITY=1/;UID=1", 10); connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("a message of another folder's numbers: %v", err)
	}
	gone := connectors.NodeID(strings.Replace(string(hello.ID), ";UID=1", ";UID=4711", 1))
	if _, err := s.Sample(t.Context(), gone, 10); connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("a message that is gone: %v", err)
	}
}

// A folder of several pages is told whole, the newest first, and a reader who has
// seen enough holds nothing.
func imapPaging(t *testing.T, b *box) {
	s := conntest.Open(t, IMAP(), b.settings(secTLS, "user", "many", "password", "practice-only-many")).(*imapSession)
	var names []string
	for n, err := range s.Children(t.Context(), "INBOX") {
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, n.Name); len(s.links.lent) != 0 {
			t.Fatal("a connection is held while somebody looks")
		}
	}
	if len(names) != 450 || names[0] != "number 449" || names[449] != "number 0" {
		t.Errorf("%d messages: %v", len(names), names)
	}
	for n := range s.Children(t.Context(), "") {
		if n.Name == "" {
			t.Error("no name")
		}
		break
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
