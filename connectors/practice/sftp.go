package practice

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// maxChannels is how many SFTP sessions one SSH connection may hold open.
const maxChannels = 16

// startSFTP serves the tree over SSH. The host key is new at every start; as
// this program made it, the connection already knows it: asking a person to
// confirm a fingerprint that nobody can look up would only teach them to say yes.
func startSFTP(ctx context.Context, log *slog.Logger) (Connection, func() error, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("sftp host key: %w", err)
	}
	signer, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("sftp host key: %w", err)
	}
	cfg := &ssh.ServerConfig{MaxAuthTries: 4, ServerVersion: "SSH-2.0-JackfieldPractice", PasswordCallback: checkSSH}
	cfg.AddHostKey(signer)
	g, err := listen(ctx, portSFTP)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("sftp: %w", err)
	}
	srv := &sshServer{cfg: cfg, tree: growTree(seed()), log: log}
	wait := g.serve(srv.handle)
	c := Connection{TypeID: "sftp", Name: "Practice files (SFTP)", Description: "Reports, price lists and sales of " + company + ", an invented company.",
		Settings: settings(map[string]string{"host": loopback, "port": g.port(), "user": demoUser, "auth": "password", "folder": "/"},
			map[string]string{"password": demoPassword, "known_hosts": knownhosts.Line([]string{net.JoinHostPort(loopback, g.port())}, signer.PublicKey())})}
	return c, func() error { err := g.Close(); wait(); return err }, nil
}

func checkSSH(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if !match(meta.User(), demoUser) || !match(string(password), demoPassword) {
		return nil, errors.New("wrong user or password")
	}
	return &ssh.Permissions{}, nil
}

// match compares in constant time, as a server that people copy from should.
func match(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }

type sshServer struct {
	cfg  *ssh.ServerConfig
	tree *node
	log  *slog.Logger
}

func (s *sshServer) handle(v *guest) {
	// One alarm for the whole handshake: a client that drips bytes is cut too.
	alarm := time.AfterFunc(signInTime, func() { _ = v.Close() })
	conn, chans, reqs, err := ssh.NewServerConn(v, s.cfg)
	if !alarm.Stop() || err != nil {
		s.log.Debug("practice sftp: sign-in failed", "remote", v.RemoteAddr().String())
		return
	}
	v.patience.Store(int64(idleTime))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { _ = conn.Close() }()
	wg.Go(func() {
		for r := range reqs {
			// keepalive@openssh.com wants an answer, whichever.
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	})
	slots := make(chan struct{}, maxChannels)
	for c := range chans {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "only sftp is served here")
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = c.Reject(ssh.ResourceShortage, "too many sessions")
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			s.session(c)
		})
	}
}

// session serves the one subsystem; shells and commands are refused.
func (s *sshServer) session(c ssh.NewChannel) {
	ch, reqs, err := c.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	var wg sync.WaitGroup
	defer wg.Wait()
	started := false
	for r := range reqs {
		var sub struct{ Name string }
		ok := !started && r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &sub) == nil && sub.Name == "sftp"
		if r.WantReply {
			if err := r.Reply(ok, nil); err != nil {
				return
			}
		}
		if !ok {
			continue
		}
		started = true
		wg.Go(func() {
			defer func() { _ = ch.Close() }()
			s.files(ch)
		})
	}
}

func (s *sshServer) files(ch io.ReadWriteCloser) {
	h := share{s.tree}
	srv := sftp.NewRequestServer(ch, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	defer func() { _ = srv.Close() }()
	defer survive(s.log, "sftp")
	if err := srv.Serve(); err != nil && !errors.Is(err, io.EOF) {
		s.log.Debug("practice sftp: session ended", "error", err)
	}
}

// survive keeps the program alive when a library stumbles over what a client
// sent: the connection ends, the person's work does not.
func survive(log *slog.Logger, service string) {
	if r := recover(); r != nil {
		log.Warn("practice service dropped a connection", "service", service, "cause", fmt.Sprint(r))
	}
}
