package datafile

import (
	"context"
	"iter"
	"strings"
	"time"
)

// A Member is what lies directly in a container or in a folder of it.
type Member struct {
	Name      string // as it is shown
	Inside    string // what Options.Inside goes on with
	Folder    bool
	Sheet     bool // of a workbook: the place among the others means something
	Hidden    bool // a sheet that its workbook does not show
	Size      int64
	Modified  time.Time
	Encrypted bool
}

// Members yields what is in a zip, in the order of its directory, or the sheets
// of a workbook. Only the directory is read, and for a workbook its list of sheets.
func Members(ctx context.Context, src Source, name string, o Options) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		var list []Member
		err := guarded(ctx, name, func() error {
			f, err := open(ctx, src, name, o)
			if err != nil {
				return err
			}
			defer f.close()
			list, err = f.members()
			return err
		})
		if err != nil {
			yield(Member{}, err)
			return
		}
		for _, m := range list {
			if ctx.Err() != nil {
				yield(Member{}, explain(ctx, name, ctx.Err()))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (f *file) members() ([]Member, error) {
	head, err := f.first(4 << 10)
	if err != nil {
		return nil, err
	}
	switch kindOf(head) {
	case zipFile:
	case ole:
		return nil, f.oleError(head)
	case pgpFile:
		return nil, f.fail("files.layers", "")
	default:
		return nil, f.fail("files.no_members", "")
	}
	a, err := f.zip()
	if err != nil {
		return nil, err
	}
	if a.workbook() {
		return f.sheets(a)
	}
	inside := ""
	if n := len(f.o.Inside); n > 0 && strings.HasSuffix(f.o.Inside[n-1], "/") {
		inside = f.o.Inside[n-1]
	}
	return a.below(inside), nil
}

// below makes folders of the slashes in the names, one level at a time.
func (a *archive) below(inside string) []Member {
	var out []Member
	seen := map[string]bool{}
	for i, name := range a.names {
		rest, ok := strings.CutPrefix(name, inside)
		if !ok || rest == "" {
			continue
		}
		m := Member{Name: rest, Inside: name, Size: sizeOf(a.members[i]), Modified: a.members[i].Modified, Encrypted: a.members[i].Flags&1 != 0}
		if first, _, deeper := strings.Cut(rest, "/"); deeper && first != "" {
			m = Member{Name: first, Inside: inside + first + "/", Folder: true, Size: -1}
		}
		if !seen[m.Inside] {
			seen[m.Inside] = true
			out = append(out, m)
		}
	}
	return out
}
