package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/jwtx"
)

// The bounds of what one answer of a broker may be, in bytes.
const (
	maxAnswer   = 64 << 20
	maxUnpacked = 64 << 20
)

type session struct {
	env     *connectors.Env
	c       config
	spec    connectors.TLS
	seed    string // the bootstrap server that answered
	secured string
	dialer  *dialer
	cl      *kgo.Client
	adm     *kadm.Client
	closing sync.Once
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	spec, err := c.spec()
	if err != nil {
		return nil, err
	}
	if _, err := mechanism(c); err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "extensions", Said: err.Error(), Err: err}
	}
	s := &session{env: env, c: c, spec: spec}
	conn, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	s.cl, s.dialer, err = s.client(conn)
	if err != nil {
		_ = conn.Close()
		return nil, connectors.Classify(err)
	}
	s.adm = kadm.NewClient(s.cl)
	err = env.Climb(ctx, connectors.StageSignIn, s.account(), func(ctx context.Context) (string, error) {
		return s.account(), explained(ctx, c, connectors.StageSignIn, s.seed, s.cl.Ping(ctx))
	})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// enter connects to the first bootstrap server that can be reached.
func (s *session) enter(ctx context.Context) (net.Conn, error) {
	d := &dialer{env: s.env, c: s.c, spec: s.spec}
	var first error
	for _, addr := range list(s.c.Servers) {
		conn, secured, err := d.reach(ctx, addr)
		if err == nil {
			s.seed, s.secured = addr, secured
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if code := connectors.CodeOf(err); ctx.Err() != nil || code != connectors.Unreachable && code != connectors.TimedOut {
			return nil, err
		}
	}
	return nil, first
}

// client makes a client that begins with conn, an open connection to the seed, or
// with nil.
func (s *session) client(conn net.Conn, more ...kgo.Opt) (*kgo.Client, *dialer, error) {
	d := &dialer{env: s.env, c: s.c, spec: s.spec, seed: s.seed, first: conn}
	opts := []kgo.Opt{
		kgo.SeedBrokers(s.seed), kgo.ClientID(s.c.ClientID), kgo.SoftwareNameAndVersion("jackfield", "1"), kgo.Dialer(d.dial), kgo.WithHooks(d),
		kgo.RequestRetries(2), kgo.RetryTimeout(8 * time.Second), kgo.RequestTimeoutOverhead(15 * time.Second),
		kgo.BrokerMaxReadBytes(maxAnswer), kgo.MaxDecompressBatchBytes(maxUnpacked), kgo.DisableClientMetrics(),
	}
	m, err := mechanism(s.c)
	if err != nil {
		return nil, nil, err
	}
	if m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	cl, err := kgo.NewClient(append(opts, more...)...)
	return cl, d, err
}

// mechanism signs in; nil where nobody does.
func mechanism(c config) (sasl.Mechanism, error) {
	if !c.sasl() {
		return nil, nil
	}
	switch c.Mechanism {
	case mechPlain:
		return plain.Auth{User: c.User, Pass: c.Password.Reveal()}.AsMechanism(), nil
	case mechScram256:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha256Mechanism(), nil
	case mechScram512:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha512Mechanism(), nil
	}
	more, err := extensions(c.Extensions)
	return oauth.Auth{Token: c.Token.Reveal(), Extensions: more}.AsMechanism(), err
}

func (s *session) account() string {
	switch {
	case s.c.sasl() && s.c.Mechanism == mechOAuth:
		return s.subject()
	case s.c.sasl():
		return s.c.User
	case s.c.encrypted() && s.c.Certificate != certificateNo:
		return "client certificate"
	}
	return "anonymous"
}

// subject is whom a token that is a JWT is about (RFC 7519 section 4.1.2).
func (s *session) subject() string {
	if token, err := jwtx.Decode(s.c.Token.Reveal()); err == nil {
		if v, err := jsonx.Parse([]byte(token.Payload)); err == nil {
			if o, ok := v.(*jsonx.Object); ok {
				if sub, ok := jsonx.At(o, "sub").(string); ok && sub != "" {
					return connectors.Clean(sub, 200)
				}
			}
		}
	}
	return "bearer of the token"
}

// Close frees everything.
func (s *session) Close() error {
	s.closing.Do(func() {
		s.dialer.close()
		s.cl.Close()
	})
	return nil
}

// Check asks for the cluster, its brokers and the topics that the account sees.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	m, err := s.metadata(ctx, s.named())
	if err != nil {
		return nil, s.explain(ctx, s.seed, err)
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: s.account()},
		{Label: "Server", Text: s.seed + s.version(ctx)},
		{Label: "Security", Text: s.security()},
		{Label: "Encryption", Text: s.secured},
		{Label: "Brokers", Text: strconv.Itoa(len(m.Brokers))},
	}
	if m.ClusterID != nil {
		facts = append(facts, connectors.Fact{Label: "Cluster", Text: connectors.Clean(*m.ClusterID, 100)})
	}
	if rights := operations(m.AuthorizedOperations); rights != nil {
		facts = append(facts, connectors.Fact{Label: "Rights on the cluster", Text: rightsWords(rights)})
	}
	if at := s.expires(); at != "" {
		facts = append(facts, connectors.Fact{Label: "Expires", Text: at})
	}
	return s.seen(m, facts)
}

