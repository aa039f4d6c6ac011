package kerberosx

import (
	"context"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
)

// Ticket returns a usable ticket for a service ("ldap/dc1.corp.example.com"),
// and the key that goes with it, for protocols other than HTTP; from memory
// where there is one. Errors are *connectors.Error.
func (c *Client) Ticket(ctx context.Context, spn string) (t messages.Ticket, k types.EncryptionKey, err error) {
	defer guard(&err, c.cfg.Fields.kdc())
	if !spnShape.MatchString(spn) {
		return t, k, &connectors.Error{Code: connectors.BadInput, Reason: "kerberos.spn_shape", Op: connectors.StageForm, Field: c.cfg.Fields.spn()}
	}
	got, err := c.ticketFor(ctx, spn)
	return got.ticket, got.key, err
}
