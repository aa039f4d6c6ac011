package ldap

import (
	"context"
	"errors"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// maxLegs is far above what any of the mechanisms takes.
const maxLegs = 8

// saslCredentials is the tag of serverSaslCreds (RFC 4511 section 4.2.2).
const saslCredentials = 7

var errSASL = errors.New("the server's part of the sign-in cannot be right")

// A mechanism is one way of RFC 4422 to sign in.
type mechanism interface {
	// next makes the next token of what the server said, which is nil at first.
	next(said []byte) ([]byte, error)
	// done reports whether the server may accept now: one that does so sooner has
	// proven less than the mechanism promises.
	done() bool
}

// sasl signs in before the library begins to read: it has a fixed choice of
// mechanisms, and no deadline for any.
func (d *door) sasl(ctx context.Context, k *link, name string, m mechanism) error {
	defer context.AfterFunc(ctx, k.kill)()
	var said []byte
	for id := int64(1); id <= maxLegs; id++ {
		token, err := advance(m, said)
		if err != nil {
			return d.badSASL(err)
		}
		answer, err := k.saslLeg(id, name, token)
		var e *ldap.Error
		switch {
		case err == nil && m.done():
			return nil
		case err == nil:
			return d.badSASL(errSASL)
		case !errors.As(err, &e) || e.ResultCode != ldap.LDAPResultSaslBindInProgress:
			return err
		}
		said = answer
	}
	return d.badSASL(errSASL)
}

// advance keeps the panics of message parsers.
func advance(m mechanism, said []byte) (token []byte, err error) {
	defer func() {
		if recover() != nil {
			token, err = nil, errSASL
		}
	}()
	return m.next(said)
}

// badSASL is for what is wrong although the server has not refused.
func (d *door) badSASL(err error) error {
	var known *connectors.Error
	if errors.As(err, &known) {
		return known
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "ldap.sasl", Op: connectors.StageSignIn, Target: d.c.addr(), Field: "auth", Err: err}
}

// saslLeg is one bind request and its answer (RFC 4511 section 4.2). A nil
// token is none at all.
func (k *link) saslLeg(id int64, name string, token []byte) ([]byte, error) {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindRequest, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(3), ""))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	auth := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
	auth.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, ""))
	if token != nil {
		auth.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(token), ""))
	}
	op.AppendChild(auth)
	m.AppendChild(op)
	if _, err := k.wire.Write(m.Bytes()); err != nil {
		return nil, err
	}
	answer, err := ber.ReadPacket(k.wire)
	if err != nil {
		return nil, errors.Join(k.wire.failure(), err)
	}
	if len(answer.Children) < 2 || answer.Children[0].Value != id || answer.Children[1].Tag != ldap.ApplicationBindResponse {
		return nil, errNotLDAP
	}
	var said []byte
	for _, part := range answer.Children[1].Children {
		if part.ClassType == ber.ClassContext && part.Tag == saslCredentials {
			said = part.Data.Bytes()
		}
	}
	return said, ldap.GetLDAPError(answer)
}

// external is RFC 4422 appendix A: the client certificate has said everything.
type external struct{}

func (external) next([]byte) ([]byte, error) { return []byte{}, nil }
func (external) done() bool                  { return true }
