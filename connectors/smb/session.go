package smb

import (
	"context"
	"errors"
	"net"
	"path"
	"strconv"
	"sync"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"
	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// closing bounds the wait for the server's answer to a farewell.
const closing = time.Second

type session struct {
	*files.Tree
	env  *connectors.Env
	c    config
	wire *watched
	smb  *smb2.Session
	root string // "" for the shares, else share/folder

	life  context.Context // ends with Close
	end   context.CancelCauseFunc
	turn  chan struct{} // holds one item while somebody uses trees
	trees map[string]*smb2.Share
	once  sync.Once
}

// signIn connects, negotiates and signs in. A password is worth nothing to a
// server that cannot prove to know it too, so its messages have to be signed.
func (s *session) signIn(ctx context.Context) error {
	conn, err := s.env.Dial(ctx, "tcp", net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port)))
	if err != nil {
		return err
	}
	s.wire = watch(conn)
	s.trees = map[string]*smb2.Share{}
	err = s.env.Climb(ctx, connectors.StageSignIn, s.c.who(), func(ctx context.Context) (string, error) {
		d := &smb2.Dialer{Initiator: s.initiator(), Negotiator: smb2.Negotiator{RequireMessageSigning: s.c.Auth == byPassword}}
		err := guarded(func() (err error) {
			s.smb, err = d.DialConn(ctx, s.wire, s.c.Host)
			return err
		})
		if err == nil && s.c.Auth == byPassword && s.wire.agreed().guest() {
			err = &connectors.Error{Code: connectors.AuthFailed, Reason: "smb.guest", Field: "user", Target: s.c.Host}
		}
		return s.c.who() + ", " + s.wire.agreed().version(), s.notSignedIn(ctx, err)
	})
	if err != nil {
		_ = conn.Close()
	}
	return err
}

func (s *session) initiator() smb2.Initiator {
	out := &smb2.NTLMInitiator{TargetSPN: "cifs/" + s.c.Host}
	switch s.c.Auth {
	case byPassword:
		out.Domain, out.User = s.c.account()
		out.Password = s.c.Password.Reveal()
	case asGuest:
		out.User = "guest"
	}
	return out
}

// guarded turns a panic of the library over what the server sent into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errReply
		}
	}()
	return do()
}

var errReply = errors.New("the server's answer is not SMB")

// enter looks at the share and the folder that were asked for.
func (s *session) enter(ctx context.Context) error {
	if s.c.Share == "" {
		return nil
	}
	s.root = s.c.Share
	if s.c.Folder != "" {
		s.root = path.Join(s.c.Share, s.c.Folder)
	}
	return s.env.Climb(ctx, connectors.StageRights, s.root, func(ctx context.Context) (string, error) {
		tree, err := s.mount(ctx, s.c.Share)
		if err != nil {
			return "", err
		}
		if s.c.Folder == "" {
			return "", nil
		}
		var folder bool
		err = guarded(func() error {
			info, err := tree.WithContext(ctx).Stat(local(s.c.Folder))
			folder = err == nil && info.IsDir()
			return err
		})
		if err != nil {
			return "", field(s.explain(ctx, s.root, err), "folder")
		}
		if !folder {
			return "", &connectors.Error{Code: connectors.BadInput, Reason: "smb.not_a_folder", Target: s.root, Field: "folder"}
		}
		return "", nil
	})
}

// mount connects to a share, once.
func (s *session) mount(ctx context.Context, share string) (*smb2.Share, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if tree, ok := s.trees[share]; ok {
		return tree, nil
	}
	var tree *smb2.Share
	err := guarded(func() (err error) {
		tree, err = s.smb.WithContext(ctx).Mount(share)
		return err
	})
	if err != nil {
		return nil, s.noShare(ctx, share, err)
	}
	s.trees[share] = tree
	return tree, nil
}

// bound is ctx, which ends with the session too: the library waits for ever for
// what it sends after it has signed out.
func (s *session) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.life, func() { cancel(context.Cause(s.life)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

var errClosed = &connectors.Error{Code: connectors.Cancelled, Err: errors.New("the connection is closed")}

// Check lists the beginning of the share, or the shares.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	ctx, done := s.bound(ctx)
	defer done()
	for _, err := range (shelf{s}).list(ctx, s.root, 0) {
		if code := connectors.CodeOf(err); code == connectors.Denied {
			reason := "smb.not_listed"
			if s.c.Share == "" {
				reason = "smb.shares_not_listed"
			}
			key := "folder"
			if s.c.Share == "" {
				key = "share"
			}
			return s.facts(ctx), &connectors.Error{Code: code, Reason: reason, Op: connectors.StageRights, Target: or(s.root, s.c.Host), Field: key, Partial: true, Err: err}
		}
		if err != nil {
			return nil, err
		}
		break
	}
	return s.facts(ctx), nil
}

func (s *session) facts(ctx context.Context) []connectors.Fact {
	a := s.wire.agreed()
	out := []connectors.Fact{
		{Label: "Account", Text: s.c.who()}, {Label: "Server", Text: s.c.Host}, {Label: "Protocol", Text: a.version()},
		{Label: "Signed", Text: a.signing()}, {Label: "Encryption", Text: a.encryption()},
	}
	if a.guest() {
		out = append(out, connectors.Fact{Label: "Guest", Text: "yes: the server knows nobody by this sign-in"})
	}
	if s.c.Share == "" {
		return out
	}
	out = append(out, connectors.Fact{Label: "Folder", Text: s.root})
	tree, err := s.mount(ctx, s.c.Share)
	if err != nil {
		return out
	}
	_ = guarded(func() error {
		space, err := tree.WithContext(ctx).Statfs("")
		if err != nil {
			return err
		}
		unit := space.BlockSize() * space.FragmentSize()
		out = append(out, connectors.Fact{Label: "Free space", Text: humanize.IBytes(space.AvailableBlockCount()*unit) + " of " + humanize.IBytes(space.TotalBlockCount()*unit)})
		return nil
	})
	return out
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Close signs out. What is under way ends with the connection.
func (s *session) Close() error {
	s.once.Do(func() {
		s.end(errClosed)
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		_ = guarded(func() error { return s.smb.WithContext(ctx).Logoff() })
		_ = s.wire.Close()
	})
	return nil
}
