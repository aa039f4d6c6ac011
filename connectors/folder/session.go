package folder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// A session is one folder; its Tree is Browser, Tabler and Sampler.
type session struct {
	*files.Tree
	path string
	root *os.Root
}

func (s *session) Close() error { return s.root.Close() }

// Check lists one name.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := ctx.Err(); err != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	dir, err := s.root.Open(".")
	if err != nil {
		return nil, explain(s.path, err, "path")
	}
	defer func() { _ = dir.Close() }()
	if _, err := dir.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		return nil, explain(s.path, err, "path")
	}
	facts := []connectors.Fact{{Label: "Account", Text: account()}, {Label: "Folder", Text: s.path}}
	if real, err := filepath.EvalSymlinks(s.path); err == nil && real != s.path {
		facts = append(facts, connectors.Fact{Label: "Leads to", Text: real})
	}
	if info, err := dir.Stat(); err == nil {
		facts = append(facts, connectors.Fact{Label: "Mode", Text: info.Mode().String()})
	}
	return facts, nil
}

// account is the user who reads.
func account() string {
	u, err := user.Current()
	if err != nil {
		return "you"
	}
	return u.Username
}

// explain classifies what the system answers about a path; field is the form's,
// where the answer is at fault.
func explain(path string, err error, field string) error {
	out := &connectors.Error{Code: connectors.Refused, Reason: "folder.failed", Op: connectors.StageData, Target: path, Field: field, Said: said(err), Err: err}
	if field != "" {
		out.Op = connectors.StageRights
	}
	switch {
	case escapes(err):
		out.Code, out.Reason = connectors.Denied, "folder.outside"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		out.Code, out.Reason = connectors.NotFound, "folder.not_found"
	case errors.Is(err, fs.ErrPermission):
		out.Code, out.Reason = connectors.Denied, "folder.denied"
	case errors.Is(err, syscall.ELOOP):
		out.Code, out.Reason = connectors.NotFound, "folder.loop"
	case errors.Is(err, os.ErrClosed):
		out.Code, out.Reason = connectors.Cancelled, ""
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EINVAL):
		out.Code, out.Reason = connectors.NotFound, "folder.not_found"
	}
	return out
}

// escapes reports whether a path led out of the root. The error that os.Root
// gives for that is not exported; its text is (see os.Root in the Go documentation).
func escapes(err error) bool {
	var bad *fs.PathError
	return errors.As(err, &bad) && strings.Contains(bad.Err.Error(), "escapes from parent")
}

// said is the system's reason without the path, which the title has already.
func said(err error) string {
	var bad *fs.PathError
	if errors.As(err, &bad) {
		return bad.Err.Error()
	}
	return err.Error()
}
