package ldap

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
)

// maxIdle is how many signed-in connections wait for the next look.
const maxIdle = 2

// maxParents is how far above a base DN that is not there one that is is looked for.
const maxParents = 12

// maxContexts is how many naming contexts a server can have for us.
const maxContexts = 20

var errClosed = &connectors.Error{Code: connectors.Cancelled, Said: "the connection was closed"}

// A session keeps connections to one server. Every exchange borrows one: a
// paged search belongs to its connection, and a cancelled one takes it along.
type session struct {
	env  *connectors.Env
	door *door
	dse  rootDSE
	// bases are where the tree begins: one, or all naming contexts of a server
	// that names no default.
	bases  []string
	secure string
	policy *ldap.ControlBeheraPasswordPolicy

	mu     sync.Mutex
	closed bool
	idle   []*link
	lent   map[*link]struct{}
	denied error // signing in anew was refused: asking again could lock the account
}

// start signs in and finds out where the tree begins.
func start(ctx context.Context, env *connectors.Env, d *door) (connectors.Session, error) {
	k, err := d.enter(ctx, env)
	if err != nil {
		d.forget()
		return nil, err
	}
	s := &session{env: env, door: d, lent: map[*link]struct{}{}, secure: k.secure, policy: k.policy}
	err = env.Climb(ctx, connectors.StageRights, "base DN", func(ctx context.Context) (string, error) {
		if err := s.survey(ctx, k); err != nil {
			return "", err
		}
		return strings.Join(s.bases, "; "), nil
	})
	if err != nil {
		k.kill()
		d.forget()
		return nil, err
	}
	s.idle = append(s.idle, k)
	return s, nil
}

// survey reads the root DSE and proves that the base can be seen.
func (s *session) survey(ctx context.Context, k *link) error {
	c := s.door.c
	err := k.do(ctx, func(k *link) (err error) {
		s.dse, err = readRootDSE(k)
		return err
	})
	if err != nil && (c.BaseDN == "" || !answered(err)) {
		return atBase(c, "", err)
	}
	if c.BaseDN != "" {
		s.bases = []string{c.BaseDN}
	} else if s.bases = s.dse.contexts(c.atCatalog()); len(s.bases) == 0 {
		return &connectors.Error{Code: connectors.NotFound, Reason: "ldap.no_contexts", Target: c.addr(), Field: "base_dn"}
	}
	var visible []string
	for _, base := range s.bases {
		err = k.do(ctx, func(k *link) error { return see(k, base) })
		if err == nil {
			visible = append(visible, base)
		} else if !answered(err) {
			break
		}
	}
	if len(visible) == 0 || (err != nil && !answered(err)) {
		return nearer(ctx, k, s.bases[0], atBase(c, s.bases[0], err))
	}
	s.bases = visible
	return nil
}

// nearer names the nearest entry above one that is not there, where the server
// has not done so itself (RFC 4511 section 4.1.9).
func nearer(ctx context.Context, k *link, dn string, err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) || e.Reason != "ldap.no_base" || strings.HasPrefix(e.Said, nearest) {
		return err
	}
	for range maxParents {
		if dn = parentOf(dn); dn == "" {
			break
		}
		found := k.do(ctx, func(k *link) error { return see(k, dn) })
		if found == nil {
			named := *e
			named.Said = nearest + connectors.Clean(dn, 200)
			return &named
		}
		if !answered(found) {
			break
		}
	}
	return err
}

// see proves with the least of reads that an entry is there.
func see(k *link, dn string) error {
	found, _, err := k.search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	if err == nil && len(found) == 0 {
		err = ldap.NewError(ldap.LDAPResultNoSuchObject, errors.New("no entry came back"))
	}
	return err
}

// take lends a connection, a waiting one where there is one.
func (s *session) take(ctx context.Context) (*link, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, s.door.c.addr())
	}
	s.mu.Lock()
	for len(s.idle) > 0 && !s.closed {
		k := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if k.ldap.IsClosing() {
			k.kill()
			continue
		}
		k.idled = true
		s.lent[k] = struct{}{}
		s.mu.Unlock()
		return k, nil
	}
	s.mu.Unlock()
	return s.enter(ctx)
}

// enter signs in anew.
func (s *session) enter(ctx context.Context) (*link, error) {
	s.mu.Lock()
	closed, denied := s.closed, s.denied
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if denied != nil {
		return nil, denied
	}
	k, err := s.door.enter(ctx, s.env)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if settled(err) {
			s.denied = err
		}
		return nil, err
	}
	if s.closed {
		k.kill()
		return nil, errClosed
	}
	s.lent[k] = struct{}{}
	return k, nil
}

// give takes a connection back; one that is not sound is ended.
func (s *session) give(k *link, sound bool) {
	s.mu.Lock()
	delete(s.lent, k)
	keep := sound && !s.closed && !k.ldap.IsClosing() && len(s.idle) < maxIdle
	if keep {
		s.idle = append(s.idle, k)
	}
	s.mu.Unlock()
	switch {
	case keep:
	case sound:
		k.leave()
	default:
		k.kill()
	}
}

// begin borrows a connection for the first exchange of a look. A server may
// have ended one that waited; then, and only then, it is done once more anew.
func (s *session) begin(ctx context.Context, exchange func(*link) error) (*link, error) {
	k, err := s.take(ctx)
	if err != nil {
		return nil, err
	}
	err = k.do(ctx, exchange)
	if err == nil || answered(err) {
		return k, err
	}
	s.give(k, false)
	if !k.idled || ctx.Err() != nil || errors.Is(err, errNotLDAP) || errors.Is(err, errTooBig) {
		return nil, s.lost(ctx, err)
	}
	if k, err = s.enter(ctx); err != nil {
		return nil, err
	}
	if err = k.do(ctx, exchange); err == nil || answered(err) {
		return k, err
	}
	s.give(k, false)
	return nil, s.lost(ctx, err)
}

// lost explains an exchange that no answer ended.
func (s *session) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, s.door.c.addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	return notAnswered(s.door.c.addr(), err)
}

// with runs one exchange on a borrowed connection.
func (s *session) with(ctx context.Context, exchange func(*link) error) error {
	k, err := s.begin(ctx, exchange)
	if k != nil {
		s.give(k, true)
	}
	return err
}

// explain maps what begin or with returned; target is the DN it was about.
func (s *session) explain(target string, err error) error {
	if err == nil {
		return nil
	}
	return explain(s.door.c, target, err)
}

// Close ends every connection; what is under way ends as cancelled.
func (s *session) Close() error {
	s.mu.Lock()
	idle, lent := s.idle, s.lent
	s.closed, s.idle, s.lent = true, nil, map[*link]struct{}{}
	s.mu.Unlock()
	for k := range lent {
		k.kill()
	}
	for _, k := range idle {
		k.leave()
	}
	s.door.forget()
	return nil
}
