package smb

import (
	"context"

	smb2 "github.com/cloudsoda/go-smb2"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// shares yields what the server shares (NetrShareEnum, MS-SRVS section 3.1.4.8).
func (f shelf) shares(ctx context.Context, yield func(files.Entry, error) bool, look bool) {
	var found []smb2.ShareInfo
	err := guarded(func() (err error) {
		found, err = f.s.smb.WithContext(ctx).ListShares()
		return err
	})
	if err != nil {
		yield(files.Entry{}, f.s.explain(ctx, f.s.c.Host, err))
		return
	}
	for i, info := range found {
		if ctx.Err() != nil {
			yield(files.Entry{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		e := share(info)
		if look && e.Folder && i < sharesN {
			e.Access = f.opens(ctx, info.Name)
		}
		if !yield(e, nil) {
			return
		}
	}
}

func share(info smb2.ShareInfo) files.Entry {
	e := files.Entry{Path: info.Name, Name: info.Name, Kind: "share", Size: -1, Folder: info.Type() == smb2.ShareTypeDiskTree}
	add := func(label, text string) {
		e.Facts = append(e.Facts, connectors.Fact{Label: label, Text: connectors.Clean(text, 300)})
	}
	if info.Comment != "" {
		add("Comment", info.Comment)
	}
	switch info.Type() {
	case smb2.ShareTypePrintQueue:
		e.Kind = "printer"
	case smb2.ShareTypeIPC:
		e.Kind = "pipes"
		add("Use", "for programs, such as listing the shares; it holds no files")
	case smb2.ShareTypeDevice:
		e.Kind = "device"
	case smb2.ShareTypeDiskTree:
		if info.IsSpecial() {
			add("Use", "for administrators")
		}
	}
	if !e.Folder {
		e.Access = connectors.AccessListed
	}
	return e
}

// opens reports whether a share and its first folder open.
func (f shelf) opens(ctx context.Context, name string) connectors.Access {
	tree, err := f.s.mount(ctx, name)
	switch {
	case connectors.CodeOf(err) == connectors.Denied:
		return connectors.AccessDenied
	case err != nil:
		return ""
	}
	return access(ctx, tree, "")
}
