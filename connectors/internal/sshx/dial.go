package sshx

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// Options say where and as whom.
type Options struct {
	Addr        string // host:port
	User        string
	Password    connectors.Secret // answers the password and a password prompt, never another one
	Ask         bool              // a person may be asked what the server asks
	Signers     []ssh.Signer
	Certificate *ssh.Certificate // that a signer carries, for what to say of a refusal
	Agent       bool             // the signers are an agent's
	Legacy      bool             // also algorithms that are broken by today's measure
	KnownHosts  connectors.Secret
	Lines       string // of a known_hosts file that the person gave: known too, but not kept
	Pin         string // "SHA256:…" of the host key; replaces the lines and the question
}

// A Client is an open, authenticated SSH connection.
type Client struct {
	*ssh.Client
	Fingerprint string
	Banner      string
	Algorithms  string
	conn        net.Conn
}

// Abort closes the connection under SSH's feet: nothing waits for the server.
func (c *Client) Abort() { _ = c.conn.Close() }

// Dial climbs secure and sign in. ctx covers the whole handshake, also with a
// server that never says a word.
func Dial(ctx context.Context, env *connectors.Env, o Options) (*Client, error) {
	var err error
	if o.Signers, err = allowed(o); err != nil {
		return nil, err
	}
	keys, err := newHostKeys(env, o)
	if err != nil {
		return nil, err
	}
	conn, err := env.Dial(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	var h *handshake
	err = env.Climb(ctx, connectors.StageSecure, o.Addr, func(ctx context.Context) (string, error) {
		for {
			h = begin(ctx, env, o, keys, conn)
			err := h.identity()
			if !keys.again(err) {
				return keys.shown, err
			}
			h.abandon()
			if conn, err = env.Dial(ctx, "tcp", o.Addr); err != nil {
				return "", err
			}
		}
	})
	if err != nil {
		h.abandon()
		return nil, err
	}
	close(h.gate)
	defer h.stop()
	var r result
	err = env.Climb(ctx, connectors.StageSignIn, o.User, func(context.Context) (string, error) {
		r = <-h.done
		return o.User, h.refusal(r.err)
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &Client{Client: ssh.NewClient(r.conn, r.chans, r.reqs), Fingerprint: keys.shown, Banner: h.banner, conn: conn}
	if meta, ok := r.conn.(ssh.AlgorithmsConnMetadata); ok {
		a := meta.Algorithms()
		c.Algorithms = strings.Join([]string{a.KeyExchange, a.HostKey, a.Write.Cipher}, ", ")
	}
	return c, nil
}

// allowed leaves the signers that may be used: without the opt-in none that
// signs with SHA-1 (RFC 8332 section 3.3: the library falls back to it where a
// server does not say what it takes), and no DSA key, which cannot do otherwise.
func allowed(o Options) ([]ssh.Signer, error) {
	if o.Legacy {
		return o.Signers, nil
	}
	var out []ssh.Signer
	for _, s := range o.Signers {
		kind := s.PublicKey().Type()
		flexible, able := s.(ssh.AlgorithmSigner)
		switch {
		case isDSA(kind):
			continue
		case able && (kind == ssh.KeyAlgoRSA || kind == ssh.CertAlgoRSAv01):
			modern, err := ssh.NewSignerWithAlgorithms(flexible, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
			if err != nil {
				return nil, keyError("ssh.not_a_key", "key", err)
			}
			s = modern
		}
		out = append(out, s)
	}
	if len(out) == 0 && len(o.Signers) > 0 {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "ssh.key_old", Op: connectors.StageSignIn, Field: "legacy"}
	}
	return out, nil
}

// oldHostKeys are what a server may show after the opt-in.
func oldHostKeys() []string { return []string{ssh.KeyAlgoRSA, ssh.InsecureKeyAlgoDSA} }

func isDSA(kind string) bool {
	return kind == ssh.InsecureKeyAlgoDSA || strings.HasPrefix(kind, "ssh-dss-cert-")
}

type result struct {
	conn  ssh.Conn
	chans <-chan ssh.NewChannel
	reqs  <-chan *ssh.Request
	err   error
}

// handshake tells the rung secure from the rung sign in: the library runs both
// in one call, and says between them only that the host key is verified.
type handshake struct {
	env     *connectors.Env
	o       Options
	keys    *hostKeys
	conn    *opening
	stop    func() bool
	done    chan result
	secured chan error
	gate    chan struct{} // closed when the rung sign in begins

	// What the library's goroutine notes, to be read after done.
	server  string                // its version
	trouble error                 // what our own callbacks refused
	banner  string                //
	last    ssh.ClientAuthContext // what the server accepts, and what has been tried
	prompts int
}

// begin starts the handshake on conn, which it closes when ctx ends.
func begin(ctx context.Context, env *connectors.Env, o Options, keys *hostKeys, conn net.Conn) *handshake {
	h := &handshake{env: env, o: o, keys: keys, conn: &opening{Conn: conn},
		done: make(chan result, 1), secured: make(chan error, 1), gate: make(chan struct{})}
	h.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	cfg := h.config(ctx)
	go func() {
		cc, chans, reqs, err := ssh.NewClientConn(h.conn, o.Addr, cfg)
		h.done <- result{cc, chans, reqs, err}
	}()
	return h
}

// identity waits until the server's key is accepted or refused.
func (h *handshake) identity() error {
	select {
	case err := <-h.secured:
		return err
	case r := <-h.done:
		h.done <- r
		return h.failure(r.err)
	}
}

// abandon ends a handshake that has come to nothing.
func (h *handshake) abandon() {
	h.stop()
	_ = h.conn.Close()
	select {
	case <-h.gate:
	default:
		close(h.gate)
	}
	<-h.done
}

func (h *handshake) config(ctx context.Context) *ssh.ClientConfig {
	cfg := &ssh.ClientConfig{User: h.o.User, Auth: h.methods(ctx)}
	cfg.HostKeyAlgorithms = h.keys.algorithms()
	cfg.HostKeyCallback = func(host string, remote net.Addr, key ssh.PublicKey) error {
		err := h.keys.verify(ctx, host, remote, key)
		h.trouble = err
		select {
		case h.secured <- err:
		default: // a later key exchange of the same connection
		}
		if err == nil {
			<-h.gate
		}
		return err
	}
	cfg.AuthCallback = func(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
		h.last, h.server = *c, string(c.Metadata.ServerVersion())
		return nil, h.hopeless()
	}
	cfg.BannerCallback = func(text string) error {
		if len(h.banner) < 4<<10 {
			h.banner += connectors.Clean(strings.TrimSpace(text), 2000)
		}
		return nil
	}
	if h.o.Legacy {
		old := ssh.InsecureAlgorithms()
		cur := ssh.SupportedAlgorithms()
		cfg.KeyExchanges = append(cur.KeyExchanges, old.KeyExchanges...)
		cfg.Ciphers = append(cur.Ciphers, old.Ciphers...)
		cfg.MACs = append(cur.MACs, old.MACs...)
	}
	return cfg
}

func (h *handshake) methods(ctx context.Context) []ssh.AuthMethod {
	var out []ssh.AuthMethod
	if len(h.o.Signers) > 0 {
		out = append(out, ssh.PublicKeys(h.o.Signers...))
	}
	if !h.o.Password.Empty() {
		out = append(out, ssh.Password(h.o.Password.Reveal()))
	}
	if !h.o.Password.Empty() || h.o.Ask {
		out = append(out, ssh.KeyboardInteractive(func(name, instruction string, questions []string, echos []bool) ([]string, error) {
			answers, err := h.answer(ctx, name, instruction, questions, echos)
			if err != nil {
				h.trouble = err
			}
			return answers, err
		}))
	}
	return out
}

// errEnough ends the attempts before the same password is sent again.
var errEnough = errors.New("the password was refused")

// hopeless ends the attempts once one of our own callbacks has refused: what
// comes after would hide the reason. A refused password is not tried again as
// the answer to a prompt, unless a person could answer what follows: servers
// lock accounts after a few failures.
func (h *handshake) hopeless() error {
	var known *connectors.Error
	if errors.As(h.trouble, &known) {
		return known
	}
	if !h.o.Ask && slices.Contains(h.last.TriedMethods, "password") {
		return errEnough
	}
	return nil
}
