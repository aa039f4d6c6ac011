package mongodb

import (
	"crypto/md5"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A standIn speaks MongoDB's wire protocol (OP_QUERY for the first hello, OP_MSG
// for the rest) as https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
// and the command reference describe it, with real SCRAM. No MongoDB server can be
// installed where the tests run.
type standIn struct {
	open     bool   // commands need no sign-in
	wire     int32  // maxWireVersion
	set      string // name of the replica set
	noList   bool   // listDatabases is refused
	findFail bson.D // what find answers instead of documents
	tls      *tls.Config
	many     int // collections of the database many

	host, port string
	mu         sync.Mutex
	commands   []string
}

const (
	password = "practice-only-reader"
	awkward  = `practice 'only" @/#?%\: x' host='evil.example'`
)

func users() map[string]string {
	return map[string]string{"reader": password, "awkward": awkward, "least": password}
}

func (s *standIn) start(t *testing.T) *standIn {
	t.Helper()
	if s.wire == 0 {
		s.wire = 25
	}
	s.host, s.port = conntest.Serve(t, s.serve)
	return s
}

// A visit is one connection's state.
type visit struct {
	user    string
	talk    *scram.ServerConversation
	subject string
}

func (s *standIn) serve(c net.Conn) {
	v := &visit{}
	if s.tls != nil {
		secure := tls.Server(c, s.tls)
		if secure.Handshake() != nil {
			return
		}
		if certs := secure.ConnectionState().PeerCertificates; len(certs) > 0 {
			v.subject = certs[0].Subject.String()
		}
		c = secure
	}
	for {
		var head [16]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := binary.LittleEndian.Uint32(head[:])
		if size < 16 || size > 1<<20 {
			return
		}
		body := make([]byte, size-16)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		id, op := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[12:])
		cmd, legacy, err := command(op, body)
		if err != nil {
			return
		}
		raw, err := bson.Marshal(s.answer(v, cmd))
		if err != nil {
			return
		}
		if _, err := c.Write(framed(id, legacy, raw)); err != nil {
			return
		}
	}
}

func command(op uint32, body []byte) (bson.Raw, bool, error) {
	switch op {
	case 2013:
		if len(body) > 5 && body[4] == 0 {
			n := binary.LittleEndian.Uint32(body[5:])
			return bson.Raw(body[5 : 5+min(int(n), len(body)-5)]), false, nil
		}
	case 2004:
		if i := slices.Index(body[4:], 0); i > 0 && len(body) > i+13 {
			return bson.Raw(body[4+i+1+8:]), true, nil
		}
	}
	return nil, false, errors.New("another message")
}

func framed(to uint32, legacy bool, doc []byte) []byte {
	before, op := []byte{0, 0, 0, 0, 0}, uint32(2013)
	if legacy {
		before, op = make([]byte, 20), 1
		before[16] = 1
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(before)+len(doc)))
	out = binary.LittleEndian.AppendUint32(out, 7)
	out = binary.LittleEndian.AppendUint32(out, to)
	out = binary.LittleEndian.AppendUint32(out, op)
	return append(append(out, before...), doc...)
}

func fail(code int32, name, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: text}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
}

func ok(more ...bson.E) bson.D { return append(bson.D(more), bson.E{Key: "ok", Value: 1.0}) }

func batch(ns string, docs ...any) bson.D {
	return ok(bson.E{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: ns}, {Key: "firstBatch", Value: docs}}})
}

func (s *standIn) answer(v *visit, cmd bson.Raw) bson.D {
	elements, err := cmd.Elements()
	if err != nil || len(elements) == 0 {
		return fail(9, "FailedToParse", "no command")
	}
	name := elements[0].Key()
	s.mu.Lock()
	s.commands = append(s.commands, name)
	s.mu.Unlock()
	switch name {
	case "hello", "isMaster", "ismaster":
		return s.hello(cmd)
	case "saslStart", "saslContinue":
		return s.sasl(v, name, cmd)
	case "authenticate":
		if v.subject == "CN=reader" {
			v.user = v.subject
			return ok(bson.E{Key: "dbname", Value: "$external"}, bson.E{Key: "user", Value: v.user})
		}
		return fail(11, "UserNotFound", "Could not find user \""+v.subject+"\" for db \"$external\"")
	case "ping", "buildInfo", "connectionStatus", "endSessions":
		return s.about(v, name)
	}
	if v.user == "" && !s.open {
		return fail(13, "Unauthorized", "Command "+name+" requires authentication")
	}
	return s.data(v, name, cmd)
}

