package mqtt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMosquitto(t *testing.T) {
	b := startBroker(t)
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
			{Name: "a filter that cannot be", Settings: set("tls", b.tls, "topic", "a/#/b"), Code: connectors.BadInput, Field: "topic"},
		}})
	for name, s := range map[string]connectors.Settings{
		"tcp": b.settings("tcp", b.plain), "websocket": b.settings("ws", b.ws), "websocket over TLS": b.settings("wss", b.wss), "anonymous": b.settings("tcp", b.open, "auth", "anonymous"), "certificate": b.withCert(),
	} {
		t.Run(name, func(t *testing.T) {
			session := openOne(t, s)
			if _, err := session.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if names := list(t, session, "plant/hall 1"); name != "anonymous" && strings.Join(names, " ") != "plant/hall 1/humidity plant/hall 1/temperature" && strings.Join(names, " ") != "plant/hall 1/temperature plant/hall 1/humidity" {
				t.Error(names)
			}
		})
	}
}

func openOne(t testing.TB, s connectors.Settings) connectors.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	session, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
	if err != nil {
		t.Fatalf("%v %+v", err, connectors.Explain(err))
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

func list(t *testing.T, s connectors.Session, parent connectors.NodeID) []string {
	t.Helper()
	var out []string
	for n, err := range s.(connectors.Browser).Children(t.Context(), parent) {
		if err != nil {
			t.Fatal(err)
		}
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

// A broker with mosquitto's dynamic security says no to the subscription itself.
func TestATopicDeniedByTheBrokerIsSaid(t *testing.T) {
	daemon, control := server.Program(t, "mosquitto", "mosquitto"), server.Program(t, "mosquitto_ctrl", "mosquitto")
	plugins, err := filepath.Glob("/usr/lib/*/mosquitto_dynamic_security.so")
	if err != nil || len(plugins) == 0 {
		t.Fatalf("no dynamic security plugin: %v", err)
	}
	dir := t.TempDir()
	rights := filepath.Join(dir, "rights.json")
	server.Run(t, control, "dynsec", "init", rights, "reader", "reader-practice")
	data, err := os.ReadFile(rights)
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`("subscribePattern",\s*"topic":\s*)"#"`)
	if !all.Match(data) {
		t.Fatalf("no right to take away: %s", data)
	}
	server.WriteFile(t, dir, "rights.json", all.ReplaceAllString(string(data), `$1"allowed/#"`), 0o600)
	b := &broker{plain: server.FreePort(t)}
	conf := server.WriteFile(t, dir, "m.conf", fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous false\nplugin %s\nplugin_opt_config_file %s\n", b.plain, plugins[0], rights), 0o600)
	server.Start(t, exec.Command(daemon, "-c", conf), "127.0.0.1:"+strconv.Itoa(b.plain))
	if _, err := openOne(t, b.plainly("topic", "allowed/#")).Check(t.Context()); err != nil {
		t.Errorf("what is allowed: %v", err)
	}
	_, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, b.plainly("topic", "plant/#"))
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.Denied || e.Reason != "mqtt.topic_denied" || e.Field != "topic" || e.Op != connectors.StageRights {
		t.Fatalf("%v", err)
	}
	if p := connectors.Explain(err); p.Title == "" || p.Hint == "" {
		t.Errorf("%+v", p)
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
	total := backlog * 3
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
			for end := time.Now().Add(20 * time.Second); s.(*session).topics.find("flood/x") == nil || s.(*session).topics.stateOf(s.(*session).topics.find("flood/x"), time.Now()).count < uint64(total); time.Sleep(10 * time.Millisecond) {
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
		if o := s.(*session).options(); o.WillEnabled || !o.CleanSession || o.AutoReconnect || o.ConnectRetry || o.ProtocolVersion != 4 {
			t.Errorf("%+v", o)
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
