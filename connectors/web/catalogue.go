package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

//go:embed catalogue/*.yaml
var builtIn embed.FS

// maxFile bounds a catalogue file.
const maxFile = 1 << 20

// service is one catalogue file. See catalogue/twilio.yaml for an example.
type service struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	Group    connectors.Group  `yaml:"group"`
	Summary  string            `yaml:"summary"`
	Tile     string            `yaml:"tile"`
	Keywords []string          `yaml:"keywords"`
	Where    []string          `yaml:"where"`
	Guide    guide             `yaml:"guide"`
	Fields   []field           `yaml:"fields"`
	Base     string            `yaml:"base"`
	Headers  map[string]string `yaml:"headers"`
	SignIn   []signIn          `yaml:"sign_in"`
	Spec     spec              `yaml:",inline"`
}

type guide struct {
	Steps       []string `yaml:"steps"`
	Rights      string   `yaml:"rights"`
	Admin       string   `yaml:"admin"`
	RedirectURI string   `yaml:"redirect_uri"`
	Links       []struct {
		Text string `yaml:"text"`
		URL  string `yaml:"url"`
	} `yaml:"links"`
}

type field struct {
	Key      string              `yaml:"key"`
	Label    string              `yaml:"label"`
	Help     string              `yaml:"help"`
	Example  string              `yaml:"example"`
	Section  string              `yaml:"section"`
	Kind     connectors.Kind     `yaml:"kind"`
	Options  []option            `yaml:"options"`
	Default  string              `yaml:"default"`
	Required bool                `yaml:"required"`
	Advanced bool                `yaml:"advanced"`
	Short    bool                `yaml:"short"`
	Show     map[string][]string `yaml:"show"`
	Pattern  string              `yaml:"pattern"` // the whole answer must match
	Wrong    string              `yaml:"wrong"`   // the sentence for an answer that does not
	Prefixes []string            `yaml:"prefixes"`
}

type option struct {
	Value string `yaml:"value"`
	Label string `yaml:"label"`
	Help  string `yaml:"help"`
}

// signIn is a way to sign in; the first whose When holds is used.
type signIn struct {
	When     map[string][]string `yaml:"when"`
	Kind     string              `yaml:"kind"` // none, basic, key, bearer, oauth
	User     string              `yaml:"user"`
	Secret   string              `yaml:"secret"` // the key of the secret field
	In       string              `yaml:"in"`
	Name     string              `yaml:"name"`
	Prefix   string              `yaml:"prefix"`
	AuthURL  string              `yaml:"authorize"`
	TokenURL string              `yaml:"token"`
	Issuer   string              `yaml:"issuer"`
	ClientID string              `yaml:"client_id"`
	Scopes   string              `yaml:"scopes"`
	Redirect string              `yaml:"redirect_host"`
	Path     string              `yaml:"redirect_path"`
	Params   map[string]string   `yaml:"params"`
}

// Services are the catalogue's types. Its files are part of the program, so an
// error is a defect that the tests find.
func Services() ([]connectors.Type, error) { return read(builtIn, "catalogue", "") }

// FromFolder reads the user's own catalogue files (*.yaml). A file that cannot
// be used is reported and left out; a missing folder holds none.
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
	var out []connectors.Type
	for _, name := range names {
		t, err := file(files, name, origin)
		if err != nil {
			return out, err
		}
		out = append(out, t)
	}
	return out, nil
}

func file(files fs.FS, name, origin string) (connectors.Type, error) {
	f, err := files.Open(name)
	if err != nil {
		return connectors.Type{}, err
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
		return connectors.Type{}, fmt.Errorf("catalogue file %s: %w", name, err)
	}
	t, err := parse(data)
	if err != nil {
		return t, fmt.Errorf("catalogue file %s: %w", name, err)
	}
	t.Origin = origin
	return t, nil
}

