package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// before asks, with nothing that proves anybody, for what the sign-in needs to
// know: a refused request often names who signs people in (RFC 6750 section 3).
// What the person typed wins over what is found, and what is not found leaves
// the field's default. With nothing to set it only proves that the address
// answers, and not with a page that a rule for HTML knows: nobody should sign in
// for nothing. It is not asked when a token is taken back.
type before struct {
	When    map[string][]string `yaml:"when"` // only with these answers in the form
	Request request             `yaml:",inline"`
	Header  string              `yaml:"header"` // where to look; left out: the body
	Set     map[string]string   `yaml:"set"`    // placeholder, or plain field: a regular expression whose first group is the value
}

// beforehand fills o.vars.
func (s service) beforehand(ctx context.Context, o *opening, client *http.Client) error {
	for _, b := range s.Before {
		if !answered(b.When, o.vars) {
			continue
		}
		open := map[string]string{}
		for name, shape := range b.Set {
			if s.untouched(name, o.vars[name]) {
				open[name] = shape
			}
		}
		if len(open) == 0 && len(b.Set) > 0 {
			continue
		}
		said, err := s.unsigned(ctx, o, client, b)
		if err != nil {
			return err
		}
		for name, shape := range open {
			if v := taken(shape, said); v != "" && s.allows(name, v) {
				o.vars[name] = v
			}
		}
	}
	return nil
}

// unsigned is what b's answer says where b looks, whatever its status. It
// follows no redirect: the next host would speak for the first.
func (s service) unsigned(ctx context.Context, o *opening, client *http.Client, b before) (string, error) {
	probe := &session{base: o.base, hosts: s.Hosts, headers: s.Headers, vars: o.vars, spec: &s.Spec}
	where := fill(b.Request.where(), o.vars, nil)
	if typed, err := url.Parse(where); err == nil && s.startsTyped(b.Request.where()) {
		probe.base = typed
	}
	u, err := probe.target(where)
	if err != nil {
		return "", err
	}
	b.Request.Headers = probe.filled(b.Request.Headers, nil)
	req, err := probe.make(ctx, u, b.Request, body(b.Request.Body, orElse(b.Request.Type, jsonType), o.vars, nil))
	if err != nil {
		return "", err
	}
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, 64<<10)
	if err != nil {
		return "", addressed(err, s.Spec.Address)
	}
	for _, r := range s.Spec.Errors {
		if r.HTML && r.matches(res, nil) {
			return "", r.failure(res, "")
		}
	}
	if b.Header != "" {
		return strings.Join(res.Header.Values(b.Header), "\n"), nil
	}
	return string(res.Body), nil
}

// startsTyped reports whether an address begins with one that the person typed.
func (s service) startsTyped(template string) bool {
	return slices.ContainsFunc(s.Fields, func(f field) bool {
		return f.Kind == connectors.URL && strings.HasPrefix(template, "{"+f.Key+"}")
	})
}

// untouched reports whether nobody typed v: it is empty, or the field's default.
func (s service) untouched(name, v string) bool {
	i := slices.IndexFunc(s.Fields, func(f field) bool { return f.Key == name })
	return v == "" || i >= 0 && s.Fields[i].Default == v
}

// allows holds what strangers say to the rules of the field that it fills.
func (s service) allows(name, v string) bool {
	i := slices.IndexFunc(s.Fields, func(f field) bool { return f.Key == name })
	if i < 0 {
		return true
	}
	made, err := s.Fields[i].made()
	return err == nil && (made.Valid == nil || made.Valid(v) == nil)
}

func taken(shape, said string) string {
	re, err := regexp.Compile(shape)
	if err != nil {
		return ""
	}
	if m := re.FindStringSubmatch(said); len(m) > 1 {
		return m[1]
	}
	return ""
}

func (b before) sound(t connectors.Type) error {
	if b.Request.where() == "" {
		return errors.New("before: a request is required")
	}
	for name, shape := range b.Set {
		re, err := regexp.Compile(shape)
		if err != nil || re.NumSubexp() < 1 {
			return &flaw{part: shape, err: fmt.Errorf("before: %s needs a regular expression with a group", name)}
		}
		if f, ok := t.Form.Field(name); ok && f.Kind.Secret() {
			return &flaw{part: name, err: fmt.Errorf("before: %s is a secret", name)}
		}
	}
	return nil
}
