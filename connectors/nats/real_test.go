package nats

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	natsd "github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	adminPass  = "practice-only-admin"
	readerPass = "practice-only-reader"
	oddSubject = "orders.gpj.exe\u202e"
)

// run starts the real server in this process from a configuration file, as an
// administrator writes it.
func run(tb testing.TB, conf string) *natsd.Server {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "nats.conf")
	conf = "host: 127.0.0.1\nport: -1\n" + strings.ReplaceAll(conf, "STORE", dir)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	opts, err := natsd.ProcessConfigFile(file)
	if err != nil {
		tb.Fatalf("%v\n%s", err, conf)
	}
	opts.NoSigs, opts.NoLog = true, true
	return serve(tb, opts)
}

func serve(tb testing.TB, opts *natsd.Options) *natsd.Server {
	tb.Helper()
	s, err := natsd.NewServer(opts)
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		tb.Fatal("the server did not start")
	}
	return s
}

const accounts = `
jetstream { store_dir: "STORE/js" }
accounts {
  APP {
    jetstream: enabled
    users: [
      { user: admin, password: "` + adminPass + `" }
      { user: reader, password: "` + readerPass + `", permissions: {
          publish: ["$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.LIST.*", "$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.>", "$SYS.REQ.USER.INFO"]
          subscribe: ["orders.>", "$KV.>", "_INBOX.>"] } }
      { user: narrow, password: "` + readerPass + `", permissions: { publish: ["$JS.API.STREAM.INFO.ORDERS", "$SYS.REQ.USER.INFO"], subscribe: ["mine.>"] } }
    ]
  }
  PLAIN { users: [ { user: core, password: "` + readerPass + `" } ] }
}
`

