package gui

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

// sortPref remembers the sidebar's order.
const sortPref = "sidebar.sort"

// sortOrders are the sidebar's orders, the usual one first.
func sortOrders() []string { return []string{"name", "status", "type", "recent"} }

// urgency puts what needs a person first.
func urgency(s link.State) int {
	switch s {
	case link.Failed:
		return 0
	case link.Partial:
		return 1
	case link.Prepared:
		return 2
	}
	return 3
}

// sorted orders connections; among equals the name decides.
func sorted(list []link.Connection, order string, typeOf func(id string) (connectors.Type, bool)) {
	typeName := func(c link.Connection) string {
		t, _ := typeOf(c.Type)
		return strings.ToLower(t.Name)
	}
	slices.SortStableFunc(list, func(a, b link.Connection) int {
		first := 0
		switch order {
		case "status":
			first = cmp.Compare(urgency(a.State), urgency(b.State))
		case "type":
			first = cmp.Compare(typeName(a), typeName(b))
		case "recent":
			first = b.Checked.Compare(a.Checked)
		}
		return cmp.Or(first, cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
}

// order is the chosen order.
func (s *sidebar) order() string {
	return s.a.o.App.Preferences().StringWithFallback(sortPref, sortOrders()[0])
}

func (s *sidebar) sortButton() *widget.Button {
	b := widget.NewButtonWithIcon("", theme.MenuIcon(), nil)
	b.Importance = widget.LowImportance
	b.OnTapped = func() {
		at := s.a.o.App.Driver().AbsolutePositionForObject(b)
		widget.ShowPopUpMenuAtPosition(s.sortMenu(), s.a.win.Canvas(), at.Add(fyne.NewPos(0, b.Size().Height)))
	}
	return b
}

func (s *sidebar) sortMenu() *fyne.Menu {
	var items []*fyne.MenuItem
	for _, order := range sortOrders() {
		item := fyne.NewMenuItem(lang.T("sort."+order), func() {
			s.a.o.App.Preferences().SetString(sortPref, order)
			s.refresh()
		})
		item.Checked = order == s.order()
		items = append(items, item)
	}
	return fyne.NewMenu("", items...)
}
