package sqldb

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ora "github.com/sijms/go-ora/v3"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// tnsPacket frames a packet of a listener's.
func tnsPacket(kind byte, body []byte) []byte {
	head := []byte{0, 0, 0, 0, kind, 0, 0, 0}
	binary.BigEndian.PutUint16(head, uint16(len(body)+8))
	return append(head, body...)
}

// refuse is a listener's REFUSE with an error number, as lsnrctl's logs have it.
func refuse(number int) []byte {
	text := fmt.Sprintf("(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=%d)(ERROR_STACK=(ERROR=(CODE=%d)(EMFI=4))))", number, number)
	return tnsPacket(4, append([]byte{0x22, 0, 0, byte(len(text))}, text...))
}

// A listener is a stand-in for Oracle's: it reads the connect descriptor and
// answers as answer says. It is no database: nobody can sign in.
type listener struct {
	port int

	mu   sync.Mutex
	seen []string
}

func startListener(t testing.TB, wrap func(net.Conn) net.Conn, answer func(descriptor string) []byte) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &listener{port: l.Addr().(*net.TCPAddr).Port}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, raw)
			mu.Unlock()
			running.Go(func() { out.serve(wrap(raw), answer) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return out
}

func (l *listener) serve(c net.Conn, answer func(string) []byte) {
	defer func() { _ = c.Close() }()
	text, err := descriptor(c)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.seen = append(l.seen, text)
	l.mu.Unlock()
	_, _ = c.Write(answer(text))
	_, _ = io.Copy(io.Discard, c)
}

// descriptor reads CONNECT; a long one has its descriptor in a DATA packet.
func descriptor(c net.Conn) (string, error) {
	packet := func() ([]byte, error) {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c, head); err != nil {
			return nil, err
		}
		if head[4] != 1 && head[4] != 6 {
			return nil, errPacket // what is no CONNECT is not waited for
		}
		body := make([]byte, max(int(binary.BigEndian.Uint16(head))-8, 0))
		_, err := io.ReadFull(c, body)
		return append(head, body...), err
	}
	p, err := packet()
	if err != nil || len(p) < 74 || p[4] != 1 {
		return "", fmt.Errorf("no CONNECT: %w", err)
	}
	n, from := int(binary.BigEndian.Uint16(p[24:])), int(binary.BigEndian.Uint16(p[26:]))
	if from+n <= len(p) {
		return string(p[from : from+n]), nil
	}
	if p, err = packet(); err != nil || len(p) < 10 {
		return "", fmt.Errorf("no descriptor: %w", err)
	}
	return string(p[10:]), nil
}

func bare(c net.Conn) net.Conn { return c }

func oracleAt(port int, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(port), "service": "FREEPDB1", "user": "READER", "tls": "off"}
	s.Secrets["password"] = connectors.NewSecret("practice-only-reader")
	for i := 0; i+1 < len(more); i += 2 {
		s.Plain[more[i]] = more[i+1]
	}
	return s
}

// explained opens, fails, and looks at the words.
func explained(t *testing.T, s connectors.Settings) *connectors.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	session, err := oracleType().Open(ctx, conntest.NewWorld(t).Env, s)
	if err == nil {
		_ = session.Close()
		t.Fatal("it opened")
	}
	e := connectors.Classify(err)
	p := connectors.Explain(err)
	if p.Title == "" || p.Hint == "" || e.Reason != "" && !connectors.English().Has(e.Reason) {
		t.Errorf("no words for %q: %+v", e.Reason, p)
	}
	if e.Field != "" && !oracleType().Form.Visible(e.Field, s) {
		t.Errorf("the field %q cannot be seen", e.Field)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %v", err, p, e.Err), "practice-only-reader") {
		t.Errorf("the password is in the error: %v", e.Err)
	}
	return e
}

func TestOracleListenerRefusalsStandIn(t *testing.T) {
	for number, want := range map[int]verdict{
		12514: {connectors.NotFound, "oracle.service", "service"}, 12505: {connectors.NotFound, "oracle.sid", "service"}, 12506: {connectors.Denied, "oracle.acl", "host"},
		12516: {connectors.Throttled, "oracle.no_handler", ""}, 12528: {connectors.Refused, "oracle.starting", ""}, 12526: {connectors.Denied, "oracle.restricted", ""},
		12537: {connectors.Refused, "oracle.closed", "tls"}, 12541: {connectors.Unreachable, "oracle.no_listener", "port"}, 12170: {connectors.TimedOut, "oracle.slow_network", "host"},
		1034: {connectors.Refused, "oracle.starting", ""}, 99999: {connectors.Refused, "", ""},
	} {
		l := startListener(t, bare, func(string) []byte { return refuse(number) })
		e := explained(t, oracleAt(l.port))
		if (verdict{e.Code, e.Reason, e.Field}) != want || e.Op != connectors.StageSignIn || e.Said != fmt.Sprintf("ORA-%05d", number) {
			t.Errorf("ORA-%d: %+v", number, e)
		}
		if len(l.seen) != 1 || !strings.Contains(l.seen[0], "(SERVICE_NAME=FREEPDB1)") || !strings.Contains(l.seen[0], "(PROGRAM=jackfield)(HOST=jackfield)(USER=jackfield)") {
			t.Errorf("ORA-%d: %q", number, l.seen)
		}
	}
	l := startListener(t, bare, func(string) []byte { return refuse(12505) })
	if e := explained(t, oracleAt(l.port, "kind", "sid", "sid", "ORCL", "service", "")); e.Field != "sid" || !strings.Contains(l.seen[0], "(SID=ORCL)") {
		t.Errorf("%+v %q", e, l.seen)
	}
}

