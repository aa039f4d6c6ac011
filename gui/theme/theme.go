// Package theme is the window's look: colours for light and dark, type, spacing.
package theme

import (
	_ "embed"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

//go:embed fonts/Inter-Regular.otf
var interRegular []byte

//go:embed fonts/Inter-SemiBold.otf
var interSemiBold []byte

//go:embed fonts/JetBrainsMono-Regular.ttf
var jetBrainsMono []byte

// The colours that the toolkit has no name for.
const (
	Sidebar     fyne.ThemeColorName = "jackfield.sidebar"
	Surface     fyne.ThemeColorName = "jackfield.surface"
	Stripe      fyne.ThemeColorName = "jackfield.stripe"
	Text2       fyne.ThemeColorName = "jackfield.text2"
	Text3       fyne.ThemeColorName = "jackfield.text3"
	Border      fyne.ThemeColorName = "jackfield.border"
	RowSelected fyne.ThemeColorName = "jackfield.row-selected"
	OkDot       fyne.ThemeColorName = "jackfield.ok-dot"
	OkText      fyne.ThemeColorName = "jackfield.ok-text"
	OkSubtle    fyne.ThemeColorName = "jackfield.ok-subtle"
	WarnDot     fyne.ThemeColorName = "jackfield.warn-dot"
	WarnText    fyne.ThemeColorName = "jackfield.warn-text"
	WarnSubtle  fyne.ThemeColorName = "jackfield.warn-subtle"
	ErrDot      fyne.ThemeColorName = "jackfield.err-dot"
	ErrText     fyne.ThemeColorName = "jackfield.err-text"
	ErrSubtle   fyne.ThemeColorName = "jackfield.err-subtle"
	AccentText  fyne.ThemeColorName = "jackfield.accent-text"
	AccentBack  fyne.ThemeColorName = "jackfield.accent-subtle"
	VioletText  fyne.ThemeColorName = "jackfield.violet-text"
	VioletBack  fyne.ThemeColorName = "jackfield.violet-subtle"
	Idle        fyne.ThemeColorName = "jackfield.idle"
	IdleSubtle  fyne.ThemeColorName = "jackfield.idle-subtle"
	Scrim       fyne.ThemeColorName = "jackfield.scrim"
)

// pair is a colour in light and in dark, as RRGGBBAA.
type pair struct{ light, dark uint32 }

func colours() map[fyne.ThemeColorName]pair {
	return map[fyne.ThemeColorName]pair{
		theme.ColorNameBackground:          {0xFFFFFFFF, 0x1B1D21FF},
		theme.ColorNameForeground:          {0x1B1F24FF, 0xE6E8EBFF},
		theme.ColorNamePrimary:             {0x2F5FDEFF, 0x5B8DEFFF},
		theme.ColorNameForegroundOnPrimary: {0xFFFFFFFF, 0x0E1116FF},
		theme.ColorNameHover:               {0x1B1F240D, 0xFFFFFF0F},
		theme.ColorNamePressed:             {0x1B1F241A, 0xFFFFFF1A},
		theme.ColorNameSelection:           {0x2F5FDE24, 0x5B8DEF3D},
		theme.ColorNameFocus:               {0x2F5FDE55, 0x5B8DEF66},
		theme.ColorNameButton:              {0xEEF0F3FF, 0x2E3238FF},
		theme.ColorNameDisabledButton:      {0xEEF0F3FF, 0x26292EFF},
		theme.ColorNameDisabled:            {0xA3AAB3FF, 0x656C76FF},
		theme.ColorNamePlaceHolder:         {0x6B727CFF, 0x8B929CFF},
		theme.ColorNameInputBackground:     {0xFFFFFFFF, 0x15171AFF},
		theme.ColorNameInputBorder:         {0x8C949EFF, 0x666E78FF},
		theme.ColorNameSeparator:           {0xE4E7EBFF, 0x2C3036FF},
		theme.ColorNameMenuBackground:      {0xFFFFFFFF, 0x26292EFF},
		theme.ColorNameOverlayBackground:   {0xFFFFFFFF, 0x24272CFF},
		theme.ColorNameHeaderBackground:    {0xF6F7F9FF, 0x22252AFF},
		theme.ColorNameScrollBar:           {0x1B1F2440, 0xFFFFFF40},
		theme.ColorNameShadow:              {0x00000022, 0x00000066},
		theme.ColorNameError:               {0xB3262AFF, 0xFF9C9EFF},
		theme.ColorNameSuccess:             {0x14743DFF, 0x6BD396FF},
		theme.ColorNameWarning:             {0x8F5600FF, 0xEDBB62FF},
		theme.ColorNameHyperlink:           {0x244DB8FF, 0xA8C3FAFF},
		Sidebar:                            {0xF4F5F7FF, 0x16181BFF},
		Surface:                            {0xFFFFFFFF, 0x1F2226FF},
		Stripe:                             {0xF9FAFBFF, 0x1E2125FF},
		Text2:                              {0x545C66FF, 0xA9B0BAFF},
		Text3:                              {0x6B727CFF, 0x8B929CFF},
		Border:                             {0xE4E7EBFF, 0x2C3036FF},
		RowSelected:                        {0xE3EBFCFF, 0x23314FFF},
		OkDot:                              {0x188A49FF, 0x3FB970FF},
		OkText:                             {0x14743DFF, 0x6BD396FF},
		OkSubtle:                           {0xE4F5EBFF, 0x1C3527FF},
		WarnDot:                            {0xB86E00FF, 0xE0A030FF},
		WarnText:                           {0x8F5600FF, 0xEDBB62FF},
		WarnSubtle:                         {0xFDF1DCFF, 0x3A2E17FF},
		ErrDot:                             {0xD13438FF, 0xF0666AFF},
		ErrText:                            {0xB3262AFF, 0xFF9C9EFF},
		ErrSubtle:                          {0xFCE9E9FF, 0x402325FF},
		AccentText:                         {0x244DB8FF, 0xA8C3FAFF},
		AccentBack:                         {0xE8EEFCFF, 0x22304DFF},
		VioletText:                         {0x6338B0FF, 0xC9B5F7FF},
		VioletBack:                         {0xF0EAFBFF, 0x2F2649FF},
		Idle:                               {0xA3AAB3FF, 0x656C76FF},
		IdleSubtle:                         {0xEEF0F3FF, 0x2A2E33FF},
		Scrim:                              {0x1B1F2452, 0x00000080},
	}
}

// Theme implements fyne.Theme.
type Theme struct {
	colours map[fyne.ThemeColorName]pair
	regular fyne.Resource
	bold    fyne.Resource
	mono    fyne.Resource
	fixed   *fyne.ThemeVariant
}

// New follows the system's light or dark setting.
func New() *Theme {
	return &Theme{colours: colours(),
		regular: fyne.NewStaticResource("Inter-Regular.otf", interRegular),
		bold:    fyne.NewStaticResource("Inter-SemiBold.otf", interSemiBold),
		mono:    fyne.NewStaticResource("JetBrainsMono-Regular.ttf", jetBrainsMono)}
}

// Fixed is the theme in one variant, for pictures and tests.
func Fixed(v fyne.ThemeVariant) *Theme {
	t := New()
	t.fixed = &v
	return t
}

// Color implements fyne.Theme.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if t.fixed != nil {
		v = *t.fixed
	}
	p, ok := t.colours[name]
	if !ok {
		return theme.DefaultTheme().Color(name, v)
	}
	c := p.light
	if v == theme.VariantDark {
		c = p.dark
	}
	return color.NRGBA{R: uint8(c >> 24), G: uint8(c >> 16), B: uint8(c >> 8), A: uint8(c)}
}

