package mqtt

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// touchy plays a broker that hangs up where a filter is not allowed, as AWS IoT
// Core and others do (MQTT 3.1.1 section 4.8 lets them).
func touchy(t *testing.T, allowed string) (port string, filters func() []string) {
	var mu sync.Mutex
	var asked []string
	serve := func(c net.Conn) {
		for {
			p, err := packets.ReadPacket(c)
			if err != nil {
				return
			}
			switch p := p.(type) {
			case *packets.ConnectPacket:
				_ = packets.NewControlPacket(packets.Connack).Write(c)
			case *packets.SubscribePacket:
				mu.Lock()
				asked = append(asked, p.Topics...)
				mu.Unlock()
				if strings.Join(p.Topics, "") != allowed {
					return
				}
				ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
				ack.MessageID, ack.ReturnCodes = p.MessageID, make([]byte, len(p.Topics))
				_ = ack.Write(c)
			case *packets.UnsubscribePacket:
				ack := packets.NewControlPacket(packets.Unsuback).(*packets.UnsubackPacket)
				ack.MessageID = p.MessageID
				_ = ack.Write(c)
			}
		}
	}
	_, at := conntest.Serve(t, serve)
	return at, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return asked
	}
}

func touchySettings(port, topic string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": port, "transport": "tcp", "auth": "anonymous", "topic": topic}
	return s
}

func TestStandInABrokerThatHangsUpForItsOwnFiguresIsAskedWithoutThem(t *testing.T) {
	port, filters := touchy(t, "#")
	facts, err := openOne(t, touchySettings(port, "#")).Check(t.Context())
	if err != nil || conntest.Fact(facts, "The broker's own figures") == "" || strings.Join(filters(), " ") != "# $SYS/# #" {
		t.Errorf("%v %v %v", facts, filters(), err)
	}
}

func TestStandInABrokerThatHangsUpForAFilterIsUnderstood(t *testing.T) {
	port, _ := touchy(t, "plant/#")
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, touchySettings(port, "other/#"))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "mqtt.topic_closed" || e.Field != "topic" || e.Op != connectors.StageRights {
		t.Errorf("%v", err)
	}
}
