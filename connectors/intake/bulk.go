package intake

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/addresses"
	"jackfield/connectors/intake/internal/exports"
	"jackfield/connectors/intake/internal/part"
)

// The bounds of a folder or a ZIP file.
const (
	MaxFiles = 1000
	MaxTotal = 16 << 20 // bytes of all files together, unpacked
)

func isZip(data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("PK\x05\x06"))
}

// ReadAll understands many files; ZIP files among them are opened, but none
// within another. What could not be read is in Found.Left, by the file's name. An
// error is for too much, and for nothing at all.
func ReadAll(types []connectors.Type, files []File, passphrase connectors.Secret) (Found, error) {
	var all []File
	left := []Left{}
	total := 0
	for _, f := range files {
		opened := []File{f}
		if isZip(f.Data) && len(f.Data) <= MaxTotal && !isProject(types, f) {
			var err error
			if opened, err = unzip(f); err != nil {
				if reasonOf(err) != "intake.workbook" {
					return Found{}, err
				}
				left = append(left, Left{Name: connectors.Clean(f.Name, 120), Why: sentence(err)})
				continue
			}
		}
		for _, o := range opened {
			total += len(o.Data)
		}
		if all = append(all, opened...); len(all) > MaxFiles || total > MaxTotal {
			return Found{}, refusal("intake.many", f.Name, "")
		}
	}
	if len(all) == 0 && len(left) == 0 {
		return Found{}, refusal("intake.empty", "", "")
	}
	found, err := together(types, all, passphrase)
	if err == nil {
		found.Left = append(found.Left, left...)
	}
	return found, err
}

func isProject(types []connectors.Type, f File) bool {
	_, ok := exports.Project(part.Input{Data: f.Data, Types: types}, addresses.Parse)
	return ok
}

// together reads files one by one, but those that belong together at once.
func together(types []connectors.Type, files []File, passphrase connectors.Secret) (Found, error) {
	out, unread := Found{}, 0
	var last error
	for _, f := range files {
		if isSecrets(f) && sibling(files, f, "data-sources.json") != nil {
			continue
		}
		found, err := member(types, files, f, passphrase)
		if err != nil {
			unread, last = unread+1, err
			out.Left = append(out.Left, Left{Name: connectors.Clean(f.Name, 120), Why: sentence(err)})
			continue
		}
		for _, i := range found.Items {
			if len(out.Items) == exports.MaxItems {
				out.Left = append(out.Left, Left{Name: "everything after the first 10,000", Why: "More than that is not read at once. Take fewer files."})
				return out, nil
			}
			if len(files) > 1 {
				i.Where = strings.TrimSuffix(connectors.Clean(f.Name, 120)+", "+i.Where, ", ")
			}
			out.Items = append(out.Items, i)
		}
		out.Left = append(out.Left, found.Left...)
		out.Locked = out.Locked || found.Locked
		if len(files) == 1 {
			out.What = found.What
		}
	}
	if unread == len(files) && last != nil {
		if len(files) == 1 {
			return Found{}, last
		}
		return Found{}, refusal("intake.none", "", "")
	}
	if out.What == "" {
		out.What = fmt.Sprintf("%d files with %d connections", len(files), len(out.Items))
	}
	return out, nil
}

func member(types []connectors.Type, files []File, f File, passphrase connectors.Secret) (Found, error) {
	if isZip(f.Data) && !isProject(types, f) {
		return Found{}, refusal("intake.nested", f.Name, "")
	}
	if base(f.Name) == "data-sources.json" {
		if secrets := sibling(files, f, "credentials-config.json"); secrets != nil && len(f.Data) <= MaxSize {
			in := part.Input{Name: base(f.Name), Data: f.Data, Text: text(f.Data), Types: types, Passphrase: passphrase}
			if found, ok := exports.DBeaver(in, f.Data, secrets, addresses.Parse); ok {
				return settled(in, found)
			}
		}
	}
	return Read(types, f, passphrase)
}

func isSecrets(f File) bool { return base(f.Name) == "credentials-config.json" }

// sibling is the content of another file in the same folder.
func sibling(files []File, f File, name string) []byte {
	folder := strings.TrimSuffix(f.Name, base(f.Name))
	for _, o := range files {
		if o.Name == folder+name {
			return o.Data
		}
	}
	return nil
}

func readZip(types []connectors.Type, f File, passphrase connectors.Secret) (Found, error) {
	in := part.Input{Name: base(f.Name), Data: f.Data, Types: types, Passphrase: passphrase}
	if found, ok := exports.Project(in, addresses.Parse); ok {
		return settled(in, found)
	}
	files, err := unzip(f)
	if err != nil {
		return Found{}, err
	}
	return together(types, files, passphrase)
}

// unzip unpacks within the bounds, whatever the file says about itself.
func unzip(f File) ([]File, error) {
	z, err := zip.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		return nil, refusal("intake.zip", f.Name, "")
	}
	if len(z.File) > 2*MaxFiles {
		return nil, refusal("intake.many", f.Name, "")
	}
	var out []File
	total := int64(0)
	for _, m := range z.File {
		if m.Name == "[Content_Types].xml" {
			return nil, refusal("intake.workbook", f.Name, "")
		}
		if m.FileInfo().IsDir() || litter(m.Name) {
			continue
		}
		data, err := unpack(m, MaxTotal-total)
		if err != nil {
			return nil, refusal(reasonOf(err), f.Name, "")
		}
		total += int64(len(data))
		if out = append(out, File{Name: m.Name, Data: data}); len(out) > MaxFiles {
			return nil, refusal("intake.many", f.Name, "")
		}
	}
	if len(out) == 0 {
		return nil, refusal("intake.empty", f.Name, "")
	}
	return out, nil
}

// litter is what macOS and Windows put into archives.
func litter(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || path.Base(name) == ".DS_Store" || path.Base(name) == "Thumbs.db"
}

func unpack(m *zip.File, left int64) ([]byte, error) {
	if m.Flags&1 != 0 {
		return nil, refusal("intake.zip_locked", "", "")
	}
	r, err := m.Open()
	if err != nil {
		return nil, refusal("intake.zip", "", "")
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, left+1))
	switch {
	case err != nil:
		return nil, refusal("intake.zip", "", "")
	case int64(len(data)) > left:
		return nil, refusal("intake.many", "", "")
	}
	return data, nil
}

func reasonOf(err error) string {
	var e *connectors.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// sentence is an error in words.
func sentence(err error) string { return connectors.Explain(err).Title }
