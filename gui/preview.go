package gui

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// most is how many children of one branch are kept: beyond it a person
// searches, and does not scroll.
const most = 200_000

// branch is one node of the tree and what is known below it.
type branch struct {
	node     connectors.Node
	parent   connectors.NodeID
	children []widget.TreeNodeID
	state    string // "", "loading", "done" or "failed"
	err      error  // why it failed
	cancel   func()
}

// previewPane shows live what a connection opens.
type previewPane struct {
	a       *App
	t       connectors.Type
	root    *fyne.Container
	session connectors.Session
	nodes   map[widget.TreeNodeID]*branch
	tree    *keyTree
	chosen  widget.TreeNodeID
	ahead   typeAhead
	filter  *entry
	pillBox *fyne.Container
	centre  *fyne.Container
	detail  *detailPane
	redraw  *task.Coalescer
	refresh *widget.Button
	head    *label
	ready   *readyView // what is shown before the first link
}

func newPreviewPane(a *App, t connectors.Type) *previewPane {
	p := &previewPane{a: a, t: t, nodes: map[widget.TreeNodeID]*branch{}, pillBox: container.NewHBox()}
	p.redraw = task.NewCoalescer(a.r, func() { p.tree.Refresh() })
	p.filter = newEntry(false, false)
	p.filter.keys, p.filter.window = &a.keys, a.windowKey
	p.filter.Icon = theme.SearchIcon()
	p.filter.SetPlaceHolder(lang.T("preview.filter"))
	p.filter.OnChanged = func(string) { p.tree.Refresh() }
	p.tree = &keyTree{window: a.windowKey, typed: p.find}
	p.tree.ChildUIDs, p.tree.IsBranch, p.tree.CreateNode, p.tree.UpdateNode = p.childIDs, p.isBranch, newNodeRow, p.fillRow
	p.tree.ExtendBaseWidget(p.tree)
	p.tree.HideSeparators = true
	p.tree.OnBranchOpened = p.load
	p.tree.OnSelected = func(id widget.TreeNodeID) {
		p.chosen = id
		b, ok := p.nodes[id]
		switch {
		case ok && b.state == "failed" && b.node.Branch:
			p.failedBranch(id, b)
		case ok:
			p.detail.show(p.session, b.node, p.path(id))
		}
	}
	p.detail = newDetailPane(a)
	p.detail.pill = p.pill
	p.refresh = widget.NewButtonWithIcon("", theme.ViewRefreshIcon(), p.reload)
	p.refresh.Importance = widget.LowImportance
	p.head = heading(lang.T("preview.title"))
	head := newDock(nil, nil, hbox(10, fixed(96, 0, container.NewCenter(fixed(96, 18, p.head))), container.NewCenter(p.pillBox)), fixed(32, 0, container.NewCenter(p.refresh)), newFill("", 0))
	p.centre = container.NewStack()
	p.root = container.NewStack(newFill(looks.Surface, 0), newDock(vbox(0, padded(0, 0, 16, 12, fixed(0, 51, head)), hairline()), nil, nil, nil, p.centre))
	p.idle()
	return p
}

func (p *previewPane) empty(icon fyne.Resource, head, text string) {
	p.unready()
	words := vbox(8, container.NewCenter(container.NewStack(fixed(48, 48, newFill(looks.IdleSubtle, 8)), container.NewCenter(widget.NewIcon(icon)))))
	h, t := strong(head), secondary(text)
	h.align, t.align = fyne.TextAlignCenter, fyne.TextAlignCenter
	words.Add(fixed(420, 0, h))
	words.Add(fixed(420, 0, t))
	p.centre.Objects = []fyne.CanvasObject{container.NewCenter(words)}
	p.centre.Refresh()
	p.pillBox.RemoveAll()
	p.refresh.Hide()
}

func (p *previewPane) idle() {
	p.empty(theme.VisibilityIcon(), lang.T("preview.none"), lang.T("preview.nonetext"))
}

