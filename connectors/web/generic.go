package web

import (
	"context"
	"embed"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"crypto/tls"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

//go:embed generic/http.yaml
var genericFiles embed.FS

// genericHTTP is the form and the ways to sign in of the generic type; a test
// proves that the file is sound.
var genericHTTP = sync.OnceValues(func() (service, error) {
	data, err := genericFiles.ReadFile("generic/http.yaml")
	if err != nil {
		return service{}, err
	}
	return decode(data)
})

// HTTP is any web service, with every way to sign in over HTTP.
func HTTP() connectors.Type {
	s, err := genericHTTP()
	if err != nil {
		return connectors.Type{} // part of the program: the tests fail first
	}
	t, err := s.made()
	if err != nil {
		return connectors.Type{}
	}
	t.Form.Fields = append(t.Form.Fields, tlsx.Fields(nil, false)...)
	form := t.Form
	t.Open = func(ctx context.Context, env *connectors.Env, a connectors.Settings) (connectors.Session, error) {
		a = form.Tidied(a)
		if errs := form.Validate(a); len(errs) > 0 {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: errs[0].Key, Said: errs[0].Text, Err: errs[0]}
		}
		session, err := s.openFree(ctx, env, form, a)
		return session, inSight(err, form, a)
	}
	return t
}

// inSight points at the choice of a certificate where its own fields are hidden.
func inSight(err error, form connectors.Form, a connectors.Settings) error {
	e := connectors.Classify(err)
	if e == nil || e.Field != "client_cert" || form.Visible("client_cert", a) {
		return err
	}
	out := *e
	out.Field = "certificate"
	return &out
}

// openFree opens a service that only its form describes.
func (s service) openFree(ctx context.Context, env *connectors.Env, form connectors.Form, a connectors.Settings) (connectors.Session, error) {
	o := s.opening(env, form, a)
	way, ok := s.way(form, a)
	if !ok {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "auth"}
	}
	var err error
	if o.base, err = s.base(o, true); err != nil {
		return nil, err
	}
	spec, err := s.client(o)
	if err != nil {
		return nil, err
	}
	s.Spec = described(o.vars, s.Spec)
	s.Headers, err = headerLines(o.vars["headers"])
	if err != nil {
		return nil, err
	}
	out, err := s.session(ctx, o, spec, way)
	if err != nil {
		return nil, err
	}
	out.free = true
	if out.query, err = queryLines(o.vars["query"]); err != nil {
		_ = out.Close()
		return nil, err
	}
	if spec.Pin != "" {
		inner := out.facts
		out.facts = func() []connectors.Fact {
			pinned := []connectors.Fact{{Label: "Certificate", Text: "pinned to " + spec.Pin}}
			if inner != nil {
				pinned = append(pinned, inner()...)
			}
			return pinned
		}
	}
	return ready(ctx, env, out)
}

// client is how the form wants HTTP to be spoken.
func (s service) client(o *opening) (connectors.HTTP, error) {
	tlsAnswers, err := s.certificate(o)
	if err != nil {
		return connectors.HTTP{}, err
	}
	tlsAnswers.CA, tlsAnswers.ServerName, tlsAnswers.Pin = o.vars["ca"], o.vars["tls_name"], o.vars["tls_pin"]
	if o.vars["tls_min"] == "1.3" {
		tlsAnswers.Min = tls.VersionTLS13
	}
	out := connectors.HTTP{TLS: tlsAnswers, NoRedirects: o.vars["redirects"] == "none", Timeout: time.Duration(o.number("{timeout}")) * time.Second}
	switch o.vars["reach"] {
	case "direct":
		out.Proxy = "direct"
	case "proxy":
		out.Proxy, out.ProxyUser, out.ProxyPassword = o.vars["proxy"], o.vars["proxy_user"], o.secret("proxy_password")
	}
	return out, nil
}

func headerLines(lines string) (map[string]string, error) {
	out := map[string]string{}
	for l := range strings.Lines(lines) {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || validHeaderName(name) != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "headers", Said: "one header a line is needed, as Name: value"}
		}
		out[name] = strings.NewReplacer("{", "", "}", "").Replace(strings.TrimSpace(value))
	}
	return out, nil
}

func queryLines(lines string) (url.Values, error) {
	out := url.Values{}
	for l := range strings.Lines(lines) {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(l, "?"), "=")
		if !ok || name == "" {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "query", Said: "one parameter a line is needed, as name=value"}
		}
		out.Add(name, value)
	}
	return out, nil
}

