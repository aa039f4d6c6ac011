package mqttx

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"go.uber.org/goleak"

	"jackfield/connectors"
)

var welcome = map[int][]byte{V3: {0x20, 2, 0, 0}, V5: {0x20, 3, 0, 0, 0}}

// standIn answers the first packet with the given bytes and throws away the rest.
func standIn(t *testing.T, answer []byte) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		head := make([]byte, 4096)
		if _, err := theirs.Read(head); err != nil {
			return
		}
		go func() { _, _ = theirs.Write(answer) }()
		_, _ = io.Copy(io.Discard, theirs)
		_ = theirs.Close()
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		_ = theirs.Close()
		<-done
	})
	return ours
}

func options(version int) Options {
	return Options{Version: version, ClientID: ClientID(), Target: "broker.example.com:1883"}
}

// connack5 refuses with a reason code, a reason string and a server reference.
func connack5(code byte, reason, server string) []byte {
	var b strings.Builder
	ack := packets.Connack{ReasonCode: code, Properties: &packets.Properties{ReasonString: reason, ServerReference: server}}
	_, _ = ack.WriteTo(&b)
	return []byte(b.String())
}

func TestStandInReasonCodesOfMQTT5AreWords(t *testing.T) {
	for code, want := range map[byte]struct {
		code          connectors.Code
		reason, field string
	}{
		132: {connectors.Unsupported, "mqtt.version", "protocol"},
		133: {connectors.Refused, "mqtt.client_id", "client_id"},
		134: {connectors.AuthFailed, "mqtt.auth", "password"},
		135: {connectors.AuthFailed, "mqtt.auth", "password"},
		136: {connectors.Unreachable, "mqtt.unavailable", ""},
		137: {connectors.Throttled, "mqtt.busy", ""},
		138: {connectors.Denied, "mqtt.banned", ""},
		140: {connectors.Unsupported, "mqtt.auth_method", "auth"},
		149: {connectors.Refused, "mqtt.packet_too_large", ""},
		151: {connectors.Throttled, "mqtt.quota", ""},
		156: {connectors.Refused, "mqtt.other_server", "host"},
		157: {connectors.Refused, "mqtt.moved", "host"},
		159: {connectors.Throttled, "mqtt.rate", ""},
		128: {connectors.Refused, "mqtt.refused", ""},
		200: {connectors.Refused, "mqtt.refused", ""},
	} {
		_, err := SignIn(t.Context(), standIn(t, connack5(code, "as told", "other.example.com")), options(V5))
		e := connectors.Classify(err)
		if e == nil || e.Code != want.code || e.Reason != want.reason || e.Field != want.field || e.Op != connectors.StageSignIn || e.Said != "as told other.example.com" {
			t.Errorf("%d: %+v", code, e)
		}
		p := connectors.Explain(err)
		if !connectors.English().Has(want.reason) || p.Title == "" || p.Hint == "" || strings.Contains(p.Title+p.Hint, "{") {
			t.Errorf("%d: %+v", code, p)
		}
	}
}