func (p *previewPane) failed(bad bool) {
	p.close()
	if bad {
		p.empty(theme.WarningIcon(), lang.T("preview.none"), lang.T("preview.failed"))
		return
	}
	p.idle()
}

// waiting is shown while the ladder is climbed: still bars, not moving ones.
func (p *previewPane) waiting() {
	p.close()
	p.unready()
	bars := vbox(10)
	for i := range 9 {
		f := newFill(looks.IdleSubtle, 4)
		bars.Add(container.NewHBox(fixed(float32(120+(i*67)%220), 12, f)))
	}
	p.centre.Objects = []fyne.CanvasObject{padded(20, 0, 20, 20, bars)}
	p.centre.Refresh()
	p.refresh.Hide()
}

// open shows the session of a link; the pane closes it.
func (p *previewPane) open(r *link.Result) {
	p.close()
	p.session = r.Session
	p.nodes = map[widget.TreeNodeID]*branch{"": {}}
	left := newDock(padded(10, 6, 10, 10, p.filter), nil, nil, nil, p.tree)
	p.centre.Objects = []fyne.CanvasObject{newSplitter(left, p.detail.root, 272, 160, 480).box}
	p.centre.Refresh()
	p.pill("preview.live")
	p.refresh.Show()
	p.detail.facts(r.Facts)
	p.load("")
	if p.broadcast() {
		p.detail.follow(r.Session.(connectors.Streamer), connectors.Node{}, p.arrived)
	}
}

// pill says whether what is shown follows the source.
func (p *previewPane) pill(key string) {
	o := pill(lang.T(key), looks.WarnSubtle, looks.WarnDot, looks.WarnText)
	if key == "preview.live" {
		o = pill(lang.T(key), looks.OkSubtle, looks.OkDot, looks.OkText)
	}
	p.pillBox.Objects = []fyne.CanvasObject{o}
	p.pillBox.Refresh()
}

// reload reads everything anew over the open session.
func (p *previewPane) reload() {
	if p.session == nil {
		return
	}
	for _, b := range p.nodes {
		if b.cancel != nil {
			b.cancel()
		}
	}
	p.nodes = map[widget.TreeNodeID]*branch{"": {}}
	p.tree.CloseAllBranches()
	p.load("")
}

// close stops what loads and closes the session, off the window's goroutine.
func (p *previewPane) close() {
	for _, b := range p.nodes {
		if b.cancel != nil {
			b.cancel()
		}
	}
	p.detail.stop()
	if p.ready != nil {
		p.ready.close()
	}
	if p.session == nil {
		return
	}
	s := p.session
	p.session = nil
	task.Run(p.a.r, func(context.Context) (struct{}, error) { return struct{}{}, s.Close() }, func(struct{}, error) {})
}

// load lists a branch when it is first opened.
func (p *previewPane) load(id widget.TreeNodeID) {
	b, ok := p.nodes[id]
	browser, can := p.session.(connectors.Browser)
	if !ok || !can || b.state != "" {
		return
	}
	b.state = "loading"
	session := p.session
	b.cancel = task.Stream(p.a.r, func(ctx context.Context) iter.Seq2[connectors.Node, error] {
		return browser.Children(ctx, connectors.NodeID(id))
	}, func(list []connectors.Node) {
		if p.session != session {
			return
		}
		for _, n := range list {
			p.add(id, n)
		}
		if len(b.children) >= most {
			b.cancel()
			b.state = "done"
		}
		p.redraw.Mark()
	}, func(err error) {
		if p.nodes[id] != b { // read anew meanwhile, or closed
			return
		}
		b.state = "done"
		if err != nil {
			b.state, b.err = "failed", err
			p.failedBranch(id, b)
		}
		p.sort(b)
		p.redraw.Mark()
	})
}

