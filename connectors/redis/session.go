package redis

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// handshakeTime bounds the TLS handshake: a Redis that does not speak TLS waits
// for the end of a line and answers nothing.
const handshakeTime = 4 * time.Second

// A session has one connection, which its exchanges take turns on, and makes a
// new one when that is lost.
type session struct {
	env     *connectors.Env
	c       config
	turn    chan struct{} // holds a token while nobody uses wire
	wire    *wire
	secured string          // of the first connection
	life    context.Context // ends with Close
	end     context.CancelFunc
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s := &session{env: env, c: c, turn: make(chan struct{}, 1)}
	w, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.wire, s.secured = w, w.secured
	s.life, s.end = context.WithCancel(context.Background())
	s.turn <- struct{}{}
	return s, nil
}

// connect climbs the rungs up to the sign-in.
func (s *session) connect(ctx context.Context) (*wire, error) {
	conn, err := s.env.Dial(ctx, "tcp", s.c.addr())
	if err != nil {
		return nil, err
	}
	secured := "none"
	if s.c.secure() {
		err = s.env.Climb(ctx, connectors.StageSecure, s.c.Host, func(ctx context.Context) (string, error) {
			conn, secured, err = s.encrypt(ctx, conn)
			return secured, err
		})
		if err != nil {
			return nil, err
		}
	}
	w := newWire(conn)
	w.secured = secured
	err = s.env.Climb(ctx, connectors.StageSignIn, s.c.account(), func(ctx context.Context) (string, error) {
		return s.c.account(), s.signIn(ctx, w)
	})
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

func (s *session) encrypt(ctx context.Context, conn net.Conn) (net.Conn, string, error) {
	cfg, err := tlsx.Config(s.c.Spec(), s.c.Host)
	if err != nil {
		_ = conn.Close()
		return nil, "", err
	}
	short, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	safe, said, err := tlsx.Handshake(short, conn, cfg)
	if err == nil {
		return safe, said, nil
	}
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = s.c.addr()
	}
	switch {
	case e.Code == connectors.Untrusted && e.Field == "":
		e.Field = "ca"
	case ctx.Err() != nil:
	case e.Reason == "tls.not_tls", e.Code == connectors.TimedOut && s.answersInTheClear(ctx):
		e.Code, e.Reason, e.Field = connectors.Refused, "redis.plain", "security"
	}
	return nil, "", &e
}

// answersInTheClear asks over a connection of its own; nothing secret is in it.
func (s *session) answersInTheClear(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	conn, err := s.env.Dial(ctx, "tcp", s.c.addr())
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	w := newWire(conn)
	_, err = w.do(ctx, 0, cmd("PING"))
	return err == nil || w.heard
}

// signIn proves that a Redis answers before the password is sent to it. A user
// who may not send PING is signed in all the same.
func (s *session) signIn(ctx context.Context, w *wire) error {
	first, err := w.do(ctx, maxLine, cmd("PING"))
	if err != nil {
		return s.lost(ctx, w, err)
	}
	if said := first[0].err; said != nil && !slices.Contains([]string{"NOAUTH", "NOPERM", "LOADING", "MASTERDOWN", "BUSY"}, said.(refusal).prefix()) && !strings.HasPrefix(said.Error(), "ERR operation not permitted") {
		return s.refused(said, "", connectors.StageSignIn)
	}
	if s.c.Auth == byPassword {
		auth := cmd("AUTH", s.c.Password.Reveal())
		if s.c.User != "" {
			auth = cmd("AUTH", s.c.User, s.c.Password.Reveal())
		}
		answer, err := w.do(ctx, maxLine, auth)
		if err == nil {
			err = answer[0].err
		}
		if err != nil {
			return s.authError(ctx, w, err)
		}
	}
	// Looking at a key must not make it look used (Redis 7.2, Valkey 7.2); older
	// servers refuse this, and nothing else can be done there.
	answer, err := w.do(ctx, maxLine, cmd("CLIENT", "NO-TOUCH", "ON"), cmd("PING"))
	if err != nil {
		return s.lost(ctx, w, err)
	}
	if said := answer[1].err; said != nil && said.(refusal).prefix() != "NOPERM" {
		return s.refused(said, "", connectors.StageSignIn)
	}
	n, _ := s.c.number()
	return s.choose(ctx, w, n)
}

func (s *session) authError(ctx context.Context, w *wire, err error) error {
	var said refusal
	if !errors.As(err, &said) {
		return s.lost(ctx, w, err)
	}
	return s.refused(said, "", connectors.StageSignIn)
}

// choose makes n the connection's database.
func (s *session) choose(ctx context.Context, w *wire, n int) error {
	if w.db == n {
		return nil
	}
	answer, err := w.do(ctx, maxLine, cmd("SELECT", strconv.Itoa(n)))
	if err != nil {
		return s.lost(ctx, w, err)
	}
	if answer[0].err != nil {
		return s.refused(answer[0].err, strconv.Itoa(n), connectors.StageRights)
	}
	w.db = n
	return nil
}

// do makes one exchange in a database; see wire.do. Errors are *Error.
func (s *session) do(ctx context.Context, db, keep int, commands ...command) ([]reply, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(context.Canceled) })()
	if ctx.Err() != nil || s.life.Err() != nil {
		cancel(context.Canceled)
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if s.wire == nil || s.wire.broken {
		w, err := s.connect(ctx)
		if err != nil {
			return nil, err
		}
		s.wire = w
	}
	if err := s.choose(ctx, s.wire, db); err != nil {
		return nil, err
	}
	out, err := s.wire.do(ctx, keep, commands...)
	if err != nil {
		return nil, s.lost(ctx, s.wire, err)
	}
	return out, nil
}

// one is do for a single command, whose refusal is an error about target.
func (s *session) one(ctx context.Context, db, keep int, target string, c command) (reply, error) {
	out, err := s.do(ctx, db, keep, c)
	if err != nil {
		return reply{}, err
	}
	if out[0].err != nil {
		return reply{}, s.refused(out[0].err, target, connectors.StageData)
	}
	return out[0], nil
}

// Close frees everything; an exchange that is going on ends.
func (s *session) Close() error {
	s.end()
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.wire != nil {
		s.wire.broken = true
		_ = s.wire.Close()
	}
	return nil
}
