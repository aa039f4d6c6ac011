package kerberosx

import (
	"context"
	"encoding/base64"
	"net/http"
	"sync/atomic"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"jackfield/connectors/internal/challenge"
)

const scheme = "Negotiate"

// Transport signs requests to origin ("https://host[:port]") in; requests to
// any other one pass through inner as they are. Nothing is sent before the
// server asked with "Negotiate", nothing at all to one that asks for Basic
// alone, and an Authorization of the request's own is dropped. From then on
// each request carries a token of its own. The server's answering token is not
// verified: TLS says who the server is.
//
// Errors of the KDC are *connectors.Error; a server that refuses the token
// answers 401 itself.
func (c *Client) Transport(inner http.RoundTripper, origin string) http.RoundTripper {
	return &transport{client: c, inner: inner, address: origin, origin: challenge.Origin(origin)}
}

type transport struct {
	client  *Client
	inner   http.RoundTripper
	address string
	origin  string
	asked   atomic.Bool // the server said that it speaks Negotiate
}

// CloseIdleConnections lets http.Client reach the inner transport's.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !challenge.Within(t.origin, req.URL) {
		return t.inner.RoundTrip(req)
	}
	again, err := challenge.Replay(req)
	if err != nil {
		return nil, err
	}
	if !t.asked.Load() {
		res, err := t.send(again, "", req)
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			return res, err
		}
		if _, ok := challenge.Offered(res.Header, scheme); !ok {
			return res, nil
		}
		challenge.Discard(res)
	}
	spn, ok := t.client.spn(t.address)
	if !ok {
		return nil, bad("kerberos.spn_shape", t.client.cfg.Fields.spn(), "")
	}
	token, err := t.client.token(req.Context(), spn)
	if err != nil {
		return nil, err
	}
	res, err := t.send(again, scheme+" "+base64.StdEncoding.EncodeToString(token), req)
	if err != nil {
		return nil, err
	}
	t.asked.Store(res.StatusCode != http.StatusUnauthorized)
	if res.StatusCode == http.StatusUnauthorized {
		t.client.forget(req.Context(), spn)
	}
	return res, nil
}

func (t *transport) send(again func() (*http.Request, error), authorization string, as *http.Request) (*http.Response, error) {
	req, err := again()
	if err != nil {
		return nil, err
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := t.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Request = as
	return res, nil
}

// token is a new SPNEGO token (RFC 4178 section 4.2) for a service; each is
// good for one request.
func (c *Client) token(ctx context.Context, spn string) (token []byte, err error) {
	defer guard(&err, c.cfg.Fields.kdc())
	got, err := c.ticketFor(ctx, spn)
	if err != nil {
		return nil, err
	}
	// Of the client gokrb5 reads here who it is, and nothing else.
	who := &client.Client{Credentials: credentials.NewFromPrincipalName(c.name, c.realm)}
	first, err := spnego.NewNegTokenInitKRB5(who, got.ticket, got.key)
	if err != nil {
		return nil, c.broken(err)
	}
	data, err := (&spnego.SPNEGOToken{Init: true, NegTokenInit: first}).Marshal()
	if err != nil {
		return nil, c.broken(err)
	}
	return data, nil
}
