package web

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
)

// sound proves what only the whole file shows: every placeholder is known,
// every secret is one, every host is anchored, every rule names a code and a
// field that exist.
func (s service) sound(t connectors.Type) error {
	if len(s.SignIn) == 0 || s.Base == "" || s.Spec.Check.Request.where() == "" {
		return errors.New("base, sign_in and check are required")
	}
	for _, b := range s.Before {
		if err := b.sound(t); err != nil {
			return err
		}
	}
	for _, look := range []func(connectors.Type) error{s.soundNames, s.soundSignIn, s.soundHosts, s.soundRules, s.soundShapes} {
		if err := look(t); err != nil {
			return err
		}
	}
	return nil
}

func (s service) soundNames(t connectors.Type) error {
	known := []string{"id", "parent", "limit", "offset", "page", "index", "first", "cursor", "input"}
	for _, f := range t.Form.Fields {
		if !f.Kind.Secret() {
			known = append(known, f.Key)
		}
	}
	for _, r := range s.Spec.Resolve {
		for name := range r.Set {
			known = append(known, name)
		}
	}
	for _, b := range s.Before {
		for name := range b.Set {
			known = append(known, name)
		}
	}
	for _, w := range s.SignIn {
		if w.Kind == "google" {
			known = append(known, "service_account", "project")
		}
		for name := range w.OAuth.Capture {
			known = append(known, name)
		}
		for name := range w.OAuth.Callback {
			known = append(known, name)
		}
	}
	known = append(known, s.named()...)
	if err := s.soundAsks(t, known); err != nil {
		return err
	}
	for _, text := range s.templates() {
		for _, name := range names(text) {
			if !slices.Contains(known, name) {
				return &flaw{part: "{" + name + "}", err: fmt.Errorf("the placeholder {%s} in %q is no plain field", name, text)}
			}
		}
	}
	return nil
}

// soundAsks: the body of a sign-in is the one place where secrets stand.
func (s service) soundAsks(t connectors.Type, known []string) error {
	for _, w := range s.SignIn {
		for _, name := range slices.Concat(names(w.Ask.Body), headerNames(w.Ask.Headers)) {
			if _, ok := t.Form.Field(name); !ok && !slices.Contains(known, name) {
				return &flaw{part: "{" + name + "}", err: fmt.Errorf("sign_in: the placeholder {%s} is no field", name)}
			}
		}
	}
	return nil
}

func headerNames(headers map[string]string) []string {
	var out []string
	for _, v := range headers {
		out = append(out, names(v)...)
	}
	return out
}

func (s service) soundSignIn(t connectors.Type) error {
	for _, w := range s.SignIn {
		if !slices.Contains(kinds(), w.Kind) {
			return &flaw{part: w.Kind, err: fmt.Errorf("sign_in: unknown kind %q; it is one of %s", w.Kind, strings.Join(kinds(), ", "))}
		}
		for _, k := range w.secrets() {
			if f, ok := t.Form.Field(k); !ok || !f.Kind.Secret() {
				return &flaw{part: k, err: fmt.Errorf("sign_in: %q is no secret field", k)}
			}
		}
		for k := range w.When {
			if _, ok := t.Form.Field(k); !ok {
				return &flaw{part: k, err: fmt.Errorf("sign_in: when names %q, which is no field", k)}
			}
		}
		if err := w.OAuth.sound(); err != nil {
			return err
		}
	}
	return nil
}

var hostShape = regexp.MustCompile(`^(\*\.)?([a-z0-9-]+\.)+[a-z]{2,}$`)

// soundHosts: an address begins with a field of the kind url, with "/" for one
// below the base, or names a host of which at least the last two labels are fixed.
func (s service) soundHosts(t connectors.Type) error {
	for _, h := range s.Hosts {
		if !hostShape.MatchString(h) {
			return &flaw{part: h, err: fmt.Errorf("hosts: %q is no host such as content.example.com or *.example.com", h)}
		}
	}
	for _, place := range append(s.places(), s.Base) {
		if err := s.anchored(t, place); err != nil {
			return &flaw{part: place, err: err}
		}
	}
	return nil
}

