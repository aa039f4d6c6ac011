package theme

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
)

// A Glyph names one of the program's own outline icons.
type Glyph string

// The glyphs. Each is drawn on a grid of 24, with lines 1.7 wide.
const (
	GlyphBell     Glyph = "bell"
	GlyphBook     Glyph = "book"
	GlyphBraces   Glyph = "braces"
	GlyphBucket   Glyph = "bucket"
	GlyphCart     Glyph = "cart"
	GlyphChart    Glyph = "chart"
	GlyphChat     Glyph = "chat"
	GlyphChip     Glyph = "chip"
	GlyphCloud    Glyph = "cloud"
	GlyphCode     Glyph = "code"
	GlyphCoins    Glyph = "coins"
	GlyphData     Glyph = "database"
	GlyphFolder   Glyph = "folder"
	GlyphGlobe    Glyph = "globe"
	GlyphKey      Glyph = "key"
	GlyphMail     Glyph = "mail"
	GlyphPeople   Glyph = "people"
	GlyphPen      Glyph = "pen"
	GlyphPerson   Glyph = "person"
	GlyphPhone    Glyph = "phone"
	GlyphQueue    Glyph = "queue"
	GlyphSearch   Glyph = "search"
	GlyphSeal     Glyph = "seal"
	GlyphShare    Glyph = "share"
	GlyphShield   Glyph = "shield"
	GlyphSignal   Glyph = "signal"
	GlyphStack    Glyph = "stack"
	GlyphTable    Glyph = "table"
	GlyphTasks    Glyph = "tasks"
	GlyphTerminal Glyph = "terminal"
	GlyphTicket   Glyph = "ticket"
	GlyphTree     Glyph = "tree"
)

