package gui

import (
	"context"

	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// startPractice starts the practice services, adds their connections and opens
// the first.
func (a *App) startPractice() {
	a.leave(func() {
		a.runPractice(true, func(list []link.Connection) {
			if len(list) > 0 {
				a.selectConnection(list[0].ID)
			}
		})
	})
}

// runPractice starts the services and points the practice connections to where
// they run now. They end with the program, so a saved practice connection needs
// them started again before it opens. then runs after a failure, too: the form
// can still be looked at.
func (a *App) runPractice(add bool, then func([]link.Connection)) {
	started := a.toasts.say(lang.T("welcome.starting"), true)
	task.Run(a.r, func(ctx context.Context) ([]link.Connection, error) {
		drafts, err := a.o.Practice(a.ctx)
		if err != nil {
			return nil, err
		}
		return a.o.Book.Practice(ctx, drafts, add)
	}, func(list []link.Connection, err error) {
		started()
		a.practising = true
		if err != nil {
			a.tell(err)
		}
		a.reload(func() { then(list) })
	})
}
