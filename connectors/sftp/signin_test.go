package sftp

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// fails opens, and wants a reason, a field that can be seen, and a rung; it
// returns the server's words.
func fails(t *testing.T, settings connectors.Settings, ask connectors.Asker, code connectors.Code, reason, field string) (said string) {
	t.Helper()
	_, err := openWith(t, settings, ask)
	e := connectors.Classify(err)
	if e == nil || e.Code != code || e.Reason != reason || e.Field != field {
		t.Errorf("%+v, want %s %s at %q", e, code, reason, field)
		return ""
	}
	if field != "" && !Type().Form.Visible(field, settings) {
		t.Errorf("the field %s cannot be seen", field)
	}
	if p := connectors.Explain(err); e.Op == "" || strings.Contains(p.Title+p.Hint, "{") {
		t.Errorf("%+v %+v", e, p)
	}
	return e.Said
}

func saying(text string) connectors.Asker {
	return connectors.Asker{Input: func(context.Context, connectors.Prompt) (connectors.Secret, error) {
		return connectors.NewSecret(text), nil
	}}
}

func works(t *testing.T, settings connectors.Settings, ask connectors.Asker) connectors.Session {
	t.Helper()
	session, err := openWith(t, settings, ask)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestTwoSteps(t *testing.T) {
	s := startSSHD(t, "AuthenticationMethods publickey,password", "UsePAM no")
	key := read(t, s.keyFile)
	works(t, s.settings(t, "auth", "both", "key", key), connectors.Asker{})
	fails(t, s.settings(t, "auth", "key", "key", key), connectors.Asker{}, connectors.AuthFailed, "ssh.second_step", "auth")
	fails(t, s.settings(t), connectors.Asker{}, connectors.AuthFailed, "ssh.method", "auth")
	fails(t, s.settings(t, "auth", "both", "key", key, "password", "wrong-practice"), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "password")
	asks := startSSHD(t, "AuthenticationMethods publickey,keyboard-interactive")
	works(t, asks.settings(t, "auth", "key", "key", read(t, asks.keyFile)), saying(password))
	works(t, asks.settings(t, "auth", "both", "key", read(t, asks.keyFile)), connectors.Asker{})
}

func TestServersThatTakeOneWayOnly(t *testing.T) {
	keys := startSSHD(t, "PasswordAuthentication no", "KbdInteractiveAuthentication no")
	said := fails(t, keys.settings(t), connectors.Asker{}, connectors.AuthFailed, "ssh.method", "auth")
	if said != "the server accepts publickey" {
		t.Errorf("%q", said)
	}
	noKeys := startSSHD(t, "PubkeyAuthentication no")
	fails(t, noKeys.settings(t, "auth", "key", "key", read(t, noKeys.keyFile)), connectors.Asker{}, connectors.AuthFailed, "ssh.method", "auth")
	works(t, startSSHD(t, "PasswordAuthentication no").settings(t), connectors.Asker{})
	others := startSSHD(t, "AllowUsers somebody-else", "UsePAM no")
	fails(t, others.settings(t), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "password")
	fails(t, others.settings(t, "auth", "key", "key", read(t, others.keyFile)), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "user")
}

// A wrong password is one failed attempt: servers lock accounts after a few.
func TestAWrongPasswordIsSentOnce(t *testing.T) {
	s := startSSHD(t, "LogLevel VERBOSE", "UsePAM no")
	fails(t, s.settings(t, "password", "wrong-practice"), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "password")
	if n := strings.Count(s.process.Output(), "Failed password") + strings.Count(s.process.Output(), "Failed keyboard-interactive"); n != 1 {
		t.Errorf("%d failures in the server's log:\n%s", n, s.process.Output())
	}
}

func TestExpiredPasswordsAndAccounts(t *testing.T) {
	for name, more := range map[string]string{"by password": "KbdInteractiveAuthentication no", "by questions": "PasswordAuthentication no"} {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, more)
			server.Run(t, "chage", "-d", "0", account)
			for _, ask := range []connectors.Asker{{}, saying("practice-only-new-password")} {
				fails(t, s.settings(t), ask, connectors.Expired, "ssh.password_expired", "password")
			}
			server.Run(t, "chage", "-d", "2026-01-01", "-E", "2020-01-01", account)
			_, err := openWith(t, s.settings(t), connectors.Asker{})
			if e := connectors.Classify(err); e == nil || e.Code != connectors.Expired && e.Code != connectors.AuthFailed {
				t.Errorf("an account that ran out: %+v", e)
			}
		})
	}
}

