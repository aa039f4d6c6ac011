package sqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"jackfield/connectors"
)

// A door is where a server is, and who goes in.
type door struct {
	addr    string
	user    string
	secured string // how the connection is protected; "" when it is not
	// safe reports whether TLS came about; nil where the driver does not tell.
	safe func() bool
}

// openServer signs in. Drivers dial, secure and sign in within one call: env.Dial
// tells the first rungs from within, and the others are told from the outcome.
func openServer(ctx context.Context, env *connectors.Env, at door, s *session) (connectors.Session, error) {
	bounded(s.db)
	if err := s.signIn(ctx, env, at); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func bounded(db *sql.DB) {
	db.SetMaxOpenConns(6)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(time.Minute)
}

func (s *session) signIn(ctx context.Context, env *connectors.Env, at door) error {
	err := s.explain(ctx, guarded(func() error {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		return s.d.hello(ctx, conn)
	}), at.addr)
	stage, text := connectors.StageSignIn, at.user
	if e := connectors.Classify(err); e != nil {
		if e.Op == connectors.StageResolve || e.Op == connectors.StageConnect {
			return err
		}
		if at.silent(e) {
			known := *e
			known.Op = connectors.StageSecure
			if known.Field == "" {
				known.Field = "port"
			}
			e, err = &known, &known
		}
		if e.Op == connectors.StageSecure {
			stage, text = connectors.StageSecure, at.addr
		}
	}
	if at.secured != "" && stage == connectors.StageSignIn {
		if err := env.Climb(ctx, connectors.StageSecure, at.secured, func(context.Context) (string, error) { return "", nil }); err != nil {
			return err
		}
	}
	return env.Climb(ctx, stage, text, func(context.Context) (string, error) { return "", err })
}

// silent reports whether the server was not heard before TLS came about, which
// another kind of service does: it waits for more, and so does the driver.
func (at door) silent(e *connectors.Error) bool {
	return at.secured != "" && at.safe != nil && !at.safe() && (e.Code == connectors.TimedOut || e.Reason == "sql.not_this" || e.Reason == "connect.closed")
}

// A maker is a driver.Connector for drivers that do not end with their context.
type maker struct {
	env     *connectors.Env
	driver  driver.Driver
	connect func(ctx context.Context, l *leash) (driver.Conn, error)
	made    *leashes
}

// leashes are those of the open connections.
type leashes struct{ m sync.Map } // from driver.Conn to *leash

// patience is how long a driver may take to make the server stop.
const patience = 500 * time.Millisecond

// cutter returns what closes c when its driver cannot end what runs.
func (ls *leashes) cutter(c *sql.Conn) func(finished <-chan struct{}) {
	var l *leash
	_ = c.Raw(func(conn any) error {
		if v, ok := ls.m.Load(conn); ok {
			l = v.(*leash)
		}
		return nil
	})
	return func(finished <-chan struct{}) {
		select {
		case <-finished:
		case <-time.After(patience):
			if l != nil {
				l.cut()
			}
		}
	}
}

// A held connection tells when it is closed.
type held struct {
	net.Conn
	closed func()
}

func (h held) Close() error {
	h.closed()
	return h.Conn.Close()
}

func (m maker) Driver() driver.Driver { return m.driver }

func (m maker) Connect(ctx context.Context) (driver.Conn, error) {
	l := &leash{env: m.env}
	stop := context.AfterFunc(ctx, l.cut)
	var conn driver.Conn
	err := guarded(func() (err error) { conn, err = m.connect(ctx, l); return err })
	if !stop() && err == nil {
		_ = conn.Close()
		err = ctx.Err()
	}
	if err != nil {
		l.cut()
		return nil, l.cause(err)
	}
	m.made.m.Store(conn, l)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = func() { m.made.m.Delete(conn) }
	return conn, nil
}

// maxDials is how often a server may send a sign-in elsewhere.
const maxDials = 4

var errSentAround = errors.New("the server sends the connection on and on")

// A leash holds what was dialled while one connection is made.
type leash struct {
	env *connectors.Env

	mu    sync.Mutex
	conns []net.Conn
	ended bool
	over  func() // once the connection is made: forgets it
	err   error  // what drivers tell as text alone
}

// DialContext makes a leash what drivers call a dialer.
func (l *leash) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	count := len(l.conns)
	l.mu.Unlock()
	if count >= maxDials {
		return nil, l.note(errSentAround)
	}
	c, err := l.env.Dial(ctx, network, addr)
	if err != nil {
		return nil, l.note(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	l.conns = append(l.conns, c)
	return held{c, l.closed}, nil
}

// HostName says that the way looks names up, not this computer.
func (l *leash) HostName() string { return "" }

func (l *leash) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, c := range l.conns {
		_ = c.Close()
	}
}

func (l *leash) closed() {
	l.mu.Lock()
	over := l.over
	l.mu.Unlock()
	if over != nil {
		over()
	}
}

func (l *leash) note(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	return err
}

// cause is what was noted, where the driver's error does not have it.
func (l *leash) cause(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil && !errors.Is(err, l.err) {
		return errors.Join(l.err, err)
	}
	return err
}

// verified is cfg with the same verification, whose failure is noted: crypto/tls
// asks nobody before it fails, and drivers pass its errors on as text. fixed
// says that the name to verify is cfg's, wherever the connection is sent on to.
func (l *leash) verified(cfg *tls.Config, fixed bool) *tls.Config {
	cfg = cfg.Clone()
	inner, name := cfg.VerifyConnection, cfg.ServerName
	if !cfg.InsecureSkipVerify {
		inner = func(s tls.ConnectionState) error {
			at := s.ServerName // empty for an address
			if fixed || at == "" {
				at = name
			}
			return chain(s, at, cfg.RootCAs)
		}
	}
	cfg.InsecureSkipVerify = true // VerifyConnection does what this leaves out, and more cannot be switched off
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if err := inner(s); err != nil {
			return l.note(err)
		}
		return nil
	}
	return cfg
}

// chain is crypto/tls's own verification of a server (RFC 5280, RFC 6125).
func chain(s tls.ConnectionState, name string, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return &connectors.Error{Code: connectors.Untrusted, Op: connectors.StageSecure}
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(options)
	return err
}

// serverError is what is left when the server said nothing in its own protocol.
func serverError(err error, target string, encrypted bool) error {
	found := *connectors.Classify(err)
	found.Target = target
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		found.Code, found.Reason, found.Field = connectors.Unsupported, "sql.no_tls", "tls"
	case found.Code == connectors.Refused && found.Reason == "":
		found.Reason, found.Field = "sql.not_this", "port"
	case found.Code == connectors.Untrusted || found.Code == connectors.AuthFailed:
		found.Op = connectors.StageSecure
		if found.Field == "" {
			found.Field = "ca"
		}
	}
	if found.Field == "client_cert" && !encrypted {
		found.Field = "tls"
	}
	return &found
}