func (s service) anchored(t connectors.Type, place string) error {
	switch {
	case place == "", strings.HasPrefix(place, "/") && !strings.HasPrefix(place, "//"):
		return nil
	case strings.HasPrefix(place, "{"):
		name, _, _ := strings.Cut(place[1:], "}")
		f, ok := t.Form.Field(name)
		if ok && f.Kind == connectors.URL || !ok && (len(s.Hosts) > 0 || name == "id") {
			return nil
		}
		return fmt.Errorf("%q begins with what is no web address of the form", place)
	}
	rest, secure := strings.CutPrefix(place, "https://")
	if !secure {
		return fmt.Errorf("%q is no https address", place)
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	for _, name := range names(host) {
		// The answers of a choice are the file's own.
		if f, ok := t.Form.Field(name); ok && f.Kind == connectors.Choice {
			return s.anchoredWith(t, host, f)
		}
	}
	labels := strings.Split(host, ".")
	if len(labels) < 2 || strings.Contains(strings.Join(labels[len(labels)-2:], "."), "{") {
		return fmt.Errorf("the host of %q is not anchored", place)
	}
	return nil
}

func (s service) anchoredWith(t connectors.Type, host string, f connectors.Field) error {
	for _, o := range f.Options {
		if err := s.anchored(t, "https://"+strings.ReplaceAll(host, "{"+f.Key+"}", o.Value)); err != nil {
			return err
		}
	}
	return nil
}

func (s service) soundRules(t connectors.Type) error {
	rules := slices.Clone(s.Spec.Errors)
	for _, c := range s.checks() {
		rules = append(rules, c.FailWhen...)
	}
	for _, w := range s.SignIn {
		rules = append(rules, w.OAuth.Refused...)
	}
	for _, r := range s.Spec.Resolve {
		if r.Missing.Code != "" {
			rules = append(rules, r.Missing)
		}
	}
	for _, r := range rules {
		if !slices.Contains(connectors.Codes(), r.Code) {
			return &flaw{part: string(r.Code), err: fmt.Errorf("a rule has the unknown code %q", r.Code)}
		}
		if err := asked(t, r.When); err != nil {
			return err
		}
		if _, ok := t.Form.Field(r.Field); r.Field != "" && !ok {
			return &flaw{part: r.Field, err: fmt.Errorf("a rule names %q, which is no field", r.Field)}
		}
		if (r.Title == "") != (r.Hint == "") {
			return &flaw{part: r.Title + r.Hint, err: errors.New("a rule has a title and a hint, or neither")}
		}
		for _, words := range []string{r.Title, r.Hint} {
			if words != "" && !strings.HasSuffix(words, ".") && !strings.HasSuffix(words, "{said}") {
				return &flaw{part: words, err: fmt.Errorf("%q is no sentence", words)}
			}
		}
	}
	for _, n := range s.Spec.Tree {
		if err := asked(t, n.When); err != nil {
			return err
		}
	}
	if s.Spec.Address != "" {
		if _, ok := t.Form.Field(s.Spec.Address); !ok {
			return &flaw{part: s.Spec.Address, err: fmt.Errorf("address names %q, which is no field", s.Spec.Address)}
		}
	}
	return nil
}

// asked wants the names in when to be fields.
func asked(t connectors.Type, when map[string][]string) error {
	for k := range when {
		if _, ok := t.Form.Field(k); !ok {
			return &flaw{part: k, err: fmt.Errorf("when names %q, which is no field", k)}
		}
	}
	return nil
}

func (s service) soundShapes(connectors.Type) error {
	for _, e := range s.eaches() {
		if _, ok := s.Spec.Shapes[e.Of]; e.Of != "" && !ok {
			return &flaw{part: e.Of, err: fmt.Errorf("of: %q is no shape", e.Of)}
		}
		if err := soundFacts(e.Facts); err != nil {
			return err
		}
	}
	for _, x := range s.Spec.Check.Also {
		if err := soundFacts(x.Facts); err != nil {
			return err
		}
	}
	return soundFacts(s.Spec.Check.Facts)
}

func soundFacts(facts []fact) error {
	for _, f := range facts {
		if re, err := regexp.Compile(f.Take); f.Take != "" && (err != nil || re.NumSubexp() < 1) {
			return &flaw{part: f.Take, err: fmt.Errorf("the fact %s: take needs a regular expression with a group", f.Label)}
		}
	}
	return nil
}

func (r request) templates() []string {
	out := []string{r.Get, r.Post, r.Body}
	for _, v := range r.Headers {
		out = append(out, v)
	}
	return out
}

func (l *list) requests() []request {
	switch {
	case l == nil:
		return nil
	case l.Then != nil:
		return []request{l.Request, *l.Then}
	}
	return []request{l.Request}
}

func (n node) requests() []request {
	out := append(n.Rows.requests(), n.List.requests()...)
	if n.Content != nil {
		out = append(out, n.Content.Request)
	}
	for _, a := range n.Actions {
		out = append(out, a.Request)
	}
	for _, c := range n.Nodes {
		out = append(out, c.requests()...)
	}
	return out
}

// eaches lists every shape in the file.
func (s service) eaches() []each {
	var out []each
	var walk func(e *each)
	var nodes func([]node)
	walk = func(e *each) {
		if e == nil {
			return
		}
		out = append(out, *e)
		walk(e.Each)
		nodes(e.Nodes)
		for i := range e.Kinds {
			walk(&e.Kinds[i])
		}
	}
	nodes = func(list []node) {
		for i := range list {
			walk(list[i].Each)
			nodes(list[i].Nodes)
		}
	}
	nodes(s.Spec.Tree)
	for _, e := range s.Spec.Shapes {
		walk(&e)
	}
	return out
}

// named are the placeholders that shapes introduce.
func (s service) named() []string {
	var out []string
	for _, e := range s.eaches() {
		if e.As != "" {
			out = append(out, e.As)
		}
	}
	return out
}

// checks are the service's and those of its ways to sign in.
func (s service) checks() []check {
	out := []check{s.Spec.Check}
	for _, w := range s.SignIn {
		if w.Check != nil {
			out = append(out, *w.Check)
		}
	}
	return out
}

func (s service) requests() []request {
	var out []request
	for _, b := range s.Before {
		out = append(out, b.Request)
	}
	for _, c := range s.checks() {
		out = append(append(append(out, c.First...), c.Request), c.Or...)
		for _, x := range c.Also {
			out = append(out, x.Request)
		}
	}
	for _, r := range s.Spec.Resolve {
		out = append(out, r.Request)
	}
	for _, n := range s.Spec.Tree {
		out = append(out, n.requests()...)
	}
	for _, e := range s.eaches() {
		out = append(out, node{Rows: e.Rows, List: e.List, Content: e.Content, Nodes: e.Nodes, Actions: e.Actions}.requests()...)
	}
	return out
}

// templates are the facts that need no answer.
func (c check) templates() []string {
	var out []string
	for _, f := range c.Facts {
		out = append(out, f.Text)
	}
	for _, x := range c.Also {
		for _, f := range x.Facts {
			out = append(out, f.Text)
		}
	}
	return out
}

// places are the templates that make addresses.
func (s service) places() []string {
	var out []string
	for _, r := range s.requests() {
		out = append(out, r.where())
	}
	for _, w := range s.SignIn {
		out = append(out, w.Base, w.Ask.where())
		out = append(out, w.OAuth.places()...)
	}
	return out
}

func (s service) templates() []string {
	out := []string{s.Base}
	for _, c := range s.checks() {
		out = append(out, c.templates()...)
	}
	for _, w := range s.SignIn {
		out = append(out, w.templates()...)
	}
	for _, v := range s.Headers {
		out = append(out, v)
	}
	for _, r := range s.requests() {
		out = append(out, r.templates()...)
	}
	return out
}
