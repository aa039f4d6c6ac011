package gui

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	looks "jackfield/gui/theme"
)

// A picture is the same as its golden one while at most this share of its
// pixels differs by more than this in a channel, of 255.
const (
	mostDiffering = 0.005
	mostApart     = 24
)

// moving is text that is another one at every run: times, durations, days and
// prints of fresh keys. Its place is painted over.
var moving = regexp.MustCompile(`\d\d:\d\d|\b\d+ m?s\b|\b20\d\d\b|SHA256:|127\.0\.0\.1`)

// golden compares the window with the picture of that name in testdata/golden.
// JACKFIELD_GOLDEN=write writes it anew.
func (r *room) golden(name string) {
	r.t.Helper()
	r.settle()
	if _, typing := r.a.win.Canvas().Focused().(*entry); typing {
		r.a.win.Canvas().Unfocus() // its cursor blinks
	}
	r.settle()
	got := r.masked()
	path := filepath.Join("testdata", "golden", name+".png")
	if os.Getenv("JACKFIELD_GOLDEN") == "write" {
		save(r.t, path, got)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	if want.Bounds() != got.Bounds() {
		r.t.Errorf("%s is %v large, want %v", name, got.Bounds().Size(), want.Bounds().Size())
		return
	}
	diff, n := apart(got, want)
	size := got.Bounds().Size()
	if share := float64(n) / float64(size.X*size.Y); share > mostDiffering {
		dir, err := os.MkdirTemp("", "jackfield-golden-*")
		if err != nil {
			r.t.Fatal(err)
		}
		save(r.t, filepath.Join(dir, name+".png"), got)
		save(r.t, filepath.Join(dir, name+"-difference.png"), diff)
		r.t.Errorf("%s: %.2f %% of it differ; see %s (JACKFIELD_GOLDEN=write accepts it)", name, share*100, dir)
	}
}

// masked is the window's picture without what moves.
func (r *room) masked() *image.NRGBA {
	shot := r.a.win.Canvas().Capture()
	out := image.NewNRGBA(shot.Bounds())
	draw.Draw(out, out.Bounds(), shot, shot.Bounds().Min, draw.Src)
	scale := r.a.win.Canvas().Scale()
	grey := image.NewUniform(color.NRGBA{128, 128, 128, 255})
	for _, x := range inHand(r).things() {
		if text := written(x.o); text != "" && !x.in.empty() && moving.MatchString(text) {
			at := image.Rect(int(x.in.x*scale), int(x.in.y*scale), int(x.in.right*scale), int(x.in.bottom*scale))
			draw.Draw(out, at, grey, image.Point{}, draw.Src)
		}
	}
	return out
}

// apart marks the pixels that differ, and counts them.
func apart(a *image.NRGBA, b image.Image) (*image.NRGBA, int) {
	out, n := image.NewNRGBA(a.Bounds()), 0
	far := func(x, y uint8) bool { return max(x, y)-min(x, y) > mostApart }
	for y := a.Rect.Min.Y; y < a.Rect.Max.Y; y++ {
		for x := a.Rect.Min.X; x < a.Rect.Max.X; x++ {
			p, q := a.NRGBAAt(x, y), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			c := color.NRGBA{255, 255, 255, 255}
			if far(p.R, q.R) || far(p.G, q.G) || far(p.B, q.B) {
				c, n = color.NRGBA{200, 0, 0, 255}, n+1
			}
			out.SetNRGBA(x, y, c)
		}
	}
	return out, n
}

func save(t *testing.T, path string, img image.Image) {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *room) stubbed(name string) {
	r.fill("stub", map[string]string{"host": "files.example.com", "password": "practice-only-golden"})
	r.a.form.name.SetText(name)
}

// shelf is a type that is always the same: no port, no key, no clock in it.
func shelf() *stub {
	return &stub{
		open: func(ctx context.Context, env *connectors.Env) error {
			return env.Climb(ctx, connectors.StageSignIn, "mira", func(context.Context) (string, error) { return "mira", nil })
		},
		children: func(_ context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
			return func(yield func(connectors.Node, error) bool) {
				if parent != "" {
					return
				}
				for _, n := range []string{"reports", "sales"} {
					if !yield(connectors.Node{ID: connectors.NodeID(n), Name: n, Kind: "folder", Branch: true}, nil) {
						return
					}
				}
				for i := range 30 {
					if !yield(connectors.Node{ID: connectors.NodeID(fmt.Sprint(i)), Name: fmt.Sprintf("orders-%02d.csv", i), Kind: "file", Facts: []connectors.Fact{{Label: "Size", Text: "12 KiB"}}}, nil) {
						return
					}
				}
			}
		},
	}
}

var (
	large = fyne.NewSize(1440, 900)
	small = fyne.NewSize(1024, 700)
)

// goldenScreens are the screens, each brought about in a fresh window.
func goldenScreens() map[string]func(*room) {
	return map[string]func(*room){
		"welcome": func(r *room) { r.sees("Welcome") },
		"gallery": func(r *room) { r.a.showGallery() },
		"form":    func(r *room) { r.fill("sftp", nil) },
		"form-errors": func(r *room) {
			r.fill("sftp", map[string]string{"host": "two words", "port": "99999", "user": "mira"})
			r.a.form.link()
		},
		"failed": func(r *room) {
			r.fill("sftp", map[string]string{"host": "127.0.0.1", "port": "1", "user": "mira", "password": "practice-only"})
			r.a.form.link()
			r.until("the failure", r.linked)
		},
		"palette":  func(r *room) { r.prepared(); r.a.showPalette() },
		"settings": func(r *room) { r.a.showSettings() },
		"keys":     func(r *room) { r.a.showKeys(nil) },
		"paste":    func(r *room) { r.a.showPaste(nil) },
		"handover": func(r *room) { r.desk(); r.prepared(); r.a.showHandover() },
		"seal":     func(r *room) { r.a.showSeal([]string{r.prepared().ID}) },
		"expiry":   func(r *room) { r.stocked(); r.a.showExpiry(); r.sees("This month") },
		"help":     func(r *room) { r.a.showHelp() },
		"locked":   func(r *room) { r.prepared(); r.a.lock() },
		"ready": func(r *room) {
			c := r.prepared()
			r.a.selectConnection(c.ID)
			r.sees("Untested")
		},
		"long-names": func(r *room) {
			long := link.Draft{Type: "sftp", Name: strings.Repeat("A very long name of a connection ", 5), Description: strings.Repeat("words ", 60), Settings: connectors.NewSettings()}
			long.Settings.Plain["host"] = strings.Repeat("very-long-host-name.", 9) + "example.com"
			c, err := r.book.Create(r.t.Context(), long)
			if err != nil {
				r.t.Fatal(err)
			}
			r.a.reload(func() { r.a.selectConnection(c.ID) })
			r.until("the long one", func() bool { return r.a.form != nil && r.a.form.id == c.ID })
		},
	}
}

func TestGoldenScreens(t *testing.T) {
	screens := goldenScreens()
	for _, g := range []struct {
		name    string
		size    fyne.Size
		variant fyne.ThemeVariant
		look    string
	}{
		{"welcome", large, theme.VariantLight, "light"}, {"welcome", small, theme.VariantDark, "dark"},
		{"gallery", small, theme.VariantLight, "light"},
		{"form", large, theme.VariantLight, "light"}, {"form", small, theme.VariantDark, "dark"},
		{"form-errors", small, theme.VariantLight, "light"},
		{"failed", large, theme.VariantLight, "light"}, {"failed", small, theme.VariantDark, "dark"},
		{"palette", large, theme.VariantDark, "dark"}, {"palette", small, theme.VariantLight, "light"},
		{"settings", small, theme.VariantDark, "dark"},
		{"keys", small, theme.VariantLight, "light"}, {"paste", small, theme.VariantLight, "light"},
		{"handover", small, theme.VariantLight, "light"}, {"seal", small, theme.VariantLight, "light"},
		{"expiry", small, theme.VariantLight, "light"}, {"help", small, theme.VariantLight, "light"},
		{"locked", small, theme.VariantLight, "light"}, {"ready", large, theme.VariantLight, "light"},
		{"long-names", small, theme.VariantLight, "light"},
	} {
		t.Run(fmt.Sprintf("%s-%s-%.0f", g.name, g.look, g.size.Width), func(t *testing.T) {
			r := newRoom(t, roomOptions{variant: g.variant, size: g.size, practice: g.name == "welcome"})
			screens[g.name](r)
			r.golden(fmt.Sprintf("%s-%s-%.0f", g.name, g.look, g.size.Width))
		})
	}
}

func TestGoldenLinked(t *testing.T) {
	for look, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		t.Run(look, func(t *testing.T) {
			r := newRoom(t, roomOptions{variant: variant, types: []connectors.Type{shelf().typ()}})
			r.stubbed("Orders of the shop")
			r.a.form.link()
			r.until("the tree", func() bool {
				return r.linked() && r.a.preview.nodes[""] != nil && len(r.a.preview.nodes[""].children) == 32
			})
			r.golden("linked-" + look + "-1440")
			if look == "light" {
				r.a.win.Resize(small)
				r.golden("linked-" + look + "-1024")
			}
		})
	}
}

