package gui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors/all"
	looks "jackfield/gui/theme"
)

func TestEveryTypeHasAnIcon(t *testing.T) {
	used := map[looks.Glyph]int{}
	for _, x := range all.All() {
		g := glyphOf(x)
		if !g.Known() {
			t.Errorf("%s: %q", x.ID, g)
		}
		used[g]++
		x.Origin = "mine.yaml"
		if glyphOf(x) != "" {
			t.Errorf("%s: a person's own type has its letters", x.ID)
		}
	}
	if len(used) < 25 {
		t.Errorf("%d icons tell the types apart", len(used))
	}
}

func TestShotsOfIcons(t *testing.T) {
	r := newRoom(t, roomOptions{variant: theme.VariantLight})
	grid := container.NewGridWrap(fyne.NewSize(150, 44))
	for _, x := range all.All() {
		grid.Add(hbox(8, typeTile(x), strong(x.Name)))
	}
	r.a.show(padded(20, 20, 20, 20, grid))
	r.shot("icons-light")
	r.app.Settings().SetTheme(looks.Fixed(theme.VariantDark))
	r.shot("icons-dark")
}
