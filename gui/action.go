package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// offer shows a button for each thing that can be done at a node.
func (d *detailPane) offer(s connectors.Session, n connectors.Node) {
	d.factBox.Objects = nil
	actor, ok := s.(connectors.Actor)
	if ok {
		row := hbox(8)
		for _, act := range actor.Actions(n.ID) {
			row.Add(newKeyButton(connectors.Clean(act.Label, 60), theme.ContentAddIcon(), func() { d.confirm(actor, n, act) }, d.a.windowKey))
		}
		if len(row.Objects) > 0 {
			d.factBox.Add(padded(8, 8, 16, 16, row))
		}
	}
	d.factBox.Refresh()
	relayout(d.root)
}

// confirm says what an action changes and asks for what it needs. Nothing is
// sent before the person agrees.
func (d *detailPane) confirm(actor connectors.Actor, n connectors.Node, act connectors.Action) {
	words := vbox(8)
	if act.Warning != "" {
		words.Add(wrapped(connectors.Clean(act.Warning, 400), looks.Text2))
	}
	var e *entry
	if act.Ask != "" {
		e = newEntry(false, false)
		words.Add(vbox(4, newLabel(connectors.Clean(act.Ask, 80), 12, theme.ColorNameForeground, true), oneLined(e)))
	}
	d.a.question(question{title: connectors.Clean(act.Label, 80), text: fixed(440, 0, padded(0, 12, 0, 0, words)), yes: connectors.Clean(act.Label, 40), no: lang.T("button.cancel"), entry: e, answer: func(yes bool) {
		if !yes {
			return
		}
		input := ""
		if e != nil {
			input = e.Text
		}
		d.act(actor, n, act, input)
	}}).Show()
}

func (d *detailPane) act(actor connectors.Actor, n connectors.Node, act connectors.Action, input string) {
	d.stopReading()
	d.foot.set(lang.T("action.doing"))
	d.cancel = task.Run(d.a.r, func(ctx context.Context) ([]connectors.Part, error) { return actor.Act(ctx, n.ID, act.ID, input) }, func(parts []connectors.Part, err error) {
		if err != nil {
			// What was sent may have been done: it is not sent again by a button.
			d.problem(err, func() { d.confirm(actor, n, act) })
			return
		}
		d.done(parts)
	})
}

// done shows what came back. It is not kept anywhere.
func (d *detailPane) done(parts []connectors.Part) {
	box := vbox(12)
	for _, part := range parts {
		text := container.NewStack(newFill(looks.Stripe, 6), padded(8, 8, 10, 10, selectable(lined(part.Text))))
		box.Add(vbox(4, newLabel(connectors.Clean(part.Title, 60), 12, theme.ColorNameForeground, true), text))
	}
	d.foot.set(lang.T("action.done"))
	d.put(container.NewVScroll(padded(12, 16, 16, 16, fyne.CanvasObject(box))))
}
