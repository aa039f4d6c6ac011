package mqtt

import (
	"context"
	"errors"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/mqttx"
)

// figures is the topic filter of the broker's own figures: "#" leaves them out
// (MQTT 3.1.1 section 4.7.2).
const figures = "$SYS/#"

// A session is what mqttx hears, told as an MQTT broker.
type session struct {
	*mqttx.Live
	c       config
	id      string
	secured string
	sys     string // why there are no figures of the broker's own, "" where there are
}

// Broadcasts says that topics are heard and not chosen: a broker lists none.
func (s *session) Broadcasts() bool { return true }

// errFigures is a broker that hung up because it was asked for its own figures.
var errFigures = errors.New("the broker hung up when asked for its own figures")

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	want := c.Figures && slices.Contains(c.filters(), "#")
	s, err := enter(ctx, env, c, want)
	if errors.Is(err, errFigures) {
		if s, err = enter(ctx, env, c, false); err == nil {
			s.sys = "the broker hangs up when asked for them"
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func enter(ctx context.Context, env *connectors.Env, c config, figures bool) (*session, error) {
	conn, secured, err := connect(ctx, env, c)
	if err != nil {
		return nil, err
	}
	s := &session{c: c, id: c.id(), secured: secured}
	err = env.Climb(ctx, connectors.StageSignIn, c.User, func(ctx context.Context) (string, error) {
		s.Live, err = mqttx.SignIn(ctx, conn, s.options())
		return s.account(), fitting(c, err)
	})
	if err != nil {
		return nil, err
	}
	filters := strings.Join(c.filters(), ", ")
	err = env.Climb(ctx, connectors.StageRights, filters, func(ctx context.Context) (string, error) {
		return filters, s.Subscribe(ctx, c.filters()...)
	})
	if err == nil && figures {
		err = s.subscribeFigures(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) options() mqttx.Options {
	o := mqttx.Options{Version: mqttx.V3, ClientID: s.id, Login: s.c.Auth == "password", User: s.c.User, Password: s.c.Password, Target: s.c.addr()}
	if s.c.Protocol == "5" {
		o.Version = mqttx.V5
	}
	return o
}

// subscribeFigures asks apart, so that a refusal of the figures is no refusal of
// the rest.
func (s *session) subscribeFigures(ctx context.Context) error {
	err := connectors.Classify(s.Ask(ctx, figures))
	switch {
	case ctx.Err() != nil:
		return connectors.Classify(context.Cause(ctx))
	case err == nil:
	case err.Reason == "mqtt.topic_closed":
		return errFigures
	default:
		s.sys = "the broker does not give them to this account"
	}
	return nil
}

func (s *session) account() string {
	switch s.c.Auth {
	case "anonymous":
		return "anonymous"
	case "certificate":
		return "client certificate"
	}
	return s.c.User
}

// Check makes a round trip that changes nothing. Topic filters that the broker
// refused beside others make it partial.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := s.Ping(ctx); err != nil {
		return nil, err
	}
	version := map[string]string{"5": "MQTT 5", "3.1.1": "MQTT 3.1.1"}[s.c.Protocol]
	way := map[string]string{"tls": "TLS", "tcp": "TCP", "wss": "WebSocket and TLS", "ws": "WebSocket"}[s.c.Transport]
	out := []connectors.Fact{
		{Label: "Account", Text: s.account()}, {Label: "Server", Text: s.c.addr()}, {Label: "Protocol", Text: version + " over " + way},
		{Label: "Encryption", Text: s.secured}, {Label: "Subscribed to", Text: strings.Join(s.c.filters(), ", ")}, {Label: "Client ID", Text: s.idText()},
	}
	if s.sys != "" {
		out = append(out, connectors.Fact{Label: "The broker's own figures", Text: s.sys})
	}
	out = append(out, s.Facts()...)
	refused := s.Refused()
	if len(refused) == 0 {
		return out, nil
	}
	e := *refused[0].Err
	e.Partial = true
	var names []string
	for _, r := range refused {
		names = append(names, r.Filter)
		out = append(out, connectors.Fact{Label: "Refused: " + r.Filter, Text: connectors.Explain(r.Err).Title})
	}
	e.Target = strings.Join(names, ", ")
	return out, &e
}

// idText says so where the person's own ID may have ended somebody's session: no
// version of MQTT tells whether it did.
func (s *session) idText() string {
	switch {
	case s.c.ClientID == "":
		return s.id
	case s.c.ExactID:
		return s.id + ", exactly as typed: whoever was connected with it is not any more"
	}
	return s.id + ", made from " + s.c.ClientID + " so that nobody is thrown out"
}

// Actions are what can be done at a topic.
func (s *session) Actions(id connectors.NodeID) []connectors.Action { return mqttx.Actions(string(id)) }

// Act publishes one message, once.
func (s *session) Act(ctx context.Context, id connectors.NodeID, action, input string) ([]connectors.Part, error) {
	return s.Live.Act(ctx, string(id), action, input)
}

// Close says goodbye and frees everything.
func (s *session) Close() error {
	s.Live.Close()
	return nil
}
