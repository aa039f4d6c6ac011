package gui

import (
	"context"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// chapter is a page of the guide.
type chapter struct {
	id, title string
	text      string // Markdown; "" where there are parts
	parts     []widget.RichTextSegment
	find      string // lower case
	typed     bool   // made of a connection type
}

// chapters are those of the guide, in the order of their files' names, and one a
// connection type.
func (a *App) chapters() []chapter {
	var out []chapter
	if a.o.Help != nil {
		names, _ := fs.Glob(a.o.Help, "*.md") // the pattern is right
		for _, name := range names {
			data, err := fs.ReadFile(a.o.Help, name)
			if err != nil {
				a.o.Log.Warn("guide", "error", err)
				continue
			}
			out = append(out, newChapter(name, string(data)))
		}
	}
	for _, t := range a.o.Book.Types() {
		out = append(out, typeChapter(t))
	}
	return out
}

func newChapter(id, text string) chapter {
	title, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	return chapter{id: id, title: strings.TrimSpace(title), text: strings.TrimSpace(rest), find: strings.ToLower(text)}
}

// typeChapter says of a type what its form asks for, and where to find it.
func typeChapter(t connectors.Type) chapter {
	c := chapter{id: t.ID, title: t.Name, typed: true}
	all := []string{t.ID, t.Name, t.Summary, strings.Join(t.Keywords, " ")}
	add := func(style widget.RichTextStyle, text string) {
		all = append(all, text)
		c.parts = append(c.parts, &widget.TextSegment{Text: text, Style: style})
	}
	headline := widget.RichTextStyleSubHeading
	headline.Inline = false // a line of its own
	part := func(head string, texts ...string) {
		if strings.Join(texts, "") == "" {
			return
		}
		add(headline, head)
		for _, s := range texts {
			add(widget.RichTextStyleParagraph, s)
		}
	}
	add(widget.RichTextStyleParagraph, t.Summary)
	part(lang.T("form.guide"), t.Guide.Steps...)
	part(lang.T("form.rights"), t.Guide.Rights)
	part(lang.T("form.admin"), t.Guide.Admin)
	part(lang.T("form.account"), t.Guide.Account)
	part(lang.T("form.network"), t.Guide.Network)
	part(lang.T("form.notes"), t.Guide.Notes...)
	var fields []string
	for _, f := range t.Form.Fields {
		if f.Label != "" && f.Help != "" {
			fields = append(fields, lang.T("help.field", f.Label, f.Help))
		}
	}
	part(lang.T("help.fields"), fields...)
	for _, l := range t.Guide.Links {
		if to, err := url.Parse(l.URL); err == nil {
			c.parts = append(c.parts, &widget.HyperlinkSegment{Text: l.Text, URL: to})
		}
	}
	c.find = strings.ToLower(strings.Join(all, "\n"))
	return c
}

// spaced puts room above headings and below lists.
func spaced(list []widget.RichTextSegment) []widget.RichTextSegment {
	var out []widget.RichTextSegment
	after := false // a list
	for i, s := range list {
		t, ok := s.(*widget.TextSegment)
		if head := ok && t.Style.SizeName == theme.SizeNameSubHeadingText; i > 0 && (head || after) {
			out = append(out, &widget.TextSegment{Text: " ", Style: widget.RichTextStyle{SizeName: theme.SizeNameCaptionText}})
		}
		_, after = s.(*widget.ListSegment)
		out = append(out, s)
	}
	return out
}

// helpPage is the guide.
type helpPage struct {
	a      *App
	root   *fyne.Container
	search *entry
	list   *keyList
	all    []chapter
	shown  []chapter
	title  *label
	text   *widget.RichText
	view   *container.Scroll
}

func (a *App) showHelp() { a.showChapter("") }

// showChapter opens the guide at a chapter: a file's name, or a type's ID.
func (a *App) showChapter(id string) {
	if id == "" && a.form != nil {
		id = a.form.t.ID
	}
	h := &helpPage{a: a, title: title(""), text: widget.NewRichText()}
	h.search = a.field(lang.T("help.search"), false)
	h.search.Icon = theme.SearchIcon()
	h.search.OnChanged = func(string) { h.find() }
	h.search.OnSubmitted = func(string) { a.win.Canvas().Focus(h.list) }
	h.list = &keyList{window: a.windowKey, typed: func(rune) {}}
	h.list.Length = func() int { return len(h.shown) }
	h.list.CreateItem = func() fyne.CanvasObject {
		return padded(6, 6, 8, 8, newLabel("", 13, theme.ColorNameForeground, false))
	}
	h.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(h.shown) {
			o.(*fyne.Container).Objects[0].(*label).set(h.shown[i].title)
		}
	}
	h.list.HideSeparators = true
	h.list.OnSelected = func(i widget.ListItemID) { h.open(i) }
	h.list.ExtendBaseWidget(h.list)
	h.text.Wrapping = fyne.TextWrapWord
	h.view = container.NewVScroll(container.New(bounded(pageWidth), padded(24, 40, 40, 40, vbox(10, h.title, flush(h.text)))))
	side := newDock(padded(12, 8, 12, 12, oneLined(h.search)), nil, nil, nil, padded(0, 8, 8, 8, h.list))
	s := newSplitter(container.NewStack(newFill(looks.Stripe, 0), side), h.view, 260, 200, 400)
	h.root = newDock(vbox(0, padded(24, 12, 40, 40, vbox(6, title(lang.T("help.title")), secondary(lang.T("help.text")))), hairline()), nil, nil, nil, s.box)
	a.leave(func() {
		a.side.selected = ""
		a.side.refresh()
		a.show(h.root)
		task.Run(a.r, func(context.Context) ([]chapter, error) { return a.chapters(), nil }, func(all []chapter, _ error) {
			h.all = all
			h.find()
			h.turnTo(id)
			a.win.Canvas().Focus(h.search)
		})
	})
}

