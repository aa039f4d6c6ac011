package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// before asks, with nothing that proves anybody, for what the sign-in needs to
// know: a refused request often names who signs people in (RFC 6750 section 3).
// What the person typed wins over what is found, and what is not found leaves
// the field's default. It is not asked when a token is taken back.
type before struct {
	When    map[string][]string `yaml:"when"` // only with these answers in the form
	Request request             `yaml:",inline"`
	Header  string              `yaml:"header"` // where to look; left out: the body
	Set     map[string]string   `yaml:"set"`    // placeholder, or plain field: a regular expression whose first group is the value
}

// beforehand fills o.vars. An address that cannot be reached ends the opening
// here, so that nobody signs in for nothing.
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
		if len(open) == 0 {
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
	u, err := probe.target(fill(b.Request.where(), o.vars, nil))
	if err != nil {
		return "", err
	}
	req, err := probe.make(ctx, u, b.Request, body(b.Request.Body, orElse(b.Request.Type, jsonType), o.vars, nil))
	if err != nil {
		return "", err
	}
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, 64<<10)
	if err != nil {
		return "", addressed(err, s.Spec.Address)
	}
	if b.Header != "" {
		return strings.Join(res.Header.Values(b.Header), "\n"), nil
	}
	return string(res.Body), nil
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
	if b.Request.where() == "" || len(b.Set) == 0 {
		return errors.New("before: a request and what it sets are required")
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
