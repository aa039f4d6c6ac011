package sftp

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func fingerprint(t testing.TB, known string) string {
	t.Helper()
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(known))
	if err != nil {
		t.Fatal(err)
	}
	return ssh.FingerprintSHA256(key)
}

func TestSecurity43_UnknownHostsAskAndChangedOnesBlock(t *testing.T) {
	s := startSSHD(t)
	settings := s.settings(t, "known_hosts", "")
	w := conntest.NewWorld(t)
	var asked connectors.TrustRequest
	w.Env.Ask.Trust = func(_ context.Context, r connectors.TrustRequest) (bool, error) { asked = r; return false, nil }
	_, err := Type().Open(t.Context(), w.Env, settings)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Untrusted || len(w.Kept()) != 0 {
		t.Errorf("refused: %v, kept %v", err, w.Kept())
	}
	if !strings.HasPrefix(asked.Fingerprint, "SHA256:") || asked.Host != s.addr() {
		t.Errorf("asked %+v", asked)
	}
	w.Env.Ask.Trust = func(_ context.Context, r connectors.TrustRequest) (bool, error) { asked = r; return true, nil }
	session, err := Type().Open(t.Context(), w.Env, settings)
	if err != nil {
		t.Fatal(err)
	}
	_ = session.Close()
	kept := w.Kept()["known_hosts"]
	if fingerprint(t, kept.Reveal()) != asked.Fingerprint {
		t.Errorf("asked about %s and kept another", asked.Fingerprint)
	}
	// What was kept is enough next time, without anybody to ask.
	settings.Secrets["known_hosts"] = kept
	if _, err := openWith(t, settings, connectors.Asker{}); err != nil {
		t.Errorf("the next time: %v", err)
	}
	other := startSSHD(t)
	changed := strings.Replace(other.trusted(t, "ed25519"), ":"+strconv.Itoa(other.port), ":"+strconv.Itoa(s.port), 1)
	questions := 0
	_, err = openWith(t, s.settings(t, "known_hosts", changed), connectors.Asker{Trust: func(context.Context, connectors.TrustRequest) (bool, error) { questions++; return true, nil }})
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.HostChanged || e.Op != connectors.StageSecure || questions != 0 {
		t.Fatalf("%v after %d questions", err, questions)
	}
	if !strings.Contains(e.Said, fingerprint(t, changed)) || !strings.Contains(e.Said, asked.Fingerprint) {
		t.Errorf("both fingerprints belong here: %s", e.Said)
	}
}

// The server has three keys; the one that is known is the one that is asked for.
func TestSecurity44_TheKnownKeyIsAskedFor(t *testing.T) {
	s := startSSHD(t)
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		if _, err := openWith(t, s.settings(t, "known_hosts", s.trusted(t, kind)), connectors.Asker{}); err != nil {
			t.Errorf("%s alone is known: %v", kind, err)
		}
	}
}

func TestSecurity45_KnownHostsLinesOfEveryKind(t *testing.T) {
	s := startSSHD(t)
	line := s.trusted(t, "ed25519")
	_, rest, _ := strings.Cut(line, " ")
	hashed := knownhosts.HashHostname(knownhosts.Normalize(s.addr())) + " " + rest
	ca := s.dir + "/ca"
	server.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ca)
	server.Run(t, "ssh-keygen", "-q", "-s", ca, "-I", "host", "-h", "-n", "127.0.0.1", s.dir+"/host_ed25519.pub")
	withCert := startSSHD(t)
	server.Run(t, "ssh-keygen", "-q", "-s", ca, "-I", "host", "-h", "-n", "127.0.0.1", withCert.dir+"/host_ed25519.pub")
	authority := "@cert-authority [127.0.0.1]:* " + strings.Join(strings.Fields(read(t, ca+".pub"))[:2], " ") + "\n"
	for name, c := range map[string]struct {
		lines string
		code  connectors.Code
	}{
		"hashed":                      {hashed, ""},
		"wildcard":                    {"[127.0.0.*]:* " + rest, ""},
		"CRLF":                        {strings.ReplaceAll(line, "\n", "\r\n"), ""},
		"garbage":                     {"what is this\n\x00\x01\n# comment\n" + line, ""},
		"revoked":                     {"@revoked * " + rest + line, connectors.HostChanged},
		"another one":                 {strings.Replace(line, "127.0.0.1", "10.0.0.1", 1), connectors.Untrusted},
		"authority of no certificate": {authority + line, ""},
	} {
		_, err := openWith(t, s.settings(t, "known_hosts", c.lines), connectors.Asker{})
		if connectors.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	cert := startSSHD(t, "HostCertificate "+withCert.dir+"/host_ed25519-cert.pub", "HostKey "+withCert.dir+"/host_ed25519")
	if _, err := openWith(t, cert.settings(t, "known_hosts", authority), connectors.Asker{}); err != nil {
		t.Errorf("a certified host: %v", err)
	}
}