func TestGoldenLinking(t *testing.T) {
	s := shelf()
	s.open = func(ctx context.Context, env *connectors.Env) error {
		return env.Climb(ctx, connectors.StageConnect, "files.example.com:22", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() })
	}
	r := newRoom(t, roomOptions{variant: theme.VariantLight, types: []connectors.Type{s.typ()}})
	r.stubbed("Orders of the shop")
	r.a.form.link()
	r.until("the rung", func() bool { return len(r.a.form.ladder.steps) == 2 })
	r.golden("linking-light-1440")
	r.a.form.cancelLink()
	r.until("the end", func() bool { return r.a.form.cancel == nil })
}

func TestGoldenBoard(t *testing.T) {
	for look, o := range map[string]roomOptions{"light-1440": {variant: theme.VariantLight, size: large}, "dark-1024": {variant: theme.VariantDark, size: small}} {
		t.Run(look, func(t *testing.T) {
			r, _ := stocked(t, o)
			r.golden("board-" + look)
		})
	}
}

// German words are long, and labels stand in pairs.
func TestGoldenLongWordsAndTwiceTheSize(t *testing.T) {
	kind := shelf().typ()
	kind.Name = "Verbindungsbeschreibungsverwaltung"
	for i := range kind.Form.Fields {
		f := &kind.Form.Fields[i]
		f.Label, f.Help = "Benutzerkontenzugriffsberechtigung", "Die Zugangsdatenüberprüfungsvorschrift der Verbindungsverwaltung gilt für alle Benutzerkonten."
	}
	r := newRoom(t, roomOptions{variant: theme.VariantLight, size: small, types: []connectors.Type{kind}})
	r.fill("stub", nil)
	r.golden("german-light-1024")
	canvas, ok := r.a.win.Canvas().(software.WindowlessCanvas)
	if !ok {
		t.Fatal("no canvas to scale")
	}
	r.a.win.Resize(fyne.NewSize(800, 500))
	canvas.SetScale(2)
	r.app.Settings().SetTheme(looks.Fixed(theme.VariantLight))
	r.golden("scale-200-light-800")
}