// find shows the chapters that have every word that was typed; those that have
// them in their titles come first.
func (h *helpPage) find() {
	words := strings.Fields(strings.ToLower(h.search.Text))
	var named, rest []chapter
	for _, c := range h.all {
		name := strings.ToLower(c.title)
		inName, in := true, true
		for _, w := range words {
			inName = inName && strings.Contains(name, w)
			in = in && strings.Contains(c.find, w)
		}
		switch {
		case inName:
			named = append(named, c)
		case in:
			rest = append(rest, c)
		}
	}
	h.shown = append(named, rest...)
	h.list.UnselectAll()
	h.list.Refresh()
	h.list.ScrollToTop()
	if len(h.shown) > 0 {
		h.list.Select(0)
		return
	}
	h.title.set(lang.T("help.none"))
	h.text.Segments = nil
	h.text.Refresh()
}

func (h *helpPage) turnTo(id string) {
	for i, c := range h.shown {
		if c.id == id {
			h.list.Select(i)
			return
		}
	}
}

func (h *helpPage) open(i int) {
	if i >= len(h.shown) {
		return
	}
	c := h.shown[i]
	h.title.set(c.title)
	if c.parts != nil {
		h.text.Segments = spaced(c.parts)
	} else {
		h.text.ParseMarkdown(c.text)
		h.text.Segments = spaced(h.text.Segments)
	}
	h.follow(h.text.Segments)
	h.text.Refresh()
	relayout(h.view.Content)
	h.view.Refresh()
	h.view.ScrollToTop()
}

// follow makes links turn to chapters, or open the browser by the program's own
// way, which refuses what is no web page.
func (h *helpPage) follow(list []widget.RichTextSegment) {
	for _, s := range list {
		switch s := s.(type) {
		case *widget.HyperlinkSegment:
			to := s.URL
			s.OnTapped = func() { h.link(to) }
		case *widget.ParagraphSegment:
			h.follow(s.Texts)
		case *widget.ListSegment:
			h.follow(s.Items)
		}
	}
}

func (h *helpPage) link(to *url.URL) {
	if to == nil {
		return
	}
	if to.Scheme == "" {
		h.search.SetText("")
		h.turnTo(path.Base(to.Path))
		return
	}
	h.a.browse(to.String())
}
