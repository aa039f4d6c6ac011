package objectstore

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/httpx"
)

// pageSize is how much of a listing is asked for at once: the most that all of
// these services give.
const pageSize = 1000

// A cloud is one vendor's interface. Its methods may be called concurrently;
// their errors are *connectors.Error.
type cloud interface {
	// buckets is one page of all buckets. token is "" or the one before's next.
	buckets(ctx context.Context, token string) (page, error)
	// objects is one page of at most most objects and folders whose names begin
	// with prefix, up to the next slash.
	objects(ctx context.Context, bucket, prefix, token string, most int) (page, error)
	// read asks for n bytes from off. The status of what it returns is 200, 206
	// or 416, and at most n bytes of the body were read.
	read(ctx context.Context, bucket, key string, off int64, n int) (*httpx.Response, error)
	// about is what else is known: the account first, then the place and the
	// rights. some are what was found in the bucket; both are empty where all
	// buckets are shown. What cannot be had is left out.
	about(ctx context.Context, bucket string, some []item) []connectors.Fact
}

type page struct {
	items []item
	next  string // "" for the last page
}

// An item is a bucket, a folder or an object.
type item struct {
	name     string // of a bucket; else the whole key, which ends with "/" for folders
	folder   bool
	size     int64
	modified time.Time
	media    string
	access   connectors.Access
	facts    []connectors.Fact
}

// A store is the buckets of a cloud, or what is in one, as files. A path is
// "bucket/key" where all buckets are shown, else the key alone; folders end
// with a slash, and a key may begin with one or have several in a row.
type store struct {
	cloud  cloud
	kind   string // what the vendor calls a bucket
	bucket string // "" for all
	folder string // "" for none
}

func (s *store) prefix() string {
	if s.folder == "" {
		return ""
	}
	return s.folder + "/"
}

// place is where a path is: the bucket and the key or prefix in it.
func (s *store) place(path string) (bucket, key string) {
	if s.bucket != "" {
		return s.bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// List streams page by page; nothing but one page is in memory.
func (s *store) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	switch {
	case dir == "" && s.bucket == "":
		return s.entries(ctx, func(token string) (page, error) { return s.cloud.buckets(ctx, token) }, s.asBucket)
	case dir == "":
		dir = s.prefix()
	}
	bucket, prefix := s.place(dir)
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return s.entries(ctx,
		func(token string) (page, error) { return s.cloud.objects(ctx, bucket, prefix, token, pageSize) },
		func(i item) (files.Entry, bool) { return s.asFile(bucket, prefix, i) })
}

func (s *store) entries(ctx context.Context, next func(token string) (page, error), entry func(item) (files.Entry, bool)) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		for token := ""; ; {
			if err := ended(ctx); err != nil {
				yield(files.Entry{}, err)
				return
			}
			p, err := next(token)
			if err != nil {
				yield(files.Entry{}, err)
				return
			}
			for _, i := range p.items {
				e, shown := entry(i)
				if err := ended(ctx); err != nil {
					yield(files.Entry{}, err)
					return
				}
				if shown && !yield(e, nil) {
					return
				}
			}
			if p.next == "" {
				return
			}
			if p.next == token {
				yield(files.Entry{}, &connectors.Error{Code: connectors.Refused, Reason: "objectstore.pages", Op: connectors.StageData})
				return
			}
			token = p.next
		}
	}
}

// ended is the classified end of ctx, nil while it goes on.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return connectors.Classify(context.Cause(ctx))
}

func (s *store) asBucket(i item) (files.Entry, bool) {
	return files.Entry{Path: i.name, Name: i.name, Kind: s.kind, Folder: true, Size: -1, Modified: i.modified, Access: i.access, Facts: i.facts}, i.name != ""
}

// asFile leaves out the object that has the folder's own name: consoles make it
// so that an empty folder is seen.
func (s *store) asFile(bucket, prefix string, i item) (files.Entry, bool) {
	path := i.name
	if s.bucket == "" {
		path = bucket + "/" + i.name
	}
	name := strings.TrimPrefix(i.name, prefix)
	if i.folder {
		if name = strings.TrimSuffix(name, "/"); name == "" {
			name = "/" // a key with a slash at its beginning, or two in a row
		}
		return files.Entry{Path: path, Name: name, Folder: true, Size: -1, Access: i.access, Facts: i.facts}, true
	}
	return files.Entry{Path: path, Name: name, Size: i.size, Modified: i.modified, MediaType: i.media, Access: i.access, Facts: i.facts}, name != ""
}

const (
	// ahead is how much comes with opening an object: most previews need no more.
	ahead = 64 << 10
	// piece is how much is asked for at once.
	piece = 4 << 20
)

// Open reads the beginning of an object, and learns its size from the answer.
func (s *store) Open(ctx context.Context, name string) (files.File, error) {
	bucket, key := s.place(name)
	if key == "" || strings.HasSuffix(key, "/") {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: name, Said: "this is a folder"}
	}
	f := &file{cloud: s.cloud, bucket: bucket, key: key, size: -1, ranges: true}
	begin, err := f.get(ctx, 0, ahead)
	if err != nil {
		return nil, err
	}
	f.begin = begin
	return f, nil
}

// readable is the statuses that read lets through.
func readable(status int) bool {
	return status == http.StatusOK || status == http.StatusPartialContent || status == http.StatusRequestedRangeNotSatisfiable
}
