package redis

import (
	"strconv"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// awkward is a password with every sign that some syntax gives a meaning.
const awkward = `practice 'only" @/#?%\: x' host='evil.example'`

const manyKeys = 12_000

type fixture struct {
	*server.Redis
	ca *server.CA
}

// startRedis is a server with users, TLS and keys of every type.
func startRedis(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{ca: server.NewCA(t)}
	f.Redis = server.StartRedis(t, server.RedisConf{
		CA: f.ca, Admin: "boss", Password: "practice-only-boss",
		Users: []string{
			"user default on >practice-only-default ~* &* +@all",
			"user boss on >practice-only-boss ~* &* +@all",
			"user reader on >practice-only-reader ~app:* +@read +@connection -@dangerous +info +acl|whoami",
			"user least on >practice-only-least ~app:* +@read -@dangerous",
			"user keyed on >practice-only-keyed ~app:* +get +getrange +strlen +type +pttl",
			"user gone off >practice-only-gone ~* +@all",
		},
	})
	f.Feed(t, `ACL SETUSER awkward on ">`+`practice 'only\" @/#?%\\: x' host='evil.example'`+`" ~* +@all
SET app:1 "hello"
SET app:json "{\"a\": [1, 2]}"
SET app "the key that is named like a folder"
SET app: "the key that is named like its folder"
SET app:bytes "\x00\xff\xfe binary"
SET "app:star*" "no pattern"
SET "app:a/b%" "slash"
SET "odd \x1b[31m\xe2\x80\xae name" "x"
SET other:secret "not for the reader"
SET lives "a while" PX 100000000
HSET app:hash name Ada age 36 bytes "\xff\x00"
RPUSH app:list a b c
SADD app:set x y z
ZADD app:zset 1.5 one 2 two
XADD app:stream 1-1 kind order total 12
XADD app:stream 1-2 kind refund reason late
EVAL "for i=1,12000 do redis.call('SET','many:'..i,i) end" 0
EVAL "for i=1,3000 do redis.call('HSET','wide',i,string.rep('x',20)) end" 0
EVAL "redis.call('SET','large',string.rep('x',9000000))" 0
EVAL "for i=1,30 do redis.call('RPUSH','fat',string.rep('y',3000000)) end" 0
SELECT 3
SET third 1`)
	return f
}

func settings(f *fixture, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(f.Port), "auth", byPassword, "user", "reader", "security", "none", "password", "practice-only-reader"}, more...)
}

func (f *fixture) set(more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return settings(f, more...) }
}

// encrypted are answers for the TLS port, with a client certificate of ca.
func (f *fixture) encrypted(ca *server.CA, more ...string) func(testing.TB) connectors.Settings {
	return func(tb testing.TB) connectors.Settings {
		own := ca.Issue(tb, server.Cert{Name: "reader", Client: true})
		return settings(f, append([]string{"port", strconv.Itoa(f.TLS), "security", "tls", "ca", f.ca.PEM, "client_cert", own.Cert, "client_key", own.Key}, more...)...)
	}
}

func TestRedis(t *testing.T) {
	f := startRedis(t)
	t.Run("conformance", f.plainly)
	t.Run("conformance with TLS", f.withTLS)
	t.Run("tree", f.tree)
	t.Run("parts of the tree", f.parts)
	t.Run("values", f.values)
	t.Run("strings", f.strings)
	t.Run("rights", f.rights)
	t.Run("named keys", f.named)
	t.Run("TestSecurity60_EverySignOfAPasswordCounts", f.password)
	t.Run("TestSecurity63_ValuesAreBounded", f.bounded)
	t.Run("TestSecurity63_NothingButReadsIsSent", f.onlyReads)
	t.Run("lost connection", f.reconnects)
}

func (f *fixture) plainly(t *testing.T) {
	one := server.StartRedis(t, server.RedisConf{Conf: "requirepass practice-only-one\ndatabases 4"})
	alone := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return settings(f, append([]string{"port", strconv.Itoa(one.Port), "user", "", "password", "practice-only-one"}, more...)...)
		}
	}
	open := server.StartRedis(t, server.RedisConf{})
	speaks := func(greeting string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, port := conntest.Speaks(tb, greeting)
			return settings(f, "host", host, "port", port)
		}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: f.set(),
		Big:     &conntest.Big{Settings: f.set("user", "boss", "password", "practice-only-boss"), Parent: "0/many:*", Count: manyKeys},
		Hostile: &conntest.Place{Settings: f.set(), Node: "0"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: f.set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: f.set("user", "nobody"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "user switched off", Settings: f.set("user", "gone", "password", "practice-only-gone"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "password missing", Settings: f.set("auth", byNothing), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "wrong single password", Settings: alone("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "password where there is none", Settings: alone("port", strconv.Itoa(open.Port)), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "database missing", Settings: alone("database", "9"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "database"},
			{Name: "listing not permitted", Settings: f.set("user", "keyed", "password", "practice-only-keyed"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "known"},
			{Name: "database not permitted", Settings: f.set("user", "least", "password", "practice-only-least", "database", "3"), Code: connectors.Denied, Stage: connectors.StageRights},
			{Name: "TLS port in the clear", Settings: f.set("port", strconv.Itoa(f.TLS)), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "a web server", Settings: speaks("HTTP/1.1 400 Bad Request\r\n\r\n"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "SSH", Settings: speaks("SSH-2.0-OpenSSH_9.2\r\n"), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "unknown host", Settings: f.set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "database -1", Settings: f.set("database", "-1"), Code: connectors.BadInput, Field: "database"},
		},
	})
	for name, s := range map[string]connectors.Settings{"a password alone": alone()(t), "nothing": alone("auth", byNothing, "port", strconv.Itoa(open.Port))(t)} {
		facts, err := mustOpen(t, s).Check(t.Context())
		if err != nil || conntest.Fact(facts, "Account") != "default" {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
}

func (f *fixture) withTLS(t *testing.T) {
	other := server.NewCA(t)
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: f.encrypted(f.ca),
		Faults: []conntest.Fault{
			{Name: "TLS to a plain port", Settings: f.encrypted(f.ca, "port", strconv.Itoa(f.Port)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "TestSecurity61_AnUnknownAuthority", Settings: f.encrypted(f.ca, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "TestSecurity61_AnotherName", Settings: f.encrypted(f.ca, "tls_name", "cache.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "client certificate missing", Settings: f.encrypted(f.ca, "client_cert", ""), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "client certificate of another authority", Settings: f.encrypted(other), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "TestSecurity52_AKeyOfAnotherCertificate", Settings: f.encrypted(f.ca, "client_key", other.Issue(t, server.Cert{Client: true}).Key), Code: connectors.BadInput, Field: "client_key"},
			{Name: "wrong password", Settings: f.encrypted(f.ca, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		},
	})
}
