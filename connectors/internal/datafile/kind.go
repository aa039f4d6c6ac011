package datafile

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf16"
)

// A kind is what a file's first bytes say that it is.
type kind string

const (
	otherFile        kind = ""
	zipFile          kind = "zip"
	gzipFile         kind = "gzip"
	bzip2File        kind = "bzip2"
	zstdFile         kind = "zstd"
	xzFile           kind = "xz"
	pgpFile          kind = "PGP"
	parquetFile      kind = "Parquet"
	parquetEncrypted kind = "encrypted Parquet"
	ole              kind = "OLE" // Office files up to 2003, and encrypted ones of today
	imageFile        kind = "image"
)

const armorBegin = "-----BEGIN PGP MESSAGE-----"

// kindOf recognizes a file by its content alone: names lie.
func kindOf(head []byte) kind {
	for _, m := range []struct {
		magic string
		kind  kind
	}{
		{"PK\x03\x04", zipFile},
		{"PK\x05\x06", zipFile}, // an empty one
		{"PAR1", parquetFile},
		{"PARE", parquetEncrypted},
		{"\x1f\x8b\x08", gzipFile},
		{"\x28\xb5\x2f\xfd", zstdFile},
		{"\xfd7zXZ\x00", xzFile},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ole},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	switch {
	case len(head) > 10 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9' && string(head[4:10]) == "1AY&SY":
		return bzip2File
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n\ufeff"), []byte(armorBegin)), sealed(head):
		return pgpFile
	case imageMedia(head) != "":
		return imageFile
	}
	return otherFile
}

// A Look is what a name promises, for listings that open nothing.
type Look struct {
	Rows    bool // it may have rows
	First   bool // rows are the best view of it
	Branch  bool // others are in it
	Wrapped bool // it is compressed or encrypted
}

// wrappers are the endings that stand around another name.
const wrappers = ".gz .gzip .bz2 .zst .zstd .xz .pgp .gpg .asc "

// Guess says what a name promises.
func Guess(name string) Look {
	inner, wrapped := Unwrapped(name)
	look := Look{Wrapped: wrapped}
	switch strings.ToLower(path.Ext(inner)) {
	case ".csv", ".tsv", ".tab", ".psv", ".json", ".jsonl", ".ndjson", ".geojson", ".parquet", ".parq", ".pq", ".xls":
		look.Rows, look.First = true, true
	case ".xlsx", ".xlsm", ".xltx", ".xltm", ".zip":
		look.Rows, look.First, look.Branch = true, true, true
	case ".txt", ".dat", ".prn", ".asc", ".out", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff":
		look.Rows = true
	case "":
		look.Rows = true
		look.First = wrapped
	}
	return look
}

// Unwrapped takes the endings of compressions and encryptions off a name.
func Unwrapped(name string) (inner string, wrapped bool) {
	inner = base(name)
	for range maxLayers {
		ext := strings.ToLower(path.Ext(inner))
		if ext == ".tgz" {
			return strings.TrimSuffix(inner, path.Ext(inner)) + ".tar", true
		}
		if ext == "" || !strings.Contains(wrappers, ext+" ") || len(ext) == len(inner) {
			break
		}
		inner, wrapped = strings.TrimSuffix(inner, path.Ext(inner)), true
	}
	return inner, wrapped
}

// oleError says what an Office file of the old container is: encrypted, or from
// before 2007. The directory of the container tells ([MS-CFB] 2.6, [MS-OFFCRYPTO] 2.3).
func (f *file) oleError(head []byte) error {
	if f.oleHas(head, "EncryptedPackage") {
		return f.fail("files.excel_encrypted", "")
	}
	if f.oleHas(head, "Workbook") || f.oleHas(head, "Book") {
		return f.fail("files.xls", "")
	}
	return f.fail("files.no_rows", "")
}

// oleHas looks for the name of a stream in the first sectors of the directory.
func (f *file) oleHas(head []byte, name string) bool {
	if len(head) < 512 {
		return false
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune(name + "\x00")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	shift := uint(head[30]) // of the sector's size: 9 or 12
	if shift != 9 && shift != 12 {
		return false
	}
	first := int64(head[48]) | int64(head[49])<<8 | int64(head[50])<<16 | int64(head[51])<<24
	part := make([]byte, 4096)
	n, _ := f.src.ReadAt(f.ctx, part, (first+1)<<shift)
	return bytes.Contains(part[:n], wide)
}