// paths are the lines of a glyph, in SVG's path language (SVG 1.1, section 8.3).
func paths(g Glyph) string {
	return map[Glyph]string{
		GlyphBell:     "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15z M10 20.5a2.2 2.2 0 0 0 4 0",
		GlyphBook:     "M5 4.5h11a2 2 0 0 1 2 2V20H7a2 2 0 0 1 -2 -2z M5 18a2 2 0 0 1 2 -2h11 M9 8.5h5",
		GlyphBraces:   "M9 4.5c-2.5 0 -3 1 -3 3v2c0 1.5 -.7 2.5 -2 2.5c1.3 0 2 1 2 2.5v2c0 2 .5 3 3 3 M15 4.5c2.5 0 3 1 3 3v2c0 1.5 .7 2.5 2 2.5c-1.3 0 -2 1 -2 2.5v2c0 2 -.5 3 -3 3",
		GlyphBucket:   "M4.5 6.5h15l-2 13h-11z M4.5 6.5c0 -1.4 3.4 -2.5 7.5 -2.5s7.5 1.1 7.5 2.5 M8 11h8",
		GlyphCart:     "M3.5 5h2.5l2.2 10h9.3l2 -7h-12.5 M9.5 19.5h.01 M16.5 19.5h.01",
		GlyphChart:    "M4.5 4.5v15h15 M8.5 15v-3.5 M12.5 15v-7.5 M16.5 15v-5.5",
		GlyphChat:     "M4.5 6.5a1.5 1.5 0 0 1 1.5 -1.5h12a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1 -1.5 1.5h-6.5l-4 3.5v-3.5h-1.5a1.5 1.5 0 0 1 -1.5 -1.5z M8.5 9h7 M8.5 12h4.5",
		GlyphChip:     "M7 7h10v10h-10z M10 3.5v3.5 M14 3.5v3.5 M10 17v3.5 M14 17v3.5 M3.5 10h3.5 M3.5 14h3.5 M17 10h3.5 M17 14h3.5",
		GlyphCloud:    "M7.5 18.5a4 4 0 0 1 -.5 -7.9a5.5 5.5 0 0 1 10.4 -1a4.5 4.5 0 0 1 -.4 8.9z",
		GlyphCode:     "M8.5 7.5l-4.5 4.5l4.5 4.5 M15.5 7.5l4.5 4.5l-4.5 4.5 M13.5 5l-3 14",
		GlyphCoins:    "M4 8c0 -1.6 2.9 -3 6.5 -3s6.5 1.4 6.5 3s-2.9 3 -6.5 3s-6.5 -1.4 -6.5 -3z M4 8v4.5c0 1.6 2.9 3 6.5 3 M4 12.5v4c0 1.6 2.9 3 6.5 3 M17 8v2.5 M13.5 15.5h6.5 M13.5 19h6.5",
		GlyphData:     "M5 6c0 -1.5 3.1 -2.7 7 -2.7s7 1.2 7 2.7s-3.1 2.7 -7 2.7s-7 -1.2 -7 -2.7z M5 6v12c0 1.5 3.1 2.7 7 2.7s7 -1.2 7 -2.7v-12 M5 12c0 1.5 3.1 2.7 7 2.7s7 -1.2 7 -2.7",
		GlyphFolder:   "M3.5 7a1.5 1.5 0 0 1 1.5 -1.5h4.5l2 2.5h7.5a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1 -1.5 1.5h-14a1.5 1.5 0 0 1 -1.5 -1.5z",
		GlyphGlobe:    "M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0 -17 0z M3.5 12h17 M12 3.5c2.5 2.4 3.7 5.2 3.7 8.5s-1.2 6.1 -3.7 8.5c-2.5 -2.4 -3.7 -5.2 -3.7 -8.5s1.2 -6.1 3.7 -8.5z",
		GlyphKey:      "M4 15.5a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z M10.8 12.7l8.7 -8.7 M15.5 8l3 3 M18 5.5l2 2",
		GlyphMail:     "M3.5 6.5h17v11.5h-17z M3.5 7l8.5 6.5l8.5 -6.5",
		GlyphPeople:   "M5.5 8.5a3.3 3.3 0 1 0 6.6 0a3.3 3.3 0 1 0 -6.6 0z M3 19.5c0 -3.3 2.5 -5.5 5.8 -5.5s5.8 2.2 5.8 5.5 M15 5.5a3.3 3.3 0 0 1 0 6.2 M17 14.3c2.4 .6 4 2.5 4 5.2",
		GlyphPen:      "M4.5 19.5l1 -4l10.5 -10.5l3 3l-10.5 10.5z M13.5 7.5l3 3 M12.5 19.5h7",
		GlyphPerson:   "M8 8a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z M4.5 20c0 -4 3.2 -6.5 7.5 -6.5s7.5 2.5 7.5 6.5",
		GlyphPhone:    "M5 4.5h4l1.5 4.5l-2.2 1.7a11 11 0 0 0 5 5l1.7 -2.2l4.5 1.5v4a1.5 1.5 0 0 1 -1.6 1.5a15.5 15.5 0 0 1 -14.4 -14.4a1.5 1.5 0 0 1 1.5 -1.6z",
		GlyphQueue:    "M3.5 8h4v8h-4z M10 8h4v8h-4z M16.5 12h4.5 M19 9.5l2.5 2.5l-2.5 2.5",
		GlyphSearch:   "M4.5 10.5a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z M15 15l5 5",
		GlyphSeal:     "M6.5 9a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z M9 13.5v7l3 -2l3 2v-7",
		GlyphShare:    "M3.5 6a1.5 1.5 0 0 1 1.5 -1.5h3.8l1.7 2h6a1.5 1.5 0 0 1 1.5 1.5v2 M3.5 6v10a1.5 1.5 0 0 0 1.5 1.5h4 M13 16.5h7.5 M18 13.5l3 3l-3 3 M13 13v7",
		GlyphShield:   "M12 3.5l7.5 2.5v5.5c0 4.5 -3 7.5 -7.5 9c-4.5 -1.5 -7.5 -4.5 -7.5 -9v-5.5z M8.5 12l2.5 2.5l4.5 -5",
		GlyphSignal:   "M10.5 12a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0z M8 16a5.6 5.6 0 0 1 0 -8 M16 8a5.6 5.6 0 0 1 0 8 M5.2 18.8a9.6 9.6 0 0 1 0 -13.6 M18.8 5.2a9.6 9.6 0 0 1 0 13.6",
		GlyphStack:    "M12 4l8 4l-8 4l-8 -4z M4 12l8 4l8 -4 M4 16l8 4l8 -4",
		GlyphTable:    "M4 5h16v14h-16z M4 9.7h16 M4 14.3h16 M10 9.7v9.3",
		GlyphTasks:    "M4 6.5l1.5 1.5l2.5 -3 M4 13l1.5 1.5l2.5 -3 M11 7h9 M11 13.5h9 M4.5 19.5h15.5",
		GlyphTerminal: "M3.5 5h17v14h-17z M7 9.5l3 2.5l-3 2.5 M12 15h5",
		GlyphTicket:   "M3.5 7.5h17v3a1.8 1.8 0 0 0 0 3.5v3h-17v-3a1.8 1.8 0 0 0 0 -3.5z M14 8v8.5",
		GlyphTree:     "M9.5 3.5h5v4h-5z M3.5 16.5h5v4h-5z M15.5 16.5h5v4h-5z M12 7.5v4.5 M6 16.5v-4.5h12v4.5",
	}[g]
}

// Icon is the glyph in a colour. The toolkit recolours fills alone, and keeps
// pictures by their name: so the colour is a part of both.
func (g Glyph) Icon(c color.Color) fyne.Resource {
	r, gr, b, _ := c.RGBA()
	hex := fmt.Sprintf("%02x%02x%02x", r>>8, gr>>8, b>>8)
	var s strings.Builder
	s.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`)
	for _, line := range strings.Split(paths(g), " M") {
		s.WriteString(`<path d="M` + strings.TrimPrefix(line, "M") + `" fill="none" stroke="#` + hex + `" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>`)
	}
	s.WriteString("</svg>")
	return fyne.NewStaticResource("glyph-"+string(g)+"-"+hex+".svg", []byte(s.String()))
}

// Known reports whether there is such a glyph.
func (g Glyph) Known() bool { return paths(g) != "" }