func TestStandInReturnCodesOfMQTT3AreWords(t *testing.T) {
	for code, reason := range map[byte]string{1: "mqtt.version", 2: "mqtt.client_id", 3: "mqtt.unavailable", 4: "mqtt.auth", 5: "mqtt.auth"} {
		_, err := SignIn(t.Context(), standIn(t, []byte{0x20, 2, 0, code}), options(V3))
		if e := connectors.Classify(err); e == nil || e.Reason != reason {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestStandInABrokerOfMQTT3IsRecognized(t *testing.T) {
	for _, code := range []byte{0, 1, 5} {
		_, err := SignIn(t.Context(), standIn(t, []byte{0x20, 2, 0, code}), options(V5))
		if e := connectors.Classify(err); e == nil || e.Reason != "mqtt.only_three" || e.Field != "protocol" {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// MQTT 5 section 4.13: the broker says why it hangs up.
func TestStandInAFarewellIsTold(t *testing.T) {
	for _, c := range []struct {
		packet       []byte
		reason, said string
	}{
		{[]byte{0xe0, 1, 0x8e}, "mqtt.taken_over", "Session taken over"},
		{[]byte{0xe0, 1, 0x87}, "mqtt.ended_denied", "Not authorized"},
		{[]byte{0xe0, 8, 0x8b, 6, 0x1f, 0, 3, 'b', 'y', 'e'}, "mqtt.lost", "bye"},
	} {
		l, err := SignIn(t.Context(), standIn(t, append(append([]byte{}, welcome[V5]...), c.packet...)), options(V5))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var last error
		for _, err := range l.Watch(ctx, "") {
			last = err
		}
		if e := connectors.Classify(last); e == nil || e.Reason != c.reason || !strings.HasPrefix(e.Said, c.said) {
			t.Errorf("%x: %+v", c.packet, e)
		}
		l.Close()
	}
}

// A CONNACK may name a way of authentication that nobody asked for.
func TestStandInAMethodOfAuthenticationIsNoPanic(t *testing.T) {
	l, err := SignIn(t.Context(), standIn(t, []byte{0x20, 7, 0, 0, 4, 0x15, 0, 1, 'x'}), options(V5))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// Whatever comes after a welcome ends in an error, within bounds, and leaves nothing running.
func TestSecurity64_StandInHostilePacketsEndTheConnection(t *testing.T) {
	here := goleak.IgnoreCurrent()
	r := rand.New(rand.NewPCG(3, 4))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range 200 {
		version := []int{V3, V5}[i%2]
		junk := make([]byte, 1+r.IntN(200))
		for j := range junk {
			junk[j] = byte(r.Uint32())
		}
		if i%4 > 1 { // the packets of a broker with anything in them
			junk = append([]byte{[]byte{0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0, 0xe0}[r.IntN(11)], byte(min(len(junk), 127))}, junk...)
		}
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Read(make([]byte, 4096))
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			_, _ = theirs.Write(append(append([]byte{}, welcome[version]...), junk...))
			_ = theirs.Close()
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		l, err := SignIn(ctx, ours, options(version))
		if err == nil {
			if err = l.Subscribe(ctx, "#"); err == nil {
				err = l.Ping(ctx)
			}
			l.Close()
		}
		cancel()
		if code := connectors.CodeOf(err); err == nil || code == connectors.TimedOut {
			t.Fatalf("%x: %v", junk, err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
	// The library lets go of what it could not write after the bound of a write.
	for end := time.Now().Add(4 * writing); ; {
		err := goleak.Find(here)
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// A broker that does not read holds nobody up: leaving takes no longer than asked
// for. Many at once, since the library's first ping races with the sign-in.
func TestSecurity65_StandInABrokerThatStopsReadingIsLeft(t *testing.T) {
	var all sync.WaitGroup
	for i := range 60 {
		version := []int{V3, V5}[i%2]
		all.Go(func() {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Read(make([]byte, 4096))
				_, _ = theirs.Write(welcome[version])
			}()
			l, err := SignIn(t.Context(), ours, options(version))
			if err != nil {
				t.Error(err)
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			for _, do := range []func() error{
				func() error { return l.Subscribe(ctx, "#") }, func() error { return l.Ping(ctx) },
				func() error { _, err := l.Act(ctx, "a", ActPublish, "x"); return err },
			} {
				if err := do(); connectors.CodeOf(err) != connectors.TimedOut {
					t.Errorf("%d: %v", version, err)
				}
			}
			cancel()
			_ = theirs.Close()
			l.Close()
		})
	}
	all.Wait()
}

func TestSecurity66_NothingIsLeftWithTheBroker(t *testing.T) {
	l := &Live{o: options(V3)}
	if o := (&three{l: l}).options(); o.WillEnabled || !o.CleanSession || o.AutoReconnect || o.ConnectRetry || o.ProtocolVersion != 4 {
		t.Errorf("%+v", o)
	}
	cp := (&five{l: l}).packet()
	if cp.WillMessage != nil || !cp.CleanStart || cp.Properties.SessionExpiryInterval != nil || *cp.Properties.ReceiveMaximum > 100 {
		t.Errorf("%+v", cp)
	}
	if one, two := ClientID(), ClientID(); one == two || len(one) > 23 {
		t.Error("client ids are not unique, or too long")
	}
	if one, two := Beside("x"), Beside("x"); one == two || !strings.HasPrefix(one, "x-") {
		t.Error("an ID beside another one is not unique")
	}
}

func TestSecurity71_PropertiesAreBounded(t *testing.T) {
	l := &Live{o: options(V5)}
	var p packets.Properties
	for i := range 1000 {
		p.User = append(p.User, packets.User{Key: fmt.Sprint(i, "\u202e"), Value: strings.Repeat("x", 60_000)})
	}
	var b strings.Builder
	_, _ = (&packets.Publish{Topic: "a", Properties: &p}).WriteTo(&b)
	if b.Len() < 1<<20 {
		t.Fatal("it is not that large")
	}
	got, err := packets.ReadPacket(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	f := &five{l: l}
	if _, err := f.hear(received(got)); err != nil {
		t.Fatal(err)
	}
	at := l.topics.find("a")
	if n := at.weight(); n > 4*maxProperties*maxProperty || len(at.facts) != maxProperties+1 {
		t.Errorf("%d bytes in %d facts are kept", n, len(at.facts))
	}
	for _, x := range at.facts {
		if connectors.Clean(x.Label+x.Text, 0) != x.Label+x.Text {
			t.Errorf("%q", x)
		}
	}
}

func TestFilters(t *testing.T) {
	for in, fine := range map[string]bool{"#": true, "a/+/b": true, "+": true, "$share/g/a/#": true, "$SYS/#": true, "a#": false, "a/#/b": false, "a+": false, "$share/g": false, "$share//a": false, "$share/g/": false, "$share/+/a": false, strings.Repeat("x", 70_000): false, strings.Repeat("a\n", 9): false} {
		if err := ValidFilters(in); (err == nil) != fine {
			t.Errorf("%.20q: %v", in, err)
		}
	}
	if got := TidyFilters(" a/# \r\n\n b "); got != "a/#\nb" || TidyFilters(" \n") != "" {
		t.Errorf("%q", got)
	}
}

func TestTextThatWasCutIsText(t *testing.T) {
	long := strings.Repeat("x", maxBody-2) + "€"
	for body, want := range map[string]bool{long[:maxBody]: true, "": true, "\xe2\x82": false, "a\x00b": false, "Grüße": true, strings.Repeat("\xff", maxBody): false} {
		if textual([]byte(body)) != want {
			t.Errorf("%.10q of %d bytes", body, len(body))
		}
	}
}

func received(p *packets.ControlPacket) paho.PublishReceived {
	return paho.PublishReceived{Packet: paho.PublishFromPacketPublish(p.Content.(*packets.Publish))}
}