// failedBranch says why a branch did not open: it is what the person did last.
func (p *previewPane) failedBranch(id widget.TreeNodeID, b *branch) {
	switch connectors.CodeOf(b.err) {
	case connectors.Cancelled:
		return
	case connectors.Unreachable, connectors.TimedOut:
		p.pill("preview.stale")
	}
	p.detail.stopReading()
	if id != "" {
		p.detail.crumb.set(p.path(id))
	}
	p.detail.problem(b.err, func() {
		if p.nodes[id] == b {
			b.state, b.err, b.children = "", nil, nil
			p.load(id)
			p.redraw.Mark()
		}
	})
}

// atOnce is how many children are put in order by the window itself; more of
// them are sorted in the background, and put in order once that is done.
const atOnce = 2000

// sort puts what opens further first, each part by name. Topics keep the order
// in which they were heard: new ones come at the end. Columns have the order of
// their table, paths that of the form, and others one that their service gives.
func (p *previewPane) sort(b *branch) {
	if len(b.children) == 0 || p.broadcast() {
		return
	}
	if first := p.nodes[b.children[0]].node; first.Ordered || first.Kind == "column" || first.Kind == "resource" {
		return
	}
	list := make([]sortKey, len(b.children))
	for i, id := range b.children {
		n := p.nodes[id].node
		list[i] = sortKey{id, n.Branch && n.Kind != "file", n.Name}
	}
	if len(list) <= atOnce {
		b.children = inOrder(list)
		return
	}
	task.Run(p.a.r, func(context.Context) ([]widget.TreeNodeID, error) { return inOrder(list), nil }, func(ids []widget.TreeNodeID, _ error) {
		if len(b.children) == len(ids) {
			b.children = ids
			p.redraw.Mark()
		}
	})
}

// sortKey is what the order of a node depends on.
type sortKey struct {
	id     widget.TreeNodeID
	branch bool
	name   string
}

func inOrder(list []sortKey) []widget.TreeNodeID {
	for i := range list {
		list[i].name = strings.ToLower(list[i].name)
	}
	slices.SortStableFunc(list, func(x, y sortKey) int {
		if x.branch != y.branch {
			if x.branch {
				return -1
			}
			return 1
		}
		return strings.Compare(x.name, y.name)
	})
	ids := make([]widget.TreeNodeID, len(list))
	for i, k := range list {
		ids[i] = k.id
	}
	return ids
}

func (p *previewPane) add(parent widget.TreeNodeID, n connectors.Node) {
	id := widget.TreeNodeID(n.ID)
	if known, ok := p.nodes[id]; ok {
		known.node = n
		return
	}
	p.nodes[id] = &branch{node: n, parent: connectors.NodeID(parent)}
	p.nodes[parent].children = append(p.nodes[parent].children, id)
}

// arrived puts a new topic into branches that are loaded already.
func (p *previewPane) arrived(e connectors.Event) {
	for i := range e.Path {
		parent, id := strings.Join(e.Path[:i], "/"), strings.Join(e.Path[:i+1], "/")
		b, ok := p.nodes[parent]
		if !ok || b.state != "done" {
			return
		}
		if known, ok := p.nodes[id]; ok {
			if i < len(e.Path)-1 {
				known.node.Branch = true
			}
			continue
		}
		n := connectors.Node{ID: connectors.NodeID(id), Name: e.Path[i], Kind: "topic", Branch: i < len(e.Path)-1}
		if !n.Branch {
			n.Views = []connectors.View{connectors.ViewMessages}
		}
		p.add(parent, n)
		p.redraw.Mark()
	}
}

func (p *previewPane) childIDs(id widget.TreeNodeID) []widget.TreeNodeID {
	b, ok := p.nodes[id]
	if !ok {
		return nil
	}
	want := strings.ToLower(strings.TrimSpace(p.filter.Text))
	if want == "" {
		return b.children
	}
	var out []widget.TreeNodeID
	for _, c := range b.children {
		if p.found(c, want) {
			out = append(out, c)
		}
	}
	return out
}

