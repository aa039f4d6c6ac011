package sftp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/pkg/sftp"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/sshx"
)

type session struct {
	*files.Tree
	ssh   *sshx.Client
	files *sftp.Client
	c     config
	cert  []connectors.Fact
	said  *said
	home  string
	root  string
	once  sync.Once
	err   error
}

// start opens the subsystem and finds the folder to begin with.
func start(ctx context.Context, env *connectors.Env, client *sshx.Client, c config, cert []connectors.Fact) (connectors.Session, error) {
	s := &session{ssh: client, c: c, cert: cert}
	s.Tree = files.New(shelf{s}, c.Answers)
	err := env.Climb(ctx, connectors.StageRights, "sftp", func(ctx context.Context) (string, error) {
		stop := context.AfterFunc(ctx, client.Abort)
		defer stop()
		if err := s.subsystem(); err != nil {
			return "", err
		}
		return s.root, s.enter()
	})
	if err != nil {
		client.Abort()
		_ = client.Close()
		return nil, err
	}
	return s, nil
}

// subsystem starts SFTP and keeps what the server says beside it.
func (s *session) subsystem() error {
	ch, err := s.ssh.NewSession()
	if err != nil {
		return s.noSubsystem(err)
	}
	in, err := ch.StdinPipe()
	if err != nil {
		return err
	}
	out, err := ch.StdoutPipe()
	if err != nil {
		return err
	}
	beside, err := ch.StderrPipe()
	if err != nil {
		return err
	}
	s.said = &said{ended: make(chan struct{})}
	go func() {
		defer close(s.said.ended)
		_, _ = io.Copy(s.said, beside)
	}()
	if err := ch.RequestSubsystem("sftp"); err != nil {
		_ = ch.Close()
		return s.noSubsystem(err)
	}
	first, lasting := &head{r: out}, &held{WriteCloser: in}
	lasting.open.Store(true)
	if s.files, err = sftp.NewClientPipe(first, lasting); err != nil {
		ends := first.rest()
		_ = ch.Close()
		s.said.wait()
		if ends {
			err = errors.Join(io.ErrUnexpectedEOF, err)
		}
		return s.notSFTP(first, err)
	}
	lasting.open.Store(false)
	first.done()
	return nil
}

// enter finds home and the folder that was asked for. A server that cannot tell
// where home is begins at its root.
func (s *session) enter() error {
	s.home = "/"
	if home, err := s.files.RealPath("."); err == nil && home != "" {
		s.home = fromDrive(strings.ReplaceAll(home, `\`, "/"))
	} else if err != nil && s.broken(err) {
		return s.explain("home folder", err)
	}
	s.root = within(s.home, s.c.Folder)
	info, err := s.files.Stat(wire(s.root))
	switch {
	case err != nil && s.c.Folder == "" && errors.Is(err, os.ErrPermission):
		return nil // Check tells what may be listed
	case err != nil:
		return field(s.explain(s.root, err), "folder")
	case info.IsDir(), info.Mode().Perm() == 0 && info.Mode().Type() == 0: // some servers leave the mode out
		return nil
	}
	return &connectors.Error{Code: connectors.BadInput, Reason: "sftp.not_a_folder", Target: s.root, Field: "folder"}
}

// broken tells a failed connection from a server's answer.
func (s *session) broken(err error) bool {
	var status *sftp.StatusError
	return !errors.As(err, &status) && !errors.Is(err, os.ErrPermission) && !errors.Is(err, os.ErrNotExist)
}

func (s *session) Close() error {
	s.once.Do(func() {
		s.err = errors.Join(s.files.Close(), s.ssh.Close())
		if errors.Is(s.err, net.ErrClosed) || errors.Is(s.err, io.EOF) {
			s.err = nil
		}
	})
	return s.err
}

// do runs one exchange that the library cannot cancel: it goes on alone when
// ctx ends, and ends with the connection. What it opened too late is given to drop.
func do[T any](ctx context.Context, f func() (T, error), drop func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	if ctx.Err() != nil {
		return none, connectors.Classify(context.Cause(ctx))
	}
	got := make(chan answer)
	go func() {
		v, err := f()
		select {
		case got <- answer{v, err}:
		case <-ctx.Done():
			if err == nil && drop != nil {
				drop(v)
			}
		}
	}()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		return none, connectors.Classify(context.Cause(ctx))
	}
}

// Check looks at the folder, and whether it may be listed: where it may not, a
// named folder below it may open all the same.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if _, err := do(ctx, func() (os.FileInfo, error) { return s.files.Stat(wire(s.root)) }, nil); err != nil && !errors.Is(err, os.ErrPermission) {
		return nil, s.explain(s.root, err)
	}
	facts := append(s.c.about(s.ssh), connectors.Fact{Label: "Home folder", Text: s.home}, connectors.Fact{Label: "Folder", Text: s.root})
	facts = append(facts, s.cert...)
	for _, err := range s.list(ctx, s.root) {
		if connectors.CodeOf(err) == connectors.Denied {
			return facts, &connectors.Error{Code: connectors.Denied, Reason: "sftp.not_listed", Op: connectors.StageRights, Target: s.root, Field: "folder", Partial: true, Err: err}
		}
		if err != nil {
			return nil, s.explain(s.root, err)
		}
		break
	}
	return facts, nil
}