func (s *standIn) hello(cmd bson.Raw) bson.D {
	out := bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true}, {Key: "helloOk", Value: true}, {Key: "maxBsonObjectSize", Value: int32(16 << 20)},
		{Key: "maxMessageSizeBytes", Value: int32(48_000_000)}, {Key: "maxWriteBatchSize", Value: int32(100_000)}, {Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: s.wire}, {Key: "logicalSessionTimeoutMinutes", Value: int32(30)}}
	if s.set != "" {
		me := net.JoinHostPort(s.host, s.port)
		out = append(out, bson.E{Key: "setName", Value: s.set}, bson.E{Key: "hosts", Value: bson.A{me}}, bson.E{Key: "me", Value: me}, bson.E{Key: "primary", Value: me}, bson.E{Key: "secondary", Value: false})
	}
	if text(cmd, "saslSupportedMechs") != "" {
		out = append(out, bson.E{Key: "saslSupportedMechs", Value: bson.A{"SCRAM-SHA-1", "SCRAM-SHA-256"}})
	}
	return ok(out...)
}

// sasl checks the password as a server does: RFC 5802 and RFC 7677, where for SHA-1
// the password is the digest of before.
func (s *standIn) sasl(v *visit, name string, cmd bson.Raw) bson.D {
	_, payload, _ := cmd.Lookup("payload").BinaryOK()
	if name == "saslStart" {
		var hash scram.HashGeneratorFcn
		switch mechanism, _ := cmd.Lookup("mechanism").StringValueOK(); {
		case mechanism == "SCRAM-SHA-256":
			hash = scram.SHA256
		case mechanism == "SCRAM-SHA-1":
			hash = scram.SHA1
		case mechanism == "PLAIN" && string(payload) == "\x00reader\x00"+password:
			v.user = "reader"
			return ok(bson.E{Key: "conversationId", Value: int32(1)}, bson.E{Key: "done", Value: true}, bson.E{Key: "payload", Value: bson.Binary{}})
		case mechanism == "PLAIN":
			return fail(18, "AuthenticationFailed", "Authentication failed.")
		default:
			return fail(334, "MechanismUnavailable", "Unsupported mechanism "+mechanism)
		}
		srv, err := hash.NewServer(func(user string) (scram.StoredCredentials, error) { return stored(hash, user) })
		if err != nil {
			return fail(8, "UnknownError", err.Error())
		}
		v.talk = srv.NewConversation()
	}
	if v.talk == nil {
		return fail(18, "AuthenticationFailed", "Authentication failed.")
	}
	out := ""
	if !v.talk.Done() {
		var err error
		if out, err = v.talk.Step(string(payload)); err != nil {
			return fail(18, "AuthenticationFailed", "Authentication failed.")
		}
	}
	if v.talk.Valid() {
		v.user = v.talk.Username()
	}
	return ok(bson.E{Key: "conversationId", Value: int32(1)}, bson.E{Key: "done", Value: v.talk.Done() && (len(payload) == 0 || name == "saslContinue")}, bson.E{Key: "payload", Value: bson.Binary{Data: []byte(out)}})
}

func stored(hash scram.HashGeneratorFcn, user string) (scram.StoredCredentials, error) {
	secret, known := users()[user]
	if !known {
		return scram.StoredCredentials{}, errors.New("no such user")
	}
	if hash().Size() == 20 {
		sum := md5.Sum([]byte(user + ":mongo:" + secret))
		secret = hex.EncodeToString(sum[:])
	}
	c, err := hash.NewClientUnprepped(user, secret, "")
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	return c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "practice-salt", Iters: 4096})
}

