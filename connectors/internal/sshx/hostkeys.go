package sshx

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
)

// KnownHosts is the key under which trusted host keys are kept, as the lines of
// a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
const KnownHosts = "known_hosts"

// hostKeys decides about a server's key by a pinned fingerprint or by the lines
// that are known.
type hostKeys struct {
	env    *connectors.Env
	addr   string
	port   string
	issued string // lines that were trusted here
	given  string // lines that the person brought along
	pin    string
	legacy bool
	check  ssh.HostKeyCallback

	shown    string   // the fingerprint that was accepted, or the last one refused
	accepted []byte   // the key that was accepted
	seen     []string // pinned: the kinds and fingerprints that were not it
	kinds    []string // pinned: the kinds not to ask for again
}

func newHostKeys(env *connectors.Env, o Options) (*hostKeys, error) {
	_, port, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: err}
	}
	h := &hostKeys{env: env, addr: o.Addr, port: port, issued: clean(o.KnownHosts.Reveal()), given: clean(o.Lines), pin: strings.TrimRight(o.Pin, "="), legacy: o.Legacy}
	return h, h.load()
}

// load gives the lines to the library, which reads files only.
func (h *hostKeys) load() error {
	f, err := os.CreateTemp("", "jackfield-known-hosts-*")
	if err != nil {
		return &connectors.Error{Code: connectors.Storage, Err: err}
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(forPort(h.issued+h.given, h.port))
	if err = errors.Join(err, f.Close()); err != nil {
		return &connectors.Error{Code: connectors.Storage, Err: err}
	}
	h.check, err = knownhosts.New(f.Name())
	return err
}

func (h *hostKeys) pinned() bool { return h.pin != "" }

// algorithms are the host key algorithms to offer: those of the known keys
// alone, so that a server with several keys shows the known one. Certificates
// are asked for only where an authority for this host is known. With a pin, what
// the server has shown already is not asked for again.
func (h *hostKeys) algorithms() []string {
	all := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	if h.legacy {
		all = append(all, oldHostKeys()...)
	}
	if h.pinned() {
		return slices.DeleteFunc(all, func(a string) bool { return slices.Contains(h.kinds, kindOf(a)) })
	}
	known := h.known()
	if len(known) > 0 {
		only := slices.DeleteFunc(slices.Clone(all), func(a string) bool {
			return !slices.ContainsFunc(known, func(k ssh.PublicKey) bool { return k.Type() == kindOf(a) })
		})
		if len(only) > 0 {
			all = only
		}
	}
	if authorityFor(h.issued+h.given, h.addr) {
		certs := []string{ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01}
		return append(certs, all...)
	}
	return all
}

// kindOf is the kind of key behind a host key algorithm (RFC 8332: an RSA key
// signs in three ways).
func kindOf(algorithm string) string {
	if algorithm == ssh.KeyAlgoRSASHA512 || algorithm == ssh.KeyAlgoRSASHA256 {
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// known asks the library for the keys of addr by showing it one that cannot match.
func (h *hostKeys) known() []ssh.PublicKey {
	err := h.check(h.addr, loopbackAddr{}, nobody{})
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

// verify accepts a known or pinned key, asks about an unknown one and keeps the
// answer, and refuses a changed or revoked one without asking. The library calls
// it again with every later exchange of keys; the key must stay the same.
func (h *hostKeys) verify(ctx context.Context, addr string, remote net.Addr, key ssh.PublicKey) error {
	if h.accepted != nil {
		if bytes.Equal(h.accepted, key.Marshal()) {
			return nil
		}
		return h.changed("ssh.host_changed", "known "+h.shown+"; now "+ssh.FingerprintSHA256(key), nil)
	}
	err := h.judge(ctx, addr, remote, key)
	if err == nil {
		h.accepted = key.Marshal()
	}
	return err
}

func (h *hostKeys) judge(ctx context.Context, addr string, remote net.Addr, key ssh.PublicKey) error {
	err := h.check(addr, remote, key)
	if cert, ok := key.(*ssh.Certificate); ok && err != nil {
		key = cert.Key
		err = h.check(addr, remote, key)
	}
	h.shown = ssh.FingerprintSHA256(key)
	var revoked *knownhosts.RevokedError
	var unknown *knownhosts.KeyError
	switch {
	case errors.As(err, &revoked):
		return h.changed("ssh.host_revoked", h.shown, err)
	case h.pinned():
		return h.comparePin(key)
	case err == nil:
		return nil
	case !errors.As(err, &unknown):
		return &connectors.Error{Code: connectors.Untrusted, Reason: "ssh.host_unknown", Op: connectors.StageSecure, Target: addr, Said: h.shown, Err: err}
	case len(unknown.Want) > 0:
		var want []string
		for _, k := range unknown.Want {
			want = append(want, ssh.FingerprintSHA256(k.Key))
		}
		return h.changed("ssh.host_changed", "known "+strings.Join(want, ", ")+"; now "+h.shown, err)
	}
	yes, err := h.env.Trusts(ctx, connectors.TrustRequest{Kind: "SSH host key", Host: addr, Fingerprint: h.shown, Algorithm: key.Type()})
	if err != nil || !yes {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "ssh.host_unknown", Op: connectors.StageSecure, Target: addr, Said: h.shown, Err: err}
	}
	h.issued += knownhosts.Line([]string{knownhosts.Normalize(addr)}, key) + "\n"
	return h.env.Keeps(ctx, KnownHosts, connectors.NewSecret(h.issued))
}

// maxShown bounds a server that shows a new key at every call.
const maxShown = 8

// errOtherKey marks a key that is not the pinned one: a server with several may
// have it all the same.
var errOtherKey = errors.New("not the pinned key")

func (h *hostKeys) comparePin(key ssh.PublicKey) error {
	if h.shown == h.pin {
		return nil
	}
	h.seen = append(h.seen, h.shown)
	h.kinds = append(h.kinds, key.Type())
	return h.mismatch(errOtherKey)
}

func (h *hostKeys) mismatch(cause error) error {
	return &connectors.Error{Code: connectors.HostChanged, Reason: "ssh.host_pin", Op: connectors.StageSecure, Field: "host_key", Target: h.addr,
		Said: "expected " + h.pin + "; the server has " + strings.Join(h.seen, ", "), Err: cause}
}

// again reports whether another of the server's keys may be the pinned one.
func (h *hostKeys) again(err error) bool {
	return errors.Is(err, errOtherKey) && len(h.seen) < maxShown && len(h.algorithms()) > 0
}

func (h *hostKeys) changed(reason, said string, err error) error {
	return &connectors.Error{Code: connectors.HostChanged, Reason: reason, Op: connectors.StageSecure, Target: h.addr, Said: said, Err: err}
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