// seen tells which topics are visible, and which of those that the form names are not.
func (s *session) seen(m *kmsg.MetadataResponse, facts []connectors.Fact) ([]connectors.Fact, error) {
	visible, internal := 0, 0
	var first error
	var refused []string
	for t := range s.chosen(m) {
		err := topicErr(t)
		switch {
		case err != nil && slices.Contains(s.plainNames(), topicName(t)):
			refused = append(refused, topicName(t))
			if first == nil {
				first = err
			}
		case t.IsInternal:
			internal++
		default:
			visible++
		}
	}
	text := strconv.Itoa(visible)
	if internal > 0 {
		text += fmt.Sprintf(", and %d of Kafka's own", internal)
	}
	if visible+internal == 0 && len(refused) == 0 {
		text = "none is shown: Kafka hides what an account may not see"
	}
	facts = append(facts, connectors.Fact{Label: "Topics", Text: text})
	if first != nil {
		e := *known(s.c, first)
		e.Partial, e.Op, e.Target, e.Field = true, connectors.StageRights, strings.Join(refused, ", "), "topics"
		return facts, &e
	}
	return facts, nil
}

// security is what Kafka calls it, and what is wrong with it.
func (s *session) security() string {
	how := ""
	if s.c.sasl() {
		how = ", " + s.c.Mechanism
	}
	switch s.c.Security {
	case secureSASLTLS:
		return "SASL_SSL" + how
	case secureTLS:
		return "SSL"
	case secureSASL:
		return "SASL_PLAINTEXT" + how + ": not encrypted"
	}
	return "PLAINTEXT: not encrypted, nobody signs in"
}

// version guesses the server's version from what it understands: the protocol
// does not tell it.
func (s *session) version(ctx context.Context) string {
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, s.cl)
	if err != nil {
		return ""
	}
	return " (Kafka " + kversion.FromApiVersionsResponse(resp).VersionGuess() + ", by what it understands)"
}

// expires is when a token that is a JWT runs out.
func (s *session) expires() string {
	if !s.c.sasl() || s.c.Mechanism != mechOAuth {
		return ""
	}
	token, err := jwtx.Decode(s.c.Token.Reveal())
	if err != nil || token.Expires.IsZero() {
		return ""
	}
	return token.Expires.UTC().Format(time.RFC3339)
}

func (s *session) explain(ctx context.Context, target string, err error) error {
	var many *kadm.ShardErrors
	if errors.As(err, &many) && len(many.Errs) > 0 {
		err = many.Errs[0].Err
	}
	return explained(ctx, s.c, connectors.StageData, target, err)
}
