// Command jackfield is the window.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/gui"
	"jackfield/gui/theme"
	"jackfield/platform/instance"
)

// icon is Icon.png, as large as a window's frame and the tray need it.
//
//go:embed icon.png
var icon []byte

// version is set when a release is built.
var version = "dev"

func main() {
	verbose := flag.Bool("v", false, "log to stderr what happens")
	show := flag.Bool("version", false, "print the version")
	background := flag.Bool("background", false, "start without a window, in the system tray where that is chosen")
	flag.Usage = usage
	flag.Parse()
	if *show {
		fmt.Println("jackfield", version)
		return
	}
	if err := run(*verbose, *background, gui.Absolute(flag.Args())); err != nil {
		p := connectors.Explain(err)
		fmt.Fprintf(os.Stderr, "%s\n%s\n", p.Title, p.Hint)
		os.Exit(1)
	}
}

func usage() {
	_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: jackfield [flags] [file or jackfield: link ...]")
	flag.PrintDefaults()
}

func run(verbose, background bool, given []string) error {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	a := app.NewWithID("app.jackfield")
	a.Settings().SetTheme(theme.New())
	a.SetIcon(fyne.NewStaticResource("Icon.png", icon))
	asked := &passphrase{}
	w, err := wire.Open(wire.Options{Log: log, Passphrase: asked.ask})
	if err != nil {
		return err
	}
	defer w.Close()
	only, err := instance.Claim(context.Background(), w.Dir, given)
	switch {
	case err != nil: // two windows over one folder are safe; one is only nicer
		log.Warn("another copy", "error", err)
	case only == nil:
		return nil
	default:
		defer only.Close()
	}
	p := &practiceServices{log: log}
	defer p.close()
	var unusable []string
	for _, u := range w.Unusable {
		unusable = append(unusable, u.Place(false)+": "+u.Reason)
	}
	board, err := w.Health(log)
	if err != nil {
		return err
	}
	go func() {
		if err := board.Prune(context.Background()); err != nil {
			log.Warn("history", "error", err)
		}
	}()
	win := gui.New(gui.Options{App: a, Book: w.Book, Practice: p.start, OpenURL: w.OpenURL, Desk: w.Desk, Log: log, Unusable: unusable, Prefs: prefsIn(w.Dir), Desktop: newSystem(log), Health: board, Files: dialogs{}, Help: guide(), Lock: w.Lock, Unlock: w.Unlock})
	asked.win = win
	a.Lifecycle().SetOnStarted(func() {
		win.Start()
		if len(given) > 0 {
			win.Given(given)
		}
	})
	if only != nil {
		go only.Serve(func(args []string) { fyne.Do(func() { win.Given(args) }) })
	}
	if !background || !win.InTray() {
		win.Window().Show()
	}
	a.Run()
	return nil
}

// passphrase asks in the window where the store is kept under a passphrase.
type passphrase struct{ win *gui.App }

func (p *passphrase) ask(ctx context.Context, fresh bool) ([]byte, error) {
	if p.win == nil {
		return nil, connectors.ErrNobody
	}
	return p.win.AskPassphrase(ctx, fresh)
}

// practiceServices start once and stop with the program.
type practiceServices struct {
	log      *slog.Logger
	mu       sync.Mutex
	services *practice.Services
}

func (p *practiceServices) start(ctx context.Context) ([]link.PracticeDraft, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.services == nil {
		s, err := practice.Start(ctx, practice.Options{Log: p.log})
		if err != nil {
			return nil, &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
		}
		p.services = s
	}
	return wire.Drafts(p.services.Connections()), nil
}

func (p *practiceServices) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.services == nil {
		return
	}
	if err := p.services.Close(); err != nil {
		p.log.Warn("practice services", "error", err)
	}
}
