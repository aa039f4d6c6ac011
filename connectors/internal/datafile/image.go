package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"jackfield/connectors"
)

// pictures are the formats whose heads are read. They are never decoded: a small
// file can be a picture of any size.
func pictures() []picture {
	return []picture{
		{"PNG", "image/png", "\x89PNG\r\n\x1a\n", png.DecodeConfig},
		{"JPEG", "image/jpeg", "\xff\xd8\xff", jpeg.DecodeConfig},
		{"GIF", "image/gif", "GIF8", gif.DecodeConfig},
		{"TIFF", "image/tiff", "II*\x00", tiff.DecodeConfig},
		{"TIFF", "image/tiff", "MM\x00*", tiff.DecodeConfig},
		{"WebP", "image/webp", "RIFF????WEBP", webp.DecodeConfig},
		{"BMP", "image/bmp", "BM????\x00\x00\x00\x00", bmp.DecodeConfig},
	}
}

type picture struct {
	name, media, magic string // ? in a magic is any byte
	config             func(io.Reader) (image.Config, error)
}

func (p picture) is(head []byte) bool {
	if len(head) < len(p.magic) {
		return false
	}
	for i := range len(p.magic) {
		if p.magic[i] != '?' && p.magic[i] != head[i] {
			return false
		}
	}
	return true
}

// imageMedia is the media type of a picture, "" for other content.
func imageMedia(head []byte) string {
	for _, p := range pictures() {
		if p.is(head) {
			return p.media
		}
	}
	return ""
}

// image tells what a picture's head says.
func (f *file) image(head []byte) (*connectors.Table, error) {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Name"}, {Name: "Value"}}}
	for _, p := range pictures() {
		if !p.is(head) {
			continue
		}
		t.Rows = append(t.Rows, []any{"Format", p.name}, []any{"Media type", p.media})
		// A JPEG may have a megabyte of camera's notes before its size.
		c, err := p.config(io.LimitReader(io.MultiReader(bytes.NewReader(head), io.NewSectionReader(readerAt{f.ctx, f.src}, int64(len(head)), 4<<20)), 4<<20))
		if err != nil {
			if f.ctx.Err() != nil {
				return nil, err
			}
			var store errStore
			if errors.As(err, &store) {
				return nil, err
			}
			t.Note = "The picture's head cannot be read."
			return t, nil
		}
		t.Rows = append(t.Rows, []any{"Width", int64(c.Width)}, []any{"Height", int64(c.Height)}, []any{"Pixels", fmt.Sprintf("%.1f million", float64(c.Width)*float64(c.Height)/1e6)})
		return t, nil
	}
	return nil, f.fail("files.no_rows", "")
}
