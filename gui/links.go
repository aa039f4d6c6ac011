package gui

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

// scheme is that of the program's own links: jackfield:new/TYPE?name=…&FIELD=…
const scheme = "jackfield"

// mostLink bounds a link; what a browser hands on may come from any page.
const mostLink = 4096

// Given opens what the program was started with: files and links. It may be
// called from the toolkit's goroutine alone.
func (a *App) Given(args []string) {
	a.Front()
	if !a.started { // the page that is about to be shown would take its place
		a.given = args
		return
	}
	if a.locked != nil {
		a.unlocks = func() { a.Given(args) }
		return
	}
	for _, arg := range args {
		if strings.HasPrefix(strings.ToLower(arg), scheme+":") {
			a.follow(arg)
			return
		}
	}
	var files []string
	for _, arg := range args {
		if arg != "" && !strings.HasPrefix(arg, "-") {
			files = append(files, arg)
		}
	}
	if len(files) > 0 {
		a.leave(func() { a.openFiles(files) })
	}
}

// Front puts the window where the person sees it.
func (a *App) Front() {
	a.win.Show()
	a.win.RequestFocus()
}

func (a *App) openFiles(paths []string) {
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.Mode().IsRegular() { // a device or a pipe could hold the program up
			a.toasts.say(lang.T("form.unreadable"), true)
			return
		}
	}
	var all []fyne.URI
	for _, p := range paths {
		all = append(all, storage.NewFileURI(p))
	}
	a.take(all)
}

// follow opens the form that a link asks for. Nothing is saved or sent before the
// person does so, a secret in a link is left out, and the page says where the
// answers come from.
func (a *App) follow(text string) {
	l, err := readLink(text, a.o.Book.Type)
	if err != nil {
		a.tell(err)
		return
	}
	a.leave(func() {
		a.newConnection(l.t)
		a.form.filled(a.o.Book.FreeName(a.ctx, l.name), l.answers)
		words := []string{lang.T("links.filled")}
		if where := l.t.Place(l.answers.Plain); where != "" {
			words = append(words, lang.T("links.place", connectors.Clean(where, 200)))
		}
		if len(l.left) > 0 {
			words = append(words, lang.T("links.left", connectors.Clean(strings.Join(l.left, ", "), 200)))
		}
		a.form.tell(words)
	})
}

// aLink is what a link asks for.
type aLink struct {
	t       connectors.Type
	name    string
	answers connectors.Settings
	left    []string // what was left out: secrets, and what no field asks for
}

func readLink(text string, find func(id string) (connectors.Type, error)) (aLink, error) {
	bad := func(said string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: "links.unknown", Target: connectors.Clean(text, 80), Said: said}
	}
	if len(text) > mostLink {
		return aLink{}, bad("")
	}
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme, scheme) {
		return aLink{}, bad("")
	}
	// Browsers write jackfield:new/sftp also as jackfield://new/sftp.
	path := strings.Trim(u.Opaque+u.Host+u.Path, "/")
	id, ok := strings.CutPrefix(path, "new/")
	if !ok {
		return aLink{}, bad("")
	}
	t, err := find(id)
	if err != nil {
		return aLink{}, err
	}
	l := aLink{t: t, name: t.Name, answers: connectors.NewSettings()}
	query := u.Query()
	keys := make([]string, 0, len(query))
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		v := query.Get(k)
		f, known := t.Form.Field(k)
		switch {
		case k == "name" && !known:
			l.name = connectors.Clean(v, 100)
		// A link names no files and no other connection: whoever wrote it could have
		// the one read and the other used.
		case !known, f.Kind.Secret(), f.Kind == connectors.File, f.Kind == connectors.Reference, f.Lends != "":
			l.left = append(l.left, labelOr(f, k))
		default:
			l.answers.Plain[k] = strings.TrimSpace(v)
		}
	}
	return l, nil
}

func labelOr(f connectors.Field, key string) string {
	if f.Label != "" {
		return f.Label
	}
	return key
}

// Absolute makes paths whole, since a copy that already runs has another folder.
func Absolute(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "" || strings.HasPrefix(arg, "-") || strings.HasPrefix(strings.ToLower(arg), scheme+":") {
			continue
		}
		if rest, is := strings.CutPrefix(arg, "file://"); is {
			if u, err := url.PathUnescape(rest); err == nil {
				arg = u
			}
		}
		if whole, err := filepath.Abs(arg); err == nil {
			out[i] = whole
		}
	}
	return out
}

// summary says how the connections stand, for the tray.
func (a *App) summary() string {
	linked, attention := 0, 0
	for _, c := range a.list {
		switch c.State {
		case link.OK, link.Partial:
			linked++
		case link.Failed:
			attention++
		}
	}
	words := lang.T("sidebar.linked", linked)
	if attention > 0 {
		words += " · " + lang.N("sidebar.attention", attention)
	}
	return words
}