func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, k := range [][]string{{"ca", "ed25519"}, {"key", "rsa"}} {
		server.Run(t, "ssh-keygen", "-q", "-t", k[1], "-N", "", "-f", file(k[0]))
	}
	sign := func(principal, span string) string {
		server.Run(t, "ssh-keygen", "-q", "-s", file("ca"), "-I", "mira@acme", "-n", principal, "-V", span, file("key.pub"))
		return read(t, file("key-cert.pub"))
	}
	ca := server.WriteFile(t, "/tmp", account+"-ca.pub", read(t, file("ca.pub")), 0o644)
	t.Cleanup(func() { _ = os.Remove(ca) })
	s := startSSHD(t, "TrustedUserCAKeys "+ca, "LogLevel VERBOSE")
	with := func(cert string) connectors.Settings {
		return s.settings(t, "auth", "key", "key", read(t, file("key")), "certificate", cert)
	}
	session := works(t, with(sign(account, "+1h")), connectors.Asker{})
	facts, err := session.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, f := range facts {
		told[f.Label] = f.Text
	}
	if at, err := time.Parse(time.RFC3339, told["Expires"]); err != nil || time.Until(at) > time.Hour || time.Until(at) < 50*time.Minute {
		t.Errorf("expires %q", told["Expires"])
	}
	if !strings.HasPrefix(told["Certificate"], "mira@acme") || told["Principals"] != account {
		t.Errorf("%v", told)
	}
	said := fails(t, with(sign("ops,admins", "+1h")), connectors.Asker{}, connectors.AuthFailed, "ssh.cert_principal", "user")
	if !strings.Contains(said, "ops, admins") {
		t.Error(said)
	}
	fails(t, with(""), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "user")
	_, closed := conntest.Closed(t)
	s.port, _ = strconv.Atoi(closed) // nobody is called for what follows
	fails(t, with(sign(account, "-2h:-1h")), connectors.Asker{}, connectors.Expired, "ssh.cert_expired", "certificate")
	fails(t, with(sign(account, "+1h:+2h")), connectors.Asker{}, connectors.BadInput, "ssh.cert_not_yet", "certificate")
	other := with(sign(account, "+1h"))
	other.Secrets["key"] = connectors.NewSecret(read(t, s.keyFile))
	fails(t, other, connectors.Asker{}, connectors.BadInput, "ssh.cert_of_another_key", "certificate")
	// The server may map principals to users: a certificate that names none of
	// them is no mistake by itself.
	mapped := server.WriteFile(t, "/tmp", account+"-principals", "ops\n", 0o644)
	t.Cleanup(func() { _ = os.Remove(mapped) })
	s = startSSHD(t, "TrustedUserCAKeys "+ca, "AuthorizedPrincipalsFile "+mapped)
	works(t, with(sign("ops", "+1h")), connectors.Asker{})
}

// An agent with more keys than the server lets one try.
func TestAnAgentWithManyKeys(t *testing.T) {
	s := startSSHD(t, "MaxAuthTries 3")
	sock := filepath.Join(s.dir, "agent.sock")
	cmd := exec.Command(server.Program(t, "ssh-agent", "openssh-client"), "-D", "-a", sock)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("unix", sock); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Setenv("SSH_AUTH_SOCK", sock)
	add := func(name string) { server.Run(t, "ssh-add", "-q", name) }
	for i := range 5 {
		other := filepath.Join(s.dir, "other"+strconv.Itoa(i))
		server.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "other "+strconv.Itoa(i), "-f", other)
		add(other)
	}
	add(s.keyFile)
	listed := strings.Fields(server.Run(t, "ssh-keygen", "-lf", s.keyFile+".pub"))
	fails(t, s.settings(t, "auth", "agent"), connectors.Asker{}, connectors.AuthFailed, "ssh.agent_many", "agent_key")
	works(t, s.settings(t, "auth", "agent", "agent_key", listed[1]), connectors.Asker{})
	comment := strings.TrimSpace(strings.SplitN(read(t, s.keyFile+".pub"), " ", 3)[2])
	works(t, s.settings(t, "auth", "agent", "agent_key", comment), connectors.Asker{})
	fails(t, s.settings(t, "auth", "agent", "agent_key", "other 1"), connectors.Asker{}, connectors.AuthFailed, "ssh.auth", "user")
	said := fails(t, s.settings(t, "auth", "agent", "agent_key", "nobody's"), connectors.Asker{}, connectors.BadInput, "ssh.agent_other_key", "agent_key")
	if !strings.Contains(said, listed[1]) || !strings.Contains(said, "other 4") {
		t.Error(said)
	}
}