func (s *standIn) about(v *visit, name string) bson.D {
	switch name {
	case "buildInfo":
		return ok(bson.E{Key: "version", Value: "8.0.4"})
	case "connectionStatus":
		who, roles := bson.A{}, bson.A{}
		if v.user != "" {
			who = bson.A{bson.D{{Key: "user", Value: v.user}, {Key: "db", Value: "admin"}}}
			roles = bson.A{bson.D{{Key: "role", Value: "read"}, {Key: "db", Value: "shop"}}}
		}
		return ok(bson.E{Key: "authInfo", Value: bson.D{{Key: "authenticatedUsers", Value: who}, {Key: "authenticatedUserRoles", Value: roles}}})
	}
	return ok()
}

func (s *standIn) data(v *visit, name string, cmd bson.Raw) bson.D {
	db, _ := cmd.Lookup("$db").StringValueOK()
	of, _ := cmd.Index(0).Value().StringValueOK()
	denied := fail(13, "Unauthorized", "not authorized on "+db+" to execute command { "+name+" }")
	switch name {
	case "listDatabases":
		if s.noList {
			return denied
		}
		return ok(bson.E{Key: "databases", Value: bson.A{bson.D{{Key: "name", Value: "shop"}}, bson.D{{Key: "name", Value: "many"}}}})
	case "listCollections":
		return s.collections(db)
	case "count":
		if of == "secret" {
			return denied
		}
		return ok(bson.E{Key: "n", Value: int32(3)})
	case "listIndexes":
		return batch(db+"."+of, bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "name", Value: "_id_"}},
			bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: "customer", Value: 1}, {Key: "at", Value: -1}}}, {Key: "name", Value: "customer_at"}, {Key: "unique", Value: true}, {Key: "expireAfterSeconds", Value: 3600}})
	case "find":
		return s.find(db, of, denied)
	}
	return fail(59, "CommandNotFound", "no such command: '"+name+"'")
}

func (s *standIn) collections(db string) bson.D {
	if db == "many" {
		var docs []any
		for i := range s.many {
			docs = append(docs, bson.D{{Key: "name", Value: fmt.Sprintf("c%08d", i)}, {Key: "type", Value: "view"}})
		}
		return batch(db+".$cmd.listCollections", docs...)
	}
	var docs []any
	for _, n := range []string{"orders", "secret", "odd \u202e/% name"} {
		docs = append(docs, bson.D{{Key: "name", Value: n}, {Key: "type", Value: "collection"}})
	}
	return batch(db+".$cmd.listCollections", append(docs, bson.D{{Key: "name", Value: "big"}, {Key: "type", Value: "view"}})...)
}

func (s *standIn) find(db, of string, denied bson.D) bson.D {
	switch {
	case s.findFail != nil:
		return s.findFail
	case of == "secret":
		return denied
	case of == "deep":
		var deep any = bson.D{}
		for range 5000 {
			deep = bson.D{{Key: "d", Value: deep}}
		}
		return batch(db+"."+of, bson.D{{Key: "_id", Value: 1}, {Key: "deep", Value: deep}})
	}
	id, _ := bson.ObjectIDFromHex("65f000000000000000000001")
	price, _ := bson.ParseDecimal128("12.50")
	return batch(db+"."+of,
		bson.D{{Key: "_id", Value: id}, {Key: "customer", Value: "Ada"}, {Key: "count", Value: int32(2)}, {Key: "total", Value: price}, {Key: "at", Value: bson.DateTime(1700000000000)},
			{Key: "lines", Value: bson.A{bson.D{{Key: "sku", Value: "a"}, {Key: "n", Value: 1}}}}, {Key: "raw", Value: bson.Binary{Data: []byte{0, 255}}}},
		bson.D{{Key: "_id", Value: int32(2)}, {Key: "customer", Value: nil}, {Key: "weight", Value: 1.5}, {Key: "long", Value: strings.Repeat("x", 20_000)}},
		bson.D{{Key: "_id", Value: "three"}})
}

func (s *standIn) settings(more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", s.host, "port", s.port, "topology", oneServer, "auth", byPassword, "user", "reader", "security", "none", "password", password}, more...)
}

func (s *standIn) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}
