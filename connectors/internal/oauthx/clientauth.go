package oauthx

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"jackfield/connectors"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

var errNoMaker = errors.New("nothing makes the assertion")

// identify puts into form who the client is, and what proves it there.
func (c Config) identify(ctx context.Context, form url.Values, now time.Time) error {
	if c.ClientAuth != ClientBasic && c.ClientID != "" {
		form.Set("client_id", c.ClientID)
	}
	switch c.ClientAuth {
	case ClientPost:
		form.Set("client_secret", c.ClientSecret.Reveal())
	case ClientJWT:
		signed, err := assert(ctx, c.ClientAssertion, now)
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", signed)
	}
	return nil
}

// prove adds what stands in the header: RFC 6749 section 2.3.1, where both are
// form-encoded first.
func (c Config) prove(req *http.Request) {
	if c.ClientAuth == ClientBasic {
		req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret.Reveal()))
	}
}

func assert(ctx context.Context, m Maker, now time.Time) (string, error) {
	if m == nil {
		return "", &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: errNoMaker}
	}
	return m(ctx, now)
}
