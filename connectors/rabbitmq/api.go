package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// The bounds of the management API's use (https://www.rabbitmq.com/docs/http-api-reference).
const (
	pageSize   = 500 // the most that a page may have
	maxAnswer  = 8 << 20
	apiTimeout = 15 * time.Second
	probing    = 5 * time.Second  // for finding out whether there is one
	absentFor  = 30 * time.Second // how long an absent one is not asked for again
)

// manage finds the management API when it is first needed.
type manage struct {
	once chan struct{} // holds a token while nobody looks for it
	api  *api
	err  error
	when time.Time // of err
}

func newManage() manage { return manage{once: make(chan struct{}, 1)} }

func (m *manage) close() {
	m.once <- struct{}{}
	defer func() { <-m.once }()
	if m.api != nil {
		m.api.client.CloseIdleConnections()
	}
}

// An api is the management API, signed in to.
type api struct {
	client *http.Client
	base   string // without "/api"
	c      config
	tags   []string
	rights rights
}

// management returns the API, or why there is none: an *Error with the field to
// put right.
func (s *session) management(ctx context.Context) (*api, error) {
	if s.c.Management == manageNone {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.needs_management", Op: connectors.StageData, Field: "management"}
	}
	m := &s.manage
	select {
	case m.once <- struct{}{}:
		defer func() { <-m.once }()
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if m.api != nil || m.err != nil && time.Since(m.when) < absentFor {
		return m.api, m.err
	}
	found, err := s.find(ctx)
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	m.api, m.err, m.when = found, err, time.Now()
	return found, err
}

// find signs in to the API.
func (s *session) find(ctx context.Context) (*api, error) {
	user, _ := s.c.manager()
	if user == "" {
		return nil, &connectors.Error{Code: connectors.Denied, Reason: "rabbitmq.management_user", Field: "management_user"}
	}
	spec, base := s.c.managementSpec()
	client, err := s.env.HTTP(spec)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	a := &api{client: client, base: base, c: s.c}
	if s.c.Management == manageAuto {
		err = a.isRabbit(ctx)
	}
	if err == nil {
		err = a.signIn(ctx)
	}
	if err != nil {
		client.CloseIdleConnections()
		return nil, err
	}
	a.rights = a.readRights(ctx)
	return a, nil
}

// managementSpec is how to reach the API. What the form says about the broker's
// certificate holds for another host only as far as its authority goes, and the
// client certificate stays with the broker.
func (c config) managementSpec() (connectors.HTTP, string) {
	out := connectors.HTTP{NoRedirects: true, Timeout: apiTimeout}
	if c.Management == manageURL {
		u, err := url.Parse(c.ManagementURL)
		if err == nil && u.Hostname() == c.Host {
			out.TLS = c.Spec()
		} else {
			out.CA = c.CA
		}
		return out, c.ManagementURL
	}
	out.Proxy = "direct" // it stands next to the broker, to which no web proxy leads either
	if c.secure() {
		out.TLS = c.Spec()
		return out, "https://" + net.JoinHostPort(c.Host, "15671")
	}
	return out, "http://" + net.JoinHostPort(c.Host, "15672")
}

// isRabbit proves, before a password is sent to a port that was only guessed,
// that what answers there is a management API.
func (a *api) isRabbit(ctx context.Context) error {
	res, err := a.do(ctx, http.MethodGet, "whoami", nil, false)
	if err != nil {
		return a.absent(err)
	}
	if res.Status == http.StatusUnauthorized && (strings.Contains(res.Header.Get("WWW-Authenticate"), "RabbitMQ") || strings.HasPrefix(complaint(res).Error, "not_authori")) {
		return nil
	}
	return a.absent(&connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.management_not_this", Said: strconv.Itoa(res.Status)})
}

func (a *api) signIn(ctx context.Context) error {
	var me struct {
		Name string          `json:"name"`
		Tags json.RawMessage `json:"tags"` // a list, and before 3.9 text with commas
	}
	if err := a.get(ctx, "whoami", &me); err != nil {
		if connectors.CodeOf(err) == connectors.Unreachable {
			return a.absent(err)
		}
		return err
	}
	var text string
	if json.Unmarshal(me.Tags, &a.tags) != nil && json.Unmarshal(me.Tags, &text) == nil {
		a.tags = strings.Split(text, ",")
	}
	return nil
}

// absent says that there is no management API where it was looked for.
func (a *api) absent(err error) error {
	e := *connectors.Classify(err)
	said := e.Said
	if said == "" {
		said = strings.ReplaceAll(string(e.Code), "_", " ")
	}
	return &connectors.Error{Code: e.Code, Reason: "rabbitmq.management_absent", Target: strings.TrimPrefix(strings.TrimPrefix(a.base, "http://"), "https://"), Field: a.field(), Said: said, Err: err}
}

func (a *api) field() string {
	if a.c.Management == manageURL {
		return "management_url"
	}
	return "management"
}

func (a *api) tagged(tag string) bool { return slices.Contains(a.tags, tag) }

// do makes one exchange; path is already escaped.
func (a *api) do(ctx context.Context, method, path string, body []byte, signed bool) (*httpx.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+"/api/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "management_url", Err: err}
	}
	req.Header.Set("Accept", "application/json")
	if signed {
		user, password := a.c.manager()
		req.SetBasicAuth(user, password.Reveal())
	}
	return httpx.Do(a.client, req, maxAnswer)
}

// get reads an answer into a value.
func (a *api) get(ctx context.Context, path string, into any) error {
	res, err := a.do(ctx, http.MethodGet, path, nil, true)
	if err != nil {
		return err
	}
	if err := a.refusal(res); err != nil {
		return err
	}
	if res.Truncated {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "web.large", Op: connectors.StageData, Target: path}
	}
	if err := json.Unmarshal(res.Body, into); err != nil {
		return &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.management_not_this", Op: connectors.StageData, Target: a.base, Field: a.field(), Err: err}
	}
	return nil
}