// An agent that waits for somebody to touch a device holds up nobody.
func TestAnAgentThatIsSilent(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("SSH_AUTH_SOCK", sock)
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "user": "me", "auth": "agent"}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Type().Open(ctx, conntest.NewWorld(t).Env, s); connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("%v", err)
	}
}

func TestServersThatHaveEnough(t *testing.T) {
	s := startSSHD(t, "MaxStartups 1")
	held, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	said := fails(t, s.settings(t), connectors.Asker{}, connectors.Throttled, "ssh.busy", "")
	if said != "Exceeded MaxStartups" {
		t.Errorf("%q", said)
	}
	_ = held.Close()
	for name, c := range map[string]struct {
		says          string
		code          connectors.Code
		reason, field string
	}{
		"hangs up": {"", connectors.Refused, "ssh.closed", "port"}, "says no": {"go away\r\n", connectors.Refused, "ssh.closed", "port"},
		"keeps out": {"Not allowed at this time\r\n", connectors.Throttled, "ssh.penalty", ""},
	} {
		t.Run(name, func(t *testing.T) {
			host, port := hangsUp(t, c.says)
			said := fails(t, s.settings(t, "host", host, "port", port), connectors.Asker{}, c.code, c.reason, c.field)
			if said != strings.TrimSpace(c.says) {
				t.Errorf("%q", said)
			}
		})
	}
	t.Run("in the middle of the sign-in", func(t *testing.T) {
		slow := startSSHD(t, "LoginGraceTime 1")
		late := connectors.Asker{Input: func(ctx context.Context, _ connectors.Prompt) (connectors.Secret, error) {
			select {
			case <-time.After(1500 * time.Millisecond):
			case <-ctx.Done():
			}
			return connectors.NewSecret(password), nil
		}}
		fails(t, slow.settings(t, "auth", "interactive"), late, connectors.Refused, "ssh.dropped", "user")
	})
}

// hangsUp is a server, or a guard before it, that says a word at most and closes.
func hangsUp(t *testing.T, says string) (host, port string) {
	t.Helper()
	return conntest.Serve(t, func(c net.Conn) {
		_, _ = c.Write([]byte(says))
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = c.Read(make([]byte, 256)) // the client's version, so that closing resets nothing
	})
}

func TestPinnedHostKeys(t *testing.T) {
	s := startSSHD(t)
	pinned := func(pin string) connectors.Settings { return s.settings(t, "known_hosts", "", "host_key", pin) }
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		listed := server.Run(t, "ssh-keygen", "-lf", filepath.Join(s.dir, "host_"+kind+".pub"))
		works(t, pinned(listed), connectors.Asker{}) // the whole line as it is printed
	}
	said := fails(t, pinned("SHA256:"+strings.Repeat("A", 43)), conntest.TrustAll(), connectors.HostChanged, "ssh.host_pin", "host_key")
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		if print := fingerprint(t, s.trusted(t, kind)); !strings.Contains(said, print) {
			t.Errorf("%s (%s) is missing in %s", print, kind, said)
		}
	}
	fails(t, pinned("MD5:00:11"), connectors.Asker{}, connectors.BadInput, "", "host_key")
}