// Font implements fyne.Theme; bold is Inter's semi-bold.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Symbol:
		return theme.DefaultTheme().Font(s)
	case s.Monospace:
		return t.mono
	case s.Bold:
		return t.bold
	}
	return t.regular
}

// Icon implements fyne.Theme. A tree's branches get chevrons instead of arrows.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource {
	switch n {
	case theme.IconNameNavigateNext:
		n = theme.IconNameMenuExpand
	case theme.IconNameMoveDown:
		n = theme.IconNameArrowDropDown
	}
	return theme.DefaultTheme().Icon(n)
}

// Tight is the theme without gaps, for tables whose cells paint themselves.
type Tight struct{ *Theme }

// Size implements fyne.Theme.
func (t Tight) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNamePadding, theme.SizeNameSeparatorThickness:
		return 0
	}
	return t.Theme.Size(name)
}

// NoBars is the theme without scroll bars, for fields of one line: a bar would
// cover their text.
type NoBars struct{ *Theme }

// Size implements fyne.Theme.
func (t NoBars) Size(name fyne.ThemeSizeName) float32 {
	if name == theme.SizeNameScrollBarSmall || name == theme.SizeNameScrollBar {
		return 0
	}
	return t.Theme.Size(name)
}

// Size implements fyne.Theme.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return 13
	case theme.SizeNameCaptionText:
		return 11.5
	case theme.SizeNameSubHeadingText:
		return 15
	case theme.SizeNameHeadingText:
		return 20
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInnerPadding:
		return 8
	case theme.SizeNameInlineIcon:
		return 16
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 6
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameScrollBarSmall:
		return 4
	case theme.SizeNameSeparatorThickness:
		return 1
	case theme.SizeNameModalBlurRadius:
		return 0 // drawn without a graphics card, one blur of the window takes a second
	}
	return theme.DefaultTheme().Size(name)
}

// Inverted is the theme on a ground in the colour of text.
type Inverted struct{ *Theme }

// Color implements fyne.Theme.
func (t Inverted) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if name == theme.ColorNameForeground {
		name = theme.ColorNameBackground
	}
	return t.Theme.Color(name, v)
}
