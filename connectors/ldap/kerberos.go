package ldap

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
	"jackfield/connectors/internal/kerberosx"
)

// A keeper holds who signed in to Kerberos, so that further connections need
// nothing of the KDC.
type keeper struct {
	mu     sync.Mutex
	client *kerberosx.Client
}

// kerberos gets a ticket for the directory. The KDC is reached as the directory
// is, through env.
func (d *door) kerberos(ctx context.Context, env *connectors.Env, k *link) (*kerberos, error) {
	client, err := d.signedIn(ctx, env)
	if err != nil {
		return nil, err
	}
	ticket, key, err := client.Ticket(ctx, d.c.service())
	if err != nil {
		return nil, err
	}
	name, realm, _ := cutLast(client.Principal(), "@")
	return &kerberos{
		ticket: ticket, key: key, realm: realm, name: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), bindings: k.bindings,
		fail: func(code connectors.Code, reason, field, said string) error {
			return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageSignIn, Target: d.c.service(), Field: field, Said: said}
		},
	}, nil
}

// signedIn is who signed in to Kerberos, at the first call by doing so.
func (d *door) signedIn(ctx context.Context, env *connectors.Env) (*kerberosx.Client, error) {
	d.mu.Lock()
	client := d.client
	d.mu.Unlock()
	if client != nil {
		return client, nil
	}
	c := d.c
	name, realm, _ := cutLast(c.principal(), "@")
	cfg := kerberosx.Config{Realm: realm, KDC: c.KDC, User: name, SPN: c.service(), Dial: env.Dial, LookupSRV: c.lookup, Now: env.Now}
	if c.Auth == byKeytab {
		cfg.Keytab = c.Keytab
	} else {
		cfg.Password = c.Password
	}
	client, err := kerberosx.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		d.client = client
	}
	return d.client, nil
}

// forget ends what Kerberos knows; a later sign-in begins anew.
func (d *door) forget() {
	d.mu.Lock()
	client := d.client
	d.client = nil
	d.mu.Unlock()
	if client != nil {
		_ = client.Close()
	}
}

// principal is name@REALM. A domain in front of the name is left off: it is
// Windows' own short name, which Kerberos does not know.
func (c config) principal() string {
	name, suffix, _ := cutLast(c.User, "@")
	if _, short, ok := strings.Cut(name, `\`); ok {
		name = short
	}
	realm := c.Realm
	if realm == "" {
		realm = strings.ToUpper(suffix)
	}
	return name + "@" + realm
}

// service is for whom the ticket is. No DNS answer and no word of the server's
// decides that, so that a ticket for one is never shown to another.
func (c config) service() string {
	switch {
	case c.SPN != "":
		return c.SPN
	case c.ServerName != "":
		return "ldap/" + strings.ToLower(c.ServerName)
	}
	return "ldap/" + strings.ToLower(strings.TrimSuffix(c.Host, "."))
}

// lookup asks the DNS for the realm's KDCs, and without an answer the directory
// itself: a domain controller is both.
func (c config) lookup(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	cname, found, err := net.DefaultResolver.LookupSRV(ctx, service, proto, name)
	if _, own, _ := cutLast(c.principal(), "@"); err != nil && name == own {
		return "", []*net.SRV{{Target: c.Host, Port: 88}}, nil
	}
	return cname, found, err
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