// A complaintOf is the body of a refusal.
type complaintOf struct{ Error, Reason string }

func complaint(res *httpx.Response) complaintOf {
	var out complaintOf
	_ = json.Unmarshal(res.Body, &out) // a proxy's page has none
	return out
}

// refusal maps an answer that is no success. The API says 401 both to who is
// nobody and to who may not do something; its reasons are from rabbit_mgmt_util.erl.
func (a *api) refusal(res *httpx.Response) error {
	said := complaint(res)
	e := res.Err(said.Reason)
	switch {
	case e == nil && strings.Contains(res.Media(), "json"):
		return nil
	case e == nil, res.Status == http.StatusNotFound && said.Error == "":
		return &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.management_not_this", Op: connectors.StageRights, Target: a.base, Field: a.field(), Said: res.Media()}
	case res.Status == http.StatusNotFound:
		e.Reason, e.Said = "rabbitmq.not_found", ""
	case res.Status == http.StatusUnauthorized:
		a.unauthorized(e, said.Reason)
	}
	return e
}

func (a *api) unauthorized(e *connectors.Error, reason string) {
	user, _ := a.c.manager()
	e.Code, e.Op, e.Target, e.Said = connectors.Denied, connectors.StageRights, user, reason
	switch {
	case strings.Contains(reason, "Not management"):
		e.Reason, e.Field = "rabbitmq.no_tag", "management_user"
	case strings.Contains(reason, "virtual host"):
		e.Reason = "rabbitmq.vhost_denied"
	case strings.HasPrefix(reason, "Not "):
		e.Reason = "rabbitmq.tag_too_low"
	case a.c.ManageUser != "" || !a.c.ManagePassword.Empty():
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "rabbitmq.management_auth", "management_password"
	default:
		// The same password just opened the AMQP connection.
		e.Reason, e.Field = "rabbitmq.management_refused", "management_user"
	}
}

// pages lists what lies at path, 500 a request; columns keep the answers small.
func pages[T any](ctx context.Context, a *api, path, columns string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for page, last := 1, 1; page <= last; page++ {
			query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(pageSize)}, "sort": {"name"}, "columns": {columns}}
			var answer struct {
				PageCount int `json:"page_count"`
				Items     []T `json:"items"`
			}
			err := a.get(ctx, path+"?"+query.Encode(), &answer)
			if page > 1 && outOfRange(err) {
				return // things went away while they were listed
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range answer.Items {
				if ctx.Err() != nil {
					yield(none, connectors.Classify(context.Cause(ctx)))
					return
				}
				if !yield(item, nil) {
					return
				}
			}
			if last = answer.PageCount; len(answer.Items) == 0 {
				return
			}
		}
	}
}

func outOfRange(err error) bool {
	var e *connectors.Error
	return errors.As(err, &e) && e.Code == connectors.Refused && strings.HasPrefix(e.Said, "400 Page out of range")
}