// admin signs in as the library does it by itself, to make what is looked at.
func admin(tb testing.TB, s *natsd.Server, opts ...client.Option) (*client.Conn, jetstream.JetStream) {
	tb.Helper()
	nc, err := client.Connect(s.ClientURL(), append([]client.Option{client.UserInfo("admin", adminPass)}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return nc, js
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// answered are the form's answers; more is pairs of keys and answers.
func answered(s *natsd.Server, more ...string) connectors.Settings {
	out := connectors.NewSettings()
	out.Plain["servers"], out.Plain["transport"] = s.Addr().String(), overTCP
	out.Plain["auth"], out.Plain["user"] = byPassword, "reader"
	out.Secrets["password"] = connectors.NewSecret(readerPass)
	for i := 0; i < len(more); i += 2 {
		if f, _ := Type().Form.Field(more[i]); f.Kind.Secret() {
			out.Secrets[more[i]] = connectors.NewSecret(more[i+1])
		} else {
			out.Plain[more[i]] = more[i+1]
		}
	}
	return out
}

func aim(s connectors.Settings, host, port string) connectors.Settings {
	s.Plain["servers"] = net.JoinHostPort(host, port)
	return s
}

// tlsConf is a server's with a certificate, and one of the clients' where mutual.
func tlsConf(tb testing.TB, ca *server.CA, more string) string {
	tb.Helper()
	dir := tb.TempDir()
	cert, key := ca.Issue(tb, server.Cert{}).Write(tb, dir, "server")
	root := server.WriteFile(tb, dir, "ca.pem", ca.PEM, 0o600)
	return fmt.Sprintf("cert_file: %q\nkey_file: %q\nca_file: %q\n%s", cert, key, root, more)
}

const oneUser = "authorization { user: reader, password: \"" + readerPass + "\" }\n"

func TestNATSServer(t *testing.T) {
	ca, other := server.NewCA(t), server.NewCA(t)
	s := run(t, accounts+"tls {\n"+tlsConf(t, ca, "")+"}\n")
	_, js := admin(t, s, client.RootCAs(server.WriteFile(t, t.TempDir(), "ca.pem", ca.PEM, 0o600)))
	must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}}))(t)
	must(js.Publish(t.Context(), oddSubject, []byte("x")))(t)
	plain := run(t, accounts)
	mutual := run(t, "tls {\n"+tlsConf(t, ca, "verify: true")+"}\n")
	first := run(t, oneUser+"tls {\n"+tlsConf(t, ca, "handshake_first: true")+"}\n")
	full := run(t, oneUser+"max_connections: 1\n")
	keep := conntest.Open(t, Type(), answered(full))
	web := run(t, oneUser+"websocket { host: 127.0.0.1, port: -1, no_tls: true }\n")
	secure := []string{"transport", overTLS, "ca", ca.PEM}
	set := func(s *natsd.Server, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return answered(s, more...) }
	}
	safe := func(more ...string) func(testing.TB) connectors.Settings {
		return set(s, append(secure[:4:4], more...)...)
	}
	stranger := other.Issue(t, server.Cert{Client: true})
	seed, _ := must(nkeys.CreateUser())(t).Seed()
	speaks := func(said string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, port := conntest.Speaks(tb, said)
			return aim(answered(plain), host, port)
		}
	}
	conntest.Run(t, conntest.Suite{Type: Type(), Good: safe(), Aim: aim,
		Hostile: &conntest.Place{Settings: safe(), Node: "streams/ORDERS/subjects"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: safe("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: safe("user", "stranger"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "nothing", Settings: safe("auth", byNothing), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "wrong token", Settings: safe("auth", byToken, "token", "practice-only-token"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
			{Name: "NKeys not used there", Settings: set(full, "auth", byNKey, "seed", string(seed)), Code: connectors.Unsupported, Field: "auth"},
			{Name: "unknown authority", Settings: set(s, "transport", overTLS, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: safe("tls_name", "nats.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "plain to TLS", Settings: set(s), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "transport"},
			{Name: "TLS to plain", Settings: set(plain, secure...), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "transport"},
			{Name: "TLS first to plain", Settings: set(plain, "transport", overTLSFirst), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "transport"},
			{Name: "TLS to a web server's", Settings: set(web, "transport", overWSS), Code: connectors.Refused, Field: "transport"},
			{Name: "WebSocket to TCP", Settings: set(plain, "transport", overWS), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "transport"},
			{Name: "client certificate missing", Settings: set(mutual, append(secure, "auth", byNothing)...), Code: connectors.AuthFailed, Field: "auth"},
			{Name: "client certificate of another authority", Settings: set(mutual, append(secure, "auth", byCertificate, "client_cert", stranger.Cert, "client_key", stranger.Key)...), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate without TLS", Settings: set(plain, "auth", byCertificate), Code: connectors.BadInput, Field: "transport"},
			{Name: "too many connections", Settings: func(tb testing.TB) connectors.Settings {
				if _, err := keep.Check(tb.Context()); err != nil {
					tb.Error(err)
				}
				return answered(full)
			}, Code: connectors.Throttled, Stage: connectors.StageSignIn, Field: "-"},
			{Name: "another protocol", Settings: speaks("SSH-2.0-OpenSSH_9.2\r\n"), Code: connectors.Refused, Field: "servers"},
			{Name: "a web server", Settings: speaks("HTTP/1.1 400 Bad Request\r\n\r\n"), Code: connectors.Refused, Field: "transport"},
			{Name: "unknown host", Settings: set(plain, "servers", "no-such-host.invalid:4222"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "servers"},
			{Name: "not a seed", Settings: set(plain, "auth", byNKey, "seed", "practice"), Code: connectors.BadInput, Field: "seed"},
			{Name: "no such stream", Settings: safe("streams", "ORDERS MISSING"), Code: connectors.NotFound, Field: "streams"},
			{Name: "a stream that may not be asked for", Settings: set(plain, "user", "narrow", "streams", "SECRET"), Code: connectors.Denied, Field: "inbox_prefix"},
			{Name: "no such domain", Settings: set(plain, "user", "admin", "password", adminPass, "domain", "nowhere", "streams", "X"), Code: connectors.NotFound, Field: "domain"},
		}})
	_ = first
}

func TestNATSServerManySubjects(t *testing.T) {
	s := run(t, accounts)
	nc, js := admin(t, s)
	must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MANY", Subjects: []string{"many.*"}, Storage: jetstream.MemoryStorage}))(t)
	for i := range 12000 {
		_ = nc.Publish(fmt.Sprintf("many.%d", i), nil)
	}
	must(js.Publish(t.Context(), "many.last", nil))(t)
	good := func(testing.TB) connectors.Settings { return answered(s) }
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good, Aim: aim, Big: &conntest.Big{Settings: good, Parent: "streams/MANY/subjects", Count: 10000}})
}

func TestNATSServerWaysIn(t *testing.T) {
	ca := server.NewCA(t)
	pair := must(nkeys.CreateUser())(t)
	public, _ := pair.PublicKey()
	seed, _ := pair.Seed()
	own := ca.Issue(t, server.Cert{Client: true, Name: "reader"})
	tlsText := "tls {\n" + tlsConf(t, ca, "") + "}\n"
	password := run(t, oneUser)
	safe := []string{"ca", ca.PEM, "transport"}
	host, port := conntest.Closed(t)
	for _, c := range []struct {
		name     string
		settings connectors.Settings
		account  string
	}{
		{"password", answered(password), "reader"},
		{"token", answered(run(t, "authorization { token: practice-only-token }"), "auth", byToken, "token", "practice-only-token"), "bearer of the token"},
		{"NKey", answered(run(t, "authorization { users: [ { nkey: "+public+" } ] }"), "auth", byNKey, "seed", string(seed)+"\n"), public},
		{"nothing", answered(run(t, ""), "auth", byNothing), "anonymous"},
		{"TLS", answered(run(t, oneUser+tlsText), append(safe, overTLS)...), "reader"},
		{"TLS from the first byte", answered(run(t, oneUser+"tls {\n"+tlsConf(t, ca, "handshake_first: true")+"}\n"), append(safe, overTLSFirst)...), "reader"},
		{"certificate", answered(run(t, "tls {\n"+tlsConf(t, ca, "verify: true")+"}\n"), append(safe, overTLS, "auth", byCertificate, "client_cert", own.Cert, "client_key", own.Key)...), "client certificate"},
		{"WebSocket", websocket(t, "no_tls: true", overWS, ""), "reader"},
		{"WebSocket over TLS", websocket(t, "tls {\n"+tlsConf(t, ca, "")+"}", overWSS, ca.PEM), "reader"},
		{"the second server", answered(password, "servers", net.JoinHostPort(host, port)+"\n"+password.Addr().String()), "reader"},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts, err := conntest.Open(t, Type(), c.settings).Check(t.Context())
			if err != nil || facts[0].Text != c.account || !strings.Contains(conntest.Fact(facts, "Server"), "NATS 2.") || !strings.Contains(conntest.Fact(facts, "JetStream"), "not switched on") || conntest.Fact(facts, "Largest message") != "1.0 MiB" {
				t.Errorf("%+v %v", facts, err)
			}
		})
	}
}

func websocket(tb testing.TB, conf, transport, ca string) connectors.Settings {
	tb.Helper()
	port := server.FreePort(tb)
	s := run(tb, oneUser+fmt.Sprintf("websocket {\n host: 127.0.0.1\n port: %d\n %s\n}\n", port, conf))
	return aim(answered(s, "transport", transport, "ca", ca), "127.0.0.1", fmt.Sprint(port))
}

// An operator's world: accounts and users are JWTs, as nsc makes them.
type operator struct {
	*natsd.Server
	account nkeys.KeyPair
	claims  *jwt.AccountClaims
	key     nkeys.KeyPair
}

func operated(tb testing.TB, change func(*jwt.AccountClaims)) *operator {
	tb.Helper()
	op := must(nkeys.CreateOperator())(tb)
	opID, _ := op.PublicKey()
	opClaims := jwt.NewOperatorClaims(opID)
	acc := must(nkeys.CreateAccount())(tb)
	accID, _ := acc.PublicKey()
	ac := jwt.NewAccountClaims(accID)
	ac.Name = "ACME"
	if change != nil {
		change(ac)
	}
	text := must(ac.Encode(op))(tb)
	resolver := &natsd.MemAccResolver{}
	if err := resolver.Store(accID, text); err != nil {
		tb.Fatal(err)
	}
	opClaims = must(jwt.DecodeOperatorClaims(must(opClaims.Encode(op))(tb)))(tb)
	s := serve(tb, &natsd.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, TrustedOperators: []*jwt.OperatorClaims{opClaims}, AccountResolver: resolver})
	return &operator{s, acc, ac, op}
}

