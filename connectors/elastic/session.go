package elastic

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// The bounds of one request.
const (
	maxAnswer = 32 << 20
	timeout   = 45 * time.Second
)

// The products, as Check shows them.
const (
	elasticsearch = "Elasticsearch"
	openSearch    = "OpenSearch"
)

type session struct {
	env     *connectors.Env
	c       config
	client  *http.Client
	product string // "" where the account may not ask
	version string
	cluster string
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	spec := connectors.HTTP{NoRedirects: true, Timeout: timeout}
	if c.secure() {
		if c.Print != "" && c.Pin == "" && c.CA == "" {
			ca, err := authority(ctx, env, c)
			if err != nil {
				return nil, err
			}
			c.CA = ca
		}
		spec.TLS = c.Spec()
	}
	client, err := env.HTTP(spec)
	if err != nil {
		return nil, err
	}
	s := &session{env: env, c: c, client: client}
	err = env.Climb(ctx, connectors.StageSignIn, c.account(), func(ctx context.Context) (string, error) {
		return c.account(), s.greet(ctx)
	})
	if err != nil {
		client.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

// greet asks what answers there. Who may not know it (the privilege monitor) is
// signed in all the same.
func (s *session) greet(ctx context.Context) error {
	root, header, err := s.get(ctx, "/", nil)
	var refused *connectors.Error
	if errors.As(err, &refused) && refused.Reason == "elastic.denied" {
		return nil
	}
	if err != nil {
		return err
	}
	s.version, s.cluster = jsonx.Text(root, "version.number"), connectors.Clean(jsonx.Text(root, "cluster_name"), 200)
	switch {
	case strings.EqualFold(jsonx.Text(root, "version.distribution"), "opensearch"):
		s.product = openSearch
	case header.Get("X-Elastic-Product") == elasticsearch, s.version != "" && jsonx.Text(root, "version.lucene_version") != "":
		s.product = elasticsearch // 7.14 and newer say so in the header
	default:
		return s.c.notThis("")
	}
	return nil
}

func (s *session) get(ctx context.Context, path string, query url.Values) (jsonx.Value, http.Header, error) {
	return s.ask(ctx, http.MethodGet, path, query, nil)
}

// ask makes one exchange and reads its JSON; path is already escaped.
func (s *session) ask(ctx context.Context, method, path string, query url.Values, body []byte) (jsonx.Value, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.c.at(path, query), bytes.NewReader(body))
	if err != nil {
		return nil, nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: errors.New("this makes no address")}
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a := s.c.authorization(); a != "" {
		req.Header.Set("Authorization", a)
	}
	res, err := httpx.Do(s.client, req, maxAnswer)
	if err != nil {
		return nil, nil, s.c.unreached(err)
	}
	if err := s.c.refused(res); err != nil {
		return nil, nil, err
	}
	if res.Truncated {
		return nil, nil, &connectors.Error{Code: connectors.Unsupported, Reason: "elastic.too_large", Op: connectors.StageData, Target: path}
	}
	v, err := jsonx.Parse(res.Body)
	if err != nil {
		return nil, nil, s.c.notThis(res.Media())
	}
	return v, res.Header, nil
}

// Check asks who this is, how the cluster is, and whether indices may be listed.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	var facts []connectors.Fact
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, connectors.Fact{Label: label, Text: connectors.Clean(text, 300)})
		}
	}
	who, err := s.whoAmI(ctx)
	if err != nil {
		return nil, err
	}
	facts = append(facts, who...)
	if s.product != "" {
		add("Server", s.product+" "+s.version)
	}
	add("Cluster", s.cluster)
	encryption := "none"
	if s.c.secure() {
		encryption = "TLS"
	}
	add("Encryption", encryption)
	if health, _, err := s.get(ctx, "/_cluster/health", nil); err == nil {
		add("Health", jsonx.Text(health, "status")+", "+jsonx.Text(health, "number_of_nodes")+" nodes")
	}
	if _, err := s.listed(ctx, true); err != nil {
		return facts, s.notListed(ctx, err)
	}
	return facts, nil
}

// whoAmI is told by Elasticsearch's security, or by OpenSearch's plugin. A cluster
// without either knows nobody.
func (s *session) whoAmI(ctx context.Context) ([]connectors.Fact, error) {
	path := "/_security/_authenticate"
	if s.product == openSearch {
		path = "/_plugins/_security/authinfo"
	}
	me, _, err := s.get(ctx, path, nil)
	if code := connectors.CodeOf(err); err != nil && code != connectors.Refused && code != connectors.NotFound && code != connectors.Denied && code != connectors.BadInput {
		return nil, err
	}
	account := jsonx.Text(me, "username|user_name")
	if account == "" {
		account = s.c.account()
	}
	if key := jsonx.Text(me, "api_key.name"); key != "" {
		account = "API key " + key + " of " + account
	}
	facts := []connectors.Fact{{Label: "Account", Text: connectors.Clean(account, 200)}}
	if roles := jsonx.Text(me, "roles.,"); roles != "" {
		facts = append(facts, connectors.Fact{Label: "Roles", Text: connectors.Clean(roles, 300)})
	}
	if id := jsonx.Text(me, "api_key.id"); id != "" {
		keys, _, err := s.get(ctx, "/_security/api_key", url.Values{"id": {id}, "owner": {"true"}})
		if ms, ok := number(jsonx.At(keys, "api_keys.0.expiration")); err == nil && ok {
			facts = append(facts, connectors.Fact{Label: "Expires", Text: time.UnixMilli(ms).UTC().Format(time.RFC3339)})
		}
	}
	return facts, nil
}

// notListed says that indices cannot be listed. One that the form names can be
// looked at all the same, where it may be searched.
func (s *session) notListed(ctx context.Context, err error) error {
	e := *connectors.Classify(err)
	if e.Code != connectors.Denied {
		return &e
	}
	e.Reason, e.Op, e.Field = "elastic.not_listed", connectors.StageRights, "index"
	if len(s.c.named()) > 0 {
		if _, err := s.search(ctx, s.c.Index, 1); err != nil {
			return err
		}
		e.Partial = true
	}
	return &e
}

// Close frees everything.
func (s *session) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
