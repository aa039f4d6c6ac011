package mongodb

import (
	"context"
	"net"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"jackfield/connectors"
)

// The bounds of what is waited for.
const (
	selection = 12 * time.Second // until a server that fits is found
	dialling  = 10 * time.Second // one connection, with TLS and hello
	operation = 30 * time.Second // one command, at the server too
	farewell  = 3 * time.Second
)

type session struct {
	env    *connectors.Env
	c      config
	dialer *dialer
	client *mongo.Client
	end    context.CancelFunc
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	found := cluster{hosts: c.seeds(), replicaSet: c.ReplicaSet}
	if c.Topology == aName {
		err := env.Climb(ctx, connectors.StageResolve, c.Host, func(ctx context.Context) (string, error) {
			var err error
			found, err = lookUp(ctx, net.DefaultResolver, c.Host)
			return strings.Join(found.hosts, ", "), err
		})
		if err != nil {
			return nil, err
		}
	}
	return start(ctx, env, c, found)
}

// check finds answers that do not go together.
func (c config) check() error {
	e := &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm}
	switch {
	case c.Auth == byCertificate && !c.secure():
		e.Reason, e.Field = "mongodb.needs_tls", "security"
	case c.Auth == byDirectory && !c.secure():
		e.Reason, e.Field = "mongodb.needs_tls", "security"
	case c.Auth == byCertificate && !c.Presents():
		e.Reason, e.Field = "mongodb.no_certificate", "client_cert"
	default:
		return nil
	}
	return e
}

// start climbs the rungs up to the sign-in. The driver dials, encrypts and signs in
// within one call: the dialer tells the first rungs from within.
func start(ctx context.Context, env *connectors.Env, c config, found cluster) (connectors.Session, error) {
	life, end := context.WithCancel(context.Background())
	opening, give := context.WithCancelCause(ctx)
	defer give(nil)
	d := &dialer{env: env, c: c, life: life, secured: "none", failed: map[string]error{}, give: give, need: len(found.hosts)}
	client, err := mongo.Connect(c.options(d, found))
	if err != nil {
		end()
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Err: err}
	}
	s := &session{env: env, c: c, dialer: d, client: client, end: end}
	err = client.Ping(opening, readpref.Nearest())
	if err != nil && ctx.Err() == nil && opening.Err() != nil {
		err = context.Cause(opening)
	}
	d.opened()
	if err = s.refused(ctx, err, c.target(), connectors.StageSignIn); err != nil {
		_ = s.Close()
		if op := connectors.Classify(err).Op; op == connectors.StageResolve || op == connectors.StageConnect || op == connectors.StageSecure {
			return nil, err
		}
	}
	if err := env.Climb(ctx, connectors.StageSignIn, c.account(), func(context.Context) (string, error) { return c.account(), err }); err != nil {
		return nil, err
	}
	return s, nil
}

// options are made field by field: nothing that a person typed is parsed as a
// connection string, and the environment has no say in logging.
func (c config) options(d *dialer, found cluster) *options.ClientOptions {
	o := options.Client().SetHosts(found.hosts).SetDialer(d).SetServerMonitor(d.monitor()).
		SetAppName("Jackfield").SetDirect(c.Topology == oneServer).
		SetServerSelectionTimeout(selection).SetConnectTimeout(dialling).SetTimeout(operation).
		SetMaxPoolSize(4).SetMaxConnIdleTime(time.Minute).SetServerMonitoringMode("poll").
		SetReadPreference(readpref.SecondaryPreferred()).SetRetryReads(false).SetRetryWrites(false).
		SetLoggerOptions(options.Logger().SetSink(silence{}))
	if found.replicaSet != "" {
		o.SetReplicaSet(found.replicaSet)
	}
	if found.loadBalanced {
		o.SetLoadBalanced(true)
	}
	source := c.AuthSource
	if found.authSource != "" && source == "admin" {
		source = found.authSource
	}
	switch c.Auth {
	case byPassword:
		auth := options.Credential{Username: c.User, Password: c.Password.Reveal(), PasswordSet: true, AuthSource: source}
		if c.Mechanism != "auto" {
			auth.AuthMechanism = c.Mechanism
		}
		o.SetAuth(auth)
	case byDirectory:
		o.SetAuth(options.Credential{AuthMechanism: "PLAIN", Username: c.User, Password: c.Password.Reveal(), PasswordSet: true, AuthSource: "$external"})
	case byCertificate:
		o.SetAuth(options.Credential{AuthMechanism: "MONGODB-X509", AuthSource: "$external"})
	}
	return o
}