func (o *operator) creds(tb testing.TB, expires time.Time) string {
	tb.Helper()
	user := must(nkeys.CreateUser())(tb)
	id, _ := user.PublicKey()
	uc := jwt.NewUserClaims(id)
	uc.Name = "reader"
	if !expires.IsZero() {
		uc.Expires = expires.Unix()
	}
	seed, _ := user.Seed()
	return string(must(jwt.FormatUserConfig(must(uc.Encode(o.account))(tb), seed))(tb))
}

func TestNATSServerOfAnOperator(t *testing.T) {
	o := operated(t, nil)
	at := time.Now().Add(time.Hour).Truncate(time.Second)
	s := conntest.Open(t, Type(), answered(o.Server, "auth", byCreds, "creds", o.creds(t, at)))
	facts, err := s.Check(t.Context())
	if err != nil || facts[0].Text != "reader" || conntest.Fact(facts, "Expires") != at.UTC().Format(time.RFC3339) {
		t.Errorf("%+v %v", facts, err)
	}
	stranger := operated(t, nil)
	for name, c := range map[string]struct {
		creds  string
		code   connectors.Code
		reason string
	}{
		"ran out":             {o.creds(t, time.Now().Add(-time.Hour)), connectors.Expired, "nats.expired"},
		"of another operator": {stranger.creds(t, time.Time{}), connectors.AuthFailed, "nats.auth"},
		"no file":             {"practice", connectors.BadInput, ""},
	} {
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, answered(o.Server, "auth", byCreds, "creds", c.creds))
		if e := connectors.Classify(err); e == nil || e.Code != c.code || e.Reason != c.reason || e.Field != "creds" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	// What runs out while it is used.
	soon := conntest.Open(t, Type(), answered(o.Server, "auth", byCreds, "creds", o.creds(t, time.Now().Add(2*time.Second)), "subjects", "x"))
	var last error
	for _, err := range soon.(connectors.Streamer).Watch(t.Context(), "live") {
		last = err
	}
	if e := connectors.Classify(last); e == nil || e.Code != connectors.Expired {
		t.Errorf("ran out in use: %+v", e)
	}
	busy := operated(t, func(a *jwt.AccountClaims) { a.Limits.Conn = 1 })
	file := busy.creds(t, time.Time{})
	_ = conntest.Open(t, Type(), answered(busy.Server, "auth", byCreds, "creds", file))
	_, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, answered(busy.Server, "auth", byCreds, "creds", file))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Throttled {
		t.Errorf("too many connections of an account: %+v", e)
	}
}
