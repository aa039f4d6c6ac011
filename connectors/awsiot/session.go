package awsiot

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/mqttx"
)

type session struct {
	env    *connectors.Env
	c      config
	region string
	id     string // of the MQTT client
	client *http.Client
	base   awsx.Credentials
	role   *awsx.Assumer // nil without a role
	turn   chan struct{} // is full while a live connection is being made

	mu        sync.Mutex
	closed    bool
	listening *mqttx.Live
	shadows   map[string]bool // filters below $aws that it was asked for
	secured   string
	denied    map[string]*connectors.Error // branches that were refused
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s := &session{env: env, c: c, id: c.id(), turn: make(chan struct{}, 1), denied: map[string]*connectors.Error{}}
	var err error
	if c.keys() {
		err = s.openKeys(ctx)
	} else {
		_, err = s.live(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) openKeys(ctx context.Context) error {
	var err error
	if s.region, err = s.c.region(); err != nil {
		return err
	}
	s.base = awsx.Credentials{AccessKey: s.c.AccessKey, Secret: s.c.SecretKey, Token: s.c.Token}
	if err = s.base.Check(); err != nil {
		return err
	}
	if s.client, err = s.env.HTTP(connectors.HTTP{TLS: s.c.ServerAnswers.Spec(), NoRedirects: true}); err != nil {
		return err
	}
	if s.c.Role != "" {
		s.role = awsx.NewAssumer(s.client, s.region, s.base, awsx.Role{ARN: s.c.Role, ExternalID: s.c.ExternalID}, s.env.Time)
	}
	err = s.env.Climb(ctx, connectors.StageSignIn, s.c.AccessKey, func(ctx context.Context) (string, error) {
		who, err := s.whoAmI(ctx)
		return who.ARN, s.fitting(err)
	})
	if err != nil {
		return err
	}
	return s.env.Climb(ctx, connectors.StageRights, s.c.Endpoint, func(ctx context.Context) (string, error) {
		return s.c.Endpoint, s.fitting(s.rightPlace(ctx))
	})
}

// Check tells who the keys are, and which of the listings are refused.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if !s.c.keys() {
		return s.checkLive(ctx)
	}
	who, err := s.whoAmI(ctx)
	if err != nil {
		return nil, s.fitting(err)
	}
	out := []connectors.Fact{{Label: "Account", Text: who.ARN}, {Label: "AWS account", Text: who.Account}, {Label: "Endpoint", Text: s.c.Endpoint}, {Label: "Region", Text: s.region}}
	if s.c.KeyName != "" {
		out = append(out, connectors.Fact{Label: "Access key name", Text: s.c.KeyName})
	}
	if keys, err := s.credentials(ctx); err == nil && !keys.Expires.IsZero() {
		out = append(out, connectors.Fact{Label: "Expires", Text: keys.Expires.UTC().Format(time.RFC3339)})
	}
	var partial *connectors.Error
	var names []string
	for _, b := range branches {
		err := s.probe(ctx, b)
		if err == nil {
			continue
		}
		e := connectors.Classify(err)
		if e.Code != connectors.Denied {
			return nil, s.fitting(err)
		}
		names = append(names, b.name)
		out = append(out, connectors.Fact{Label: b.name, Text: connectors.Explain(e).Title + " " + e.Said})
		if partial == nil {
			again := *e
			partial = &again
		}
	}
	if partial == nil {
		return out, nil
	}
	partial.Partial, partial.Op, partial.Target = true, connectors.StageRights, strings.Join(names, ", ")
	return out, partial
}

// probe asks a listing for one row.
func (s *session) probe(ctx context.Context, b branch) error {
	var any struct{}
	err := s.get(ctx, b.service, b.path, url.Values{"maxResults": {"1"}}, &any)
	s.note(b.id, err)
	return err
}

// note remembers whether a branch is refused, for the tree.
func (s *session) note(id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.denied, id)
	if e := connectors.Classify(err); e != nil && e.Code == connectors.Denied {
		s.denied[id] = e
	}
}

func (s *session) refused(id string) *connectors.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied[id]
}

// checkLive is for a certificate, which opens live topics alone.
func (s *session) checkLive(ctx context.Context) ([]connectors.Fact, error) {
	l, err := s.live(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.Ping(ctx); err != nil {
		return nil, s.fitting(err)
	}
	s.mu.Lock()
	secured := s.secured
	s.mu.Unlock()
	out := []connectors.Fact{{Label: "Account", Text: "device certificate"}, {Label: "Endpoint", Text: s.c.Endpoint}, {Label: "Encryption", Text: secured},
		{Label: "Client ID", Text: s.id}, {Label: "Subscribed to", Text: strings.Join(mqttx.Filters(s.c.Topic), ", ")}}
	out = append(out, l.Facts()...)
	if refused := l.Refused(); len(refused) > 0 {
		e := *connectors.Classify(s.fitting(refused[0].Err))
		e.Partial = true
		return out, &e
	}
	return out, nil
}

// Close frees everything.
func (s *session) Close() error {
	s.mu.Lock()
	s.closed = true
	l := s.listening
	s.mu.Unlock()
	if l != nil {
		l.Close()
	}
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}