// described is what the form says of the service's answers.
func described(v map[string]string, base spec) spec {
	base.Lenient = v["media"] == "any"
	base.Success = v["success_media"]
	if base.Success == "" {
		base.Success = map[string]string{"json": "application/json", "xml": "application/xml", "csv": "text/csv", "form": formType}[v["media"]]
	}
	base.Limits = limits{Remaining: v["limit_header"], Reset: v["reset_header"], RetryAfter: v["retry_header"], Status: statuses(v["slow_status"])}
	base.Limits.Concurrency, _ = strconv.Atoi(v["concurrency"])
	base.Limits.Seconds, _ = strconv.Atoi(v["retry_seconds"])
	if want := statuses(v["success_status"]); len(want) > 0 {
		base.Good = want
	}
	base.Check = tested(v)
	base.Tree = nil
	switch v["test"] {
	case "odata":
		base.Tree = odata()
	case "graphql":
		base.Tree = graphql(v)
	default:
		base.Tree = append(base.Tree, entry(path(v["test_path"])))
	}
	base.Tree = append(base.Tree, entries(v["paths"])...)
	return base
}

func tested(v map[string]string) check {
	c := check{Request: request{Get: path(v["test_path"])}, Facts: people()}
	switch {
	case v["test"] == "graphql":
		c.Request = request{Post: path(v["test_path"]), Body: `{"query":"{ __typename }"}`}
		c.PassWhen = []cond{{Path: "data.__typename"}}
		c.FailWhen = []rule{{Path: "errors.0.message", Code: connectors.Refused, Reason: "web.graphql", Field: "test_path"}}
	case v["test_method"] == "POST":
		c.Request = request{Post: path(v["test_path"]), Body: strings.TrimSpace(literalBody(v["test_body"]))}
	case v["test_method"] != "":
		c.Request.Method = v["test_method"]
	}
	if p := v["success_path"]; p != "" {
		c.PassWhen = append(c.PassWhen, cond{Path: p, Is: commas(v["success_values"])})
	}
	if p := v["fail_path"]; p != "" {
		c.FailWhen = append(c.FailWhen, rule{Path: p, Is: commas(v["fail_values"]), Code: connectors.Refused, Reason: "web.failed", Field: "fail_path", Stage: connectors.StageSignIn})
	}
	return c
}

// literalBody keeps {words} in a typed body from being read as placeholders: a
// space in front of the word means the same in JSON and in GraphQL.
func literalBody(v string) string { return placeholder.ReplaceAllString(v, "{ $1}") }

// odata lists the entity sets of a service document (OData 4.01 JSON format
// section 5, https://docs.oasis-open.org/odata/odata-json-format/v4.01/; the "d"
// of version 2).
func odata() []node {
	rows := &list{Request: request{Get: "/{id}?$top={limit}"}, Next: "@odata.nextLink|odata.nextLink|d.__next"}
	return []node{{ID: "entities", Name: "Entity sets", Kind: "folder", List: &list{Request: request{Get: "/"}}, Each: &each{ID: "url|name|", Name: "name|title|url|", Kind: "table", Rows: rows}}}
}

// graphql lists what can be asked for (GraphQL October 2021, section 4.2).
func graphql(v map[string]string) []node {
	ask := func(query string) request {
		data, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			return request{}
		}
		return request{Post: path(v["test_path"]), Body: literalBody(string(data))}
	}
	out := []node{{ID: "fields", Name: "Queries", Kind: "folder", Rows: &list{Request: ask("{ __schema { queryType { fields { name description } } } }"), Items: "data.__schema.queryType.fields"}}}
	if q := strings.TrimSpace(v["graphql_query"]); q != "" {
		out = append(out, node{ID: "result", Name: "Result of the query", Kind: "resource", Rows: &list{Request: ask(q)}})
	}
	return out
}

func statuses(v string) []int {
	var out []int
	for s := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		if n, err := strconv.Atoi(s); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func commas(v string) []string {
	var out []string
	for s := range strings.SplitSeq(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// messages are the places where services put what went wrong.
const messages = "error.message|error_description|message|error.detail|detail|errors.0.message|title|error"

// people are the places where services put who one is.
func people() []fact {
	return []fact{{Label: "Account", Path: "preferred_username|email|login|username|user.name|user.email|account.name|name|sub"}}
}

// path makes what was typed a path below the base address.
func path(typed string) string {
	typed = strings.TrimSpace(typed)
	if typed == "" || !strings.HasPrefix(typed, "/") {
		typed = "/" + typed
	}
	return literal(typed)
}

func entry(p string) node {
	return node{ID: p, Name: p, Kind: "resource", Rows: &list{Request: request{Get: p}}, Open: true}
}

func entries(lines string) []node {
	var out []node
	for l := range strings.Lines(lines) {
		if l = strings.TrimSpace(l); l != "" && !slices.ContainsFunc(out, func(n node) bool { return n.ID == path(l) }) {
			out = append(out, entry(path(l)))
		}
	}
	return out
}