// find selects the next node on the screen whose name starts with what is typed.
func (p *previewPane) find(r rune) {
	var seen []widget.TreeNodeID
	var walk func(id widget.TreeNodeID)
	walk = func(id widget.TreeNodeID) {
		for _, c := range p.childIDs(id) {
			seen = append(seen, c)
			if p.tree.IsBranchOpen(c) {
				walk(c)
			}
		}
	}
	walk("")
	if i := p.ahead.next(r, slices.Index(seen, p.chosen), len(seen), func(i int) string { return p.nodes[seen[i]].node.Name }); i >= 0 {
		p.tree.Select(seen[i])
		p.tree.ScrollTo(seen[i])
	}
}

// found looks at a node and at what is loaded below it.
func (p *previewPane) found(id widget.TreeNodeID, want string) bool {
	b := p.nodes[id]
	if strings.Contains(strings.ToLower(b.node.Name), want) {
		return true
	}
	for _, c := range b.children {
		if p.found(c, want) {
			return true
		}
	}
	return false
}

func (p *previewPane) isBranch(id widget.TreeNodeID) bool {
	b, ok := p.nodes[id]
	return id == "" || ok && b.node.Branch
}

func (p *previewPane) path(id widget.TreeNodeID) string {
	var parts []string
	for id != "" {
		b, ok := p.nodes[id]
		if !ok {
			break
		}
		parts = append([]string{connectors.Clean(b.node.Name, 60)}, parts...)
		id = widget.TreeNodeID(b.parent)
	}
	return strings.Join(parts, "  ›  ")
}

// nodeRow is one line of the tree.
type nodeRow struct {
	widget.BaseWidget
	icon  *widget.Icon
	name  *label
	right *label
	box   *fyne.Container
}

func newNodeRow(bool) fyne.CanvasObject {
	r := &nodeRow{icon: widget.NewIcon(theme.FolderIcon()), name: newLabel("", 12.5, theme.ColorNameForeground, false), right: newLabel("", 11.5, looks.Text3, false)}
	r.right.align = fyne.TextAlignTrailing
	r.box = newDock(nil, nil, padded(0, 0, 0, 8, fixed(16, 16, r.icon)), padded(2, 0, 8, 10, fixed(78, 0, r.right)), padded(1, 0, 0, 0, r.name))
	r.ExtendBaseWidget(r)
	return r
}

func (r *nodeRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }
func (r *nodeRow) MinSize() fyne.Size                  { return fyne.NewSize(120, 18) }

func (p *previewPane) fillRow(id widget.TreeNodeID, _ bool, o fyne.CanvasObject) {
	r := o.(*nodeRow)
	b, ok := p.nodes[id]
	if !ok {
		return
	}
	r.name.set(connectors.Clean(b.node.Name, 200))
	r.right.set(p.aside(b))
	c := theme.ColorNameForeground
	if b.node.Access == connectors.AccessDenied {
		c = theme.ColorNameDisabled
	}
	if r.name.color != c {
		r.name.color = c
		r.name.Refresh()
	}
	if icon := iconOf(b.node); r.icon.Resource != icon {
		r.icon.SetResource(icon)
	}
}

// aside is what stands at a row's right: loading, denied, how many, or a size.
func (p *previewPane) aside(b *branch) string {
	switch {
	case b.state == "loading":
		return lang.T("preview.loading")
	case b.node.Access == connectors.AccessDenied, b.state == "failed" && connectors.CodeOf(b.err) == connectors.Denied:
		return lang.T("preview.denied")
	case b.state == "failed":
		return lang.T("preview.broken")
	case b.state == "done" && b.node.Branch:
		return thousands(len(b.children))
	}
	for _, f := range b.node.Facts {
		if f.Label == "Size" || f.Label == "Rows" || f.Label == "Type" {
			return connectors.Clean(f.Text, 14)
		}
	}
	return ""
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }
