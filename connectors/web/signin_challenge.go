package web

import (
	"context"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/digestx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/kerberosx"
	"jackfield/connectors/internal/ntlmx"
)

// challenged signs in as the server challenges: the client's transport answers,
// and only what comes from the form's own origin (SECURITY 59).
func (w signIn) challenged(ctx context.Context, o *opening) (credential, error) {
	origin := httpx.Origin(o.base)
	client := *o.client
	inner := client.Transport
	switch w.Kind {
	case "digest":
		client.Transport = digestx.New(inner, o.text(w.User), o.secret(w.Secret), origin)
	case "ntlm":
		client.Transport = ntlmx.New(inner, o.text(w.Domain), o.text(w.User), o.secret(w.Secret), origin)
	default:
		ticket, err := w.kerberos(ctx, o)
		if err != nil {
			return nil, err
		}
		o.closers = append(o.closers, func() { _ = ticket.Close() })
		o.facts = func() []connectors.Fact {
			out := []connectors.Fact{{Label: "Principal", Text: ticket.Principal()}}
			if until := ticket.Expires(); !until.IsZero() {
				out = append(out, connectors.Fact{Label: "Ticket until", Text: until.UTC().Format("2006-01-02 15:04:05 UTC")})
			}
			return out
		}
		client.Transport = ticket.Transport(inner, origin)
	}
	o.client = &client
	out := refusing{fields: map[string]string{"user": field1(w.User), "password": w.Secret}}
	if w.Kind == "digest" {
		out.read = digestx.Refused
	}
	return out, nil
}

// refusing is a credential that the transport proves; it knows why that failed.
type refusing struct {
	nothing
	read   func(*httpx.Response) *connectors.Error
	fields map[string]string // what the transports call a field: the form's key
}

func (c refusing) blamed(err error, res *httpx.Response, _ time.Time) error {
	e := connectors.Classify(err)
	if e == nil {
		return nil
	}
	if res != nil && c.read != nil {
		if finer := c.read(res); finer != nil {
			e = finer
		}
	}
	out := *e
	if key, known := c.fields[e.Field]; known {
		out.Field = key
	}
	return &out
}

func (w signIn) kerberos(ctx context.Context, o *opening) (*kerberosx.Client, error) {
	var ticket *kerberosx.Client
	realm := o.text(w.Realm)
	err := o.env.Climb(ctx, connectors.StageSignIn, realm, func(ctx context.Context) (string, error) {
		var err error
		ticket, err = kerberosx.Open(ctx, kerberosx.Config{Realm: realm, KDC: o.text(w.KDC), User: o.text(w.User), Password: o.secret(w.Secret), Keytab: o.secret(w.Keytab), SPN: o.text(w.SPN), Dial: o.env.Dial, Now: o.env.Time,
			Fields: kerberosx.Fields{User: field1(w.User), Password: w.Secret, Keytab: w.Keytab, Realm: field1(w.Realm), KDC: field1(w.KDC), SPN: field1(w.SPN)}})
		if err != nil {
			return "", err
		}
		return ticket.Principal(), nil
	})
	return ticket, err
}
