package gui

import (
	"sync"

	"jackfield/connectors"
	"jackfield/gui/lang"
)

// worded is a book whose types speak the window's language.
type worded struct {
	Book
	mu    sync.Mutex
	types map[string]connectors.Type
}

// Type implements Book.
func (w *worded) Type(id string) (connectors.Type, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.types[id]; ok {
		return t, nil
	}
	t, err := w.Book.Type(id)
	if err == nil {
		t = lang.Type(t)
		w.types[id] = t
	}
	return t, err
}

// Types implements Book.
func (w *worded) Types() []connectors.Type {
	all := w.Book.Types()
	for i := range all {
		all[i] = lang.Type(all[i])
	}
	return all
}

// forget makes the types speak the language that is spoken from now on.
func (w *worded) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.types)
}
