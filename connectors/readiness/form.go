package readiness

import (
	"strings"

	"jackfield/connectors"
)

// A section is a heading of the form and the fields under it.
type section struct {
	name   string
	fields []connectors.Field
}

func sectionsOf(f connectors.Form) []section {
	var out []section
	for _, x := range f.Fields {
		if x.Section != "" && (len(out) == 0 || out[len(out)-1].name != x.Section) || len(out) == 0 {
			name := x.Section
			if name == "" {
				name = "Answers"
			}
			out = append(out, section{name: name})
		}
		last := &out[len(out)-1]
		last.fields = append(last.fields, x)
	}
	return out
}

// sections tells of each heading whether it is complete, or what is not.
func (l *look) sections() {
	trouble := map[string]connectors.FieldError{}
	for _, e := range l.t.Form.Validate(l.s) {
		if f, ok := l.t.Form.Field(e.Key); ok && (e.Missing || l.readable(f)) {
			trouble[e.Key] = e
		}
	}
	var left []string
	for _, s := range sectionsOf(l.t.Form) {
		asked, bad, given := 0, 0, false
		for _, f := range s.fields {
			if !l.t.Form.Visible(f.Key, l.s) {
				continue
			}
			asked++
			given = given || f.Required || l.given(f)
			if e, ok := trouble[f.Key]; ok {
				bad++
				l.add(fieldItem(f, e))
			}
		}
		switch {
		case asked == 0 || bad > 0:
		case given:
			l.add(Item{ID: "form." + slug(s.name), State: Done, Title: s.name + ": complete"})
		default:
			left = append(left, s.name)
		}
	}
	if len(left) > 0 {
		l.add(Item{ID: "form.left", State: Done, Title: "Left as it is: " + strings.Join(left, ", "), Text: "Nothing has to be filled in there."})
	}
	if l.s.Plain["identity"] != "" && l.o.Lender == nil {
		if f, ok := l.t.Form.Field("identity"); ok {
			l.add(Item{ID: "form.missing.identity.account", State: Missing, Field: f.Key, Title: "The account whose sign-in is used is not there", Text: "Choose another one, or fill in the sign-in here."})
		}
	}
}

// given reports whether a field has an answer other than its default.
func (l *look) given(f connectors.Field) bool {
	v := l.s.Plain[f.Key]
	return v != "" && v != f.Default || !l.s.Secrets[f.Key].Empty()
}

func fieldItem(f connectors.Field, e connectors.FieldError) Item {
	if e.Missing {
		i := Item{ID: "form.missing." + f.Key, State: Missing, Field: f.Key, Title: f.Label + " is missing"}
		if f.Kind == connectors.SecretText || f.Kind == connectors.SecretLines {
			i.Text = "Whoever has it can add it, also on another computer."
		}
		return i
	}
	return Item{ID: "form.wrong." + f.Key, State: Wrong, Field: f.Key, Title: f.Label + " cannot be right", Text: e.Text}
}

func slug(v string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(v)), "_")
}

// unused names answers to questions that the others hide.
func (l *look) unused() {
	var labels []string
	for _, f := range l.t.Form.Fields {
		if l.t.Form.Visible(f.Key, l.s) {
			continue
		}
		if l.given(f) && !l.lent[f.Key] {
			labels = append(labels, f.Label)
		}
	}
	if len(labels) > 0 {
		l.add(Item{ID: "form.unused", State: Warning, Title: "Some answers are not used", Text: "With the other answers as they are, nobody asks for these: " + strings.Join(labels, ", ") + "."})
	}
}
