// Package folder is the connection type for a folder on this computer. It never
// leaves that folder: neither by a name with .. in it nor by a symbolic link.
package folder

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

type config struct {
	Path string `field:"path"`
	files.Answers
}

// Type is the folder on this computer.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "folder", Name: "Folder on this computer", Group: connectors.GroupFiles, Tile: "FO", Offline: true,
		Summary:  "CSV, Excel, Parquet, JSON and other files, from a disk or a mounted share",
		Keywords: []string{"local", "disk", "drive", "usb", "files", "csv", "excel", "xlsx", "parquet", "json", "zip", "pgp", "tables"},
		Where:    []string{"path"},
		Form: connectors.Form{Fields: append([]connectors.Field{
			{Key: "path", Label: "Folder", Kind: connectors.Text, Required: true, Section: "Where it is", Example: example(), Tidy: tidy, Valid: valid,
				Help: "Its whole path. ~ is your home folder. A network drive that is mounted counts as a folder too."},
		}, files.Fields()...)},
		Guide: connectors.Guide{
			Steps:  []string{"Copy the folder's path from the file manager: its address bar, or its properties."},
			Rights: "Your own account on this computer needs to list and read the folder. Nothing is ever written.",
			Notes: []string{
				"Links that lead out of the folder are shown, and not followed.",
				"Files are read where they lie, and only as much of them as is shown.",
			},
		},
	}, open)
}

func example() string {
	if runtime.GOOS == "windows" {
		return `C:\Data\exports`
	}
	return "/data/exports"
}

// tidy takes what file managers copy: paths in quotes, and file: addresses.
func tidy(v string) string {
	v = strings.TrimSpace(v)
	if n := len(v); n > 1 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
		v = v[1 : n-1]
	}
	if u, err := url.Parse(v); err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") && u.Path != "" {
		v = filepath.FromSlash(u.Path)
		if rest := strings.TrimPrefix(v, `\`); filepath.VolumeName(rest) != "" {
			v = rest
		}
	}
	return v
}

func valid(v string) error {
	if v == "~" || strings.HasPrefix(v, "~/") || strings.HasPrefix(v, `~\`) || filepath.IsAbs(v) {
		return nil
	}
	if strings.HasPrefix(v, `\\`) {
		return errors.New("This is a Windows share. Use the Windows share (SMB) connection for it, or give the folder where it is mounted.")
	}
	return errors.New("Give the whole path of the folder, for example " + example() + ".")
}

// absolute puts the home folder in the place of ~.
func absolute(v string) (string, error) {
	if v[0] != '~' {
		return filepath.Clean(v), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &connectors.Error{Code: connectors.BadInput, Reason: "folder.home", Op: connectors.StageForm, Field: "path", Err: err}
	}
	return filepath.Join(home, v[1:]), nil
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	path, err := absolute(c.Path)
	if err != nil {
		return nil, err
	}
	var s *session
	err = env.Climb(ctx, connectors.StageRights, path, func(ctx context.Context) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		root, err := openRoot(path)
		if err != nil {
			return "", err
		}
		s = &session{path: path, root: root}
		s.Tree = files.New(store{root}, c.Answers)
		return path, nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openRoot opens the folder, and lists one name to know that it may be.
func openRoot(path string) (*os.Root, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, explain(path, err, "path")
	}
	if !info.IsDir() {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "folder.not_a_folder", Target: path, Field: "path"}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explain(path, err, "path")
	}
	return root, nil
}
