package wire_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

// bastion is a real OpenSSH server that this user may sign in to with a key.
type bastion struct {
	addr, key, known string
}

func startBastion(t *testing.T, more ...string) bastion {
	t.Helper()
	daemon, keygen := server.Program(t, "sshd", "openssh-server"), server.Program(t, "ssh-keygen", "openssh-client")
	dir := t.TempDir()
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"host", "user"} {
		server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name))
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	port := server.FreePort(t)
	conf := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nPidFile none\nHostKey %s/host\nStrictModes no\nAuthorizedKeysFile %s/user.pub\nPermitRootLogin yes\nUseDNS no\nUsePAM no\nLogLevel ERROR\n%s\n", port, dir, dir, strings.Join(more, "\n"))
	b := bastion{addr: fmt.Sprintf("127.0.0.1:%d", port), key: read("user")}
	server.Start(t, exec.Command(daemon, "-D", "-e", "-f", server.WriteFile(t, dir, "sshd.conf", conf, 0o600)), b.addr)
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(read("host.pub")))
	if err != nil {
		t.Fatal(err)
	}
	b.known = knownhosts.Line([]string{knownhosts.Normalize(b.addr)}, public)
	return b
}

func (b bastion) draft(name string, way map[string]string) link.Draft {
	s := connectors.NewSettings()
	host, port, _ := net.SplitHostPort(b.addr)
	s.Plain = map[string]string{"host": host, "port": port, "user": "root", "auth": "key", "known_hosts_file": b.known}
	for k, v := range way {
		s.Plain[k] = v
	}
	s.Secrets["key"] = connectors.NewSecret(b.key)
	return link.Draft{Type: "ssh", Name: name, Settings: s}
}

// guarded is a book whose machine can reach nothing but the given addresses.
func guarded(t *testing.T, open ...string) (*link.Book, func() []string) {
	t.Helper()
	v, err := vault.Open(vault.Options{Dir: t.TempDir(), Keys: &keychain.Memory{}})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var stopped []string
	out := link.Outside{Dial: func(*connectors.Env) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			if slices.Contains(open, addr) {
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
			mu.Lock()
			defer mu.Unlock()
			stopped = append(stopped, addr)
			return nil, &connectors.Error{Code: connectors.Unreachable, Reason: "connect.no_route", Op: connectors.StageConnect, Target: addr}
		}
	}}
	return link.NewBook(link.List(all.All()), wire.Store{Vault: v}, out), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return stopped
	}
}

func save(t *testing.T, b *link.Book, d link.Draft) link.Connection {
	t.Helper()
	c, err := b.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The practice services stand behind a firewall that only the first of two jump
// hosts passes.
func TestServersBehindAFirewallAreReachedThroughAChainOfJumpHosts(t *testing.T) {
	services, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = services.Close() })
	outer, inner := startBastion(t), startBastion(t)
	b, stopped := guarded(t, outer.addr)
	first := save(t, b, outer.draft("Outer", nil))
	second := save(t, b, inner.draft("Inner", map[string]string{"place": "on_premise", "via": "ssh", "via_account": first.ID}))
	for _, d := range wire.Drafts(services.Connections()) {
		if d.Type == "sqlite" || d.Type == "oauth" { // one has no network, the other wants a person
			continue
		}
		t.Run(d.Type, func(t *testing.T) {
			d.Practice = false
			d.Settings.Plain["place"], d.Settings.Plain["via"], d.Settings.Plain["via_account"] = "on_premise", "ssh", second.ID
			c := save(t, b, d.Draft)
			r := b.Link(t.Context(), c.ID, link.Watcher{})
			defer r.Close()
			if r.State != link.OK {
				t.Fatalf("%+v %v", r.Problem, r.Err)
			}
			if len(r.First) == 0 && d.Type != "mqtt" {
				t.Error("nothing is seen")
			}
			text := fmt.Sprint(r.Steps)
			if !strings.Contains(text, "jump host Inner") || !strings.Contains(text, "through Inner") {
				t.Errorf("the rungs do not tell the way: %s", text)
			}
			without := link.Draft{Type: d.Type, Name: d.Name + " direct", Settings: d.Settings.Clone()}
			without.Settings.Plain["via"] = "direct"
			if r := b.Check(t.Context(), save(t, b, without).ID, link.Watcher{}); connectors.CodeOf(r.Err) != connectors.Unreachable {
				t.Errorf("without the jump hosts: %v", r.Err)
			}
		})
	}
	if len(stopped()) == 0 {
		t.Error("the firewall stopped nothing")
	}
}

func TestAJumpHostThatForbidsForwardingSaysSo(t *testing.T) {
	gate := startBastion(t, "AllowTcpForwarding no")
	b, _ := guarded(t, gate.addr)
	hop := save(t, b, gate.draft("Gate", nil))
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": "9", "user": "mira", "place": "on_premise", "via": "ssh", "via_account": hop.ID}
	s.Secrets["password"] = connectors.NewSecret("practice-only")
	c := save(t, b, link.Draft{Type: "sftp", Name: "Files", Settings: s})
	r := b.Check(t.Context(), c.ID, link.Watcher{})
	e := connectors.Classify(r.Err)
	if e == nil || e.Code != connectors.Denied || e.Op != connectors.StageConnect {
		t.Errorf("%+v %+v", e, r.Problem)
	}
	s.Plain["via_account"] = c.ID // an SFTP account is a way too, with its own refusal
	d := save(t, b, link.Draft{Type: "ldap", Name: "Directory", Settings: connectors.Settings{Plain: map[string]string{"host": "dc", "auth": "anonymous", "place": "on_premise", "via": "ssh", "via_account": hop.ID}}})
	r = b.Check(t.Context(), d.ID, link.Watcher{})
	if e = connectors.Classify(r.Err); e == nil || e.Code != connectors.Denied || !strings.Contains(r.Problem.Title, "jump host") {
		t.Errorf("%+v %+v", e, r.Problem)
	}
}
