package sqldb

import (
	"context"
	"encoding/asn1"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/microsoft/go-mssqldb/integratedauth"
	"github.com/microsoft/go-mssqldb/integratedauth/ntlm"
	"github.com/microsoft/go-mssqldb/msdsn"

	"jackfield/connectors"
	"jackfield/connectors/internal/kerberosx"
)

const providerName = "jackfield"

// register tells the library once of a provider that hands out what a
// connection's own configuration carries.
var register = sync.OnceValue(func() error {
	return integratedauth.SetIntegratedAuthenticationProvider(providerName, integratedauth.ProviderFunc(func(cfg msdsn.Config) (integratedauth.IntegratedAuthenticator, error) {
		hand, _ := cfg.ProtocolParameters[providerName].(integratedauth.IntegratedAuthenticator)
		return hand, nil
	}))
})

// A keeper holds who signed in to Kerberos, so that further connections need
// nothing of the KDC.
type keeper struct {
	c   sqlserver
	env *connectors.Env

	mu     sync.Mutex
	client *kerberosx.Client
}

// hand is what proves the account to the server; nil for logins of its own and
// for tokens.
func (k *keeper) hand(ctx context.Context) (integratedauth.IntegratedAuthenticator, error) {
	switch k.c.Auth {
	case byNTLM:
		hand, err := ntlm.AuthProvider.GetIntegratedAuthenticator(msdsn.Config{User: k.c.User, Password: k.c.Password.Reveal(), Workstation: "jackfield"})
		return plainErrors{hand}, err
	case byKerberos:
		return k.ticket(ctx)
	}
	return nil, nil
}

var errProof = errors.New("the server's part of the sign-in cannot be read")

// plainErrors drops what the library's parser says, which quotes the message,
// and survives what it did not foresee.
type plainErrors struct {
	integratedauth.IntegratedAuthenticator
}

func (p plainErrors) NextBytes(said []byte) ([]byte, error) {
	var out []byte
	if err := guarded(func() (err error) { out, err = p.IntegratedAuthenticator.NextBytes(said); return err }); err != nil {
		return nil, errProof
	}
	return out, nil
}

// A presented ticket is one SPNEGO token (RFC 4178) and the server's yes to it.
type presented []byte

func (p presented) InitialBytes() ([]byte, error) { return p, nil }
func (p presented) Free()                         {}

// NextBytes sends nothing more: TLS has proven who the server is. What the
// server answers is its state (RFC 4178 section 4.2.2), if anything.
func (p presented) NextBytes(said []byte) ([]byte, error) {
	const refused = 2
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(said, &outer); err != nil {
		return nil, errProof
	}
	var inner struct {
		State asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
		Mech  asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
		Token []byte                `asn1:"explicit,optional,tag:2"`
		MIC   []byte                `asn1:"explicit,optional,tag:3"`
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &inner); err != nil || inner.State == refused {
		return nil, errProof
	}
	return nil, nil
}

func (k *keeper) ticket(ctx context.Context) (integratedauth.IntegratedAuthenticator, error) {
	c, err := k.signedIn(ctx)
	if err != nil {
		return nil, err
	}
	ticket, key, err := c.Ticket(ctx, k.c.service())
	if err != nil {
		return nil, err
	}
	var data []byte
	err = guarded(func() error {
		name, realm, _ := strings.Cut(c.Principal(), "@")
		// Of the client gokrb5 reads here who it is, and nothing else.
		first, err := spnego.NewNegTokenInitKRB5(&client.Client{Credentials: credentials.NewFromPrincipalName(types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), realm)}, ticket, key)
		if err != nil {
			return err
		}
		data, err = (&spnego.SPNEGOToken{Init: true, NegTokenInit: first}).Marshal()
		return err
	})
	return presented(data), err
}

func (k *keeper) signedIn(ctx context.Context) (*kerberosx.Client, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		return k.client, nil
	}
	name, realm, _ := strings.Cut(k.c.User, "@")
	if _, short, ok := strings.Cut(name, `\`); ok {
		name = short // the domain's short name is Windows' own
	}
	if k.c.Realm != "" {
		realm = k.c.Realm
	}
	client, err := kerberosx.Open(ctx, kerberosx.Config{
		Realm: strings.ToUpper(realm), KDC: k.c.KDC, User: name, Password: k.c.Password, SPN: k.c.service(), Dial: k.env.Dial, Now: k.env.Now,
	})
	if err != nil {
		return nil, err
	}
	k.client = client
	return client, nil
}

// free forgets the tickets.
func (k *keeper) free() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		_ = k.client.Close()
	}
}

// service is for whom the ticket is
// (https://learn.microsoft.com/sql/database-engine/configure-windows/register-a-service-principal-name-for-kerberos-connections).
// No DNS answer and no word of the server's decides that.
func (c sqlserver) service() string {
	if c.SPN != "" {
		return c.SPN
	}
	return "MSSQLSvc/" + net.JoinHostPort(strings.ToLower(strings.TrimSuffix(c.Host, ".")), strconv.Itoa(c.Port))
}
