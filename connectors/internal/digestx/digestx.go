// Package digestx signs in to web servers with HTTP Digest (RFC 7616): MD5,
// SHA-256 and SHA-512-256, their session variants, hashed and non-ASCII user
// names.
package digestx

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"

	"jackfield/connectors"
	"jackfield/connectors/internal/challenge"
)

const header = "Authorization"

// New returns a RoundTripper that answers the Digest challenges of one origin
// ("https://api.example.com:8443"; a path is ignored) and hands every other
// request to inner as it is. It sends no Basic credentials, not even those that
// stand in a URL. A challenge that was answered is used for the requests after
// it. A 401 comes back as the response when it cannot be answered, when the
// answer is refused, and when the request has a body but no GetBody.
//
// CloseIdleConnections of an http.Client reaches inner. The RoundTripper may be
// used concurrently.
func New(inner http.RoundTripper, user string, password connectors.Secret, origin string) http.RoundTripper {
	return &transport{inner: inner, user: user, password: password, origin: challenge.Origin(origin), cnonce: rand.Text}
}

type transport struct {
	inner    http.RoundTripper
	user     string
	password connectors.Secret
	origin   string
	cnonce   func() string

	mu  sync.Mutex
	has *offer // the last one whose answer was not refused
}

func (t *transport) CloseIdleConnections() {
	if c, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = withoutBasic(req)
	if !challenge.Within(t.origin, req.URL) || req.Header.Get(header) != "" {
		return t.inner.RoundTrip(req)
	}
	used := t.current()
	res, err := t.inner.RoundTrip(t.authorized(req, used))
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	fresh := best(res.Header, t.cnonce)
	if fresh == nil || fresh.repeats(used) {
		t.drop(used)
		return res, nil
	}
	again, err := rewound(req)
	if again == nil || err != nil {
		return res, nil
	}
	challenge.Discard(res)
	t.keep(fresh)
	res, err = t.inner.RoundTrip(t.authorized(again, fresh))
	if err == nil && res.StatusCode == http.StatusUnauthorized {
		t.drop(fresh)
	}
	return res, err
}

// authorized is req with the answer to o, or req itself where there is none.
func (t *transport) authorized(req *http.Request, o *offer) *http.Request {
	if o == nil {
		return req
	}
	answer := o.answer(req, t.user, t.password)
	if answer == "" {
		return req
	}
	out := req.Clone(req.Context())
	out.Header.Set(header, answer)
	return out
}

func (t *transport) current() *offer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.has
}

func (t *transport) keep(o *offer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.has = o
}

// drop forgets o, unless another request has already got a new one.
func (t *transport) drop(o *offer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.has == o {
		t.has = nil
	}
}

// withoutBasic takes away what net/http makes of a user in a URL.
func withoutBasic(req *http.Request) *http.Request {
	scheme, _, _ := strings.Cut(req.Header.Get(header), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return req
	}
	out := req.Clone(req.Context())
	out.Header.Del(header)
	return out
}

// rewound is req with its body from the start, nil where that cannot be had.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = body
	return out, nil
}
