package gui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	looks "jackfield/gui/theme"
)

// glyphOf is the icon of a built-in type, "" for a person's own: those have the
// two letters that they chose.
func glyphOf(t connectors.Type) looks.Glyph {
	if t.Origin != "" {
		return ""
	}
	if g := named(t.ID); g != "" {
		return g
	}
	return map[connectors.Group]looks.Glyph{
		connectors.GroupFiles: looks.GlyphFolder, connectors.GroupDatabases: looks.GlyphData,
		connectors.GroupDirectories: looks.GlyphTree, connectors.GroupMessaging: looks.GlyphSignal,
		connectors.GroupWeb: looks.GlyphGlobe, connectors.GroupServices: looks.GlyphTasks,
	}[t.Group]
}

// named are the types that are told apart from the others of their group.
func named(id string) looks.Glyph {
	for g, ids := range map[looks.Glyph][]string{
		looks.GlyphShare:    {"ftp", "webdav", "smb"},
		looks.GlyphBucket:   {"s3", "s3_compatible", "gcs", "azure_blob"},
		looks.GlyphCloud:    {"box", "dropbox", "google_drive", "microsoft_graph", "google_service_account"},
		looks.GlyphBraces:   {"mongodb", "jwt_token"},
		looks.GlyphStack:    {"redis", "kafka"},
		looks.GlyphSearch:   {"elasticsearch"},
		looks.GlyphPeople:   {"auth0", "okta", "salesforce", "hubspot", "dynamics365", "pipedrive"},
		looks.GlyphChip:     {"aws_iot"},
		looks.GlyphQueue:    {"rabbitmq", "amqp1", "azure_service_bus"},
		looks.GlyphMail:     {"smtp", "imap", "mailchimp", "sendgrid"},
		looks.GlyphShield:   {"oauth"},
		looks.GlyphTerminal: {"ssh"},
		looks.GlyphPerson:   {"user_password"},
		looks.GlyphKey:      {"private_key", "public_key", "secret_key", "keytab", "google_key", "aws_key_pair"},
		looks.GlyphSeal:     {"certificate_chain"},
		looks.GlyphTable:    {"airtable", "google_sheets"},
		looks.GlyphTicket:   {"zendesk", "servicenow"},
		looks.GlyphTasks:    {"asana", "jira"},
		looks.GlyphCoins:    {"stripe", "quickbooks", "xero", "coupa"},
		looks.GlyphChat:     {"slack"},
		looks.GlyphPhone:    {"twilio", "zoom"},
		looks.GlyphBell:     {"pagerduty"},
		looks.GlyphCode:     {"github", "gitlab"},
		looks.GlyphChart:    {"datadog"},
		looks.GlyphCart:     {"shopify"},
		looks.GlyphBook:     {"notion"},
		looks.GlyphPen:      {"docusign"},
	} {
		if slices.Contains(ids, id) {
			return g
		}
	}
	return ""
}

// typeTile is the square with a type's icon, in the colour of its group.
func typeTile(t connectors.Type) fyne.CanvasObject {
	group := tileGroup(t)
	g := glyphOf(t)
	if g == "" {
		return tile(t.Tile, group)
	}
	back, front := tileColours(group)
	f := newFill(back, 8)
	f.least = fyne.NewSize(34, 34)
	return container.NewStack(f, container.NewCenter(newMark(g, front, 20)))
}

func tileGroup(t connectors.Type) int { return slices.Index(connectors.Groups(), t.Group) + 5 }

func tileColours(group int) (back, front fyne.ThemeColorName) {
	backs := []fyne.ThemeColorName{looks.AccentBack, looks.OkSubtle, looks.WarnSubtle, looks.VioletBack, looks.IdleSubtle}
	fronts := []fyne.ThemeColorName{looks.AccentText, looks.OkText, looks.WarnText, looks.VioletText, looks.Text2}
	return backs[group%len(backs)], fronts[group%len(fronts)]
}

// mark is a glyph in a colour of the theme.
type mark struct {
	widget.BaseWidget
	glyph looks.Glyph
	color fyne.ThemeColorName
	size  float32
}

func newMark(g looks.Glyph, c fyne.ThemeColorName, size float32) *mark {
	m := &mark{glyph: g, color: c, size: size}
	m.ExtendBaseWidget(m)
	return m
}

// CreateRenderer implements fyne.Widget.
func (m *mark) CreateRenderer() fyne.WidgetRenderer {
	r := &markRenderer{m: m, i: &canvas.Image{FillMode: canvas.ImageFillContain}}
	r.i.Resource = m.glyph.Icon(paint(m.color))
	return r
}

type markRenderer struct {
	m *mark
	i *canvas.Image
}

func (r *markRenderer) Destroy()                     {}
func (r *markRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.i} }
func (r *markRenderer) MinSize() fyne.Size           { return fyne.NewSize(r.m.size, r.m.size) }
func (r *markRenderer) Layout(s fyne.Size)           { r.i.Resize(s) }
func (r *markRenderer) Refresh() {
	r.i.Resource = r.m.glyph.Icon(paint(r.m.color))
	r.i.Refresh()
}
