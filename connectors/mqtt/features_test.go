package mqtt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func five(b *broker, more ...string) connectors.Settings {
	return b.settings("tcp", b.plain, append([]string{"protocol", "5"}, more...)...)
}

// eventually looks again until the broker has delivered what was published.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

func TestMessagesOfMQTT5ShowTheirProperties(t *testing.T) {
	b := startBroker(t)
	server.Run(t, b.pub, "-V", "5", "-h", "127.0.0.1", "-p", strconv.Itoa(b.plain), "-u", "reader", "-P", "reader-practice", "-t", "plant/a", "-r", "-m", `{"degrees":21.5}`,
		"-D", "publish", "content-type", "application/json", "-D", "publish", "response-topic", "plant/answers", "-D", "publish", "message-expiry-interval", "3600",
		"-D", "publish", "user-property", "unit", "\u202eC", "-D", "publish", "correlation-data", "42")
	s := openOne(t, five(b))
	n := node(t, s, "plant", "plant/a")
	for label, want := range map[string]string{"Content type": "application/json", "Response topic": "plant/answers", "Property unit": "\ufffdC", "Correlation data": "42", "Last value": `{"degrees":21.5}`, "Retained": "yes"} {
		if got := conntest.Fact(n.Facts, label); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
	if after, err := time.ParseDuration(conntest.Fact(n.Facts, "Expires after")); err != nil || after > time.Hour || after < 50*time.Minute {
		t.Errorf("%v %v", after, err)
	}
	sample, err := s.(connectors.Sampler).Sample(t.Context(), "plant/a", 100)
	if err != nil || sample.MediaType != "application/json" || string(sample.Data) != `{"degrees":21.5}` {
		t.Errorf("%+v %v", sample, err)
	}
	facts, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What mosquitto 2.0 tells of itself in its CONNACK.
	for label, want := range map[string]string{"Protocol": "MQTT 5 over TCP", "Retained messages": "yes", "Wildcards in topic filters": "yes", "Shared subscriptions": "yes", "Messages in flight": "20", "Topic aliases": "10"} {
		if got := conntest.Fact(facts, label); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
}

// The content type is the sender's word alone: without one the bytes decide.
func TestContentIsDescribed(t *testing.T) {
	b := startBroker(t)
	for topic, body := range map[string]string{"kind/json": ` [1]`, "kind/text": "Grüße", "kind/bytes": "\x01\xff\xfe", "kind/object": `{"a":1}`} {
		b.publish(t, topic, body, true)
	}
	s := openOne(t, b.settings("tcp", b.plain))
	for topic, want := range map[connectors.NodeID]string{"kind/json": "text/plain; charset=utf-8", "kind/text": "text/plain; charset=utf-8", "kind/bytes": "application/octet-stream", "kind/object": "application/json"} {
		sample, err := s.(connectors.Sampler).Sample(t.Context(), topic, 100)
		if err != nil || sample.MediaType != want {
			t.Errorf("%s: %+v %v", topic, sample, err)
		}
	}
	if got := conntest.Fact(node(t, s, "kind", "kind/bytes").Facts, "Last value"); got != "01 ff fe (3 bytes)" {
		t.Error(got)
	}
}

func TestTheBrokersOwnFiguresAreABranch(t *testing.T) {
	b := startBroker(t)
	for _, version := range []string{"3.1.1", "5"} {
		admin := []string{"protocol", version, "user", "admin", "password", "admin-practice"}
		s := openOne(t, b.settings("tcp", b.plain, admin...))
		eventually(t, "$SYS", func() bool { return slices.Contains(list(t, s, ""), "$SYS") })
		if got := list(t, s, "$SYS/broker"); !slices.Contains(got, "$SYS/broker/version") {
			t.Errorf("%s: %q", version, got)
		}
		if got := s.(connectors.Actor).Actions("$SYS/broker/version"); got != nil {
			t.Errorf("something can be published among the broker's figures: %v", got)
		}
		for _, off := range [][]string{append(admin, "sys", "false"), append(admin, "topic", "plant/#")} {
			if got := list(t, openOne(t, b.settings("tcp", b.plain, off...)), ""); slices.Contains(got, "$SYS") {
				t.Errorf("%v: not asked for, and there", off)
			}
		}
	}
}

// dynamic is mosquitto with rights that answer the subscription itself.
func dynamic(t *testing.T) *broker {
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
	return b
}

// A broker with mosquitto's dynamic security says no to the subscription itself.
func TestATopicDeniedByTheBrokerIsSaid(t *testing.T) {
	b := dynamic(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		if _, err := openOne(t, b.plainly("topic", "allowed/#")).Check(t.Context()); err != nil {
			t.Errorf("%s: what is allowed: %v", version, err)
		}
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, b.plainly("topic", "plant/#"))
		e := connectors.Classify(err)
		if e == nil || e.Code != connectors.Denied || e.Reason != "mqtt.topic_denied" || e.Field != "topic" || e.Op != connectors.StageRights {
			t.Fatalf("%s: %v", version, err)
		}
		if p := connectors.Explain(err); p.Title == "" || p.Hint == "" {
			t.Errorf("%+v", p)
		}
	}
}

func TestOneOfTwoFiltersDeniedIsPartial(t *testing.T) {
	b := dynamic(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		s := openOne(t, b.plainly("topic", "allowed/#\nplant/#"))
		facts, err := s.Check(t.Context())
		e := connectors.Classify(err)
		if e == nil || !e.Partial || e.Code != connectors.Denied || e.Target != "plant/#" || conntest.Fact(facts, "Refused: plant/#") == "" {
			t.Fatalf("%s: %v %v", version, facts, err)
		}
		id := connectors.NodeID("refused filter plant/#")
		if n := node(t, s, "", id); n.Access != connectors.AccessDenied || n.Name != "plant/#" {
			t.Errorf("%s: %+v", version, n)
		}
		for _, err := range s.(connectors.Browser).Children(t.Context(), id) {
			if connectors.CodeOf(err) != connectors.Denied {
				t.Errorf("%s: below a refused filter: %v", version, err)
			}
		}
	}
}

// With the toggle on, this program takes its share like any other member.
func TestSharedSubscriptionsAreJoinedOnPurposeOnly(t *testing.T) {
	b := startBroker(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, b.plainly("topic", "$share/g/plant/#"))
		if e := connectors.Classify(err); e == nil || e.Reason != "mqtt.shared" || e.Field != "shared" {
			t.Fatalf("%s: %v", version, err)
		}
		one := openOne(t, b.plainly("topic", "$share/g"+version+"/plant/#", "shared", "true"))
		two := openOne(t, b.plainly("topic", "$share/g"+version+"/plant/#", "shared", "true"))
		const many = 20
		topic := "plant/" + version
		flood(t, b, topic, many)
		eventually(t, "the group's messages", func() bool {
			return count(t, one, "plant", connectors.NodeID(topic))+count(t, two, "plant", connectors.NodeID(topic)) >= many
		})
		for _, s := range []connectors.Session{one, two} {
			if n := count(t, s, "plant", connectors.NodeID(topic)); n == 0 || n == many {
				t.Errorf("%s: %d of %d messages", version, n, many)
			}
		}
	}
}

