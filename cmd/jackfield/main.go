// Command jackfield is the window.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"fyne.io/fyne/v2/app"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/gui"
	"jackfield/gui/theme"
)

// version is set when a release is built.
var version = "dev"

func main() {
	verbose := flag.Bool("v", false, "log to stderr what happens")
	show := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *show {
		fmt.Println("jackfield", version)
		return
	}
	if err := run(*verbose); err != nil {
		p := connectors.Explain(err)
		fmt.Fprintf(os.Stderr, "%s\n%s\n", p.Title, p.Hint)
		os.Exit(1)
	}
}

func run(verbose bool) error {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	a := app.NewWithID("app.jackfield")
	a.Settings().SetTheme(theme.New())
	asked := &passphrase{}
	w, err := wire.Open(wire.Options{Log: log, Passphrase: asked.ask})
	if err != nil {
		return err
	}
	defer w.Close()
	p := &practiceServices{log: log}
	defer p.close()
	var unusable []string
	for _, u := range w.Unusable {
		unusable = append(unusable, u.Place(false)+": "+u.Reason)
	}
	win := gui.New(gui.Options{App: a, Book: w.Book, Practice: p.start, OpenURL: w.OpenURL, Desk: w.Desk, Log: log, Unusable: unusable, Prefs: prefsIn(w.Dir)})
	asked.win = win
	a.Lifecycle().SetOnStarted(win.Start)
	win.Window().ShowAndRun()
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
