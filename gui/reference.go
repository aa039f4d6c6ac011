package gui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// lenders are the saved connections that a reference may name, as options.
func (p *formPane) lenders(f connectors.Field) []connectors.Option {
	none := lang.T("form.nolender")
	if f.Lends == connectors.LendsTunnel {
		none = lang.T("form.nojump")
	}
	out := []connectors.Option{{Label: none}}
	for _, c := range p.a.list {
		if c.ID != p.id && p.a.o.Book.CanLend(p.t, f, c) {
			out = append(out, connectors.Option{Value: c.ID, Label: connectors.Clean(c.Name, 80)})
		}
	}
	return out
}

// refer makes a list to choose from of a reference.
func (v *fieldView) refer(value string) {
	v.f.Options = v.p.lenders(v.f)
	if value != "" && !slices.ContainsFunc(v.f.Options, func(o connectors.Option) bool { return o.Value == value }) {
		v.f.Options = append(v.f.Options, connectors.Option{Value: value, Label: lang.T("form.lendergone")})
	}
}

// useless reports whether there is nothing to choose, and nothing chosen.
func (v *fieldView) useless() bool {
	return v.f.Kind == connectors.Reference && v.f.Lends == connectors.LendsSignIn && len(v.f.Options) < 2
}

// lent are s with the marks of what the form's account lends.
func (p *formPane) lent(s connectors.Settings) connectors.Settings {
	for _, v := range p.fields {
		if v.f.Kind != connectors.Reference || v.f.Lends != connectors.LendsSignIn || v.value() == "" {
			continue
		}
		if c, ok := p.a.connection(v.value()); ok {
			s = link.Lend(p.t, s, c)
		}
	}
	return s
}

// borrowed reports whether the answer to key comes from another account, where
// it is not here to be judged.
func (p *formPane) borrowed(key string) bool {
	v := p.field(key)
	if v == nil || !v.f.Kind.Secret() || v.value() != "" || v.stored {
		return false
	}
	return !p.judged().Secrets[key].Empty()
}

// lending tells in the empty fields whose answer is used.
func (p *formPane) lending() {
	with := p.judged()
	for _, v := range p.fields {
		if v.entry == nil || v.stored {
			continue
		}
		hint := v.f.Example
		if v.value() == "" && (v.f.Kind.Secret() && !with.Secrets[v.f.Key].Empty() || !v.f.Kind.Secret() && with.Plain[v.f.Key] != "") {
			hint = lang.T("form.lent")
		}
		if v.entry.PlaceHolder != hint {
			v.entry.SetPlaceHolder(hint)
		}
	}
}

// dependents offers to check the connections that sign in with an account whose
// answers have changed: one first, and the rest only when it is let in.
func (p *formPane) dependents(c link.Connection) {
	list, _ := link.UsedBy(p.a.list, c.ID)
	if len(list) == 0 {
		return
	}
	p.a.question(question{title: lang.N("depend.title", len(list)), text: fixed(420, 76, wrappedText(lang.T("depend.text", namesOf(list)))), yes: lang.T("depend.yes"), no: lang.T("depend.no"), answer: func(yes bool) {
		if yes {
			p.a.checkDependents(c.ID)
		}
	}}).Show()
}

func namesOf(list []link.Connection) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = connectors.Clean(c.Name, 60)
	}
	return strings.Join(names, ", ")
}

func wrappedText(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	return l
}

func (a *App) checkDependents(id string) {
	type outcome struct {
		good   int
		failed string
		left   int
	}
	task.Run(a.r, func(ctx context.Context) (outcome, error) {
		var o outcome
		left, err := a.o.Book.CheckDependents(ctx, id, link.Watcher{}, func(c link.Connection, r *link.Result) bool {
			if r.Err != nil && r.State == link.Failed {
				o.failed = connectors.Clean(c.Name, 60) + ": " + lang.Explain(r.Err).Title
				return true
			}
			o.good++
			return true
		})
		o.left = len(left)
		return o, err
	}, func(o outcome, err error) {
		switch {
		case err != nil:
			a.tell(err)
		case o.failed != "" && o.left > 0:
			a.toasts.say(lang.T("depend.stopped", o.failed, o.left), true)
		case o.failed != "":
			a.toasts.say(o.failed, true)
		default:
			a.toasts.say(lang.N("depend.good", o.good), false)
		}
		a.reload(nil)
	})
}
