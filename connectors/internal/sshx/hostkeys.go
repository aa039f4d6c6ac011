package sshx

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
)

// KnownHosts is the key under which trusted host keys are kept, as the lines of
// a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
const KnownHosts = "known_hosts"

// hostKeys decides about a server's key by the lines that are known.
type hostKeys struct {
	env   *connectors.Env
	lines string
	port  string // of the server
	check ssh.HostKeyCallback
	shown string // the fingerprint that was accepted
}

func newHostKeys(env *connectors.Env, lines, addr string) (*hostKeys, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: err}
	}
	h := &hostKeys{env: env, lines: clean(lines), port: port}
	return h, h.load()
}

// clean drops what is no known_hosts line: one bad line would hide the others.
func clean(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if _, _, _, _, _, err := ssh.ParseKnownHosts([]byte(line)); err == nil {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// load gives the lines to the library, which reads files only.
func (h *hostKeys) load() error {
	f, err := os.CreateTemp("", "jackfield-known-hosts-*")
	if err != nil {
		return &connectors.Error{Code: connectors.Storage, Err: err}
	}
	defer func() { _ = os.Remove(f.Name()) }()
	// OpenSSH takes a * for the port, the library only the port itself.
	_, err = f.WriteString(strings.ReplaceAll(h.lines, "]:*", "]:"+h.port))
	if err = errors.Join(err, f.Close()); err != nil {
		return &connectors.Error{Code: connectors.Storage, Err: err}
	}
	h.check, err = knownhosts.New(f.Name())
	return err
}

// algorithms are the host key algorithms to offer: those of the known keys
// first and alone, so that a server with several keys shows the known one.
// Certificates are asked for only where an authority is known.
func (h *hostKeys) algorithms(addr string) []string {
	all := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	if strings.Contains(h.lines, "@cert-authority") {
		certs := []string{ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01}
		return append(certs, all...)
	}
	known := h.known(addr)
	if len(known) == 0 {
		return all
	}
	var out []string
	for _, k := range known {
		if k.Type() == ssh.KeyAlgoRSA {
			out = append(out, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		out = append(out, k.Type())
	}
	return out
}

// known asks the library for the keys of addr by showing it one that cannot match.
func (h *hostKeys) known(addr string) []ssh.PublicKey {
	err := h.check(addr, loopbackAddr{}, nobody{})
	var e *knownhosts.KeyError
	if !errors.As(err, &e) {
		return nil
	}
	var out []ssh.PublicKey
	for _, k := range e.Want {
		out = append(out, k.Key)
	}
	return out
}

// verify accepts a known key, asks about an unknown one and keeps the answer,
// and refuses a changed or revoked one without asking.
func (h *hostKeys) verify(ctx context.Context, addr string, remote net.Addr, key ssh.PublicKey) error {
	err := h.check(addr, remote, key)
	if cert, ok := key.(*ssh.Certificate); ok && err != nil {
		key = cert.Key
		err = h.check(addr, remote, key)
	}
	h.shown = ssh.FingerprintSHA256(key)
	if err == nil {
		return nil
	}
	var revoked *knownhosts.RevokedError
	if errors.As(err, &revoked) {
		return &connectors.Error{Code: connectors.HostChanged, Reason: "ssh.host_revoked", Op: connectors.StageSecure, Target: addr, Said: h.shown, Err: err}
	}
	var unknown *knownhosts.KeyError
	if !errors.As(err, &unknown) {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "ssh.host_unknown", Op: connectors.StageSecure, Target: addr, Said: h.shown, Err: err}
	}
	if len(unknown.Want) > 0 {
		var want []string
		for _, k := range unknown.Want {
			want = append(want, ssh.FingerprintSHA256(k.Key))
		}
		return &connectors.Error{Code: connectors.HostChanged, Reason: "ssh.host_changed", Op: connectors.StageSecure, Target: addr,
			Said: "known " + strings.Join(want, ", ") + "; now " + h.shown, Err: err}
	}
	yes, err := h.env.Trusts(ctx, connectors.TrustRequest{Kind: "SSH host key", Host: addr, Fingerprint: h.shown, Algorithm: key.Type()})
	if err != nil || !yes {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "ssh.host_unknown", Op: connectors.StageSecure, Target: addr, Said: h.shown, Err: err}
	}
	h.lines += knownhosts.Line([]string{knownhosts.Normalize(addr)}, key) + "\n"
	return h.env.Keeps(ctx, KnownHosts, connectors.NewSecret(h.lines))
}

type loopbackAddr struct{}

func (loopbackAddr) Network() string { return "tcp" }
func (loopbackAddr) String() string  { return "127.0.0.1:0" }

// nobody is a key that no server has.
type nobody struct{}

func (nobody) Type() string                        { return "jackfield-probe" }
func (nobody) Marshal() []byte                     { return bytes.Repeat([]byte{0}, 8) }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("not a key") }
func (nobody) String() string                      { return base64.StdEncoding.EncodeToString(nil) }