func TestPublishingIsDoneOnRequestOnly(t *testing.T) {
	b := startBroker(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		s, heard := openOne(t, b.plainly()), openOne(t, b.plainly())
		topic := connectors.NodeID("valve/" + version)
		actor := s.(connectors.Actor)
		actions := actor.Actions(topic)
		if len(actions) != 2 || actions[0].ID != "publish" || actions[1].ID != "publish_retained" || actions[0].Ask == "" || actions[0].Warning == "" || actions[1].Warning == actions[0].Warning {
			t.Fatalf("%+v", actions)
		}
		parts, err := actor.Act(t.Context(), topic, "publish", "open")
		if err != nil || len(parts) == 0 || version == "5" && parts[0].Text != "Reason code 0: the broker took the message." {
			t.Fatalf("%s: %+v %v", version, parts, err)
		}
		eventually(t, "the message", func() bool { return count(t, heard, "valve", topic) == 1 })
		if n := node(t, heard, "valve", topic); conntest.Fact(n.Facts, "Last value") != "open" || conntest.Fact(n.Facts, "Retained") != "" {
			t.Errorf("%+v", n.Facts)
		}
		if late := openOne(t, b.plainly("topic", "valve/"+version)); len(list(t, late, "")) != 0 {
			t.Error("a message was kept that nobody asked to keep")
		}
		if _, err = actor.Act(t.Context(), topic, "publish_retained", "shut"); err != nil {
			t.Fatal(err)
		}
		late := openOne(t, b.plainly("topic", "valve/"+version))
		eventually(t, "the kept message", func() bool { return conntest.Fact(node(t, late, "valve", topic).Facts, "Last value") == "shut" })
		if _, err = actor.Act(t.Context(), topic, "publish_retained", ""); connectors.CodeOf(err) != connectors.BadInput {
			t.Errorf("an empty message would delete the kept one: %v", err)
		}
		for _, id := range []connectors.NodeID{"", "a/#", "+", "$SYS/broker/version", "refused filter #"} {
			if _, err := actor.Act(t.Context(), id, "publish", "x"); connectors.CodeOf(err) != connectors.NotFound || actor.Actions(id) != nil {
				t.Errorf("%q can be published to: %v", id, err)
			}
		}
	}
}