func TestOracleOverTLSStandIn(t *testing.T) {
	ca := server.NewCA(t)
	secured := func(name string) *listener {
		pair := ca.Issue(t, server.Cert{Names: []string{name}, IPs: []string{"127.0.0.2"}}).TLS(t)
		return startListener(t, func(c net.Conn) net.Conn { return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}}) }, func(string) []byte { return refuse(12514) })
	}
	named := secured("db.example.test")
	for name, c := range map[string]struct {
		settings connectors.Settings
		code     connectors.Code
		stage    connectors.Stage
		field    string
	}{
		"by another name":     {oracleAt(named.port, "tls", "tcps", "ca", ca.PEM, "tls_name", "db.example.test"), connectors.NotFound, connectors.StageSignIn, "service"},
		"wrong name":          {oracleAt(named.port, "tls", "tcps", "ca", ca.PEM), connectors.Untrusted, connectors.StageSecure, "ca"},
		"unknown authority":   {oracleAt(named.port, "tls", "tcps", "ca", server.NewCA(t).PEM, "tls_name", "db.example.test"), connectors.Untrusted, connectors.StageSecure, "ca"},
		"plain on a TLS port": {oracleAt(named.port), connectors.Refused, "", "tls"},
	} {
		e := explained(t, c.settings)
		if e.Code != c.code || c.stage != "" && e.Op != c.stage || e.Field != c.field {
			t.Errorf("%s: %+v (%v)", name, e, e.Err)
		}
	}
	plain := startListener(t, bare, func(string) []byte { return refuse(12514) })
	if e := explained(t, oracleAt(plain.port, "tls", "tcps", "ca", ca.PEM)); e.Code != connectors.Refused {
		t.Errorf("TLS on a plain port: %+v", e)
	}
}

func TestOracleIsReachedByItsWayAloneStandIn(t *testing.T) {
	host, port := conntest.Silent(t)
	s := oracleAt(0, "host", host, "port", port)
	for name, c := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		code connectors.Code
	}{
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 300*time.Millisecond)
		}, connectors.TimedOut},
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(300*time.Millisecond, cancel)
			return ctx, cancel
		}, connectors.Cancelled},
	} {
		ctx, cancel := c.end(t.Context())
		began := time.Now()
		_, err := oracleType().Open(ctx, conntest.NewWorld(t).Env, s)
		cancel()
		if connectors.CodeOf(err) != c.code || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
	host, port = conntest.Closed(t)
	if e := explained(t, oracleAt(0, "host", host, "port", port)); e.Code != connectors.Unreachable || e.Op != connectors.StageConnect || e.Field != "port" {
		t.Errorf("%+v", e)
	}
	w := conntest.NewWorld(t)
	w.Env.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &connectors.Error{Code: connectors.Unreachable, Reason: "connect.refused", Op: connectors.StageConnect}
	}
	l := startListener(t, bare, func(string) []byte { return refuse(12514) })
	if _, err := oracleType().Open(t.Context(), w.Env, oracleAt(l.port)); connectors.CodeOf(err) != connectors.Unreachable || len(l.seen) > 0 {
		t.Errorf("another way was taken: %v", err)
	}
}