func TestSecurity45_PastedLinesOfKnownHosts(t *testing.T) {
	s := startSSHD(t)
	line := s.trusted(t, "ecdsa")
	file := server.WriteFile(t, t.TempDir(), "known", line, 0o600)
	server.Run(t, "ssh-keygen", "-H", "-f", file)
	for name, text := range map[string]string{"plain": line, "hashed by ssh-keygen": read(t, file), "CR LF and garbage": "what?\r\n# note\r\n" + strings.TrimSpace(line) + "\r\n"} {
		w := conntest.NewWorld(t)
		session, err := Type().Open(t.Context(), w.Env, s.settings(t, "known_hosts", "", "known_hosts_file", text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = session.Close()
		if len(w.Kept()) > 0 {
			t.Errorf("%s: kept %v", name, w.Kept())
		}
	}
	other := startSSHD(t).trusted(t, "ed25519")
	_, key, _ := strings.Cut(other, " ")
	wrong := s.settings(t, "known_hosts", "", "known_hosts_file", "[127.0.0.1]:"+strconv.Itoa(s.port)+" "+key)
	fails(t, wrong, conntest.TrustAll(), connectors.HostChanged, "ssh.host_changed", "")
	fails(t, s.settings(t, "known_hosts_file", "hello"), connectors.Asker{}, connectors.BadInput, "", "known_hosts_file")
}

func TestSecurity47_OldServersNeedTheOptIn(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []string{"dsa", "rsa"} {
		server.Run(t, "ssh-keygen", "-q", "-t", kind, "-m", "PEM", "-N", "", "-f", filepath.Join(dir, kind))
	}
	keys := server.WriteFile(t, "/tmp", account+"-old-keys", read(t, filepath.Join(dir, "dsa.pub"))+read(t, filepath.Join(dir, "rsa.pub")), 0o644)
	t.Cleanup(func() { _ = os.Remove(keys) })
	for name, c := range map[string]struct {
		lines  []string
		more   []string
		reason string
	}{
		"group1 and 3des": {lines: []string{"KexAlgorithms diffie-hellman-group1-sha1", "Ciphers 3des-cbc", "MACs hmac-sha1", "HostKeyAlgorithms ssh-rsa"}, reason: "ssh.algorithms"},
		"a CBC cipher":    {lines: []string{"Ciphers aes128-cbc"}, reason: "ssh.algorithms"},
		"a DSA host key":  {lines: []string{"HostKeyAlgorithms ssh-dss", "HostKey DIR/host_dsa"}, reason: "ssh.algorithms"},
		"a DSA key":       {lines: []string{"PubkeyAcceptedAlgorithms +ssh-dss"}, more: []string{"auth", "key", "key", read(t, filepath.Join(dir, "dsa"))}, reason: "ssh.key_old"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSSHD(t, append(c.lines, "AuthorizedKeysFile "+keys)...)
			settings := s.settings(t, append([]string{"known_hosts", ""}, c.more...)...)
			fails(t, settings, conntest.TrustAll(), connectors.Unsupported, c.reason, "legacy")
			settings.Plain["legacy"] = "true"
			works(t, settings, conntest.TrustAll())
		})
	}
}

// OpenSSH says that it takes every kind of signature; a server that says it takes
// SHA-1 alone is one of the x/crypto library.
func TestSecurity47_RSASignaturesStandIn(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []string{"rsa", "ed25519"} {
		server.Run(t, "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, kind))
	}
	cfg := &ssh.ServerConfig{PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoRSA},
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return &ssh.Permissions{}, nil }}
	host, err := ssh.ParsePrivateKey([]byte(read(t, filepath.Join(dir, "ed25519"))))
	if err != nil {
		t.Fatal(err)
	}
	cfg.AddHostKey(host)
	settings := connectors.NewSettings()
	settings.Plain = map[string]string{"host": "127.0.0.1", "port": listenSSH(t, cfg), "user": "mira", "auth": "key"}
	settings.Secrets["key"] = connectors.NewSecret(read(t, filepath.Join(dir, "rsa")))
	fails(t, settings, conntest.TrustAll(), connectors.Unsupported, "ssh.signature", "legacy")
	settings.Plain["legacy"] = "true"
	fails(t, settings, conntest.TrustAll(), connectors.Denied, "sftp.no_subsystem", "user") // signed in; it serves no files
}