func TestSecurity46_TheDeadlineCoversTheWholeHandshake(t *testing.T) {
	for name, greeting := range map[string]string{"silent": "", "after the version": "SSH-2.0-OpenSSH_9.2p1\r\n", "endless lines": strings.Repeat("wait\r\n", 50)} {
		host, port := conntest.Speaks(t, greeting)
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": host, "port": port, "user": "me", "auth": "password"}
		s.Secrets["password"] = connectors.NewSecret("x-practice")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
		cancel()
		if code := connectors.CodeOf(err); code != connectors.TimedOut {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecurity47_BrokenAlgorithmsAreOptIn(t *testing.T) {
	s := startSSHD(t, "KexAlgorithms diffie-hellman-group1-sha1", "Ciphers aes128-cbc", "HostKeyAlgorithms ssh-rsa", "MACs hmac-sha1")
	settings := s.settings(t, "known_hosts", "")
	_, err := openWith(t, settings, conntest.TrustAll())
	if e := connectors.Classify(err); e == nil || e.Reason != "ssh.algorithms" || e.Field != "legacy" {
		t.Errorf("%v", err)
	}
	settings.Plain["legacy"] = "true"
	if _, err := openWith(t, settings, conntest.TrustAll()); err != nil {
		t.Errorf("with the opt-in: %v", err)
	}
	rsa := startSSHD(t, "HostKeyAlgorithms ssh-rsa")
	if _, err := openWith(t, rsa.settings(t, "known_hosts", ""), conntest.TrustAll()); connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("a host key signed with SHA-1: %v", err)
	}
}

// chatty is an SSH server of the x/crypto library whose banner and questions a
// test chooses; OpenSSH cannot be made to ask such things.
func chatty(t *testing.T, banner string, ask func(ssh.KeyboardInteractiveChallenge) error) string {
	t.Helper()
	s := startSSHD(t) // only for its key
	key, err := ssh.ParsePrivateKey([]byte(read(t, s.dir+"/host_ed25519")))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &ssh.ServerConfig{BannerCallback: func(ssh.ConnMetadata) string { return banner },
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, c ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			return nil, ask(c)
		}}
	cfg.AddHostKey(key)
	return listenSSH(t, cfg)
}

// listenSSH serves sign-ins, and refuses every channel.
func listenSSH(t *testing.T, cfg *ssh.ServerConfig) string {
	t.Helper()
	_, port := conntest.Serve(t, func(c net.Conn) {
		conn, chans, reqs, err := ssh.NewServerConn(c, cfg)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(reqs)
		for ch := range chans {
			_ = ch.Reject(ssh.Prohibited, "no")
		}
		_ = conn.Close()
	})
	return port
}

func TestSecurity48_ThePasswordAnswersOnlyAPasswordPrompt(t *testing.T) {
	type question struct {
		text string
		echo bool
	}
	for _, c := range []struct {
		question
		gets bool
	}{
		{question{"Password: ", false}, true}, {question{"mira's password:", false}, true},
		{question{"Password: ", true}, false}, {question{"One-time password:", false}, false}, {question{"New password:", false}, false}, {question{"What is your secret?", false}, false},
	} {
		var got string
		port := chatty(t, "", func(ask ssh.KeyboardInteractiveChallenge) error {
			answers, err := ask("", "", []string{c.text}, []bool{c.echo})
			if err == nil {
				got = answers[0]
			}
			return fmt.Errorf("no")
		})
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": port, "user": "mira", "auth": "password"}
		s.Secrets["password"] = connectors.NewSecret("canary-password")
		w := conntest.NewWorld(t)
		w.Env.Ask = conntest.TrustAll()
		_, _ = Type().Open(t.Context(), w.Env, s)
		if (got == "canary-password") != c.gets {
			t.Errorf("%q (echo %v) got %q", c.text, c.echo, got)
		}
	}
}

func TestSecurity48_BannersAndPromptsAreCappedAndClean(t *testing.T) {
	var asked connectors.Prompt
	rounds := 0
	port := chatty(t, strings.Repeat("\x1b[31m\u202eevil", 5000), func(ask ssh.KeyboardInteractiveChallenge) error {
		for ; ; rounds++ {
			if _, err := ask("\x1b]0;title\a", strings.Repeat("x", 100_000), []string{"\u202eedoc" + strings.Repeat("y", 10_000)}, []bool{false}); err != nil {
				return err
			}
		}
	})
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": port, "user": "mira", "auth": "interactive"}
	w := conntest.NewWorld(t)
	w.Env.Ask = conntest.TrustAll()
	w.Env.Ask.Input = func(_ context.Context, p connectors.Prompt) (connectors.Secret, error) {
		asked = p
		return connectors.NewSecret("x"), nil
	}
	_, err := Type().Open(t.Context(), w.Env, s)
	if err == nil || rounds > 100 {
		t.Errorf("%d rounds, %v", rounds, err)
	}
	if text := asked.Title + asked.Text; connectors.Clean(text, 0) != text || len([]rune(text)) > 800 || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("%d runes: %.80q", len([]rune(text)), text)
	}
}

func TestTheGuardOfTheOpening(t *testing.T) {
	for name, greeting := range map[string]string{"http": "HTTP/1.1 400 Bad Request\r\n", "ftp": "220 ready\r\n", "imap": "* OK ready\r\n", "mysql": "J\x00\x00\x00\x0a8.0.30\x00", "tls": "\x15\x03\x01\x00\x02"} {
		host, port := conntest.Speaks(t, greeting)
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": host, "port": port, "user": "me", "auth": "password"}
		s.Secrets["password"] = connectors.NewSecret("x-practice")
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
		if e := connectors.Classify(err); e == nil || e.Reason != "ssh.not_ssh" || e.Field != "port" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
