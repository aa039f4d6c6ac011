package sftp

import (
	"context"
	"errors"
	"io"
	"iter"
	"mime"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/pkg/sftp"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
	"jackfield/connectors/internal/sshx"
)

// prefix is how much of a file is read for its first rows.
const prefix = 256 << 10

type session struct {
	ssh   *sshx.Client
	files *sftp.Client
	c     config
	home  string
	root  string
	once  sync.Once
}

// start opens the subsystem and finds the folder to begin with.
func start(ctx context.Context, env *connectors.Env, client *sshx.Client, c config) (connectors.Session, error) {
	s := &session{ssh: client, c: c}
	err := env.Climb(ctx, connectors.StageRights, "sftp", func(ctx context.Context) (string, error) {
		stop := context.AfterFunc(ctx, func() { _ = client.Close() })
		defer stop()
		files, err := sftp.NewClient(client.Client)
		if err != nil {
			return "", subsystem(c, err)
		}
		s.files = files
		if s.home, err = files.Getwd(); err != nil {
			return "", s.explain("home folder", err)
		}
		s.root = s.home
		if c.Folder != "" {
			s.root = c.Folder
			if !path.IsAbs(s.root) {
				s.root = path.Join(s.home, c.Folder)
			}
		}
		info, err := files.Stat(s.root)
		if err != nil {
			return "", field(s.explain(s.root, err), "folder")
		}
		if !info.IsDir() {
			return "", &connectors.Error{Code: connectors.BadInput, Reason: "sftp.not_a_folder", Target: s.root, Field: "folder"}
		}
		return s.root, nil
	})
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) Close() error {
	var err error
	s.once.Do(func() {
		err = errors.Join(s.files.Close(), s.ssh.Close())
		if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			err = nil
		}
	})
	return err
}

// do runs one exchange that the library cannot cancel: it goes on alone when
// ctx ends, and ends with the connection.
func do[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	got := make(chan answer, 1)
	go func() {
		v, err := f()
		got <- answer{v, err}
	}()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := ctx.Err(); err != nil {
		return nil, connectors.Classify(err)
	}
	if _, err := do(ctx, func() (os.FileInfo, error) { return s.files.Stat(s.root) }); err != nil {
		return nil, s.explain(s.root, err)
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: s.c.User + "@" + s.c.Host},
		{Label: "Server", Text: connectors.Clean(string(s.ssh.ServerVersion()), 100)},
		{Label: "Home folder", Text: s.home},
		{Label: "Folder", Text: s.root},
		{Label: "Host key", Text: s.ssh.Fingerprint},
		{Label: "Algorithms", Text: s.ssh.Algorithms},
	}
	if s.ssh.Banner != "" {
		facts = append(facts, connectors.Fact{Label: "Banner", Text: connectors.Clean(s.ssh.Banner, 300)})
	}
	return facts, nil
}

func (s *session) path(id connectors.NodeID) string {
	if id == "" {
		return s.root
	}
	return string(id)
}

// Children lists a folder in the server's own order, as the names arrive.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		dir := s.path(parent)
		for e, err := range s.list(ctx, dir) {
			if err != nil {
				yield(connectors.Node{}, s.explain(dir, err))
				return
			}
			if !yield(s.node(dir, e), nil) {
				return
			}
		}
	}
}

func (s *session) node(dir string, e dirEntry) connectors.Node {
	full := path.Join(dir, e.name)
	n := connectors.Node{ID: connectors.NodeID(full), Name: e.name, Kind: "file"}
	mode := e.mode
	if mode&os.ModeSymlink != 0 {
		// Only a link's target tells whether it opens further.
		n.Kind = "link"
		if info, err := s.files.Stat(full); err == nil && info.IsDir() {
			mode = os.ModeDir
		}
	}
	if mode.IsDir() {
		n.Branch = true
		if n.Kind == "file" {
			n.Kind = "folder"
		}
	} else {
		n.Views = []connectors.View{connectors.ViewContent}
		if rows.Like(e.name) {
			n.Views = []connectors.View{connectors.ViewRows, connectors.ViewContent}
		}
		n.Facts = append(n.Facts, connectors.Fact{Label: "Size", Text: humanize.IBytes(e.size)})
	}
	if e.mtime > 0 {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Modified", Text: time.Unix(int64(e.mtime), 0).UTC().Format("2006-01-02 15:04:05")})
	}
	n.Facts = append(n.Facts, connectors.Fact{Label: "Mode", Text: e.mode.String()})
	return n
}

// read returns the beginning of a file and its whole size.
func (s *session) read(ctx context.Context, id connectors.NodeID, max int) ([]byte, int64, error) {
	name := s.path(id)
	type content struct {
		data []byte
		size int64
	}
	got, err := do(ctx, func() (content, error) {
		f, err := s.files.Open(name)
		if err != nil {
			return content{}, err
		}
		defer func() { _ = f.Close() }()
		size := int64(-1)
		if info, err := f.Stat(); err == nil {
			if info.IsDir() {
				return content{}, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: name, Said: "this is a folder"}
			}
			size = info.Size()
		}
		data := make([]byte, max)
		n, err := io.ReadFull(f, data)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return content{data[:n], size}, err
	})
	if err != nil {
		return nil, 0, s.explain(name, err)
	}
	return got.data, got.size, nil
}

// Table reads the first rows of a CSV file.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	if !rows.Like(string(id)) {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "this file has no rows"}
	}
	data, size, err := s.read(ctx, id, prefix)
	if err != nil {
		return nil, err
	}
	return rows.Table(data, size >= 0 && int64(len(data)) >= size, limit)
}

// Sample reads the beginning of a file.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	data, size, err := s.read(ctx, id, max)
	if err != nil {
		return connectors.Sample{}, err
	}
	return connectors.Sample{MediaType: mediaType(string(id), data), Data: data, Size: size, Truncated: int64(len(data)) < size}, nil
}

func mediaType(name string, data []byte) string {
	if t := mime.TypeByExtension(strings.ToLower(path.Ext(name))); t != "" {
		return t
	}
	if _, _, ok := rows.Text(data); ok {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
