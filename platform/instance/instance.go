// Package instance keeps one copy of a program running for a data folder: the
// first listens, every later one hands over what it was started with and ends.
package instance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"jackfield/platform/filelock"
)

// The bounds of what a second copy may hand over.
const (
	mostArgs = 32
	mostSize = 64 << 10
	patience = 3 * time.Second
)

// mostPath is the longest path of a socket that every system takes: sun_path has
// 104 bytes on macOS (unix(4)), 108 on Linux and Windows.
const mostPath = 100

// A Copy is the first one.
type Copy struct {
	l      net.Listener
	path   string
	unlock func()
}

// message is what a second copy sends, as one line of JSON.
type message struct {
	Args []string `json:"args"`
}

// Claim makes this process the folder's copy. Where another one runs already, it
// is given args, and Claim returns nil without an error. The socket lies in the
// data folder, which no other user can enter.
func Claim(ctx context.Context, dir string, args []string) (*Copy, error) {
	path := filepath.Join(dir, "window.sock")
	if len(path) > mostPath {
		return nil, fmt.Errorf("instance: the path %s is too long for a socket", path)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sent, err := send(ctx, path, args)
	if sent || err != nil {
		return nil, err
	}
	short, stop := context.WithTimeout(ctx, patience)
	unlock, err := filelock.Lock(short, path+".lock")
	stop()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil { // another copy is just starting, or hangs
		if sent, again := send(ctx, path, args); sent || again != nil {
			return nil, again
		}
		return nil, err
	}
	c, err := listen(path)
	if err != nil {
		unlock()
		return nil, err
	}
	c.unlock = unlock
	return c, nil
}

// listen takes the place of a socket that a killed copy left behind: whoever has
// the lock knows that nobody listens there.
func listen(path string) (*Copy, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return &Copy{l: l, path: path}, nil
}

// send hands args to the copy that listens at path; false where none does.
func send(ctx context.Context, path string, args []string) (bool, error) {
	d := net.Dialer{Timeout: patience}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return false, nil
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	line, err := json.Marshal(message{args})
	if err != nil {
		return false, err
	}
	if _, err := c.Write(append(line, '\n')); err != nil {
		return false, fmt.Errorf("instance: %w", err)
	}
	// The answer says that it was taken: a copy that hangs must not swallow it.
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return false, fmt.Errorf("instance: the copy that runs does not answer: %w", err)
	}
	return true, nil
}

// Serve calls given with what later copies were started with, until Close.
func (c *Copy) Serve(given func(args []string)) {
	for {
		conn, err := c.l.Accept()
		if err != nil {
			return
		}
		if args, err := receive(conn); err == nil {
			given(args)
		}
		_ = conn.Close()
	}
}

func receive(conn net.Conn) ([]string, error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, mostSize)).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, err
	}
	if len(m.Args) > mostArgs {
		return nil, fmt.Errorf("instance: %d arguments", len(m.Args))
	}
	_, err = conn.Write([]byte{'k'})
	return m.Args, err
}

// Close lets the next copy be the first.
func (c *Copy) Close() {
	_ = c.l.Close()
	_ = os.Remove(c.path)
	c.unlock()
}
