package webdav

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/digestx"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/ntlmx"
)

const (
	// exchange bounds one answer; a long listing is read as slowly as its consumer
	// takes it.
	exchange  = 30 * time.Minute
	redirects = 5
)

type session struct {
	*files.Tree
	env    *connectors.Env
	c      config
	base   *url.URL // ends with a slash
	client *http.Client

	mu     sync.Mutex
	server string
	about  resource // the folder to begin with
}

func (s *session) account() string {
	switch s.c.Auth {
	case byToken:
		return "access token at " + s.base.Host
	case byNone:
		return "nobody at " + s.base.Host
	}
	return s.c.User + "@" + s.base.Host
}

// begin looks at the folder to begin with; the first answer tells whether the
// sign-in works.
func (s *session) begin(ctx context.Context) error {
	base, err := url.Parse(s.c.URL)
	if err != nil {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "url", Said: "this is no web address"}
	}
	base = base.JoinPath("/")
	s.base = base
	if s.client, err = s.env.HTTP(connectors.HTTP{TLS: s.c.Spec(), HTTP1: s.c.Auth == byNTLM, NoRedirects: true, Timeout: exchange}); err != nil {
		return err
	}
	origin := httpx.Origin(base)
	switch s.c.Auth {
	case byDigest:
		s.client.Transport = digestx.New(s.client.Transport, s.c.User, s.c.Password, origin)
	case byNTLM:
		s.client.Transport = ntlmx.New(s.client.Transport, s.c.Domain, s.c.User, s.c.Password, origin)
	}
	key := "url"
	if s.c.Folder != "" {
		key = "folder"
	}
	err = s.env.Climb(ctx, connectors.StageSignIn, s.account(), func(ctx context.Context) (string, error) {
		about, err := s.stat(ctx, "")
		if e := connectors.Classify(err); e != nil && e.Code == connectors.NotFound {
			return "", atRung(e, connectors.StageRights, key)
		}
		if err != nil {
			return "", err
		}
		s.mu.Lock()
		s.about = about
		s.mu.Unlock()
		return s.account(), nil
	})
	if err != nil {
		return err
	}
	if !s.about.folder() {
		return &connectors.Error{Code: connectors.BadInput, Reason: "webdav.not_a_folder", Op: connectors.StageRights, Target: s.shown(""), Field: key}
	}
	return nil
}

// at is the address of a path below the folder to begin with.
func (s *session) at(name string) *url.URL {
	u := *s.base
	raw := s.base.EscapedPath()
	for part := range strings.SplitSeq(path.Join(s.c.Folder, name), "/") {
		if part != "" {
			raw = strings.TrimSuffix(raw, "/") + "/" + escape(part)
		}
	}
	u.RawPath = raw
	if plain, err := url.PathUnescape(raw); err == nil {
		u.Path = plain
	}
	return &u
}

// escape writes one name for an address. A slash that is part of a name stands as
// %2F in paths.
func escape(part string) string {
	return strings.ReplaceAll(url.PathEscape(part), "%252F", "%2F")
}

// shown is a path for people.
func (s *session) shown(name string) string {
	if p := path.Join(s.c.Folder, name); p != "" && p != "." {
		return p
	}
	return s.base.Host + s.base.Path
}

// send asks once more where a redirect within the server leads, with the same
// method, which net/http would turn into GET.
func (s *session) send(ctx context.Context, method string, u *url.URL, header http.Header, body string) (*http.Response, error) {
	for range redirects {
		req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "url", Err: err}
		}
		if body == "" {
			req.Body, req.GetBody = http.NoBody, nil
		}
		req.Header = header.Clone()
		s.authorize(req)
		res, err := s.client.Do(req)
		if err != nil {
			return nil, s.failed(ctx, err)
		}
		next, leads := s.leads(res)
		if !leads {
			return res, nil
		}
		discard(res)
		if next == nil {
			return nil, &connectors.Error{Code: connectors.Refused, Reason: "webdav.redirect", Op: connectors.StageSignIn, Field: "url", Target: s.base.Host, Said: elsewhere(u, res)}
		}
		u = next
	}
	return nil, &connectors.Error{Code: connectors.Refused, Reason: "webdav.redirect", Op: connectors.StageSignIn, Field: "url", Target: s.base.Host, Said: "it leads in circles"}
}

// leads tells where a redirect goes; nil is out of this server, where no
// credential may go.
func (s *session) leads(res *http.Response) (next *url.URL, leads bool) {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusSeeOther: // to a page, such as one for signing in
		return nil, true
	default:
		return nil, false
	}
	next, err := res.Location()
	if err != nil || httpx.Origin(next) != httpx.Origin(s.base) || res.StatusCode == http.StatusFound && next.RawQuery != "" {
		return nil, true
	}
	return next, true
}