// silence is where the driver logs.
type silence struct{}

func (silence) Info(int, string, ...any)    {}
func (silence) Error(error, string, ...any) {}

// command runs one on the database admin.
func (s *session) command(ctx context.Context, name string, more ...bson.E) (bson.Raw, error) {
	raw, err := s.client.Database("admin").RunCommand(ctx, append(bson.D{{Key: name, Value: 1}}, more...)).Raw()
	return raw, s.refused(ctx, err, s.c.target(), connectors.StageRights)
}

// text is a field of a document, "" when it is missing or no text.
func text(raw bson.Raw, path ...string) string {
	v, _ := raw.Lookup(path...).StringValueOK()
	return connectors.Clean(v, 300)
}

// Check asks who this is and with which roles.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	status, err := s.command(ctx, "connectionStatus")
	if err != nil {
		return nil, err
	}
	account := s.c.account()
	var roles []string
	if users, ok := status.Lookup("authInfo", "authenticatedUsers").ArrayOK(); ok {
		for _, u := range documents(users) {
			account = text(u, "user") + " of " + text(u, "db")
		}
	}
	if list, ok := status.Lookup("authInfo", "authenticatedUserRoles").ArrayOK(); ok {
		for _, r := range documents(list) {
			roles = append(roles, text(r, "role")+" on "+text(r, "db"))
		}
	}
	facts := []connectors.Fact{{Label: "Account", Text: account}}
	if info, err := s.command(ctx, "buildInfo"); err == nil {
		facts = append(facts, connectors.Fact{Label: "Server", Text: "MongoDB " + text(info, "version")})
	}
	facts = append(facts, connectors.Fact{Label: "Encryption", Text: s.dialer.encryption()})
	if hello, err := s.command(ctx, "hello"); err == nil {
		facts = append(facts, connectors.Fact{Label: "Kind", Text: kindOf(hello)})
	}
	if len(roles) > 0 {
		facts = append(facts, connectors.Fact{Label: "Roles", Text: connectors.Clean(strings.Join(roles, ", "), 300)})
	}
	if _, err := s.names(ctx); err != nil {
		return facts, s.partial(err)
	}
	return facts, nil
}

// partial says that databases cannot be listed although the sign-in works. Where
// the form names one, that can be looked at.
func (s *session) partial(err error) error {
	e := *connectors.Classify(err)
	e.Partial = e.Code == connectors.Denied
	return &e
}

func documents(list bson.RawArray) []bson.Raw {
	values, err := list.Values()
	if err != nil {
		return nil
	}
	var out []bson.Raw
	for _, v := range values {
		if d, ok := v.DocumentOK(); ok {
			out = append(out, d)
		}
	}
	return out
}

func kindOf(hello bson.Raw) string {
	primary, _ := hello.Lookup("isWritablePrimary").BooleanOK()
	switch set := text(hello, "setName"); {
	case text(hello, "msg") == "isdbgrid":
		return "router of a sharded cluster (mongos)"
	case set != "" && primary:
		return "primary of the replica set " + set
	case set != "":
		return "member of the replica set " + set
	}
	return "one server"
}

// Close says goodbye and frees everything, the driver's goroutines included.
func (s *session) Close() error {
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = s.client.Disconnect(ctx) // twice is an error of the driver's, and none of ours
	return nil
}
