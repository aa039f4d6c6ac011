package sftp

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// A dirEntry is a name with what the server says of it.
type dirEntry struct {
	name         string
	sized        bool // size is there
	size         uint64
	known        bool // mode is there
	mode         os.FileMode
	mtime        uint32
	owned        bool // uid and gid are there
	uid, gid     uint32
	owner, group string      // as the long listing names them
	target       string      // of a link
	to           os.FileInfo // what a link leads to; nil when it leads nowhere
}

// list yields a folder's names. A server that gives only one channel is asked on
// the one that is there, a whole folder at a time.
func (s *session) list(ctx context.Context, dir string) iter.Seq2[dirEntry, error] {
	return func(yield func(dirEntry, error) bool) {
		if ctx.Err() != nil {
			yield(dirEntry{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		ch, l, err := s.channel(ctx)
		if errors.Is(err, errOneChannel) {
			s.listWhole(ctx, dir, yield)
			return
		}
		if err != nil {
			yield(dirEntry{}, cause(ctx, err))
			return
		}
		defer func() { _ = ch.Close() }()
		stop := context.AfterFunc(ctx, func() { _ = ch.Close() })
		defer stop()
		stopped, began := false, false
		err = l.read(dir, func(batch []dirEntry) bool {
			began = true
			s.resolve(ctx, dir, batch)
			for _, e := range batch {
				if ctx.Err() != nil {
					return false
				}
				if stopped = !yield(e, nil); stopped {
					return false
				}
			}
			return true
		})
		switch {
		case stopped, err == nil && ctx.Err() == nil:
		case !began && errors.Is(err, io.EOF):
			s.listWhole(ctx, dir, yield) // dropbear sometimes ends a second channel at once
		default:
			yield(dirEntry{}, cause(ctx, err))
		}
	}
}

// cause lets the end of ctx win over what it brings about.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	return err
}

var errOneChannel = errors.New("the server gives no second channel")

// channel opens SFTP once more on the connection.
func (s *session) channel(ctx context.Context) (*ssh.Session, *lister, error) {
	type opened struct {
		ch *ssh.Session
		l  *lister
	}
	got, err := do(ctx, func() (opened, error) {
		ch, err := s.ssh.NewSession()
		var refused *ssh.OpenChannelError
		if errors.As(err, &refused) {
			return opened{}, errors.Join(errOneChannel, err)
		}
		if err != nil {
			return opened{}, err
		}
		l, err := newLister(ch)
		if err != nil {
			_ = ch.Close()
		}
		return opened{ch, l}, err
	}, func(late opened) { _ = late.ch.Close() })
	return got.ch, got.l, err
}

func newLister(ch *ssh.Session) (*lister, error) {
	in, err := ch.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := ch.StdoutPipe()
	if err != nil {
		return nil, err
	}
	beside, err := ch.StderrPipe()
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, beside) }()
	if err = ch.RequestSubsystem("sftp"); err != nil {
		err = errors.Join(errOneChannel, err)
	}
	return &lister{w: in, r: out}, err
}

// listWhole reads the folder with the library, which holds all of it in memory.
func (s *session) listWhole(ctx context.Context, dir string, yield func(dirEntry, error) bool) {
	infos, err := s.files.ReadDirContext(ctx, wire(dir))
	if err != nil {
		yield(dirEntry{}, cause(ctx, err))
		return
	}
	for part := range slices.Chunk(infos, 64) {
		var batch []dirEntry
		for _, info := range part {
			if name := info.Name(); name != "" && name != "." && name != ".." {
				batch = append(batch, fromInfo(info))
			}
		}
		s.resolve(ctx, dir, batch)
		for _, e := range batch {
			if ctx.Err() != nil {
				yield(dirEntry{}, cause(ctx, nil))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func fromInfo(info os.FileInfo) dirEntry {
	e := dirEntry{name: info.Name(), sized: true, size: uint64(max(info.Size(), 0)), mode: info.Mode(), known: info.Mode() != 0, mtime: uint32(max(info.ModTime().Unix(), 0))}
	if st, ok := info.Sys().(*sftp.FileStat); ok {
		e.owned, e.uid, e.gid = st.UID != 0 || st.GID != 0 || e.known, st.UID, st.GID
	}
	return e
}
