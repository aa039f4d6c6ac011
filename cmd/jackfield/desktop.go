package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	toolkit "fyne.io/fyne/v2/lang"

	"jackfield/connectors"
	"jackfield/platform/clipboard"
	"jackfield/platform/filedialog"
	"jackfield/platform/idle"
	"jackfield/platform/login"
	capture "jackfield/platform/screen"
)

// system is the desktop around the window; see gui.Desktop.
type system struct {
	log   *slog.Logger
	start login.Start
}

func newSystem(log *slog.Logger) system {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		log.Warn("the program's own path", "error", err)
	}
	return system{log: log, start: login.Start{ID: "app.jackfield", Name: "Jackfield", Program: program, Args: []string{"-background"}}}
}

func (system) Locale() string { return string(toolkit.SystemLocale()) }

func (s system) AtLogin() (on, can bool) {
	on, err := s.start.On()
	return on, !errors.Is(err, errors.ErrUnsupported)
}

func (s system) SetAtLogin(on bool) error {
	if err := s.start.Set(on); err != nil {
		return &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
	}
	return nil
}

func (system) Idle() (time.Duration, bool) {
	d, err := idle.For(context.Background())
	return d, err == nil
}

func (system) CanHide() bool { return runtime.GOOS == "windows" }

func (system) Hide(hwnd uintptr, on bool) error { return capture.Hide(hwnd, on) }

func (s system) CopySecret(text string) bool {
	err := clipboard.CopySecret(text)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.log.Warn("clipboard", "error", err)
	}
	return err == nil
}

// dialogs are the system's; see gui.Files.
type dialogs struct{}

func (dialogs) Open(ctx context.Context, title string) (string, bool, error) {
	return shown(filedialog.Open(ctx, title))
}

func (dialogs) Save(ctx context.Context, title, name string) (string, bool, error) {
	return shown(filedialog.Save(ctx, title, name))
}

func shown(path string, err error) (string, bool, error) {
	if errors.Is(err, filedialog.ErrNone) {
		return "", false, nil
	}
	return path, true, err
}