func elsewhere(from *url.URL, res *http.Response) string {
	to, err := res.Location()
	if err != nil {
		return ""
	}
	to.RawQuery, to.Fragment, to.User = "", "", nil
	return from.Host + " → " + to.String()
}

func (s *session) authorize(req *http.Request) {
	switch s.c.Auth {
	case byBasic:
		req.SetBasicAuth(s.c.User, s.c.Password.Reveal())
	case byToken:
		req.Header.Set("Authorization", "Bearer "+s.c.Token.Reveal())
	}
}

// propfind asks about a path and what lies directly in it.
func (s *session) propfind(ctx context.Context, name, depth string) (*http.Response, error) {
	u := s.at(name)
	if depth == "1" && !strings.HasSuffix(u.Path, "/") { // a collection's name ends with one (RFC 4918 section 5.2)
		u.Path, u.RawPath = u.Path+"/", u.RawPath+"/"
	}
	res, err := s.send(ctx, "PROPFIND", u, http.Header{"Depth": {depth}, "Content-Type": {`application/xml; charset="utf-8"`}, "Accept": {"application/xml, text/xml"}}, asked)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusMultiStatus {
		defer discard(res)
		return nil, s.refused(res, name)
	}
	s.mu.Lock()
	if server := res.Header.Get("Server"); server != "" {
		s.server = server
	}
	s.mu.Unlock()
	return res, nil
}

// stat asks about one path.
func (s *session) stat(ctx context.Context, name string) (resource, error) {
	res, err := s.propfind(ctx, name, "0")
	if err != nil {
		return resource{}, err
	}
	defer func() { _ = res.Body.Close() }()
	var out resource
	found := false
	err = responses(res.Body, func(r response) bool {
		out, found = r.resource(), true
		return false
	})
	switch {
	case err != nil:
		return out, s.explain(ctx, name, err)
	case !found:
		return out, s.explain(ctx, name, errXML)
	case out.status >= http.StatusBadRequest:
		return out, s.status(name, out.status, "")
	}
	return out, nil
}

// Check lists the beginning of the folder.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	for _, err := range (shelf{s}).List(ctx, "") {
		if connectors.CodeOf(err) == connectors.Denied {
			return s.facts(), &connectors.Error{Code: connectors.Denied, Reason: "webdav.not_listed", Op: connectors.StageRights, Target: s.shown(""), Field: "folder", Partial: true, Err: err}
		}
		if err != nil {
			return nil, err
		}
		break
	}
	return s.facts(), nil
}

func (s *session) facts() []connectors.Fact {
	s.mu.Lock()
	server, about := s.server, s.about
	s.mu.Unlock()
	out := []connectors.Fact{{Label: "Account", Text: s.account()}, {Label: "Address", Text: connectors.Clean(s.at("").String(), 300)}}
	add := func(label, text string) {
		if text != "" {
			out = append(out, connectors.Fact{Label: label, Text: connectors.Clean(text, 200)})
		}
	}
	add("Server", server)
	add("Owner", about.Owner)
	if s.base.Scheme == "http" {
		add("Encryption", "none: everybody on the way can read the files")
	}
	if used := number(about.Used); used >= 0 {
		add("Used space", humanize.IBytes(uint64(used)))
	}
	if free := number(about.Available); free >= 0 {
		add("Free space", humanize.IBytes(uint64(free)))
	}
	return out
}

// Close lets go of the connections.
func (s *session) Close() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}

// discard reads a short answer to its end, so that its connection can serve the
// next request.
func discard(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}

// failed classifies what net/http reports. Its errors name the whole address.
func (s *session) failed(ctx context.Context, err error) error {
	var known *connectors.Error
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	switch {
	case ctx.Err() != nil:
		known = connectors.Classify(context.Cause(ctx))
		var inner *connectors.Error
		if errors.As(err, &inner) && inner.Code == known.Code {
			known = inner
		}
	case errors.Is(err, http.ErrSchemeMismatch):
		known = &connectors.Error{Code: connectors.Refused, Reason: "tls.not_tls", Op: connectors.StageSecure}
	default:
		known = connectors.Classify(err)
	}
	out := *known
	if out.Code == connectors.Refused && out.Reason == "" {
		out.Reason = "http.protocol"
	}
	if out.Target == "" {
		out.Target = s.base.Host
	}
	if out.Reason == "tls.not_tls" {
		out.Reason, out.Field = "tls.not_tls_url", "url"
	}
	if out.Field == "host" || out.Field == "port" {
		out.Field = "url"
	}
	return &out
}
