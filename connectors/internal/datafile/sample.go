package datafile

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

// Sample reads the beginning of a file: without what compresses it, decrypted
// where the options have the key, and as UTF-8 where it is text in another
// encoding. Size is -1 where that is not the size of what is shown.
func Sample(ctx context.Context, src Source, name string, most int, o Options) (out connectors.Sample, err error) {
	err = guarded(ctx, name, func() error {
		f, err := open(ctx, src, name, o)
		if err != nil && len(o.Inside) == 0 && readable(err) {
			f, err = openPlain(ctx, src, name, o), nil
		}
		if err != nil {
			return err
		}
		defer f.close()
		out, err = f.sample(max(most, 0))
		return err
	})
	return out, err
}

// readable reports whether the bytes of a file are worth showing although what
// is around them does not come off.
func readable(err error) bool {
	var known *connectors.Error
	if errors.As(err, &known) {
		return known.Code == connectors.Denied || known.Code == connectors.Unsupported
	}
	var store errStore
	return !errors.As(err, &store) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func openPlain(ctx context.Context, src Source, name string, o Options) *file {
	outer := newBlocks(src)
	return &file{ctx: ctx, src: outer, stored: outer, name: base(name), o: o, left: unpackBytes}
}

func (f *file) sample(most int) (connectors.Sample, error) {
	if f.sheet != "" {
		return connectors.Sample{}, f.fail("files.rows_only", "")
	}
	if n := len(f.o.Inside); n > 0 && strings.HasSuffix(f.o.Inside[n-1], "/") {
		return connectors.Sample{}, f.fail("files.folder", "")
	}
	most = min(most, unpackBytes/2)
	data := make([]byte, most+1)
	n, err := f.src.ReadAt(f.ctx, data, 0)
	if err != nil && !errors.Is(err, io.EOF) && n == 0 {
		return connectors.Sample{}, err
	}
	out := connectors.Sample{Data: data[:min(n, most)], Size: f.src.Size(), Truncated: n > most}
	out.MediaType = mediaType(f.name, out.Data, out.Truncated)
	if !strings.HasPrefix(out.MediaType, "text/") && !strings.HasPrefix(out.MediaType, "application/json") && !strings.HasPrefix(out.MediaType, "application/xml") {
		return out, nil
	}
	set, ok := rows.Detect(out.Data, out.Truncated)
	if !ok || set.Plain() {
		return out, nil
	}
	text, err := set.Decode(out.Data)
	if err != nil {
		return out, nil
	}
	out.Data = []byte(text)
	out.Size = -1
	if !out.Truncated {
		out.Size = int64(len(out.Data))
	}
	return out, nil
}

// mediaType is what content is, by its bytes; only which kind of text it is the
// name tells.
func mediaType(name string, data []byte, cut bool) string {
	kind := kindOf(data)
	switch {
	case kind == imageFile:
		return imageMedia(data)
	case kind == zipFile && strings.HasPrefix(strings.ToLower(path.Ext(name)), ".xls"):
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case kind == pgpFile && len(data) > 0 && data[0]&0x80 == 0:
		return "text/plain; charset=utf-8"
	case kind != otherFile:
		return packedMedia(kind)
	}
	if _, text := rows.Detect(data, cut); !text {
		if m := http.DetectContentType(data); !strings.HasPrefix(m, "text/") {
			return m
		}
		return "application/octet-stream"
	}
	return textMedia(name, data)
}

func textMedia(name string, data []byte) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".tsv", ".tab":
		return "text/tab-separated-values; charset=utf-8"
	case ".json", ".geojson":
		return "application/json"
	case ".xml", ".xsd", ".svg":
		return "application/xml"
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".md":
		return "text/markdown; charset=utf-8"
	}
	if jsonLike(string(data[:min(len(data), 256)])) && path.Ext(name) == "" {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

func packedMedia(kind kind) string {
	switch kind {
	case zipFile:
		return "application/zip"
	case parquetFile, parquetEncrypted:
		return "application/vnd.apache.parquet"
	case gzipFile:
		return "application/gzip"
	case zstdFile:
		return "application/zstd"
	case pgpFile:
		return "application/pgp-encrypted"
	}
	return "application/octet-stream"
}
