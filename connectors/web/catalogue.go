package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"jackfield/connectors"
)

//go:embed catalogue/*.yaml
var builtIn embed.FS

// maxFile bounds a catalogue file.
const maxFile = 1 << 20

// Services are the catalogue's types. Its files are part of the program, so an
// error is a defect that the tests find.
func Services() ([]connectors.Type, error) { return read(builtIn, "catalogue", "") }

// Service is one of the catalogue's types: each stands in a file of its id.
func Service(id string) (connectors.Type, bool) {
	if !fs.ValidPath(id) || strings.ContainsAny(id, "/*?[") {
		return connectors.Type{}, false
	}
	t, err := file(builtIn, "catalogue/"+id+".yaml", "")
	return t, err == nil
}

// FromFolder reads the user's own catalogue files (*.yaml). A file that cannot
// be used is reported, with its line and the reason, and left out; a missing
// folder holds none.
func FromFolder(dir string) ([]connectors.Type, []error) {
	names, err := filepath.Glob(filepath.Join(quoteGlob(dir), "*.yaml"))
	if err != nil {
		return nil, []error{err}
	}
	var out []connectors.Type
	var errs []error
	root := os.DirFS(dir)
	for _, name := range names {
		t, err := file(root, filepath.Base(name), name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, t)
	}
	return out, errs
}

// FromFile reads one catalogue file of the user's.
func FromFile(name string) (connectors.Type, error) {
	return file(os.DirFS(filepath.Dir(name)), filepath.Base(name), name)
}

// Example is a catalogue file with every part explained, for "jf catalog new".
func Example() []byte {
	data, err := examples.ReadFile("example/service.yaml")
	if err != nil {
		return nil
	}
	return data
}

//go:embed example/service.yaml
var examples embed.FS

var globMeta = regexp.MustCompile(`[*?\[\\]`)

func quoteGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir
	}
	return globMeta.ReplaceAllString(dir, `\$0`)
}

func read(files fs.FS, dir, origin string) ([]connectors.Type, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return nil, err
	}
	out := make([]connectors.Type, len(names))
	errs := make([]error, len(names))
	var all sync.WaitGroup // every program reads all of them at its start
	for i, name := range names {
		all.Go(func() { out[i], errs[i] = file(files, name, origin) })
	}
	all.Wait()
	return out, errors.Join(errs...)
}

func file(files fs.FS, name, origin string) (connectors.Type, error) {
	shown := name
	if origin != "" {
		shown = origin
	}
	f, err := files.Open(name)
	if err != nil {
		return connectors.Type{}, in(shown, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.Size() > maxFile {
		err = errors.New("too large")
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(files, name)
	}
	if err != nil {
		return connectors.Type{}, in(shown, err)
	}
	t, err := parse(data)
	if err != nil {
		return t, in(shown, err)
	}
	t.Origin = origin
	return t, nil
}

// parse makes a type of a catalogue file and proves that it can be used.
func parse(data []byte) (t connectors.Type, err error) {
	s, err := decode(data)
	if err != nil {
		return t, err
	}
	if t, err = s.made(); err != nil {
		return t, located(data, err)
	}
	return t, nil
}

// decode reads the YAML. An unknown key is an error: it is a misspelled one. A
// user's file may not end the program, whatever the parser makes of it.
func decode(data []byte) (s service, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("this is no YAML that can be read")
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return s, faulty(err)
	}
	return s, nil
}

func (s service) made() (connectors.Type, error) {
	t := connectors.Type{
		ID: s.ID, Name: s.Name, Group: s.Group, Summary: s.Summary, Tile: s.Tile, Keywords: s.Keywords, Where: s.Where, Guide: s.Guide.made(s.Name),
	}
	for _, f := range s.Fields {
		made, err := f.made()
		if err != nil {
			return t, &flaw{part: f.Key, err: fmt.Errorf("field %s: %w", f.Key, err)}
		}
		t.Form.Fields = append(t.Form.Fields, made)
	}
	form := t.Form
	t.Open = func(ctx context.Context, env *connectors.Env, answers connectors.Settings) (connectors.Session, error) {
		answers = form.Tidied(answers)
		if errs := form.Validate(answers); len(errs) > 0 {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: errs[0].Key, Said: errs[0].Text, Err: errs[0]}
		}
		return s.open(ctx, env, form, answers)
	}
	t.Draft = s.draftOf(form)
	if s.revocable() {
		t.Revoke = func(ctx context.Context, env *connectors.Env, answers connectors.Settings) error {
			return s.revoke(ctx, env, form, form.Tidied(answers))
		}
	}
	if err := t.Check(); err != nil {
		return t, err
	}
	return t, s.sound(t)
}