// In 3.1.1 mosquitto takes a message that may not be published, and throws it
// away; in MQTT 5 it says so.
func TestADeniedMessageIsSaidWhereTheProtocolCan(t *testing.T) {
	b := startBroker(t)
	plant := []string{"user", "plant", "password", "plant-practice", "topic", "plant/#"}
	parts, err := openOne(t, b.plainly(plant...)).(connectors.Actor).Act(t.Context(), "plant/a", "publish", "x")
	if err != nil || !strings.Contains(parts[0].Text, "does not tell") {
		t.Errorf("%+v %v", parts, err)
	}
	_, err = openOne(t, five(b, plant...)).(connectors.Actor).Act(t.Context(), "plant/a", "publish", "x")
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "mqtt.publish_denied" {
		t.Errorf("%v", err)
	}
	parts, err = openOne(t, five(b, "topic", "elsewhere/#")).(connectors.Actor).Act(t.Context(), "lonely", "publish", "x")
	if err != nil || !strings.HasPrefix(parts[0].Text, "Reason code 16") {
		t.Errorf("%+v %v", parts, err)
	}
}

func TestSecurity66_AClientIDThatIsTypedThrowsNobodyOut(t *testing.T) {
	b := startBroker(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		live := openOne(t, b.plainly("client_id", "meter-7", "exact_id", "true"))
		for range 2 {
			s := openOne(t, b.plainly("client_id", "meter-7"))
			facts, err := s.Check(t.Context())
			if got := conntest.Fact(facts, "Client ID"); err != nil || !strings.HasPrefix(got, "meter-7-") {
				t.Errorf("%s: %q %v", version, got, err)
			}
		}
		if _, err := live.Check(t.Context()); err != nil {
			t.Errorf("%s: the live session was thrown out: %v", version, err)
		}
	}
}

// What the form says of the toggle is what happens.
func TestAnExactClientIDTakesOver(t *testing.T) {
	b := startBroker(t)
	for _, version := range []string{"3.1.1", "5"} {
		b.version = version
		first := openOne(t, b.plainly("client_id", "meter-7", "exact_id", "true"))
		second := openOne(t, b.plainly("client_id", "meter-7", "exact_id", "true"))
		facts, err := second.Check(t.Context())
		if got := conntest.Fact(facts, "Client ID"); err != nil || !strings.HasPrefix(got, "meter-7, exactly") {
			t.Errorf("%s: %q %v", version, got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var last error
		for _, err := range first.(connectors.Streamer).Watch(ctx, "") {
			last = err
		}
		// Mosquitto 2.0 hangs up without a word, in MQTT 5 too.
		if e := connectors.Classify(last); e == nil || e.Reason != "mqtt.lost" {
			t.Errorf("%s: %v", version, last)
		}
	}
}
