package sshx

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// maxPrompts bounds a server that asks without end.
const maxPrompts = 20

// Options say where and as whom.
type Options struct {
	Addr       string // host:port
	User       string
	Password   connectors.Secret // answers the password and a password prompt, never another one
	Ask        bool              // a person may be asked what the server asks
	Signers    func() ([]ssh.Signer, error)
	Legacy     bool // also algorithms that are broken by today's measure
	KnownHosts connectors.Secret
}

// A Client is an open, authenticated SSH connection.
type Client struct {
	*ssh.Client
	Fingerprint string
	Banner      string
	Algorithms  string
}

// Dial climbs secure and sign in. ctx covers the whole handshake, also with a
// server that never says a word.
func Dial(ctx context.Context, env *connectors.Env, o Options) (*Client, error) {
	conn, err := env.Dial(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	keys, err := newHostKeys(env, o.KnownHosts.Reveal(), o.Addr)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &Client{}
	h := &handshake{env: env, o: o, keys: keys, secured: make(chan error, 1), gate: make(chan struct{})}
	cfg := h.config(ctx, c)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	done := make(chan result, 1)
	go func() {
		cc, chans, reqs, err := ssh.NewClientConn(&opening{Conn: conn}, o.Addr, cfg)
		done <- result{cc, chans, reqs, err}
	}()
	err = env.Climb(ctx, connectors.StageSecure, o.Addr, func(ctx context.Context) (string, error) {
		select {
		case err := <-h.secured:
			return keys.shown, err
		case r := <-done:
			done <- r
			return "", h.explain(r.err)
		}
	})
	close(h.gate)
	if err != nil {
		_ = conn.Close()
		<-done
		return nil, err
	}
	var r result
	err = env.Climb(ctx, connectors.StageSignIn, o.User, func(ctx context.Context) (string, error) {
		r = <-done
		return o.User, h.explain(r.err)
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c.Client, c.Fingerprint = ssh.NewClient(r.conn, r.chans, r.reqs), keys.shown
	if meta, ok := r.conn.(ssh.AlgorithmsConnMetadata); ok {
		a := meta.Algorithms()
		c.Algorithms = strings.Join([]string{a.KeyExchange, a.HostKey, a.Write.Cipher}, ", ")
	}
	return c, nil
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
	secured chan error
	gate    chan struct{}
	trouble error // what our own callbacks refused
	prompts int
}

func (h *handshake) config(ctx context.Context, c *Client) *ssh.ClientConfig {
	cfg := &ssh.ClientConfig{User: h.o.User, Auth: h.methods(ctx)}
	cfg.HostKeyAlgorithms = h.keys.algorithms(h.o.Addr)
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
	cfg.BannerCallback = func(text string) error {
		if len(c.Banner) < 4<<10 {
			c.Banner += connectors.Clean(text, 2000)
		}
		return nil
	}
	if h.o.Legacy {
		old := ssh.InsecureAlgorithms()
		cur := ssh.SupportedAlgorithms()
		cfg.KeyExchanges = append(cur.KeyExchanges, old.KeyExchanges...)
		cfg.Ciphers = append(cur.Ciphers, old.Ciphers...)
		cfg.MACs = append(cur.MACs, old.MACs...)
		cfg.HostKeyAlgorithms = append(cfg.HostKeyAlgorithms, ssh.KeyAlgoRSA, ssh.InsecureKeyAlgoDSA)
	}
	return cfg
}

func (h *handshake) methods(ctx context.Context) []ssh.AuthMethod {
	var out []ssh.AuthMethod
	if h.o.Signers != nil {
		out = append(out, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
			s, err := h.o.Signers()
			if err != nil {
				h.trouble = err
			}
			return s, err
		}))
	}
	if !h.o.Password.Empty() {
		out = append(out, ssh.Password(h.o.Password.Reveal()))
	}
	if !h.o.Password.Empty() || h.o.Ask {
		out = append(out, ssh.KeyboardInteractive(func(name, instruction string, questions []string, echos []bool) ([]string, error) {
			return h.answer(ctx, name, instruction, questions, echos)
		}))
	}
	return out
}

// answer gives the password to a password prompt alone; anything else is a
// person's to answer.
func (h *handshake) answer(ctx context.Context, name, instruction string, questions []string, echos []bool) ([]string, error) {
	if h.prompts += len(questions); h.prompts > maxPrompts {
		return nil, errors.New("the server asks too many questions")
	}
	var out []string
	for i, q := range questions {
		if !echos[i] && !h.o.Password.Empty() && passwordPrompt(q) {
			out = append(out, h.o.Password.Reveal())
			continue
		}
		text := strings.TrimSpace(name + " " + instruction)
		s, err := h.env.Inputs(ctx, connectors.Prompt{Title: connectors.Clean(strings.TrimRight(q, ": "), 200), Text: connectors.Clean(text, 500), Echo: echos[i]})
		if err != nil {
			h.trouble = &connectors.Error{Code: connectors.SignInAgain, Reason: "nobody", Op: connectors.StageSignIn, Err: err}
			return nil, err
		}
		out = append(out, s.Reveal())
	}
	return out, nil
}

func passwordPrompt(q string) bool {
	q = strings.ToLower(q)
	return strings.Contains(q, "password") && !strings.Contains(q, "one-time") && !strings.Contains(q, "new password")
}

// explain turns the library's errors into ours. Its refusal of a sign-in is
// plain text; what is left after the typed causes on an encrypted connection
// can only be that.
func (h *handshake) explain(err error) error {
	var known *connectors.Error
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case err == nil:
		return nil
	case errors.As(h.trouble, &known), errors.As(err, &known):
		return known
	case errors.Is(err, errNotSSH):
		return &connectors.Error{Code: connectors.Refused, Reason: "ssh.not_ssh", Field: "port", Target: h.o.Addr, Err: err}
	case errors.As(err, &negotiation):
		return &connectors.Error{Code: connectors.Unsupported, Reason: "ssh.algorithms", Field: "legacy", Target: h.o.Addr,
			Said: negotiation.What + ": the server offers " + strings.Join(negotiation.RequestedAlgorithms, ", "), Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &connectors.Error{Code: connectors.Refused, Reason: "ssh.closed", Field: "port", Target: h.o.Addr, Err: err}
	}
	if found := connectors.Classify(err); found.Code != connectors.Refused || found.Reason != "" {
		return found
	}
	if h.keys.shown == "" {
		return &connectors.Error{Code: connectors.Refused, Reason: "ssh.not_ssh", Field: "port", Target: h.o.Addr, Err: err}
	}
	field := "password"
	if h.o.Signers != nil && h.o.Password.Empty() {
		field = "user"
	}
	return &connectors.Error{Code: connectors.AuthFailed, Reason: "ssh.auth", Field: field, Target: h.o.Addr, Err: err}
}