func TestOracleGarbageStandIn(t *testing.T) {
	long := bytes.Repeat([]byte{0xff}, 5000)
	elsewhere := "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=%d)))"
	for i, answer := range [][]byte{
		{}, {0}, long, bytes.Repeat([]byte{0}, 5000), {0, 3, 0, 0, 4, 0, 0, 0}, {0, 8, 0, 0, 4, 0, 0, 0}, {0, 8, 0, 0, 2, 0, 0, 0}, {0, 8, 0, 0, 5, 0, 0, 0},
		tnsPacket(2, []byte{1}), tnsPacket(2, append([]byte{1, 0x3f}, make([]byte, 40)...)), append(tnsPacket(2, append([]byte{1, 0x3f}, make([]byte, 40)...)), 0xff, 0xff, 0xff, 0xff, 6, 0, 0, 0),
		tnsPacket(4, []byte{1, 1, 0xff, 0xff}), tnsPacket(4, []byte("\x01\x01\x00\x20(ERR=99999999999999999999999999)")), tnsPacket(5, []byte{0xff, 0xff, 1}), tnsPacket(6, nil), tnsPacket(12, nil), tnsPacket(77, []byte("x")),
		[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), []byte("SSH-2.0-OpenSSH_9.2\r\n"),
	} {
		host, port := conntest.Speaks(t, string(answer))
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := oracleType().Open(ctx, conntest.NewWorld(t).Env, oracleAt(0, "host", host, "port", port))
		cancel()
		if code := connectors.CodeOf(err); code != connectors.Refused && code != connectors.TimedOut {
			t.Errorf("%d: %v", i, err)
		}
	}
	var l *listener
	l = startListener(t, bare, func(string) []byte {
		text := fmt.Sprintf(elsewhere, l.port)
		return tnsPacket(5, append([]byte{0, byte(len(text))}, text...))
	})
	if e := explained(t, oracleAt(l.port)); e.Reason != "sql.sent_around" || len(l.seen) != maxDials {
		t.Errorf("sent around %d times: %+v (%v)", len(l.seen), e, e.Err)
	}
}

func TestSecurity60_OraclePasswordIsNoText(t *testing.T) {
	for _, password := range []string{awkward, "p@ss/w0rd:1521/x?SSL=false&SERVER=evil.example:1", "100%25+ü€\n", " "} {
		c := oracle{Host: "db.example.com", Port: 1521, Kind: byService, Service: "FREEPDB1", User: "READER:x@y", Password: connectors.NewSecret(password), TLS: off}
		cfg, err := ora.ParseConfig(c.address())
		if err != nil {
			t.Fatal("the address cannot be read")
		}
		if cfg.Password != password || cfg.UserID != c.User || len(cfg.Servers) != 1 || cfg.Servers[0].Addr != "db.example.com" || cfg.Servers[0].Port != 1521 || cfg.ServiceName != "FREEPDB1" || cfg.SSL || cfg.OSUserName != "jackfield" || cfg.ProgramName != "jackfield" {
			t.Errorf("%q comes back otherwise: %v", password, cfg.Servers)
		}
	}
	f, _ := oracleType().Form.Field("service")
	for _, bad := range []string{"x)(SERVER=evil)", "a b", "(", "x/y", strings.Repeat("x", 200)} {
		if f.Verify(bad) == nil {
			t.Errorf("the service %q is taken", bad)
		}
	}
}

func TestOracleAnswersNeverPanic(t *testing.T) {
	if err := oracleType().Check(); err != nil {
		t.Fatal(err)
	}
	for number := range 60000 {
		v, ok := oracleVerdict(number)
		if !ok {
			continue
		}
		if v.reason != "" && !connectors.English().Has(v.reason) {
			t.Errorf("ORA-%d: %s has no words", number, v.reason)
		}
		if _, known := oracleType().Form.Field(v.field); v.field != "" && !known {
			t.Errorf("ORA-%d: there is no field %s", number, v.field)
		}
	}
	for number := range int32(60000) {
		if v, ok := mssqlVerdict(number); ok && !connectors.English().Has(v.reason) {
			t.Errorf("%d: %s has no words", number, v.reason)
		}
	}
}

func TestVersionsOfOracle(t *testing.T) {
	for banner, want := range map[string]int{
		"Oracle Database 11g Enterprise Edition Release 11.2.0.4.0 - 64bit Production": 11,
		"Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production":       19,
		"Oracle AI Database 26ai Free Release 23.26.0.0.0":                             26,
		"Oracle9i Enterprise": 0, "": 0,
	} {
		if got := major(banner); got != want {
			t.Errorf("%s: %d, want %d", banner, got, want)
		}
	}
}

func TestOracleCutsLargeObjectsOnTheServer(t *testing.T) {
	d := &oracleDialect{}
	for kind, want := range map[string]string{"NUMBER": `"a""b"`, "CLOB": `DBMS_LOB.SUBSTR("a""b",1000,1) AS "a""b"`, "BLOB": `DBMS_LOB.SUBSTR("a""b",64,1) AS "a""b"`, "LONG RAW": "", "BFILE": "", "XMLTYPE": ""} {
		if got := d.cell(`a"b`, kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func FuzzTNSLengths(f *testing.F) {
	f.Add(tnsPacket(2, []byte{1, 0x3f, 0, 0}), 3)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 6, 0, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		g := &guardedConn{}
		for step = max(1, step%64); len(data) > 0; {
			n := min(step, len(data))
			if g.look(data[:n]) != nil {
				return
			}
			if g.left < 0 || g.left > maxPacket || len(g.head) > tnsHeader+2 {
				t.Fatalf("%+v", g)
			}
			data = data[n:]
		}
	})
}
