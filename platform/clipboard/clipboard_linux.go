package clipboard

import (
	"errors"
	"fmt"
	"os"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// most is how much one property of an X window may hold without being sent in
// pieces (ICCCM section 2.7.2); no password is that long.
const most = 200 << 10

// hint is how KDE's clipboard history knows a secret, with the value "secret"
// (https://phabricator.kde.org/D12539); Klipper and others leave it out.
const hint = "x-kde-passwordManagerHint"

// An owner holds the clipboard until somebody else takes it.
type owner struct {
	x     *xgb.Conn
	win   xproto.Window
	text  []byte
	atoms map[string]xproto.Atom
}

// CopySecret puts text on the clipboard, marked as a secret. It is held until
// something else is copied, or this program copies again or ends.
func CopySecret(text string) error {
	if os.Getenv("DISPLAY") == "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		return fmt.Errorf("clipboard: %w without X11", errors.ErrUnsupported)
	}
	if len(text) > most {
		return fmt.Errorf("clipboard: %w for so much text", errors.ErrUnsupported)
	}
	x, err := xgb.NewConn()
	if err != nil {
		return fmt.Errorf("clipboard: %w", err)
	}
	o := &owner{x: x, text: []byte(text), atoms: map[string]xproto.Atom{}}
	if err := o.take(); err != nil {
		x.Close()
		return err
	}
	go o.serve()
	return nil
}

func (o *owner) take() error {
	for _, name := range []string{"CLIPBOARD", "TARGETS", "UTF8_STRING", "STRING", "TEXT", "text/plain;charset=utf-8", hint} {
		a, err := xproto.InternAtom(o.x, false, uint16(len(name)), name).Reply()
		if err != nil {
			return fmt.Errorf("clipboard: %w", err)
		}
		o.atoms[name] = a.Atom
	}
	screen := xproto.Setup(o.x).DefaultScreen(o.x)
	var err error
	if o.win, err = xproto.NewWindowId(o.x); err != nil {
		return fmt.Errorf("clipboard: %w", err)
	}
	if err := xproto.CreateWindowChecked(o.x, screen.RootDepth, o.win, screen.Root, 0, 0, 1, 1, 0, xproto.WindowClassInputOutput, screen.RootVisual, 0, nil).Check(); err != nil {
		return fmt.Errorf("clipboard: %w", err)
	}
	xproto.SetSelectionOwner(o.x, o.win, o.atoms["CLIPBOARD"], xproto.TimeCurrentTime)
	got, err := xproto.GetSelectionOwner(o.x, o.atoms["CLIPBOARD"]).Reply()
	if err != nil || got.Owner != o.win {
		return fmt.Errorf("clipboard: it is not given: %w", err)
	}
	return nil
}

// serve answers those who paste, until the clipboard is somebody else's.
func (o *owner) serve() {
	defer o.x.Close()
	for {
		e, err := o.x.WaitForEvent()
		if e == nil && err == nil {
			return // the connection is gone
		}
		switch e := e.(type) {
		case xproto.SelectionClearEvent:
			return
		case xproto.SelectionRequestEvent:
			o.answer(e)
		}
	}
}

// answer follows ICCCM section 2.2.
func (o *owner) answer(e xproto.SelectionRequestEvent) {
	property := e.Property
	if property == 0 { // an obsolete client
		property = e.Target
	}
	put := func(kind xproto.Atom, format byte, n int, data []byte) {
		xproto.ChangeProperty(o.x, xproto.PropModeReplace, e.Requestor, property, kind, format, uint32(n), data)
	}
	switch e.Target {
	case o.atoms["TARGETS"]:
		var data []byte
		for _, a := range o.atoms {
			data = append(data, 0, 0, 0, 0)
			xgb.Put32(data[len(data)-4:], uint32(a))
		}
		put(xproto.AtomAtom, 32, len(o.atoms), data)
	case o.atoms[hint]:
		put(o.atoms[hint], 8, len("secret"), []byte("secret"))
	case o.atoms["UTF8_STRING"], o.atoms["STRING"], o.atoms["TEXT"], o.atoms["text/plain;charset=utf-8"]:
		put(e.Target, 8, len(o.text), o.text)
	default:
		property = 0
	}
	note := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: property}
	xproto.SendEvent(o.x, false, e.Requestor, 0, string(note.Bytes()))
}