// parse makes a type of a catalogue file and proves that it can be used.
func parse(data []byte) (connectors.Type, error) {
	var s service
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil {
		return connectors.Type{}, err
	}
	t := connectors.Type{
		ID: s.ID, Name: s.Name, Group: s.Group, Summary: s.Summary, Tile: s.Tile, Keywords: s.Keywords, Where: s.Where,
		Guide: connectors.Guide{Steps: s.Guide.Steps, Rights: s.Guide.Rights, Admin: s.Guide.Admin, RedirectURI: s.Guide.RedirectURI},
	}
	for _, l := range s.Guide.Links {
		t.Guide.Links = append(t.Guide.Links, connectors.Link{Text: l.Text, URL: l.URL})
	}
	for _, f := range s.Fields {
		made, err := f.field()
		if err != nil {
			return t, fmt.Errorf("field %s: %w", f.Key, err)
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
	if err := t.Check(); err != nil {
		return t, err
	}
	return t, s.sound(t)
}

func (f field) field() (connectors.Field, error) {
	out := connectors.Field{Key: f.Key, Label: f.Label, Help: f.Help, Example: f.Example, Section: f.Section, Kind: f.Kind, Default: f.Default, Required: f.Required, Advanced: f.Advanced, Short: f.Short}
	for _, o := range f.Options {
		out.Options = append(out.Options, connectors.Option{Value: o.Value, Label: o.Label, Help: o.Help})
	}
	for k, is := range f.Show {
		out.Show = append(out.Show, connectors.Cond{Key: k, Is: is})
	}
	switch f.Kind {
	case connectors.URL:
		out.Tidy, out.Valid = tidyURL, validURL
	case connectors.SecretText:
		out.Tidy, out.Valid = answers.TidySecret(f.Prefixes...), validHeaderValue
	}
	if f.Pattern == "" {
		return out, nil
	}
	shape, err := regexp.Compile("^(?:" + f.Pattern + ")$")
	if err != nil {
		return out, err
	}
	if f.Wrong == "" {
		return out, errors.New("a pattern needs a sentence in wrong")
	}
	before := out.Valid
	out.Valid = func(v string) error {
		if !shape.MatchString(v) {
			return errors.New(f.Wrong)
		}
		if before != nil {
			return before(v)
		}
		return nil
	}
	return out, nil
}

// sound proves what only the whole file shows: every placeholder is a field,
// every secret is one, and every rule names a code and a field that exist.
func (s service) sound(t connectors.Type) error {
	known := map[string]bool{"id": true, "parent": true, "limit": true, "offset": true}
	for _, f := range t.Form.Fields {
		if !f.Kind.Secret() {
			known[f.Key] = true
		}
	}
	for _, text := range s.templates() {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				return fmt.Errorf("the placeholder {%s} in %q is no plain field", m[1], text)
			}
		}
	}
	for _, w := range s.SignIn {
		f, ok := t.Form.Field(w.Secret)
		if w.Secret != "" && (!ok || !f.Kind.Secret()) {
			return fmt.Errorf("sign_in: %q is no secret field", w.Secret)
		}
		if !slices.Contains([]string{"none", "basic", "key", "bearer", "oauth"}, w.Kind) {
			return fmt.Errorf("sign_in: unknown kind %q", w.Kind)
		}
	}
	if len(s.SignIn) == 0 || s.Base == "" || s.Spec.Check.Get == "" {
		return errors.New("base, sign_in and check are required")
	}
	for _, r := range append(slices.Clone(s.Spec.Errors), s.Spec.Check.FailWhen...) {
		if !slices.Contains(connectors.Codes(), r.Code) {
			return fmt.Errorf("a rule has the unknown code %q", r.Code)
		}
		if _, ok := t.Form.Field(r.Field); r.Field != "" && !ok {
			return fmt.Errorf("a rule names %q, which is no field", r.Field)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func (s service) templates() []string {
	out := []string{s.Base, s.Spec.Check.Get}
	for _, w := range s.SignIn {
		out = append(out, w.User, w.AuthURL, w.TokenURL, w.Issuer, w.ClientID, w.Scopes)
	}
	for _, v := range s.Headers {
		out = append(out, v)
	}
	for _, n := range s.Spec.Tree {
		out = append(out, n.templates()...)
	}
	return out
}

func (n node) templates() []string {
	var out []string
	for _, l := range []*list{n.Rows, n.List} {
		if l != nil {
			out = append(out, l.Get)
		}
	}
	for _, c := range n.Nodes {
		out = append(out, c.templates()...)
	}
	for e := n.Each; e != nil; e = e.Each {
		out = append(out, node{Rows: e.Rows, List: e.List}.templates()...)
	}
	return out
}

// text fills a template whose parts are no path: a user name, scopes.
func text(template string, vars map[string]string) string {
	return placeholder.ReplaceAllStringFunc(template, func(m string) string { return vars[strings.Trim(m, "{}")] })
}
