package mqtt

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMosquitto3(t *testing.T) { mosquitto(t, "3.1.1") }

func TestMosquitto5(t *testing.T) { mosquitto(t, "5") }

func mosquitto(t *testing.T, version string) {
	b := startBroker(t)
	b.version = version
	b.publish(t, "plant/hall 1/temperature", "21.5", true)
	b.publish(t, "plant/hall 1/humidity", "40", true)
	b.publish(t, "hostile/\u202egpj.exe", "x", true)
	set := func(transport string, port int, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return b.settings(transport, port, more...) }
	}
	other := server.NewCA(t)
	good := set("tls", b.tls)
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good,
		Hostile: &conntest.Place{Settings: good, Node: "hostile"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("tls", b.tls, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: set("tls", b.tls, "user", "nobody"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "anonymous not allowed", Settings: set("tls", b.tls, "auth", "anonymous"), Code: connectors.AuthFailed, Field: "auth"},
			{Name: "unknown authority", Settings: set("tls", b.tls, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: set("tls", b.tls, "tls_name", "broker.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "certificate ran out", Settings: set("tls", b.expired), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "WebSocket over TLS, unknown authority", Settings: set("wss", b.wss, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "TLS to a plain port", Settings: set("tls", b.plain), Code: connectors.Refused, Stage: connectors.StageSecure},
			{Name: "plain to a TLS port", Settings: set("tcp", b.tls), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "another protocol", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Speaks(tb, "SSH-2.0-OpenSSH_9.2\r\n")
				return b.settings("tcp", 1, "host", host, "port", port)
			}, Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "port"},
			{Name: "WebSocket to a TCP port", Settings: set("ws", b.plain), Code: connectors.Refused, Field: "port"},
			{Name: "client certificate missing", Settings: set("tls", b.mutual), Code: connectors.AuthFailed},
			{Name: "client certificate of another authority", Settings: func(tb testing.TB) connectors.Settings {
				own := other.Issue(tb, server.Cert{Client: true})
				return b.withCert("client_cert", own.Cert, "client_key", own.Key)
			}, Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate without TLS", Settings: set("tcp", b.plain, "auth", "certificate"), Code: connectors.BadInput, Field: "transport"},
			{Name: "unknown host", Settings: set("tls", b.tls, "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "port 99999", Settings: set("tls", 99999), Code: connectors.BadInput, Field: "port"},
			{Name: "a filter that cannot be", Settings: set("tls", b.tls, "topic", "plant/#\na/#/b"), Code: connectors.BadInput, Field: "topic"},
			{Name: "a shared subscription by accident", Settings: set("tls", b.tls, "topic", "$share/plant/#"), Code: connectors.BadInput, Field: "shared"},
			{Name: "a client ID that is not let in", Settings: set("tcp", b.strict, "client_id", "other"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "a web server without that path", Settings: webServer(b, http.StatusNotFound), Code: connectors.NotFound, Stage: connectors.StageConnect, Field: "path"},
			{Name: "a proxy that refuses the upgrade", Settings: webServer(b, http.StatusForbidden), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "-"},
			{Name: "a web server that does not upgrade", Settings: webServer(b, http.StatusOK), Code: connectors.Refused, Stage: connectors.StageConnect, Field: "path"},
		}})
	for name, s := range map[string]connectors.Settings{
		"tcp": b.settings("tcp", b.plain), "websocket": b.settings("ws", b.ws), "websocket over TLS": b.settings("wss", b.wss), "anonymous": b.settings("tcp", b.open, "auth", "anonymous"), "a client ID of one's own": b.settings("tcp", b.strict, "client_id", "thing-1"), "certificate": b.withCert(),
	} {
		t.Run(name, func(t *testing.T) {
			session := openOne(t, s)
			if _, err := session.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if name == "anonymous" || name == "a client ID of one's own" {
				return // they see another tree
			}
			if names := list(t, session, "plant/hall 1"); name != "anonymous" && name != "a client ID of one's own" && strings.Join(names, " ") != "plant/hall 1/humidity plant/hall 1/temperature" && strings.Join(names, " ") != "plant/hall 1/temperature plant/hall 1/humidity" {
				t.Error(names)
			}
		})
	}
}

// webServer is a real web server, and nothing else, where the broker was looked for.
func webServer(b *broker, status int) func(testing.TB) connectors.Settings {
	return func(tb testing.TB) connectors.Settings {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		tb.Cleanup(srv.Close)
		return b.settings("ws", srv.Listener.Addr().(*net.TCPAddr).Port)
	}
}

func openOne(t testing.TB, s connectors.Settings) connectors.Session {
	t.Helper()
	return conntest.Open(t, Type(), s)
}

func list(t *testing.T, s connectors.Session, parent connectors.NodeID) []string {
	t.Helper()
	var out []string
	for _, n := range conntest.List(t, s, parent) {
		out = append(out, string(n.ID))
	}
	return out
}

func TestTheTreeGrowsAndValuesArrive(t *testing.T) {
	b := startBroker(t)
	b.publish(t, "plant/a", "1", true)
	s := openOne(t, b.settings("tcp", b.plain))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got := list(t, s, ""); len(got) != 1 || got[0] != "plant" {
		t.Fatal(got)
	}
	seen := 0
	for e, err := range s.(connectors.Streamer).Watch(ctx, "plant") {
		if err != nil {
			t.Fatal(err)
		}
		switch seen++; seen {
		case 1:
			if !e.Retained || string(e.Body) != "1" || strings.Join(e.Path, "/") != "plant/a" {
				t.Errorf("%+v", e)
			}
			b.publish(t, "plants/not", "x", false)
			b.publish(t, "plant/b/", "2", false)
		case 2:
			if e.Retained || string(e.Body) != "2" || strings.Join(e.Path, "/") != "plant/b/" {
				t.Errorf("%+v", e)
			}
		}
		if seen == 2 {
			break
		}
	}
	if got := list(t, s, ""); len(got) != 2 {
		t.Error(got)
	}
	sample, err := s.(connectors.Sampler).Sample(ctx, "plant/b/", 100)
	if err != nil || string(sample.Data) != "2" {
		t.Errorf("%+v %v", sample, err)
	}
	for n, err := range s.(connectors.Browser).Children(ctx, "plant") {
		if err != nil || n.Facts[0].Label != "Last value" {
			t.Errorf("%+v %v", n, err)
		}
	}
}

// The broker filters silently: what is not allowed is simply not there.
func TestAclsHideTopics(t *testing.T) {
	b := startBroker(t)
	b.publish(t, "plant/a", "1", true)
	b.publish(t, "secret/b", "2", true)
	s := openOne(t, b.settings("tcp", b.plain, "user", "plant", "password", "plant-practice"))
	if got := list(t, s, ""); len(got) != 1 || got[0] != "plant" {
		t.Error(got)
	}
}

func TestALostConnectionIsSaid(t *testing.T) {
	b := startBroker(t)
	s := openOne(t, b.settings("tcp", b.plain))
	time.AfterFunc(200*time.Millisecond, b.process.Stop)
	var last error
	for _, err := range s.(connectors.Streamer).Watch(t.Context(), "") {
		last = err
	}
	if e := connectors.Classify(last); e == nil || e.Reason != "mqtt.lost" {
		t.Errorf("%v", last)
	}
}

func TestSecurity65_ASlowReaderHoldsNobodyUp(t *testing.T) {
	b := startBroker(t)
	s := openOne(t, b.settings("tcp", b.plain))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	total := 12_000 // some three times what waits for a reader
	b.publish(t, "flood/first", "first", true)
	var got, dropped uint64
	for e, err := range s.(connectors.Streamer).Watch(ctx, "flood") {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got == 1 {
			flood(t, b, "flood/x", total) // while this reader sleeps, as it were
			fast := openOne(t, b.settings("tcp", b.plain))
			if _, err := fast.Check(ctx); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(20 * time.Second); count(t, s, "flood", "flood/x") < total; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the network was held up by a slow reader")
				}
			}
		}
		if dropped += e.Dropped; got+dropped >= uint64(total) {
			break
		}
		if string(e.Body) == strconv.Itoa(total-1) {
			break
		}
	}
	if dropped == 0 {
		t.Error("nothing was said to be dropped")
	}
}

// count is how many messages were heard of a topic.
func count(t *testing.T, s connectors.Session, parent, id connectors.NodeID) int {
	n, _ := strconv.Atoi(conntest.Fact(node(t, s, parent, id).Facts, "Messages"))
	return n
}

func node(t *testing.T, s connectors.Session, parent, id connectors.NodeID) connectors.Node {
	t.Helper()
	for _, n := range conntest.List(t, s, parent) {
		if n.ID == id {
			return n
		}
	}
	return connectors.Node{}
}

func flood(t testing.TB, b *broker, topic string, n int) {
	t.Helper()
	if out, err := feed(b, topic, n).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

// feed is mosquitto_pub with n messages to publish.
func feed(b *broker, topic string, n int) *exec.Cmd {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintln(&lines, i)
	}
	cmd := exec.Command(b.pub, "-h", "127.0.0.1", "-p", strconv.Itoa(b.plain), "-u", "reader", "-P", "reader-practice", "-t", topic, "-l", "-q", "1")
	cmd.Stdin = strings.NewReader(lines.String())
	return cmd
}

func TestSecurity66_AProbeLeavesNoTrace(t *testing.T) {
	b := startBroker(t)
	first := openOne(t, b.settings("tcp", b.plain))
	second := openOne(t, b.settings("tcp", b.plain))
	for _, s := range []connectors.Session{first, second} {
		if _, err := s.Check(t.Context()); err != nil {
			t.Errorf("a live session was thrown out: %v", err)
		}
	}
	if first.(*session).id == second.(*session).id || len(first.(*session).id) > 23 {
		t.Error("client ids are not unique, or too long")
	}
	// Whoever listens to everything hears nothing of all that.
	heard := openOne(t, b.settings("tcp", b.plain))
	third := openOne(t, b.settings("tcp", b.plain))
	if _, err := third.Check(t.Context()); err != nil {
		t.Error(err)
	}
	_ = third.Close()
	if got := list(t, heard, ""); len(got) != 0 {
		t.Errorf("something was published: %v", got)
	}
}
